"""Typed rows, in memory or in Parquet files, and their columns: each distinct value is looked at once.

Rows are read in batches so that memory stays bounded whatever their number. Where the files are is for the caller to
say; what the rows mean is known elsewhere.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.compile.exports import field_descriptor
from pipelines.compile.table_schema import TYPES
from pipelines.mechanics.durations import duration_value
from pipelines.tabular.hashes import NULL, apart_from_null, combine, hash_floats, hash_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pipelines.declarations import Export, Layout
    from pipelines.tabular.hashes import Hashes

    Column: TypeAlias = "pa.Array | pa.ChunkedArray"
    Mask = NDArray[np.bool_]

# Of each declared type of field.
ARROW_TYPES = {**TYPES, "year": pa.int64(), "duration": pa.float64()}
YEAR = "_annee"
BATCH_ROWS = 1 << 16
_GROUP_ROWS = 1 << 18


class TypedRows:
    """Rows of one schema, from tables and Parquet files in order; of one year when there is one."""

    def __init__(self, schema: pa.Schema, parts: Sequence[pa.Table | Path] = (), year: int | None = None) -> None:
        self.schema, self.parts, self.year = schema, tuple(parts), year

    @cached_property
    def num_rows(self) -> int:
        """The number of rows."""
        if self.year is None:
            return sum(_length(part) for part in self.parts)
        return sum(batch.num_rows for batch in self.batches([YEAR]))

    @property
    def whole_file(self) -> Path | None:
        """The file that holds these rows and no other, if there is one."""
        if len(self.parts) != 1 or isinstance(self.parts[0], pa.Table):
            return None
        return self.parts[0] if _length(self.parts[0]) == self.num_rows else None

    def of_year(self, year: int | None) -> TypedRows:
        """Return the rows of a year, or all of them without one."""
        return TypedRows(self.schema, self.parts, year)

    def without(self, numbers: Sequence[int]) -> TypedRows:
        """Return the rows but those of these numbers (``_ligne``); the others are brought into memory."""
        if not numbers:
            return self
        unwanted = pa.array(np.array(numbers, np.int64))
        batches_left = [batch.filter(pc.invert(pc.is_in(batch.column("_ligne"), unwanted))) for batch in self.batches()]
        return TypedRows(self.schema, [pa.Table.from_batches(batches_left, self.schema)], self.year)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order, with some columns only if asked."""
        names = list(columns) if columns is not None else self.schema.names
        read = [*names, YEAR] if self.year is not None and YEAR not in names else names
        for part in self.parts:
            for batch in _batches_of(part, read):
                if self.year is None:
                    yield batch
                else:
                    yield batch.filter(pc.equal(batch.column(YEAR), self.year)).select(names)

    def table(self) -> pa.Table:
        """Return all rows at once."""
        return pa.Table.from_batches(list(self.batches()), self.schema)

    def head(self, rows: int) -> pa.Table:
        """Return the first rows."""
        first: list[pa.RecordBatch] = []
        for batch in self.batches():
            first.append(batch)
            if sum(batch_read.num_rows for batch_read in first) >= rows:
                break
        return pa.Table.from_batches(first, self.schema).slice(0, rows)

    def write(self, path: Path) -> None:
        """Write the rows in one Parquet file."""
        writer = TypedWriter(self.schema, path)
        for batch in self.batches():
            writer.write(pa.Table.from_batches([batch], self.schema))
        writer.close()


def _length(part: pa.Table | Path) -> int:
    return int(part.num_rows if isinstance(part, pa.Table) else pq.read_metadata(part).num_rows)


def _batches_of(part: pa.Table | Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    if isinstance(part, pa.Table):
        yield from part.select(columns).to_batches(BATCH_ROWS)
    else:
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=columns):
                yield batch.select(columns)


class TypedWriter:
    """Takes tables one after the other: in a Parquet file when there is a path, else in memory."""

    def __init__(self, schema: pa.Schema, path: Path | None) -> None:
        self._schema, self._path = schema, path
        self._waiting: list[pa.Table] = []
        self._writer = pq.ParquetWriter(path, schema, compression="zstd") if path is not None else None

    def write(self, table: pa.Table) -> None:
        """Take rows."""
        self._waiting.append(table)
        if self._writer is not None and sum(waiting.num_rows for waiting in self._waiting) >= _GROUP_ROWS:
            self._writer.write_table(pa.concat_tables(self._waiting).combine_chunks())
            self._waiting = []

    def close(self) -> TypedRows:
        """Finish, and return the rows."""
        last = [pa.concat_tables(self._waiting)] if self._waiting else []
        if self._writer is None or self._path is None:
            return TypedRows(self._schema, last)
        for table in last:
            self._writer.write_table(table.combine_chunks())
        self._writer.close()
        return TypedRows(self._schema, [self._path])


def one_piece(column: Column) -> pa.Array:
    """Return a column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def distinct(column: Column) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the distinct values of a column, None among them, and the place there of the value of each row."""
    encoded = one_piece(column).dictionary_encode("encode")
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def mask_of(column: Column, test: Callable[[Any], bool]) -> Mask:
    """Tell which rows hold a value that passes a test."""
    values, places = distinct(column)
    return np.array([test(value) for value in values], np.bool_)[places]


def mapped(column: Column, change: Callable[[Any], Any], kind: pa.DataType) -> pa.Array:
    """Return the column with its values changed, those that are null apart."""
    values, places = distinct(column)
    return pa.array([None if value is None else change(value) for value in values], kind).take(pa.array(places))


def numbered(columns: Iterable[Column], rows: int) -> NDArray[np.int64]:
    """Return a number for each row: the same for rows that hold the same values, from 0, in the order they come."""
    codes = np.zeros(rows, np.int64)
    for column in columns:
        encoded = one_piece(column).dictionary_encode("encode")
        codes = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
        codes = pa.array(codes).dictionary_encode().indices.to_numpy().astype(np.int64)
    return codes


def repeated(numbers: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the places of the rows of each number that several have, in order."""
    ordered = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[ordered])) + 1
    for places in np.split(ordered, starts):
        if len(places) > 1:
            yield places


def places_of(mask: Column | Mask) -> list[int]:
    """Return the places of the rows that a mask tells; what is unknown is not."""
    flags = mask if isinstance(mask, np.ndarray) else one_piece(mask).fill_null(False).to_numpy(zero_copy_only=False)
    places: list[int] = np.flatnonzero(flags).tolist()
    return places


def hash_rows(columns: Sequence[Column]) -> Hashes:
    """Hash rows by the values of these columns: equal ones have equal hashes, whatever the table."""
    return combine([_hashed(one_piece(column)) for column in columns]) if columns else np.empty(0, np.uint64)


def _hashed(column: pa.Array) -> Hashes:
    if pa.types.is_floating(column.type):
        hashes = hash_floats(column.fill_null(0).to_numpy(zero_copy_only=False))
    else:
        hashes = hash_texts(column.cast(pa.string()).fill_null(""))
    return np.where(column.is_null().to_numpy(zero_copy_only=False), NULL, apart_from_null(hashes))


class Durations:
    """The durations of a file, among its ``present`` columns: their texts become numbers of the declared unit.

    Whether a text has the declared form was judged by frictionless, as a pattern.
    """

    def __init__(self, export: Export, layout: Layout, present: Collection[str]) -> None:
        self.fields = [field for field in export.fields if field.type == "duration" and field.name in present]
        self._units = {field.name: str(field.unit) for field in self.fields}
        self._forms = {field.name: str(field_descriptor(field, layout)["duration"]) for field in self.fields}

    def form(self, name: str) -> str:
        """Return the form of a field, or nothing if it is no duration."""
        return self._forms.get(name, "")

    def typed(self, table: pa.Table) -> pa.Table:
        """Return the table with numbers in place of the texts of durations; a text that has not the form has none."""
        for name in self._forms.keys() & set(table.column_names):
            values = mapped(table.column(name), partial(self._value, name), pa.float64())
            table = table.set_column(table.column_names.index(name), name, values)
        return table

    def _value(self, name: str, text: str) -> float | None:
        try:
            return duration_value(text, self._forms[name], self._units[name])
        except ValueError:
            return None
