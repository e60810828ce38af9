"""Which units to hide with the primary ones so that the attacker bounds no hidden cell too tightly. Arrays only.

Greedy, link by link, as in the hypercube and modular methods of tau-ARGUS (Hundepool et al. 2012, sections 4.4-4.5):
the cheapest cell of the link that exposes; then the linear programme; then whatever proved superfluous is shown again.
Protection only grows when more is hidden, so the last step leaves a set of which no unit alone can be spared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipelines.compute.disclosure.attack import attack
from pipelines.compute.disclosure.system import EPSILON, Problem, components, tightened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from pipelines.compute.disclosure.system import Flags, System


def secondary(problem: Problem, kept: Flags | None = None) -> Flags:
    """Return the units to hide besides the primary ones. Ties go to the first unit: sort units by their key.

    ``kept``: units to hide in any case; what they already protect is not looked for again.
    Cells that stay exposed although everything that could help is hidden (what protects them is already public) are
    for the audit to report.
    """
    primary = problem.primary_units()
    if not primary.any():
        return np.zeros(problem.units, dtype=bool)
    search = _Search(problem, primary if kept is None else primary | kept)
    search.close_links()
    search.close_programme()
    search.spare()
    return search.hidden & ~primary


class _Search:
    def __init__(self, problem: Problem, primary: Flags) -> None:
        self.problem, self.primary, self.hidden = problem, primary, primary.copy()
        links = problem.links
        self._rows = np.repeat(np.arange(links.shape[0]), np.diff(links.indptr))
        self._links_of = links.tocsc()
        self._hopeless = np.zeros(len(problem.unit), dtype=bool)
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
            exposed = attack(system, only).exposed
            labels = components(system)
            before = self.hidden.copy()
            cells = np.flatnonzero(exposed)
            first = cells[np.unique(labels[cells], return_index=True)[1]]  # one per component at a time
            if not (self._hide_for(first, system) or self._hide_for(cells, system)):
                self._hopeless = exposed
                return
            self.close_links()
            labels = components(self.problem.seen(self.hidden))
            changed = (self.hidden & ~before)[self.problem.unit]
            again = np.isin(labels, np.unique(labels[(changed | exposed) & (labels >= 0)]))
            only = again

    def spare(self) -> None:
        """Show again, dearest first, each unit whose hiding proves superfluous; one at a time in each component.

        A secondary unit that others exposed without protecting any primary one is shown with them: hidden cells that
        only protect one another are of no use.
        """
        problem = self.problem
        added = np.flatnonzero(self.hidden & ~self.primary)
        order = added[np.lexsort((added, -problem.cost[added]))]
        waiting = np.array([unit for unit in order if not self._alone_without(unit)], dtype=np.int64)
        while len(waiting):
            group = self._groups()
            chosen = waiting[np.unique(group[waiting], return_index=True)[1]]
            waiting = waiting[~np.isin(waiting, chosen)]
            self._show(chosen, group)
            waiting = waiting[self.hidden[waiting]]

    def _show(self, chosen: NDArray[np.int64], group: NDArray[np.int64]) -> None:
        """Show those units, of one per group, that expose no primary cell, with the secondary ones they expose."""
        problem = self.problem
        shown = np.zeros(problem.units, dtype=bool)
        shown[chosen] = True
        trying = np.unique(group[chosen])
        while len(trying):
            tried = self.hidden & ~(shown & np.isin(group, trying))
            part = np.isin(group[problem.unit], trying)
            exposed = attack(problem.seen(tried), part, verdict_only=True).exposed & ~self._hopeless
            units = np.unique(problem.unit[exposed])
            lost = np.unique(group[units[self.primary[units]]])
            with_others = np.setdiff1d(np.unique(group[units]), lost)
            fine = np.setdiff1d(trying, np.union1d(lost, with_others))
            self.hidden &= ~(shown & np.isin(group, fine))
            shown[units[np.isin(group[units], with_others)]] = True
            trying = with_others

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

    def _alone_without(self, unit: int) -> bool:
        """Return whether a link would be left with one hidden cell, a primary one that must keep some width."""
        problem = self.problem
        for cell in self._cells[unit]:
            for link in self._links(cell):
                others = self._members(link)
                left = others[self.hidden[problem.unit[others]] & (problem.unit[others] != unit)]
                absent = np.isnan(problem.quantity[others]) & ~self.hidden[problem.unit[others]]
                alone = len(left) == 1 and not absent.any() and problem.tolerance[link] <= 0
                if alone and problem.primary[left[0]] and problem.width_a[left[0]] > 0:
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
