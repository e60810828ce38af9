"""A workbook handed over in place of the declared file: the template that a producer filled.

How it is laid out; where it may lie is said by ``compile.exports``, reading it is ``spreadsheet``'s affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.read.file_kind import workbook_kind

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.declarations import Layout

_WORKBOOKS = ("xlsx", "ods")


def layout_of_file(content: Path, name: str, layout: Layout) -> Layout:
    """Return the layout that a file was really handed over in: the declared one, or that of the filled template.

    A workbook is read as such where its name says so too; cells are still written as the fields of ``layout`` are.
    Under the name of a CSV, it is refused by its reader: what bears one name would be two things.
    """
    kind = workbook_kind(content)
    if kind is None or kind == layout.format or not name.lower().endswith(f".{kind}"):
        return layout
    sheet = layout.sheet if layout.format in _WORKBOOKS else None
    return layout.model_copy(update={"format": kind, "sheet": sheet, "member": None})
