"""Two names of columns in one cell of a header (a tabulation stands between them), where rows have a cell for each."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.mechanics.opened_files import Cells, DelimitedText, Note
from pipelines.mechanics.spelling import one_writing
from pipelines.tabular.record_pieces import open_bytes
from pipelines.validate.header import fields_by_label
from pipelines.validate.messages import title
from pipelines.validate.unrecognised import first_lines

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipelines.declarations import Export, Layout

RULE = "en-tetes-colles"


def unglued(opened: Cells | DelimitedText, export: Export, layout: Layout) -> Cells | DelimitedText:
    """Return the file with these names apart, and a note that says so; the file as it is when there are none.

    Each part must be a declared label, and the first row as wide as the header would then be.
    """
    known = fields_by_label(export, layout)
    parts = [_parts(label, known) for label in opened.header]
    if all(len(names) == 1 for names in parts):
        return opened
    header = [name for names in parts for name in names]
    if _width(opened) != len(header):
        return opened
    return replace(opened, header=header, notes=(*opened.notes, Note(RULE, title(RULE), row=opened.first_row - 1)))


def _parts(label: str, known: Collection[str]) -> list[str]:
    """Return the two declared names that a label is made of, or the label."""
    words = one_writing(label).split(" ")
    pairs = ([" ".join(words[:cut]), " ".join(words[cut:])] for cut in range(1, len(words)))
    return next((pair for pair in pairs if pair[0] in known and pair[1] in known), [label])


def _width(opened: Cells | DelimitedText) -> int:
    """Count the cells of the first row after the header."""
    if isinstance(opened, Cells):
        return len(opened.rows[0]) if opened.rows else 0
    lines = first_lines(open_bytes(opened.source), opened.encoding)
    rows = list(csv.reader(lines, delimiter=opened.delimiter))
    return len(rows[opened.first_row - 1]) if len(rows) >= opened.first_row else 0
