"""The figures that the real exports must give, read in the published CSV as a reuser would."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from fixtures.explained_run import judged
from oracle.second_path.judge import SecondPath
from test_main_job import table

from pipelines.cli.explain_command import open_explainer

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def output(real_run: tuple[Path, str]) -> Path:
    folder, told = real_run
    assert "SYNTHÉTIQUES" not in told
    return folder


@pytest.fixture(scope="module")
def results(output: Path) -> pd.DataFrame:
    found = table(output, "resultats")
    return found.assign(number=pd.to_numeric(found["valeur"]))


def one(results: pd.DataFrame, indicator: str, period: str, level: str = "national") -> pd.DataFrame:
    chosen = (results["indicateur"] == indicator) & (results["periode"] == period) & (results["maille"] == level)
    return results[chosen & (results["valeur"] != "")]


def test_monthly_acts_equal_the_sum_of_their_departements(results):
    assert one(results, "actes-france-services", "2024-04")["number"].tolist() == [971082]
    assert one(results, "actes-france-services", "2024-04", "departement")["number"].sum() == 971082


def test_satisfaction_is_as_declared_never_an_unweighted_mean(results):
    assert one(results, "satisfaction-france-services", "2023-07")["valeur"].tolist() == ["95.17"]
    unweighted = one(results, "satisfaction-france-services", "2023-07", "departement")["number"].mean()
    assert round(unweighted, 2) == 93.52
    series = results[results["indicateur"] == "satisfaction-france-services"]
    assert not (series.loc[series["maille"] != "departement", "valeur"] == "93.52").any()


def test_yearly_series_of_the_barometer(results):
    transparency = [one(results, "taux-transparence", str(year))["number"].item() for year in range(2019, 2023)]
    assert transparency == [27, 36, 45, 79]
    satisfaction = [
        one(results, "satisfaction-services-publics", str(year))["number"].item() for year in range(2017, 2023)
    ]
    assert satisfaction == [72, 71, 74, 76, 73, 71]


def test_labels_and_their_discrepancies(output, results):
    assert one(results, "labels-france-services", "2022-12")["number"].item() == 2538
    gaps = table(output, "ecarts")
    national = gaps[
        (gaps["indicateur"] == "labels-france-services")
        & (gaps["maille"] == "national")
        & (gaps["maille_des_parties"] == "departement")
    ]
    assert len(national) == 17
    assert pd.to_numeric(national["ecart"]).abs().max() == 267


def test_no_university_value_where_the_source_has_none(real, results):
    source = pd.read_csv(
        real / "insertion-master" / "fr-esr-insertion_professionnelle-master.csv",
        sep=";",
        dtype=str,
        keep_default_na=False,
    )
    domains = {"deg": "disc01", "lla": "disc06", "shs": "disc07", "sts": "disc12", "meef": "disc18"}
    words = {"ns": "non significatif", "nd": "non disponible", "": "non renseigné"}
    checked = 0
    for column, prefix in (
        ("taux_dinsertion", "insertion"),
        ("salaire_net_median_des_emplois_a_temps_plein", "salaire"),
    ):
        for name, code in domains.items():
            rows = source[(source["code_de_la_discipline"] == code) & source["situation"].str.startswith("30")]
            published = results[results["indicateur"] == f"{prefix}-master-{name}"]
            values = published.set_index(["annee", "structure_code"])
            for row in rows.itertuples():
                office = "" if row.numero_de_l_etablissement == "UNIV" else row.numero_de_l_etablissement
                found = values.loc[(row.annee, office)]
                cell = getattr(row, column)
                if cell in words:
                    assert (found["valeur"], found["motif_absence"]) == ("", words[cell])
                else:
                    assert found["number"] == float(cell)
                checked += 1
    assert checked > 4000


def test_networks_without_files_are_told_absent(output):
    coverage = table(output, "couverture")
    caf = coverage[coverage["reseau"] == "caf"]
    assert set(caf["etat"]) == {"absent"}
    assert set(caf["motif_absence"]) == {"non transmis"}
    real_networks = coverage[coverage["reseau"].isin(["france-services", "universites", "securite", "barometre"])]
    assert (real_networks["etat"] != "absent").all()


def test_every_published_row_is_found_again_by_a_second_path(output, catalogue, tmp_path):
    explainer = open_explainer(catalogue, output, tmp_path)
    for judge in (explainer, SecondPath(explainer)):
        checked = judged(judge, explainer.release.results)
        wrong = checked[checked["accord"].eq(False)]
        assert wrong.empty, wrong[["reseau", "annee", "indicateur", "periode", "desaccords"]].to_string()
        assert checked["accord"].eq(True).sum() > 10_000
