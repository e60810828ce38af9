"""How far the share of an office is from that of its peers, beyond what chance and the usual spread between peers give.

Spiegelhalter (2005), "Funnel plots for comparing institutional performance", Statistics in Medicine 24(8), and its
additive model of over-dispersion: arcsine of shares, tenths of the ratios winsorised on each side, a variance between
offices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.signals.laws import normal_beyond
from pipelines.signals.ledger import NO_TEST
from pipelines.signals.voice_series import ALL, FEELINGS, SERVICE, YEAR

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PEERS = 10  # offices of a service below which there is no funnel
WINSORISED = 0.1  # share of the offices on each side whose ratio is brought back to that of the next
_OFFICES = """
SELECT network, service, office, count(*)::DOUBLE AS size, count(DISTINCT day) AS days,
       sum((feeling = 'negatif')::INT)::DOUBLE AS negatif, sum((feeling = 'positif')::INT)::DOUBLE AS positif,
       count(DISTINCT CASE WHEN feeling = 'negatif' THEN day END) AS negatif_days,
       count(DISTINCT CASE WHEN feeling = 'positif' THEN day END) AS positif_days
FROM known WHERE month_lag < {year} AND coalesce(office, '') <> '' GROUP BY ALL HAVING count(*) >= {fewest} ORDER BY ALL
"""


def funnel_tests(connection: duckdb.DuckDBPyConnection, since: str, fewest: int) -> pd.DataFrame:
    """Return one test an office and feeling, of services with ten offices of ``fewest`` voices in the year."""
    offices = connection.execute(_OFFICES.format(year=YEAR, fewest=fewest)).df()
    tests = [
        _lines(held, feeling)
        for _, held in offices.groupby(SERVICE, sort=True)
        for feeling in FEELINGS
        if feeling != ALL and len(held) >= PEERS and 0 < held[feeling].sum() < held["size"].sum()
    ]
    return pd.concat(tests, ignore_index=True).assign(since=since) if tests else NO_TEST


def _lines(offices: pd.DataFrame, feeling: str) -> pd.DataFrame:
    counts, sizes = offices[feeling].to_numpy(), offices["size"].to_numpy()
    drawn = funnel(counts, sizes)
    share = counts / sizes
    angle, reach = np.arcsin(np.sqrt(share)), 1.96 * drawn.errors
    low, high = (np.sin(np.clip(angle + side * reach, 0, np.pi / 2)) ** 2 / drawn.share for side in (-1, 1))
    return offices[[*SERVICE, "office"]].assign(
        theme=ALL,
        feeling=feeling,
        observed=counts,
        expected=sizes * drawn.share,
        ratio=share / drawn.share,
        ratio_low=low,
        ratio_high=high,
        upper=sizes * drawn.limit(3.09),
        p_value=drawn.p_values(),
        voices=counts,
        days=offices[f"{feeling}_days"],
        share=share,
    )


@dataclass(frozen=True, slots=True)
class Funnel:
    """Offices beside the share of all: ``z`` ratios once over-dispersion is taken, ``errors`` of the arcsines."""

    share: float
    between: float
    z: Floats
    errors: Floats

    def p_values(self) -> Floats:
        """Return the probabilities of a share as high as each, were the office like its peers."""
        return normal_beyond(self.z)

    def limit(self, deviations: float) -> Floats:
        """Return the shares that offices exceed by so many deviations: 1.96 and 3.09 draw the usual funnels."""
        angles = np.clip(math.asin(math.sqrt(self.share)) + deviations * self.errors, 0, math.pi / 2)
        told: Floats = np.sin(angles) ** 2
        return told


def funnel(counts: Floats, sizes: Floats) -> Funnel:
    """Return the funnel of like offices: how many are counted of the ``sizes`` (more than 0) of each."""
    share = float(counts.sum() / sizes.sum())
    variance = 1 / (4 * sizes)
    gap = np.arcsin(np.sqrt(counts / sizes)) - math.asin(math.sqrt(share))
    between = between_offices(gap / np.sqrt(variance), variance)
    errors = np.sqrt(variance + between)
    return Funnel(share, between, gap / errors, errors)


def between_offices(ratios: Floats, variance: Floats) -> float:
    """Return the variance between offices (τ², DerSimonian and Laird) from winsorised ratios; 0 when chance does."""
    low, high = np.quantile(ratios, [WINSORISED, 1 - WINSORISED])
    spread = float((np.clip(ratios, low, high) ** 2).mean())
    weights = 1 / variance
    offices = len(ratios)
    excess = offices * spread - (offices - 1)
    return max(0.0, excess / float(weights.sum() - (weights**2).sum() / weights.sum())) if offices > 1 else 0.0
