"""XLSX and ODS to cells, through calamine: the declared sheet, one or several header rows.

What a number or a date becomes is written here and in ``cells.native_text``; the file is opened by the bounded
process, once its parts have been judged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipelines.read import limits
from pipelines.read.cells import Cells, UnusableFileError, check_row, compose_header, cut_blank_edges, native_text
from pipelines.read.isolated import UnreadableBytesError, rows_of
from pipelines.read.workbook_parts import check_workbook

if TYPE_CHECKING:
    from pipelines.declarations import Layout

# How an ODS writes a duration of a day or more, that calamine leaves as it is (XML Schema part 2, duration).
_DURATION = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]0*)?S")


def read_spreadsheet(content: bytes, layout: Layout) -> Cells:
    """Read the declared sheet (the first one if none is declared).

    Native cells: numbers with the fifteen digits that spreadsheets show (``0.1+0.2`` is ``0.3``); dates, durations and
    booleans as ``native_text`` writes them; errors as their text (``#N/A``), which validation refuses or knows.
    """
    try:
        names, rows = _read(content, layout)
    except UnreadableBytesError as error:
        raise UnusableFileError(
            "fichier-illisible",
            f"Le fichier n'est pas un {layout.format} lisible (tronqué, protégé par mot de passe, démesuré, ou d'un "
            "autre format). Ouvrez-le puis enregistrez-le de nouveau.",
        ) from error
    if not names:
        raise UnusableFileError("fichier-vide", "Le classeur ne contient aucune feuille.")
    if layout.sheet and layout.sheet not in names:
        raise UnusableFileError(
            "feuille-absente", f"La feuille « {layout.sheet} » est absente ; feuilles trouvées : {', '.join(names)}."
        )
    start = layout.skip_rows + layout.header_rows
    if len(rows) < start:
        raise UnusableFileError("fichier-vide", "La feuille est vide : elle n'a même pas de ligne d'en-tête.")
    header, body = cut_blank_edges(compose_header(rows[layout.skip_rows : start]), rows[start:])
    if not any(header):
        raise UnusableFileError("fichier-vide", "La ligne d'en-tête de la feuille est vide.")
    return Cells(header, body, first_row=start + 1)


def _read(content: bytes, layout: Layout) -> tuple[list[str], list[list[str]]]:
    sheets = check_workbook(content, layout.format)
    rows: list[list[str]] = []
    characters = 0
    with rows_of(content, layout.format, layout.sheet or "") as (names, found):
        name = layout.sheet or (names[0] if names else "")
        for values in found:
            row = [_text(value, layout.decimal_char) for value in values]
            try:
                characters += check_row(row, len(rows) + 1)
            except UnusableFileError as error:
                raise UnusableFileError(error.rule, f"Feuille « {name} », {error}") from error
            if characters > limits.MOST_CHARACTERS:
                raise UnusableFileError("fichier-illisible", f"Feuille « {name} » : texte démesuré. Découpez-la.")
            rows.append(row)
    if name in sheets:
        _restore(rows, sheets[name].errors)
    return names, rows


def _text(value: Any, decimal_char: str) -> str:
    if isinstance(value, float):
        value = float(f"{value:.15g}")
    elif isinstance(value, str):
        duration = _DURATION.fullmatch(value)
        return ":".join(part.zfill(2) for part in duration.groups()) if duration else value
    return native_text(value, decimal_char)


def _restore(rows: list[list[str]], errors: dict[tuple[int, int], str]) -> None:
    """Write the errors back where calamine leaves a blank: an error is no absence."""
    for (row, column), error in errors.items():
        if row >= len(rows):
            rows += [[] for _ in range(row + 1 - len(rows))]
        cells = rows[row]
        cells += [""] * (column + 1 - len(cells))
        cells[column] = cells[column] or error
