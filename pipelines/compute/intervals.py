"""Bounds at 95 % from a value and what it rests on: Wilson, normal, ranks of order statistics. Plain numpy, no data."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Z95 = 1.959963984540054


def wilson(p: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return the 95 % Wilson (1927) bounds of proportions ``p`` (0 to 1) observed on ``n`` (effective) answers."""
    centre = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * np.sqrt(np.maximum(p * (1 - p), 0.0) / n + Z95**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def normal(mean: Floats, variance: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return the 95 % normal bounds of means whose values have that (population) variance; none under two answers."""
    known = n > 1
    corrected = variance / np.where(known, n - 1, 1.0)
    return around(mean, np.where(known, corrected, np.nan))


def around(value: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return the 95 % normal bounds of values whose sampling variance is known; none where it is not."""
    half = Z95 * np.sqrt(variance)
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
