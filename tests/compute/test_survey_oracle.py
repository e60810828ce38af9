"""Designs of few clusters, with and without a declared population, as R's package ``survey`` computes them.

The numbers are those of ``oracles/survey.R`` (``make oracles``); R is needed to make them again, not here.
"""

from __future__ import annotations

import csv
import filecmp
import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracles.rows import write_rows
from scipy import stats

from pipelines.compute.intervals import restricted_variance

HERE = Path(__file__).parent / "oracles"
TOLD = json.loads((HERE / "survey.json").read_text("utf-8"))["designs"]
TEXT = {"type": "string", "constraints": {"required": True}}
FIELDS = {"strate": TEXT, "grappe": TEXT, "seule": TEXT, "poids": "number", "x": "number", "y": "number",
          "note": "integer", "reponse": "string"}  # fmt: skip
TWO_STAGES, ALONE = {"strata": "strate", "clusters": "grappe"}, {"clusters": "seule"}
CLUSTERS_THERE = {"s0": 5, "s1": 8, "s2": 30, "s3": 4}
ROWS_THERE = {"s0": 60, "s1": 100, "s2": 400, "s3": 5000}


def _population(**told: Any) -> dict[str, Any]:
    return {"population": [{"years": "2023-2024", "source": "essai", **told}]}


DESIGNS: dict[str, dict[str, Any]] = {
    "strata+clusters": TWO_STAGES,
    "clusters": ALONE,
    "strata": {"strata": "strate"},
    "strata+clusters, population": {**TWO_STAGES, **_population(strata=CLUSTERS_THERE)},
    "clusters, population": {**ALONE, **_population(total=40)},
    "strata, population": {"strata": "strate", **_population(strata=ROWS_THERE)},
    "population": _population(total=800),
}
DRAWN = {"strata+clusters, population": 12 / 47, "clusters, population": 12 / 40, "strata, population": 180 / 5560,
         "population": 180 / 800}  # fmt: skip
ESTIMATORS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "mean": ({"name": "mean"}, {"value": "x"}),
    "ratio": ({"name": "ratio", "factor": 1}, {"numerator": "x", "denominator": "y"}),
    "share": ({"name": "share", "favourable": ["oui"], "among": ["oui", "non"]}, {"answer": "reponse"}),
    "nps": ({"name": "nps"}, {"rating": "note"}),
}


def _rows() -> list[dict[str, Any]]:
    with (HERE / "survey_rows.csv").open(encoding="utf-8", newline="") as stream:
        return [
            {**row, "poids": float(row["poids"]), "x": float(row["x"]), "y": float(row["y"]), "note": int(row["note"]),
             "seule": f"{row['strate']} {row['grappe']}", "structure": "B1"}
            for row in csv.DictReader(stream)
        ]  # fmt: skip


def _results(labo: Any, levels: Any, name: str, design: dict[str, Any], rows: Any = None) -> Any:
    estimator, inputs = ESTIMATORS[name]
    way = "ratio_of_sums" if name == "ratio" else "pooled"
    declared = {"estimator": estimator, "year": way, "decimals": 6, "feed": {"inputs": inputs},
                "levels": levels(way, "departement", "national")}  # fmt: skip
    export = labo.export(FIELDS, kind="survey", weight="poids", design=design)
    made = labo.run(declared, export, _rows() if rows is None else rows)
    return made if rows is not None else made.results.set_index("territoire_code")


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS.keys())
@pytest.mark.parametrize("name", ESTIMATORS)
def test_values_and_bounds_are_those_of_survey(name: str, design: dict[str, Any], labo, levels) -> None:
    found = _results(labo, levels, name, design)
    expected = TOLD[_named(design)]
    assert set(found.index) == set(expected)
    for place, told in expected.items():
        line, of = found.loc[place], told[name]
        assert line["valeur"] == pytest.approx(of["value"], abs=1e-6)  # results are rounded to six decimals
        assert line["degres_liberte"] == of["freedom"]
        if name == "nps":
            _is_tango(line, of, line["effectif"] / (1 - DRAWN.get(_named(design), 0)))
        elif name in ("mean", "ratio"):
            assert line["erreur_type"] == pytest.approx(of["error"], rel=1e-6)
        if name != "nps":
            bounds = (line["borne_basse"], line["borne_haute"])
            assert bounds == pytest.approx((of["low"], of["high"]), abs=2e-6)


def _named(design: dict[str, Any]) -> str:
    return next(name for name, declared in DESIGNS.items() if declared is design)


def _is_tango(line: Any, told: dict[str, float], most: float) -> None:
    """Both bounds solve Tango's equation on the effective size that survey's error leaves, with Student's quantile."""
    ours = line["erreur_type"] ** 2 * line["effectif_efficace"]  # variance of one answer
    size = min(ours / told["error"] ** 2, most)
    assert line["effectif_efficace"] == pytest.approx(size, rel=1e-6)
    score, spread = line["valeur"] / 100, (ours + line["valeur"] ** 2) / 100**2
    above, below = np.array([(spread + score) / 2]), np.array([(spread - score) / 2])
    for bound in (line["borne_basse"] / 100, line["borne_haute"] / 100):
        variance = float(restricted_variance(np.array([bound]), above, below)[0])
        squared = stats.t.ppf(0.975, told["freedom"]) ** 2
        assert size * (score - bound) ** 2 == pytest.approx(squared * variance, rel=1e-3, abs=1e-6)


def test_few_clusters_widen_intervals_beyond_what_the_normal_law_says(labo, levels) -> None:
    line = _results(labo, levels, "mean", TWO_STAGES).loc["30"]
    assert line["degres_liberte"] <= 8
    assert line["borne_haute"] - line["valeur"] > 1.15 * 1.96 * line["erreur_type"]


def test_one_cluster_leaves_no_degree_of_freedom_and_no_interval(labo, levels) -> None:
    rows = [{**row, "territoire": "30"} for row in _rows() if row["seule"] == "s0 g0"]
    rows += [{**row, "territoire": "75"} for row in _rows() if row["seule"] != "s0 g0"]
    for name in ("mean", "share", "nps", "ratio"):
        found = _results(labo, levels, name, ALONE, rows).results.set_index("territoire_code")
        assert found.loc["30", ["borne_basse", "borne_haute"]].isna().all()
        assert not math.isnan(found.loc["75", "borne_basse"])


def test_a_population_taken_whole_has_no_sampling_error(labo, levels) -> None:
    design = {**TWO_STAGES, **_population(strata={"s0": 3, "s1": 4, "s2": 2, "s3": 3})}
    for name in ESTIMATORS:
        line = _results(labo, levels, name, design).loc["FR"]
        assert line["borne_basse"] == pytest.approx(line["valeur"], abs=1e-6) == line["borne_haute"]


@pytest.mark.parametrize(("strata", "told"), [
    ({"s0": 5, "s1": 8, "s2": 30}, "strate « s3 » : sa population n'est pas déclarée"),
    ({"s0": 5, "s1": 3, "s2": 30, "s3": 9}, "strate « s1 » : 4 unités tirées, la population déclarée en a 3"),
])  # fmt: skip
def test_a_population_that_does_not_suit_the_sample_is_told(strata, told, labo, levels) -> None:
    made = _results(labo, levels, "mean", {**TWO_STAGES, **_population(strata=strata)}, _rows())
    assert told in made.failures["essai"]


def test_the_rows_are_those_that_the_oracle_read(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.csv")
    assert filecmp.cmp(tmp_path / "rows.csv", HERE / "survey_rows.csv", shallow=False)


def test_the_oracle_still_says_so(tmp_path: Path) -> None:
    if shutil.which("Rscript") is None:
        pytest.skip("R n'est pas installé : make oracles refait ces nombres là où il l'est")
    if subprocess.run(
        ["Rscript", "-e", "library(survey); library(jsonlite)"], capture_output=True, check=False
    ).returncode:
        pytest.skip("les paquets survey et jsonlite de R ne sont pas installés")
    for name in ("survey.R", "survey_rows.csv"):
        shutil.copy(HERE / name, tmp_path)
    subprocess.run(["Rscript", "survey.R"], cwd=tmp_path, check=True, capture_output=True)
    again = json.loads((tmp_path / "survey.json").read_text("utf-8"))["designs"]
    for design, places in TOLD.items():
        for place, estimated in places.items():
            for name, told in estimated.items():
                assert again[design][place][name] == pytest.approx(told, rel=1e-9), (design, place, name)
