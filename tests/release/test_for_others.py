"""What is published for others: the historical column names, the schema for schema.data.gouv.fr; declarations kept."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest
from fixtures.made_results import DATASET
from frictionless import Schema, system, validate

from pipelines.declarations import Catalogue
from pipelines.declarations.loading import bundle, unbundle
from pipelines.release.historical import first_day
from pipelines.release.release_folder import make_release

SCHEMAS = Path(__file__).parents[2] / "schemas"
HISTORICAL = [
    "code_sp_du_resultat", "intitule_du_reseau", "typologie", "code_sp_structure", "intitule_de_la_structure",
    "code_sp_de_l_indicateur", "titre_original_de_l_indicateur", "date_de_debut_de_l_evaluation",
    "duree_de_l_evaluation", "frequence", "valeur", "valeur_attendue", "satisfait", "insatisfait",
    "ne_se_prononce_pas", "date_de_mise_a_jour", "actif", "nature_donnees",
]  # fmt: skip
Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def made(small: Catalogue, small_tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_release(DATASET, small, small_tables, tmp_path_factory.mktemp("made"), synthetic=None).folder


def test_the_historical_rendition_says_the_same_under_its_names(made: Path) -> None:
    with (made / "resultats-format-historique.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == HISTORICAL
    assert len({row["code_sp_du_resultat"] for row in rows}) == len(rows) == 4
    row = next(row for row in rows if row["code_sp_structure"] == "30")
    assert row["code_sp_du_resultat"] == "taux-de-decroche_2024_caf_departement_30_"
    assert (row["intitule_du_reseau"], row["typologie"]) == ("Caisses", "caisse")
    assert (row["titre_original_de_l_indicateur"], row["valeur"]) == ("Taux de décroché", "87.4")
    assert (row["date_de_debut_de_l_evaluation"], row["duree_de_l_evaluation"]) == ("2024-01-01", "52")
    assert (row["satisfait"], row["actif"], row["nature_donnees"]) == ("", "Oui", "réelles")
    assert next(row for row in rows if row["code_sp_structure"] == "01")["valeur"] == ""


@pytest.mark.parametrize(
    ("period", "day"),
    [("2024", "2024-01-01"), ("2024-S2", "2024-07-01"), ("2024-T4", "2024-10-01"), ("2024-04", "2024-04-01")],
)
def test_the_first_day_of_a_period(period: str, day: str) -> None:
    assert first_day(period) == day


@pytest.mark.parametrize(("name", "schema"), [("resultats-annuels", "resultats"), ("resultats-format-historique",) * 2])
def test_a_file_is_valid_against_its_schema_alone(made: Path, name: str, schema: str) -> None:
    with system.use_context(trusted=True):  # absolute paths
        report = validate(str(made / f"{name}.csv"), schema=Schema(str(made / f"{schema}.schema.json")))
    assert report.valid, report.to_summary()


def test_the_schema_keeps_its_version_until_it_changes(
    small: Catalogue, small_tables: Tables, made: Path, tmp_path: Path
) -> None:
    releases = tmp_path / "releases"
    shutil.copytree(made.parent, releases / DATASET)

    def version(catalogue: Catalogue, tables: Tables) -> tuple[str, str]:
        release = make_release(DATASET, catalogue, tables, releases, synthetic=None)
        return release.version, json.loads((release.folder / "resultats.schema.json").read_text("utf-8"))["version"]

    other = small_tables | {"reseaux": small_tables["reseaux"].assign(titre="Autres caisses")}
    assert version(small, other) == ("1.0.1", "1.0.0")
    table = small.tables["resultats"]
    columns = (table.columns[0].model_copy(update={"title": "Millésime"}), *table.columns[1:])
    tables = dict(small.tables) | {"resultats": table.model_copy(update={"columns": columns})}
    assert version(replace(small, tables=MappingProxyType(tables)), other) == ("1.0.2", "1.0.2")


def test_declarations_are_bundled_the_same_everywhere_and_come_back(tmp_path: Path) -> None:
    content = bundle(SCHEMAS)
    unbundle(content, tmp_path)
    files = {path.relative_to(SCHEMAS): path.read_bytes() for path in SCHEMAS.rglob("*.yml")}
    assert {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.yml")} == files
    assert bundle(tmp_path) == content
