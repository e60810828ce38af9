"""What is hidden of a series: one pattern for all its questions, safe by construction. Bounds are in ``bounds``.

The rules, in the order in which they are applied, until nothing changes:

1. A place where the rule hides one period hides the slot (both quarters of a semester…); what an earlier release hid
   stays hidden; what is hidden for the year is hidden for its quarters.
2. Under each shown parent the hidden places are none, or enough: in each period, without any one of them, the others
   have at least the threshold. Else the place that costs least is hidden too; hidden places that have others below
   hide some of them, so that they aren't the sum of what is shown. Where none is left and the formula of ``bounds``
   still finds a cell too narrow, the parent is hidden.
3. What a place's shown periods leave of its year holds at least the threshold, else all its periods are hidden, and
   then its year.

Only more is ever hidden, so it ends; each round sorts the candidates once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.disclosure.bounds import alike, dark, too_narrow, unknown
from pipelines.disclosure.series import EPSILON

if TYPE_CHECKING:
    from pipelines.disclosure.series import Series, Slot
    from pipelines.disclosure.tree import Flags, Numbers, Places


def hidden_slots(series: Series) -> tuple[Flags, bool]:
    """Return what is hidden of the series, places × slots, and whether the formula finds no cell too narrow."""
    hidden: Flags = np.stack([_small(series, slot) for slot in series.slots], axis=1) | series.held
    tried: dict[int, bytes] = {}  # of each slot, what was hidden there and around it when it was tried last
    narrow = np.zeros(len(series.slots), dtype=bool)
    while hidden.any():
        before = hidden.copy()
        for index, slot in enumerate(series.slots):
            around = [n for n, one in enumerate(series.slots) if n == slot.within or one.total == slot.total]
            state = hidden[:, around].tobytes()
            if tried.get(index) != state:
                narrow[index] = _tried(series, index, hidden)
            tried[index] = state
        _remainders(series, hidden)
        if (hidden == before).all():
            break
    return hidden, not narrow.any()


def _tried(series: Series, index: int, hidden: Flags) -> bool:
    """Hide more of a slot, and of the year that it is in; return whether cells stay too narrow."""
    slot = series.slots[index]
    if slot.within >= 0:
        hidden[:, index] |= hidden[:, slot.within] & ~series.unnamed
    narrow = _settle(series, index, hidden)
    if slot.within >= 0:
        same = alike(series, index, hidden)  # of people in no place below too: their year is a subtraction away
        still = np.flatnonzero(same & hidden[:, slot.within])  # the year is hidden already
        hidden[:, slot.within] |= same
        hidden[_company(series, index, hidden, still), index] = True
    return narrow


def _small(series: Series, slot: Slot) -> Flags:
    """Return the places where the rule hides a period: some, but fewer people than the threshold."""
    found: Flags = np.asarray(series.small[:, slot.columns].any(axis=1))
    for layer in series.layers:
        base = layer.base[:, slot.columns]
        found |= ((base > EPSILON) & (base < layer.minimum)).any(axis=1)
    return found


def _settle(series: Series, index: int, hidden: Flags) -> bool:
    """Hide more of slot ``index`` until its hidden places hide one another; return whether cells stay too narrow."""
    slot = series.slots[index]
    here = hidden[:, index]
    mass = series.mass(slot)
    stacked, parts = series.stacked(slot), series.parts(slot)
    exhausted = np.zeros(series.places, dtype=bool)
    while here.any():
        here |= series.unnamed & (mass > 0) & np.append(series.tree.any(here), False)[series.tree.parent]
        here |= _agreed(series, slot, here, parts)
        wanted, lacking = _lacking(series, slot, here, stacked, parts)
        wanted[exhausted] = False
        chosen, exhausted_now = _cheapest(series, slot, here, wanted, lacking, stacked, parts)
        exhausted |= exhausted_now
        if not len(chosen):
            failing = too_narrow(series, index, hidden)
            company = _company(series, index, hidden, failing)
            chosen = np.union1d(company, _still_alike(lacking, stacked, exhausted & ~here))
            if not len(chosen):
                return bool(len(failing))
        here[chosen] = True
    return False


def _lacking(
    series: Series, slot: Slot, here: Flags, stacked: Numbers, parts: Numbers
) -> tuple[Flags, Numbers]:  # fmt: skip
    """Return which places must hide more of what is below them, and how much of each layer, part and period it lacks.

    A shown place: what its hidden children have without the largest. A hidden one with others below it: what they
    have. Of each part there must be something: of people who all answered alike, each one's answer is known.
    """
    tree, shadow = series.tree, dark(series, slot, here)
    moves, some = unknown(series, slot, here, stacked), unknown(series, slot, here, parts)
    total, largest = tree.sums(moves), tree.largest(moves)
    needed = np.stack([layer.needed(largest[:, n]) for n, layer in enumerate(series.layers)], axis=1)
    least = np.stack([np.minimum(layer.needed(base), base) for layer, base in zip(
        series.layers, np.moveaxis(stacked, 1, 0), strict=True)], axis=1)  # fmt: skip
    rest = np.where(shadow[:, None, None], least - moves, needed - (total - largest))
    rest = np.where(stacked > EPSILON, np.maximum(rest, 0.0), 0.0)
    alike = (tree.sums(some) <= EPSILON) & (parts > EPSILON) & ~shadow[:, None, None]
    asks = np.where(shadow, here & series.inner(slot), tree.any(here & (series.mass(slot) > 0)))
    lacking = np.concatenate([rest, alike.astype(float)], axis=1)
    return asks & (lacking > EPSILON).any(axis=(1, 2)), lacking


def _agreed(series: Series, slot: Slot, here: Flags, parts: Numbers) -> Flags:
    """Return the shown places whose people all answered alike in a period, when those of places below are hidden."""
    layers = [split.layer for split in series.splits for _ in split.parts]
    below = series.tree.sums(series.stacked(slot) * here[:, None, None])[:, layers]
    return np.asarray(((below > EPSILON) & (parts <= EPSILON)).any(axis=(1, 2)) & ~dark(series, slot, here))


def _cheapest(
    series: Series, slot: Slot, here: Flags, wanted: Flags, lacking: Numbers, stacked: Numbers, parts: Numbers
) -> tuple[Places, Flags]:
    """Return, of each place that wants it, the child to hide next; and the places of which no child would help.

    The child with the fewest people that brings all that is lacking; else the one that brings most of it.
    """
    parent = series.tree.parent
    able = np.flatnonzero((parent >= 0) & ~here & ~series.unnamed & np.append(wanted, False)[parent])
    fresh = ~series.known[:, slot.columns]
    brings = np.concatenate([stacked[able], (parts[able] > EPSILON).astype(float)], axis=1) * fresh[able][:, None, :]
    lack = lacking[parent[able]]
    largest = series.tree.largest(unknown(series, slot, here, stacked))[parent[able]]
    held = np.where(dark(series, slot, here)[parent[able]][:, None, None] | (largest <= EPSILON), np.inf, largest)
    brings[:, : held.shape[1]] = np.minimum(brings[:, : held.shape[1]], held)
    gain = np.minimum(brings, lack).sum(axis=(1, 2))
    cures = (brings >= lack - EPSILON).all(axis=(1, 2))
    cost = series.mass(slot)[able]
    order = np.lexsort((able, cost, np.where(cures, 0.0, -gain), ~cures, parent[able]))
    order = order[gain[order] > EPSILON]
    owners, first = np.unique(parent[able][order], return_index=True)
    exhausted = wanted.copy()
    exhausted[owners] = False
    return able[order[first]], exhausted


def _still_alike(lacking: Numbers, stacked: Numbers, exhausted: Flags) -> Places:
    """Return the places under which nothing more can be hidden, and those hidden all answered alike in a period."""
    return np.flatnonzero(exhausted & (lacking[:, stacked.shape[1] :] > EPSILON).any(axis=(1, 2)))


def _company(series: Series, index: int, hidden: Flags, failing: Places) -> Places:
    """Return what to hide with places that aren't hidden enough: a child of each, else a sibling, else its parent."""
    if not len(failing):
        return failing
    slot, here = series.slots[index], hidden[:, index]
    mass, parent = series.mass(slot), series.tree.parent
    able = (parent >= 0) & ~here & ~series.unnamed & (mass > 0)
    root = series.tree.inherited(dark(series, slot, here))
    spot = np.where(series.tree.any(able)[failing], failing, root[failing])
    spots = np.unique(spot)
    open_ = np.flatnonzero(able & np.isin(parent, spots))
    order = np.lexsort((open_, mass[open_], parent[open_]))
    owners, first = np.unique(parent[open_][order], return_index=True)
    left = spots[~np.isin(spots, owners) & ~here[spots]]
    return np.concatenate([open_[order[first]], left])


def _remainders(series: Series, hidden: Flags) -> None:
    """Hide the other periods of a place, and then its year, where what is hidden of it is known and too small.

    Too small: under the threshold, or all who answered one question answered alike.
    """
    for total in sorted({slot.total for slot in series.slots if slot.total >= 0}):
        inside = [index for index, slot in enumerate(series.slots) if slot.total == total]
        within = series.slots[inside[0]].within
        touched = hidden[:, inside].any(axis=1) & ~hidden[:, within] & ~series.unnamed
        touched &= series.layers[0].base[:, total] > EPSILON
        for whole in (False, True):
            tight = touched & _told(series, hidden, inside)
            if whole:
                hidden[tight, within] = True
            else:
                hidden[np.ix_(np.flatnonzero(tight), np.array(inside))] = True


def _told(series: Series, hidden: Flags, inside: list[int]) -> Flags:
    """Return the places of which the hidden periods hold together too few people, or people who all answered alike."""
    slots = [(number, series.slots[number]) for number in inside]
    layers, parts = (
        sum(unknown(series, slot, hidden[:, number], made(slot)).sum(axis=2) for number, slot in slots)
        for made in (series.stacked, series.parts)
    )
    minimum = np.array([layer.minimum for layer in series.layers])
    few = (layers > EPSILON) & (layers < minimum)
    asked = [split.layer for split in series.splits for _ in split.parts]
    same = (layers[:, asked] > EPSILON) & (parts <= EPSILON)
    return np.asarray(few.any(axis=1) | same.any(axis=1))
