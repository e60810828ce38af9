"""Weights brought to margins: what holds once they are, why they can't be, and what the published figures become."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipelines.compute.calibration import RakingError, rake

MARGIN = {"field": "sexe", "shares": {"F": 52, "H": 48}, "source": "essai", "date": "2024-01-01"}
AGES = {"field": "age", "totals": {"1": 300, "2": 700}, "source": "essai", "date": "2024-01-01"}
FIELDS = {"sexe": "string", "age": "integer", "note": "integer", "poids": "number"}
MEAN = {"estimator": {"name": "mean"}, "year": "pooled", "feed": {"inputs": {"value": "note"}}}
CELLS = pd.DataFrame({"sexe": ["F", "F", "H", "H"], "age": ["1", "2", "1", "2"]})


def _people(*counts: int) -> list[dict[str, Any]]:
    """F1, F2, H1, H2 answers; the note of each group is its rank."""
    groups = [("F", 1), ("F", 2), ("H", 1), ("H", 2)]
    return [
        {"sexe": sex, "age": age, "note": rank, "poids": 1.0, "structure": "B1", "territoire": "30"}
        for rank, ((sex, age), count) in enumerate(zip(groups, counts, strict=True))
        for _ in range(count)
    ]


def _run(labo, levels, rows: Any, *margins: dict[str, Any], weight: str | None = None, **calibration: Any) -> Any:
    export = labo.export(FIELDS, kind="survey", weight=weight,
                         calibration=[{"years": "2024", "margins": list(margins), **calibration}])  # fmt: skip
    return labo.run({**MEAN, "levels": levels("pooled", "national")}, export, rows)


@settings(max_examples=60)
@given(
    weights=st.lists(st.floats(1, 100), min_size=4, max_size=4), women=st.floats(0.1, 0.9), young=st.floats(0.1, 0.9),
    bounds=st.sampled_from([None, (0.01, 100.0)]),
)  # fmt: skip
def test_both_margins_hold(weights: list[float], women: float, young: float, bounds: Any) -> None:
    w = np.array(weights)
    targets = {"sexe": {"F": women, "H": 1 - women}, "age": {"1": young, "2": 1 - young}}
    scaled = w / w.sum()
    try:
        raked = rake(CELLS, scaled, targets, bounds=bounds, iterations=2000)
    except RakingError:
        assume(bounds is not None)  # bounds may be too tight; without them these margins are always possible
        return
    made = scaled * raked.factors
    assert made[:2].sum() == pytest.approx(women, abs=1e-8)
    assert made[[0, 2]].sum() == pytest.approx(young, abs=1e-8)
    assert (raked.factors > 0).all()
    if bounds is None:  # raking keeps the odds ratio of the table: the mark of iterative proportional fitting
        odds = (made[0] * made[3]) / (made[1] * made[2])
        assert odds == pytest.approx((w[0] * w[3]) / (w[1] * w[2]), rel=1e-6)


def test_bounds_hold_and_say_when_they_are_too_tight() -> None:
    weights = np.full(4, 25.0)
    targets = {"sexe": {"F": 60.0, "H": 40.0}, "age": {"1": 60.0, "2": 40.0}}
    free = rake(CELLS, weights, targets)
    assert free.factors.max() > 1.4
    held = rake(CELLS, weights, targets, bounds=(0.55, 1.4))
    assert 0.55 <= held.factors.min() <= held.factors.max() <= 1.4
    with pytest.raises(RakingError, match=r"pas de convergence après 200 itérations .* bornes 0.95 et 1.05"):
        rake(CELLS, weights, targets, bounds=(0.95, 1.05))


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"F": 50.0}, "la catégorie « H » des réponses n'a pas de marge"),
        ({"F": 50.0, "H": 0.0}, "la marge de « H » est nulle, mais il y a des réponses"),
        ({"F": 50.0, "H": 40.0, "X": 10.0}, "aucune réponse de la catégorie « X »"),
    ],
)
def test_impossible_margins_say_why(targets: dict[str, float], message: str) -> None:
    with pytest.raises(RakingError, match=message):
        rake(CELLS, np.full(4, 25.0), {"sexe": targets})


def test_margins_that_contradict_each_other_never_converge() -> None:
    crossed = pd.DataFrame({"sexe": ["F", "H"], "age": ["1", "2"]})  # all women are young: both margins can't hold
    targets = {"sexe": {"F": 30.0, "H": 70.0}, "age": {"1": 60.0, "2": 40.0}}
    with pytest.raises(RakingError, match="pas de convergence après 50 itérations"):
        rake(crossed, np.full(2, 50.0), targets, iterations=50)


@pytest.mark.parametrize("weight", [None, "poids"])
def test_a_calibrated_survey_gives_the_mean_of_its_margins(weight: str | None, labo, levels) -> None:
    made = _run(labo, levels, _people(60, 0, 0, 40), MARGIN, weight=weight)
    line = made.results.iloc[0]
    assert line["valeur"] == pytest.approx(0.52 * 0 + 0.48 * 3)
    assert (line["effectif"], line["effectif_pondere"]) == (100, 100)
    weights = [52 / 60] * 60 + [48 / 40] * 40
    effective = math.fsum(weights) ** 2 / math.fsum(value**2 for value in weights)
    (diagnostics,) = made.calibrations.to_dict("records")
    assert diagnostics["etat"] == "convergé"
    assert diagnostics["effectif_efficace"] == pytest.approx(effective)
    assert diagnostics["effet_de_plan"] == pytest.approx(100 / effective)
    assert (diagnostics["poids_minimal"], diagnostics["poids_maximal"]) == pytest.approx((52 / 60, 1.2))
    assert diagnostics["ecart_maximal"] < 1e-9


def test_totals_give_the_size_of_the_population(labo, levels) -> None:
    made = _run(labo, levels, _people(30, 20, 25, 25), MARGIN, AGES)
    line = made.results.iloc[0]
    assert line["effectif_pondere"] == pytest.approx(1000, abs=1e-3)
    assert made.calibrations.loc[0, "marges"] == "sexe, age"
    assert made.calibrations.loc[0, "sources"] == "sexe : essai (2024-01-01) ; age : essai (2024-01-01)"


def test_medians_use_the_calibrated_weights(labo, levels) -> None:
    export = labo.export(FIELDS, kind="survey", calibration=[{"years": "2024", "margins": [MARGIN]}])
    declared = {**MEAN, "estimator": {"name": "median"}, "levels": levels("pooled", "national")}
    rows = _people(40, 0, 0, 60)  # most answers are of men, most people are women
    assert labo.run(declared, export, rows).results.iloc[0]["valeur"] == 0
    assert labo.run(declared, labo.export(FIELDS, kind="survey"), rows).results.iloc[0]["valeur"] == 3


def test_a_survey_that_cannot_be_calibrated_publishes_nothing_and_says_why(labo, levels) -> None:
    rows = _people(30, 20, 25, 25)
    rows[0]["sexe"] = None
    made = _run(labo, levels, rows, MARGIN)
    assert made.results.empty
    assert made.failures == {"essai": "calage sur sexe : la catégorie « (vide) » des réponses n'a pas de marge"}
    (diagnostics,) = made.calibrations.to_dict("records")
    assert (diagnostics["etat"], diagnostics["motif"]) == ("impossible", made.failures["essai"])


def test_a_year_without_margins_is_left_as_it_is(labo, levels) -> None:
    export = labo.export(FIELDS, kind="survey", calibration=[{"years": "2023", "margins": [MARGIN]}])
    made = labo.run({**MEAN, "levels": levels("pooled", "national")}, export, _people(25, 25, 25, 25))
    assert made.calibrations.empty
    assert pd.isna(made.results.iloc[0]["effectif_pondere"])
