"""The one writer of CSV and the one writer of Parquet, both deterministic. Tables come here canonical."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet

from pipelines.release.cells import csv_text
from pipelines.release.files import WrittenFile, facts, write
from pipelines.release.reading_order import reading_order

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DIALECT = {"delimiter": ",", "quoteChar": '"', "doubleQuote": True, "lineTerminator": "\n", "header": True}
_NEEDS_QUOTES = re.compile(r'[",\r\n]')


def csv_bytes(table: pa.Table) -> bytes:
    """Return the CSV: UTF-8 without BOM, comma, LF, quotes only where needed, rows in their ``reading_order``."""
    columns = csv_columns(table)
    lines = [_line([column[row] for column in columns]) for row in reading_order(columns)]
    return "".join([_line(table.column_names), *lines]).encode("utf-8")


def csv_columns(table: pa.Table) -> list[list[str]]:
    """Return the texts of a table, column by column, as its CSV has them."""
    return [[csv_text(value) for value in column.to_pylist()] for column in table.columns]


def write_csv(table: pa.Table, path: Path) -> WrittenFile:
    """Write the canonical CSV and return its facts."""
    return write(path, csv_bytes(table), rows=table.num_rows)


def write_parquet(table: pa.Table, path: Path) -> WrittenFile:
    """Write Parquet with the declared Arrow schema, its texts, and no trace of pandas; return its facts."""
    parquet.write_table(table, path, compression="zstd", version="2.6")
    return facts(path, rows=table.num_rows)


def _line(cells: Iterable[str]) -> str:
    quoted = [_quoted(cell) for cell in cells]
    return ('""' if quoted == [""] else ",".join(quoted)) + "\n"


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell
