"""XLSX and ODS to cells, through calamine: the declared sheet, one or several header rows.

Native values are written as text by ``cells.native_text``, not here; the file is opened by ``workbook_process``.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.read import workbook_process
from pipelines.read.cells import Cells, UnusableFileError, compose_header, cut_blank_edges, native_text

if TYPE_CHECKING:
    from pipelines.declarations import Layout

_PROGRAM = str(Path(workbook_process.__file__))


def read_spreadsheet(content: bytes, layout: Layout) -> Cells:
    """Read the declared sheet (the first one if none is declared)."""
    names, sheet = _open(content, layout)
    if not names:
        raise UnusableFileError("fichier-vide", "Le classeur ne contient aucune feuille.")
    if sheet is None:
        raise UnusableFileError(
            "feuille-absente", f"La feuille « {layout.sheet} » est absente ; feuilles trouvées : {', '.join(names)}."
        )
    rows = [[native_text(value, layout.decimal_char) if value != "" else "" for value in row] for row in sheet]
    start = layout.skip_rows + layout.header_rows
    if len(rows) < start:
        raise UnusableFileError("fichier-vide", "La feuille est vide : elle n'a même pas de ligne d'en-tête.")
    header, body = cut_blank_edges(compose_header(rows[layout.skip_rows : start]), rows[start:])
    if not any(header):
        raise UnusableFileError("fichier-vide", "La ligne d'en-tête de la feuille est vide.")
    return Cells(header, body, first_row=start + 1, notes=[f"feuille lue : {layout.sheet or names[0]}"])


def _open(content: bytes, layout: Layout) -> tuple[list[str], list[list[object]] | None]:
    """Open the workbook in a process of its own: whatever the bytes, this one goes on."""
    done = subprocess.run(
        [sys.executable, "-I", _PROGRAM, layout.sheet or ""], input=content, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise UnusableFileError(
            "fichier-illisible",
            f"Le fichier n'est pas un {layout.format} lisible (tronqué, protégé par mot de passe, démesuré, ou d'un "
            "autre format). Ouvrez-le puis enregistrez-le de nouveau.",
        )
    names, sheet = pickle.loads(done.stdout)  # written by our own process just above
    return names, sheet
