"""The engine's door: judge delimited bytes or cells against a Table Schema, with frictionless's verdicts.

Reports are made from its blocks elsewhere.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.tabular.batches import ParquetRows, SplitRecords, native_batches, reader_records
from pipelines.tabular.blocks import Content, Judgement
from pipelines.tabular.encoding import can_decode, encoding_errors
from pipelines.tabular.opening import (
    Source,
    expected_fields,
    leading_errors,
    opening_errors,
    reader_options,
    refers_to_itself,
    without_keys,
)
from pipelines.tabular.record_pieces import Text, codec_name, is_one_byte, is_utf8, open_bytes
from pipelines.tabular.streams import fed_rows, judged, read_rows, row_blocks, uncovered
from pipelines.tabular.tokens import arrow_reads_alike, tokenised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from mmap import mmap
    from pathlib import Path

    from frictionless.resources import TableResource

_PIECE = 1 << 22
_ROWS = 1 << 15
_BYTES_A_ROW = 16
_HEAD, _SAMPLE = 1 << 20, 100
_ITSELF = "a foreign key to the table itself"


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
    data, rows = open_bytes(content), block_rows or _ROWS
    if refers_to_itself(schema):
        return _plainly(source, Judgement(why=_ITSELF), rows)
    resource, judgement = _open(source, _head(source, data))
    if not judgement.opened:
        if encoding and codec_name(encoding):
            _note_encoding(judgement, data, encoding)
        return judgement
    used = str(resource.encoding)
    _note_encoding(judgement, data, used)
    judgement.why = judgement.why or uncovered(resource)
    if judgement.why:
        resource.close()
        return _plainly(source, judgement, rows)
    options, width = reader_options(resource), len(expected_fields(resource))
    difference = arrow_reads_alike(options)
    if difference:
        judgement.why = f"split by Python's csv reader: {difference}"
        records = SplitRecords(reader_records(content, used, options), 1, rows)
        judgement.blocks = judged(judgement, resource, source, records.blocks(width), records.fetch, progress)
        return judgement
    text = Text(data, used, options)
    stream = tokenised(text, _PIECE if block_rows is None else block_rows * _BYTES_A_ROW, width)
    judgement.blocks = judged(judgement, resource, source, stream, text.fetch, progress, text)
    return judgement


def judge_cells(
    header: list[str],
    rows: Iterable[Sequence[str | None]],
    schema: dict[str, Any],
    *,
    first_row: int = 2,
    references: Mapping[str, Any] | None = None,
    block_rows: int | None = None,
) -> Judgement:
    """Judge texts that are already split, as those of a delimited file; the first row has the number ``first_row``."""
    stream, size = iter(rows), block_rows or _ROWS
    sample = list(islice(stream, _sample_of(schema)))
    source = Source([header, *map(list, sample)], schema, {"headerRows": [1]}, None, references)
    return _judge_split(source, SplitRecords(chain(sample, stream), first_row, size), "", size)


def judge_parquet(
    path: Path,
    schema: dict[str, Any],
    *,
    references: Mapping[str, Any] | None = None,
    block_rows: int | None = None,
) -> Judgement:
    """Judge a Parquet file on its typed columns, as frictionless judges native cells; the header counts as row 1."""
    size = block_rows or _ROWS
    rows = ParquetRows(path, size)
    sample = [list(rows.schema.names), *rows.sample(_sample_of(schema))]
    nested = ", ".join(field.name for field in rows.schema if pa.types.is_nested(field.type))
    source = Source(sample, schema, {"headerRows": [1]}, None, references)
    return _judge_split(source, rows, f"nested cells in {nested}" if nested else "", size)


def judge_native(
    rows: Iterable[Sequence[Any]],
    schema: dict[str, Any],
    dialect: dict[str, Any] | None = None,
    *,
    references: Mapping[str, Any] | None = None,
) -> Judgement:
    """Judge the rows of a sheet, numbered from 1, as frictionless judges native cells; the dialect finds the header.

    Each row is frictionless's: a sheet holds few of them.
    """
    stream = iter(rows)
    sample = [list(row) for row in islice(stream, _sample_of(schema))]
    resource, judgement = _open(Source(sample, schema, dialect or {}, None, references), sample)
    if judgement.opened:
        fields = expected_fields(resource)
        judgement.path, judgement.why = "frictionless", "native cells"
        tokens = native_batches(chain(sample, stream), len(fields), _ROWS)
        judgement.blocks = row_blocks(fed_rows(resource, tokens, Content(resource.dialect)), fields, _ROWS)
    return judgement


def _judge_split(source: Source, records: SplitRecords | ParquetRows, nested: str, size: int) -> Judgement:
    """Judge records that are no delimited text."""
    resource, judgement = _open(source, source.data)
    if not judgement.opened:
        return judgement
    fields = expected_fields(resource)
    blocks = records.blocks(len(fields))
    reason = _ITSELF if refers_to_itself(source.schema) else nested or uncovered(resource)
    if reason:
        judgement.path, judgement.why = "frictionless", reason
        judgement.blocks = row_blocks(fed_rows(resource, blocks), fields, size)
    else:
        judgement.blocks = judged(judgement, resource, source, blocks, records.fetch)
    return judgement


def _plainly(source: Source, known: Judgement, size: int) -> Judgement:
    """Let frictionless read the whole content, for a reason that is known."""
    resource, judgement = _open(source, None, fed=False)
    judgement.path, judgement.why, judgement.encoding_errors = "frictionless", known.why, known.encoding_errors
    if judgement.opened:
        judgement.blocks = row_blocks(read_rows(resource, judgement), expected_fields(resource), size)
    return judgement


def _open(source: Source, head: Any, *, fed: bool = True) -> tuple[TableResource, Judgement]:
    """Open the table with frictionless; a table that it can't open has its verdict at once."""
    resource = source.resource(fed=fed, data=head)
    errors = opening_errors(resource)
    if errors:
        declared = resource.stats.fields or 0
        why = "the table can't be opened"
        return resource, Judgement("frictionless", why, opened=False, declared=declared, source_errors=errors)
    return resource, Judgement(
        header=list(resource.labels),
        declared=len(resource.schema.fields),
        names=[field.name for field in expected_fields(resource)],
        source_errors=leading_errors(resource),
        header_errors=list(resource.header.errors),
    )


def _note_encoding(judgement: Judgement, data: bytes | mmap, encoding: str) -> None:
    """Note the bytes that the encoding can't read, if there are some."""
    if not can_decode(data, encoding):
        judgement.encoding_errors = list(encoding_errors(data, encoding))
        judgement.why = f"the content is not all {encoding}"


def _sample_of(schema: dict[str, Any]) -> int | None:
    """Return how many rows frictionless is given to open a table; None: all, where it looks into the table itself."""
    return None if refers_to_itself(schema) else _SAMPLE


def _head(source: Source, data: bytes | mmap) -> bytes:
    """Return as much of the content as frictionless samples."""
    encoding = source.encoding or "utf-8"
    size = _HEAD if is_utf8(encoding) or is_one_byte(encoding) else len(data)
    while size < len(data):
        head = data[: data.rfind(b"\n", 0, size) + 1]
        if head.count(b"\n") > _SAMPLE:
            resource = source.resource(schema=without_keys(source.schema), data=head)
            if not opening_errors(resource) and len(resource.sample) >= _SAMPLE:
                return head
        size *= 8
    return data[: len(data)]
