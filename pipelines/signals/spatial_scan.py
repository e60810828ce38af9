"""Where and since when voices cluster: the group of neighbouring départements least like the rest of the country.

Kulldorff (2001), "Prospective time periodic geographical disease surveillance using a scan statistic", Journal of the
Royal Statistical Society A 164(1): Poisson counts of means proportional to the volume of all voices; zones are a
département and its nearest neighbours, windows the last months. One test for all zones, by Monte Carlo; it stops early
where nothing is sure (Besag and Clifford 1991, Biometrika 78), and far tails follow Gumbel's law (Abrams, Kulldorff and
Kleinman 2010, International Journal of Health Geographics 9).
"""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.signals.ledger import NO_TEST
from pipelines.signals.voice_series import ALL, FEELINGS, FELT, KEY, YEAR, of_each_service

if TYPE_CHECKING:
    import datetime

    import duckdb
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Singles = NDArray[np.float32]

SCANNED = 20  # voices in a year below which no cluster is looked for
CENTRES = Path(__file__).with_name("department_centres.json")
SIZES = (1, 2, 3, 4, 6, 8, 11, 15)  # départements of a zone
WINDOWS = (1, 2, 3, 6)  # months
_BATCHES = (9, 10, 30, 50, 100, 200, 200, 200, 200)  # draws, 999 in all; a test stops once it is hopeless:
_HOPELESS = 3  # so many draws as far as what is seen
_EULER = 0.5772156649015329
_PLACES = """
SELECT network, service, theme, {feelings} AS feeling, department AS territory, month_lag, day, voices
FROM cells WHERE network = $network AND service = $service AND department <> ''
"""


def scan_tests(connection: duckdb.DuckDBPyConnection, month: datetime.date) -> pd.DataFrame:
    """Return one test a service, theme and feeling: its likeliest cluster of départements, codes in ``territory``."""
    tests = [
        line
        for cells in of_each_service(connection, "cells", _PLACES.format(feelings=FELT))
        for line in _scan_lines(cells, month)
    ]
    return pd.DataFrame(tests) if tests else NO_TEST


def _scan_lines(cells: pd.DataFrame, month: datetime.date) -> list[dict[str, object]]:
    """Return the tests of one service."""
    places = pd.Index(france().codes)
    cells = cells.assign(place=places.get_indexer(pd.Index(cells["territory"])))
    cells = cells[cells["place"] >= 0]
    scan = Scan(_month_map(cells[(cells["theme"] == ALL) & (cells["feeling"] == ALL)]), france())
    tested = cells[cells["feeling"].isin(FEELINGS) & ((cells["theme"] != ALL) | (cells["feeling"] != ALL))]
    return [
        _cluster_line(tuple(map(str, key)), cells_of_test, scan, month)
        for key, cells_of_test in tested.groupby(KEY, sort=True)
        if cells_of_test["voices"].sum() >= SCANNED
    ]


def _cluster_line(key: tuple[str, ...], cells: pd.DataFrame, scan: Scan, month: datetime.date) -> dict[str, object]:
    seed = zlib.crc32("\n".join([*key, month.isoformat()[:7]]).encode())  # the same month draws the same maps
    cluster = scan.cluster(_month_map(cells), np.random.default_rng(seed))
    codes = france().inside(cluster.zone)
    inside = np.isin(cells["territory"].to_numpy(), codes) & (cells["month_lag"] < cluster.months).to_numpy()
    days = np.unique(cells["day"].to_numpy()[inside])
    spread = np.exp(1.96 / np.sqrt(max(cluster.observed, 1.0)))
    ratio = cluster.observed / cluster.expected if cluster.expected > 0 else np.nan
    since = pd.Period(month, "M") - (cluster.months - 1)
    return {
        **dict(zip(KEY, key, strict=True)),
        "territory": " ".join(codes),
        "observed": cluster.observed,
        "expected": cluster.expected,
        "ratio": ratio,
        "ratio_low": ratio / spread,
        "ratio_high": ratio * spread,
        "p_value": cluster.p_value,
        "voices": int(cells["voices"].to_numpy()[inside].sum()),
        "days": len(days),
        "share": cluster.observed / max(scan.volume(cluster), 1.0),
        "since": str(since),
    }


def _month_map(cells: pd.DataFrame) -> Floats:
    """Return the voices of the months of the year, the last at the end, in every département."""
    voices = np.zeros((YEAR, len(france().codes)))
    np.add.at(voices, (YEAR - 1 - cells["month_lag"].to_numpy(), cells["place"].to_numpy()), cells["voices"].to_numpy())
    return voices


@dataclass(frozen=True)
class Map:
    """Départements and their zones: each with its nearest neighbours in order, ``len(codes)`` standing for none."""

    codes: tuple[str, ...]
    neighbours: Integers

    def inside(self, zone: int) -> list[str]:
        """Return the codes of the départements of a zone: a centre first, then its neighbours."""
        centre, size = divmod(zone, len(SIZES))
        return [self.codes[rank] for rank in self.neighbours[centre, : SIZES[size]] if rank < len(self.codes)]

    def in_zones(self, counts: Floats) -> Singles:
        """Return the counts of every zone from those of départements, along the last axis."""
        none = np.zeros((*counts.shape[:-1], 1))
        padded = np.concatenate([counts, none], axis=-1).astype(np.float32)
        sums = np.cumsum(padded[..., self.neighbours], axis=-1)[..., np.array(SIZES) - 1]
        return sums.reshape(*counts.shape[:-1], -1)

    @cached_property
    def members(self) -> Singles:
        """Which départements each zone holds: 1 or 0, départements × zones."""
        return self.in_zones(np.eye(len(self.codes)))

    def whole_in_zones(self, counts: Floats) -> Singles:
        """Return the same of whole numbers, faster: their sums are exact in any order."""
        return counts.astype(np.float32) @ self.members


@dataclass(frozen=True, slots=True)
class Cluster:
    """The likeliest cluster: a zone, its last ``months``, what was seen and expected there, its chance."""

    zone: int
    months: int
    observed: float
    expected: float
    gain: float
    p_value: float


@cache
def france() -> Map:
    """Return the départements with their neighbours by the distance of centres; those overseas are each alone."""
    centres = json.loads(CENTRES.read_text("utf-8"))
    return zones_of({code: (x, y) for code, (x, y) in centres["centres"].items()}, tuple(centres["alone"]))


def zones_of(centres: dict[str, tuple[float, float]], alone: tuple[str, ...] = ()) -> Map:
    """Return the zones of a map: every centre with its nearest neighbours, and each place that is alone."""
    codes = (*centres, *alone)
    places = np.array(list(centres.values()), dtype=np.float64)
    distances = np.hypot(*(places[:, None] - places[None, :]).transpose(2, 0, 1))
    nearest = np.argsort(distances, axis=1, kind="stable")[:, : SIZES[-1]]
    neighbours = np.full((len(codes), SIZES[-1]), len(codes), dtype=np.int64)
    neighbours[: len(centres), : nearest.shape[1]] = nearest
    neighbours[len(centres) :, 0] = np.arange(len(centres), len(codes))
    return Map(codes, neighbours)


class Scan:
    """The maps that a volume of voices (months × départements, the last month judged) lets expect."""

    def __init__(self, volumes: Floats, places: Map) -> None:
        shares = volumes / volumes.sum()
        self._volumes, self._places = volumes, places
        self._limits = np.cumsum(shares.ravel())
        self._shares = places.in_zones(_windows(shares[None])[0]).astype(np.float64)

    def cluster(self, counts: Floats, random: np.random.Generator) -> Cluster:
        """Return the likeliest cluster of counts of the volumes' shape, whose whole is shared out like them."""
        whole = int(counts.sum())
        gains = _Gains(whole, whole * self._shares)
        observed = self._places.in_zones(_windows(counts[None]))
        gained = gains.of(observed)[0]
        window, zone = np.unravel_index(int(gained.argmax()), gained.shape)
        best = float(gained[window, zone])
        chance = self._chance(best, whole, counts.shape, gains, random)
        figures = (float(observed[0, window, zone]), float(gains.expected[window, zone]), best)
        return Cluster(int(zone), WINDOWS[window], *figures, chance)

    def volume(self, cluster: Cluster) -> float:
        """Return the volume of all voices in a cluster."""
        return float(self._places.in_zones(self._volumes[-cluster.months :])[:, cluster.zone].sum())

    def _chance(
        self, best: float, whole: int, shape: tuple[int, ...], gains: _Gains, random: np.random.Generator
    ) -> float:
        """Return how likely a cluster as high is: by Monte Carlo, and Gumbel's law when no draw is as high."""
        cells = len(self._limits)
        draws = np.empty(0)
        for size in _BATCHES:
            drawn = np.searchsorted(self._limits, random.random((size, whole)) * self._limits[-1], side="right")
            flat = np.minimum(drawn, cells - 1) + np.arange(size)[:, None] * cells
            maps = np.bincount(flat.ravel(), minlength=size * cells).reshape(size, *shape).astype(np.float64)
            draws = np.append(draws, gains.of(self._places.whole_in_zones(_windows(maps))).max(axis=(1, 2)))
            farther = int((draws >= best).sum())
            if farther >= _HOPELESS:
                break
        share = (1 + farther) / (1 + len(draws))
        return min(share, _gumbel(best, draws)) if not farther else share


class _Gains:
    """Logarithms of likelihood ratios of integer counts, by tables: c log(c/E) + (C - c) log((C - c)/(C - E))."""

    def __init__(self, whole: int, expected: Floats) -> None:
        counts = np.arange(whole + 1, dtype=np.float64)
        inside = counts * np.log(np.maximum(counts, 1))
        usable = (expected > 0) & (expected <= whole / 2)
        possible = np.where(usable, expected, 0.5)
        self.expected = expected
        self._terms = (inside + inside[::-1]).astype(np.float32)
        self._least = np.where(usable, expected, np.inf).astype(np.float32)
        self._slope = (np.log(possible) - np.log(whole - possible)).astype(np.float32)
        self._constant = (whole * np.log(whole - possible)).astype(np.float32)

    def of(self, counts: Singles) -> Singles:
        """Return the gains of counts (maps × windows × zones), 0 where no more is seen than expected."""
        gains = self._terms.take(counts.astype(np.intp)) - counts * self._slope - self._constant
        positive: Singles = gains * (counts > self._least)
        return positive


def _windows(counts: Floats) -> Floats:
    """Return the counts of the last months of each window: maps × windows × départements."""
    sums: Floats = np.cumsum(counts[:, ::-1][:, : WINDOWS[-1]], axis=1)[:, np.array(WINDOWS) - 1]
    return sums


def _gumbel(best: float, draws: Floats) -> float:
    scale = float(draws.std(ddof=1)) * math.sqrt(6) / math.pi
    place = float(draws.mean()) - _EULER * scale
    return -math.expm1(-math.exp(-(best - place) / scale)) if scale > 0 else 1.0
