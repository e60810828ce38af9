"""The tree of places of a survey, as arrays: sums and largest values over the children of each place.

Plain arrays, no names of columns and no rule of secrecy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Places = NDArray[np.int64]


@dataclass(frozen=True)
class Families:
    """Children, sorted by parent: ``starts`` is where those of each of ``parents`` begin."""

    children: Places
    parents: Places
    starts: Places

    @classmethod
    def of(cls, children: Places, parent: Places) -> Families:
        """Sort children by their parent; ``parent``: of each place."""
        children = children[np.argsort(parent[children], kind="stable")]
        return cls(children, *np.unique(parent[children], return_index=True))

    def sums(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return, per parent, the sum of ``values`` (first axis: places) over its children."""
        below: NDArray[Any] = values.take(self.children, axis=0)
        return np.asarray(np.add.reduceat(below, self.starts, axis=0)) if len(self.starts) else below[:0]

    def largest(self, values: Numbers) -> Numbers:
        """Return, per parent, the largest of ``values`` over its children."""
        below: Numbers = values.take(self.children, axis=0)
        return np.asarray(np.maximum.reduceat(below, self.starts, axis=0)) if len(self.starts) else below[:0]


@dataclass(frozen=True)
class Tree:
    """``parent``: of each place, the nearest wider one published; -1 for none.

    ``families``: of all places; ``family``: the number of each place's own there, and at -1 one more than there are.
    ``generations``: the families of each depth, deepest first.
    """

    parent: Places
    families: Families
    family: Places
    generations: tuple[Families, ...]

    @classmethod
    def of(cls, parent: Places) -> Tree:
        """Sort the places by depth; ``parent`` must have no circle."""
        depth = np.zeros(len(parent), dtype=np.int64)
        above = parent.copy()
        while (above >= 0).any():
            depth += above >= 0
            above = np.where(above >= 0, parent[above], -1)
        levels = range(int(depth.max(initial=0)), 0, -1)
        families = Families.of(np.flatnonzero(depth > 0), parent)
        family = np.full(len(parent) + 1, len(families.parents), dtype=np.int64)
        family[families.parents] = np.arange(len(families.parents))
        generations = tuple(Families.of(np.flatnonzero(depth == level), parent) for level in levels)
        return cls(parent, families, family, generations)

    def sums(self, values: NDArray[Any]) -> Numbers:
        """Return, per place, the sum of ``values`` (first axis: places) over its children."""
        found = np.zeros(values.shape)
        found[self.families.parents] = self.families.sums(values)
        return found

    def any(self, flags: Flags) -> Flags:
        """Return, per place, whether any child is flagged."""
        found = np.zeros(len(flags) + 1, dtype=bool)  # the last: of the places that nothing is above
        found[self.parent[flags]] = True
        return found[:-1]

    def rising(self, values: Numbers, through: Flags) -> Numbers:
        """Return ``values`` with, for each place of ``through``, the sum of those below it."""
        found = values.copy()
        for one in self.generations:
            at = through[one.parents]
            if at.any():
                found[one.parents[at]] = one.sums(found)[at]
        return found

    def inherited(self, hidden: Flags) -> Places:
        """Return, per place, its nearest place above that is not hidden; -1 when all above it are."""
        found = self.parent.copy()
        for one in reversed(self.generations):
            above = self.parent[one.children]
            found[one.children] = np.where(hidden[above], found[above], above)
        return found

    def pools(self, root: Places, leaf: Flags, values: NDArray[Any]) -> Numbers:
        """Return, per family, what all leaves hold together whose root is its parent; last, those without a root.

        ``root``: as ``inherited`` gives it.
        """
        rows, width, count = np.flatnonzero(leaf), int(np.prod(values.shape[1:])), len(self.families.parents) + 1
        held = values.reshape(-1, width).take(rows, axis=0)
        at = (self.family[root[rows]] * width)[:, None] + np.arange(width)
        total = np.bincount(at.ravel(), held.ravel(), count * width)
        return np.asarray(total.reshape(count, *values.shape[1:]))
