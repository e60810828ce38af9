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
class Generation:
    """The children of the places of one depth, sorted by parent: ``starts`` is where each of ``parents`` begins."""

    children: Places
    parents: Places
    starts: Places


@dataclass(frozen=True)
class Tree:
    """``parent``: of each place, the nearest wider one published; -1 for none. ``generations``: deepest first."""

    parent: Places
    generations: tuple[Generation, ...]

    @classmethod
    def of(cls, parent: Places) -> Tree:
        """Sort the places by depth; ``parent`` must have no circle."""
        depth = np.zeros(len(parent), dtype=np.int64)
        above = parent.copy()
        while (above >= 0).any():
            depth += above >= 0
            above = np.where(above >= 0, parent[above], -1)
        generations = []
        for level in range(int(depth.max(initial=0)), 0, -1):
            children = np.flatnonzero(depth == level)
            children = children[np.argsort(parent[children], kind="stable")]
            parents, starts = np.unique(parent[children], return_index=True)
            generations.append(Generation(children, parents, starts))
        return cls(parent, tuple(generations))

    def sums(self, values: NDArray[Any]) -> Numbers:
        """Return, per place, the sum of ``values`` (first axis: places) over its children."""
        found = np.zeros(values.shape)
        for one in self.generations:
            found[one.parents] = np.add.reduceat(values[one.children], one.starts, axis=0)
        return found

    def largest(self, values: Numbers) -> Numbers:
        """Return, per place, the largest of ``values`` over its children; 0 without any."""
        found = np.zeros(values.shape)
        for one in self.generations:
            found[one.parents] = np.maximum.reduceat(values[one.children], one.starts, axis=0)
        return found

    def any(self, flags: Flags) -> Flags:
        """Return, per place, whether any child is flagged."""
        return np.asarray(self.sums(flags) > 0)

    def inherited(self, hidden: Flags) -> Places:
        """Return, per place, its nearest place above that is not hidden; -1 when all above it are."""
        found = self.parent.copy()
        for one in reversed(self.generations):
            above = self.parent[one.children]
            found[one.children] = np.where(hidden[above], found[above], above)
        return found
