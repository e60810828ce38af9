"""Which units to hide with the primary ones so that the attacker bounds no hidden cell too tightly. Arrays only.

Greedy, link by link, as in the hypercube and modular methods of tau-ARGUS (Hundepool et al. 2012, sections 4.4-4.5):
the cheapest cell of the link that exposes; then the linear programme; then whatever proved superfluous is shown again.
Protection only grows when more is hidden, so the last step leaves a set of which no unit alone can be spared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipelines.compute.disclosure.attack import attack
from pipelines.compute.disclosure.system import EPSILON, Problem, components, tightened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from pipelines.compute.disclosure.attack import Intervals
    from pipelines.compute.disclosure.system import Flags, Numbers, System

_REACHES = (2, 4, None)  # links off the unit that is shown; None: the whole component


def secondary(problem: Problem, kept: Flags | None = None) -> Flags:
    """Return the units to hide besides the primary ones. Ties go to the first unit: sort units by their key.

    ``kept``: units to hide in any case; what they already protect is not looked for again.
    Cells that stay exposed although everything that could help is hidden (what protects them is already public) keep
    what they have, and are for the audit to report.
    """
    primary = problem.primary_units()
    if not primary.any():
        return np.zeros(problem.units, dtype=bool)
    start = primary if kept is None else primary | kept
    hidden = np.zeros(problem.units, dtype=bool)
    for units, part in _blocks(problem, start):
        search = _Search(part, start[units])
        search.close_links()
        search.close_programme()
        search.spare()
        hidden[units] = search.hidden
    return hidden & ~primary


def _blocks(problem: Problem, start: Flags) -> Iterator[tuple[NDArray[np.int64], Problem]]:
    """Give the parts of the problem that share no link and no unit that may be hidden, where something is."""
    movable = (problem.open_ | start)[problem.unit]
    cells, entries = len(problem.unit), problem.links.tocoo()
    nodes = cells + problem.units + problem.links.shape[0]
    one = np.concatenate([entries.col, np.flatnonzero(movable)])
    other = np.concatenate([cells + problem.units + entries.row, cells + problem.unit[movable]])
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(nodes, nodes))
    labels = connected_components(graph, directed=False)[1]
    for label in np.unique(labels[cells : cells + problem.units][start]):
        inside = np.flatnonzero(labels[:cells] == label)
        units, unit = np.unique(problem.unit[inside], return_inverse=True)
        yield units, problem.part(inside, np.flatnonzero(labels[cells + problem.units :] == label), units, unit)


class _Search:
    def __init__(self, problem: Problem, primary: Flags) -> None:
        self.problem, self.primary, self.hidden = problem, primary, primary.copy()
        links = problem.links
        self._rows = np.repeat(np.arange(links.shape[0]), np.diff(links.indptr))
        self._links_of = links.tocsc()
        order = np.argsort(problem.unit, kind="stable")
        self._cells = np.split(order, np.cumsum(np.bincount(problem.unit, minlength=problem.units))[:-1])

    def close_links(self) -> None:
        """Hide until the bounds tightened link by link expose nothing."""
        while True:
            system = self.problem.seen(self.hidden)
            low, high, _ = tightened(system)
            exposed = (system.width > 0) & (high - low < system.width - EPSILON)
            if not self._hide_for(np.flatnonzero(exposed), system):
                return

    def close_programme(self) -> None:
        """Hide until the linear programme exposes nothing; only components that changed are attacked again."""
        only: Flags | None = None
        while True:
            system = self.problem.seen(self.hidden)
            found = attack(system, only)
            exposed = found.exposed
            labels = components(system)
            before = self.hidden.copy()
            cells = np.flatnonzero(exposed)
            first = cells[np.unique(labels[cells], return_index=True)[1]]  # one per component at a time
            if not (self._hide_for(first, system) or self._hide_for(cells, system)):
                self._keep(exposed, found)
                return
            self.close_links()
            labels = components(self.problem.seen(self.hidden))
            changed = (self.hidden & ~before)[self.problem.unit]
            again = np.isin(labels, np.unique(labels[(changed | exposed) & (labels >= 0)]))
            only = again

    def _keep(self, exposed: Flags, found: Intervals) -> None:
        """Ask no more for the cells that nothing else can help than what they have, but no less either."""
        reached = np.where(exposed, np.maximum(found.high - found.low, 0.0), np.inf)
        problem = self.problem
        self.problem = replace(
            problem, width_a=np.minimum(problem.width_a, reached), width_d=np.minimum(problem.width_d, reached)
        )

    def spare(self) -> None:
        """Show again, dearest first, each unit whose hiding proves superfluous; one at a time in each component.

        A secondary unit that others exposed without protecting any primary one is shown with them: hidden cells that
        only protect one another are of no use. What is shown hardly exposes far away: only cells a few links off are
        attacked each time, with the links between them, then all of them once; if one is exposed after all, everything
        is done again from farther.
        """
        before = self.hidden.copy()
        for reach in _REACHES:
            self.hidden = before.copy()
            self._spare(reach)
            left = attack(self.problem.seen(self.hidden), verdict_only=True).exposed
            if not self.primary[self.problem.unit[left]].any():
                return

    def _spare(self, reach: int | None) -> None:
        problem = self.problem
        added = np.flatnonzero(self.hidden & ~self.primary)
        order = added[np.lexsort((added, -problem.cost[added]))]
        low, high, _ = tightened(system := problem.seen(self.hidden))
        waiting = np.array([unit for unit in order if not self._needed(unit, system, low, high)], dtype=np.int64)
        while len(waiting):
            group = self._groups()
            chosen = waiting[np.unique(group[waiting], return_index=True)[1]]
            waiting = waiting[~np.isin(waiting, chosen)]
            self._show(chosen, group, reach)
            waiting = waiting[self.hidden[waiting]]

    def _show(self, chosen: NDArray[np.int64], group: NDArray[np.int64], reach: int | None) -> None:
        """Show those units, of one per group, that expose no primary cell, with the secondary ones they expose."""
        problem = self.problem
        shown = np.zeros(problem.units, dtype=bool)
        shown[chosen] = True
        trying = np.unique(group[chosen])
        while len(trying):
            tried = self.hidden & ~(shown & np.isin(group, trying))
            part = np.isin(group[problem.unit], trying)
            closely = self._around(shown, reach) if reach else None
            within = self._around(shown, reach + 1) if reach else None
            found = attack(problem.seen(tried), part, verdict_only=True, closely=closely, within=within)
            exposed = found.exposed
            units = np.unique(problem.unit[exposed])
            lost = np.unique(group[units[self.primary[units]]])
            with_others = np.setdiff1d(np.unique(group[units]), lost)
            fine = np.setdiff1d(trying, np.union1d(lost, with_others))
            self.hidden &= ~(shown & np.isin(group, fine))
            shown[units[np.isin(group[units], with_others)]] = True
            trying = with_others

    def _around(self, units: Flags, reach: int) -> Flags:
        """Return the cells that are at most so many links off those of the units, through hidden ones."""
        links, found = abs(self.problem.links), units[self.problem.unit]
        for _ in range(reach):
            found = (links.T @ (links @ found.astype(float)) > 0) & self.hidden[self.problem.unit]
        return found

    def _groups(self) -> NDArray[np.int64]:
        """Return, per unit, a number shared by the units whose cells are connected through hidden ones."""
        problem = self.problem
        labels = components(problem.seen(self.hidden))
        cells = np.flatnonzero(labels >= 0)
        nodes = problem.units + int(labels.max()) + 1
        pairs = problem.unit[cells], problem.units + labels[cells]
        graph = coo_array((np.ones(len(cells)), pairs), shape=(nodes, nodes))
        found: NDArray[np.int64] = connected_components(graph, directed=False)[1][: problem.units]
        return found

    def _needed(self, unit: int, system: System, low: Numbers, high: Numbers) -> bool:
        """Return whether showing the unit exposes a primary cell of one of its links, whatever else is shown.

        ``low, high``: as narrow as they are with everything hidden; they only narrow when some of it is shown.
        """
        problem = self.problem
        for cell in self._cells[unit]:
            for link in self._links(cell):
                others, factors = self._members(link), self._signs(link)
                known = (problem.unit[others] == unit) & ~np.isnan(problem.quantity[others])
                ends = [factors * np.where(known, problem.quantity[others], end[others]) for end in (low, high)]
                down, up = np.minimum(*ends), np.maximum(*ends)
                slack = problem.tolerance[link] + EPSILON
                if down.sum() > slack or up.sum() < -slack:
                    continue  # contradictory: nobody believes it
                room = np.minimum(up, slack - down.sum() + down) - np.maximum(down, up - slack - up.sum())
                asked = ~known & problem.primary[others]
                if (asked & (room / abs(factors) < system.width[others] - 4 * EPSILON)).any():
                    return True
        return False

    def _links(self, cell: int) -> NDArray[np.int64]:
        matrix = self._links_of
        found: NDArray[np.int64] = matrix.indices[matrix.indptr[cell] : matrix.indptr[cell + 1]].astype(np.int64)
        return found

    def _members(self, link: int) -> NDArray[np.int64]:
        matrix = self.problem.links
        found: NDArray[np.int64] = matrix.indices[matrix.indptr[link] : matrix.indptr[link + 1]].astype(np.int64)
        return found

    def _signs(self, link: int) -> NDArray[np.float64]:
        matrix = self.problem.links
        found: NDArray[np.float64] = matrix.data[matrix.indptr[link] : matrix.indptr[link + 1]]
        return found

    def _hide_for(self, exposed: NDArray[np.int64], system: System) -> bool:
        """Hide one more unit for each link that exposes a cell, but one a round; return whether any could be hidden."""
        served: set[int] = set()
        for cell in exposed:
            links = self._links(cell)
            if served.intersection(links.tolist()):
                continue
            chosen = self._choice(links)
            if chosen is None:  # its own links are all hidden: widen the component
                near = _union(self._members(link) for link in links.tolist())
                chosen = self._choice(_union(self._links(other) for other in near.tolist() if system.unknown[other]))
            if chosen is None:
                chosen = self._anywhere(cell, system)
            if chosen is None:
                continue
            self.hidden[chosen] = True
            for sibling in self._cells[chosen]:
                served.update(self._links(sibling).tolist())
        return bool(served)

    def _anywhere(self, cell: int, system: System) -> int | None:
        labels = components(system)
        members = np.flatnonzero(labels == labels[cell])
        return self._choice(_union(self._links(other) for other in members.tolist()))

    def _choice(self, links: NDArray[np.int64]) -> int | None:
        """Return the unit to hide among those of the links with the fewest hidden: see ``_key``; None if none helps."""
        problem = self.problem
        for link in sorted(links.tolist(), key=lambda item: (self._hidden_in(item), item)):
            cells = self._members(link)
            units = problem.unit[cells]
            helps = (problem.quantity[cells] > EPSILON) | (self._signs(link) < 0)  # a part of nothing gives no room
            possible = ~self.hidden[units] & problem.open_[units] & helps
            if possible.any():
                return int(problem.unit[min(cells[possible].tolist(), key=lambda item: self._key(item, link))])
        return None

    def _key(self, cell: int, link: int) -> tuple[float, float, int]:
        """Prefer what opens no new subtraction elsewhere, then enough room to move, then the least loss."""
        problem = self.problem
        unit = int(problem.unit[cell])
        opened = sum(1 for other in self._links(cell) if other != link and self._hidden_in(int(other)) == 0)
        tight = problem.quantity[cell] - problem.low_d[cell] < problem.width_a[cell]
        return float(opened + tight), float(problem.cost[unit]), unit

    def _hidden_in(self, link: int) -> int:
        return int(self.hidden[self.problem.unit[self._members(link)]].sum())


def _union(parts: Iterable[NDArray[np.int64]]) -> NDArray[np.int64]:
    found = list(parts)
    return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
