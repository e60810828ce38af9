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
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]

CENTRES = Path(__file__).with_name("department_centres.json")
NEIGHBOURS = 15  # départements in a zone, at most
WINDOWS = 6  # months, at most
_BATCHES = (
    19,
    30,
    50,
    100,
    200,
    200,
    200,
    200,
)  # of draws, 999 in all: a test stops after the batch that makes it hopeless
_HOPELESS = 5  # draws as far as what is seen
_EULER = 0.5772156649015329


@dataclass(frozen=True, slots=True)
class Map:
    """Départements and their zones: ``codes``; ``zones``: zones × départements, 1 inside."""

    codes: tuple[str, ...]
    zones: Floats

    def inside(self, zone: int) -> list[str]:
        """Return the codes of the départements of a zone."""
        return [code for code, held in zip(self.codes, self.zones[zone], strict=True) if held]


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
    told = json.loads(CENTRES.read_text("utf-8"))
    return zones_of({code: (x, y) for code, (x, y) in told["centres"].items()}, tuple(told["alone"]))


def zones_of(centres: dict[str, tuple[float, float]], alone: tuple[str, ...] = ()) -> Map:
    """Return every different zone of a centre and its 0 to 14 nearest neighbours, and each place that is alone."""
    codes = (*centres, *alone)
    places = np.array(list(centres.values()), dtype=np.float64).reshape(-1, 2)
    distances = np.hypot(*(places[:, None] - places[None, :]).T).T
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :NEIGHBOURS]
    found = {frozenset(row[: size + 1].tolist()) for row in nearest for size in range(len(row))}
    found |= {frozenset([len(centres) + rank]) for rank in range(len(alone))}
    zones = np.zeros((len(found), len(codes)))
    for rank, members in enumerate(sorted(found, key=sorted)):
        zones[rank, sorted(members)] = 1.0
    return Map(codes, zones)


def cluster(counts: Floats, volumes: Floats, places: Map, random: np.random.Generator) -> Cluster | None:
    """Return the likeliest cluster of ``counts`` (months × départements, the last judged), None when none is high.

    ``volumes``: all voices, of the same shape: what is expected is the whole count shared out in proportion.
    """
    whole = int(counts.sum())
    shares = volumes / volumes.sum()
    zones = places.zones.T.astype(np.float32)
    gains = _Gains(whole, whole * _windows(shares[None])[0] @ places.zones.T)
    seen = _in_zones(counts[None], zones)
    found = gains.of(seen)[0]
    window, zone = np.unravel_index(int(found.argmax()), found.shape)
    if found[window, zone] <= 0:
        return None
    chance = _chance(float(found[window, zone]), whole, shares, zones, gains, random)
    told = (float(seen[0, window, zone]), float(gains.expected[window, zone]), float(found[window, zone]))
    return Cluster(int(zone), int(window) + 1, *told, chance)


class _Gains:
    """Logarithms of likelihood ratios of integer counts, by tables: c log(c/E) + (C - c) log((C - c)/(C - E))."""

    def __init__(self, whole: int, expected: Floats) -> None:
        counts = np.arange(whole + 1, dtype=np.float64)
        inside = counts * np.log(np.maximum(counts, 1))
        usable = (expected > 0) & (expected <= whole / 2)
        held = np.where(usable, expected, 0.5)
        self.expected = expected
        self._terms = (inside + inside[::-1]).astype(np.float32)
        self._least = np.where(usable, expected, np.inf).astype(np.float32)
        self._slope = (np.log(held) - np.log(whole - held)).astype(np.float32)
        self._constant = (whole * np.log(whole - held)).astype(np.float32)

    def of(self, counts: Singles) -> Singles:
        """Return the gains of counts (maps × windows × zones), 0 where no more is seen than expected."""
        gains = self._terms.take(counts.astype(np.intp)) - counts * self._slope - self._constant
        told: Singles = gains * (counts > self._least)
        return told


def _windows(counts: Floats) -> Floats:
    """Return the counts of the last 1, 2 … months: maps × windows × départements."""
    return np.cumsum(counts[:, ::-1][:, :WINDOWS], axis=1)


def _in_zones(maps: Floats, zones: Singles) -> Singles:
    """Return the counts of the windows of maps in each zone: maps × windows × zones."""
    windows = _windows(maps).astype(np.float32)
    return (windows.reshape(-1, windows.shape[-1]) @ zones).reshape(*windows.shape[:2], -1)


def _chance(
    best: float, whole: int, shares: Floats, zones: Singles, gains: _Gains, random: np.random.Generator
) -> float:
    """Return how likely a cluster as high is: by Monte Carlo, and Gumbel's law when no draw is as high."""
    limits = np.cumsum(shares.ravel())
    draws = np.empty(0)
    for size in _BATCHES:
        drawn = np.searchsorted(limits, random.random((size, whole)) * limits[-1], side="right")
        flat = np.minimum(drawn, shares.size - 1) + np.arange(size)[:, None] * shares.size
        maps = np.bincount(flat.ravel(), minlength=size * shares.size).reshape(size, *shares.shape).astype(np.float64)
        draws = np.append(draws, gains.of(_in_zones(maps, zones)).max(axis=(1, 2)))
        farther = int((draws >= best).sum())
        if farther >= _HOPELESS:
            break
    told = (1 + farther) / (1 + len(draws))
    return min(told, _gumbel(best, draws)) if not farther else told


def _gumbel(best: float, draws: Floats) -> float:
    scale = float(draws.std(ddof=1)) * math.sqrt(6) / math.pi
    place = float(draws.mean()) - _EULER * scale
    return -math.expm1(-math.exp(-(best - place) / scale)) if scale > 0 else 1.0
