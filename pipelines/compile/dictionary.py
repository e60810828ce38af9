"""Declared tables → the data dictionary, itself a declared table: one row per column. How it is written is not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pipelines.compile.expected_cells import allowed_values, shown
from pipelines.declarations import Column, Table
from pipelines.declarations.strict_model import Constraints

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

TYPE_NAMES = {"string": "texte", "integer": "entier", "number": "nombre", "boolean": "booléen", "date": "date"}


def _described(
    name: str, title: str, description: str, kind: Literal["string", "integer", "boolean"] = "string", **limits: Any
) -> Column:
    constraints = Constraints(**{"required": True, **limits})
    return Column(name=name, title=title, description=description, type=kind, constraints=constraints)


DICTIONARY = Table(
    title="Dictionnaire",
    description="Colonnes de toutes les tables, une ligne par colonne, dans l'ordre où elles sont publiées.",
    key=("table", "rang"),
    columns=(
        _described("table", "Table", "Nom de la table."),
        _described("rang", "Rang", "Place de la colonne dans la table, à partir de 1.", "integer", minimum=1),
        _described("colonne", "Colonne", "Nom de colonne."),
        _described("titre", "Titre", "Titre de la colonne."),
        _described("description", "Description", "Ce que dit la colonne, son unité et comment lire une cellule vide."),
        _described(
            "type",
            "Type",
            "Type des valeurs : texte, entier, nombre (avec des décimales), booléen (true ou false) "
            "ou date (AAAA-MM-JJ). Qui devine les types les devine justes, sauf d'un texte fait seulement de chiffres, "
            "comme un code de région : le déclarer comme texte en lisant le CSV, ou lire le Parquet ou le XLSX.",
            enum=tuple(TYPE_NAMES.values()),
        ),
        _described("obligatoire", "Obligatoire", "true quand la cellule n'est jamais vide.", "boolean"),
        _described("cle", "Clé", "true quand la colonne fait partie de la clé, unique, de la table.", "boolean"),
        _described(
            "valeurs_permises",
            "Valeurs permises",
            "Liste, bornes ou forme des valeurs permises. Vide quand rien n'est imposé.",
            required=False,
        ),
        _described(
            "exemple",
            "Exemple",
            "Exemple de valeur, prise dans la table. Vide quand la colonne est vide.",
            required=False,
        ),
    ),
)


def dictionary_rows(tables: Mapping[str, Table]) -> list[dict[str, Any]]:
    """Return one row per column of every table, in published order."""
    return [
        {
            "table": name,
            "rang": rank,
            "colonne": column.name,
            "titre": column.title,
            "description": column.description,
            "type": TYPE_NAMES[column.type],
            "obligatoire": column.constraints.required,
            "cle": column.name in table.key,
            "valeurs_permises": allowed_values(column.constraints),
            "exemple": None if column.example is None else shown(column.example),
        }
        for name, table in sorted(tables.items())
        for rank, column in enumerate(table.columns, start=1)
    ]


def dictionary_frame(tables: Mapping[str, Table]) -> pd.DataFrame:
    """Return the dictionary as a frame with the columns of ``DICTIONARY``."""
    import pandas as pd  # noqa: PLC0415  (who only asks how a release stands waits for no frame)

    return pd.DataFrame(dictionary_rows(tables), columns=DICTIONARY.names)
