"""Delimited text (CSV) to cells, with Python's own csv reader: the one that frictionless uses.

The text is read by lines, never whole; what it weighs at most is in ``limits``.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TextIO

from pipelines.read import limits
from pipelines.read.cells import Cells, UnusableFileError, compose_header
from pipelines.read.text import open_text

if TYPE_CHECKING:
    from pipelines.declarations import Layout


def read_delimited(content: bytes, layout: Layout) -> Cells:
    """Read a CSV as declared.

    A first line ``sep=;`` (Excel's) is dropped, and its separator noted if another was declared.
    """
    stream, encoding = open_text(content, layout.encoding)
    notes = [f"encodage lu : {encoding}"]
    delimiter, skipped = layout.delimiter, 0
    lines = _lines(stream)
    first = next(lines, "")
    if first.strip().lower().startswith("sep=") and len(first.strip("\r\n")) == len("sep=;"):
        delimiter, skipped = first.strip("\r\n")[-1], 1
        notes.append(f"première ligne « sep={delimiter} » écartée")
    else:
        lines = itertools.chain([first], lines)
    records = _records(lines, delimiter, layout.quote_char, skipped)
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


def _lines(stream: TextIO) -> Iterator[str]:
    number = 0
    while line := stream.readline(limits.LONGEST_LINE + 1):
        number += 1
        if len(line) > limits.LONGEST_LINE:
            raise _unreadable(
                f"la ligne {number} dépasse {limits.LONGEST_LINE} caractères ; les fins de ligne manquent sans doute"
            )
        yield line


def _records(lines: Iterable[str], delimiter: str, quote: str, skipped: int) -> list[list[str]]:
    before = csv.field_size_limit(limits.LONGEST_CELL)
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    records: list[list[str]] = []
    cells, number = 0, skipped + 1
    try:
        for record in reader:
            cells += len(record)
            if len(record) > limits.MOST_COLUMNS:
                raise _unreadable(f"ligne {number} : {len(record)} colonnes (limite : {limits.MOST_COLUMNS})")
            if cells > limits.MOST_CELLS:
                raise _unreadable(f"il contient plus de {limits.MOST_CELLS} cellules ; découpez-le")
            records.append(record)
            number = skipped + reader.line_num + 1
    except csv.Error as error:
        if "field larger" in str(error):
            raise _unreadable(
                f"la cellule qui commence à la ligne {number} dépasse {limits.LONGEST_CELL} caractères (limite "
                f"d'Excel) ; un guillemet « {quote} » ouvert n'est sans doute pas refermé"
            ) from error
        raise _unreadable(str(error)) from error
    finally:
        csv.field_size_limit(before)  # it is the whole process's, frictionless's too
    return records


def _unreadable(reason: str) -> UnusableFileError:
    return UnusableFileError(
        "fichier-illisible",
        f"Le fichier n'est pas un CSV lisible : {reason}. Vérifiez le séparateur et les guillemets, puis exportez de "
        "nouveau.",
    )
