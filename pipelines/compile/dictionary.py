"""Declared tables → the data dictionary, itself a declared table: one row per column. How it is written is not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.compile.expected_cells import allowed_values, shown
from pipelines.declarations import Column, Table
from pipelines.declarations.strict_model import Constraints

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

_REQUIRED = Constraints(required=True)
TYPE_NAMES = {"string": "texte", "integer": "entier", "number": "nombre", "boolean": "booléen", "date": "date"}

DICTIONARY = Table(
    title="Dictionnaire",
    description="Colonnes de toutes les tables, une ligne par colonne, dans l'ordre où elles sont publiées.",
    key=("table", "rang"),
    columns=(
        Column(name="table", title="Table", description="Nom de la table.", type="string", constraints=_REQUIRED),
        Column(
            name="rang",
            title="Rang",
            description="Place de la colonne dans la table, à partir de 1.",
            type="integer",
            constraints=Constraints(required=True, minimum=1),
        ),
        Column(name="colonne", title="Colonne", description="Nom de colonne.", type="string", constraints=_REQUIRED),
        Column(name="titre", title="Titre", description="Titre de la colonne.", type="string", constraints=_REQUIRED),
        Column(
            name="description",
            title="Description",
            description="Ce que dit la colonne, son unité et comment lire une cellule vide.",
            type="string",
            constraints=_REQUIRED,
        ),
        Column(
            name="type",
            title="Type",
            description="Type des valeurs : texte, entier, nombre (avec des décimales), booléen (true ou false) "
            "ou date (AAAA-MM-JJ). Qui devine les types les devine justes, sauf d'un texte fait seulement de chiffres, "
            "comme un code de région : le déclarer comme texte en lisant le CSV, ou lire le Parquet ou le XLSX.",
            type="string",
            constraints=Constraints(required=True, enum=tuple(TYPE_NAMES.values())),
        ),
        Column(
            name="obligatoire",
            title="Obligatoire",
            description="true quand la cellule n'est jamais vide.",
            type="boolean",
            constraints=_REQUIRED,
        ),
        Column(
            name="cle",
            title="Clé",
            description="true quand la colonne fait partie de la clé, unique, de la table.",
            type="boolean",
            constraints=_REQUIRED,
        ),
        Column(
            name="valeurs_permises",
            title="Valeurs permises",
            description="Liste, bornes ou forme des valeurs permises. Vide quand rien n'est imposé.",
            type="string",
        ),
        Column(
            name="exemple",
            title="Exemple",
            description="Exemple de valeur, prise dans la table. Vide quand la colonne est vide.",
            type="string",
        ),
    ),
)  # fmt: skip


def dictionary_rows(tables: Mapping[str, Table]) -> list[dict[str, Any]]:
    """Return one row per column of every table, in published order."""
    return [
        _row(name, table, rank) for name, table in sorted(tables.items()) for rank in range(1, len(table.columns) + 1)
    ]


def dictionary_frame(tables: Mapping[str, Table]) -> pd.DataFrame:
    """Return the dictionary as a frame with the columns of ``DICTIONARY``."""
    import pandas as pd  # noqa: PLC0415  (who only asks how a release stands waits for no frame)

    return pd.DataFrame(dictionary_rows(tables), columns=DICTIONARY.names)


def _row(name: str, table: Table, rank: int) -> dict[str, Any]:
    column = table.columns[rank - 1]
    return {
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
