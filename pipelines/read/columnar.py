"""Parquet to cells: typed columns written as canonical text, so that one set of rules judges every format."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.read.cells import Cells, UnusableFileError, native_text

if TYPE_CHECKING:
    from pipelines.declarations import Layout


def read_columnar(content: bytes, layout: Layout) -> Cells:
    """Read a Parquet file; row numbers count from 1, as there is no header row."""
    try:
        table = pq.read_table(io.BytesIO(content))
        columns = [
            [native_text(value, layout.decimal_char) for value in column.to_pylist()] for column in table.columns
        ]
    except (pa.ArrowException, OSError, ValueError, NotImplementedError, ArithmeticError, LookupError) as error:
        raise UnusableFileError(
            "fichier-illisible", "Le fichier n'est pas un Parquet lisible (tronqué ou d'un autre format)."
        ) from error
    rows = [list(row) for row in zip(*columns, strict=True)]
    return Cells(list(table.column_names), rows, first_row=1)
