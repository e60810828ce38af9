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

from pipelines.disclosure.series import EPSILON, added

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.disclosure.series import Series
    from pipelines.disclosure.shade import Shade, Shades
    from pipelines.disclosure.tree import Flags, Numbers, Places


@dataclass(frozen=True)
class Interval:
    """What may be true of the cells of a slot: places × layers × columns, how much less and how much more there may be.

    ``base``: what is true. ``fails``: places, hidden, of which a cell is known more closely than declared. ``told``:
    cells that are the sum of what earlier releases showed: nothing can take it back.
    """

    base: Numbers
    less: Numbers
    more: Numbers
    fails: Flags
    told: Flags


def intervals(shades: Shades, index: int, hidden: Flags) -> Interval:
    """Return what may be true of each hidden cell of slot ``index``. ``hidden``: places × slots."""
    shade = shades.slot(index, hidden)
    *_, (less, more) = _moves(shades, index, hidden)
    fails = _fails(shade, less + more)
    free = shade.free[:, None, None]
    less, more = np.where(free, np.inf, less), np.where(free, np.inf, more)
    base = shade.cells.layers
    left = shade.unknown[:, : base.shape[1]]
    return Interval(base, less, more, fails, shade.hidden[:, None, None] & (base > EPSILON) & (left <= EPSILON))


def too_narrow(shades: Shades, index: int, hidden: Flags) -> Places:
    """Return the places of which ``intervals`` finds that a cell fails; of kinds of exchange, no more than it takes."""
    shade = shades.slot(index, hidden)
    fails = np.zeros(0, dtype=bool)
    for less, more in _moves(shades, index, hidden):
        fails = _fails(shade, less + more)
        if not fails.any():
            break
    return np.flatnonzero(fails)


def _fails(shade: Shade, width: Numbers) -> Flags:
    """Return which places have a secret cell that is known more closely than declared."""
    return np.asarray((shade.secret & (width < shade.cells.width - EPSILON)).any(axis=(1, 2)))


def alike(shades: Shades, index: int, hidden: Flags) -> Flags:
    """Return the places of which a reader knows that all answered a question alike in a hidden period of the slot.

    Of each part of each question, a cell must be able to have somebody, by one kind of exchange or another.
    """
    series, shade = shades.series, shades.slot(index, hidden)
    layers = [split.layer for split in series.splits for _ in split.parts]
    if not layers:
        return np.zeros(series.places, dtype=bool)
    secret = (shade.dark & (shade.root >= 0))[:, None] & shade.cells.fresh
    found = secret[:, None, :] & shade.cells.some[:, layers]
    for reach in _reach(shades, index, hidden) if found.any() else ():
        found &= reach[:, series.asked.parts] <= EPSILON
        if not found.any():
            break
    return np.asarray(found.any(axis=(1, 2)))


def _reach(shades: Shades, index: int, hidden: Flags) -> Iterator[Numbers]:
    """Give, by each kind of exchange, how much of each part a cell may have: places × parts × columns."""
    for shade, at in shades.wider(index, hidden):
        yield np.minimum(shade.rows, shade.pool[:, :, at])
    year = _year(shades.series, index)
    free = shades.of(shades.series.slots[index].columns, hidden[:, year])
    yield np.where(free.hidden[:, None, None], free.pool, 0.0)


def _year(series: Series, index: int) -> int:
    """Return the slot of the period that a slot is in: where it is hidden, no sum over the slot is published."""
    within = series.slots[index].within
    return index if within < 0 else within


def _moves(shades: Shades, index: int, hidden: Flags) -> Iterator[tuple[Numbers, Numbers]]:
    """Give how much less, more each cell may be by one kind of exchange, by two, by all: each time no less than before.

    What is hidden of the question that most people answered may move by itself, beside what is hidden here.
    """
    less, more = np.zeros(1), np.zeros(1)
    for fewer, further in _ways(shades, index, hidden):
        less, more = np.maximum(less, fewer), np.maximum(more, further)
        yield _capped(shades.series, less, more)
    if shades.series.widest is not None:
        less, more = _capped(shades.series, less, more)
        for fewer, further in _ways(shades, index, hidden & shades.series.widest):
            less, more = np.maximum(less, fewer), np.maximum(more, further)
            yield less, more


def _ways(shades: Shades, index: int, hidden: Flags) -> Iterator[tuple[Numbers, Numbers]]:
    """Give how much less, more each cell may be, by each kind of exchange."""
    for shade, at in shades.wider(index, hidden):
        less, more = _frechet(shade)
        yield less[:, :, at], more[:, :, at]
    yield _stars(shades, index, hidden)


def _frechet(shade: Shade) -> tuple[Numbers, Numbers]:
    """Return how much less, more each cell may be by exchanges of two places and two periods, whatever the question.

    For each part x - max(0, r + c - N) and min(r, c) - x, in the block of all leaves below the same root.
    """
    values, rows, columns = shade.moving, shade.rows, shade.pool
    less = np.minimum(values, np.maximum(added(columns) - rows - columns + values, 0.0))
    more = np.maximum(np.minimum(rows, columns) - values, 0.0)
    both = shade.asked.least(shade.asked.questions(np.concatenate([less, more], axis=2)))
    return both[:, :, : less.shape[2]], both[:, :, less.shape[2] :]


def _stars(shades: Shades, index: int, hidden: Flags) -> tuple[Numbers, Numbers]:
    """Return how much less, more each cell may be by exchanges within one period, between places of unpublished sum.

    All such places below the same root make one row of the block, whose sum is published: what it may gain, each may.
    """
    series, year = shades.series, _year(shades.series, index)
    free = shades.of(series.slots[index].columns, hidden[:, year])
    shadow = shades.slot(year, hidden).dark & free.dark
    root, layers = shades.series.tree.inherited(shadow), free.cells.layers.shape[1]
    moves = free.unknown[:, :layers]
    spare = np.maximum(moves - _stays(shades, index, moves), 0.0)
    hosts = free.cells.fresh[:, None, :]  # somebody who leaves must go somewhere
    held = np.where(free.leaf[:, None, None], np.concatenate([spare, hosts], axis=1), 0.0)
    mine = series.tree.rising(held, shadow & ~free.leaf)
    left = series.tree.pooled(root, free.leaf, held) - mine
    more = np.maximum(left[:, :layers], 0.0)
    if year != index:
        more += _of_the_row(shades.slot(index, hidden), free, root)
    moving = (free.hidden & shadow)[:, None, None]
    return np.where(moving & (left[:, layers:] > 0), mine[:, :layers], 0.0), np.where(moving, more, 0.0)


def _stays(shades: Shades, index: int, moves: Numbers) -> Flags:
    """Return the one person who stays, of a place whose people of the year are all in one period."""
    slot = shades.series.slots[index]
    yearly = moves if slot.within < 0 else shades.cells(np.array([slot.total])).layers
    return np.asarray((shades.series.minimum > 0) & (moves > EPSILON) & (moves >= yearly - EPSILON))


def _of_the_row(shade: Shade, free: Shade, root: Places) -> Numbers:
    """Return how much more all places of unpublished sum below the same root may have, together, in each period."""
    asked, moves = shade.asked, shade.moving
    row = shade.tree.pooled(root, free.leaf, moves)
    stay = shade.tree.pooled(root, free.leaf, shade.cells.asked_layers)  # one of each, in another period
    beside = moves - free.moving  # of a place with others below: those of published sum
    gains = np.maximum(np.minimum(added(row), shade.pool - beside) - row, 0.0)
    return asked.least(np.maximum(asked.questions(gains) - stay[:, :, None], 0.0))


def _capped(series: Series, less: Numbers, more: Numbers) -> tuple[Numbers, Numbers]:
    """Return the same where, a larger base being shown, a complement loses what the base gains."""
    complements = [number for number, layer in enumerate(series.layers) if layer.complement]
    if complements:
        less, more = less.copy(), more.copy()
    for number in complements:
        less[:, 0] = more[:, number] = np.minimum(less[:, 0], more[:, number])
        more[:, 0] = less[:, number] = np.minimum(more[:, 0], less[:, number])
    return less, more
