"""A small catalogue over the shipped tables and dataset, and small tables that fit it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest
from made_results import DATASET, result

from pipelines.declarations import Catalogue, Dataset, Network, Table, Territories
from pipelines.declarations.yaml_source import parse

SMALL = ("resultats", "indicateurs", "reseaux", "structures")
SCHEMAS = Path(__file__).parents[2] / "schemas"


def _network(title: str) -> Network:
    field = {"name": "note", "type": "integer"}
    layout = {"years": "2022-2024", "path": "caf/{year}.csv"}
    return Network.model_validate(
        {
            "title": title,
            "producer": "Caisse nationale",
            "description": "Essai",
            "source": "https://example.org/caf",
            "structure_type": "caisse",
            "finest_level": "departement",
            "years": "2022-2024",
            "acceptance": {"max_refused_share": 0.1, "why": "essai"},
            "exports": [
                {
                    "id": "enquete",
                    "kind": "survey",
                    "title": "Enquête",
                    "fields": [field],
                    "layouts": [layout],
                    "level": "national",
                }
            ],
        }
    )


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return _catalogue()


def _catalogue() -> Catalogue:
    files = sorted((SCHEMAS / "tables").glob("*.yml"))
    tables = {path.stem: Table.model_validate(parse(path.read_text("utf-8")).data) for path in files}
    dataset = Dataset.model_validate(parse((SCHEMAS / "datasets" / f"{DATASET}.yml").read_text("utf-8")).data)
    place = {"level": "national", "code": "FR", "name": "France", "kind": "pays"}
    return Catalogue(
        networks=MappingProxyType({"caf": _network("Caisses")}),
        indicators=MappingProxyType({}),
        tables=MappingProxyType(tables),
        datasets=MappingProxyType({DATASET: dataset}),
        corrections=MappingProxyType({}),
        territories=Territories.model_validate({"vintage": date(2026, 1, 1), "source": "x", "territories": [place]}),
        reasons=MappingProxyType({}),
        engagements=MappingProxyType({}),
        quality=MappingProxyType({}),
    )


@pytest.fixture
def tables(catalogue: Catalogue) -> dict[str, pd.DataFrame]:
    return _tables(catalogue)


@pytest.fixture(scope="session")
def shared_tables(catalogue: Catalogue) -> dict[str, pd.DataFrame]:
    """The same tables, for fixtures that many tests share: to be copied, not changed."""
    return _tables(catalogue)


def _tables(catalogue: Catalogue) -> dict[str, pd.DataFrame]:
    rows: dict[str, list[dict[str, object]]] = {
        "resultats": [
            result("30", 87.4),
            result("01", None),
            result("2A", 12.5, structure="=1+1"),
            result(None, 80.25),
        ],
        "indicateurs": [
            {
                "indicateur": "taux-de-decroche",
                "titre": "Taux de décroché",
                "definition": "Part des appels décrochés, « par un agent »",
                "type_indicateur": "performance",
                "population": "usagers",
                "unite": "%",
                "famille_unite": "taux",
                "sens": "hausse",
                "estimateur": "ratio",
                "mode_annuel": "rapport de sommes",
                "mailles": "departement : rapport de sommes ; national : rapport de sommes",
                "decimales": 1,
                "reseaux": "caf",
            }
        ],
        "reseaux": [
            {
                "reseau": "caf",
                "titre": "Caisses",
                "producteur": "Caisse nationale",
                "description": "Essai, avec virgule",
                "typologie": "caisse",
                "maille_fine": "departement",
                "premiere_annee": 2022,
                "derniere_annee": 2024,
                "licence": "etalab-2.0",
            }
        ],
        "structures": [
            {
                "reseau": "caf",
                "structure_code": "reseau:caf",
                "structure": "Caisses",
                "typologie": "réseau",
                "maille": "national",
            }
        ],
        "territoires": [
            {
                "maille": "national",
                "territoire_code": "FR",
                "territoire": "France",
                "nature": "pays",
                "millesime": date(2026, 1, 1),
                "source": "INSEE",
            }
        ],
        "territoires_actuels": [
            {
                "maille": "national",
                "territoire_code": "FR",
                "territoire": "France",
                "nature": "pays",
                "millesime": date(2026, 1, 1),
                "source": "INSEE",
            }
        ],
        "couverture": [
            {
                "reseau": "caf",
                "annee": 2024,
                "indicateur": "taux-de-decroche",
                "etat": "partiel",
                "motif_absence": "non transmis",
                "exports": "appels",
                "valeurs_publiees": 3,
                "valeurs_absentes": 1,
            }
        ],
        "bases": [],
        "anomalies": [],
        "ecarts": [],
        "corrections": [],
        "calages": [],
        "receptions": [],
        "comparabilite": [],
        "qualite": [],
        "criteres_qualite": [],
        "correlations": [],
    }
    without_version = {
        name: [column for column in catalogue.tables[name].names if column != "version_publication"] for name in rows
    }
    return {name: pd.DataFrame(rows[name], columns=without_version[name]) for name in rows}


@pytest.fixture(scope="session")
def small() -> Catalogue:
    """The catalogue with a dataset of few tables, for tests of many releases: each is read again by frictionless."""
    catalogue = _catalogue()
    dataset = catalogue.datasets[DATASET].model_copy(update={"tables": SMALL})
    return replace(catalogue, datasets=MappingProxyType({DATASET: dataset}))


@pytest.fixture(scope="session")
def small_tables() -> dict[str, pd.DataFrame]:
    """The tables of ``small``: not to be changed in place."""
    return {name: table for name, table in _tables(_catalogue()).items() if name in SMALL}
