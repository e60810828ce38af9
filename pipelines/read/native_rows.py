"""Native rows of workbooks and Parquet files, as calamine and Arrow give them; those of Parquet become cells here.

These libraries are native code: a bomb or damaged bytes may take the memory of the process or abort it. Whoever reads
what others wrote does so in a process apart (``separate_process``). What the footer of a Parquet claims is judged
before its rows are read.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipelines.mechanics import limits
from pipelines.mechanics.opened_files import Cells
from pipelines.read.cells import TreatmentError, UnusableFileError, check_row
from pipelines.read.native_cells import NativeColumn

if TYPE_CHECKING:
    from pipelines.declarations import Layout
    from pipelines.read.cells import Recognise

# Rows of a Parquet file read at once: enough cells to be fast, few enough that their text is small beside the limit.
_BATCH = 20_000
# First rows of a sheet: more than titles and headers may take (declared ones: at most 50 and 5), and one of data.
_TOP = 60
_PARQUET = b"PAR1"

Rows = Iterator[list[Any]]


class UnreadableBytesError(Exception):
    """The reader can't read these bytes: a fact about the file."""


@contextmanager
def _telling() -> Iterator[None]:
    """Tell what is a fact about the bytes (UnreadableBytesError) from what this machine lacks (TreatmentError).

    Calamine's panics, on damaged bytes, are no ``Exception``; what Arrow is refused by the allocator is not always a
    MemoryError.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise  # somebody stops this process
        if isinstance(error, MemoryError | ImportError) or "alloc" in str(error):
            raise TreatmentError(
                f"la lecture s'est interrompue ({type(error).__name__} : mémoire ou limites de cette machine)"
            ) from error
        raise UnreadableBytesError(f"{type(error).__name__}: {error}") from error


class NativeWorkbook:
    """A workbook opened: ``names`` are those of its sheets, in order.

    What it does raises UnreadableBytesError or, by no fault of the file, TreatmentError, also while rows come.
    """

    def __init__(self, content: bytes) -> None:
        with _telling():
            import python_calamine  # noqa: PLC0415  (each kind of file pays for its own reader only)

            self._workbook = python_calamine.load_workbook(io.BytesIO(content))
            self.names = list(self._workbook.sheet_names)
        if not self.names:
            raise UnusableFileError("fichier-vide", "Le classeur ne contient aucune feuille.")

    def rows(self, name: str) -> Rows:
        """Return the rows of a sheet; raises UnusableFileError when there is none of that name."""
        if name not in self.names:
            raise UnusableFileError(
                "feuille-absente",
                f"La feuille « {name} » est absente ; feuilles trouvées : {', '.join(self.names)}.",
            )
        return self._rows_of_sheet(name)

    def first_rows(self, name: str) -> list[list[Any]]:
        """Return the first rows of a sheet that is there."""
        with _telling():
            return self._workbook.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=_TOP)

    def _rows_of_sheet(self, name: str) -> Rows:
        """Give rows and forget each one: their text takes its place in memory."""
        with _telling():
            rows = self._workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        rows.reverse()
        while rows:
            yield rows.pop()


def read_columnar(content: bytes, layout: Layout, recognise: Recognise | None = None) -> Cells:
    """Read a Parquet file; row numbers count from 1, as there is no header row.

    ``recognise`` gives the field of each column by its label.
    """
    try:
        if not (content.startswith(_PARQUET) and content.endswith(_PARQUET)):
            raise UnreadableBytesError
        return _read(content, layout.decimal_char, recognise)
    except (UnreadableBytesError, ValueError, ArithmeticError, LookupError) as error:
        raise UnusableFileError(
            "fichier-illisible",
            "Le fichier n'est pas un Parquet lisible (tronqué, abîmé, démesuré ou d'un autre format). "
            "Exportez-le de nouveau.",
        ) from error


def _read(content: bytes, decimal_char: str, recognise: Recognise | None) -> Cells:
    names, declared, native = _parquet_rows(content)
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
    for values in native:
        row = [column.write(value, len(rows)) for column, value in zip(columns, values, strict=True)]
        characters += check_row(row, len(rows) + 1)
        if characters > limits.MOST_CHARACTERS:
            raise UnusableFileError("fichier-illisible", "Le Parquet contient un texte démesuré. Découpez-le.")
        rows.append(row)
    if len(rows) != declared:
        raise UnreadableBytesError(f"{len(rows)} rows of {declared}")
    marks = {place: marked for place, column in enumerate(columns) if (marked := column.close())}
    return Cells(names, rows, 1, marks)


def _parquet_rows(content: bytes) -> tuple[list[str], int, Rows]:
    """Return the names of the columns, the number of rows that the footer claims, and the rows."""
    with _telling():
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        plain = pq.ParquetFile(pa.BufferReader(content))
        texts = [field.name for field in plain.schema_arrow if pa.types.is_string(field.type)]
        # A text repeated a million times is then held once.
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
        names = list(file.schema_arrow.names)
        batches = file.iter_batches(batch_size=max(1, _BATCH // max(len(names), 1)), use_threads=False)
        return names, file.metadata.num_rows, _rows_of_batches(batches)


def _rows_of_batches(batches: Iterator[Any]) -> Rows:
    while True:
        with _telling():
            batch = next(batches, None)
            rows = [] if batch is None else list(zip(*map(_values, batch.columns), strict=True))
        if batch is None:
            return
        yield from map(list, rows)


def _values(column: Any) -> list[Any]:
    if not hasattr(column, "indices"):  # no dictionary
        return list(column.to_pylist())
    places = column.indices.to_pylist()
    used = {place: column.dictionary[place].as_py() for place in set(places) if place is not None}
    return [None if place is None else used[place] for place in places]
