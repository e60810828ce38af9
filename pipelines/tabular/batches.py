"""Cells that are already split (spreadsheets, Parquet, Python's csv reader) to blocks of text cells.

Arrow's tokenising of bytes does not belong here.
"""

from __future__ import annotations

import csv
import io
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from pipelines.tabular.doubts import Cells
from pipelines.tabular.tokens import Tokens, check_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class SplitRecords:
    """Records already split, numbered from ``first``: in blocks, kept in memory so that each can be fetched again."""

    def __init__(self, rows: Iterable[Sequence[str | None]], first: int, size: int) -> None:
        self._rows, self._first, self._size = iter(rows), first, size
        self._kept: list[Tokens] = []

    def blocks(self, width: int) -> Iterator[Tokens]:
        """Yield blocks for a table of so many columns."""
        for tokens in _grouped(self._rows, width, self._first, self._size, _text_block):
            self._kept.append(tokens)
            yield tokens

    def fetch(self, number: int) -> Cells:
        """Return the cells of one record."""
        tokens = next(tokens for tokens in self._kept if tokens.first <= number < tokens.first + tokens.count)
        if number in tokens.ragged:
            return tokens.ragged[number]
        return tokens.rows(np.flatnonzero(tokens.numbers == number))[number]


def native_batches(rows: Iterable[Sequence[Any]], width: int, size: int) -> Iterator[Tokens]:
    """Group rows of native cells, whose columns have no type of their own, in blocks; the first one is row 1."""
    return _grouped(iter(rows), width, 1, size, _native_block)


def reader_records(content: bytes | Path, encoding: str, options: Any) -> Iterator[list[str]]:
    """Split delimited text with Python's csv reader, for the dialects that Arrow reads otherwise."""
    with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as stream:
        yield from csv.reader(io.TextIOWrapper(stream, encoding, newline=""), dialect=options)


def _grouped(
    stream: Iterator[Sequence[Any]], width: int, first: int, size: int, make: Callable[[list[Any], int, int], Tokens]
) -> Iterator[Tokens]:
    while rows := list(islice(stream, size)):
        tokens = make(rows, width, first)
        for number, cells in tokens.ragged.items():
            check_width(cells, width, number)
        yield tokens
        first += len(rows)


def _text_block(rows: list[Sequence[str | None]], width: int, first: int) -> Tokens:
    regular = [place for place, row in enumerate(rows) if len(row) == width]
    ragged = {first + place: list(row) for place, row in enumerate(rows) if len(row) != width}
    texts = zip(*(rows[place] for place in regular), strict=True) if regular else ([] for _ in range(width))
    columns = [pa.array(column, pa.string()) for column in texts]
    return Tokens(first, len(rows), np.array(regular, np.int64) + first, columns, ragged)


def _native_block(rows: list[Sequence[Any]], _: int, first: int) -> Tokens:
    return Tokens(first, len(rows), np.empty(0, np.int64), [], dict(enumerate(map(list, rows), first)))


def _typed_block(columns: list[pa.Array], first: int) -> Tokens:
    """Make a block of columns that are already Arrow's; text of any kind becomes plain text, other values stay."""
    decoded = [column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in columns]
    plain = [column.cast(pa.string()) if _is_other_text(column.type) else column for column in decoded]
    count = len(columns[0])
    return Tokens(first, count, np.arange(first, first + count), plain)


def _is_other_text(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null))


class ParquetRows:
    """The rows of a Parquet file, numbered from 2 (the header is 1), in blocks of ``size``."""

    def __init__(self, path: Path, size: int) -> None:
        self._file, self._size = parquet.ParquetFile(path, memory_map=True), size
        self.schema: pa.Schema = self._file.schema_arrow
        counts = [self._file.metadata.row_group(index).num_rows for index in range(self._file.num_row_groups)]
        self._ends = np.cumsum(counts, dtype=np.int64)
        self._group: tuple[int, pa.Table] | None = None

    def sample(self, rows: int | None) -> list[Cells]:
        """Return the first rows (None: all)."""
        cells: list[Cells] = []
        for batch in self._file.iter_batches(rows or 1 << 15):
            cells += _rows_of(batch)
            if rows:
                break
        return cells

    def blocks(self, width: int) -> Iterator[Tokens]:
        """Yield blocks for a table of so many columns."""
        first = 2
        for batch in self._file.iter_batches(self._size):
            if batch.num_columns == width:
                yield _typed_block(batch.columns, first)
            else:
                yield from _grouped(iter(_rows_of(batch)), width, first, self._size, _text_block)
            first += batch.num_rows

    def fetch(self, number: int) -> Cells:
        """Return the cells of one row."""
        place = number - 2
        group = int(np.searchsorted(self._ends, place, side="right"))
        if self._group is None or self._group[0] != group:
            self._group = group, self._file.read_row_group(group)
        table = self._group[1]
        inside = place - (int(self._ends[group]) - table.num_rows)
        return [column[inside].as_py() for column in table.columns]


def _rows_of(batch: pa.RecordBatch) -> list[Cells]:
    return [list(cells) for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True)]
