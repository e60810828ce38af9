"""Parquet files: typed ones written in the pass that judges, with frictionless's own values; others read in blocks.

Which files are written, and where, is for the caller to decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from pipelines.tabular.batches import batches, typed_block
from pipelines.tabular.columns import repeats

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.tabular.blocks import JudgedBlock, Judgement
    from pipelines.tabular.tokens import Cells, Tokens

ROW_NUMBER = "_ligne"
_GROUP = 1 << 18


def write_typed(judgement: Judgement, path: Path, *, numbered: bool = True) -> Iterator[JudgedBlock]:
    """Write the accepted rows while yielding the blocks; ``numbered`` adds each row's number in the file.

    The file is complete when the blocks are exhausted.
    """
    numbers = [pa.field(ROW_NUMBER, pa.int64())] if numbered else []
    schema = pa.schema([*judgement.arrow_schema, *numbers])
    waiting: list[pa.Table] = []
    writer: parquet.ParquetWriter | None = None
    try:
        for block in judgement:
            columns = [*block.accepted.columns, *([pa.array(block.numbers)] if numbered else [])]
            waiting.append(pa.Table.from_arrays(columns, schema=schema))
            if sum(table.num_rows for table in waiting) >= _GROUP:
                writer, waiting = _written(writer, path, schema, waiting), []
            yield block
        if waiting or writer is None:
            writer = _written(writer, path, schema, waiting or [schema.empty_table()])
    finally:
        if writer is not None:
            writer.close()


def _written(
    writer: parquet.ParquetWriter | None, path: Path, schema: pa.Schema, tables: list[pa.Table]
) -> parquet.ParquetWriter:
    """Write a group of rows; the first one tells which columns are worth a dictionary, whose attempt is not free."""
    table = pa.concat_tables(tables).combine_chunks()
    if writer is None:
        repeated = [name for name in schema.names if repeats(table.column(name))]
        writer = parquet.ParquetWriter(path, schema, compression="zstd", use_dictionary=repeated or False)
    writer.write_table(table)
    return writer


class ParquetRows:
    """The rows of a Parquet file, numbered from 2 (the header is 1)."""

    def __init__(self, path: Path) -> None:
        self._file = parquet.ParquetFile(path, memory_map=True)
        self.schema: pa.Schema = self._file.schema_arrow
        self.header: list[str] = list(self.schema.names)
        counts = [self._file.metadata.row_group(index).num_rows for index in range(self._file.num_row_groups)]
        self._ends = np.cumsum(counts, dtype=np.int64)
        self._group: tuple[int, pa.Table] | None = None

    def sample(self, rows: int | None) -> list[Cells]:
        """Return the first rows (None: all)."""
        found: list[Cells] = []
        for batch in self._file.iter_batches(rows or 1 << 15):
            found += map(list, zip(*(column.to_pylist() for column in batch.columns), strict=True))
            if rows:
                break
        return found

    def blocks(self, width: int, size: int) -> Iterator[Tokens]:
        """Yield blocks for a table of so many columns."""
        first = 2
        for batch in self._file.iter_batches(size):
            if batch.num_columns == width:
                yield typed_block(batch.columns, first)
            else:
                yield from batches(pa.Table.from_batches([batch]), width, first, size)
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
