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

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from pipelines.disclosure.series import EPSILON, Flags, Numbers, Places, Series, added
from pipelines.disclosure.shade import Shade, Shades, Star

Kind = Callable[[Places], tuple[Numbers, Numbers]]  # how much less, more each cell of some places may be


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
    _, less, more = _moves(shades, index, hidden, np.arange(shades.series.places))
    fails = np.asarray((shade.secret & (less + more < shade.cells.width - EPSILON)).any(axis=(1, 2)))
    free = shade.free[:, None, None]
    less, more = np.where(free, np.inf, less), np.where(free, np.inf, more)
    base = shade.cells.layers
    left = shade.unknown[:, : base.shape[1]]
    return Interval(base, less, more, fails, shade.hidden[:, None, None] & (base > EPSILON) & (left <= EPSILON))


def too_narrow(shades: Shades, index: int, hidden: Flags) -> Places:
    """Return the places of which ``intervals`` finds that a cell fails; of kinds of exchange, no more than it takes."""
    shade = shades.slot(index, hidden)
    needed = np.where(shade.secret, shade.cells.width - EPSILON, 0.0)
    places = np.flatnonzero((needed > 0).any(axis=(1, 2)))
    return _moves(shades, index, hidden, places, needed)[0]


def alike(shades: Shades, index: int, hidden: Flags) -> Flags:
    """Return the places of which a reader knows that all answered a question alike in a hidden period of the slot.

    Of each part of each question, a cell must be able to have somebody, by one kind of exchange or another.
    """
    series, shade = shades.series, shades.slot(index, hidden)
    layers = [split.layer for split in series.splits for _ in split.parts]
    secret = (shade.dark & (shade.root >= 0))[:, None] & shade.cells.fresh
    cells = secret[:, None, :] & shade.cells.some[:, layers]
    places = np.flatnonzero(cells.any(axis=(1, 2)))
    cells = cells[places]
    for reach in _reach(shades, index, hidden):
        cells &= reach(places)[:, series.asked.parts] <= EPSILON
        still = cells.any(axis=(1, 2))
        places, cells = places[still], cells[still]
        if not len(places):
            break
    same = np.zeros(series.places, dtype=bool)
    same[places] = True
    return same


def _reach(shades: Shades, index: int, hidden: Flags) -> Iterator[Callable[[Places], Numbers]]:
    """Give the kinds of exchange: how much of each part a cell of some places may have, places × parts × columns."""
    year = _year(shades.series, index)
    for shade, at in shades.wider(index, hidden):
        yield partial(_reach_of_block, shade, at)
        if year != index:
            yield partial(_reach_of_row, shade, at, shades.slot(year, hidden))
    free = shades.of(shades.series.slots[index].columns, hidden[:, year])
    yield lambda places: np.where(free.hidden[places][:, None, None], free.block(places)[1], 0.0)


def _reach_of_block(shade: Shade, at: slice, places: Places) -> Numbers:
    moving, pool = shade.block(places)
    return np.minimum(added(moving), pool[:, :, at])


def _reach_of_row(shade: Shade, at: slice, year: Shade, places: Places) -> Numbers:
    """Return what may come from other periods to places of unpublished year, by all of them below the same root.

    They exchange people within a period: what comes to one of them may come to each.
    """
    tree, shadow = shade.tree, year.dark & shade.dark
    leaf = year.hidden & shade.leaf & shade.cells.fresh.all(axis=1)
    root = tree.inherited(shadow)
    row = added(shade.asked_of(tree.pools(root, leaf, shade.unknown))).take(tree.family[root[places]], axis=0)
    hosts = tree.rising(leaf.astype(float)[:, None, None], shadow & ~shade.leaf)[places] > 0
    found = np.minimum(row, shade.block(places)[1][:, :, at])
    return np.where(shadow[places][:, None, None] & hosts, found, 0.0)


def _year(series: Series, index: int) -> int:
    """Return the slot of the period that a slot is in: where it is hidden, no sum over the slot is published."""
    within = series.slots[index].within
    return index if within < 0 else within


def _moves(
    shades: Shades, index: int, hidden: Flags, places: Places, needed: Numbers | None = None
) -> tuple[Places, Numbers, Numbers]:
    """Return how much less, more each cell of some places may be by all kinds of exchange; and the places.

    With ``needed`` (places × layers × columns), only of the places of which a cell can't move so much.
    """
    shape = (len(places), *shades.cells(shades.series.slots[index].columns).layers.shape[1:])
    less, more = np.zeros(shape), np.zeros(shape)
    capped = less, more
    for kind, alone in _kinds(shades, index, hidden):
        if not len(places):
            break
        if alone:  # what is hidden of the question that most people answered moves beside what is hidden here
            less, more = capped
        fewer, further = kind(places)
        less, more = np.maximum(less, fewer), np.maximum(more, further)
        capped = (less, more) if alone else _capped(shades.series, less, more)
        if needed is not None:
            still = (capped[0] + capped[1] < needed[places]).any(axis=(1, 2))
            places, less, more, capped = places[still], less[still], more[still], (capped[0][still], capped[1][still])
    return places, *capped


def _kinds(shades: Shades, index: int, hidden: Flags) -> Iterator[tuple[Kind, bool]]:
    """Give the kinds of exchange; then those of what is hidden of the question that most people answered, alone."""
    widest = shades.series.widest
    for alone, here in ((False, hidden), *([(True, hidden & widest)] if widest is not None else [])):
        for shade, at in shades.wider(index, here):
            yield partial(_frechet, shade, at), alone
        yield partial(_stars, shades, index, here), alone


def _frechet(shade: Shade, at: slice, places: Places) -> tuple[Numbers, Numbers]:
    """Return how much less, more each cell may be by exchanges of two places and two periods, whatever the question.

    For each part x - max(0, r + c - N) and min(r, c) - x, in the block of all leaves below the same root.
    """
    values, columns = shade.block(places)
    rows, total = added(values), added(columns)
    values, columns = values[:, :, at], columns[:, :, at]
    less = np.minimum(values, np.maximum(total - rows - columns + values, 0.0))
    more = np.maximum(np.minimum(rows, columns) - values, 0.0)
    both = shade.asked.least(shade.asked.questions(np.concatenate([less, more], axis=2)))
    return both[:, :, : less.shape[2]], both[:, :, less.shape[2] :]


def _stars(shades: Shades, index: int, hidden: Flags, places: Places) -> tuple[Numbers, Numbers]:
    """Return how much less, more each cell may be by exchanges within one period, between places of unpublished sum.

    All such places below the same root make one row of the block, whose sum is published: what it may gain, each may.
    """
    year = _year(shades.series, index)
    free = shades.of(shades.series.slots[index].columns, hidden[:, year])
    free.star = star = free.star or _star(shades, index, free, shades.slot(year, hidden).dark)
    layers, family = free.cells.layers.shape[1], shades.series.tree.family[star.root[places]]
    own = star.own.take(places, axis=0)
    left = star.pools.take(family, axis=0) - own
    more = np.maximum(left[:, :layers], 0.0)
    if year != index:
        more += _of_the_row(shades.slot(index, hidden), free, star.root, places)
    moving = star.moving[places][:, None, None]  # somebody who leaves must go somewhere
    return np.where(moving & (left[:, layers:] > 0), own[:, :layers], 0.0), np.where(moving, more, 0.0)


def _star(shades: Shades, index: int, free: Shade, dark: Flags) -> Star:
    """Return what places may exchange within one period; ``dark``: of which the year counts as hidden."""
    tree, shadow = shades.series.tree, dark & free.dark
    moves = free.unknown[:, : free.cells.layers.shape[1]]
    spare = np.maximum(moves - _stays(shades, index, moves), 0.0)
    held = np.where(free.leaf[:, None, None], np.concatenate([spare, free.cells.fresh[:, None, :]], axis=1), 0.0)
    root = tree.inherited(shadow)
    return Star(root, tree.pools(root, free.leaf, held), tree.rising(held, shadow & ~free.leaf), free.hidden & shadow)


def _stays(shades: Shades, index: int, moves: Numbers) -> Flags:
    """Return the one person who stays, of a place whose people of the year are all in one period."""
    slot = shades.series.slots[index]
    yearly = moves if slot.within < 0 else shades.cells(np.array([slot.total])).layers
    return np.asarray((shades.series.minimum > 0) & (moves > EPSILON) & (moves >= yearly - EPSILON))


def _of_the_row(shade: Shade, free: Shade, root: Places, places: Places) -> Numbers:
    """Return how much more all places of unpublished sum below the same root may have, together, in each period."""
    asked, tree = shade.asked, shade.tree
    family = tree.family[root[places]]
    row = shade.asked_of(tree.pools(root, free.leaf, shade.unknown)).take(family, axis=0)
    stay = tree.pools(root, free.leaf, shade.cells.asked_layers).take(family, axis=0)  # one of each, in another period
    moving, pool = shade.block(places)
    beside = moving - free.block(places)[0]  # of a place with others below: those of published sum
    gains = np.maximum(np.minimum(added(row), pool - beside) - row, 0.0)
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
