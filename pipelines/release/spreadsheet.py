"""The XLSX rendition of a release, for people who open it in Excel. It adds nothing to the CSV and is never read back.

A text cell is always written as text, never as a formula, whatever it starts with. Same tables, same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import xlsxwriter

from pipelines.compile.workbook import CREATED, repack
from pipelines.mechanics.limits import LONGEST_CELL, MOST_SHEET_ROWS
from pipelines.release.column_texts import slices
from pipelines.release.files import WrittenFile, facts
from pipelines.release.table_files import in_reading_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_MOST_ROWS = MOST_SHEET_ROWS - 1  # below the header
FIRST_EXCEL_YEAR = 1900
_WIDTHS = {"string": 22, "integer": 12, "number": 14, "boolean": 11, "date32[day]": 12}


@dataclass(frozen=True)
class Sheet:
    """One table to show: its name, its rows."""

    name: str
    table: pa.Table


def write_workbook(path: Path, title: str, introduction: Sequence[str], sheets: Sequence[Sheet]) -> WrittenFile:
    """Write the workbook: « Lisez-moi », then one sheet per table; a table too long for Excel is told there."""
    shown = [sheet for sheet in sheets if sheet.table.num_rows <= _MOST_ROWS]
    left_out = [sheet.name for sheet in sheets if sheet.table.num_rows > _MOST_ROWS]
    notes = [f"La table {name} dépasse la taille d'une feuille Excel : voir {name}.csv." for name in left_out]
    options = {"constant_memory": True, "tmpdir": str(path.parent)}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": title, "created": CREATED})
        formats = {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "wrapped": book.add_format({"text_wrap": True, "valign": "top"}),
            "header": book.add_format({"bold": True, "bg_color": "#000091", "font_color": "#FFFFFF"}),
            "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        _introduction(book.add_worksheet("Lisez-moi"), title, [*introduction, *notes], formats)
        for sheet in shown:
            _table(book.add_worksheet(sheet.name), sheet.table, formats)
    repack(path, path)
    return facts(path)


def _introduction(sheet: Worksheet, title: str, lines: Sequence[str], formats: Mapping[str, Format]) -> None:
    sheet.set_column(0, 0, 110)
    sheet.write_string(0, 0, title, formats["title"])
    for row, line in enumerate(lines, start=2):
        sheet.write_string(row, 0, line[:LONGEST_CELL], formats["wrapped"])


def _table(sheet: Worksheet, table: pa.Table, formats: Mapping[str, Format]) -> None:
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(table.num_rows, 1), table.num_columns - 1)
    for index, field in enumerate(table.schema):
        width = _WIDTHS.get(str(field.type), 14)
        sheet.set_column(index, index, max(width, len(field.name) + 4))
        sheet.write_string(0, index, field.name, formats["header"])
    row = 0
    for piece in slices(in_reading_order(table)):
        for cells in zip(*(column.to_pylist() for column in piece.columns), strict=True):
            row += 1  # constant memory: rows are written in order, once
            for index, cell in enumerate(cells):
                _cell(sheet, row, index, cell, formats["date"])


def _cell(sheet: Worksheet, row: int, column: int, value: object, as_date: Format) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, (int, float)):
        sheet.write_number(row, column, value)
    elif isinstance(value, date) and value.year > FIRST_EXCEL_YEAR:
        sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), as_date)
    else:
        shown = str(value)
        sheet.write_string(row, column, shown if len(shown) <= LONGEST_CELL else shown[: LONGEST_CELL - 1] + "…")
