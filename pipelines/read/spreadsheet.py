"""XLSX and ODS to cells, through calamine: the declared sheet, one or several header rows.

Native values are written as text by ``cells.native_text``, not here.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import python_calamine

from pipelines.read.cells import Cells, UnusableFileError, compose_header, cut_blank_edges, native_text

if TYPE_CHECKING:
    from pipelines.declarations import Layout


def read_spreadsheet(content: bytes, layout: Layout) -> Cells:
    """Read the declared sheet (the first one if none is declared)."""
    workbook = _open(content, layout.format)
    names = workbook.sheet_names
    if layout.sheet and layout.sheet not in names:
        raise UnusableFileError(
            "feuille-absente", f"La feuille « {layout.sheet} » est absente ; feuilles trouvées : {', '.join(names)}."
        )
    sheet = _sheet(workbook, layout.sheet or names[0])
    rows = [[native_text(value, layout.decimal_char) if value != "" else "" for value in row] for row in sheet]
    start = layout.skip_rows + layout.header_rows
    if len(rows) < start:
        raise UnusableFileError("fichier-vide", "La feuille est vide : elle n'a même pas de ligne d'en-tête.")
    header, body = cut_blank_edges(compose_header(rows[layout.skip_rows : start]), rows[start:])
    if not any(header):
        raise UnusableFileError("fichier-vide", "La ligne d'en-tête de la feuille est vide.")
    return Cells(header, body, first_row=start + 1, notes=[f"feuille lue : {layout.sheet or names[0]}"])


def _open(content: bytes, kind: str) -> python_calamine.CalamineWorkbook:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            workbook = python_calamine.load_workbook(io.BytesIO(content))
        if not workbook.sheet_names:
            raise UnusableFileError("fichier-vide", "Le classeur ne contient aucune feuille.")
    except UnusableFileError:
        raise
    except BaseException as error:  # the reader is written in Rust: a panic there is no Exception
        raise _unreadable(kind, error) from error
    return workbook


def _sheet(workbook: python_calamine.CalamineWorkbook, name: str) -> list[list[object]]:
    try:
        sheet = workbook.get_sheet_by_name(name)
        return [list(row) for row in sheet.to_python(skip_empty_area=False)]
    except BaseException as error:  # as above
        raise _unreadable("classeur", error) from error


def _unreadable(kind: str, error: BaseException) -> BaseException:
    if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
        return error
    return UnusableFileError(
        "fichier-illisible",
        f"Le fichier n'est pas un {kind} lisible (tronqué, protégé par mot de passe, ou d'un autre format). "
        "Ouvrez-le puis enregistrez-le de nouveau.",
    )
