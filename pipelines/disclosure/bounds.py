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
from typing import TYPE_CHECKING

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
    found = np.zeros(series.places, dtype=bool)
    for split in series.splits:
        base = series.layers[split.layer].base[:, slot.columns]
        for part in split.parts:
            reach = _reach(series, index, hidden, part)
            found |= (secret & (base > EPSILON) & (reach <= EPSILON)).any(axis=1)
    return found


def _reach(series: Series, index: int, hidden: Flags, part: Numbers) -> Numbers:
    """Return how much of one part a cell may have: places × columns."""
    slot, within = series.slots[index], series.slots[index].within
    found = np.zeros((series.places, len(slot.columns)))
    for wide, here in _wider(series, index, hidden):
        root = series.tree.inherited(dark(series, wide, here))
        values = unknown(series, wide, here, part[:, wide.columns][:, None, :])
        leaves = np.where((here & ~series.inner(wide))[:, None, None], values, 0.0)
        reach = np.minimum(values.sum(axis=2, keepdims=True), _below(root, leaves))[:, 0]
        found = np.maximum(found, reach[:, np.isin(wide.columns, slot.columns)])
    free = hidden[:, index] if within < 0 else hidden[:, within]
    root = series.tree.inherited(dark(series, slot, free))
    values = unknown(series, slot, free, part[:, slot.columns][:, None, :])
    star = _below(root, np.where((free & ~series.inner(slot))[:, None, None], values, 0.0))[:, 0]
    return np.maximum(found, np.where(free[:, None], star, 0.0))


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
    if leaves.ndim == 1:
        leaves = leaves[:, None]
    flat = leaves.reshape(len(leaves), -1)
    total = np.zeros((len(root) + 1, flat.shape[1]))
    np.add.at(total, root, flat)
    return total[root].reshape(leaves.shape)


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
    leaves = here & ~series.inner(slot)
    found = np.full((series.places, len(series.layers), len(slot.columns)), np.inf)
    for number, values, span in _questions(series, slot):
        moves = unknown(series, slot, here, values)
        row = _below(root, np.where(leaf[:, None, None], moves, 0.0))
        columns = _below(whole, np.where(leaves[:, None, None], moves, 0.0))
        stay = _below(root, (leaf & (series.layers[number].base[:, slot.columns].sum(axis=1) > EPSILON)).astype(float))
        beside = moves - unknown(series, slot, free, values)  # of a place with others below: those of published sum
        gains = np.maximum(np.minimum(row.sum(axis=2, keepdims=True), columns - beside) - row, 0.0).sum(axis=1) / span
        gains = np.maximum(gains - stay, 0.0)  # one person of each stays in another period
        found[:, number] = np.minimum(found[:, number], gains)
    return found


def _questions(series: Series, slot: Slot) -> Iterator[tuple[int, Numbers, float]]:
    """Give each layer's number, places × parts × columns and what of them one person is: all its questions."""
    for number, layer in enumerate(series.layers):
        asked = [split for split in series.splits if split.layer == number]
        for split in asked:
            yield number, np.stack([part[:, slot.columns] for part in split.parts], axis=1), split.span
        if not asked:
            yield number, layer.base[:, slot.columns][:, None, :], 1.0


def _blocks(series: Series, slot: Slot, here: Flags, root: Places) -> tuple[Numbers, Numbers]:
    """Return how much less, more each cell may be by exchanges of two places and two periods, whatever the question."""
    less = np.full((series.places, len(series.layers), len(slot.columns)), np.inf)
    more, leaf = less.copy(), here & ~series.inner(slot)
    for number, values, span in _questions(series, slot):
        fewer, further = _frechet(unknown(series, slot, here, values), root, leaf)
        less[:, number] = np.minimum(less[:, number], fewer.sum(axis=1) / span)
        more[:, number] = np.minimum(more[:, number], further.sum(axis=1) / span)
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
