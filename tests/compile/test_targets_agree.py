"""One declaration, many targets: Table Schema, Arrow and pandera accept and refuse the same values."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pytest
from frictionless import Schema

from pipelines.compile.contracts import contract, frame
from pipelines.compile.table_schema import arrow_schema, table_schema
from pipelines.declarations import Table
from pipelines.release.canonical import canonical_table
from pipelines.release.column_texts import canonical
from pipelines.release.refusals import TableError

# type, constraints, value, whether it is accepted
CASES: list[tuple[str, dict[str, Any], Any, bool]] = [
    ("string", {}, "01", True),
    ("string", {}, None, True),
    ("string", {"required": True}, None, False),
    ("string", {"required": True}, "", False),
    ("string", {"enum": ["site", "region"]}, "region", True),
    ("string", {"enum": ["site", "region"]}, "Region", False),
    ("string", {"enum": ["site"]}, None, True),
    ("string", {"pattern": r"\d{2}"}, "30", True),
    ("string", {"pattern": r"\d{2}"}, "301", False),
    ("string", {"pattern": r"\d{2}|2[AB]"}, "2A", True),
    ("string", {"pattern": r"\d{2}|2[AB]"}, "2C", False),
    ("string", {"minLength": 2}, "é", False),
    ("string", {"maxLength": 2}, "été", False),
    ("string", {"maxLength": 3}, "été", True),
    ("integer", {}, 12, True),
    ("integer", {}, None, True),
    ("integer", {}, "douze", False),
    ("integer", {}, 1.5, False),
    ("integer", {"required": True}, None, False),
    ("integer", {"minimum": 0}, -1, False),
    ("integer", {"minimum": 0}, 0, True),
    ("integer", {"maximum": 6}, 7, False),
    ("integer", {"enum": [1, 2]}, 3, False),
    ("integer", {"enum": [1, 2]}, 2, True),
    ("number", {}, 1.5, True),
    ("number", {}, None, True),
    ("number", {}, "beaucoup", False),
    ("number", {"minimum": 0}, -0.5, False),
    ("number", {"maximum": 100}, 100.0, True),
    ("number", {"maximum": 100}, 100.5, False),
    ("boolean", {}, True, True),
    ("boolean", {}, None, True),
    ("boolean", {}, "oui", False),
    ("boolean", {"required": True}, None, False),
    ("boolean", {"enum": [True]}, False, False),
    ("date", {}, date(2024, 2, 29), True),
    ("date", {}, None, True),
    ("date", {}, "29/02/2024", False),
    ("date", {"minimum": "2024-01-01"}, date(2023, 12, 31), False),
    ("date", {"minimum": "2024-01-01"}, date(2024, 1, 1), True),
    ("date", {"required": True}, None, False),
]


def table_of(kind: str, constraints: dict[str, Any]) -> Table:
    column = {"name": "cellule", "title": "Cellule", "description": "Essai", "type": kind, "constraints": constraints}
    key = {"name": "cle", "title": "Clé", "description": "Essai", "type": "integer", "constraints": {"required": True}}
    return Table.model_validate({"title": "T", "description": "D", "key": ["cle"], "columns": [key, column]})


@pytest.mark.parametrize(("kind", "constraints", "value", "accepted"), CASES)
def test_every_target_gives_the_same_verdict(kind: str, constraints: dict, value: Any, accepted: bool) -> None:
    table = table_of(kind, constraints)

    cell = canonical(pa.chunked_array([[value]]))[0].as_py()
    _, notes = Schema.from_descriptor(table_schema(table)).get_field("cellule").read_cell(cell)
    assert (not notes) == accepted, f"frictionless: {notes}"

    assert _arrow_and_pandera(table, value) == accepted


def _arrow_and_pandera(table: Table, value: Any) -> bool:
    try:
        data = canonical_table("essai", table, pd.DataFrame({"cle": [1], "cellule": pd.Series([value], dtype=object)}))
        contract(table).validate(frame(data), lazy=True)
    except (TableError, pandera.errors.SchemaErrors):
        return False
    return True


@pytest.mark.parametrize("kind", ["string", "integer", "number", "boolean", "date"])
def test_an_empty_column_keeps_its_declared_type_everywhere(kind: str) -> None:
    table = table_of(kind, {"enum": ["2024-01-01"]} if kind in ("string", "date") else {"unique": False})
    data = canonical_table("essai", table, pd.DataFrame({"cle": [1, 2], "cellule": [None, None]}))
    assert data.schema.field("cellule").type == arrow_schema(table).field("cellule").type
    contract(table).validate(frame(data), lazy=True)


def test_pandera_refuses_what_the_key_and_the_columns_forbid() -> None:
    table = table_of("string", {})
    with pytest.raises(pandera.errors.SchemaErrors):
        contract(table).validate(_raw(cle=[1, 1], cellule=["a", "b"]), lazy=True)
    with pytest.raises(pandera.errors.SchemaErrors):
        contract(table).validate(_raw(cle=[1], cellule=["a"], autre=["b"]), lazy=True)
    with pytest.raises(pandera.errors.SchemaErrors):
        contract(table).validate(_raw(cle=[1]), lazy=True)
    with pytest.raises(pandera.errors.SchemaErrors):
        contract(table_of("integer", {})).validate(_raw(cle=[1], cellule=["a"]), lazy=True)


def _raw(**columns: list[Any]) -> pd.DataFrame:
    return frame(pa.table(columns))


def test_the_arrow_schema_carries_texts_and_nullability() -> None:
    schema = arrow_schema(table_of("number", {"required": True}))
    assert schema.metadata == {b"title": b"T", b"description": b"D"}
    assert schema.field("cellule").metadata[b"description"] == b"Essai"
    assert not schema.field("cellule").nullable
    assert schema.field("cellule").type == pa.float64()


def test_the_table_schema_is_valid_v1_and_says_all() -> None:
    descriptor = table_schema(table_of("string", {"enum": ["a"], "required": True}))
    assert descriptor["primaryKey"] == ["cle"]
    assert descriptor["missingValues"] == [""]
    assert descriptor["fields"][1]["constraints"] == {"required": True, "enum": ["a"]}
    assert descriptor["fields"][1]["title"] == "Cellule"
    Schema.from_descriptor(descriptor)
