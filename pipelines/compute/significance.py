"""Is the change between two samples more than chance? Two-sided tests, and their correction for how many are made.

Arrays in, p-values out; which values are compared, and together with which, is decided in ``tables.results``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.compute.intervals import Floats, restricted_variance, two_sided

LEVEL = 0.05  # share of false alarms accepted among the changes called significant
SMALLEST = 1e-6  # the least p-value told: beyond, the normal law says nothing sure, and rounding would leave 0
_HALVINGS = 50
_NOISE = 1e-12  # of p(1 - p): one answer of another mind in a thousand billions
_NOISE_OF_MEANS = 5e-10  # of the value: what the rounding of sums leaves in a standard error
_NORMAL = np.array(np.inf)
_two_sided = np.vectorize(lambda z: math.erfc(abs(z) / math.sqrt(2)), otypes=[np.float64])


def changes(
    kinds: NDArray[np.object_], now: Sequence[Floats], before: Sequence[Floats], freedom: Floats = _NORMAL
) -> Floats:
    """Return the p-values of now = before, each (estimate, standard error, effective size), by the test of its kind.

    ``kinds``: ``share`` (0 to 1), ``net`` (-1 to 1), or any other word for a mean; ``freedom``: of a design.
    """
    p, freedom = np.full(len(kinds), np.nan), np.broadcast_to(freedom, len(kinds))
    for kind in np.unique(kinds):
        lines = kinds == kind
        (value, error, size), (then, error_then, size_then) = ([x[lines] for x in side] for side in (now, before))
        if kind == "share":
            p[lines] = two_proportions(value, size, then, size_then, freedom[lines])
        elif kind == "net":
            p[lines] = two_net_scores(value, error, size, then, error_then, size_then, freedom[lines])
        else:
            p[lines] = two_means(value, error, then, error_then, freedom[lines])
    return p


def two_proportions(p: Floats, n: Floats, before: Floats, n_before: Floats, freedom: Floats = _NORMAL) -> Floats:
    """Return the p-values of p = before, two independent proportions (0 to 1) on (effective) sizes n and n_before.

    The z test with the pooled proportion (Fleiss, Levin and Paik, 2003, § 3.1), without continuity correction; by
    Student's law where ``freedom`` is finite. NaN where a size is unknown, and where everybody answered the same both
    times: nothing varies, so that nothing is tested.
    """
    pooled = (p * n + before * n_before) / (n + n_before)
    variance = _beyond_rounding(pooled * (1 - pooled), _NOISE) * (1 / n + 1 / n_before)
    return _p_value(p - before, variance, freedom)


def two_means(value: Floats, error: Floats, before: Floats, error_before: Floats, freedom: Floats = _NORMAL) -> Floats:
    """Return the p-values of value = before, two independent estimates of those standard errors.

    Normal test, or Student's where ``freedom`` is finite. NaN where an error is unknown, or zero both times.
    """
    noise = (_NOISE_OF_MEANS * np.maximum(np.abs(value), np.abs(before))) ** 2
    return _p_value(value - before, _beyond_rounding(error**2 + error_before**2, noise), freedom)


def two_net_scores(
    score: Floats,
    error: Floats,
    n: Floats,
    before: Floats,
    error_before: Floats,
    n_before: Floats,
    freedom: Floats = _NORMAL,
) -> Floats:
    """Return the p-values of score = before: independent net scores (-1 to 1), their standard errors, effective sizes.

    Rao's (1948) score test: the variances are those restricted to one common score, that of greatest likelihood, as in
    the interval of ``intervals.tango``. Without neutral answers it is ``two_proportions``. 1 when both are equal; NaN
    where a size is unknown, or where nothing varies. Student's law where ``freedom`` is finite.
    """
    samples = [_sample(score, error, n), _sample(before, error_before, n_before)]
    low, high = np.minimum(score, before), np.maximum(score, before)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope = sum(
            size * (value - middle) / _positive(restricted_variance(middle, *shares)) for value, size, shares in samples
        )
        low, high = np.where(slope > 0, middle, low), np.where(slope > 0, high, middle)
    common = (low + high) / 2
    variance = [_beyond_rounding(restricted_variance(common, *shares), _NOISE) / size for _, size, shares in samples]
    return _p_value(score - before, variance[0] + variance[1], freedom)


def _sample(score: Floats, error: Floats, n: Floats) -> tuple[Floats, Floats, tuple[Floats, Floats]]:
    """Return the score, the size, and the shares of favourable and of unfavourable answers that its error implies."""
    spread = np.clip(error**2 * n + score**2, np.abs(score), 1.0)
    return score, n, ((spread + score) / 2, (spread - score) / 2)


def _beyond_rounding(variance: Floats, noise: Floats | float) -> Floats:
    """Return the variances, 0 for those that rounding alone leaves where all agree; unknown ones stay unknown."""
    return np.where(variance <= noise, 0.0, variance)


def _positive(variance: Floats) -> Floats:
    return np.maximum(variance, np.finfo(np.float64).tiny)


def shared_freedom(now: Floats, before: Floats) -> Floats:
    """Return the degrees of freedom of a change between two samples: added up, as those of one design with both.

    NaN: a sample without a design, for which the normal law holds; beside one that has a design, it is the latter's.
    NaN too, so that nothing is tested, where a design leaves none.
    """
    few = np.where(np.isnan(now), before, np.where(np.isnan(before), now, now + before))
    none = (now < 1) | (before < 1)
    found: Floats = np.where(none, np.nan, np.where(np.isnan(few), np.inf, few))
    return found


def _p_value(difference: Floats, variance: Floats, freedom: Floats) -> Floats:
    """Return the two-sided p-values; NaN where something is unknown, or where nothing varies."""
    freedom = np.broadcast_to(freedom, np.shape(difference))
    varied = (variance > 0) & ~(np.isnan(difference) | np.isnan(freedom))
    z = np.where(varied, difference / np.sqrt(np.where(varied, variance, 1.0)), 0.0)
    normal: Floats = _two_sided(z) if len(z) else z
    found: Floats = np.where(varied, normal, np.nan)
    few = varied & np.isfinite(freedom)
    found[few] = [two_sided(float(abs(one)), float(many)) for one, many in zip(z[few], freedom[few], strict=True)]
    return found


def benjamini_hochberg(p: Floats, families: NDArray[np.int64] | None = None) -> Floats:
    """Return the p-values corrected, in each family, so that the share of false discoveries is controlled.

    Benjamini and Hochberg (1995): p(i) m / i, from the largest down, never more than 1. Valid for independent tests,
    and for positively dependent ones (Benjamini and Yekutieli, 2001). NaN are no tests: they stay, and don't count.
    ``families``: a number for each p-value, the same within a family (one family when None).
    """
    families = np.zeros(len(p), dtype=np.int64) if families is None else families
    found = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.lexsort((p[tested], families[tested]))]
    starts = np.flatnonzero(np.diff(families[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    ranks = np.arange(len(order)) - np.repeat(starts, sizes) + 1
    scaled = pd.Series(p[order] * (np.repeat(sizes, sizes) / ranks))
    least = scaled[::-1].groupby(families[order][::-1], sort=False).cummin()[::-1]
    found[order] = np.minimum(least.to_numpy(), 1.0)
    return found


def holm(p: Floats) -> Floats:
    """Return the p-values of each row of a matrix corrected for its whole row: no false alarm in it, 19 times in 20.

    Holm (1979): p(i) (m - i + 1), from the smallest up, never less than the one before nor more than 1. Valid whatever
    the dependence of the tests. NaN are no tests: they stay, and don't count.
    """
    order = np.argsort(p, axis=1, kind="stable")  # NaN come last
    tested = (~np.isnan(p)).sum(axis=1, keepdims=True)
    scaled = np.take_along_axis(p, order, axis=1) * np.maximum(tested - np.arange(p.shape[1]), 1)
    found = np.full(p.shape, np.nan)
    np.put_along_axis(found, order, np.minimum(np.maximum.accumulate(scaled, axis=1), 1.0), axis=1)
    return found
