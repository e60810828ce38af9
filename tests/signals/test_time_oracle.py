"""Farrington Flexible and EARS, number for number as R's `surveillance` reckons them (``oracle/time.R``)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.signals import ears, nb_cusum
from pipelines.signals.farrington import Settings, expectation
from pipelines.signals.laws import counts_quantile, normal_quantile

TOLD = json.loads((Path(__file__).parent / "oracle" / "time.json").read_text("utf-8"))
ALPHA = 0.01


def matrix(rows):
    return np.array(rows, dtype=np.float64)


def bounds(law):
    """Return the three bounds that R draws from what is expected (Farrington et al. 1996, Noufaily et al. 2012)."""
    quantile = normal_quantile(1 - ALPHA)
    spread = law.dispersion + (law.error * law.mean) ** 2 / law.mean
    deviation = np.sqrt(4 / 9 * np.cbrt(law.mean) * spread)
    upper = law.mean * np.exp(quantile * law.error)
    return {
        "delta": (np.cbrt(law.mean) ** 2 + quantile * deviation) ** 1.5,
        "nbPlugin": counts_quantile(1 - ALPHA, law.mean, law.dispersion),
        "muan": counts_quantile(1 - ALPHA, upper, law.dispersion),
    }


@pytest.mark.parametrize("name", TOLD["farrington"])
def test_farrington_is_that_of_r(name):
    told = TOLD["farrington"][name]
    past = told["settings"]["past"]
    settings = Settings(**{name: value for name, value in told["settings"].items() if name != "past"})
    observed = matrix(told["observed"])
    population = matrix(told["population"]) if told["population"] else np.ones_like(observed)
    for row, moment in enumerate(range(len(observed) - past, len(observed))):
        found = expectation(observed, population, moment, settings)
        expected = {
            "expected": found.mean,
            "dispersion": found.dispersion,
            "trend": found.trend,
            **bounds(found),
        }
        for column, values in expected.items():
            assert values == pytest.approx(matrix(told[column][row]), rel=1e-6, nan_ok=True), (column, moment)


@pytest.mark.parametrize("name", TOLD["ears"])
def test_ears_is_that_of_r(name):
    told = TOLD["ears"][name]
    observed = matrix(told["observed"])
    for row, moment in enumerate(range(len(observed) - told["past"], len(observed))):
        assert ears.c2_bound(observed, moment, 0.001) == pytest.approx(matrix(told["bounds"]["C2"][row]), rel=1e-6)


@pytest.mark.parametrize("told", TOLD["cusum"], ids=["rares", "frequents"])
def test_the_cumulative_sum_is_that_of_r(told):
    counts, means = matrix(told["counts"])[:, None], matrix(told["mean"])[:, None]
    found = nb_cusum.sums(counts, means, matrix([told["dispersion"]]))
    assert found[:, 0] == pytest.approx(told["sums"], rel=1e-6, abs=1e-9)
