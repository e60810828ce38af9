"""A workbook handed over in place of another format: the filled template of an export declared as CSV, Parquet or zip.

The first sheet is read, one header row. Native dates, booleans and numbers are written as the layout writes them, so
that the same rules judge them; text is left as it was typed.
"""

from __future__ import annotations

import datetime
import re
import zipfile
from typing import TYPE_CHECKING

from pipelines.compile.exports import field_descriptor, label_of
from pipelines.read.spreadsheet import read_spreadsheet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.declarations import Export, ExportField, Layout
    from pipelines.read.cells import Cells

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"-?\d+\.\d+(e[-+]?\d+)?")


def is_workbook(path: Path) -> bool:
    """Tell whether a file is an XLSX workbook; only the directory of its parts is read."""
    with path.open("rb") as stream:
        if stream.read(2) != b"PK":
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False


def read_filled(content: bytes, export: Export, layout: Layout) -> Cells:
    """Read the first sheet of a workbook with the labels and the writing of ``layout``."""
    plain = {"format": "xlsx", "sheet": None, "skip_rows": 0, "header_rows": 1, "decimal_char": "."}
    cells = read_spreadsheet(content, layout.model_copy(update=plain))
    writers = {" ".join(label_of(field, layout).split()): _writer(field, layout) for field in export.fields}
    for index, label in enumerate(cells.header):
        write = writers.get(label)
        if write is None:
            continue
        for row in cells.rows:
            if index < len(row):
                row[index] = write(row[index])
    return cells


def _writer(field: ExportField, layout: Layout) -> Callable[[str], str] | None:
    """Return what writes a native cell of the field as the layout does, or None when nothing changes."""
    descriptor = field_descriptor(field, layout)
    pattern = descriptor.get("format", "default")
    if field.type == "date" and pattern != "default":
        return lambda cell: datetime.date.fromisoformat(cell).strftime(pattern) if _ISO_DATE.fullmatch(cell) else cell
    if field.type == "number" and descriptor["decimalChar"] != ".":
        return lambda cell: cell.replace(".", descriptor["decimalChar"]) if _NUMBER.fullmatch(cell) else cell
    if field.type == "boolean":
        words = {
            "true": descriptor.get("trueValues", ["true"])[0],
            "false": descriptor.get("falseValues", ["false"])[0],
        }
        return lambda cell: words.get(cell, cell)
    return None
