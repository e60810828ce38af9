"""How far a count is beyond what its own past, its season and its trend let expect.

Noufaily, Enki, Farrington, Garthwaite, Andrews and Charlett (2012), "An improved algorithm for outbreak detection in
multiple surveillance systems", Statistics in Medicine 32(7): a quasi-Poisson regression on like moments of earlier
years, seasons as factors, a trend kept when it is sure, earlier rises weighted down by their Anscombe residuals, the
last moments left out. Here for all series at once, with the volume of all voices as offset, number for number as
`farringtonFlexible` of R's `surveillance` 1.20 does it (its standard error takes the dispersion of working residuals
weighted by the Anscombe weights alone; so does ours).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pipelines.signals.laws import (
    counts_beyond,
    counts_quantile,
    normal_beyond,
    normal_quantiles,
    student_beyond,
    student_quantile,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

_ITERATIONS = 25  # and this tolerance: those of R's glm, whose last step they are
_TOLERANCE = 1e-8
_FARTHEST = 50.0  # of a linear predictor: beyond, the exponential says nothing
_OUTLIER = 2.58  # residual beyond which a past moment weighs less
_SURE_TREND = 0.05  # p-value under which a trend is kept
_VAGUE = 1.0  # standard error of a logarithm: beyond, what is expected isn't known to a factor of seven


@dataclass(frozen=True, slots=True)
class Settings:
    """How the past is read; the defaults are for months, 12 a year.

    ``half_window``: moments on each side of the same moment of earlier years; ``seasons``: how many factors in a year,
    that of the moment itself included; ``left_out``: the last moments before the one judged, which a rise that
    lasts would spoil.
    """

    years: int = 5
    per_year: int = 12
    half_window: int = 1
    seasons: int = 4
    left_out: int = 6


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was expected of each series at the moment: NaN where no regression converged.

    ``mean`` of the count; ``dispersion`` of its variance to its mean, 1 at least; ``error``: standard error of the
    logarithm of the mean; ``freedom``: degrees of freedom of the dispersion; ``trend``: whether a trend was kept.
    """

    mean: Floats
    dispersion: Floats
    error: Floats
    freedom: Floats
    trend: Booleans

    @property
    def known(self) -> Booleans:
        """Whether enough was seen of that season to expect anything: else no count is a surprise.

        A season in which nothing was ever seen expects 1e-12, and would be beaten by a single voice.
        """
        sure: Booleans = self.error <= _VAGUE
        return sure

    @property
    def whole_dispersion(self) -> Floats:
        """The dispersion of a count around its mean once the mean's own error is added."""
        dispersion: Floats = self.dispersion + self.mean * self.error**2
        return dispersion

    def p_values(self, observed: Floats) -> Floats:
        """Return the probabilities of counts as high: a negative binomial's, brought to Student's law.

        The dispersion is estimated: as many deviations are less rare than a normal law says.
        """
        chance = counts_beyond(observed, self.mean, self.whole_dispersion)
        return student_beyond(normal_quantiles(1 - chance), self.freedom)

    def limit(self, level: float) -> Floats:
        """Return the highest counts that are no alert at that p-value."""
        reach = student_quantile(1 - level, self.freedom)
        return counts_quantile(1 - normal_beyond(reach), self.mean, self.whole_dispersion)


@dataclass(frozen=True, slots=True)
class _Fit:
    """Quasi-Poisson regressions; ``inverse`` of the information, ``weights`` and residuals of R's last step."""

    fitted: Floats
    coefficients: Floats
    inverse: Floats
    weights: Floats
    residuals: Floats
    freedom: Floats
    converged: Booleans

    def dispersion(self, weights: Floats) -> Floats:
        dispersion: Floats = (weights * self.residuals**2).sum(axis=1) / self.freedom
        return dispersion


@dataclass(frozen=True, slots=True)
class _Past:
    """The reference moments: series × moments; ``design`` without the moment judged, whose own line is ``now``."""

    counts: Floats
    offset: Floats
    known: Booleans
    design: Floats
    now: Floats
    now_offset: Floats


def expectation(observed: Floats, population: Floats, moment: int, settings: Settings) -> Expectation:
    """Return what is expected at row ``moment`` of ``observed`` (moments × series) from the rows before.

    ``population``: volumes of the same shape; moments without any, or whose count is NaN, teach nothing.
    """
    past = _past(observed, population, moment, settings)
    level = replace(past, design=past.design[:, :-1], now=past.now[:-1])  # without any trend
    with np.errstate(all="ignore"):
        sloped = _robust(past)
        kept = _trend_holds(sloped, past)
        both = zip(_expected(sloped, past), _expected(_robust(level), level), strict=True)
        mean, dispersion, error, freedom = (np.where(kept, steep, flat) for steep, flat in both)
    return Expectation(mean, dispersion, error, freedom, kept)


def season_of(moment: int, settings: Settings) -> Integers:
    """Return the season of each row up to ``moment``, -1 for those not used; the moment's own is ``seasons``."""
    seasons = np.full(moment + 1, -1, dtype=np.int64)
    width, count = settings.half_window, settings.seasons
    references = [moment - year * settings.per_year for year in range(settings.years + 1)]
    seasons[moment - width : moment + 1] = count
    for later, centre in pairwise(references):
        seasons[max(centre - width, 0) : centre + width + 1] = count
        between = np.arange(centre + width + 1, later - width)
        for name, part in enumerate(np.array_split(between, count - 1), start=1):
            seasons[part] = name
    return seasons


def _past(observed: Floats, population: Floats, moment: int, settings: Settings) -> _Past:
    seasons = season_of(moment, settings)
    seasons[moment - settings.left_out :] = -1
    rows = np.flatnonzero(seasons >= 0)
    names = np.unique(seasons[rows])
    factors = (seasons[rows, None] == names).astype(np.float64)
    middle, length = rows.mean(), max(float(np.ptp(rows)), 1.0)
    design = np.column_stack([factors, (rows - middle) / length])
    now = np.append((names == settings.seasons).astype(np.float64), (moment - middle) / length)
    counts = observed[rows].T.astype(np.float64)
    volumes = population[rows].T.astype(np.float64)
    usable = np.isfinite(counts) & (volumes > 0)
    offset = np.log(np.where(usable, volumes, 1.0))
    with np.errstate(divide="ignore"):
        now_offset = np.log(population[moment].astype(np.float64))
    return _Past(np.where(usable, counts, 0.0), offset, usable, design, now, now_offset)


def _robust(past: _Past) -> tuple[_Fit, Floats]:
    """Return the regressions made twice, the second with Anscombe weights, and these weights."""
    first = _regressions(past, past.known.astype(np.float64))
    phi = np.maximum(first.dispersion(first.weights), 1.0)
    leverage = first.weights * np.einsum("ni,sij,nj->sn", past.design, first.inverse, past.design, optimize=True)
    residual = 1.5 * (np.cbrt(past.counts) ** 2 * first.fitted ** (-1 / 6) - np.sqrt(first.fitted))
    residual = residual / np.sqrt(phi[:, None] * (1 - leverage))
    weights = np.where(residual > _OUTLIER, residual**-2.0, 1.0) * past.known
    weights = weights * (past.known.sum(axis=1) / weights.sum(axis=1))[:, None]
    weights[~first.converged] = np.nan
    return _regressions(past, weights), weights


def _regressions(past: _Past, prior: Floats) -> _Fit:
    """Return the regressions of every series, step by step as R's glm.fit takes them: each stops at its own step."""
    counts = past.counts
    fitted = counts + 0.1
    linear = np.log(fitted)
    deviance = _deviance(counts, fitted, prior)
    series, width = len(counts), past.design.shape[1]
    coefficients, inverse = np.full((series, width), np.nan), np.full((series, width, width), np.nan)
    weights, converged = np.full_like(counts, np.nan), np.zeros(series, dtype=np.bool_)
    going = np.flatnonzero(np.isfinite(deviance))
    for _ in range(_ITERATIONS):
        if not len(going):
            break
        working = prior[going] * fitted[going]
        target = linear[going] - past.offset[going] + (counts[going] - fitted[going]) / fitted[going]
        inverse[going], coefficients[going] = _least_squares(past.design, working, target)
        linear[going] = np.clip(coefficients[going] @ past.design.T + past.offset[going], -_FARTHEST, _FARTHEST)
        fitted[going], weights[going] = np.exp(linear[going]), working
        new = _deviance(counts[going], fitted[going], prior[going])
        done = np.abs(new - deviance[going]) / (np.abs(new) + 0.1) < _TOLERANCE
        deviance[going], converged[going[done]] = new, True
        going = going[~done & np.isfinite(new)]
    rank = (past.known.astype(np.float64) @ np.abs(past.design) > 0).sum(axis=1)
    freedom = past.known.sum(axis=1) - rank
    return _Fit(fitted, coefficients, inverse, weights, (counts - fitted) / fitted, freedom, converged & (freedom > 0))


def _least_squares(design: Floats, weights: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Return the inverses of the information and the coefficients; a factor without any moment stays at 0."""
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    information = (weights @ products).reshape(len(weights), *design.shape[1:], *design.shape[1:])
    diagonal = np.einsum("sii->si", information)
    empty = diagonal <= 0
    diagonal[empty] = 1.0  # in place: a view of the information
    scale = 1 / np.sqrt(diagonal)
    inverse = np.linalg.pinv(information * scale[:, :, None] * scale[:, None, :], rcond=1e-13, hermitian=True)
    inverse = inverse * scale[:, :, None] * scale[:, None, :]
    return inverse, np.einsum("sij,sj->si", inverse, (weights * target) @ design)


def _deviance(counts: Floats, fitted: Floats, weights: Floats) -> Floats:
    logs = np.where(counts > 0, counts * np.log(np.where(counts > 0, counts, 1.0) / fitted), 0.0)
    deviance: Floats = 2 * (weights * (logs - counts + fitted)).sum(axis=1)
    return deviance


def _expected(fit_and_weights: tuple[_Fit, Floats], past: _Past) -> list[Floats]:
    """Return mean, dispersion, error and freedom of each series, as ``Expectation`` has them."""
    fit, weights = fit_and_weights
    mean = np.exp(np.minimum(fit.coefficients @ past.now + past.now_offset, _FARTHEST))
    variance = np.einsum("i,sij,j->s", past.now, fit.inverse, past.now) * fit.dispersion(weights)
    same_season = past.design[:, np.flatnonzero(past.now == 1)[0]]
    taught = past.known.astype(np.float64) @ same_season > 0
    expectable = fit.converged & taught & np.isfinite(mean)
    phi = np.maximum(fit.dispersion(fit.weights), 1.0)
    return [np.where(expectable, values, np.nan) for values in (mean, phi, np.sqrt(variance), fit.freedom)]


def _trend_holds(fit_and_weights: tuple[_Fit, Floats], past: _Past) -> Booleans:
    """Tell which trends are kept: sure, and not beyond what was ever seen."""
    fit, weights = fit_and_weights
    error = np.sqrt(fit.inverse[:, -1, -1] * fit.dispersion(weights))
    chance = 2 * student_beyond(np.abs(fit.coefficients[:, -1]) / error, fit.freedom)
    mean = np.exp(np.minimum(fit.coefficients @ past.now + past.now_offset, _FARTHEST))
    holds: Booleans = (chance < _SURE_TREND) & (mean <= past.counts.max(axis=1, initial=0)) & fit.converged
    return holds
