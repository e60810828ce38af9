"""The canonical text of whole columns, and of rows made of them: what releases are compared, hashed and written by.

Empty for what is missing, true/false, dots as decimal marks and no exponent, ISO dates. One value at a time only where
Arrow writes otherwise: an exponent, a sign that JSON escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

import pyarrow as pa
from pyarrow import compute as pc

BATCH = 1 << 14  # rows written or hashed at once
_COMPACT = pa.dictionary(pa.int32(), pa.string())
_ESCAPED = r'["\\\x00-\x1f]'
_QUOTED = r'[",\r\n]'


def canonical(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the canonical text of every cell of a column of a release, typed or already text."""
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    texts = pc.cast(column, pa.string())
    if pa.types.is_floating(column.type):
        exponents = pc.match_substring(texts, "e")
        texts = _where(texts, exponents, lambda number: format(Decimal(re.sub(r"e\+?", "e", number)), "f"))
    return pc.fill_null(texts, "")


def csv_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the text of every cell in a CSV: the canonical one, but a number always has decimals.

    A reader that meets 56 first takes the column for whole numbers, and fails on 847.5.
    """
    texts = canonical(column)
    if not pa.types.is_floating(column.type):
        return texts
    whole = pc.match_substring_regex(texts, r"^[^.]+$")
    return pc.if_else(whole, pc.binary_join_element_wise(texts, ".0", ""), texts)


def from_csv(texts: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    """Return the canonical texts of a column of a CSV of that declared type, as places in a list."""
    return each_value(texts, lambda text: text.removesuffix(".0")) if kind == "number" else texts


def compact_schema(schema: pa.Schema) -> pa.Schema:
    """Return a schema whose texts are places in a list of the different ones: memory follows these, not rows."""
    fields = [field.with_type(_COMPACT) if pa.types.is_string(field.type) else field for field in schema]
    return pa.schema(fields, metadata=schema.metadata)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema in which texts stand for themselves."""
    fields = [field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in schema]
    return pa.schema(fields, metadata=schema.metadata)


def plain(table: pa.Table) -> pa.Table:
    """Return the table with texts that stand for themselves; meant for few rows."""
    return table.cast(plain_schema(table.schema))


def quoted(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the texts as cells of a CSV: between quotes only where that is needed."""
    inside = pc.replace_substring(texts, '"', '""')
    return pc.if_else(
        pc.match_substring_regex(texts, _QUOTED), pc.binary_join_element_wise('"', inside, '"', ""), texts
    )


def escaped(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the texts as they stand between the quotes of a JSON string."""
    return _where(
        texts, pc.match_substring_regex(texts, _ESCAPED), lambda text: json.dumps(text, ensure_ascii=False)[1:-1]
    )


def joined(columns: Sequence[pa.ChunkedArray], separator: str, before: str = "", after: str = "") -> pa.ChunkedArray:
    """Return one text per row: its cells with ``separator`` between them, ``before`` and ``after`` around them."""
    row = pc.binary_join_element_wise(*columns, separator)
    return pc.binary_join_element_wise(before, row, after, "") if before or after else row


def content(texts: pa.ChunkedArray) -> Iterator[memoryview]:
    """Yield the UTF-8 bytes of texts put end to end."""
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        _, offsets, data = chunk.buffers()
        if data is not None and len(chunk):
            ends = memoryview(offsets).cast("i")
            yield memoryview(data)[ends[chunk.offset] : ends[chunk.offset + len(chunk)]]


def slices(table: pa.Table) -> Iterator[pa.Table]:
    """Yield a table by pieces of at most ``BATCH`` rows, whose texts stand for themselves."""
    for start in range(0, table.num_rows, BATCH):
        yield plain(table.slice(start, BATCH))


def each_value(column: pa.ChunkedArray, changed: Callable[[str], str]) -> pa.ChunkedArray:
    """Return a column of texts with ``changed`` applied, once, to each of its values."""
    chunks = []
    for chunk in pc.dictionary_encode(column).unify_dictionaries().chunks:
        values = [None if value is None else changed(value) for value in chunk.dictionary.to_pylist()]
        chunks.append(pa.array(values, pa.string()).take(chunk.indices))
    return pa.chunked_array(chunks, pa.string())


def key_order(keys: pa.Table) -> pa.Array:
    """Return the places of rows in the order of their keys, column by column, empty cells first."""
    return pc.sort_indices(keys, sort_keys=[(name, "ascending", "at_start") for name in keys.column_names])


def _where(texts: pa.ChunkedArray, mask: pa.ChunkedArray, changed: Callable[[str], str]) -> pa.ChunkedArray:
    """Return the texts with ``changed`` applied to those of the mask."""
    if not pc.any(mask).as_py():
        return texts
    some = pc.filter(texts, mask)
    others = each_value(some if isinstance(some, pa.ChunkedArray) else pa.chunked_array([some]), changed)
    return pc.replace_with_mask(_combined(texts), _combined(mask).fill_null(False), _combined(others))


def _combined(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
