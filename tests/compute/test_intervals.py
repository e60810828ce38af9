"""The 95 % intervals: Wilson, normal, effective size; against formulas of another form and published figures."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pipelines.compute.intervals import normal, wilson
from pipelines.compute.observed_results import estimate
from pipelines.declarations.estimators import Estimator

Z = statistics.NormalDist().inv_cdf(0.975)
SHARE = {"name": "share", "favourable": ["oui"], "among": ["oui", "non"]}
PARSE = TypeAdapter(Estimator).validate_python


def _sums(values: list[float], weights: list[float]) -> pd.DataFrame:
    x, w = np.array(values, float), np.array(weights, float)
    sums = {"n": len(x), "sw": w.sum(), "sw2": (w**2).sum(), "swx": (w * x).sum(), "swx2": (w * x**2).sum()}
    return pd.DataFrame([sums])


def _estimated(estimator: dict[str, Any], values: list[float], weights: list[float] | None = None) -> pd.Series:
    return estimate(_sums(values, weights or [1.0] * len(values)), PARSE(estimator)).iloc[0]


def _score_interval(p: float, n: float) -> tuple[float, float]:
    """The two proportions whose normal test just accepts ``p``: roots of (p - q)² = z² q (1 - q) / n."""
    low, high = sorted(np.roots([1 + Z**2 / n, -(2 * p + Z**2 / n), p**2]).real)
    return low, high


@pytest.mark.parametrize(
    ("successes", "answers", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_bounds(successes: int, answers: int, low: float, high: float) -> None:
    """Newcombe (1998), Statistics in Medicine 17, table I, method 3 (score, without continuity correction)."""
    found = wilson(np.array([successes / answers]), np.array([float(answers)]))
    assert found[0][0] == pytest.approx(low, abs=5e-5)
    assert found[1][0] == pytest.approx(high, abs=5e-5)


@given(answers=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilson_solves_its_equation(answers: int, share: float) -> None:
    low, high = wilson(np.array([share]), np.array([float(answers)]))
    expected = _score_interval(share, answers)
    assert low[0] == pytest.approx(expected[0], abs=1e-6)
    assert high[0] == pytest.approx(expected[1], abs=1e-6)
    assert 0 <= low[0] <= share + 1e-12
    assert share - 1e-12 <= high[0] <= 1


@given(st.lists(st.floats(-1000, 1000), min_size=2, max_size=40))
def test_the_interval_of_an_unweighted_mean_is_the_textbook_one(values: list[float]) -> None:
    found = _estimated({"name": "mean"}, values)
    half = Z * statistics.stdev(values) / math.sqrt(len(values))
    assert found["borne_basse"] == pytest.approx(statistics.fmean(values) - half, abs=1e-3)
    assert found["borne_haute"] == pytest.approx(statistics.fmean(values) + half, abs=1e-3)


def test_a_mean_of_one_answer_has_no_interval() -> None:
    found = _estimated({"name": "mean"}, [12.0])
    assert found["valeur"] == 12
    assert math.isnan(found["borne_basse"])
    assert math.isnan(found["borne_haute"])
    low, high = normal(np.array([5.0]), np.array([0.0]), np.array([1.0]))
    assert np.isnan([low[0], high[0]]).all()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([0.0, 100.0]), st.floats(0.1, 5)), min_size=2, max_size=40))
def test_a_weighted_share_stands_on_kish_effective_size(pairs: list[tuple[float, float]]) -> None:
    values, weights = [value for value, _ in pairs], [weight for _, weight in pairs]
    found = _estimated(SHARE, values, weights)
    effective = math.fsum(weights) ** 2 / math.fsum(weight**2 for weight in weights)
    share = math.fsum(weight for value, weight in pairs if value) / math.fsum(weights)
    low, high = _score_interval(share, effective)
    assert found["valeur"] == pytest.approx(100 * share)
    assert found["borne_basse"] == pytest.approx(100 * low, abs=1e-3)
    assert found["borne_haute"] == pytest.approx(100 * high, abs=1e-3)
    assert found["effectif"] == len(pairs), "l'effectif publié reste le nombre de réponses"


def test_a_weighted_mean_stands_on_kish_effective_size() -> None:
    values, weights = [1.0, 4.0, 7.0, 7.0], [1.0, 2.0, 2.0, 1.0]
    effective = 36 / 10
    mean = (1 + 8 + 14 + 7) / 6
    variance = sum(w * (x - mean) ** 2 for x, w in zip(values, weights, strict=True)) / 6
    half = Z * math.sqrt(variance / (effective - 1))
    found = _estimated({"name": "ces", "scale": [1, 7], "best": "high"}, values, weights)
    assert found["valeur"] == pytest.approx(mean)
    assert found["borne_haute"] == pytest.approx(mean + half)


@given(st.floats(0.25, 8))
def test_weights_that_are_all_equal_change_nothing(weight: float) -> None:
    values = [100.0] * 7 + [0.0] * 5
    plain, weighted = _estimated(SHARE, values), _estimated(SHARE, values, [weight] * 12)
    for column in ("valeur", "borne_basse", "borne_haute", "effectif"):
        assert weighted[column] == pytest.approx(plain[column])


def test_unequal_weights_widen_the_interval() -> None:
    values = [100.0, 0.0] * 10
    plain, weighted = _estimated(SHARE, values), _estimated(SHARE, values, [1.0, 1.0, 5.0, 5.0] * 5)
    assert plain["valeur"] == weighted["valeur"] == 50
    assert weighted["borne_basse"] < plain["borne_basse"] < plain["borne_haute"] < weighted["borne_haute"]


RATIO = {"estimator": {"name": "ratio"}, "year": "ratio_of_sums",
         "feed": {"inputs": {"numerator": "x", "denominator": "y"}}}  # fmt: skip
MEDIAN = {"estimator": {"name": "median"}, "year": "pooled", "feed": {"inputs": {"value": "x"}}}
MEAN = {**MEDIAN, "estimator": {"name": "mean"}}
SUM = {**MEDIAN, "estimator": {"name": "sum"}, "year": "sum"}


@pytest.mark.parametrize(
    ("kind", "collection", "bounded"),
    [("operations", None, False), ("operations", "sample", True), ("survey", None, True), ("survey", "census", False)],
)
@pytest.mark.parametrize("declared", [RATIO, MEDIAN, MEAN, SUM], ids=lambda item: item["estimator"]["name"])
def test_only_a_sample_has_intervals_and_a_total_never(
    declared: dict[str, Any], kind: str, collection: str | None, bounded: bool, labo, levels
) -> None:
    export = labo.export({"x": "number", "y": "number"}, kind=kind, collection=collection)
    rows = [{"x": value, "y": 20 + value % 3, "structure": "B1", "territoire": "30"} for value in range(30)]
    line = labo.run({**declared, "levels": levels(_way(declared), "national")}, export, rows).results.iloc[0]
    assert pd.notna(line["valeur"])
    assert pd.notna(line["borne_basse"]) == pd.notna(line["borne_haute"])
    assert pd.notna(line["borne_basse"]) == (bounded and declared is not SUM)


def _way(declared: dict[str, Any]) -> str:
    return "pooled" if declared["year"] == "pooled" else declared["year"]


def test_a_median_stands_between_order_statistics(labo, levels) -> None:
    rows = [{"x": value, "structure": "B1", "territoire": "30"} for value in range(1, 31)]
    declared = {**MEDIAN, "levels": levels("pooled", "national")}
    line = labo.run(declared, labo.export({"x": "number"}, kind="survey"), rows).results.iloc[0]
    # Conover (1999): ranks 10 and 21 of 30 hold the median with 95.7 %
    assert (line["borne_basse"], line["valeur"], line["borne_haute"]) == (10, 15.5, 21)


def test_bounds_are_clipped_to_the_range_and_rounded(labo, levels) -> None:
    declared = {"estimator": {"name": "ces", "scale": [1, 7], "best": "high"}, "year": "pooled", "decimals": 1,
                "range": [1, 7], "levels": levels("pooled", "national"),
                "feed": {"inputs": {"rating": "x"}}}  # fmt: skip
    rows = [{"x": value, "structure": "B1", "territoire": "30"} for value in [7, 7, 1]]
    export = labo.export({"x": "integer"}, collection="sample")
    line = labo.run(declared, export, rows).results.iloc[0]
    assert (line["valeur"], line["borne_basse"], line["borne_haute"]) == (5.0, 1.1, 7.0)
    wide = labo.run({**declared, "range": None}, export, rows).results.iloc[0]
    assert (wide["borne_basse"], wide["borne_haute"]) == (1.1, 8.9)


def test_the_value_itself_is_never_clipped(labo, levels) -> None:
    declared = {"estimator": {"name": "ratio"}, "year": "ratio_of_sums", "range": [0, 100],
                "levels": levels("ratio_of_sums", "national"),
                "feed": {"inputs": {"numerator": "a", "denominator": "b"}}}  # fmt: skip
    rows = [{"a": 30, "b": 20, "structure": "B1", "territoire": "30"}]
    line = labo.run(declared, labo.export({"a": "integer", "b": "integer"}), rows).results.iloc[0]
    assert line["valeur"] == 150, "une valeur hors plage est signalée, pas maquillée"
