"""Bounds at 95 % from a value and what it rests on: Wilson, Tango, normal, ranks of order statistics.

Plain numpy, no data; which estimator has which interval is in ``estimates``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipelines.compute.student import beyond_one_in_twenty

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Z95 = 1.959963984540054
_HALVINGS = 50  # of an interval of two at most: as near as doubles go


def critical(freedom: Floats) -> Floats:
    """Return what Student's law of that many degrees of freedom exceeds with 2.5 % chance (the normal one: infinity).

    NaN under one degree of freedom: so few clusters say nothing of their dispersion (Korn and Graubard, 1999, § 5.2).
    """
    found: Floats = np.where(np.isposinf(freedom), Z95, np.nan)
    few = np.isfinite(freedom) & (freedom >= 1)
    found[few] = [beyond_one_in_twenty(float(one)) for one in freedom[few]]
    return found


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
    found: Floats = np.maximum(2 * below + difference * (1 - difference), 0.0)
    return found


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
    found: Floats = np.where(sw2 > 0, sw, 1.0) ** 2 / np.where(sw2 > 0, sw2, 1.0)
    return found


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
