"""Cells that are already split (spreadsheets, Arrow tables, Python's csv reader) to blocks of text cells.

Arrow's tokenising of bytes does not belong here.
"""

from __future__ import annotations

import csv
import io
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipelines.tabular.tokens import Cells, Tokens, check_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from mmap import mmap


class Kept:
    """Blocks kept in memory, so that their records can be fetched again."""

    def __init__(self) -> None:
        self._blocks: list[Tokens] = []

    def remember(self, tokens: Tokens) -> None:
        """Keep a block."""
        self._blocks.append(tokens)

    def fetch(self, number: int) -> Cells:
        """Return the cells of one record."""
        for tokens in self._blocks:
            if tokens.first <= number < tokens.first + tokens.count:
                if number in tokens.ragged:
                    return tokens.ragged[number]
                return tokens.cells(int(np.searchsorted(tokens.numbers, number)))
        raise LookupError(f"record {number}")


def reader_records(content: bytes | mmap, encoding: str, options: Any) -> Iterator[list[str]]:
    """Split delimited text with Python's csv reader, for the dialects that Arrow reads otherwise."""
    stream: Any = io.BytesIO(content) if isinstance(content, bytes) else _Mapped(content)
    yield from csv.reader(io.TextIOWrapper(stream, encoding, newline=""), dialect=options)


def batches(rows: Iterable[Sequence[str | None]] | pa.Table, width: int, first: int, size: int) -> Iterator[Tokens]:
    """Group rows in blocks of ``size`` records; the first one has the number ``first``."""
    if isinstance(rows, pa.Table) and rows.num_columns == width:
        yield from _slices(rows, first, size)
        return
    if isinstance(rows, pa.Table):
        rows = _rows_of(rows, size)
    stream = iter(rows)
    while block := list(islice(stream, size)):
        yield _block(block, width, first)
        first += len(block)


def _block(rows: list[Sequence[str | None]], width: int, first: int) -> Tokens:
    regular = [place for place, row in enumerate(rows) if len(row) == width]
    ragged = {first + place: list(row) for place, row in enumerate(rows) if len(row) != width}
    for number, cells in ragged.items():
        check_width(cells, width, number)
    texts = zip(*(rows[place] for place in regular), strict=True) if regular else ([] for _ in range(width))
    columns = [pa.array(column, pa.string()) for column in texts]
    return Tokens(first, len(rows), np.array(regular, np.int64) + first, columns, ragged)


def native_batches(rows: Iterable[Sequence[Any]], width: int, size: int) -> Iterator[Tokens]:
    """Group rows of native cells, whose columns have no type of their own, in blocks; the first one is row 1."""
    stream, first = iter(rows), 1
    while block := list(islice(stream, size)):
        cells = {first + place: list(row) for place, row in enumerate(block)}
        for number, row in cells.items():
            check_width(row, width, number)
        yield Tokens(first, len(block), np.empty(0, np.int64), [], cells)
        first += len(block)


def typed_block(columns: list[pa.Array], first: int) -> Tokens:
    """Make a block of columns that are already Arrow's; text of any kind becomes plain text, other values stay."""
    decoded = [column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in columns]
    plain = [column.cast(pa.string()) if _is_text(column.type) else column for column in decoded]
    count = len(columns[0])
    return Tokens(first, count, np.arange(first, first + count), plain)


def _is_text(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null))


def _slices(table: pa.Table, first: int, size: int) -> Iterator[Tokens]:
    for start in range(0, table.num_rows, size):
        part = table.slice(start, size).combine_chunks()
        yield typed_block([column.chunk(0) for column in part.columns], first + start)


def _rows_of(table: pa.Table, size: int) -> Iterator[tuple[str | None, ...]]:
    for batch in table.to_batches(size):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


class _Mapped(io.RawIOBase):
    """A mapped file read in order."""

    def __init__(self, content: mmap) -> None:
        self._content, self._place = content, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._content[self._place : self._place + len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)
