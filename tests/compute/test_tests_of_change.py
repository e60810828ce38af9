"""Tests of change and their correction, against scipy and statsmodels on random data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from pipelines.compute.intervals import beyond_one_in_twenty, two_sided
from pipelines.compute.significance import benjamini_hochberg, shared_freedom, two_means, two_proportions

SIZES = st.integers(1, 100_000)
AMOUNTS = st.floats(-1e6, 1e6)
ERRORS = st.floats(1e-3, 1e4)


def _one(*values: float) -> list[np.ndarray]:
    return [np.array([value], dtype=float) for value in values]


@given(n=SIZES, before=SIZES, data=st.data())
def test_two_proportions_are_those_of_statsmodels(n: int, before: int, data: st.DataObject) -> None:
    counts = data.draw(st.integers(0, n)), data.draw(st.integers(0, before))
    (found,) = two_proportions(*_one(counts[0] / n, n, counts[1] / before, before))
    if sum(counts) in (0, n + before):
        assert np.isnan(found), "everybody answered the same both times: nothing varies, nothing is tested"
    else:
        assert found == pytest.approx(proportions_ztest(counts, (n, before))[1], rel=1e-9, abs=1e-12)


@given(p=st.floats(0.01, 0.99), before=st.floats(0.01, 0.99), n=st.floats(1, 1e5), n_before=st.floats(1, 1e5))
def test_effective_sizes_need_not_be_whole(p: float, before: float, n: float, n_before: float) -> None:
    (found,) = two_proportions(*_one(p, n, before, n_before))
    assert found == pytest.approx(proportions_ztest((p * n, before * n_before), (n, n_before))[1], rel=1e-7, abs=1e-12)


@given(value=AMOUNTS, error=ERRORS, before=AMOUNTS, error_before=ERRORS)
def test_two_means_are_those_of_scipy(value: float, error: float, before: float, error_before: float) -> None:
    (found,) = two_means(*_one(value, error, before, error_before))
    expected = 2 * stats.norm.sf(abs(value - before) / np.hypot(error, error_before))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-300)
    (other,) = two_means(*_one(before, error_before, value, error))
    assert other == found, "a test of change looks at both sides"


def test_nothing_is_tested_without_an_error() -> None:
    assert np.isnan(two_means(*_one(80, np.nan, 75, 1))[0])
    assert np.isnan(two_means(*_one(80, 1, np.nan, np.nan))[0])
    assert np.isnan(two_proportions(*_one(0.5, 100, np.nan, np.nan))[0])
    assert len(two_means(*[np.array([])] * 4)) == 0


def test_values_without_error_are_not_tested() -> None:
    assert np.isnan(two_means(*_one(100, 0, 100, 0))[0])
    assert np.isnan(two_means(*_one(100, 0, 99, 0))[0]), "answers all alike say nothing of their error"


@given(value=AMOUNTS, error=ERRORS, before=AMOUNTS, error_before=ERRORS, clusters=st.integers(1, 400))
def test_few_degrees_of_freedom_ask_for_more_than_the_normal_law(value, error, before, error_before, clusters) -> None:
    (found,) = two_means(*_one(value, error, before, error_before, clusters))
    expected = 2 * stats.t.sf(abs(value - before) / np.hypot(error, error_before), clusters)
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-300)
    assert found >= two_means(*_one(value, error, before, error_before))[0] * (1 - 1e-9)


@given(t=st.floats(0, 60), freedom=st.integers(1, 300_000))
def test_the_law_of_student_is_that_of_scipy(t: float, freedom: int) -> None:
    assert two_sided(t, freedom) == pytest.approx(2 * stats.t.sf(t, freedom), rel=1e-7, abs=1e-300)
    assert beyond_one_in_twenty(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)


def test_the_freedom_of_a_change_is_that_of_both_designs() -> None:
    nan = float("nan")
    found = shared_freedom(
        *(np.array(side) for side in ([8.0, nan, 5.0, nan, 0.0, 3.0], [2.0, 7.0, nan, nan, 9.0, 0.0]))
    )
    np.testing.assert_array_equal(found, [10.0, 7.0, 5.0, np.inf, nan, nan])


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=60), missing=st.lists(st.integers(0, 59), max_size=20))
def test_the_correction_is_that_of_statsmodels(p: list[float], missing: list[int]) -> None:
    values = np.array(p)
    values[[at for at in missing if at < len(p)]] = np.nan
    tested = ~np.isnan(values)
    found = benjamini_hochberg(values)
    assert np.isnan(found[~tested]).all(), "what is not tested stays so"
    if tested.any():
        expected = multipletests(values[tested], method="fdr_bh")[1]
        np.testing.assert_allclose(found[tested], expected, rtol=1e-12, atol=1e-15)
        assert (found[tested] >= values[tested]).all()


def test_few_false_discoveries_where_nothing_changed() -> None:
    """2 000 families of 20 comparisons of samples of the same population: a false alarm in 5 % of them, not in 64 %."""
    draw = np.random.default_rng(20240101)
    n = np.full((2000, 20), 400.0)
    p = two_proportions(draw.binomial(400, 0.7, n.shape) / n, n, draw.binomial(400, 0.7, n.shape) / n, n)
    raw = (p <= 0.05).any(axis=1).mean()
    corrected = np.mean([(benjamini_hochberg(family) <= 0.05).any() for family in p])
    assert raw > 0.5
    assert corrected == pytest.approx(0.05, abs=0.02)
