"""Spearman's coefficient against scipy; its interval against its formula and by simulation; several put together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipelines.tables.correlations import combined, fisher_variance, interval, spearman

PAIRS = st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=3, max_size=60)


@given(pairs=PAIRS)
def test_spearman_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=float).T
    found = spearman(x, y)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert math.isnan(found), "what never varies has no correlation"
        return
    assert found == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)
    assert spearman(np.exp(x / 10), y) == pytest.approx(found, abs=1e-12), "only ranks count"
    assert spearman(-x, y) == pytest.approx(-found, abs=1e-12)


@given(rho=st.floats(-0.99, 0.99), units=st.integers(4, 1000))
def test_the_interval_is_that_of_bonett_and_wright(rho: float, units: int) -> None:
    low, high = interval(rho, fisher_variance(rho, units))
    half = stats.norm.ppf(0.975) * math.sqrt((1 + rho**2 / 2) / (units - 3))
    assert (low, high) == pytest.approx((math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half)))
    assert -1 <= low < rho < high <= 1


@pytest.mark.parametrize(("rho", "units"), [(0.5, 3), (1.0, 30), (-1.0, 30), (math.nan, 30)])
def test_no_interval_where_none_holds(rho: float, units: int) -> None:
    assert all(math.isnan(bound) for bound in interval(rho, fisher_variance(rho, units)))


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """2 000 draws of 40 places from a normal pair of which the true Spearman is 6/π asin(r/2)."""
    draw = np.random.default_rng(20240102)
    truth, held = 6 / math.pi * math.asin(0.6 / 2), 0
    for _ in range(2000):
        x, y = draw.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=40).T
        rho = spearman(x, y)
        low, high = interval(rho, fisher_variance(rho, 40))
        held += low <= truth <= high
    assert held / 2000 == pytest.approx(0.95, abs=0.015)


@given(rhos=st.lists(st.floats(-0.95, 0.95), min_size=1, max_size=8), units=st.integers(4, 50))
def test_together_they_are_between_their_extremes_and_surer(rhos: list[float], units: int) -> None:
    pairs = [(rho, fisher_variance(rho, units + 5 * rank)) for rank, rho in enumerate(rhos)]
    rho, variance = combined(pairs)
    weights = np.array([1 / one for _, one in pairs])
    assert rho == pytest.approx(math.tanh(np.average(np.arctanh(rhos), weights=weights)), abs=1e-9)
    assert min(rhos) - 1e-9 <= rho <= max(rhos) + 1e-9
    assert variance <= min(one for _, one in pairs) * (1 + 1e-12)


def test_what_has_no_variance_is_left_out() -> None:
    usable = (0.4, fisher_variance(0.4, 20))
    assert combined([usable, (0.9, math.nan), (1.0, 0.1)]) == pytest.approx(usable)
    assert all(math.isnan(one) for one in combined([(0.9, math.nan)]))
