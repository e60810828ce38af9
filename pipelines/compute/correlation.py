"""Spearman's rank correlation, its interval, and several of them put together. Plain numpy on short arrays.

Which indicators are correlated, and what is said of it, is in ``tables.correlations``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.compute.intervals import Z95

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST = 4  # under this many independent units, Fisher's z has no variance


def spearman(x: Floats, y: Floats) -> float:
    """Return the correlation of the ranks (ties share their mean rank; Spearman, 1904); NaN if one never varies."""
    a, b = (pd.Series(values).rank().to_numpy(float) for values in (x, y))
    a, b = a - a.mean(), b - b.mean()
    spread = math.sqrt(float(a @ a) * float(b @ b))
    return max(-1.0, min(1.0, float(a @ b) / spread)) if spread > 0 else math.nan


def fisher_variance(rho: float, units: int) -> float:
    """Return the variance of atanh(rho) for Spearman's rho on ``units`` independent units: (1 + rho²/2) / (n - 3).

    Bonett and Wright (2000), Psychometrika 65(1): better than Pearson's 1 / (n - 3), for which ranks are too few.
    """
    return (1 + rho**2 / 2) / (units - 3) if units >= FEWEST else math.nan


def interval(rho: float, variance: float) -> tuple[float, float]:
    """Return the 95 % bounds of rho from the variance of atanh(rho); NaN without variance, or where rho is ±1."""
    if math.isnan(variance) or math.isnan(rho) or abs(rho) >= 1:
        return math.nan, math.nan
    half = Z95 * math.sqrt(variance)
    return math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half)


def combined(found: list[tuple[float, float]]) -> tuple[float, float]:
    """Return (rho, variance of its atanh) of several independent (rho, variance): mean of atanh, by inverse variance.

    The fixed-effect mean of Hedges and Olkin (1985, § 11): each network's correlation is computed within itself, so
    that a difference of level between networks makes no link. Pairs without variance, or with rho = ±1, are left out.
    """
    usable = [(rho, variance) for rho, variance in found if not math.isnan(variance) and abs(rho) < 1]
    if not usable:
        return math.nan, math.nan
    weight = math.fsum(1 / variance for _, variance in usable)
    return math.tanh(math.fsum(math.atanh(rho) / variance for rho, variance in usable) / weight), 1 / weight
