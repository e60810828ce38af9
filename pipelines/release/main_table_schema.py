"""The schema of the main table as schema.data.gouv.fr takes it: Table Schema v1, on its own, versioned.

Its version is that of the release in which it last changed: MAJOR then says that a column went or changed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipelines.compile.table_schema import table_schema

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.declarations import Catalogue

TABLE_SCHEMA_PROFILE = "https://specs.frictionlessdata.io/schemas/table-schema.json"
REFERENCES = ("foreignKeys",)  # a file is judged alone there


def schema_file(catalogue: Catalogue, dataset: str) -> str:
    """Return the name of the file."""
    return f"{catalogue.datasets[dataset].main_table}.schema.json"


def standard_schema(catalogue: Catalogue, dataset: str, version: str, earlier: Path | None) -> dict[str, Any]:
    """Return the schema; ``earlier`` is the folder of the release before, whose version it keeps if it is the same."""
    declared = catalogue.datasets[dataset]
    table = catalogue.tables[declared.main_table]
    described = {key: value for key, value in table_schema(table).items() if key not in REFERENCES}
    schema = {
        "$schema": TABLE_SCHEMA_PROFILE,
        "name": f"{dataset}-{declared.main_table}".replace("_", "-"),
        "title": table.title,
        "description": table.description,
        "version": version,
        "encoding": "utf-8",
        "homepage": f"https://www.data.gouv.fr/datasets/{dataset}/",
        "keywords": list(declared.tags),
        "contributors": [{"title": declared.contact.name, "email": declared.contact.email, "role": "author"}],
        **described,
    }
    before = _read(earlier / schema_file(catalogue, dataset)) if earlier else None
    if before and before | {"version": ""} == schema | {"version": ""}:
        return schema | {"version": before["version"]}
    return schema


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
