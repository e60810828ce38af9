"""What is hidden of a series: one pattern for all its questions, safe by construction. Bounds are in ``bounds``.

The rules, in the order in which they are applied, until nothing changes:

1. A place where the rule hides one period hides the slot (both quarters of a semester…); what an earlier release hid
   stays hidden; what is hidden for the year is hidden for its quarters.
2. Under each shown parent the hidden places are none, or enough: in each period, without any one of them, the others
   have at least the threshold. Else the place that costs least is hidden too; hidden places that have others below
   hide some of them, so that they aren't the sum of what is shown.
3. Where none is left and the formula of ``bounds`` still finds a cell too narrow, a place hidden beside it hides all
   periods of its year, so that people may change places over all of them: hiding wider places, up to the country, would
   give nothing to such a cell. Only where that isn't enough, the parent is hidden.
4. What a place's shown periods leave of its year holds at least the threshold, else all its periods are hidden, and
   then its year.
5. Nobody's answer is known because all hidden of a period answered alike: as for 3, then the year, then other places.

Only more is hidden, so it ends; each round sorts the candidates once. At the end, wide places hidden for others that
these don't need after all are shown again: those without which the rules hide nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.disclosure.bounds import alike, too_narrow
from pipelines.disclosure.series import EPSILON, Flags, Numbers, Places, Series, added
from pipelines.disclosure.shade import Cells, Shade, Shades

_TRIED = 24  # places of a series that are shown again to see whether any other must be hidden then: the widest


def hidden_slots(series: Series) -> tuple[Flags, bool]:
    """Return what is hidden of the series, places × slots, and whether the formula finds no cell too narrow."""
    shades = Shades(series)
    hidden: Flags = np.stack([_small(series, shades.cells(slot.columns)) for slot in series.slots], axis=1)
    hidden |= series.held
    at_first = hidden.copy()
    narrow = _grown(shades, hidden)
    _shown_again(shades, hidden, at_first)
    return hidden, not narrow


def _grown(shades: Shades, hidden: Flags, *, once: bool = False) -> bool:
    """Hide more until the rules hold; return whether cells stay too narrow. ``once``: only until more is hidden."""
    series = shades.series
    tried: dict[int, bytes] = {}  # of each slot, what was hidden there and around it when it was tried last
    narrow = np.zeros(len(series.slots), dtype=bool)
    while hidden.any():
        before = hidden.copy()
        for index, slot in enumerate(series.slots):
            around = [n for n, one in enumerate(series.slots) if n == slot.within or one.total == slot.total]
            state = hidden[:, around].tobytes()
            if tried.get(index) != state:
                narrow[index] = _tried(shades, index, hidden)
            tried[index] = state
            if once and (hidden != before).any():
                return True
        _remainders(shades, hidden)
        if (hidden == before).all() and not _told_alike(shades, hidden):
            break
    return bool(narrow.any())


def _shown_again(shades: Shades, hidden: Flags, at_first: Flags) -> None:
    """Show again the widest places that were hidden for others below and turned out to help none, one by one."""
    series, cells = shades.series, [shades.cells(slot.columns) for slot in shades.series.slots]
    year = [max(slot.within, 0) for slot in series.slots]
    open_ = hidden & ~at_first & ~series.unnamed[:, None] & ~(hidden[:, year] & (np.arange(len(year)) != year))
    mass = np.stack([one.mass * one.inner for one in cells], axis=1)
    order = np.argsort(-(mass * open_), axis=None, kind="stable")[:_TRIED]
    for place, index in zip(*np.unravel_index(order, mass.shape), strict=True):
        if not open_[place, index] or not mass[place, index]:
            break
        shown = hidden.copy()
        shown[place, index] = False
        grown = shown.copy()
        if not _grown(shades, grown, once=True) and (grown == shown).all():
            hidden[place, index] = False


def _tried(shades: Shades, index: int, hidden: Flags) -> bool:
    """Hide more of a slot; return whether cells stay too narrow."""
    slot = shades.series.slots[index]
    if slot.within >= 0:
        hidden[:, index] |= hidden[:, slot.within] & ~shades.series.unnamed
    return _settle(shades, index, hidden)


def _told_alike(shades: Shades, hidden: Flags) -> bool:
    """Hide more where a reader would know that all answered alike in a period; return whether there is any.

    More periods of places hidden beside them, else their year, else (it is hidden already) other places.
    """
    for index, slot in enumerate(shades.series.slots):
        if slot.within < 0 or not (same := alike(shades, index, hidden)).any():
            continue
        before = hidden.copy()
        if not _joined(shades, index, hidden, np.flatnonzero(same)):
            still = np.flatnonzero(same & hidden[:, slot.within])
            hidden[:, slot.within] |= same  # of people in no place below too: their year is a subtraction away
            hidden[_company(shades.slot(index, hidden), still), index] = True
        if (hidden != before).any():
            return True
    return False


def _small(series: Series, cells: Cells) -> Flags:
    """Return the places where the rule hides a period: some, but fewer people than the threshold."""
    few = cells.some[:, : len(series.layers)] & (cells.layers < series.minimum)
    return np.asarray(series.small[:, cells.columns].any(axis=1) | few.any(axis=(1, 2)))


def _settle(shades: Shades, index: int, hidden: Flags) -> bool:
    """Hide more of slot ``index`` until its hidden places hide one another; return whether cells stay too narrow."""
    series, here = shades.series, hidden[:, index]
    cells = shades.cells(series.slots[index].columns)
    exhausted = np.zeros(series.places, dtype=bool)
    while here.any():
        if series.unnamed.any():
            here |= series.unnamed & (cells.mass > 0) & np.append(series.tree.any(here), False)[series.tree.parent]
        here |= _agreed(cells, here)
        shade = shades.slot(index, hidden)
        lack = _Lack.of(shade, exhausted)
        chosen, exhausted_now = _cheapest(shade, lack)
        exhausted |= exhausted_now
        if not len(chosen):
            failing = too_narrow(shades, index, hidden)
            if _joined(shades, index, hidden, failing):
                continue
            chosen = np.union1d(_company(shade, failing), lack.alike(exhausted & ~here))
            if not len(chosen):
                return bool(len(failing))
        here[chosen] = True
    return False


@dataclass(frozen=True)
class _Lack:
    """Which places must hide more of what is below them (``wanted``), and how much of each figure and period.

    ``lacking``, ``largest`` (layers alone): of each family of the tree. A shown place lacks what its hidden children
    don't have without the largest; a hidden one with others below it, what they don't have. Of each part there must be
    something: of people who all answered alike, each one's answer is known.
    """

    shade: Shade
    wanted: Flags
    lacking: Numbers
    largest: Numbers

    @classmethod
    def of(cls, shade: Shade, exhausted: Flags) -> _Lack:
        """Judge what is hidden; no place of ``exhausted`` wants anything."""
        cells, families = shade.cells, shade.tree.families
        parents, layers = families.parents, cells.layers.shape[1]
        moves, dark = shade.unknown, shade.dark[parents][:, None, None]
        total, largest = families.sums(moves), families.largest(moves[:, :layers])
        total, same = total[:, :layers], total[:, layers:] <= EPSILON
        rest = np.where(
            dark, cells.least[parents] - moves[parents, :layers], cells.series.needed(largest) - (total - largest)
        )
        some = cells.some[parents]
        rest = np.where(some[:, :layers], np.maximum(rest, 0.0), 0.0)
        lacking = np.concatenate([rest, same & some[:, layers:] & ~dark], axis=1)
        asks = np.where(shade.dark, shade.hidden & cells.inner, shade.tree.any(shade.hidden & (cells.mass > 0)))
        wanted = np.zeros(len(asks), dtype=bool)
        wanted[parents] = asks[parents] & (lacking > EPSILON).any(axis=(1, 2))
        return cls(shade, wanted & ~exhausted, lacking, largest)

    def alike(self, places: Flags) -> Places:
        """Return those of these places below which all that is hidden of a period answered alike."""
        layers = self.largest.shape[1]
        same = (self.lacking[:, layers:] > EPSILON).any(axis=(1, 2))
        return np.asarray(self.shade.tree.families.parents[same & places[self.shade.tree.families.parents]])


def _agreed(cells: Cells, here: Flags) -> Flags:
    """Return the shown places whose people all answered alike in a period, when those of places below are hidden."""
    families, layers = cells.tree.families, [split.layer for split in cells.series.splits for _ in split.parts]
    answered_by_none = ~cells.some[families.parents, cells.layers.shape[1] :]
    agreed = np.zeros(len(here), dtype=bool)
    if answered_by_none.any():
        below = families.sums(cells.layers * here[:, None, None])[:, layers]
        agreed[families.parents] = ((below > EPSILON) & answered_by_none).any(axis=(1, 2))
    return agreed & ~Shade(cells, here).dark


def _cheapest(shade: Shade, lack: _Lack) -> tuple[Places, Flags]:
    """Return, of each place that wants it, the child to hide next; and the places of which no child would help.

    The child with the fewest people that brings all that is lacking; else the one that brings most of it.
    """
    cells, tree = shade.cells, shade.tree
    able = np.flatnonzero(~shade.hidden & ~cells.series.unnamed & np.append(lack.wanted, False)[tree.parent])
    parent, family = tree.parent[able], tree.family[tree.parent[able]]
    layers = cells.layers.shape[1]
    brings = np.where(cells.fresh[able][:, None, :], cells.figures[able], 0.0)
    brings[:, layers:] = brings[:, layers:] > EPSILON
    largest = lack.largest[family]
    most_brought = np.where(shade.dark[parent][:, None, None] | (largest <= EPSILON), np.inf, largest)
    brings[:, :layers] = np.minimum(brings[:, :layers], most_brought)
    lacking = lack.lacking[family]
    gain = np.minimum(brings, lacking).sum(axis=(1, 2))
    cures = (brings >= lacking - EPSILON).all(axis=(1, 2))
    order = np.lexsort((able, cells.mass[able], np.where(cures, 0.0, -gain), ~cures, parent))
    order = order[gain[order] > EPSILON]
    owners, first = np.unique(parent[order], return_index=True)
    exhausted = lack.wanted.copy()
    exhausted[owners] = False
    return able[order[first]], exhausted


def _joined(shades: Shades, index: int, hidden: Flags, failing: Places) -> bool:
    """Hide all periods of places hidden here, so that people of those that fail may change places over the whole year.

    Of each place that fails: itself, else the place hidden below the same root whose other periods hold fewest people.
    Returns whether there is any.
    """
    slots, shade = shades.series.slots, shades.slot(index, hidden)
    others = [n for n, one in enumerate(slots) if one.total == slots[index].total >= 0 and n != index]
    if not others or not len(failing):
        return False
    part = shade.hidden & ~shades.series.unnamed & ~hidden[:, others].all(axis=1)
    mine = failing[part[failing]]
    able = np.flatnonzero(part & np.isin(shade.root, np.setdiff1d(shade.root[failing], shade.root[mine])))
    cost = np.sum([shades.cells(slots[n].columns).mass[able] for n in others], axis=0)
    order = np.lexsort((able, cost, shade.root[able]))
    _, first = np.unique(shade.root[able][order], return_index=True)
    chosen = np.union1d(mine, able[order[first]])
    hidden[np.ix_(chosen, np.array(others))] = True
    return len(chosen) > 0


def _company(shade: Shade, failing: Places) -> Places:
    """Return what to hide with places that aren't hidden enough: a child of each, else a sibling, else its parent."""
    if not len(failing):
        return failing
    mass, parent = shade.cells.mass, shade.tree.parent
    able = (parent >= 0) & ~shade.hidden & shade.cells.named
    spot = np.where(shade.tree.any(able)[failing], failing, shade.root[failing])
    spots = np.unique(spot)
    open_ = np.flatnonzero(able & np.isin(parent, spots))
    order = np.lexsort((open_, mass[open_], parent[open_]))
    owners, first = np.unique(parent[open_][order], return_index=True)
    left = spots[~np.isin(spots, owners) & ~shade.hidden[spots]]
    return np.concatenate([open_[order[first]], left])


def _remainders(shades: Shades, hidden: Flags) -> None:
    """Hide the other periods of a place, and then its year, where what is hidden of it is known and too small.

    Too small: under the threshold, or all who answered one question answered alike.
    """
    series = shades.series
    for total in sorted({slot.total for slot in series.slots if slot.total >= 0}):
        inside = [index for index, slot in enumerate(series.slots) if slot.total == total]
        within = series.slots[inside[0]].within
        touched = hidden[:, inside].any(axis=1) & ~hidden[:, within] & ~series.unnamed
        touched &= series.layers[0].base[:, total] > EPSILON
        for whole in (False, True):
            tight = touched & _told(shades, hidden, inside)
            if whole:
                hidden[tight, within] = True
            else:
                hidden[np.ix_(np.flatnonzero(tight), np.array(inside))] = True


def _told(shades: Shades, hidden: Flags, inside: list[int]) -> Flags:
    """Return the places of which the hidden periods hold together too few people, or people who all answered alike."""
    series = shades.series
    unknown = np.sum([added(shades.slot(number, hidden).unknown)[..., 0] for number in inside], axis=0)
    layers, parts = unknown[:, : len(series.layers)], unknown[:, len(series.layers) :]
    some = layers > EPSILON
    few = some & (layers < series.minimum[:, 0])
    asked = [split.layer for split in series.splits for _ in split.parts]
    return np.asarray(few.any(axis=1) | (some[:, asked] & (parts <= EPSILON)).any(axis=1))
