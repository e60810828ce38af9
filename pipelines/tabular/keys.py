"""Rows whose unique values, primary key or foreign keys are doubtful.

Only doubts are raised here: frictionless decides on the rows themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tabular.fast_checks import as_mask, missing_values
from pipelines.tabular.hashes import NULL, combine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipelines.tabular.columns import Column, ColumnVerdict
    from pipelines.tabular.doubts import Oracle
    from pipelines.tabular.tokens import Tokens

    Mask = NDArray[np.bool_]
    Hashes = NDArray[np.uint64]
    Numbers = NDArray[np.int64]

_FULL = 0.65
_STEP, _MOST = 1 << 20, 1 << 27
_REMEMBERED = 200_000  # combinations of texts of a foreign key


class Keys:
    """The unique columns and the primary key of a table, by the places of their columns."""

    def __init__(self, unique: Sequence[int], primary: Sequence[int]) -> None:
        self.primary = tuple(primary)
        groups = dict.fromkeys([(place,) for place in unique] + ([self.primary] if primary else []))
        self._seen = {group: Seen() for group in groups}
        self._places = sorted({place for group in groups for place in group})

    def reserve(self, rows: int) -> None:
        """Make room at once for about so many rows."""
        for seen in self._seen.values():
            seen.reserve(rows)

    def doubts(self, tokens: Tokens, verdicts: list[ColumnVerdict], columns: list[Column]) -> tuple[set[int], set[int]]:
        """Return the numbers of the rows that may break a key, and those of the earlier rows that they may repeat."""
        if not self._seen:
            return set(), set()
        ragged = sorted(tokens.ragged)
        alive = slice(None) if tokens.alive is None else tokens.alive
        numbers = np.concatenate([tokens.numbers[alive], np.array(ragged, np.int64)])
        hashes = {
            place: _with_ragged(verdicts[place].hashes()[alive], columns[place], place, tokens, ragged)
            for place in self._places
        }
        doubtful, earlier = set[int](), set[int]()
        for group, seen in self._seen.items():
            parts = [hashes[place] for place in group]
            null = np.logical_and.reduce([part == NULL for part in parts])
            if group == self.primary:
                doubtful |= set(numbers[null].tolist())
            present = np.flatnonzero(~null)
            partners = seen.add(combine(parts)[present], numbers[present])
            repeated = partners >= 0
            doubtful |= set(numbers[present[repeated]].tolist())
            for partner in set(partners[repeated].tolist()):
                (earlier if partner < tokens.first else doubtful).add(partner)
        return doubtful, earlier


class ForeignKey:
    """One foreign key: combinations of texts, each looked up once among the values that frictionless collected."""

    def __init__(self, oracles: Mapping[int, Oracle], known: set[tuple[Any, ...]]) -> None:
        self._places, self._oracles, self._known = list(oracles), list(oracles.values()), known
        self._memory: dict[tuple[str | None, ...], bool] = {}
        field = self._oracles[0].field
        self._texts: pa.Array | None = None
        if len(oracles) == 1 and field.type == "string" and field.format == "default":
            self._texts = pa.array(
                [*(value for (value,) in known if isinstance(value, str)), *missing_values(field)], pa.string()
            )

    def good(self, tokens: Tokens) -> Mask | None:
        """Mark the rows whose reference exists, or is empty (None: all)."""
        if self._texts is not None and pa.types.is_string(tokens.columns[self._places[0]].type):
            mask = as_mask(pc.is_in(tokens.columns[self._places[0]], self._texts))
            return None if mask.all() else mask
        codes = np.zeros(len(tokens.numbers), np.int64)
        for place in self._places:
            encoded = tokens.columns[place].dictionary_encode(null_encoding="encode")
            codes = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
        _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        texts = [tokens.columns[place].take(pa.array(first)).to_pylist() for place in self._places]
        refers = np.array([self._refers(combination) for combination in zip(*texts, strict=True)], np.bool_)
        return None if refers.all() else refers[inverse]

    def _refers(self, texts: tuple[str | None, ...]) -> bool:
        """Tell whether a combination of texts is that of a row referred to, or empty."""
        if texts not in self._memory:
            values = tuple(oracle.read(text).value for oracle, text in zip(self._oracles, texts, strict=True))
            if len(self._memory) >= _REMEMBERED:
                self._memory = {}
            self._memory[texts] = all(value is None for value in values) or values in self._known
        return self._memory[texts]


def _with_ragged(
    hashes: NDArray[np.uint64], column: Column, place: int, tokens: Tokens, ragged: list[int]
) -> NDArray[np.uint64]:
    if not ragged:
        return hashes
    rows = (tokens.ragged[number] for number in ragged)
    readings = column.oracle.read_all(cells[place] if place < len(cells) else None for cells in rows)
    return np.concatenate([hashes, column.hash_all(readings)])


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
            free = self._rows[places] == 0
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
