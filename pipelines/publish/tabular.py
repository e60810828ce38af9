"""The one writer of CSV and the one writer of Parquet, both deterministic. Tables come here canonical."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet

from pipelines.publish.canonical import text_rows
from pipelines.publish.files import WrittenFile, facts, write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DIALECT = {"delimiter": ",", "quoteChar": '"', "doubleQuote": True, "lineTerminator": "\n", "header": True}
_NEEDS_QUOTES = re.compile(r'[",\r\n]')


def csv_bytes(table: pa.Table) -> bytes:
    """Return the canonical CSV: UTF-8 without BOM, comma, LF, quotes only where needed."""
    return "".join(_line(row) for row in (table.column_names, *text_rows(table))).encode("utf-8")


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
