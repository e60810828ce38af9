"""XLSX workbooks with the same bytes for the same content, made in memory. What they hold is not known here.

xlsxwriter lets the dates and rights of its temporary files through: the archive is written again with fixed ones.
"""

from __future__ import annotations

import io
import zipfile
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.mechanics.files import stable_zip
from pipelines.mechanics.limits import LONGEST_CELL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

CREATED = datetime(2000, 1, 1)  # any fixed date: nothing of the run's clock may enter the file


@contextmanager
def workbook(title: str, target: io.BytesIO) -> Iterator[Workbook]:
    """Open a workbook to fill; its bytes are in ``target`` afterwards."""
    import xlsxwriter  # noqa: PLC0415  (most files checked have no row to send back)

    draft = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(draft, options) as book:
        book.set_properties({"title": title, "created": CREATED})
        yield book
    with zipfile.ZipFile(draft) as archive:
        target.write(stable_zip((name, archive.read(name)) for name in archive.namelist()))


def write_text(sheet: Worksheet, row: int, column: int, text: str, form: Format | None = None) -> None:
    """Write text as text, whatever it starts with, cut at what a cell can hold."""
    cut = text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
    if cut:
        sheet.write_string(row, column, cut, form)
    elif form is not None:
        sheet.write_blank(row, column, None, form)


def print_in_width(sheet: Worksheet) -> None:
    """Have a sheet printed on landscape pages, all its columns on each, its first row repeated."""
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def write_lines(book: Workbook, name: str, title: str, lines: Sequence[str]) -> None:
    """Add a sheet of plain text: a title, then one paragraph per row."""
    sheet = book.add_worksheet(name)
    print_in_width(sheet)
    sheet.set_column(0, 0, 110)
    write_text(sheet, 0, 0, title, book.add_format({"bold": True, "font_size": 14}))
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for row, line in enumerate(lines, start=2):
        write_text(sheet, row, 0, line, wrapped)
