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

    from pipelines.disclosure.series import Series
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
    rises = inner & shadow
    return _rising(series, found, rises) if rises.any() else found


def intervals(series: Series, index: int, hidden: Flags) -> Interval:
    """Return what may be true of each hidden cell of slot ``index``. ``hidden``: places × slots."""
    slot, here = series.slots[index], hidden[:, index]
    stacked = series.stacked(slot)
    secret, free = _secret(series, slot, here)
    *_, (less, more) = _moves(series, index, hidden)
    fails = _fails(series, slot, less + more, secret)
    less[free], more[free] = np.inf, np.inf
    left = unknown(series, slot, here, stacked)
    return Interval(less, more, fails, here[:, None, None] & (stacked > EPSILON) & (left <= EPSILON))


def too_narrow(series: Series, index: int, hidden: Flags) -> Places:
    """Return the places of which ``intervals`` finds that a cell fails; of kinds of exchange, no more than it takes."""
    slot = series.slots[index]
    secret, _ = _secret(series, slot, hidden[:, index])
    fails = np.zeros(0, dtype=bool)
    for less, more in _moves(series, index, hidden):
        fails = _fails(series, slot, less + more, secret)
        if not fails.any():
            break
    return np.flatnonzero(fails.any(axis=1))


def _secret(series: Series, slot: Slot, here: Flags) -> tuple[Flags, Flags]:
    """Return which hidden cells must not be known (places × layers × columns), and of which places anything may be."""
    shadow = dark(series, slot, here)
    root = series.tree.inherited(shadow)
    around = np.where(root[:, None, None] >= 0, series.stacked(slot)[root], np.inf) > EPSILON
    silent = here & ~series.tree.any(~here & ~series.unnamed & (series.mass(slot) > 0))  # nothing new is told of it
    free = (root < 0) | silent[root]  # nothing above is published: anything may be true
    secret = (here & shadow & ~free)[:, None] & ~series.known[:, slot.columns]
    return secret[:, None, :] & around, free


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
    found = secret[:, None, :] & (series.stacked(slot)[:, layers] > EPSILON)
    for reach in _reach(series, index, hidden) if found.any() else ():
        found &= reach <= EPSILON
        if not found.any():
            break
    return np.asarray(found.any(axis=(1, 2)))


def _reach(series: Series, index: int, hidden: Flags) -> Iterator[Numbers]:
    """Give, by each kind of exchange, how much of each part a cell may have: places × parts × columns."""
    slot, within = series.slots[index], series.slots[index].within
    for wide, here in _wider(series, index, hidden):
        root = series.tree.inherited(dark(series, wide, here))
        values = unknown(series, wide, here, series.parts(wide))
        leaves = np.where((here & ~series.inner(wide))[:, None, None], values, 0.0)
        reach = np.minimum(values.sum(axis=2, keepdims=True), _below(root, leaves))
        yield reach[:, :, np.isin(wide.columns, slot.columns)]
    free = hidden[:, index] if within < 0 else hidden[:, within]
    root = series.tree.inherited(dark(series, slot, free))
    values = unknown(series, slot, free, series.parts(slot))
    star = _below(root, np.where((free & ~series.inner(slot))[:, None, None], values, 0.0))
    yield np.where(free[:, None, None], star, 0.0)


def _wider(series: Series, index: int, hidden: Flags) -> Iterator[tuple[Slot, Flags]]:
    """Give the slot with what is hidden of it, then all slots of its total with what is hidden of them all."""
    slot = series.slots[index]
    yield slot, hidden[:, index]
    inside = [n for n, one in enumerate(series.slots) if one.total == slot.total]
    if slot.total >= 0 and len(inside) > 1:
        wide = Slot(np.concatenate([series.slots[n].columns for n in inside]))
        yield wide, np.asarray(hidden[:, inside].all(axis=1))


def _moves(series: Series, index: int, hidden: Flags) -> Iterator[tuple[Numbers, Numbers]]:
    """Give how much less, more each cell may be by one kind of exchange, by two, by all: each time no less than before.

    What is hidden of the question that most people answered may move by itself, beside what is hidden here.
    """
    less, more = np.zeros(0), np.zeros(0)
    for fewer, further in _ways(series, index, hidden):
        less, more = (fewer, further) if not less.size else (np.maximum(less, fewer), np.maximum(more, further))
        yield _capped(series, less, more)
    if series.widest is not None:
        less, more = _capped(series, less, more)
        for fewer, further in _ways(series, index, hidden & series.widest):
            less, more = np.maximum(less, fewer), np.maximum(more, further)
            yield less.copy(), more.copy()


def _ways(series: Series, index: int, hidden: Flags) -> Iterator[tuple[Numbers, Numbers]]:
    """Give how much less, more each cell may be, by each kind of exchange."""
    slot = series.slots[index]
    for wide, here in _wider(series, index, hidden):
        root = series.tree.inherited(dark(series, wide, here))
        at = np.isin(wide.columns, slot.columns)
        less, more = _blocks(series, wide, here, root)
        yield less[:, :, at], more[:, :, at]
    yield _stars(series, index, hidden)


def _fails(series: Series, slot: Slot, width: Numbers, secret: Flags) -> Flags:
    """Return, places × layers, whether a secret cell is known more closely than declared."""
    stacked = series.stacked(slot)
    widths = np.array([float(layer.width) for layer in series.layers])[None, :, None]
    margins = np.array([0.0 if layer.minimum else layer.margin for layer in series.layers])[None, :, None]
    needed = np.where(margins > 0, margins * stacked, widths)
    return np.asarray((secret & (width < needed - EPSILON)).any(axis=2))


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
        if not through[one.parents].any():
            continue
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


def _capped(series: Series, less: Numbers, more: Numbers) -> tuple[Numbers, Numbers]:
    """Return the same where, a larger base being shown, a complement loses what the base gains."""
    less, more = less.copy(), more.copy()
    for number in (n for n, layer in enumerate(series.layers) if layer.complement):
        less[:, 0] = more[:, number] = np.minimum(less[:, 0], more[:, number])
        more[:, 0] = less[:, number] = np.minimum(more[:, 0], less[:, number])
    return less, more
