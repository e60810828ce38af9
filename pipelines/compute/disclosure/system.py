"""What a reader of the published figures can write down: cells, additive links between them, bounds known beforehand.

Plain arrays, no names of columns; which published rows make the cells is in ``cells``.

Vocabulary and method: Hundepool et al., *Statistical Disclosure Control* (Wiley, 2012), chapter 4; Fischetti & Salazar
(2001) for the attacker's problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array, csgraph

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]

EPSILON = 1e-6  # persons, or parts of a magnitude's unit: below, two bounds are the same
_ROUNDS = 30  # of tightening; every one is sound, so that stopping early only leaves work to the linear programme


@dataclass(frozen=True)
class Problem:
    """All cells, hidden or not, of some tables; a *unit* is what is hidden together (one place and period).

    ``links``: CSR, one row per link, additive (+1 for the parts, -1 for the total) or between two nearly equal bases
    (+1 and minus their ratio): ``links @ quantity`` is within ``tolerance`` (one per link).
    ``quantity``: NaN when nobody publishes it. ``unit``: of each cell. ``primary``: of
    each cell, its own base is too small. ``low_a, high_a``: what the rule and the published status A tell of a hidden
    cell; ``low_d, high_d``: what status D tells. ``width_a``, ``width_d``: how wide the attacker's interval must stay.
    Per unit, ``cost``: what hiding it loses; ``open_``: hiding it may help (it is neither absent nor public).
    """

    links: csr_array
    tolerance: Numbers
    quantity: Numbers
    unit: NDArray[np.int64]
    primary: Flags
    low_a: Numbers
    high_a: Numbers
    low_d: Numbers
    high_d: Numbers
    width_a: Numbers
    width_d: Numbers
    cost: Numbers
    open_: Flags

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.cost)

    def primary_units(self) -> Flags:
        """Return which units have a primary cell."""
        return np.bincount(self.unit, self.primary, self.units) > 0

    def part(
        self, cells: NDArray[np.int64], links: NDArray[np.int64], units: NDArray[np.int64], unit: NDArray[np.int64]
    ) -> Problem:
        """Return the problem of those cells, links and units alone; ``unit``: of each cell, its number among them."""
        per_cell = ("quantity", "primary", "low_a", "high_a", "low_d", "high_d", "width_a", "width_d")
        return Problem(
            self.links[links][:, cells],
            self.tolerance[links],
            unit=unit.astype(np.int64),
            cost=self.cost[units],
            open_=self.open_[units],
            **{name: getattr(self, name)[cells] for name in per_cell},
        )

    def seen(self, hidden: Flags) -> System:
        """Return what the attacker sees when the units of ``hidden`` are."""
        concealed = hidden[self.unit]
        unknown = concealed | np.isnan(self.quantity)
        largest = np.nanmax(np.abs(np.where(unknown, np.nan, self.quantity)), initial=0.0)
        cap = 4 * largest + 1000  # above anything true, so that no linear programme is unbounded
        low = np.where(concealed, np.where(self.primary, self.low_a, self.low_d), 0.0)
        high = np.where(concealed, np.where(self.primary, self.high_a, self.high_d), cap)
        width = np.where(concealed, np.where(self.primary, self.width_a, self.width_d), 0.0)
        return System(
            self.links,
            self.tolerance,
            np.where(unknown, low, self.quantity),
            np.where(unknown, np.minimum(high, cap), self.quantity),
            unknown,
            np.minimum(width, np.maximum(high - low, 0.0)),
        )


@dataclass(frozen=True)
class System:
    """Bounds of every cell before the attack (equal when it is published), and the width to keep of the hidden ones."""

    links: csr_array
    tolerance: Numbers
    low: Numbers
    high: Numbers
    unknown: Flags
    width: Numbers


def tightened(system: System) -> tuple[Numbers, Numbers, Flags]:
    """Return bounds tightened link by link, and the links that contradict what is published (the attacker drops them).

    Sound but not always sharp: a cell bounded too tightly here is so in truth; the linear programme finds the others.
    """
    low, high = system.low.copy(), system.high.copy()
    rows, columns, factors = _entries(system.links)
    active = system.unknown[columns]
    links = system.links.shape[0]
    public = np.bincount(rows[~active], (factors * low[columns])[~active], links)
    rows, columns, factors = rows[active], columns[active], factors[active]
    dropped = np.zeros(links, dtype=bool)
    for _ in range(_ROUNDS):
        least = factors * np.where(factors > 0, low[columns], high[columns])  # smallest contribution of each entry
        most = factors * np.where(factors > 0, high[columns], low[columns])
        total_least = public + np.bincount(rows, least, links)
        total_most = public + np.bincount(rows, most, links)
        slack = system.tolerance + EPSILON * 0.01 * (1 + np.maximum(abs(total_least), abs(total_most)) * 1e-6)
        dropped |= (total_least > slack) | (total_most < -slack)
        use = ~dropped[rows]
        top = ((slack - total_least)[rows] + least) / factors  # largest contribution that the others leave
        bottom = ((-slack - total_most)[rows] + most) / factors
        new_high = np.where(factors > 0, top, bottom)[use]
        new_low = np.where(factors > 0, bottom, top)[use]
        before = low.copy(), high.copy()
        np.minimum.at(high, columns[use], new_high)
        np.maximum.at(low, columns[use], new_low)
        crossed = low > high  # contradictory: the linear programme will say so; keep the interval a point
        low[crossed], high[crossed] = before[0][crossed], before[1][crossed]
        if np.abs(low - before[0]).max(initial=0) < EPSILON and np.abs(high - before[1]).max(initial=0) < EPSILON:
            break
    return low, high, dropped


def unknown_in(system: System) -> NDArray[np.int64]:
    """Return the number of unknown cells of each link."""
    rows, columns, _ = _entries(system.links)
    return np.bincount(rows[system.unknown[columns]], minlength=system.links.shape[0])


def components(system: System) -> NDArray[np.int64]:
    """Return, per cell, the number of the connected component of unknown cells it is in; -1 for what is published."""
    rows, columns, _ = _entries(system.links)
    use = system.unknown[columns]
    count = len(system.low)
    nodes = count + system.links.shape[0]
    graph: Any = _graph(rows[use] + count, columns[use], nodes)
    labels = csgraph.connected_components(graph, directed=False)[1][:count]
    return np.where(system.unknown, labels, -1).astype(np.int64)


def _graph(rows: NDArray[Any], columns: NDArray[Any], nodes: int) -> Any:
    return coo_array((np.ones(len(rows)), (rows, columns)), shape=(nodes, nodes)).tocsr()


def _entries(links: csr_array) -> tuple[NDArray[np.int64], NDArray[np.int64], Numbers]:
    """Return link, cell and factor of every entry."""
    rows = np.repeat(np.arange(links.shape[0]), np.diff(links.indptr))
    return rows, links.indices.astype(np.int64), links.data
