"""Release → Data Package v2 descriptor, which frictionless reads and checks. Nothing is written here.

Resources are the CSV tables. Parquet, XLSX and the historical CSV, the same in other forms, are ``renditions``: the
v2 profile knows no type of resource but tables, and frictionless reads Parquet through pandas, which turns a missing
integer into a float. Table Schemas stay v1 (schema.data.gouv.fr). No date of creation: same release, same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

from pipelines.compile.table_schema import table_schema
from pipelines.declarations import Catalogue, Dataset, Network, Table
from pipelines.declarations.datasets import Historical
from pipelines.release.historical import historical_schema
from pipelines.release.table_parts import CSV, PARQUET, TableFile, TableParts
from pipelines.release.table_writers import DIALECT
from pipelines.release.written_files import OWN_TABLES

DATA_PACKAGE_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
LICENCE = {
    "name": "etalab-2.0",
    "title": "Licence Ouverte 2.0",
    "path": "https://www.etalab.gouv.fr/wp-content/uploads/2017/04/ETALAB-Licence-Ouverte-v2.0.pdf",
}
SYNTHETIC_MARK = "DONNÉES SYNTHÉTIQUES"
RENDITIONS = {
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def release_title(dataset: Dataset, synthetic: str | None) -> str:
    """Return the title of a release, marked when its data are invented."""
    return f"{SYNTHETIC_MARK} — {dataset.title}" if synthetic else dataset.title


def datapackage(
    dataset_id: str,
    catalogue: Catalogue,
    *,
    version: str,
    folder: Path,
    digests: Mapping[str, str],
    layout: TableParts,
    networks: Iterable[str],
    synthetic: str | None,
    origin: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the descriptor of a release whose files, of these sha256 by name, are in ``folder`` as ``layout`` has it.

    ``networks`` are those that it speaks of; ``origin`` holds our own properties: what it comes from and follows.
    """
    dataset = catalogue.datasets[dataset_id]
    warning = f"{SYNTHETIC_MARK}. {synthetic}\n\n" if synthetic else ""
    texts = [file for name in dataset.tables for file in layout.files(name, CSV)]
    columnar = [file for name in dataset.tables for file in layout.files(name, PARQUET)]

    def facts(name: str) -> dict[str, Any]:
        return {"bytes": (folder / name).stat().st_size, "hash": f"sha256:{digests[name]}"}

    renditions = [_rendition(name, {}, facts(name)) for name in digests if name.endswith(".xlsx")]
    for file in columnar:
        name = f"{file.name}.{PARQUET}"
        renditions.append(_rendition(name, _of_part(file), facts(name)))
    renditions.sort(key=itemgetter("path"))
    if dataset.historical:
        renditions.append(_historical(dataset.historical, facts(f"{dataset.historical.name}.csv")))
    return {
        "$schema": DATA_PACKAGE_PROFILE,
        "name": dataset_id,
        "version": version,
        "title": release_title(dataset, synthetic),
        "description": warning + dataset.description,
        **({"synthetic": True} if synthetic else {}),
        "licenses": [LICENCE],
        "sources": [_source(catalogue.networks[name]) for name in sorted(set(networks)) if name in catalogue.networks],
        "keywords": list(dataset.tags),
        "contributors": [{"title": dataset.contact.name, "email": dataset.contact.email, "roles": ["contact"]}],
        "resources": [
            *(
                _resource(file.name, catalogue.tables[file.table], _of_part(file), facts(f"{file.name}.{CSV}"))
                for file in texts
            ),
            *(_resource(name, table, {}, facts(f"{name}.{CSV}")) for name, table in OWN_TABLES.items()),
        ],
        "renditions": renditions,
        **({"layout": layout.told} if layout.told else {}),
        **origin,
    }


def to_bytes(content: Mapping[str, Any]) -> bytes:
    """Return a descriptor as published JSON."""
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _of_part(file: TableFile) -> dict[str, Any]:
    """Return what is said of a file that doesn't hold a whole table under its name."""
    if file.name == file.table:
        return {}
    told = {"title": file.label, "description": file.description, "table": file.table, "part": file.part}
    return told if file.year is None else {**told, "year": file.year}


def _resource(name: str, table: Table, part: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "type": "table",
        "path": f"{name}.{CSV}",
        "title": table.title,
        "description": table.description,
        **part,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": DIALECT,
        **facts,
        "schema": table_schema(table),
    }


def _rendition(name: str, part: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    file_format = name.rpartition(".")[2]
    return {"path": name, "format": file_format, "mediatype": RENDITIONS[file_format], **part, **facts}


def _historical(historical: Historical, facts: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {"format": "csv", "mediatype": "text/csv", "encoding": "utf-8", "dialect": DIALECT}
    return {"path": f"{historical.name}.csv", **kinds, **facts, "schema": historical_schema(historical)}


def _source(network: Network) -> dict[str, str]:
    source = {"title": f"{network.title} ({network.producer})"}
    if network.source and network.source.startswith(("https://", "http://")):
        return {**source, "path": network.source}
    return {"title": f"{source['title']}, {network.source}"} if network.source else source


# The schema of the main table as schema.data.gouv.fr takes it: Table Schema v1, on its own, versioned.

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
    path = earlier / schema_file(catalogue, dataset) if earlier else None
    before = json.loads(path.read_text(encoding="utf-8")) if path is not None and path.is_file() else None
    if before and before | {"version": ""} == schema | {"version": ""}:
        return schema | {"version": before["version"]}
    return schema
