"""Three networks published twice by the command itself, the second time with one département revised."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path

import pandas as pd
import pytest
from attacker import Attacker, key_of

from pipelines.cli import main
from pipelines.flow.earlier_releases import results_of

PROJECT = Path(__file__).resolve().parents[2]
CASE = PROJECT.parent / "shared" / "cases" / "99-secret-deux-versions"
WIDTH = 5

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not CASE.is_dir(), reason="the shared cases are not here")]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> list[pd.DataFrame]:
    """The results of both releases."""
    folder = tmp_path_factory.mktemp("deux")
    for name in ("tables", "references", "datasets"):
        shutil.copytree(PROJECT / "schemas" / name, folder / "schemas" / name)
    for name in ("networks", "indicators"):
        shutil.copytree(CASE / "schemas" / name, folder / "schemas" / name)
    for number in (1, 2):
        command = ["run", "--exports", str(CASE / f"exports-{number}"), "--output", str(folder / "output")]
        with contextlib.redirect_stdout(io.StringIO()) as told:
            assert main([*command, "--schemas", str(folder / "schemas")]) == 0, told.getvalue()
    releases = sorted(path.parent for path in (folder / "output" / "releases").glob("*/*/datapackage.json"))
    assert len(releases) == 2, "la révision de chaque réseau paraît"
    return [results_of(path) for path in releases]


@pytest.fixture(scope="module")
def regions(catalogue) -> dict[str, str]:
    places = catalogue.territories.of_year(2024).territories
    return {place.code: place.region for place in places if place.level == "departement" and place.region}


def known_to_all(table: pd.DataFrame) -> dict[tuple[str, ...], tuple[float, float]]:
    shown = table[table["statut_confidentialite"].eq("F") & table["effectif"].notna()]
    return {key_of(row): (row["effectif"], row["numerateur"]) for row in shown.to_dict("records")}


@pytest.mark.parametrize("network", ["t1", "t3", "t5"])
def test_no_hidden_base_is_told_by_both_releases(tables, regions, network) -> None:
    first, second = (table[table["reseau"].eq(network)] for table in tables)
    told, again = known_to_all(first), known_to_all(second)
    assert set(map(key_of, first[first["statut_confidentialite"].ne("F")].to_dict("records"))) <= set(
        map(key_of, second[second["statut_confidentialite"].ne("F")].to_dict("records"))
    ), "ce qui était caché le reste"
    for table, other in ((first, again), (second, told)):
        hidden = [key_of(row) for row in table[table["statut_confidentialite"].ne("F")].to_dict("records")]
        attacker = Attacker(table, regions, {key: other[key] for key in hidden if key in other}, "")
        if not attacker.possible:
            continue  # the old figures contradict the new ones: he can't put them together
        for key in hidden:
            low, high = attacker.base(key)
            assert key in other or high - low >= WIDTH, (network, key, low, high)


def national(table: pd.DataFrame, network: str) -> pd.Series:
    rows = table[table["reseau"].eq(network) & table["maille"].eq("national") & table["periode"].eq("2024")]
    return rows.iloc[0]


@pytest.mark.parametrize(("network", "moves"), [("t1", 0), ("t3", -11), ("t5", 0)])
def test_what_few_people_changed_waits_and_stops_nobody(tables, network, moves) -> None:
    """Three answers more, eleven less, two less: the region less its other départements would tell the few."""
    before, after = (national(table, network) for table in tables)
    assert after["effectif"] - before["effectif"] == moves
    assert after["statut_observation"] == ("A" if moves else "P")
