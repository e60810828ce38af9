"""Variances, and bounds at 95 % from a value and what it rests on. Plain numpy and pandas, no data.

Intervals: Wilson, Tango, normal, ranks of order statistics; which estimator has which is in ``observed_results``.
Student's law is made of the regularised incomplete beta function (Abramowitz and Stegun, 1964, 26.7.1 and 26.5.8, as a
continued fraction); the tests compare with scipy, which is no dependency of what runs.

Variance under a declared sampling design: ultimate clusters, drawn with replacement in each stratum (Hansen, Hurwitz
and Madow, 1953; Särndal, Swensson and Wretman, 1992, § 5.6 for the linearisation): V = Σ_h n_h/(n_h-1) Σ_c (z_hc -
z̄_h)², where z_hc adds up (a - R b) / B over the cluster's rows of the domain. A published unit is a domain: clusters
that have no row in it count, with zero. Where the population of a stratum is declared, its part is multiplied by 1 -
n_h/N_h (Cochran, 1977, § 5.6), as R's ``survey`` does. Checked against that package: ``tests/compute/oracles``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TINY, _PRECISION, _MOST = 1e-300, 1e-15, 10_000
_STUDENT_HALVINGS = 60


def two_sided(t: float, freedom: float) -> float:
    """Return the chance that a Student's ratio of that many degrees of freedom is further from 0 than ``t``."""
    inside, outside = freedom / (freedom + t * t), t * t / (freedom + t * t)
    a, b = freedom / 2, 0.5
    if outside == 0 or inside == 0:
        return 1.0 if outside == 0 else 0.0
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(inside) + b * math.log(outside)
    if inside < (a + 1) / (a + b + 2):
        return math.exp(logarithm) * _fraction(a, b, inside) / a
    return 1 - math.exp(logarithm) * _fraction(b, a, outside) / b


@lru_cache(maxsize=4096)
def beyond_one_in_twenty(freedom: float) -> float:
    """Return the value that a ratio of that many degrees of freedom (one at least) exceeds one time in twenty."""
    low, high = 1.9, 12.8  # from the normal law's to that of one degree
    for _ in range(_STUDENT_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > 0.05 else (low, middle)
    return (low + high) / 2


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _MOST):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / _away(1 + step * d), _away(1 + step / c)
            found *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return found


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


Z95 = 1.959963984540054
_HALVINGS = 50  # of an interval of two at most: as near as doubles go


def critical(freedom: Floats) -> Floats:
    """Return what Student's law of that many degrees of freedom exceeds with 2.5 % chance (the normal one: infinity).

    NaN under one degree of freedom: so few clusters say nothing of their dispersion (Korn and Graubard, 1999, § 5.2).
    """
    value: Floats = np.where(np.isposinf(freedom), Z95, np.nan)
    few = np.isfinite(freedom) & (freedom >= 1)
    value[few] = [beyond_one_in_twenty(float(one)) for one in freedom[few]]
    return value


def wilson(p: Floats, n: Floats, z: Floats | float = Z95) -> tuple[Floats, Floats]:
    """Return the 95 % Wilson (1927) bounds of proportions ``p`` (0 to 1) observed on ``n`` (effective) answers.

    ``z``: the critical value, Student's where a design leaves few degrees of freedom (``critical``).
    """
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(np.maximum(p * (1 - p), 0.0) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def restricted_variance(difference: Floats, favourable: Floats, unfavourable: Floats) -> Floats:
    """Return the variance of one answer worth 1, 0 or -1, were the net score ``difference`` (between -1 and 1).

    Shares of 1 and of -1 are those of greatest likelihood under that difference, given the shares observed: the
    greater root of 2q² + Bq - unfavourable x difference x (1 - difference) = 0 (Tango, 1998, § 3).
    """
    b = (2 - favourable + unfavourable) * difference - favourable - unfavourable
    c = unfavourable * difference * (1 - difference)  # the constant of the equation, with its sign changed
    root = np.sqrt(np.maximum(b * b + 8 * c, 0.0))
    rising = root + b  # of the two ways to write the root, the one that subtracts no near-equals
    below = np.where(b < 0, (root - b) / 4, 2 * c / np.where((b < 0) | (rising == 0), 1.0, rising))
    return np.maximum(2 * below + difference * (1 - difference), 0.0)


def tango(difference: Floats, spread: Floats, n: Floats, z: Floats | float = Z95) -> tuple[Floats, Floats]:
    """Return the 95 % bounds of net scores (-1 to 1) on ``n`` (effective) answers; ``spread``: share of not neutral.

    The score interval of Tango (1998), Statistics in Medicine 17: the differences d for which n (score - d)² is at
    most z² times their restricted variance. Within the range, never of zero width; without neutral answers, it is
    Wilson's. NaN where ``n`` or ``z``, the critical value, is unknown.
    """
    favourable, unfavourable = (spread + difference) / 2, np.maximum((spread - difference) / 2, 0.0)
    known = ~(np.isnan(n) | np.isnan(z))

    def bound(end: float) -> Floats:
        outside, inside = np.full_like(difference, end), difference.copy()
        for _ in range(_HALVINGS):
            middle = (outside + inside) / 2
            refused = n * (difference - middle) ** 2 > z**2 * restricted_variance(middle, favourable, unfavourable)
            outside, inside = np.where(refused, middle, outside), np.where(refused, inside, middle)
        return np.where(known, (outside + inside) / 2, np.nan)

    return bound(-1.0), bound(1.0)


def normal(mean: Floats, variance: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return the 95 % normal bounds of means whose values have that (population) variance; none under two answers."""
    known = n > 1
    corrected = variance / np.where(known, n - 1, 1.0)
    return around(mean, np.where(known, corrected, np.nan))


def around(value: Floats, variance: Floats, z: Floats | float = Z95) -> tuple[Floats, Floats]:
    """Return the 95 % bounds of values whose sampling variance is known, by ``z``, the critical value; else none."""
    half = z * np.sqrt(variance)
    return value - half, value + half


def kish(sw: Floats, sw2: Floats) -> Floats:
    """Return Kish's (1965, § 11.7) effective size (Σw)²/Σw²; 1 where there is no weight, to divide by."""
    return np.asarray(np.where(sw2 > 0, sw, 1.0) ** 2 / np.where(sw2 > 0, sw2, 1.0))


@lru_cache(maxsize=4096)
def binomial_ranks(n: int, order: float) -> tuple[int, int] | None:
    """Return the ranks (from 1) of the two observations that hold the quantile ``order`` with at least 95 % chance.

    Conover (1999, § 3.2): with B ~ Binomial(n, order), the lowest ranks l and u with P(B < l) <= 2.5 % <= P(B <= l)
    and P(B < u) >= 97.5 %. None when n is too small for such ranks to exist.
    """
    if n < 1:
        return None
    mean, spread = n * order, 12 * math.sqrt(n * order * (1 - order)) + 30  # beyond 12 σ nothing counts in a double
    first, last = max(0, math.floor(mean - spread)), min(n, math.ceil(mean + spread))
    k = np.arange(first, last + 1, dtype=np.float64)
    steps = np.log((n - k[:-1]) / k[1:]) + math.log(order / (1 - order))
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    cumulated = np.cumsum(np.exp(logs - logs.max()))
    cumulated /= cumulated[-1]
    low = first + int(np.searchsorted(cumulated, 0.025))
    high = first + int(np.searchsorted(cumulated, 0.975)) + 1
    return (low, high) if low >= 1 and high <= n else None


ROUNDING = 1e-12  # of a sum of squares: what their difference may be from rounding alone, where all rows agree


def linearised_variance(
    parts: pd.DataFrame, strata: pd.DataFrame, clustered: bool, single: Literal["none", "certainty", "centred"]
) -> pd.Series[float]:
    """Return the variance of R = Σa/Σb, for each ``_unit`` of ``parts``.

    ``parts``: ``_unit``, ``_strate``, ``_grappe``, and the sums a, b, aa = Σa², ab, bb over rows of the stratum (and
    cluster) in the unit. ``strata``, by ``_strate``: ``taille``, the clusters (without clusters: rows) that the whole
    sample has there, and ``population``, how many there are to draw from (NaN: not declared). ``single``: see
    ``declarations.sampling.Design``; NaN where it gives no variance.
    """
    keys = ["_unit", "_strate", *(["_grappe"] if clustered else [])]
    sums = parts.groupby(keys, dropna=False, sort=True)[["a", "b", "aa", "ab", "bb"]].sum().reset_index()
    totals = sums.groupby("_unit")[["a", "b"]].sum()
    below = totals["b"].where(totals["b"] > 0)
    ratio = sums["_unit"].map(totals["a"] / below)
    part_total = sums["a"] - ratio * sums["b"]
    squared = part_total**2
    if not clustered:
        squared = sums["aa"] - 2 * ratio * sums["ab"] + ratio**2 * sums["bb"]
        squared = squared.mask(squared < ROUNDING * (sums["aa"] + ratio**2 * sums["bb"]), 0.0)
    strata_of_units = sums.assign(z=part_total, zz=squared).groupby(["_unit", "_strate"], dropna=False)[["z", "zz"]]
    by_stratum = strata_of_units.sum(min_count=1).reset_index()
    n, population = (by_stratum["_strate"].map(strata[name]).to_numpy(float) for name in ("taille", "population"))
    z, zz = by_stratum["z"].to_numpy(float), by_stratum["zz"].to_numpy(float)
    several = n > 1
    added = n / np.where(several, n - 1, 1) * np.maximum(zz - z**2 / n, 0.0)
    alone = {"none": np.full(len(z), np.nan), "certainty": np.zeros(len(z)), "centred": zz}[single]
    drawn = np.where(np.isnan(population), 0.0, n / population)
    added = np.where(several, added, alone) * (1 - drawn)
    added = np.where(drawn == 1, 0.0, added)  # a stratum taken whole has no sampling error, be it of one cluster
    summed = pd.Series(added, index=by_stratum["_unit"]).groupby(level=0).agg(lambda values: values.sum(skipna=False))
    return summed / below**2


def degrees_of_freedom(parts: pd.DataFrame, clustered: bool) -> pd.Series[float]:
    """Return clusters (without clusters: rows) less strata, of those that have rows in each ``_unit`` of ``parts``.

    ``parts``: as for ``linearised_variance``, with ``n``, the rows in the base: what R's ``degf`` counts of a domain.
    """
    counted = parts[parts["n"] > 0]
    units = counted.groupby("_unit")
    strata = units["_strate"].nunique()
    if not clustered:
        return (units["n"].sum() - strata).astype("float64")
    clusters = counted[["_unit", "_strate", "_grappe"]].drop_duplicates().groupby("_unit").size()
    return (clusters - strata).astype("float64")
