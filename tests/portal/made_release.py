"""Small releases for the tests of this folder: rows as people would write them, the columns of the declared tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from pipelines.compile.table_schema import arrow_schema
from pipelines.declarations import load

PROJECT = Path(__file__).resolve().parents[2]
TABLES = load(PROJECT / "schemas").tables
DATASET = "resultats-services-publics"


def row(year: int, value: float | None, **other: Any) -> dict[str, Any]:
    """One yearly row of ``resultats``: the rate of calls answered by the caf in France, unless told otherwise."""
    level = other.get("maille", "national")
    return {
        "annee": year,
        "periode": str(year),
        "frequence": "annuelle",
        "reseau": "caf",
        "structure_code": None,
        "structure": None,
        "maille": level,
        "territoire_code": "FR",
        "territoire": "France",
        "indicateur": "taux-decroche",
        "type_indicateur": "performance",
        "valeur": value,
        "unite": "%",
        "effectif": None if value is None else 400,
        "statut_observation": "A" if value is not None else "L",
        "statut_confidentialite": "F",
        "motif_absence": None if value is not None else "non transmis",
        "mode_obtention": "rapport de sommes",
        "source": "caf/telephone",
        "nature_donnees": "réelles",
        "version_publication": "1.0.0",
    } | other


def site(code: str, year: int, value: float | None, **other: Any) -> dict[str, Any]:
    """One yearly row of an office."""
    named = {"structure_code": code, "structure": f"Guichet {code}", "territoire_code": "30", "territoire": "Gard"}
    return row(year, value, maille="site", **(named | other))


def department(code: str, year: int, value: float | None, **other: Any) -> dict[str, Any]:
    """One yearly row of a département."""
    return row(
        year, value, maille="departement", **({"territoire_code": code, "territoire": f"Département {code}"} | other)
    )


def indicator(code: str = "taux-decroche", **other: Any) -> dict[str, Any]:
    """One row of ``indicateurs``."""
    return {
        "indicateur": code,
        "titre": "Taux de décroché",
        "definition": "Part des appels décrochés.",
        "type_indicateur": "performance",
        "population": "usagers",
        "unite": "%",
        "famille_unite": "taux",
        "sens": "hausse",
        "estimateur": "ratio",
        "mode_annuel": "rapport de sommes",
        "mailles": "national : rapport de sommes",
        "decimales": 1,
        "reseaux": "caf",
    } | other


def network(code: str = "caf", **other: Any) -> dict[str, Any]:
    """One row of ``reseaux``."""
    return {
        "reseau": code,
        "titre": "Caisses d'allocations familiales",
        "producteur": "Caisse nationale",
        "description": "Essai.",
        "typologie": "CAF",
        "maille_fine": "site",
        "premiere_annee": 2022,
        "derniere_annee": 2024,
        "licence": "lov2",
    } | other


def made_release(
    folder: Path, results: list[dict[str, Any]], *, version: str = "1.0.0", synthetic: str | None = None,
    **tables: list[Mapping[str, Any]],
) -> Path:  # fmt: skip
    """Write a release folder (Parquet tables and descriptor) and return it; a table that isn't given isn't there."""
    home = folder / "releases" / DATASET / version
    home.mkdir(parents=True)
    given = {"indicateurs": [indicator()], "reseaux": [network()]} | tables | {"resultats": results}
    for name, rows in given.items():
        parquet.write_table(pa.Table.from_pylist(rows, arrow_schema(TABLES[name])), home / f"{name}.parquet")
    resources = [
        {
            "name": name, "path": f"{name}.csv", "format": "csv", "title": TABLES[name].title, "bytes": 0, "hash": "",
            "schema": {"fields": [], "primaryKey": []},
        }
        for name in given
    ]  # fmt: skip
    content: dict[str, Any] = {"name": DATASET, "title": "Essai", "version": version, "resources": resources}
    if synthetic:
        content |= {"synthetic": True, "inputs": {"synthetic": synthetic}}
    (home / "datapackage.json").write_text(json.dumps(content), encoding="utf-8")
    return home
