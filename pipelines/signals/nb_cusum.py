"""How much rare counts have been adding up above what is usual: the cumulative sum of a negative binomial.

Page (1954), "Continuous inspection schemes", Biometrika 41, on the likelihood ratio of a doubling; negative binomial as
in Höhle and Paul (2008), "Count data regression charts for the monitoring of surveillance time series", Computational
Statistics and Data Analysis 52 (`algo.glrnb` of R's `surveillance` with a known change). How likely the sum reached is,
when nothing changed: the Markov chain of Brook and Evans (1972), Biometrika 59, over the weeks of the sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.signals.laws import count_terms, normal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RISE = 2.0  # times what is usual: the change that the sum is made to find
SUMMED = 9  # weeks summed up: two months
_STATES, _BELOW = 120, 40  # of the chain, of which so many are below the sum reached
_PARTS = 8  # equally likely values that the unknown usual share may have
_NOTHING = 1.0  # a sum below is reached one time in six when nothing changed: not reckoned further, told as certain
_PRIOR = 0.5  # voices: Jeffreys' prior of a Poisson mean
_SMALL = 1e-10


def sums(counts: Floats, means: Floats, dispersion: Floats) -> Floats:
    """Return the cumulative sums at each moment (moments × series) from 0, for usual ``means`` of the same shape.

    ``dispersion``: of the variance to the mean, 1 for Poisson's law.
    """
    reached = np.zeros(counts.shape[1])
    sums_reached = np.empty_like(counts)
    for moment, (count, mean) in enumerate(zip(counts, means, strict=True)):
        reached = np.maximum(0.0, reached + _gain(count, mean, dispersion))
        sums_reached[moment] = reached
    return sums_reached


def _usual_shares(counts: Floats, volumes: Floats) -> tuple[Floats, Floats]:
    """Return the usual share of each series among the voices of its service, and the dispersion around it."""
    shares = (counts.sum(axis=0) + _PRIOR) / np.maximum(volumes.sum(axis=0), 1.0)
    fitted = shares * volumes
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = ((counts - fitted) ** 2).sum(axis=0) / fitted.sum(axis=0)
    return shares, np.where(np.isfinite(spread), np.maximum(spread, 1.0), 1.0)


def p_values(counts: Floats, volumes: Floats) -> tuple[Floats, Floats]:
    """Return how likely the last sum of each series is when nothing changed, and what each moment summed let expect.

    ``counts``, ``volumes``: moments × series, the last ``SUMMED`` moments being summed, the others being what is usual.
    The usual share is not known but estimated: the chance is the mean over the shares that are likely.
    """
    past, recent = slice(0, len(counts) - SUMMED), slice(len(counts) - SUMMED, None)
    shares, dispersion = _usual_shares(counts[past], volumes[past])
    expected = shares * volumes[recent]
    reached = sums(counts[recent], expected, dispersion)[-1]
    chances_of_series = np.ones(len(reached))
    rising = np.flatnonzero(reached >= _NOTHING)
    if len(rising):
        likely = _likely_shares(counts[past, rising].sum(axis=0), volumes[past, rising].sum(axis=0))
        chances = [
            _chance(reached[rising], expected[:, rising], share * volumes[recent, rising], dispersion[rising])
            for share in likely
        ]
        chances_of_series[rising] = np.mean(chances, axis=0)
    return np.where(volumes[past].sum(axis=0) > 0, chances_of_series, np.nan), expected


def _gain(counts: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Return the logarithm of the likelihood ratio of a count, RISE × mean against mean; its size stays the same."""
    extra = np.maximum(dispersion - 1, 1e-9)
    size = mean / extra
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = counts * np.log(RISE) - (counts + size) * np.log1p((RISE - 1) * extra / (1 + extra))
    return np.where(mean > 0, gain, 0.0)


def _likely_shares(counts: Floats, volumes: Floats) -> Floats:
    """Return ``_PARTS`` equally likely shares a series, the middles of the parts of its gamma law.

    Wilson and Hilferty (1931): the cube root of a gamma variable is about normal.
    """
    shape = counts + _PRIOR
    deviates = np.array([normal_quantile((part + 0.5) / _PARTS) for part in range(_PARTS)])[:, None]
    cubes = np.maximum(1 - 1 / (9 * shape) + deviates / (3 * np.sqrt(shape)), 0.0) ** 3
    shares: Floats = shape * cubes / np.maximum(volumes, 1.0)
    return shares


def _chance(reached: Floats, usual: Floats, means: Floats, dispersion: Floats) -> Floats:
    """Return the probability of a last sum as high, when the counts have ``means`` and the sum believes ``usual``."""
    step = reached / _BELOW
    probabilities = np.zeros((len(reached), _STATES))
    probabilities[:, 0] = 1.0
    for believed, mean in zip(usual, means, strict=True):
        chances = _count_chances(mean, dispersion)
        moved = np.zeros_like(probabilities)
        for count in range(chances.shape[1]):
            shift = _gain(np.full(len(mean), float(count)), believed, dispersion) / step
            moved += _shifted(probabilities * chances[:, count, None], shift)
        probabilities = moved
    above: Floats = np.clip(probabilities[:, _BELOW:].sum(axis=1), 0.0, 1.0)
    return above


def _count_chances(mean: Floats, dispersion: Floats) -> Floats:
    """Return the probabilities of 0, 1, 2 … a series; the last column holds all that is beyond."""
    most = int(np.ceil((mean * dispersion + 8 * dispersion * np.sqrt(mean * dispersion) + 8).max(initial=0)))
    chances = count_terms(most, mean, dispersion)
    needed = int(np.flatnonzero(chances.max(axis=0) > _SMALL).max(initial=0)) + 1
    chances = chances[:, :needed]
    chances[:, -1] += np.maximum(0.0, 1 - chances.sum(axis=1))
    return chances


def _shifted(mass: Floats, shift: Floats) -> Floats:
    """Return the mass of each state moved by ``shift`` states, shared between the two nearest; the ends keep theirs."""
    states = np.clip(np.arange(_STATES) + shift[:, None], 0.0, _STATES - 1.0)
    states[:, -1] = _STATES - 1.0
    low = np.minimum(states.astype(np.int64), _STATES - 2)
    part = states - low
    flat = low + np.arange(len(mass))[:, None] * _STATES
    size = mass.size
    moved: Floats = np.bincount(flat.ravel(), (mass * (1 - part)).ravel(), size).astype(np.float64)
    moved += np.bincount(flat.ravel() + 1, (mass * part).ravel(), size)
    return moved.reshape(mass.shape)
