"""The engine's door: judge delimited bytes or cells against a Table Schema, with frictionless's verdicts.

Reports and Parquet files are made from its blocks elsewhere.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.tabular.batches import Kept, batches, native_batches, reader_records
from pipelines.tabular.blocks import Content, Judgement
from pipelines.tabular.columns import Column
from pipelines.tabular.encoding import can_decode, encoding_errors, is_known
from pipelines.tabular.fallback import plain_blocks, row_stream
from pipelines.tabular.opening import (
    Source,
    expected_fields,
    leading_errors,
    opening_errors,
    reader_options,
    refers_to_itself,
    without_keys,
)
from pipelines.tabular.parquet import ParquetRows
from pipelines.tabular.record_pieces import Text, cuts_at_bytes, open_bytes
from pipelines.tabular.streams import fed_rows, judged, remembered, uncovered
from pipelines.tabular.tokens import arrow_reads_alike, tokenised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from mmap import mmap
    from pathlib import Path

    from frictionless.resources import TableResource

    from pipelines.tabular.tokens import Cells, Tokens

_PIECE = 1 << 22
_ROWS = 1 << 15
_BYTES_A_ROW = 16
_HEAD, _SAMPLE = 1 << 20, 100


def judge_delimited(
    content: bytes | Path,
    schema: dict[str, Any],
    dialect: dict[str, Any] | None = None,
    *,
    encoding: str | None = "utf-8",
    references: Mapping[str, Any] | None = None,
    block_rows: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Judgement:
    """Judge delimited text, as frictionless would with that schema, dialect and encoding (None: it guesses).

    ``references`` are the tables of the foreign keys, by name: frictionless resources, or rows.
    """
    source = Source(content, schema, dialect or {}, encoding, references)
    data = open_bytes(content)
    if refers_to_itself(schema):
        return _plainly(Judgement(), source, "a foreign key to the table itself", block_rows)
    opened = _open(source, _head(source, data))
    if isinstance(opened, Judgement):
        if encoding and is_known(encoding):
            _note_encoding(opened, data, encoding)
        return opened
    resource, judgement = opened
    used = str(resource.encoding)
    reason = _note_encoding(judgement, data, used) or uncovered(resource)
    if reason:
        resource.close()
        return _plainly(judgement, source, reason, block_rows)
    options, fields = reader_options(resource), expected_fields(resource)
    text: Text | None = None
    difference = arrow_reads_alike(options)
    if difference:
        judgement.why = f"split by Python's csv reader: {difference}"
        kept = Kept()
        stream = remembered(batches(reader_records(data, used, options), len(fields), 1, block_rows or _ROWS), kept)
        fetch = kept.fetch
    else:
        text = Text(data, used, options)
        size = _PIECE if block_rows is None else block_rows * _BYTES_A_ROW
        stream, fetch = tokenised(text, size, len(fields)), text.fetch
    judgement.blocks = judged(judgement, resource, source, stream, fetch, progress, text)
    return judgement


def judge_cells(
    header: list[str],
    rows: Iterable[Sequence[str | None]] | pa.Table,
    schema: dict[str, Any],
    *,
    first_row: int = 2,
    references: Mapping[str, Any] | None = None,
    block_rows: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Judgement:
    """Judge cells that are already split: spreadsheets, Arrow tables. ``first_row`` is the number of the first row.

    Texts are read as those of a delimited file; cells of other types as frictionless reads native cells.
    """
    size, sampled = block_rows or _ROWS, None if refers_to_itself(schema) else _SAMPLE
    if isinstance(rows, pa.Table):
        head = rows.slice(0, sampled)
        sample = list(zip(*(column.to_pylist() for column in head.columns), strict=True))
        nested = _nested(rows.schema)
    else:
        stream = iter(rows)
        sample, nested = [tuple(row) for row in islice(stream, sampled)], ""
        rows = chain(sample, stream)
    kept = Kept()

    def tokens(width: int) -> Iterator[Tokens]:
        return remembered(batches(rows, width, first_row, size), kept)

    source = Source([header, *map(list, sample)], schema, {"headerRows": [1]}, None, references)
    return _judge_split(source, tokens, kept.fetch, nested, size, progress)


def judge_native(
    rows: Iterable[Sequence[Any]],
    schema: dict[str, Any],
    dialect: dict[str, Any] | None = None,
    *,
    references: Mapping[str, Any] | None = None,
    block_rows: int | None = None,
) -> Judgement:
    """Judge the rows of a sheet, numbered from 1, as frictionless judges native cells; the dialect finds the header.

    Each row is frictionless's: a sheet holds few of them.
    """
    size, stream = block_rows or _ROWS, iter(rows)
    sample = [list(row) for row in islice(stream, None if refers_to_itself(schema) else _SAMPLE)]
    source = Source(sample, schema, dialect or {}, None, references)
    opened = _open(source, sample)
    if isinstance(opened, Judgement):
        return opened
    resource, judgement = opened
    fields, content = expected_fields(resource), Content(resource.dialect)
    judgement.path, judgement.why = "frictionless", "native cells"
    tokens = native_batches(chain(sample, stream), len(fields), size)
    judgement.blocks = plain_blocks(fed_rows(resource, content.filtered(tokens)), fields, size)
    return judgement


def judge_parquet(
    path: Path,
    schema: dict[str, Any],
    *,
    references: Mapping[str, Any] | None = None,
    block_rows: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Judgement:
    """Judge a Parquet file on its typed columns, as frictionless judges native cells; the header counts as row 1."""
    rows, size = ParquetRows(path), block_rows or _ROWS
    source = Source(
        [rows.header, *rows.sample(None if refers_to_itself(schema) else _SAMPLE)],
        schema, {"headerRows": [1]}, None, references,
    )  # fmt: skip
    return _judge_split(
        source, lambda width: rows.blocks(width, size), rows.fetch, _nested(rows.schema), size, progress
    )


def _nested(schema: pa.Schema) -> str:
    names = [field.name for field in schema if pa.types.is_nested(field.type)]
    return f"nested cells in {', '.join(names)}" if names else ""


def _judge_split(
    source: Source,
    tokens: Callable[[int], Iterator[Tokens]],
    fetch: Callable[[int], Cells],
    nested: str,
    size: int,
    progress: Callable[[int], None] | None,
) -> Judgement:
    """Judge records that are no delimited text, given the function that yields their blocks for a number of columns."""
    opened = _open(source, source.data)
    if isinstance(opened, Judgement):
        return opened
    resource, judgement = opened
    fields = expected_fields(resource)
    itself = "a foreign key to the table itself" if refers_to_itself(source.schema) else ""
    reason = itself or nested or uncovered(resource)
    if reason:
        judgement.path, judgement.why = "frictionless", reason
        judgement.blocks = plain_blocks(fed_rows(resource, tokens(len(fields))), fields, size)
    else:
        judgement.blocks = judged(judgement, resource, source, tokens(len(fields)), fetch, progress, content=False)
    return judgement


def _note_encoding(judgement: Judgement, data: bytes | mmap, encoding: str) -> str:
    """Note the bytes that the encoding can't read, and return why they matter; nothing when it reads all."""
    if can_decode(data, encoding):
        return ""
    judgement.encoding_errors = list(encoding_errors(data, encoding))
    judgement.why = f"the content is not all {encoding}"
    return judgement.why


def _open(source: Source, head: Any, *, fed: bool = True) -> tuple[TableResource, Judgement] | Judgement:
    """Open the table with frictionless; a table that it can't open has its verdict at once."""
    resource = source.resource(fed=fed, data=head)
    errors = opening_errors(resource)
    if errors:
        declared = resource.stats.fields or 0
        why = "the table can't be opened"
        return Judgement(path="frictionless", why=why, opened=False, declared=declared, source_errors=errors)
    fields = expected_fields(resource)
    columns = [Column(field) for field in fields]
    return resource, Judgement(
        header=list(resource.labels),
        declared=len(resource.schema.fields),
        names=[field.name for field in fields],
        arrow_schema=pa.schema([(field.name, column.type) for field, column in zip(fields, columns, strict=True)]),
        source_errors=leading_errors(resource),
        header_errors=list(resource.header.errors),
    )


def _head(source: Source, data: bytes | mmap) -> bytes:
    """Return as much of the content as frictionless samples."""
    size = _HEAD if cuts_at_bytes(source.encoding or "utf-8") else len(data)
    while size < len(data):
        end = data.rfind(b"\n", 0, size) + 1
        head = data[:end]
        if head.count(b"\n") > _SAMPLE and _sampled(source, head) >= _SAMPLE:
            return head
        size *= 8
    return data[: len(data)]


def _sampled(source: Source, head: bytes) -> int:
    resource = source.resource(schema=without_keys(source.schema), data=head)
    return 0 if opening_errors(resource) else len(resource.sample)


def _plainly(judgement: Judgement, source: Source, reason: str, size: int | None) -> Judgement:
    """Let frictionless read the whole content."""
    opened = _open(source, None, fed=False)
    if isinstance(opened, Judgement):
        opened.why, opened.encoding_errors = reason, judgement.encoding_errors
        return opened
    resource, opened_judgement = opened
    opened_judgement.path, opened_judgement.why = "frictionless", reason
    opened_judgement.encoding_errors = judgement.encoding_errors
    rows = row_stream(resource, opened_judgement)
    opened_judgement.blocks = plain_blocks(rows, expected_fields(resource), size or _ROWS)
    return opened_judgement
