"""Student's law: how likely a ratio is beyond a value, and the value beyond which one in twenty is.

By the regularised incomplete beta function (Abramowitz and Stegun, 1964, 26.7.1 and 26.5.8, as a continued fraction);
the tests compare with scipy, which is no dependency of what runs.
"""

from __future__ import annotations

import math
from functools import lru_cache

_TINY, _PRECISION, _MOST = 1e-300, 1e-15, 10_000
_HALVINGS = 60


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
    for _ in range(_HALVINGS):
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
    """Keep a denominator from being nothing."""
    return value if abs(value) > _TINY else _TINY
