"""Parquet to cells: typed columns written as canonical text, so that one set of rules judges every format.

The file is opened by the bounded process; what its footer claims is judged before its rows are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.read import limits
from pipelines.read.cells import Cells, UnusableFileError, check_row, native_text
from pipelines.read.isolated import UnreadableBytesError, rows_of

if TYPE_CHECKING:
    from pipelines.declarations import Layout

_MAGIC = b"PAR1"


def read_columnar(content: bytes, layout: Layout) -> Cells:
    """Read a Parquet file; row numbers count from 1, as there is no header row."""
    try:
        if not (content.startswith(_MAGIC) and content.endswith(_MAGIC)):
            raise UnreadableBytesError
        return _read(content, layout.decimal_char)
    except (UnreadableBytesError, ValueError, ArithmeticError, LookupError) as error:
        raise UnusableFileError(
            "fichier-illisible",
            "Le fichier n'est pas un Parquet lisible (tronqué, abîmé, démesuré ou d'un autre format). "
            "Exportez-le de nouveau.",
        ) from error


def _read(content: bytes, decimal_char: str) -> Cells:
    with rows_of(content, "parquet") as ((names, declared), found):
        if len(names) > limits.MOST_COLUMNS or declared * len(names) > limits.MOST_CELLS:
            raise UnusableFileError(
                "fichier-illisible",
                f"Le Parquet annonce {declared} lignes et {len(names)} colonnes (limites : {limits.MOST_COLUMNS} "
                f"colonnes, {limits.MOST_CELLS} cellules) : démesuré ou abîmé. Exportez-le de nouveau, ou découpez-le.",
            )
        rows: list[list[str]] = []
        characters = 0
        for values in found:
            row = [native_text(value, decimal_char) for value in values]
            characters += check_row(row, len(rows) + 1)
            if characters > limits.MOST_CHARACTERS:
                raise UnusableFileError("fichier-illisible", "Le Parquet contient un texte démesuré. Découpez-le.")
            rows.append(row)
    if len(rows) != declared:
        raise UnreadableBytesError(f"{len(rows)} rows of {declared}")
    return Cells(names, rows, first_row=1)
