"""Intervals, designs and raking on random data, against other packages: scipy, statsmodels, svy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import svy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from pipelines.compute.calibration import rake
from pipelines.compute.intervals import Z95, binomial_ranks, linearised_variance, wilson

PLACES = ["30", "34", "75", "2A"]
SHARE = {"name": "share", "favourable": ["oui"], "among": ["oui", "non"]}
CODES = {"oui": 100.0, "non": 0.0}
FIELDS = {"reponse": "string", "x": "number", "y": "number", "poids": "number",
          "strate": {"type": "string", "constraints": {"required": True}},
          "grappe": {"type": "string", "constraints": {"required": True}}}  # fmt: skip


@given(answers=st.integers(1, 100_000), share=st.floats(0, 1))
def test_wilson_is_the_one_of_statsmodels(answers: int, share: float) -> None:
    successes = round(share * answers)
    low, high = wilson(np.array([successes / answers]), np.array([float(answers)]))
    expected = proportion_confint(successes, answers, alpha=0.05, method="wilson")
    assert (low[0], high[0]) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=200)
@given(n=st.one_of(st.integers(1, 300), st.integers(300, 2_000_000)), order=st.floats(0.01, 0.99))
def test_ranks_are_those_of_the_binomial_law_of_scipy(n: int, order: float) -> None:
    low, high = (int(stats.binom.ppf(chance, n, order)) for chance in (0.025, 0.975))
    expected = (low, high + 1) if low >= 1 and high + 1 <= n else None
    assert binomial_ranks(n, order) == expected
    if expected:
        assert stats.binom.cdf(high, n, order) - stats.binom.cdf(low - 1, n, order) >= 0.95


def _rows(seed: int, size: int = 400) -> list[dict[str, Any]]:
    """A stratified sample of clusters whose answers are alike, over four départements."""
    random = np.random.default_rng(seed)
    effects = random.normal(0, 8, (4, 6))
    strata, clusters = random.integers(0, 4, size), random.integers(0, 6, size)
    x = 50 + effects[strata, clusters] + random.normal(0, 10, size)
    return [
        {"strate": f"s{strata[i]}", "grappe": f"g{clusters[i]}", "poids": float(random.uniform(0.5, 3)),
         "x": float(x[i]), "y": float(random.uniform(1, 5)), "reponse": "oui" if x[i] > 48 else "non",
         "territoire": PLACES[int(random.integers(0, 4))], "structure": "B1"}
        for i in range(size)
    ]  # fmt: skip


def _results(labo, levels, estimator: dict[str, Any], inputs: dict[str, str], rows: Any, **export: Any) -> pd.DataFrame:
    way = "ratio_of_sums" if estimator["name"] == "ratio" else "pooled"
    declared = {"estimator": estimator, "year": way, "decimals": 6, "feed": {"inputs": inputs},
                "levels": levels(way, "departement", "national")}  # fmt: skip
    made = labo.run(declared, labo.export(FIELDS, kind="survey", **export), rows)
    assert not made.failures
    return made.results.set_index("territoire_code")


DESIGNS = [
    {"strata": "strate", "clusters": "grappe"},
    {"clusters": "grappe"},
    {"strata": "strate"},
]
ESTIMATES = [
    ({"name": "mean"}, {"value": "x"}, lambda sample, **by: sample.estimation.mean("x", **by)),
    ({"name": "ratio", "factor": 1}, {"numerator": "x", "denominator": "y"},
     lambda sample, **by: sample.estimation.ratio("x", "y", **by)),
]  # fmt: skip


def _student(rows: list[dict[str, Any]], place: str, design: dict[str, str]) -> float:
    """The quantile of Student's law on the clusters less the strata that have rows in the place."""
    here = [row for row in rows if place in ("FR", row["territoire"])]
    strata = {row["strate"] if "strata" in design else "" for row in here}
    clusters = len({(row["strate"], row["grappe"]) for row in here}) if "clusters" in design else len(here)
    return float(stats.t.ppf(0.975, clusters - len(strata)))


def _by_svy(rows: list[dict[str, Any]], design: dict[str, str], estimated: Any) -> dict[str, tuple[float, float]]:
    """Estimate and standard error of svy, for France and for each département (a domain)."""
    frame = pl.DataFrame(rows).with_columns(pl.when(pl.col("reponse") == "oui").then(100.0).otherwise(0.0).alias("z"))
    declared = svy.Design(stratum=design.get("strata"), psu=design.get("clusters"), wgt="poids")
    sample = svy.Sample(frame, declared)
    (whole,) = estimated(sample).to_dicts()
    parts = estimated(sample, by="territoire").to_dicts()
    return {"FR": (whole["est"], whole["se"])} | {line["by_level"][0]: (line["est"], line["se"]) for line in parts}


@pytest.mark.parametrize("design", DESIGNS, ids="+".join)
@pytest.mark.parametrize(("estimator", "inputs", "estimated"), ESTIMATES, ids=["mean", "ratio"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_variance_of_a_design_is_that_of_svy(
    seed: int, design: dict[str, str], estimator: Any, inputs: Any, estimated: Any, labo, levels
) -> None:
    rows = _rows(seed)
    if "strata" not in design:
        rows = [{**row, "grappe": row["strate"] + row["grappe"]} for row in rows]
    found = _results(labo, levels, estimator, inputs, rows, weight="poids", design=design)
    for place, (value, error) in _by_svy(rows, design, estimated).items():
        line = found.loc[place]
        assert line["valeur"] == pytest.approx(value, abs=1e-6)  # results are rounded to six decimals
        student = _student(rows, place, design)
        assert line["borne_haute"] - line["borne_basse"] == pytest.approx(2 * student * error, abs=2e-6)


@pytest.mark.parametrize("design", DESIGNS, ids="+".join)
@pytest.mark.parametrize("seed", [21, 22])
def test_the_linearised_variance_is_that_of_svy_to_the_ninth_decimal(seed: int, design: dict[str, str]) -> None:
    rows = pd.DataFrame(_rows(seed))
    if "strata" not in design:
        rows["grappe"], rows["strate"] = rows["strate"] + rows["grappe"], ""
    a, b = rows["poids"] * rows["x"], rows["poids"] * rows["y"]
    parts = rows.assign(_unit=0, _strate=rows["strate"], _grappe=rows["grappe"], a=a, b=b, aa=a * a, ab=a * b, bb=b * b)
    clustered = "clusters" in design
    counted = rows.groupby("strate")["grappe"]
    sizes = counted.nunique() if clustered else counted.size()
    strata = pd.DataFrame({"taille": sizes, "population": np.nan})
    found = linearised_variance(parts, strata, clustered, "none")[0]
    _, error = _by_svy(rows.to_dict("records"), design, ESTIMATES[1][2])["FR"]
    assert found == pytest.approx(error**2, rel=1e-9)


def _lonely(single: str, labo, levels) -> pd.Series:
    """A mean over two strata, the second of a single cluster."""
    rows = [
        {"x": float(x), "strate": stratum, "grappe": cluster, "territoire": "30", "structure": "B1"}
        for stratum, cluster, values in (("a", "1", range(10)), ("a", "2", range(5, 15)), ("b", "3", range(20, 30)))
        for x in values
    ]
    design = {"strata": "strate", "clusters": "grappe", "single": single}
    return _results(labo, levels, {"name": "mean"}, {"value": "x"}, rows, design=design).loc["FR"]


def test_a_stratum_of_one_cluster_is_ruled_by_declaration(labo, levels) -> None:
    none, certain, centred = (_lonely(single, labo, levels) for single in ("none", "certainty", "centred"))
    assert none[["borne_basse", "borne_haute"]].isna().all()
    assert none["valeur"] == pytest.approx(certain["valeur"])
    totals = [(10 * (mean - none["valeur"])) / 30 for mean in (4.5, 9.5, 24.5)]
    within = 2 * sum((total - (totals[0] + totals[1]) / 2) ** 2 for total in totals[:2])
    student = float(stats.t.ppf(0.975, 3 - 2))  # three clusters less two strata
    half = [student * math.sqrt(variance) for variance in (within, within + totals[2] ** 2)]
    assert certain["borne_haute"] - certain["valeur"] == pytest.approx(half[0], abs=1e-5)
    assert centred["borne_haute"] - centred["valeur"] == pytest.approx(half[1], abs=1e-5)


def test_a_share_stands_on_the_size_that_the_design_effect_leaves(labo, levels) -> None:
    rows, design = _rows(7), DESIGNS[0]
    found = _results(labo, levels, SHARE, {"answer": "reponse"}, rows, weight="poids", design=design)
    for place, (value, error) in _by_svy(rows, design, lambda s, **by: s.estimation.mean("z", **by)).items():
        answers = len(rows) if place == "FR" else sum(row["territoire"] == place for row in rows)
        size = min(value * (100 - value) / error**2, answers)
        alpha = 2 * stats.norm.sf(_student(rows, place, design))  # Wilson's interval, by Student's quantile
        low, high = proportion_confint(value / 100 * size, size, alpha=alpha, method="wilson")
        assert found.loc[place, "valeur"] == pytest.approx(value, abs=1e-6)
        assert found.loc[place, "borne_basse"] == pytest.approx(100 * low, abs=1e-6)
        assert found.loc[place, "borne_haute"] == pytest.approx(100 * high, abs=1e-6)


@pytest.mark.parametrize("seed", [4, 5])
def test_a_sampled_ratio_has_the_linearised_interval_of_svy(seed: int, labo, levels) -> None:
    rows = _rows(seed)
    estimator, inputs, estimated = ESTIMATES[1]
    found = _results(labo, levels, estimator, inputs, rows, weight="poids").loc["FR"]
    (line,) = estimated(svy.Sample(pl.DataFrame(rows), svy.Design(wgt="poids"))).to_dicts()
    assert found["borne_haute"] - found["valeur"] == pytest.approx(Z95 * line["se"], abs=1e-6)


def test_an_unweighted_mean_has_the_interval_of_statsmodels(labo, levels) -> None:
    rows = _rows(8)
    found = _results(labo, levels, {"name": "mean"}, {"value": "x"}, rows).loc["FR"]
    low, high = DescrStatsW([row["x"] for row in rows]).zconfint_mean()
    assert (found["borne_basse"], found["borne_haute"]) == pytest.approx((low, high), abs=1e-6)


@settings(max_examples=15)
@given(values=st.lists(st.integers(0, 40), min_size=11, max_size=120), order=st.sampled_from([0.1, 0.25, 0.5, 0.9]))
def test_quantiles_and_their_ranks_are_those_of_numpy_and_scipy(values: list[int], order: float, labo, levels) -> None:
    rows = [{"x": value, "structure": "B1", "territoire": "30"} for value in values]
    found = _results(labo, levels, {"name": "quantile", "order": order}, {"value": "x"}, rows).loc["FR"]
    assert found["valeur"] == pytest.approx(np.quantile(values, order, method="averaged_inverted_cdf"))
    low, high = (int(stats.binom.ppf(chance, len(values), order)) for chance in (0.025, 0.975))
    if low >= 1 and high + 1 <= len(values):
        assert (found["borne_basse"], found["borne_haute"]) == (sorted(values)[low - 1], sorted(values)[high])
    else:
        assert found[["borne_basse", "borne_haute"]].isna().all()


@pytest.mark.parametrize("designed", [False, True])
def test_a_weighted_median_has_the_bounds_of_woodruff(designed: bool, labo, levels) -> None:
    rows = _rows(9)
    export = {"weight": "poids"} | ({"design": DESIGNS[0]} if designed else {})
    found = _results(labo, levels, {"name": "median"}, {"value": "x"}, rows, **export).loc["FR"]
    x, w = (np.array([row[name] for row in rows]) for name in ("x", "poids"))
    assert found["valeur"] == pytest.approx(np.quantile(x, 0.5, weights=w, method="inverted_cdf"), abs=1e-6)
    error, z = 0.5 * math.sqrt((w**2).sum()) / w.sum(), Z95
    if designed:
        under = pl.DataFrame(rows).with_columns((pl.col("x") <= found["valeur"] + 1e-6).cast(pl.Float64).alias("sous"))
        sample = svy.Sample(under, svy.Design(stratum="strate", psu="grappe", wgt="poids"))
        error, z = sample.estimation.mean("sous").to_dicts()[0]["se"], _student(rows, "FR", DESIGNS[0])
    bounds = np.quantile(x, [0.5 - z * error, 0.5 + z * error], weights=w, method="inverted_cdf")
    assert (found["borne_basse"], found["borne_haute"]) == pytest.approx(tuple(bounds), abs=1e-6)


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_raked_weights_are_those_of_svy(seed: int) -> None:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "sexe": random.choice(["F", "H"], 600, p=[0.65, 0.35]),
        "age": random.choice(["18-34", "35-64", "65+"], 600, p=[0.2, 0.4, 0.4]),
        "poids": random.uniform(0.5, 2, 600),
    })  # fmt: skip
    targets = {"sexe": {"F": 5200.0, "H": 4800.0}, "age": {"18-34": 2600.0, "35-64": 4900.0, "65+": 2500.0}}
    cells = frame.groupby(["sexe", "age"])["poids"].sum().reset_index()
    raked = rake(cells[["sexe", "age"]], cells["poids"].to_numpy(), targets, tolerance=1e-13)
    factor = dict(zip(zip(cells["sexe"], cells["age"], strict=True), raked.factors, strict=True))
    ours = frame["poids"] * [factor[pair] for pair in zip(frame["sexe"], frame["age"], strict=True)]
    sample = svy.Sample(pl.from_pandas(frame.astype(object).astype({"poids": float})), svy.Design(wgt="poids"))
    theirs = sample.weighting.rake(controls=targets, tol=1e-13, max_iter=500).data["rk_wgt"].to_numpy()
    assert ours.to_numpy() == pytest.approx(theirs, rel=1e-9)
