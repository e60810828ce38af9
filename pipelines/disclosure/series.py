"""The figures of a survey and year that are hidden or shown together: a tree of places × periods, as arrays.

No names of columns here: which rows of ``resultats`` these are is in ``surveys``; what is hidden is decided in
``pattern``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np
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
        totals = np.zeros(values.shape)
        totals[self.families.parents] = self.families.sums(values)
        return totals

    def any(self, flags: Flags) -> Flags:
        """Return, per place, whether any child is flagged."""
        flagged = np.zeros(len(flags) + 1, dtype=bool)  # the last: of the places that nothing is above
        flagged[self.parent[flags]] = True
        return flagged[:-1]

    def rising(self, values: Numbers, through: Flags) -> Numbers:
        """Return ``values`` with, for each place of ``through``, the sum of those below it."""
        risen = values.copy()
        for one in self.generations:
            at = through[one.parents]
            if at.any():
                risen[one.parents[at]] = one.sums(risen)[at]
        return risen

    def inherited(self, hidden: Flags) -> Places:
        """Return, per place, its nearest place above that is not hidden; -1 when all above it are."""
        above_each = self.parent.copy()
        for one in reversed(self.generations):
            above = self.parent[one.children]
            above_each[one.children] = np.where(hidden[above], above_each[above], above)
        return above_each

    def pools(self, root: Places, leaf: Flags, values: NDArray[Any]) -> Numbers:
        """Return, per family, what all leaves hold together whose root is its parent; last, those without a root.

        ``root``: as ``inherited`` gives it.
        """
        rows, width, count = np.flatnonzero(leaf), int(np.prod(values.shape[1:])), len(self.families.parents) + 1
        leaves = values.reshape(-1, width).take(rows, axis=0)
        at = (self.family[root[rows]] * width)[:, None] + np.arange(width)
        total = np.bincount(at.ravel(), leaves.ravel(), count * width)
        return np.asarray(total.reshape(count, *values.shape[1:]))


EPSILON = 1e-6  # persons, or parts of a magnitude's unit: below, two figures are the same


@dataclass(frozen=True)
class Slot:
    """Periods that a place shows all or none of: the year, both quarters of a semester, the months of a quarter.

    ``total``: the column of the coarser published period that adds them up, and ``within`` the slot which that one is
    in; -1 for none (then no place's sum over the slot is published).
    """

    columns: Places
    within: int = -1
    total: int = -1


@dataclass(frozen=True)
class Layer:
    """What adds up over places and periods: people who answered, or an amount. ``base``: places × columns.

    Under ``minimum`` (persons) a base is secret. For enterprises, ``margin``: how widely the others must blur the
    largest, as a share of it. ``complement``: the people of a larger base whom the question was not asked.
    """

    base: Numbers
    minimum: int = 0
    margin: float = 0.0
    complement: bool = False

    @property
    def width(self) -> int:
        """How wide the interval of a hidden base must stay (persons): half of what the rule leaves possible."""
        return (self.minimum - 1) // 2


@dataclass(frozen=True)
class Split:
    """A question cuts a layer in two parts that add up too: ``sum(parts) = span × base``; places × columns each."""

    layer: int
    parts: tuple[Numbers, ...]
    span: float = 1.0


@dataclass(frozen=True)
class Series:
    """``small``: places × columns that the rule hides; ``known``: those that an earlier release has shown.

    ``held``: places × slots that an earlier release hid. ``unnamed``: places that no row names (people of a parent
    who are in none of its children), of which nothing is ever published. ``widest``: places × slots hidden of the
    question that most people answered, when this one is of fewer.
    """

    tree: Tree
    slots: tuple[Slot, ...]
    layers: tuple[Layer, ...]
    splits: tuple[Split, ...]
    small: Flags
    known: Flags
    held: Flags
    unnamed: Flags
    widest: Flags | None = None

    @property
    def places(self) -> int:
        """Number of places, those without a name too."""
        return len(self.tree.parent)

    @cached_property
    def minimum(self) -> Numbers:
        """Return the threshold of each layer, as layers × 1."""
        return np.array([[float(layer.minimum)] for layer in self.layers])

    @cached_property
    def margin(self) -> Numbers:
        """Return the margin of each layer of an amount, 0 of people, as layers × 1."""
        return np.array([[0.0 if layer.minimum else layer.margin] for layer in self.layers])

    def needed(self, largest: Numbers) -> Numbers:
        """Return how much must be left of hidden places without the largest of them (any × layers × columns)."""
        return np.where((self.margin > 0) & (largest > 0), self.margin * largest, self.minimum)

    @cached_property
    def asked(self) -> Asked:
        """Return the questions of the layers."""
        return Asked.of(self.layers, self.splits)

    def beside(self, wider: Flags, widest: Flags) -> Series:
        """Return the series with what is hidden of questions that more people answered, which is hidden here too."""
        return replace(self, held=self.held | self._fitted(wider), widest=self._fitted(widest))

    def _fitted(self, hidden: Flags) -> Flags:
        """Return what is hidden of other places with as many names: those without one are not the same."""
        fitted = np.zeros(self.held.shape, dtype=bool)
        named = int((~self.unnamed).sum())
        fitted[:named] = hidden[:named]
        return fitted


@dataclass(frozen=True)
class Asked:
    """The questions of the layers, those of a layer together; a layer of which none is asked is one of one part.

    ``figures``: the parts of all questions among the figures (see ``Cells``); ``parts``: where those of splits are
    among these. ``spans``: what of a question one person is; ``layer``: that of each question.
    """

    figures: Places
    parts: Places
    spans: Numbers
    layer: Places
    _parts: Runs
    _questions: Runs

    @classmethod
    def of(cls, layers: Sequence[Layer], splits: Sequence[Split]) -> Asked:
        """Return the questions of layers; ``splits``: in the order of their layers."""
        figures: list[int] = []
        lengths: list[int] = []
        spans: list[float] = []
        layer: list[int] = []
        part = len(layers)
        for number in range(len(layers)):
            mine = [split for split in splits if split.layer == number]
            for split in mine:
                figures += range(part, part + len(split.parts))
                part += len(split.parts)
            figures += [] if mine else [number]
            lengths += [len(split.parts) for split in mine] or [1]
            spans += [split.span for split in mine] or [1.0]
            layer += [number] * max(len(mine), 1)
        places = np.array(figures, dtype=np.int64)
        per_layer = [layer.count(number) for number in range(len(layers))]
        parts, of = np.flatnonzero(places >= len(layers)), np.array(layer, dtype=np.int64)
        return cls(places, parts, np.array(spans)[:, None], of, Runs.of(lengths), Runs.of(per_layer))

    def questions(self, parts: Numbers) -> Numbers:
        """Return, per question, the sum over its parts, in persons: places × questions × columns."""
        return self._parts.joined(np.add, parts) / self.spans

    def least(self, questions: Numbers) -> Numbers:
        """Return, per layer, the least of its questions: places × layers × columns."""
        return self._questions.joined(np.minimum, questions)


@dataclass(frozen=True)
class Runs:
    """Neighbours of the second axis that make one: of each turn, which runs are so long, and their element then.

    What ``reduceat`` does; of two or three elements, this takes much less time.
    """

    turns: tuple[tuple[Places, Places], ...]

    @classmethod
    def of(cls, lengths: Sequence[int]) -> Runs:
        """Return the runs of these lengths, each of at least one element."""
        sizes = np.array(lengths, dtype=np.int64)
        starts = np.cumsum(sizes) - sizes
        turns = (np.flatnonzero(sizes > turn) for turn in range(int(sizes.max(initial=1))))
        return cls(tuple((at, starts[at] + turn) for turn, at in enumerate(turns)))

    def joined(self, ufunc: np.ufunc, values: Numbers) -> Numbers:
        """Return one element per run."""
        found: Numbers = values.take(self.turns[0][1], axis=1)
        for runs, elements in self.turns[1:]:
            found[:, runs] = ufunc(found[:, runs], values.take(elements, axis=1))
        return found


def added(values: Numbers) -> Numbers:
    """Return the sum over the columns, kept as one: numpy is slow at many sums of a few numbers."""
    return reduce(np.add, (values[..., at : at + 1] for at in range(values.shape[-1])))
