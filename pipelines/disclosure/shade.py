"""What is hidden of some columns of a series, and what follows of it, each made once when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from pipelines.disclosure.series import EPSILON, Flags, Numbers, Places, Series, added

_KEPT = 12  # shades: those of a slot, of the slots beside it and of its year, hidden as they are and a moment before


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


class Star(NamedTuple):
    """What places may exchange within one period: of each family of ``root``, and of each place of its own.

    Places × layers × columns, and then the places that may take somebody in. ``moving``: places.
    """

    root: Places
    pools: Numbers
    own: Numbers
    moving: Flags


class Shade:
    """``hidden``: the places of which the columns of ``cells`` are hidden."""

    def __init__(self, cells: Cells, hidden: Flags) -> None:
        self.cells, self.tree, self.asked = cells, cells.tree, cells.series.asked
        self.hidden = hidden.copy()
        self.star: Star | None = None  # made in ``bounds``

    @cached_property
    def dark(self) -> Flags:
        """Return which places count as hidden for what is below them: not those that an earlier release told."""
        return self.hidden & (self.cells.fresh.all(axis=1) | ~self.cells.inner)

    @cached_property
    def leaf(self) -> Flags:
        """Return which hidden places have nobody below them."""
        return self.hidden & ~self.cells.inner

    @cached_property
    def root(self) -> Places:
        """Return, per place, the nearest one above that is shown; -1 for none."""
        return self.tree.inherited(self.dark)

    @cached_property
    def unknown(self) -> Numbers:
        """Return what nobody can tell of the figures of each hidden place: that of its leaves."""
        held = self.cells.figures * (self.leaf[:, None] & self.cells.fresh)[:, None, :]
        return self.tree.rising(held, self.dark & self.cells.inner)

    @cached_property
    def pools(self) -> Numbers:
        """Return what all leaves below the same root hold together of all parts of all questions: per family."""
        return self.asked_of(self.tree.pools(self.root, self.leaf, self.unknown))

    def asked_of(self, figures: Numbers) -> Numbers:
        """Return the parts of all questions among figures (any × figures × columns)."""
        return np.asarray(figures.take(self.asked.figures, axis=1))

    def block(self, places: Places) -> tuple[Numbers, Numbers]:
        """Return of some places the parts of all questions that nobody can tell, and the pools that they are in."""
        moving = self.asked_of(self.unknown.take(places, axis=0))
        return moving, self.pools.take(self.tree.family[self.root[places]], axis=0)

    @cached_property
    def free(self) -> Flags:
        """Return of which places anything may be true: nothing above is published, or nothing new is told of it."""
        silent = self.hidden & ~self.tree.any(~self.hidden & self.cells.named)
        return (self.root < 0) | silent[self.root]

    @cached_property
    def secret(self) -> Flags:
        """Return which hidden cells must not be known: places × layers × columns."""
        around = (self.root < 0)[:, None, None] | self.cells.some[self.root, : self.cells.layers.shape[1]]
        return ((self.dark & ~self.free)[:, None] & self.cells.fresh)[:, None, :] & around


class Shades:
    """The shades of a series that are asked for again and again, in whatever order its slots are judged."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self._cells: dict[bytes, Cells] = {}
        self._kept: dict[tuple[bytes, bytes], Shade] = {}

    def cells(self, columns: Places) -> Cells:
        """Return the figures of some columns."""
        key = columns.tobytes()
        if key not in self._cells:
            self._cells[key] = Cells(self.series, columns)
        return self._cells[key]

    def of(self, columns: Places, hidden: Flags) -> Shade:
        """Return what is hidden of some columns; ``hidden``: places."""
        key = columns.tobytes(), hidden.tobytes()
        found = self._kept.pop(key, None) or Shade(self.cells(columns), hidden)
        self._kept[key] = found
        if len(self._kept) > _KEPT:
            self._kept.pop(next(iter(self._kept)))
        return found

    def slot(self, index: int, hidden: Flags) -> Shade:
        """Return what is hidden of a slot; ``hidden``: places × slots."""
        return self.of(self.series.slots[index].columns, hidden[:, index])

    def wider(self, index: int, hidden: Flags) -> Iterator[tuple[Shade, slice]]:
        """Give what is hidden of a slot, then of all slots of its total together; and where its columns are there."""
        slots = self.series.slots
        slot = slots[index]
        yield self.slot(index, hidden), slice(None)
        inside = [n for n, one in enumerate(slots) if one.total == slot.total]
        if slot.total >= 0 and len(inside) > 1:
            before = sum(len(slots[n].columns) for n in inside if n < index)
            columns = np.concatenate([slots[n].columns for n in inside])
            yield self.of(columns, np.asarray(hidden[:, inside].all(axis=1))), slice(before, before + len(slot.columns))
