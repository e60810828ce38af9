"""The attacker: the narrowest interval that all published figures leave to each hidden cell, by linear programming.

It knows the links, the rule, and the published statuses: A tells that a base is under the minimum, D that it is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np
from scipy.sparse import eye_array, hstack

from pipelines.compute.disclosure.system import EPSILON, System, components, tightened, unknown_in

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from pipelines.compute.disclosure.system import Flags, Numbers

_WITNESSES = 12  # pairs of optima in random directions, before cells are bounded one by one
_FEW_WITNESSES = 3  # the same, when one exposed cell is enough
_DUAL_SIMPLEX = 1
_PRIMAL_SIMPLEX = 4  # a new objective leaves the last optimum feasible
_BATCH = 2000  # cells in one linear programme: independent components are solved together


@dataclass(frozen=True)
class Intervals:
    """``low`` and ``high`` of each cell: exact where ``exposed``, else already wide enough.

    ``exposed``: hidden cells whose interval is narrower than the width to keep.
    """

    low: Numbers
    high: Numbers
    exposed: Flags


def attack(
    system: System,
    only: Flags | None = None,
    *,
    verdict_only: bool = False,
    closely: Flags | None = None,
    within: Flags | None = None,
) -> Intervals:
    """Bound every hidden cell (of ``only``, if given: whole components, please).

    ``verdict_only``: stop in each component at the first exposed cell; the intervals of others may stay unknown.
    ``closely``: cells worth a linear programme; of the others, only what link by link tells is looked at.
    ``within``: cells that those programmes hold, with the links that have all their unknown cells there; with fewer
    links intervals can only be wider.
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
    if closely is not None:
        wanted &= closely
    for batch in _batches(labels, wanted):
        inside = np.isin(labels, batch)
        members = np.flatnonzero(inside if within is None else inside & within)
        lowest, highest = _attack_batch(system, low, high, dropped, members, labels, wanted, verdict_only)
        asked = wanted[members]  # of the others, witnesses show only a part of what is possible
        found_low[members[asked]], found_high[members[asked]] = lowest[asked], highest[asked]
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
    undecided = target & ~exact & (highest - lowest < needed - EPSILON)
    return np.where(undecided, -np.inf, lowest), np.where(undecided, np.inf, highest)


class _Programme:
    """One linear programme over some components, asked with many objectives; each starts from the last optimum."""

    def __init__(self, system: System, dropped: Flags, members: NDArray[np.int64]) -> None:
        matrix = system.links[:, members]
        held = np.diff(matrix.indptr)
        rows = np.flatnonzero((held > 0) & (held == unknown_in(system)) & ~dropped)
        published = (system.links @ np.where(system.unknown, 0.0, system.low))[rows]
        self.rows = len(rows)
        self._matrix = matrix[rows]
        self._within = -published - system.tolerance[rows], -published + system.tolerance[rows]
        self._bounds = system.low[members], system.high[members]
        self._solver = _solver(self._matrix, self._within, self._bounds, np.zeros(len(members)))

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
        columns = np.arange(len(direction), dtype=np.int32)
        self._solver.changeColsCost(len(direction), columns, -direction)
        return _optimum(self._solver)

    def _loosen(self) -> None:
        """Allow each link the least gap, in all, that suits: typed totals may contradict what they are made of."""
        count, links = self._matrix.shape[1], self._matrix.shape[0]
        gaps = eye_array(links, format="csr")
        wide = hstack([self._matrix, gaps, -gaps], format="csr")
        low, high = (np.concatenate([bounds, np.full(2 * links, end)]) for bounds, end in
                     zip(self._bounds, (0.0, np.inf), strict=True))  # fmt: skip
        cost = np.concatenate([np.zeros(count), np.ones(2 * links)])
        found = _optimum(_solver(wide, self._within, (low, high), cost))
        if found is not None:
            gap = found[count:].reshape(2, -1).sum(axis=0)
            gap = np.where(gap > EPSILON, gap + EPSILON, 0.0)
            self._within = self._within[0] - gap, self._within[1] + gap
            self._solver = _solver(self._matrix, self._within, self._bounds, np.zeros(count))


class _Quiet(highspy.Highs):
    """HiGHS without callbacks: to enable them prints a banner, before any option can forbid it."""

    def enableCallbacks(self) -> None:  # noqa: N802
        """Enable nothing."""


def _solver(matrix: csr_array, rows: tuple[Numbers, Numbers], columns: tuple[Numbers, Numbers], cost: Numbers) -> Any:
    """Return HiGHS with the programme: minimise ``cost`` between the bounds of rows and of columns."""
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = matrix.shape
    model.col_cost_ = cost
    model.col_lower_, model.col_upper_ = columns
    model.row_lower_, model.row_upper_ = rows
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    model.a_matrix_.index_ = matrix.indices.astype(np.int32)
    model.a_matrix_.value_ = matrix.data
    solver = _Quiet()  # type: ignore[no-untyped-call]
    for option, value in {"output_flag": False, "threads": 1, "simplex_strategy": _PRIMAL_SIMPLEX}.items():
        solver.setOptionValue(option, value)
    solver.passModel(model)
    return solver


def _optimum(solver: Any) -> Numbers | None:
    """Return the optimum, None if there is none; where the simplex lost its way, it starts anew, the dual one."""
    solver.run()
    if solver.getModelStatus() not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible):
        solver.clearSolver()
        solver.setOptionValue("simplex_strategy", _DUAL_SIMPLEX)
        solver.run()
        solver.setOptionValue("simplex_strategy", _PRIMAL_SIMPLEX)
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.asarray(solver.getSolution().col_value, dtype=float)
