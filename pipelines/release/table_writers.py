"""The one writer of CSV and the one writer of Parquet, both deterministic, and the reader of our own CSV.

Rows are written by key, but for a few. Polars guesses types from 100 rows, readr and readxl from 1 000: a column empty
over these was read as another type, or lost. Rows that tell the type of a column and come too late for that are written
first; nothing else moves.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from pipelines.mechanics.files import chunks
from pipelines.mechanics.limits import LONGEST_OWN_CELL
from pipelines.release.column_texts import content, csv_texts, joined, plain, plain_schema, quoted, slices
from pipelines.release.refusals import DamagedReleaseError

DIALECT = {"delimiter": ",", "quoteChar": '"', "doubleQuote": True, "lineTerminator": "\n", "header": True}
SOON = 50  # rows: with those written first (one a column at most), under the hundred that the hastiest reader looks at
# From the narrowest to the widest: what is of one kind can be read as any after it.
_KINDS = tuple(map(re.compile, (r"", r"T|F|TRUE|FALSE|[Tt]rue|[Ff]alse", r"-?\d+", r"-?\d+\.\d+", r"\d{4}-\d\d-\d\d")))
_RANKS = {"bool": 1, "int64": 2, "double": 3, "date32[day]": 4}  # of columns whose type tells their texts
_TEXT = pa.dictionary(pa.int32(), pa.string())
_GROUP = 1 << 20  # rows of a row group
_BLOCK = 1 << 24  # bytes read at once: no line is as long


def in_reading_order(table: pa.Table) -> pa.Table:
    """Return the rows of a table in the order in which they are written."""
    if table.num_rows <= SOON:
        return table
    first: dict[int, None] = {}
    for column in table.columns:
        kinds = _kinds(column)
        soon = kinds[[*range(SOON), *first]]
        if soon.max() < kinds.max():
            first[int(kinds.argmax())] = None
    starts, ends = [0, *(row + 1 for row in sorted(first))], [*sorted(first), table.num_rows]
    rest = [table.slice(start, end - start) for start, end in zip(starts, ends, strict=True)]
    return pa.concat_tables([*(table.slice(row, 1) for row in first), *rest])


def _kinds(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """Return the rank of the kind of every cell, as a CSV shows it."""
    if str(column.type) in _RANKS:
        return np.where(column.is_valid().to_numpy(), _RANKS[str(column.type)], 0).astype(np.int8)
    texts = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(csv_texts(column))
    values = texts.combine_chunks()
    ranks = np.array([*(_kind(text) for text in values.dictionary.to_pylist()), 0], dtype=np.int8)
    at = values.indices.fill_null(len(ranks) - 1).to_numpy()  # of an empty cell, like that of an empty text
    kinds: np.ndarray[tuple[int], np.dtype[np.int8]] = ranks[at]
    return kinds


def _kind(cell: str) -> int:
    return next((rank for rank, kind in enumerate(_KINDS) if kind.fullmatch(cell)), len(_KINDS))


def csv_bytes(table: pa.Table) -> bytes:
    """Return the CSV of a table."""
    return b"".join(_csv_pieces(table))


def write_csv(table: pa.Table, path: Path) -> str:
    """Write the CSV: UTF-8 without BOM, comma, LF, quotes where needed, rows as read.

    Returns the SHA-256 of what was sent to the disk: what is on it is checked against that.
    """
    digest = hashlib.sha256()
    with path.open("wb") as stream:
        for piece in _csv_pieces(table):
            stream.write(piece)
            digest.update(piece)
    return digest.hexdigest()


def _csv_pieces(table: pa.Table) -> Iterator[bytes | memoryview]:
    yield from content(_lines([pa.chunked_array([[name]]) for name in table.column_names]))
    for piece in slices(in_reading_order(table)):
        yield from content(_lines([csv_texts(column) for column in piece.columns]))


def _lines(columns: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    cells = [quoted(column) for column in columns]
    if len(cells) == 1:  # an empty line would be no row
        cells = [pc.if_else(pc.equal(cells[0], ""), '""', cells[0])]
    return joined(cells, ",", after="\n")


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write Parquet with the declared Arrow schema, its texts, and no trace of pandas."""
    with parquet.ParquetWriter(path, plain_schema(table.schema), compression="zstd", version="2.6") as writer:
        for start in range(0, max(table.num_rows, 1), _GROUP):
            writer.write_table(plain(table.slice(start, _GROUP)), _GROUP)


def read_csv(path: Path, columns: tuple[str, ...] | None = None) -> pa.Table:
    """Return a CSV of a release as texts, rows as they stand; its header must be ``columns`` (any, when None).

    Raises DamagedReleaseError, which says in which row it is no longer what was written.
    """
    header = next(_rows(path, columns), [])
    try:
        return _arrow_table(path, header)
    except (pa.ArrowException, OSError):  # let Python's reader, which is strict, tell what is wrong
        cells = list(zip(*list(_rows(path, columns))[1:], strict=True)) or [()] * len(header)
        return pa.table([pa.array(column, pa.string()) for column in cells], names=header)


def _arrow_table(path: Path, header: list[str]) -> pa.Table:
    if _cut(path):
        raise pa.ArrowInvalid("cut")  # Arrow takes what is left of the last row
    rows = arrow_csv.read_csv(
        path,
        read_options=arrow_csv.ReadOptions(block_size=_BLOCK, use_threads=False),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(header, _TEXT), strings_can_be_null=False, quoted_strings_can_be_null=False
        ),
    )
    if rows.column_names != header:
        raise pa.ArrowInvalid("header")
    return rows.unify_dictionaries()


def _cut(path: Path) -> bool:
    """Whether a CSV ends within a row."""
    quotes, piece = 0, b""
    with path.open("rb") as stream:
        for piece in chunks(stream):
            quotes += piece.count(b'"')
    return bool(quotes % 2) or not piece.endswith(b"\n")


def _rows(path: Path, columns: tuple[str, ...] | None) -> Iterator[list[str]]:
    """Yield the header, then the rows, as long as they all are whole."""
    csv.field_size_limit(LONGEST_OWN_CELL)
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            yield from _whole_rows(stream, path.name, columns)
    except FileNotFoundError as error:
        raise DamagedReleaseError(f"{path.name} : n'est plus là") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DamagedReleaseError(f"{path.name} : illisible, ce n'est plus un CSV en UTF-8") from error


def _whole_rows(stream: IO[str], name: str, columns: tuple[str, ...] | None) -> Iterator[list[str]]:
    rows = csv.reader(stream, strict=True)
    header = next(rows, [])
    if not header or columns not in (None, tuple(header)):
        raise DamagedReleaseError(f"{name} : ses colonnes ne sont pas celles que la version décrit")
    yield header
    for row in rows:
        if len(row) != len(header):
            told = f"ligne {rows.line_num}, {len(row)} cellules au lieu de {len(header)}"
            raise DamagedReleaseError(f"{name} : {told}")
        yield row
