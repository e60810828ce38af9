"""A growing table of the 64-bit hashes already seen, each with the number of the row that had it first.

Whether equal hashes mean equal values is for frictionless to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Numbers = NDArray[np.int64]

_ZERO, _ONE = np.uint64(0), np.uint64(1)
_FULL = 0.65
_STEP, _MOST = 1 << 20, 1 << 27


class Seen:
    """Open addressing with 12 bytes a place: the hash, and the row's number plus one (0: free)."""

    def __init__(self, places: int = 1 << 12) -> None:
        self._hashes = np.zeros(places, np.uint64)
        self._rows = np.zeros(places, np.uint32)
        self._count = 0

    def reserve(self, rows: int) -> None:
        """Make room at once for about so many rows."""
        places = len(self._hashes)
        while rows > _FULL * places and places < _MOST:
            places *= 2
        if places > len(self._hashes):
            self._resize(places)

    def add(self, hashes: Hashes, numbers: Numbers) -> Numbers:
        """Add rows; return, for each, the number of another row with the same hash (-1: none seen yet).

        Of several new rows with one hash, any may stand for the others: they then point at it, and it at none.
        """
        while self._count + len(hashes) > _FULL * len(self._hashes):
            self._resize(2 * len(self._hashes))
        return self._insert(hashes, numbers.astype(np.uint32) + np.uint32(1)).astype(np.int64) - 1

    def _resize(self, places: int) -> None:
        hashes, rows = self._hashes, self._rows
        self._hashes, self._rows, self._count = np.zeros(places, np.uint64), np.zeros(places, np.uint32), 0
        for start in range(0, len(rows), _STEP):
            used = np.flatnonzero(rows[start : start + _STEP]) + start
            self._insert(hashes[used], rows[used])

    def _insert(self, hashes: Hashes, rows: NDArray[np.uint32]) -> NDArray[np.uint32]:
        mask = np.uint64(len(self._hashes) - 1)
        partner = np.zeros(len(hashes), np.uint32)
        todo = np.arange(len(hashes))
        places = (hashes & mask).astype(np.int64)
        while len(todo):
            held = self._rows[places]
            free = held == 0
            self._rows[places[free]] = rows[todo[free]]  # of several for one place, the last one wins
            won = free & (self._rows[places] == rows[todo])
            self._hashes[places[won]] = hashes[todo[won]]
            self._count += int(np.count_nonzero(won))
            lost = np.flatnonzero(~won)
            todo, places = todo[lost], places[lost]
            same = self._hashes[places] == hashes[todo]
            partner[todo[same]] = self._rows[places[same]]
            todo, places = todo[~same], (places[~same] + 1) & int(mask)
        return partner
