"""Typed Parquet from a judgement, in the pass that judges: the values are frictionless's own.

Which files are written, and where, is for the caller to decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.validate.tabular.blocks import JudgedBlock, Judgement

ROW_NUMBER = "_ligne"
_GROUP = 1 << 18


def write_typed(judgement: Judgement, path: Path, *, numbered: bool = True) -> Iterator[JudgedBlock]:
    """Write the accepted rows while yielding the blocks; ``numbered`` adds each row's number in the file.

    The file is complete when the blocks are exhausted.
    """
    numbers = [pa.field(ROW_NUMBER, pa.int64())] if numbered else []
    schema = pa.schema([*judgement.arrow_schema, *numbers])
    waiting: list[pa.Table] = []
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for block in judgement:
            columns = [*block.accepted.columns, *([pa.array(block.numbers)] if numbered else [])]
            waiting.append(pa.Table.from_arrays(columns, schema=schema))
            if sum(table.num_rows for table in waiting) >= _GROUP:
                writer.write_table(pa.concat_tables(waiting).combine_chunks())
                waiting = []
            yield block
        if waiting:
            writer.write_table(pa.concat_tables(waiting).combine_chunks())
