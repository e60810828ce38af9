"""Net scores: Tango's interval and the score test, against likelihoods that scipy maximises, Wilson, exact coverage."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import multinomial
from statsmodels.stats.proportion import proportions_ztest

from pipelines.compute.intervals import Z95, tango, wilson
from pipelines.compute.observed_results import estimate
from pipelines.compute.significance import two_net_scores
from pipelines.declarations.estimators import NetSatisfaction, Nps

NPS = Nps(name="nps")
BINARY = NetSatisfaction(name="net_satisfaction", satisfied=("oui",), dissatisfied=("non",))
ANSWERS = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60)).filter(lambda counts: sum(counts) > 0)


def _bounds(promoters: float, detractors: float, n: float) -> tuple[float, float]:
    low, high = tango(*(np.array([item]) for item in ((promoters - detractors) / n, (promoters + detractors) / n, n)))
    return float(low[0]), float(high[0])


def _loglikelihood(counts: tuple[int, int, int], difference: float) -> tuple[float, float]:
    """The likelihood of the counts were the net score ``difference``, at its greatest, and the variance there."""

    def shares(below: float) -> tuple[float, float, float]:
        return below + difference, below, max(1 - 2 * below - difference, 0.0)

    def against(below: float) -> float:
        return -math.fsum(
            count * math.log(max(share, 1e-300)) for count, share in zip(counts, shares(below), strict=True) if count
        )

    ends = max(0.0, -difference), (1 - difference) / 2
    found = minimize_scalar(against, bounds=ends, method="bounded", options={"xatol": 1e-12})
    best = min((*ends, float(found.x)), key=against)
    above, below, _ = shares(best)
    return -against(best), above + below - difference**2


@settings(max_examples=60)
@given(counts=ANSWERS)
def test_a_bound_is_just_accepted_by_the_test_restricted_to_it(counts: tuple[int, int, int]) -> None:
    """The interval inverts the score test, whose variance is found here by maximising the likelihood."""
    promoters, detractors, neutral = counts
    n = promoters + detractors + neutral
    score = (promoters - detractors) / n
    for bound in _bounds(promoters, detractors, n):
        assert -1 <= bound <= 1
        if abs(bound) > 1 - 1e-9:
            assert score == pytest.approx(bound, abs=1e-9), "only a score at the end of the range reaches it"
            continue
        _, variance = _loglikelihood(counts, bound)
        assert n * (score - bound) ** 2 == pytest.approx(Z95**2 * variance, rel=1e-3, abs=1e-6)


@given(counts=ANSWERS)
def test_an_interval_is_never_empty_and_holds_its_score(counts: tuple[int, int, int]) -> None:
    promoters, detractors, _ = counts
    n = sum(counts)
    low, high = _bounds(promoters, detractors, n)
    assert low - 1e-12 <= (promoters - detractors) / n <= high + 1e-12
    assert high - low > 0.5 / n
    mirrored = _bounds(detractors, promoters, n)
    assert mirrored == pytest.approx((-high, -low), abs=1e-9)


@given(yes=st.integers(0, 400), no=st.integers(0, 400), size=st.floats(1, 5000))
def test_without_neutral_answers_it_is_wilson(yes: int, no: int, size: float) -> None:
    share = yes / (yes + no) if yes + no else 0.5
    low, high = (float(bound[0]) for bound in wilson(np.array([share]), np.array([size])))
    found = _bounds(share * size, (1 - share) * size, size)
    assert found == pytest.approx((2 * low - 1, 2 * high - 1), abs=1e-7)


@pytest.mark.parametrize("n", [11, 20, 50, 200])
@pytest.mark.parametrize(
    ("promoters", "detractors"), [(0.5, 0.2), (0.8, 0.1), (0.95, 0.02), (0.97, 0.0), (0.98, 0.02), (0.05, 0.05)]
)
def test_coverage_is_near_95_percent(n: int, promoters: float, detractors: float) -> None:
    """Exact: every sample of n answers, with its probability. The normal interval covers 20 % to 90 % in some cases."""
    above, below = (counts.ravel() for counts in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    possible = above + below <= n
    above, below = above[possible], below[possible]
    low, high = tango((above - below) / n, (above + below) / n, np.full(len(above), float(n)))
    chances = multinomial.pmf(
        np.column_stack([above, below, n - above - below]), n, [promoters, detractors, 1 - promoters - detractors]
    )
    truth = promoters - detractors
    covered = chances[(low <= truth + 1e-12) & (truth - 1e-12 <= high)].sum()
    assert 0.92 <= covered <= 0.999


def _estimated(estimator: Any, values: list[float], weights: list[float], variance: float | None = None) -> pd.Series:
    x, w = np.array(values), np.array(weights)
    sums = pd.DataFrame([{"n": len(x), "sw": w.sum(), "sw2": w @ w, "swx": w @ x, "swx2": w @ (x * x)}])
    known = None if variance is None else np.array([variance])
    return estimate(sums, estimator, weighted=True, variance=known).iloc[0]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([-100.0, 0.0, 100.0]), st.floats(0.1, 5)), min_size=1, max_size=30))
def test_weights_leave_kish_effective_size(pairs: list[tuple[float, float]]) -> None:
    values, weights = [value for value, _ in pairs], [weight for _, weight in pairs]
    total = math.fsum(weights)
    effective = total**2 / math.fsum(weight**2 for weight in weights)
    share = {sign: math.fsum(w for x, w in pairs if x == sign) / total for sign in (-100, 100)}
    found = _estimated(NPS, values, weights)
    low, high = _bounds(share[100] * effective, share[-100] * effective, effective)
    assert found["effectif_efficace"] == pytest.approx(effective)
    assert (found["borne_basse"], found["borne_haute"]) == pytest.approx((100 * low, 100 * high), abs=1e-4)


def test_a_design_leaves_the_size_of_its_effect() -> None:
    values = [100.0] * 30 + [0.0] * 10 + [-100.0] * 20
    spread = np.var(values)
    found = _estimated(NPS, values, [1.0] * 60, variance=2 * spread / 60)
    assert found["effectif_efficace"] == pytest.approx(30), "a design effect of two"
    low, high = _bounds(15, 10, 30)
    assert (found["borne_basse"], found["borne_haute"]) == pytest.approx((100 * low, 100 * high))
    alike = _estimated(NPS, [100.0] * 12, [0.1, 0.7, 1.3] * 4, variance=1e-31)
    assert alike["borne_basse"] < 90, "rounding is no variance"


# Tests of change


def _sample(counts: tuple[int, int, int]) -> list[np.ndarray]:
    above, below, neutral = counts
    n = above + below + neutral
    score = (above - below) / n
    return [np.array([value]) for value in (score, math.sqrt(max((above + below) / n - score**2, 0) / n), float(n))]


@settings(max_examples=40)
@given(now=ANSWERS, before=ANSWERS)
def test_the_common_score_is_of_greatest_likelihood(now: tuple[int, int, int], before: tuple[int, int, int]) -> None:
    """z² is what the two samples lose, in score statistics, to the best common score: searched here on likelihoods."""
    found = float(two_net_scores(*_sample(now), *_sample(before))[0])
    scores = [(counts[0] - counts[1]) / sum(counts) for counts in (now, before)]
    if abs(scores[0] - scores[1]) < 1e-12:
        assert found == 1
        return

    def against(common: float) -> float:
        return -sum(_loglikelihood(counts, common)[0] for counts in (now, before))

    best = minimize_scalar(against, bounds=(min(scores), max(scores)), method="bounded", options={"xatol": 1e-10}).x
    variance = sum(_loglikelihood(counts, best)[1] / sum(counts) for counts in (now, before))
    expected = math.erfc(abs(scores[0] - scores[1]) / math.sqrt(2 * variance))
    assert found == pytest.approx(expected, rel=2e-2, abs=1e-4)
    assert found == pytest.approx(float(two_net_scores(*_sample(before), *_sample(now))[0]), rel=1e-6), "both sides"


@given(yes=st.tuples(st.integers(0, 50), st.integers(0, 50)), no=st.tuples(st.integers(0, 50), st.integers(0, 50)))
def test_without_neutral_answers_it_is_the_test_of_two_proportions(yes: Any, no: Any) -> None:
    sizes = [above + below for above, below in zip(yes, no, strict=True)]
    if 0 in sizes:
        return
    found = float(two_net_scores(*_sample((yes[0], no[0], 0)), *_sample((yes[1], no[1], 0)))[0])
    if sum(yes) in (0, sum(sizes)):
        assert np.isnan(found)
    else:
        assert found == pytest.approx(proportions_ztest(yes, sizes)[1], rel=1e-6, abs=1e-12)


def test_all_alike_is_tested_against_others_alone_and_unknown_is_not() -> None:
    alike, mixed = _sample((12, 0, 0)), _sample((6, 6, 0))
    assert 0 < two_net_scores(*alike, *mixed)[0] < 0.05
    assert np.isnan(two_net_scores(*alike, *alike)[0]), "nothing varies"
    assert 0 < two_net_scores(*alike, *_sample((0, 12, 0)))[0] < 1e-5
    assert np.isnan(two_net_scores(*alike, *[np.array([np.nan])] * 3)[0])


@pytest.mark.parametrize(
    ("shares", "fewest"), [((0.5, 0.2, 0.3), 0.04), ((0.9, 0.05, 0.05), 0.03), ((0.96, 0.0, 0.04), 0.0)]
)  # among answers nearly all alike, a change of two of them is never told: cautious, as for two proportions
def test_false_alarms_are_near_5_percent(shares: tuple[float, float, float], fewest: float) -> None:
    draw = np.random.default_rng(20240101)
    counts = draw.multinomial(40, shares, size=(2, 4000))
    samples = []
    for drawn in counts:
        score = (drawn[:, 0] - drawn[:, 1]) / 40
        error = np.sqrt(np.maximum((drawn[:, 0] + drawn[:, 1]) / 40 - score**2, 0) / 40)
        samples += [score, error, np.full(4000, 40.0)]
    alarms = (two_net_scores(*samples) <= 0.05).mean()
    assert fewest <= alarms <= 0.065
