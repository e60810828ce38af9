"""Typed rows, in memory or in Parquet files, read in batches so that memory stays bounded whatever their number.

Where the files are is for the caller to say; what the rows mean is known elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.compile.table_schema import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# Of each declared type of field.
ARROW_TYPES = {**TYPES, "year": pa.int64(), "duration": pa.float64()}
YEAR = "_annee"
BATCH_ROWS = 1 << 16
_GROUP_ROWS = 1 << 18


class TypedRows:
    """Rows of one schema, from tables and Parquet files in order; of one year when there is one."""

    def __init__(self, schema: pa.Schema, parts: Sequence[pa.Table | Path] = (), year: int | None = None) -> None:
        self.schema, self.parts, self.year = schema, tuple(parts), year
        self._count: int | None = None

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        if self._count is None:
            if self.year is None:
                self._count = sum(self._length(part) for part in self.parts)
            else:
                self._count = sum(batch.num_rows for batch in self.batches([YEAR]))
        return self._count

    @property
    def whole_file(self) -> Path | None:
        """The file that holds these rows and no other, if there is one."""
        if len(self.parts) != 1 or isinstance(self.parts[0], pa.Table):
            return None
        return self.parts[0] if self._length(self.parts[0]) == self.num_rows else None

    def of_year(self, year: int | None) -> TypedRows:
        """Return the rows of a year, or all of them without one."""
        return TypedRows(self.schema, self.parts, year)

    def without(self, numbers: Sequence[int]) -> TypedRows:
        """Return the rows but those of these numbers (``_ligne``); the others are brought into memory."""
        if not numbers:
            return self
        unwanted = pa.array(np.array(numbers, np.int64))
        kept = [batch.filter(pc.invert(pc.is_in(batch.column("_ligne"), unwanted))) for batch in self.batches()]
        return TypedRows(self.schema, [pa.Table.from_batches(kept, self.schema)], self.year)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order, with some columns only if asked."""
        names = list(columns) if columns is not None else self.schema.names
        read = [*names, YEAR] if self.year is not None and YEAR not in names else names
        for part in self.parts:
            for batch in self._read(part, read):
                if self.year is None:
                    yield batch
                else:
                    yield batch.filter(pc.equal(batch.column(YEAR), self.year)).select(names)

    def table(self) -> pa.Table:
        """Return all rows at once."""
        return pa.Table.from_batches(list(self.batches()), self.schema)

    def head(self, rows: int) -> pa.Table:
        """Return the first rows."""
        found: list[pa.RecordBatch] = []
        for batch in self.batches():
            found.append(batch)
            if sum(item.num_rows for item in found) >= rows:
                break
        return pa.Table.from_batches(found, self.schema).slice(0, rows)

    def write(self, path: Path) -> None:
        """Write the rows in one Parquet file."""
        writer = TypedWriter(self.schema, path)
        for batch in self.batches():
            writer.write(pa.Table.from_batches([batch], self.schema))
        writer.close()

    @staticmethod
    def _length(part: pa.Table | Path) -> int:
        return int(part.num_rows if isinstance(part, pa.Table) else pq.read_metadata(part).num_rows)

    @staticmethod
    def _read(part: pa.Table | Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
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
        if self._writer is not None and sum(item.num_rows for item in self._waiting) >= _GROUP_ROWS:
            self._flush()

    def close(self) -> TypedRows:
        """Finish, and return the rows."""
        if self._writer is None or self._path is None:
            return TypedRows(self._schema, [pa.concat_tables(self._waiting)] if self._waiting else [])
        self._flush()
        self._writer.close()
        return TypedRows(self._schema, [self._path])

    def _flush(self) -> None:
        if self._writer is not None and self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting).combine_chunks())
            self._waiting = []
