"""Farrington Flexible and EARS, number for number as R's `surveillance` reckons them (``oracle/time.R``)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.signals import ears, nb_cusum
from pipelines.signals.farrington import Settings, expectation

TOLD = json.loads((Path(__file__).parent / "oracle" / "time.json").read_text("utf-8"))
ALPHA = 0.01


def matrix(rows):
    return np.array(rows, dtype=np.float64)


@pytest.mark.parametrize("name", TOLD["farrington"])
def test_farrington_is_that_of_r(name):
    told = TOLD["farrington"][name]
    past = told["settings"]["past"]
    settings = Settings(**{name: value for name, value in told["settings"].items() if name != "past"})
    observed = matrix(told["observed"])
    population = matrix(told["population"]) if told["population"] else None
    for row, moment in enumerate(range(len(observed) - past, len(observed))):
        found = expectation(observed, population, moment, settings)
        expected = {
            "expected": found.mean,
            "dispersion": found.dispersion,
            "trend": found.trend,
            "delta": found.delta_bound(ALPHA),
            "nbPlugin": found.plug_in_bound(ALPHA),
            "muan": found.muan_bound(ALPHA),
        }
        for column, values in expected.items():
            assert values == pytest.approx(matrix(told[column][row]), rel=1e-6, nan_ok=True), (column, moment)


@pytest.mark.parametrize("name", TOLD["ears"])
def test_ears_is_that_of_r(name):
    told = TOLD["ears"][name]
    observed = matrix(told["observed"])
    bounds = {"C1": ears.c1_bound, "C2": ears.c2_bound, "C3": ears.c3_bound}
    for row, moment in enumerate(range(len(observed) - told["past"], len(observed))):
        for method, bound in bounds.items():
            assert bound(observed, moment) == pytest.approx(matrix(told["bounds"][method][row]), rel=1e-6), method


@pytest.mark.parametrize("told", TOLD["cusum"], ids=["rares", "frequents"])
def test_the_cumulative_sum_is_that_of_r(told):
    counts, means = matrix(told["counts"])[:, None], matrix(told["mean"])[:, None]
    found = nb_cusum.sums(counts, means, matrix([told["dispersion"]]))
    assert found[:, 0] == pytest.approx(told["sums"], rel=1e-6, abs=1e-9)
