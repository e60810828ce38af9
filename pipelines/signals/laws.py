"""The laws that the detectors need, for whole arrays: normal, Student's, negative binomial, hypergeometric, gamma.

Written here because scipy, which would give them, weighs 140 MB in every installation that runs; the tests compare with
it. Tails of counts are sums of their terms, from one to the next by their ratio: no special function is needed.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from pipelines.compute.intervals import two_sided

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_erfc = np.vectorize(math.erfc, otypes=[np.float64])
_two_sided = np.vectorize(two_sided, otypes=[np.float64])
_normal_quantiles = np.vectorize(NormalDist().inv_cdf, otypes=[np.float64])
_SURE = 1e-15
_FARTHEST = 100.0  # of a Student's ratio
_STEPS = 500  # of a series or continued fraction: both have long converged
_LEAST = 1e-16  # of a sum: terms below add nothing
_SHIFT = 10  # from which Stirling's series is exact
_HALVINGS, _CHORDS = 10, 8
_FAR = 12  # standard deviations within which a quantile of counts is sought


def normal_quantile(level: float) -> float:
    """Return the value that a standard normal variable is below with that probability."""
    return NormalDist().inv_cdf(level)


def normal_quantiles(levels: Floats) -> Floats:
    """Return the same of an array, 8 deviations at most: no level is told from 0 or 1 beyond; NaN where unknown."""
    known = ~np.isnan(levels)
    quantiles = np.full(levels.shape, np.nan)
    if known.any():
        quantiles[known] = _normal_quantiles(np.clip(levels[known], _SURE, 1 - _SURE))
    return quantiles


def normal_beyond(z: ArrayLike) -> Floats:
    """Return the probabilities that a standard normal variable exceeds z."""
    probabilities: Floats = _erfc(np.asarray(z, dtype=np.float64) / math.sqrt(2)) / 2
    return probabilities


def student_beyond(t: ArrayLike, freedom: ArrayLike) -> Floats:
    """Return the probabilities that a Student's ratio of those degrees of freedom exceeds t; NaN where t is."""
    ratio, degrees = np.broadcast_arrays(np.asarray(t, np.float64), np.asarray(freedom, np.float64))
    known = np.isfinite(ratio) & (degrees > 0)
    half = np.full(ratio.shape, np.nan)
    if known.any():
        half[known] = _two_sided(ratio[known], degrees[known]) / 2
    return np.where(ratio > 0, half, 1 - half)


def student_quantile(level: float, freedom: Floats) -> Floats:
    """Return the values that Student's ratios are below with a probability over one half."""
    known = np.unique(freedom[freedom > 0])
    far = np.full_like(known, _FARTHEST)
    roots = increasing_root(lambda ratio: (1 - level) - student_beyond(ratio, known), np.zeros_like(known), far)
    place = np.minimum(np.searchsorted(known, freedom), max(len(known) - 1, 0))
    return np.where(freedom > 0, roots[place] if len(known) else np.nan, np.nan)


def counts_beyond(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Return the probabilities of ``count`` or more, of a negative binomial of variance dispersion × mean.

    Poisson's law where the dispersion is 1; NaN where an argument is.
    """
    known = np.isfinite(count) & np.isfinite(mean) & np.isfinite(dispersion)
    count, mean, dispersion = (np.where(known, values, 1.0) for values in (count, mean, dispersion))
    terms = count_terms(int(count.max(initial=0)), mean, dispersion)
    below = np.where(np.arange(terms.shape[-1]) < count[..., None], terms, 0.0).sum(axis=-1)
    return np.where(known, np.clip(1 - below, 0.0, 1.0), np.nan)


def counts_quantile(level: float | Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Return the smallest counts that such a negative binomial does not exceed with probability ``level`` or more."""
    known = np.isfinite(mean) & np.isfinite(dispersion)
    mean, dispersion = (np.where(known, values, 1.0) for values in (mean, dispersion))
    far = mean * dispersion + 10 + _FAR * np.sqrt(mean * dispersion) * np.sqrt(dispersion)
    terms = count_terms(math.ceil(far.max(initial=0)), mean, dispersion)
    reached = np.cumsum(terms, axis=-1) >= np.asarray(level)[..., None] * (
        1 - 1e-13
    )  # as R: what rounding takes is no step further
    return np.where(known, reached.argmax(axis=-1), np.nan)


def count_terms(most: int, mean: Floats, dispersion: Floats) -> Floats:
    """Return the probabilities of 0 … ``most``, along a last axis."""
    counts = np.arange(most, dtype=np.float64)
    spread = np.maximum(dispersion - 1, 0.0)[..., None]
    size_times_spread = mean[..., None]  # size = mean / (dispersion - 1)
    ratios = (size_times_spread + counts * spread) / ((counts + 1) * (1 + spread))
    none = np.where(spread > 1e-9, -size_times_spread * np.log1p(spread) / np.maximum(spread, 1e-9), -size_times_spread)
    with np.errstate(divide="ignore"):
        probabilities: Floats = np.exp(np.concatenate([none, none + np.cumsum(np.log(ratios), axis=-1)], axis=-1))
        return probabilities


def drawn_beyond(count: Floats, marked: Floats, drawn: Floats, whole: Floats) -> Floats:
    """Return the probabilities of ``count`` or more marked among ``drawn``, when ``marked`` are among ``whole``.

    The hypergeometric law: what every permutation of the marks would give, without making any.
    """
    logarithm = _log_choices(marked, count) + _log_choices(whole - marked, drawn - count) - _log_choices(whole, drawn)
    term = np.exp(logarithm)
    total, at = term.copy(), count.copy()
    for _ in range(int((np.minimum(marked, drawn) - count).max(initial=0))):
        following = (marked - at) * (drawn - at) / ((at + 1) * (whole - marked - drawn + at + 1))
        term = np.where(at < np.minimum(marked, drawn), term * following, 0.0)
        total += term
        at = at + 1
        if np.all((term <= _LEAST * total) & (following < 1)):
            break
    return np.clip(total, 0.0, 1.0)


def _log_choices(whole: Floats, part: Floats) -> Floats:
    return log_gamma(whole + 1) - log_gamma(part + 1) - log_gamma(whole - part + 1)


def log_gamma(x: ArrayLike) -> Floats:
    """Return the logarithms of the gamma function of positive numbers (Abramowitz and Stegun, 1964, 6.1.41)."""
    value = np.asarray(x, dtype=np.float64)
    far, product = value + _SHIFT, np.ones_like(value)
    for step in range(_SHIFT):
        product = product * (value + step)
    square = 1 / far**2
    series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / far
    logarithms: Floats = (far - 0.5) * np.log(far) - far + math.log(2 * math.pi) / 2 + series - np.log(product)
    return logarithms


def gamma_below(shape: ArrayLike, value: ArrayLike) -> Floats:
    """Return the probabilities that a gamma variable of those shapes and of rate 1 is below the values.

    The regularised incomplete gamma function (Abramowitz and Stegun, 1964, 6.5.29 and 6.5.31).
    """
    a, x = np.broadcast_arrays(np.asarray(shape, np.float64), np.asarray(value, np.float64))
    x = np.maximum(x, 1e-300)
    probabilities: Floats = np.exp(a * np.log(x) - x - log_gamma(a))
    near = x < a + 1
    probabilities[near] *= _gamma_series(a[near], x[near])
    probabilities[~near] = 1 - probabilities[~near] * _gamma_fraction(a[~near], x[~near])
    return probabilities


def _gamma_series(a: Floats, x: Floats) -> Floats:
    term = 1 / a
    total = term.copy()
    for step in range(1, _STEPS):
        term = term * x / (a + step)
        total += term
        if np.all(term < _LEAST * total):
            break
    return total


def _gamma_fraction(a: Floats, x: Floats) -> Floats:
    b = x + 1 - a
    c, d = np.full_like(b, 1e300), 1 / b
    fraction = d.copy()
    for step in range(1, _STEPS):
        factor = -step * (step - a)
        b = b + 2
        d = 1 / (factor * d + b)
        c = b + factor / c
        fraction *= c * d
        if np.all(np.abs(c * d - 1) < 10 * _LEAST):
            break
    return fraction


def increasing_root(of: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Return where increasing functions pass 0, each between its own low and high: by halving, then by chords.

    The chords are those of the Illinois method (Dowell and Jarratt, 1971): an end kept twice counts half.
    """
    below, above = of(low), of(high)
    side = np.zeros(np.shape(low))
    for step in range(_HALVINGS + _CHORDS):
        with np.errstate(divide="ignore", invalid="ignore"):
            chord = (low * above - high * below) / (above - below)
        middle = (low + high) / 2 if step < _HALVINGS else np.where(np.isfinite(chord), chord, low)
        value = of(middle)
        under = value < 0
        low, high = np.where(under, middle, low), np.where(under, high, middle)
        below = np.where(under, value, np.where(side > 0, below / 2, below))
        above = np.where(under, np.where(side < 0, above / 2, above), value)
        side = np.where(under, -1.0, 1.0)
    return np.where(np.abs(below) < np.abs(above), low, high)


def minimum(of: Callable[[Floats], float], start: Floats, steps: int = 2000, precision: float = 1e-9) -> Floats:
    """Return where a function of a few numbers is least: the simplex of Nelder and Mead (1965), begun again once."""
    for size in (0.5, 0.1):
        points = np.vstack([start, start + size * np.eye(len(start))])
        values = np.array([of(point) for point in points])
        for _ in range(steps):
            order = np.argsort(values, kind="stable")
            points, values = points[order], values[order]
            if values[-1] - values[0] < precision * (abs(values[0]) + precision):
                break
            _simplex_step(of, points, values)
        start = points[np.argmin(values)]
    return start


def _simplex_step(of: Callable[[Floats], float], points: Floats, values: Floats) -> None:
    """Replace the worst point, the last, by a better one; or draw all towards the best, the first."""
    centre = points[:-1].mean(axis=0)
    tries = {factor: centre + factor * (centre - points[-1]) for factor in (1.0, 2.0, 0.5, -0.5)}
    value = of(tries[1.0])
    if value < values[0]:
        farther = of(tries[2.0])
        factor, value = (2.0, farther) if farther < value else (1.0, value)
    elif value < values[-2]:
        factor = 1.0
    else:
        factor = 0.5 if value < values[-1] else -0.5
        value = of(tries[factor])
    if value < values[-1]:
        points[-1], values[-1] = tries[factor], value
        return
    points[1:] = points[0] + 0.5 * (points[1:] - points[0])
    values[1:] = [of(point) for point in points[1:]]
