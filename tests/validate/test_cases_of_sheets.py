"""Situations of sheets and codes met in the field, as their producers would try them; where their folder is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.cli import main

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the folder of cases is not here")
MINI, MINI6 = "mini", "mini6"


def report(capsys, case, file, schemas, export, year=None):
    """The report of the command on a file of a case."""
    (folder,) = CASES.glob(f"{case}-*")
    asked = ["--year", str(year)] if year else []
    schemas = [] if schemas is None else ["--schemas", str(CASES / "_schemas" / schemas)]
    network = "caf" if export == "enquete" else "essais"
    code = main(["validate", str(folder / file), *schemas, "--network", network, "--export", export, *asked, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("case", "file", "schemas", "export", "rules"),
    [
        ("02", "valeurs-2024.xlsx", MINI, "valeurs", {"formule-sans-valeur"}),
        ("75", "valeurs-2024.xlsx", MINI, "valeurs", {"code-abime"}),
        ("77", "valeurs-2024.xlsx", MINI, "valeurs", {"caractere-interdit", "code-plusieurs-ecritures"}),
        ("79", "jours-2024.xlsx", MINI, "jours", {"cellule-fusionnee"}),
        ("34", "jours-2024.xlsx", MINI, "jours", {"type-error"}),
    ],
)
def test_refused_and_told(capsys, case, file, schemas, export, rules):
    code, found = report(capsys, case, file, schemas, export)
    assert code == 1
    assert rules <= set(found["regles"])


@pytest.mark.parametrize(
    ("case", "file", "schemas", "export", "rows"),
    [
        ("01", "valeurs-2024.xlsx", MINI, "valeurs", 4),
        ("04", "valeurs-2024.xlsx", MINI, "valeurs", 4),
        ("30", "pq-2024.parquet", MINI6, "pq", 1),
        ("30", "pq-2023.xlsx", MINI6, "pq", 1),
        ("32", "jours-2024.xlsx", MINI, "jours", 2),
        ("78", "valeurs-2024.xlsx", MINI, "valeurs", None),
        ("81", "valeurs-2024.xlsx", MINI, "valeurs", None),
        ("82", "valeurs-2024.xlsx", MINI, "valeurs", None),
        ("83", "valeurs-2024.xlsx", MINI, "valeurs", None),
    ],
)
def test_accepted(capsys, case, file, schemas, export, rows):
    code, found = report(capsys, case, file, schemas, export)
    assert (code, found["etat"], found["lignes_refusees"]) == (0, "accepté", 0)
    assert rows in (None, found["lignes_acceptees"])


def test_percentages_are_told_and_the_sheet_that_is_read_said(capsys):
    _, found = report(capsys, "01", "valeurs-2024.xlsx", MINI, "valeurs")
    assert set(found["regles"]) == {"pourcentage"}
    _, found = report(capsys, "04", "valeurs-2024.xlsx", MINI, "valeurs")
    assert found["fichiers"][0]["feuille"] == "Données"
    assert set(found["regles"]) == {"feuille-lue"}


def test_native_dates_are_judged_by_their_day(capsys):
    _, found = report(capsys, "30", "jours-2024.xlsx", MINI, "jours", 2023)
    assert found["regles"] == {"hors-periode": 3, "type-error": 5}


def test_a_sheet_of_an_ods_and_codes_of_places(capsys):
    _, found = report(capsys, "40", "valeurs-2024.ods", MINI, "tableur")
    assert {"pourcentage", "lignes-masquees"} <= set(found["regles"])
    _, found = report(capsys, "86", "enquete-2024.csv", None, "enquete")
    assert found["regles"]["territoire-inconnu"] >= 4
