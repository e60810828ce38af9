"""How closely a reader of all that is published can know what is hidden: a formula for each cell, no search.

Lemma of exchange. Take places and periods of a slot in which all cells are hidden, below one place that is shown. Let
someone of place i and period t change places with someone of place j and period u who answered alike: i in u, j in
t. The sum of each place over the slot, the sum of each period over the places, and every other cell stay as they are:
all that is published stays true. So a reader can exclude no table with these sums. Of all tables with row sum r,
column sum c and total N, a cell may be anything from max(0, r + c - N) to min(r, c) (Fréchet, 1951): what is told
here is reached by such exchanges, never wider than what a linear programme finds. Its width is
min(r, c, N - r, N - c).

- A question cuts the table in parts (favourable or not), each with sums of its own: people change places with
  people of the same part, and the widths of the parts add up.
- Where the sum of a place over the slot is not published (its year is hidden too), people of two such places
  change places within one period: each cell may be anything from 0 to what all of them have.
- A hidden place with places below is what is shown below it, and what is not: only the latter moves.
- A place whose year is hidden has somebody, as everybody knows: one person of each stays where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipelines.disclosure.series import EPSILON, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.disclosure.series import Layer, Series
    from pipelines.disclosure.tree import Flags, Numbers, Places


@dataclass(frozen=True)
class Interval:
    """What may be true of the cells of a slot: places × layers × columns, how much less and how much more there may be.

    ``fails``: places × layers, hidden, that are known more closely than declared. ``told``: places × layers × columns
    that are the sum of what earlier releases showed: nothing can take it back.
    """

    less: Numbers
    more: Numbers
    fails: Flags
    told: Flags


def dark(series: Series, slot: Slot, hidden: Flags) -> Flags:
    """Return which places count as hidden when what is below them is judged: not those that an earlier release told."""
    told = series.known[:, slot.columns].any(axis=1)
    return hidden & ~(told & series.inner(slot))


def unknown(series: Series, slot: Slot, hidden: Flags, values: Numbers) -> Numbers:
    """Return what nobody can tell of ``values`` (places × any × columns) of each hidden place: that of its leaves."""
    inner, shadow = series.inner(slot), dark(series, slot, hidden)
    leaf = hidden & ~inner
    found = values * (leaf[:, None] & ~series.known[:, slot.columns])[:, None, :]
    for one in series.tree.generations:
        below = np.add.reduceat(found[one.children], one.starts, axis=0)
        rises = inner[one.parents] & shadow[one.parents]
        found[one.parents] = np.where(rises[:, None, None], below, found[one.parents])
    return found


def intervals(series: Series, index: int, hidden: Flags) -> Interval:
    """Return what may be true of each hidden cell of slot ``index``. ``hidden``: places × slots."""
    slot = series.slots[index]
    here = hidden[:, index]
    shadow = dark(series, slot, here)
    root = series.tree.inherited(shadow)
    stacked = series.stacked(slot)
    less, more = _moves(series, index, hidden)
    for number, layer in enumerate(series.layers):
        if layer.complement:
            _capped(less, more, number)
    if series.widest is not None:
        fewer, further = _moves(series, index, hidden & series.widest)
        less, more = np.maximum(less, fewer), np.maximum(more, further)
    around = np.where(root[:, None, None] >= 0, stacked[root], np.inf)
    silent = here & ~series.tree.any(~here & ~series.unnamed & (series.mass(slot) > 0))  # nothing new is told of it
    free = (root < 0) | silent[root]  # nothing above is published: anything may be true
    secret = here[:, None] & shadow[:, None] & ~series.known[:, slot.columns] & (around.max(axis=1) > EPSILON)
    fails = np.stack(
        [_fails(layer, stacked[:, n], less[:, n] + more[:, n], secret & ~free[:, None] & (around[:, n] > EPSILON))
         for n, layer in enumerate(series.layers)], axis=1)  # fmt: skip
    less[free], more[free] = np.inf, np.inf
    left = unknown(series, slot, here, stacked)
    return Interval(less, more, fails, here[:, None, None] & (stacked > EPSILON) & (left <= EPSILON))


def alike(series: Series, index: int, hidden: Flags) -> Flags:
    """Return the places of which a reader knows that all answered a question alike in a hidden period of the slot.

    Of each part of each question, a cell must be able to have somebody, by one kind of exchange or another.
    """
    slot, here = series.slots[index], hidden[:, index]
    shadow = dark(series, slot, here)
    secret = (here & shadow)[:, None] & ~series.known[:, slot.columns] & (series.tree.inherited(shadow) >= 0)[:, None]
    parts, layers = series.parts(slot), [split.layer for split in series.splits for _ in split.parts]
    if not parts.shape[1]:
        return np.zeros(series.places, dtype=bool)
    some = series.stacked(slot)[:, layers] > EPSILON
    return np.asarray((secret[:, None, :] & some & (_reach(series, index, hidden) <= EPSILON)).any(axis=(1, 2)))


def _reach(series: Series, index: int, hidden: Flags) -> Numbers:
    """Return how much of each part a cell may have: places × parts × columns."""
    slot, within = series.slots[index], series.slots[index].within
    free = hidden[:, index] if within < 0 else hidden[:, within]
    root = series.tree.inherited(dark(series, slot, free))
    values = unknown(series, slot, free, series.parts(slot))
    star = _below(root, np.where((free & ~series.inner(slot))[:, None, None], values, 0.0))
    found = np.where(free[:, None, None], star, 0.0)
    for wide, here in _wider(series, index, hidden):
        root = series.tree.inherited(dark(series, wide, here))
        values = unknown(series, wide, here, series.parts(wide))
        leaves = np.where((here & ~series.inner(wide))[:, None, None], values, 0.0)
        reach = np.minimum(values.sum(axis=2, keepdims=True), _below(root, leaves))
        found = np.maximum(found, reach[:, :, np.isin(wide.columns, slot.columns)])
    return found


def _wider(series: Series, index: int, hidden: Flags) -> Iterator[tuple[Slot, Flags]]:
    """Give the slot with what is hidden of it, then all slots of its total with what is hidden of them all."""
    slot = series.slots[index]
    yield slot, hidden[:, index]
    inside = [n for n, one in enumerate(series.slots) if one.total == slot.total]
    if slot.total >= 0 and len(inside) > 1:
        wide = Slot(np.concatenate([series.slots[n].columns for n in inside]))
        yield wide, np.asarray(hidden[:, inside].all(axis=1))


def _moves(series: Series, index: int, hidden: Flags) -> tuple[Numbers, Numbers]:
    """Return how much less, more each cell may be, by the kind of exchange that allows most."""
    slot = series.slots[index]
    ways = [_stars(series, index, hidden)]
    for wide, here in _wider(series, index, hidden):
        root = series.tree.inherited(dark(series, wide, here))
        at = np.isin(wide.columns, slot.columns)
        fewer, further = _blocks(series, wide, here, root)
        ways.append((fewer[:, :, at], further[:, :, at]))
    less, more = (np.max(several, axis=0) for several in zip(*ways, strict=True))
    return less, more


def _fails(layer: Layer, base: Numbers, width: Numbers, secret: Flags) -> Flags:
    needed = float(layer.width) if layer.minimum else layer.margin * base
    return np.asarray((secret & (width < needed - EPSILON)).any(axis=1))


def _below(root: Places, leaves: Numbers) -> Numbers:
    """Return, per place, what all hidden leaves below its root hold together; ``leaves``: 0 elsewhere."""
    flat = leaves.reshape(len(leaves), -1)
    width = flat.shape[1]
    at = ((root + 1) * width)[:, None] + np.arange(width)
    total = np.bincount(at.ravel(), weights=flat.ravel(), minlength=(len(root) + 1) * width).reshape(-1, width)
    return np.asarray(total[root + 1].reshape(leaves.shape if leaves.ndim > 1 else (len(leaves), 1)))


def _stars(series: Series, index: int, hidden: Flags) -> tuple[Numbers, Numbers]:
    """Return how much less, more each cell may be by exchanges within one period, between places of unpublished sum.

    All such places below the same root make one row of the block, whose sum is published: what it may gain, each may.
    """
    slot = series.slots[index]
    yearly = slot.within < 0
    wide = index if yearly else slot.within
    free = hidden[:, wide]
    shadow = dark(series, series.slots[wide], free) & dark(series, slot, free)
    root = series.tree.inherited(shadow)
    leaf = free & ~series.inner(slot)
    moves = unknown(series, slot, free, series.stacked(slot))
    spare = np.where(leaf[:, None, None], np.maximum(moves - _stays(series, index, moves), 0.0), 0.0)
    mine = _rising(series, spare, shadow & ~leaf)
    total = _below(root, spare)
    more = np.maximum(total - mine, 0.0)
    if not yearly:
        more += _of_the_row(series, index, hidden, free, root, leaf)
    hosts = (leaf[:, None] & ~series.known[:, slot.columns]).astype(float)[:, None, :]
    elsewhere = _below(root, hosts) > _rising(series, hosts, shadow & ~leaf)  # somebody who leaves must go somewhere
    moving = (free & shadow)[:, None, None]
    return np.where(moving & elsewhere, mine, 0.0), np.where(moving, more, 0.0)


def _stays(series: Series, index: int, moves: Numbers) -> Numbers:
    """Return the one person who stays, of a place whose people of the year are all in one period."""
    slot = series.slots[index]
    yearly = moves if slot.within < 0 else np.stack([layer.base[:, [slot.total]] for layer in series.layers], axis=1)
    persons = np.array([float(layer.minimum > 0) for layer in series.layers])[None, :, None]
    return persons * ((moves > EPSILON) & (moves >= yearly - EPSILON))


def _rising(series: Series, leaves: Numbers, through: Flags) -> Numbers:
    """Return ``leaves`` with, for each place of ``through``, the sum of those below it."""
    found = leaves.copy()
    for one in series.tree.generations:
        below = np.add.reduceat(found[one.children], one.starts, axis=0)
        found[one.parents] = np.where(through[one.parents][:, None, None], below, found[one.parents])
    return found


def _of_the_row(series: Series, index: int, hidden: Flags, free: Flags, root: Places, leaf: Flags) -> Numbers:
    """Return how much more all places of unpublished sum below the same root may have, together, in each period."""
    slot, here = series.slots[index], hidden[:, index]
    whole = series.tree.inherited(dark(series, slot, here))
    leaves, asked = here & ~series.inner(slot), _asked(series, slot)
    moves = unknown(series, slot, here, asked.parts)
    row = _below(root, np.where(leaf[:, None, None], moves, 0.0))
    columns = _below(whole, np.where(leaves[:, None, None], moves, 0.0))
    people = series.stacked(slot).sum(axis=2)[:, asked.layer]
    stay = _below(root, np.where(leaf[:, None] & (people > EPSILON), 1.0, 0.0))  # one of each, in another period
    beside = moves - unknown(series, slot, free, asked.parts)  # of a place with others below: those of published sum
    gains = np.maximum(np.minimum(row.sum(axis=2, keepdims=True), columns - beside) - row, 0.0)
    return asked.least(np.maximum(asked.questions(gains) - stay[:, :, None], 0.0))


class _Asked(NamedTuple):
    """All parts of all questions: places × parts × columns. ``starts``: the first part of each question.

    ``spans``: what of a question one person is; ``layers``: the first question of each layer, ``layer`` that of each.
    """

    parts: Numbers
    starts: Places
    spans: Numbers
    layers: Places
    layer: Places

    def questions(self, parts: Numbers) -> Numbers:
        """Return, per question, the sum over its parts, in persons."""
        return np.asarray(np.add.reduceat(parts, self.starts, axis=1) / self.spans[None, :, None])

    def least(self, questions: Numbers) -> Numbers:
        """Return, per layer, the least of its questions."""
        return np.asarray(np.minimum.reduceat(questions, self.layers, axis=1))


def _asked(series: Series, slot: Slot) -> _Asked:
    """Return the parts that questions make of the layers; a layer of which none is asked is one part."""
    parts: list[Numbers] = []
    starts: list[int] = []
    spans: list[float] = []
    layers: list[int] = []
    layer: list[int] = []
    for number, base in enumerate(series.layers):
        layers.append(len(starts))
        asked = [(split.parts, split.span) for split in series.splits if split.layer == number]
        for made, span in asked or [((base.base,), 1.0)]:
            starts.append(len(parts))
            spans.append(span)
            layer.append(number)
            parts += [part[:, slot.columns] for part in made]
    numbers = (np.array(one, dtype=np.int64) for one in (starts, layers, layer))
    first, owners, of = numbers
    return _Asked(np.stack(parts, axis=1), first, np.array(spans), owners, of)


def _blocks(series: Series, slot: Slot, here: Flags, root: Places) -> tuple[Numbers, Numbers]:
    """Return how much less, more each cell may be by exchanges of two places and two periods, whatever the question."""
    asked, leaf = _asked(series, slot), here & ~series.inner(slot)
    found = _frechet(unknown(series, slot, here, asked.parts), root, leaf)
    less, more = (asked.least(asked.questions(one)) for one in found)
    return less, more


def _frechet(values: Numbers, root: Places, leaf: Flags) -> tuple[Numbers, Numbers]:
    """Return x - max(0, r + c - N) and min(r, c) - x of each cell x, in the block of all leaves below the same root."""
    columns = _below(root, np.where(leaf[:, None, None], values, 0.0))
    rows, total = values.sum(axis=2, keepdims=True), columns.sum(axis=2, keepdims=True)
    return (
        np.minimum(values, np.maximum(total - rows - columns + values, 0.0)),
        np.maximum(np.minimum(rows, columns) - values, 0.0),
    )


def _capped(less: Numbers, more: Numbers, number: int) -> None:
    """Keep, where a larger base is shown, that the complement loses what the base gains."""
    less[:, 0], more[:, number] = _both(less[:, 0], more[:, number])
    more[:, 0], less[:, number] = _both(more[:, 0], less[:, number])


def _both(one: Numbers, other: Numbers) -> tuple[Numbers, Numbers]:
    smaller = np.minimum(one, other)
    return smaller, smaller
