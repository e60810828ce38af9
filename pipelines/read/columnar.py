"""Parquet to cells: typed columns written as canonical text, so that one set of rules judges every format.

What the footer of the file claims is judged before its rows are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.mechanics import limits
from pipelines.mechanics.opened_files import Cells
from pipelines.read.cells import UnusableFileError, check_row
from pipelines.read.native_cells import NativeColumn
from pipelines.read.native_rows import UnreadableBytesError, parquet_rows

if TYPE_CHECKING:
    from pipelines.declarations import Layout
    from pipelines.read.cells import Recognise

_MAGIC = b"PAR1"


def read_columnar(content: bytes, layout: Layout, recognise: Recognise | None = None) -> Cells:
    """Read a Parquet file; row numbers count from 1, as there is no header row.

    ``recognise`` gives the field of each column by its label.
    """
    try:
        if not (content.startswith(_MAGIC) and content.endswith(_MAGIC)):
            raise UnreadableBytesError
        return _read(content, layout.decimal_char, recognise)
    except (UnreadableBytesError, ValueError, ArithmeticError, LookupError) as error:
        raise UnusableFileError(
            "fichier-illisible",
            "Le fichier n'est pas un Parquet lisible (tronqué, abîmé, démesuré ou d'un autre format). "
            "Exportez-le de nouveau.",
        ) from error


def _read(content: bytes, decimal_char: str, recognise: Recognise | None) -> Cells:
    names, declared, found = parquet_rows(content)
    if len(names) > limits.MOST_COLUMNS or declared * len(names) > limits.MOST_CELLS:
        raise UnusableFileError(
            "fichier-illisible",
            f"Le Parquet annonce {declared} lignes et {len(names)} colonnes (limites : {limits.MOST_COLUMNS} "
            f"colonnes, {limits.MOST_CELLS} cellules) : démesuré ou abîmé. Exportez-le de nouveau, ou découpez-le.",
        )
    fields = recognise(names) if recognise else [None] * len(names)
    columns = [NativeColumn(field, decimal_char) for field in fields]
    rows: list[list[str]] = []
    characters = 0
    for values in found:
        row = [column.write(value, len(rows)) for column, value in zip(columns, values, strict=True)]
        characters += check_row(row, len(rows) + 1)
        if characters > limits.MOST_CHARACTERS:
            raise UnusableFileError("fichier-illisible", "Le Parquet contient un texte démesuré. Découpez-le.")
        rows.append(row)
    if len(rows) != declared:
        raise UnreadableBytesError(f"{len(rows)} rows of {declared}")
    marks = {place: marked for place, column in enumerate(columns) if (marked := column.close())}
    return Cells(names, rows, 1, marks)
