"""Delimited text (CSV) to cells, with Python's own csv reader: the one that frictionless uses."""

from __future__ import annotations

import csv
import io
import sys
from typing import TYPE_CHECKING

from pipelines.read.cells import Cells, UnusableFileError, compose_header
from pipelines.read.text import decode

if TYPE_CHECKING:
    from pipelines.declarations import Layout

LONGEST_CELL = 10_000_000


def read_delimited(content: bytes, layout: Layout) -> Cells:
    """Read a CSV as declared.

    A first line ``sep=;`` (Excel's) is dropped, and its separator noted if another was declared.
    """
    text, encoding = decode(content, layout.encoding)
    notes = [f"encodage lu : {encoding}"]
    delimiter, skipped = layout.delimiter, 0
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip("\r\n")) == len("sep=;"):
        delimiter, text, skipped = first.strip("\r\n")[-1], rest, 1
        notes.append(f"première ligne « sep={delimiter} » écartée")
    records = _records(text, delimiter, layout.quote_char)
    start = layout.skip_rows + layout.header_rows
    if len(records) < start or not any(any(cell.strip() for cell in row) for row in records[:start]):
        raise UnusableFileError("fichier-vide", "Le fichier est vide : il n'a même pas de ligne d'en-tête.")
    header = compose_header(records[layout.skip_rows : start])
    rows = records[start:]
    while rows and not any(cell.strip() for cell in rows[-1]):  # what a spreadsheet leaves at the end of an export
        rows.pop()
    if len(records) - start > len(rows):
        notes.append(f"{len(records) - start - len(rows)} lignes vides à la fin, écartées")
    return Cells(header, rows, first_row=skipped + start + 1, notes=notes)


def _records(text: str, delimiter: str, quote: str) -> list[list[str]]:
    csv.field_size_limit(min(LONGEST_CELL, sys.maxsize))
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote))
    except csv.Error as error:
        raise UnusableFileError("fichier-illisible", f"Le fichier n'est pas un CSV lisible ({error}).") from error
