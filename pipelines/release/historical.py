"""The main table under the column names of an earlier publication, as the dataset declares them. All cells are texts.

It adds nothing to the main table: whoever starts today should read that one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
from pyarrow import compute as pc

from pipelines.declarations.datasets import Historical, HistoricalColumn
from pipelines.release.column_texts import csv_texts, each_value, joined

_QUARTER, _SEMESTER = 3, 6  # months


def historical_table(historical: Historical, main: pa.Table, tables: Mapping[str, pa.Table]) -> pa.Table:
    """Return the rendition of ``main``, in the order of its rows; ``tables`` are the companions that it looks up."""
    columns = {}
    for column in historical.columns:
        texts = _texts(column, main, tables)
        if column.translate:
            texts = each_value(texts, partial(_translated, column.translate))
        columns[column.name] = pc.dictionary_encode(texts)
    return pa.table(columns)


def historical_schema(historical: Historical) -> dict[str, Any]:
    """Return its Table Schema."""
    fields = []
    for column in historical.columns:
        description = f"{column.description} ({column.empty})" if column.empty else column.description
        fields.append({"name": column.name, "title": column.title, "description": description, "type": "string"})
    return {"title": historical.title, "description": historical.description, "fields": fields, "missingValues": [""]}


def first_day(period: str) -> str:
    """Return the first day of a period (``2024``, ``2024-S2``, ``2024-T3``, ``2024-04``) as AAAA-MM-JJ."""
    year, _, part = period.partition("-")
    if not part:
        return f"{year}-01-01"
    if part.isdigit():
        return f"{year}-{part}-01"
    months = _QUARTER if part[0] == "T" else _SEMESTER
    return f"{year}-{(int(part[1]) - 1) * months + 1:02d}-01"


def _texts(column: HistoricalColumn, main: pa.Table, tables: Mapping[str, pa.Table]) -> pa.ChunkedArray:
    """Return the cells of a column, empty where there is nothing to say."""
    if column.first:
        filled = [pc.if_else(pc.equal(texts, ""), None, texts) for texts in _columns(main, column.first)]
        return pc.fill_null(pc.coalesce(*filled), "")
    if column.join:
        return joined(_columns(main, column.join), "_")
    if lookup := column.lookup:
        other = tables[lookup.table]
        wanted, known = (joined(_columns(table, lookup.on), "\x1f") for table in (main, other))
        return pc.fill_null(csv_texts(other[lookup.column]).take(pc.index_in(wanted, value_set=known)), "")
    if column.first_day_of:
        return each_value(csv_texts(main[column.first_day_of]), first_day)
    return pa.chunked_array([pa.repeat(pa.scalar(column.constant or "", pa.string()), main.num_rows)])


def _translated(words: Mapping[str, str], text: str) -> str:
    return words.get(text, "")


def _columns(table: pa.Table, names: Sequence[str]) -> list[pa.ChunkedArray]:
    return [csv_texts(table[name]) for name in names]
