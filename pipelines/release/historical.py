"""The main table under the column names of an earlier publication, as the dataset declares them. All cells are texts.

It adds nothing to the main table: whoever starts today should read that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.release.cells import csv_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.declarations.releasing import Historical, HistoricalColumn, Lookup

Row = dict[str, str]
_QUARTER, _SEMESTER = 3, 6  # months


def historical_table(historical: Historical, main: pa.Table, tables: Mapping[str, pa.Table]) -> pa.Table:
    """Return the rendition of ``main``, in the order of its rows; ``tables`` are the companions that it looks up."""
    rows = _rows(main)
    values = {column.name: [*map(_source(column, tables), rows)] for column in historical.columns}
    return pa.table({name: pa.array(cells, pa.string()) for name, cells in values.items()})


def historical_schema(historical: Historical) -> dict[str, Any]:
    """Return its Table Schema."""
    fields = [
        {"name": column.name, "title": column.title, "description": _description(column), "type": "string"}
        for column in historical.columns
    ]
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


def _description(column: HistoricalColumn) -> str:
    return f"{column.description} ({column.empty})" if column.empty else column.description


def _source(column: HistoricalColumn, tables: Mapping[str, pa.Table]) -> Callable[[Row], str | None]:
    """Return the function that gives the cell of a row, None for an empty one."""
    read = _text_of(column, tables)
    if column.translate:
        return lambda row: column.translate.get(read(row))
    return lambda row: read(row) or None


def _text_of(column: HistoricalColumn, tables: Mapping[str, pa.Table]) -> Callable[[Row], str]:
    if column.first:
        return lambda row: next((row[name] for name in column.first if row[name]), "")
    if column.join:
        return lambda row: "_".join(row[name] for name in column.join)
    if column.lookup:
        return _looked_up(column.lookup, tables)
    if column.first_day_of:
        period = column.first_day_of
        return lambda row: first_day(row[period])
    return lambda _: column.constant or ""


def _looked_up(lookup: Lookup, tables: Mapping[str, pa.Table]) -> Callable[[Row], str]:
    found = {tuple(row[name] for name in lookup.on): row[lookup.column] for row in _rows(tables[lookup.table])}
    return lambda row: found.get(tuple(row[name] for name in lookup.on), "")


def _rows(table: pa.Table) -> list[Row]:
    columns = [[csv_text(value) for value in column.to_pylist()] for column in table.columns]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]
