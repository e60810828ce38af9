"""How far a département speaks of a theme more than its service does, once small counts are drawn towards the usual.

DuMouchel (1999), "Bayesian data mining in large frequency tables, with an application to the FDA spontaneous reporting
system", The American Statistician 53(3): counts are Poisson of mean ratio × expected, the ratios a mixture of two gamma
laws fitted to all cells together (openEBGM, Canida and Ihrie 2017, The R Journal 9(2), gives the same quantiles).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.signals.laws import gamma_below, increasing_root, log_gamma, minimum
from pipelines.signals.ledger import NO_TEST
from pipelines.signals.voice_series import FEELINGS, FELT

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EXPECTED = 0.5  # voices expected in a cell, below which nothing could be told of it
CELLS = 50  # below which no law of ratios is fitted
DOUBLED = 2.0  # what EB05 must exceed (DuMouchel)
_START = (0.2, 0.1, 2.0, 4.0, 1 / 3)  # DuMouchel's own
_LEAST, _MOST = 1e-3, 1e3  # between which parameters are sought: beyond, the law is a point
_TERRITORIES = """
WITH recent AS (
    SELECT network, service, theme, department AS territory, {feelings} AS felt, month_lag // 3 AS quarter, feeling,
           day, voices
    FROM cells WHERE department <> ''
), strata AS (
    SELECT network, service, felt, feeling, quarter, theme, sum(voices) AS voices FROM recent GROUP BY ALL
), rates AS (
    SELECT t.network, t.service, t.felt, t.feeling, t.quarter, t.theme, t.voices / a.voices AS rate
    FROM strata t JOIN strata a USING (network, service, felt, feeling, quarter) WHERE t.theme <> '' AND a.theme = ''
), places AS (
    SELECT network, service, felt, feeling, quarter, territory, sum(voices) AS volume
    FROM recent WHERE theme = '' GROUP BY ALL
), expected AS (
    SELECT network, service, felt, theme, territory, sum(volume * rate) AS expected, sum(volume) AS volume
    FROM places JOIN rates USING (network, service, felt, feeling, quarter) GROUP BY ALL
), seen AS (
    SELECT network, service, felt, theme, territory, sum(voices) AS voices, count(DISTINCT day) AS days
    FROM recent GROUP BY ALL
)
SELECT network, service, theme, felt AS feeling, territory, expected, volume::DOUBLE AS volume,
       coalesce(voices, 0)::DOUBLE AS observed, coalesce(days, 0) AS days
FROM expected LEFT JOIN seen USING (network, service, felt, theme, territory)
WHERE expected >= {least} AND volume >= {fewest} ORDER BY ALL
"""


def ebgm_tests(connection: duckdb.DuckDBPyConnection, since: str, fewest: int) -> pd.DataFrame:
    """Return one test a service, theme, feeling and département of ``fewest`` voices in the year.

    Expected: the service's share of the theme in each quarter and feeling, on the voices of the département. The ratio
    is EBGM, its interval EB05 to EB95; the chance, that the true ratio is 1 or less.
    """
    query = _TERRITORIES.format(fewest=fewest, least=EXPECTED, feelings=FELT)
    cells = connection.execute(query).df()
    cells = cells[cells["feeling"].isin(FEELINGS)]
    if len(cells) < CELLS:
        return NO_TEST
    counts, expected = cells["observed"].to_numpy(), cells["expected"].to_numpy(np.float64)
    posterior = fitted_law(counts, expected).posterior(counts, expected)
    low = posterior.quantile(0.05)
    return cells.assign(
        ratio=posterior.geometric_mean(),
        ratio_low=low,
        ratio_high=posterior.quantile(0.95),
        eligible=low > DOUBLED,
        p_value=posterior.below(np.ones(len(cells))),
        voices=counts,
        share=counts / cells["volume"],
        since=since,
    )


@dataclass(frozen=True, slots=True)
class RatioLaw:
    """The law of the ratios: two gamma laws (shape, rate), the first with probability ``part``."""

    shape: float
    rate: float
    second_shape: float
    second_rate: float
    part: float

    def posterior(self, counts: Floats, expected: Floats) -> Posterior:
        """Return what is known of the ratio of each cell, once its count is seen."""
        first = np.log(self.part) + _log_marginal(counts, expected, self.shape, self.rate)
        second = np.log1p(-self.part) + _log_marginal(counts, expected, self.second_shape, self.second_rate)
        return Posterior(
            1 / (1 + np.exp(np.clip(second - first, -700, 700))),
            self.shape + counts,
            self.rate + expected,
            self.second_shape + counts,
            self.second_rate + expected,
        )


@dataclass(frozen=True, slots=True)
class Posterior:
    """Mixtures of two gamma laws, one a cell: shapes and rates, the first with probability ``part``."""

    part: Floats
    shape: Floats
    rate: Floats
    second_shape: Floats
    second_rate: Floats

    def geometric_mean(self) -> Floats:
        """Return EBGM: the exponential of the expected logarithm of the ratio."""
        first = _digamma(self.shape) - np.log(self.rate)
        second = _digamma(self.second_shape) - np.log(self.second_rate)
        return np.exp(self.part * first + (1 - self.part) * second)

    def below(self, ratio: Floats) -> Floats:
        """Return the probabilities that the ratios are below given ones."""
        first, second = (
            gamma_below(self.shape, ratio * self.rate),
            gamma_below(self.second_shape, ratio * self.second_rate),
        )
        probabilities: Floats = self.part * first + (1 - self.part) * second
        return probabilities

    def quantile(self, level: float) -> Floats:
        """Return the ratios below which the true ones are with that probability: EB05 is that of 0.05."""
        means = self.shape / self.rate + self.second_shape / self.second_rate
        return increasing_root(lambda ratio: self.below(ratio) - level, np.zeros_like(means), 10 * means + 10)


def fitted_law(counts: Floats, expected: Floats) -> RatioLaw:
    """Return the law of greatest likelihood for cells of these counts and expected counts (more than 0)."""
    distinct_counts, which = np.unique(counts, return_inverse=True)

    def unlikeliness(parameters: Floats) -> float:
        law = _law(parameters)
        first = _log_marginal(distinct_counts, expected, law.shape, law.rate, which)
        second = _log_marginal(distinct_counts, expected, law.second_shape, law.second_rate, which)
        return -float(np.logaddexp(np.log(law.part) + first, np.log1p(-law.part) + second).sum())

    start = np.array([*np.log(_START[:4]), np.log(_START[4] / (1 - _START[4]))])
    return _law(minimum(unlikeliness, start))


def _law(parameters: Floats) -> RatioLaw:
    positive = np.clip(np.exp(np.clip(parameters[:4], -50, 50)), _LEAST, _MOST)
    part = 1 / (1 + np.exp(-np.clip(parameters[4], -15, 15)))
    return RatioLaw(*(float(value) for value in (*positive, part)))


def _log_marginal(
    counts: Floats, expected: Floats, shape: float, rate: float, which: NDArray[np.int64] | None = None
) -> Floats:
    """Return the logarithms of negative binomial probabilities; ``which``: the place of each cell among the counts."""
    constant = log_gamma(counts + shape) - log_gamma(np.float64(shape)) - log_gamma(counts + 1)
    if which is not None:
        counts, constant = counts[which], constant[which]
    logarithms: Floats = (
        constant + shape * np.log(rate / (rate + expected)) + counts * np.log(expected / (rate + expected))
    )
    return logarithms


def _digamma(x: Floats) -> Floats:
    """Return the derivative of the logarithm of gamma (Abramowitz and Stegun, 1964, 6.3.18), from 10 up by 6.3.5."""
    shifted, steps = x.astype(np.float64), np.zeros_like(x, dtype=np.float64)
    for _ in range(10):
        steps -= 1 / shifted
        shifted = shifted + 1
    square = 1 / shifted**2
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))))
    derivative: Floats = steps + np.log(shifted) - 0.5 / shifted - series
    return derivative
