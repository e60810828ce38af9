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
_FULL, _SMALL = 0.65, 1 << 20


class Seen:
    """Open addressing with 12 bytes a place: the hash, and the row's number plus one (0: free)."""

    def __init__(self, places: int = 1 << 12) -> None:
        self._hashes = np.zeros(places, np.uint64)
        self._rows = np.zeros(places, np.uint32)
        self._count = 0

    def add(self, hashes: Hashes, numbers: Numbers) -> Numbers:
        """Add rows; return, for each, the number of another row with the same hash (-1: none seen yet).

        Of several new rows with one hash, any may stand for the others: they then point at it, and it at none.
        """
        while self._count + len(hashes) > _FULL * len(self._hashes):
            self._grow()
        return self._insert(hashes, numbers.astype(np.uint32) + np.uint32(1)).astype(np.int64) - 1

    def _grow(self) -> None:
        hashes, rows = self._hashes, self._rows
        places = len(hashes) * (8 if len(hashes) < _SMALL else 2)
        self._hashes = np.zeros(places, np.uint64)
        self._rows = np.zeros(places, np.uint32)
        self._count = 0
        step = 1 << 20
        for start in range(0, len(rows), step):
            used = np.flatnonzero(rows[start : start + step]) + start
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
