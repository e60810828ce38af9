"""A workbook handed over in place of another format: the filled template of an export declared as CSV, Parquet or zip.

One header row is read, and the cells as those of any workbook.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from pipelines.read.spreadsheet import read_spreadsheet

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.declarations import Layout
    from pipelines.mechanics.opened_files import Cells
    from pipelines.read.cells import Recognise


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


def read_filled(content: bytes, layout: Layout, recognise: Recognise) -> Cells:
    """Read a workbook with the labels of ``layout``; ``recognise`` gives the fields, written as it writes them."""
    plain = {"format": "xlsx", "sheet": None, "skip_rows": 0, "header_rows": 1, "decimal_char": "."}
    return read_spreadsheet(content, layout.model_copy(update=plain), recognise)
