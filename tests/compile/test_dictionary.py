"""The data dictionary says all that the tables declare."""

from __future__ import annotations

from pipelines.compile.dictionary import DICTIONARY, dictionary_frame, dictionary_rows
from pipelines.compile.expected_cells import allowed_values
from pipelines.declarations import Column, Table
from pipelines.release.canonical import canonical_table


def table() -> Table:
    base = {"title": "Titre", "description": "Description"}
    return Table.model_validate(
        {
            "title": "T",
            "description": "D",
            "key": ["maille"],
            "columns": [
                base
                | {"name": "maille", "type": "string", "constraints": {"required": True, "enum": ["site", "region"]}},
                base | {"name": "vrai", "type": "boolean", "example": True},
            ],
        }
    )


def test_one_row_per_column_in_published_order() -> None:
    rows = dictionary_rows({"essai": table()})
    assert [(row["table"], row["rang"], row["colonne"]) for row in rows] == [
        ("essai", 1, "maille"),
        ("essai", 2, "vrai"),
    ]
    assert rows[0]["obligatoire"] is True and rows[0]["cle"] is True
    assert rows[0]["valeurs_permises"] == "site | region"
    assert rows[1]["type"] == "booléen" and rows[1]["exemple"] == "true"


def test_limits_are_told_in_french() -> None:
    limits = {"minimum": 0, "maximum": 6, "unique": True}
    column = Column.model_validate(
        {"name": "n", "title": "N", "description": "N", "type": "integer", "constraints": limits}
    )
    assert allowed_values(column.constraints) == "au moins 0 ; au plus 6 ; sans doublon"


def test_the_dictionary_fits_its_own_declaration() -> None:
    data = canonical_table("dictionnaire", DICTIONARY, dictionary_frame({"essai": table()}))
    assert data.num_rows == 2
