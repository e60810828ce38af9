"""Comparable places, and between which values one is in the usual variation: funnel limits (Spiegelhalter, 2005).

Comparable means: same network, same type, size of the same third. There is no rank. Nothing is drawn here.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING

from pipelines.mechanics.french import counted, number_text
from pipelines.portal.figures import Figure, Indicator, Place
from pipelines.portal.sentences import has_value, shown_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FEWEST_PEERS = 5  # with limits: below, how much offices differ cannot be told from chance
_FEWEST_OF_A_THIRD = 10  # below, offices of all sizes are compared together
_TRIMMED = 0.1  # of each side, pulled in before the variation between offices is estimated
NORMAL_95, NORMAL_998 = 1.959964, 3.090232


@dataclass(frozen=True, eq=False)
class PeerGroup:
    """Places compared with one another in a year; ``label`` says which: « 42 structures (CPAM), base de 50 à 200 ».

    Each is equal to itself alone, so that what is drawn of it may be kept by it.
    """

    label: str
    indicator: Indicator
    year: int
    figures: tuple[Figure, ...]
    noun: str = "structure"

    @cached_property
    def is_share(self) -> bool:
        """Whether chance is binomial: a percentage of a known base. Else the published interval says it."""
        return self.indicator.unit == "%" and all(figure.base for figure in self.figures)

    @cached_property
    def values(self) -> list[float]:
        """The published values, ascending."""
        return sorted(figure.value for figure in self.figures if figure.value is not None)

    @cached_property
    def centre(self) -> float:
        """The value of all together: of all bases for shares, the median of offices else."""
        if not self.is_share:
            return median(self.values)
        bases = [figure.base or 0 for figure in self.figures]
        return sum((figure.value or 0) * base for figure, base in zip(self.figures, bases, strict=True)) / sum(bases)

    @cached_property
    def between(self) -> float:
        """The variance between offices beyond chance (DerSimonian and Laird, on trimmed deviations)."""
        known = [(figure.value or 0.0, error) for figure in self.figures if (error := self._error(figure))]
        if len(known) < FEWEST_PEERS:
            return 0.0
        deviations = sorted((value - self.centre) / error for value, error in known)
        trimmed = int(len(known) * _TRIMMED)
        low, high = deviations[trimmed], deviations[-1 - trimmed]
        total = sum(min(max(deviation, low), high) ** 2 for deviation in deviations)
        weights = [1 / error**2 for _, error in known]
        spread = sum(weights) - sum(weight**2 for weight in weights) / sum(weights)
        return max(0.0, (total - (len(known) - 1)) / spread)

    def limits(self, figure: Figure, normal: float = NORMAL_95) -> tuple[float, float] | None:
        """Return between which values an office of this base is in the usual variation, None where it can't be told."""
        error = self._error(figure)
        if not error or len(self.figures) < FEWEST_PEERS:
            return None
        half = normal * math.sqrt(error**2 + self.between)
        low, high = self.centre - half, self.centre + half
        return (max(0.0, low), min(100.0, high)) if self.is_share else (low, high)

    @cached_property
    def quartiles(self) -> tuple[float, float, float]:
        """The first quartile, the median and the third: values of offices, or halfway between two."""
        middle = len(self.values) // 2
        upper = self.values[-middle:] if middle else self.values
        return median(self.values[:middle] or self.values), median(self.values), median(upper)

    def _error(self, figure: Figure) -> float:
        """Return the standard error of chance, 0 where it can't be told."""
        if self.is_share:
            return math.sqrt(self.centre * (100 - self.centre) / figure.base) if figure.base else 0.0
        low, high = shown_interval(figure) or (0.0, 0.0)
        return (high - low) / (2 * NORMAL_95)


def peer_groups(
    observed: Iterable[tuple[Place, Figure]], indicator: Indicator, noun: str = "structure"
) -> dict[tuple[str, str], PeerGroup]:
    """Group the places of a year by network, type and third of size; keys are network and code.

    Places are of one level, ``noun`` names one. Built once for an indicator and a year, then asked by ``strip``.
    """
    alike: dict[tuple[str, str | None], list[tuple[Place, Figure]]] = defaultdict(list)
    for place, figure in observed:
        if has_value(figure):
            alike[(place.network, place.kind)].append((place, figure))
    groups: dict[tuple[str, str], PeerGroup] = {}
    for (_, kind), held in alike.items():
        for sized, members in _thirds(held):
            figures = tuple(figure for _, figure in members)
            alike_in = f" ({kind})" if kind else ""
            label = f"{counted(len(figures), f'{noun} comparable')}{alike_in}{sized}"
            group = PeerGroup(label, indicator, figures[0].year, figures, noun)
            groups |= {(place.network, place.code): group for place, _ in members}
    return groups


def _thirds(held: Sequence[tuple[Place, Figure]]) -> list[tuple[str, list[tuple[Place, Figure]]]]:
    """Cut offices in three by their base, where there are enough; offices of one base stay together."""
    bases = sorted(figure.base for _, figure in held if figure.base is not None)
    if len(held) < 3 * _FEWEST_OF_A_THIRD or len(bases) < len(held):
        return [(", toutes tailles", list(held))]
    bounds = [bases[len(bases) // 3], bases[2 * len(bases) // 3]]
    thirds: list[list[tuple[Place, Figure]]] = [[], [], []]
    for place, figure in held:
        thirds[bisect_right(bounds, figure.base or 0)].append((place, figure))
    return [(_size(third), third) for third in thirds if third]


def _size(held: Sequence[tuple[Place, Figure]]) -> str:
    bases = [figure.base or 0 for _, figure in held]
    return f", base de {number_text(min(bases), 0)} à {number_text(max(bases), 0)}"
