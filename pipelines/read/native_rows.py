"""Native rows of workbooks and Parquet files, as calamine and Arrow give them. What they mean is their reader's affair.

These libraries are native code: a bomb or damaged bytes may take the memory of the process or abort it. Whoever reads
what others wrote does so in a process apart (``separate_process``).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.read.cells import TreatmentError

# Rows of a Parquet file read at once: enough cells to be fast, few enough that their text is small beside the limit.
_BATCH = 20_000
# First rows of a sheet: more than titles and headers may take (declared ones: at most 50 and 5), and one of data.
_TOP = 60

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


def workbook_rows(content: bytes, sheet: str = "") -> tuple[list[str], Rows]:
    """Return the names of the sheets, and the rows of ``sheet`` (the first one if empty; none if absent).

    Raises, here or while they come, UnreadableBytesError or, by no fault of the file, TreatmentError.
    """
    with _telling():
        import python_calamine  # noqa: PLC0415  (each kind of file pays for its own reader only)

        workbook = python_calamine.load_workbook(io.BytesIO(content))
        names = list(workbook.sheet_names)
        if not names or (sheet and sheet not in names):
            return names, iter(())
        return names, _rows_of_sheet(workbook, sheet or names[0])


def _rows_of_sheet(workbook: Any, name: str) -> Rows:
    """Give rows and forget each one: their text takes its place in memory."""
    with _telling():
        rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    rows.reverse()
    while rows:
        yield rows.pop()


def first_rows(content: bytes, sheets: list[str]) -> dict[str, list[list[Any]]]:
    """Return the first rows of each of the ``sheets`` that is in a workbook; raises as ``workbook_rows`` does."""
    with _telling():
        import python_calamine  # noqa: PLC0415

        workbook = python_calamine.load_workbook(io.BytesIO(content))
        return {
            name: workbook.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=_TOP)
            for name in sheets
            if name in workbook.sheet_names
        }


def parquet_rows(content: bytes) -> tuple[list[str], int, Rows]:
    """Return the names of the columns, the number of rows that the footer claims, and the rows.

    Raises, here or while they come, as ``workbook_rows`` does.
    """
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
