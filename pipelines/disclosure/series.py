"""The figures of a survey and year that are hidden or shown together: places × periods, as arrays.

Which rows of ``resultats`` these are is in ``surveys``; what is hidden is decided in ``pattern``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.disclosure.tree import Flags, Numbers, Places, Tree

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
        found = np.zeros(self.held.shape, dtype=bool)
        named = int((~self.unnamed).sum())
        found[:named] = hidden[:named]
        return found


class Cells:
    """The figures of a series in some columns: places × figures × columns, each view of them made once, to be read.

    Figures are the layers, then the parts of their questions.
    """

    def __init__(self, series: Series, columns: Places) -> None:
        self.series, self.tree, self.columns = series, series.tree, columns
        made = [layer.base for layer in series.layers] + [part for split in series.splits for part in split.parts]
        self.figures: Numbers = np.stack([figure[:, columns] for figure in made], axis=1)
        self.layers: Numbers = self.figures[:, : len(series.layers)]

    @cached_property
    def mass(self) -> Numbers:
        """Return how many people each place has: what hiding it costs."""
        return np.asarray(self.layers[:, 0].sum(axis=1))

    @cached_property
    def inner(self) -> Flags:
        """Return which places have others below them, with people."""
        return self.tree.any(self.mass > 0)

    @cached_property
    def some(self) -> Flags:
        """Return which figures are more than nothing."""
        return np.asarray(self.figures > EPSILON)

    @cached_property
    def fresh(self) -> Flags:
        """Return which cells no earlier release showed: places × columns."""
        return ~self.series.known[:, self.columns]

    @cached_property
    def named(self) -> Flags:
        """Return which places have people, and a row that names them."""
        return ~self.series.unnamed & (self.mass > 0)

    @cached_property
    def least(self) -> Numbers:
        """Return how much of each layer must be hidden below a hidden place: places × layers × columns."""
        return np.minimum(self.series.needed(self.layers), self.layers)

    @cached_property
    def width(self) -> Numbers:
        """Return how wide the interval of each hidden base must be: places × layers × columns."""
        persons = np.array([[float(layer.width)] for layer in self.series.layers])
        return np.where(self.series.margin > 0, self.series.margin * self.layers, persons)

    @cached_property
    def asked_layers(self) -> Flags:
        """Return, places × questions, whether anybody is in the layer of each."""
        return np.asarray(added(self.layers)[:, self.series.asked.layer, 0] > EPSILON)


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
