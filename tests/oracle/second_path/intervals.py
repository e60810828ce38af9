"""95 % intervals again, one unit at a time, each by the equation that defines it; numbers alone, no array.

Quantiles and sampling designs are not recomputed here: their bounds need the order, or the clusters, of all rows.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

from pipelines.declarations import estimators as declared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Bounds = tuple[float, float]
NO_BOUNDS: Bounds = (math.nan, math.nan)
_Z2 = NormalDist().inv_cdf(0.975) ** 2
_STEPS = 60


def interval(estimator: declared.Estimator, sums: Mapping[str, float]) -> Bounds:
    """Return the bounds of a sampled value, from sums over its rows of weights w, coded values x, denominators y.

    ``n`` rows, ``wx``, ``wy``, ``wwyy`` = Σ(wy)², ``wxx`` = Σwx², ``wwxx`` = Σ(wx)², ``wwxy`` = Σ(wx)(wy). NO_BOUNDS
    where too few rows tell none.
    """
    value, size = sums["wx"] / sums["wy"], sums["wy"] ** 2 / sums["wwyy"]
    if isinstance(estimator, declared.Ratio):
        if sums["n"] < 2:
            return NO_BOUNDS
        rest = sums["wwxx"] - 2 * value * sums["wwxy"] + value**2 * sums["wwyy"]
        variance = sums["n"] / (sums["n"] - 1) * max(rest, 0.0) / sums["wy"] ** 2
        return _around(estimator.factor * value, estimator.factor**2 * variance)
    if estimator.proportion:
        return _scaled(_wilson(value / 100, size))
    squares = sums["wxx"] / sums["wy"]
    if estimator.net:
        return _scaled(_tango(value / 100 * size, squares / 100**2 * size, size))
    return _around(value, max(squares - value**2, 0.0) / (size - 1)) if size > 1 else NO_BOUNDS


def _around(value: float, variance: float) -> Bounds:
    half = math.sqrt(_Z2 * variance)
    return value - half, value + half


def _scaled(bounds: Bounds) -> Bounds:
    return 100 * bounds[0], 100 * bounds[1]


def _wilson(share: float, n: float) -> Bounds:
    """Return the roots q of (share - q)² = z² q (1 - q) / n (Wilson, 1927)."""
    a, b = 1 + _Z2 / n, 2 * share + _Z2 / n
    root = math.sqrt(max(b * b - 4 * a * share**2, 0.0))
    return (b - root) / (2 * a), (b + root) / (2 * a)


def _tango(net: float, told: float, n: float) -> Bounds:
    """Return the scores whose test just accepts the one observed (Tango, 1998), from (effective) counts.

    ``net``: favourable answers less unfavourable ones; ``told``: both together.
    """
    above, below = (told + net) / 2, max((told - net) / 2, 0.0)

    def accepted(score: float) -> bool:
        b = (2 * n - above + below) * score - above - below
        least = (math.sqrt(max(b * b + 8 * n * below * score * (1 - score), 0.0)) - b) / (4 * n)
        return (net - n * score) ** 2 <= _Z2 * n * max(2 * least + score * (1 - score), 0.0)

    return _edge(-1.0, net / n, accepted), _edge(1.0, net / n, accepted)


def _edge(end: float, inside: float, accepted: Callable[[float], bool]) -> float:
    for _ in range(_STEPS):
        middle = (end + inside) / 2
        end, inside = (end, middle) if accepted(middle) else (middle, inside)
    return (end + inside) / 2
