"""The attacker: the narrowest interval that all published figures leave to each hidden cell, by linear programming.

It knows the links, the rule, and the published statuses: A tells that a base is under the minimum, D that it is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import eye_array, hstack, vstack

from pipelines.compute.disclosure.system import EPSILON, System, components, tightened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipelines.compute.disclosure.system import Flags, Numbers

_WITNESSES = 12  # pairs of optima in random directions, before cells are bounded one by one
_FEW_WITNESSES = 3  # the same, when one exposed cell is enough
_BATCH = 4000  # cells in one linear programme: independent components are solved together


@dataclass(frozen=True)
class Intervals:
    """``low`` and ``high`` of each cell: exact where ``exposed``, else already wide enough.

    ``exposed``: hidden cells whose interval is narrower than the width to keep.
    """

    low: Numbers
    high: Numbers
    exposed: Flags


def attack(system: System, only: Flags | None = None, *, verdict_only: bool = False) -> Intervals:
    """Bound every hidden cell (of ``only``, if given: whole components, please).

    ``verdict_only``: stop in each component at the first exposed cell; other cells of it may then pass for exposed.
    """
    low, high, dropped = tightened(system)
    wanted = system.width > 0
    if only is not None:
        wanted &= only
    exposed = wanted & (high - low < system.width - EPSILON)
    labels = components(system)
    if verdict_only:
        wanted &= ~np.isin(labels, labels[exposed])
    found_low, found_high = low.copy(), high.copy()
    for batch in _batches(labels, wanted & ~exposed):
        members = np.flatnonzero(np.isin(labels, batch))
        attacked = _attack_batch(system, low, high, dropped, members, labels, wanted & ~exposed, verdict_only)
        found_low[members], found_high[members] = attacked
    exposed |= wanted & (found_high - found_low < system.width - EPSILON)
    return Intervals(found_low, found_high, exposed)


def _batches(labels: NDArray[np.int64], wanted: Flags) -> list[NDArray[np.int64]]:
    """Group the components that hold a wanted cell, in order, into batches of about ``_BATCH`` cells."""
    present, sizes = np.unique(labels[labels >= 0], return_counts=True)
    keep = np.isin(present, labels[wanted])
    present, sizes = present[keep], sizes[keep]
    ends = np.cumsum(sizes) // _BATCH
    return [present[ends == number] for number in np.unique(ends)]


def _attack_batch(
    system: System,
    low: Numbers,
    high: Numbers,
    dropped: Flags,
    members: NDArray[np.int64],
    labels: NDArray[np.int64],
    wanted: Flags,
    verdict_only: bool,
) -> tuple[Numbers, Numbers]:
    """Return the intervals of some components' cells.

    Every optimum is a witness for all cells at once: what two witnesses already hold apart needs no programme of its
    own. The others are bounded exactly, one per component in each programme.
    """
    needed, target = system.width[members], wanted[members]
    component = np.unique(labels[members], return_inverse=True)[1]
    lowest, highest = high[members].copy(), low[members].copy()  # what witnesses have shown
    exact = np.zeros(len(members), dtype=bool)
    lost = np.zeros(int(component.max()) + 1, dtype=bool)
    signs = np.random.default_rng(0)  # seeded: the same system is always attacked alike
    rounds, pending = 0, np.flatnonzero(target)
    at = np.zeros(0, dtype=np.int64)
    while len(pending):
        involved = np.isin(component, component[pending])
        if involved.sum() < 0.7 * len(at) or not len(at):  # the components that are settled slow the others
            at = np.flatnonzero(involved)
            programme = _Programme(system, dropped, members[at])
        if not programme.rows:  # no link: nothing beyond the bounds known beforehand
            lowest[at], highest[at], exact[at] = low[members[at]], high[members[at]], True
        elif rounds < (_FEW_WITNESSES if verdict_only else _WITNESSES):
            rounds += 1
            chosen, direction = pending, signs.choice([-1.0, 1.0], len(pending))
        else:
            shown = (highest - lowest)[pending] / needed[pending]  # the least proven first: most likely exposed
            order = pending[np.lexsort((pending, shown))]
            chosen = order[np.unique(component[order], return_index=True)[1]]
            direction, exact[chosen] = np.ones(len(chosen)), True
        if programme.rows:
            objective = np.zeros(len(members))
            objective[chosen] = direction
            for sense in (1.0, -1.0):
                found = programme.solve(sense * objective[at])
                lowest[at], highest[at] = np.minimum(lowest[at], found), np.maximum(highest[at], found)
        narrow = target & (highest - lowest < needed - EPSILON)
        lost[component[narrow & exact]] = True
        before, left = len(pending), narrow & ~exact
        pending = np.flatnonzero(left & ~lost[component] if verdict_only else left)
        if len(pending) > 0.9 * before:
            rounds = _WITNESSES
    return lowest, highest


class _Programme:
    """One linear programme over some components, asked with many objectives."""

    def __init__(self, system: System, dropped: Flags, members: NDArray[np.int64]) -> None:
        matrix = system.links[:, members]
        rows = np.flatnonzero((np.diff(matrix.indptr) > 0) & ~dropped)
        fixed = np.where(system.unknown, 0.0, system.low)
        known = (system.links @ fixed)[rows]
        tolerance = system.tolerance[rows]
        exact = tolerance <= 0
        matrix = matrix[rows]
        self.rows = len(rows)
        self._equal: Any = (matrix[exact], -known[exact]) if exact.any() else (None, None)
        loose = ~exact
        self._within: Any = (None, None)
        if loose.any():
            both = vstack([matrix[loose], -matrix[loose]], format="csr")
            self._within = both, np.concatenate([tolerance[loose] - known[loose], tolerance[loose] + known[loose]])
        self._bounds = np.column_stack([system.low[members], system.high[members]])

    def solve(self, direction: Numbers) -> Numbers:
        """Return the point that maximises ``direction``."""
        found = self._optimum(direction)
        if found is None:
            self._loosen()
            found = self._optimum(direction)
        if found is None:
            raise ArithmeticError("audit du secret : le programme linéaire n'a pas de solution")
        return found

    def _optimum(self, direction: Numbers) -> Numbers | None:
        (a_eq, b_eq), (a_ub, b_ub) = self._equal, self._within
        solved = linprog(-direction, A_eq=a_eq, b_eq=b_eq, A_ub=a_ub, b_ub=b_ub, bounds=self._bounds, method="highs")
        return np.asarray(solved.x, dtype=float) if solved.status == 0 else None

    def _loosen(self) -> None:
        """Published figures contradict a link (typed totals do): allow each link the least total gap that suits."""
        matrices = [part for part in (self._equal[0], self._within[0]) if part is not None]
        matrix = vstack(matrices, format="csr")
        equal = 0 if self._equal[0] is None else self._equal[0].shape[0]
        rest = matrix.shape[0] - equal
        target = np.concatenate([part for part in (self._equal[1], self._within[1]) if part is not None])
        count = matrix.shape[1]
        gaps = eye_array(matrix.shape[0], format="csr")
        bounds = np.vstack([self._bounds, np.tile([0.0, np.inf], (2 * matrix.shape[0], 1))])
        wide = hstack([matrix, gaps, -gaps], format="csr")
        objective = np.concatenate([np.zeros(count), np.ones(2 * matrix.shape[0])])
        solved = linprog(
            objective,
            A_eq=wide[:equal] if equal else None,
            b_eq=target[:equal] if equal else None,
            A_ub=wide[equal:] if rest else None,
            b_ub=target[equal:] if rest else None,
            bounds=bounds,
            method="highs",
        )
        if solved.status != 0:
            return
        gap = np.asarray(solved.x, dtype=float)[count:].reshape(2, -1).sum(axis=0) + EPSILON
        if equal:
            free = gap[:equal] > 10 * EPSILON
            a, b = self._equal
            self._equal = (a[~free], b[~free]) if (~free).any() else (None, None)
            extra = vstack([a[free], -a[free]], format="csr")
            limit = np.concatenate([b[free] + gap[:equal][free], gap[:equal][free] - b[free]])
            old = self._within
            within = (
                (extra, limit)
                if old[0] is None
                else (vstack([old[0], extra], format="csr"), np.concatenate([old[1], limit]))
            )
            self._within = within
        if rest and self._within[0] is not None:
            a, b = self._within
            b = b.copy()
            b[:rest] += gap[equal:]
            self._within = a, b
