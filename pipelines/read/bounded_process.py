"""A process of its own that opens a workbook or a Parquet file: standard input to pickled rows. Run as a script.

Its arguments are the form of the file, a sheet, the bytes of memory and the processor seconds that it may take.

The readers are native code: a bomb or damaged bytes would take the memory of the run or abort it. Here they take this
process only, whose memory and time are bounded. It imports nothing of the project, so that starting it costs little.

It says, in this order, ``(HEAD, head)``, any number of ``(ROWS, rows)`` and ``(END, None)``; or ``(UNREADABLE, why)``
as soon as a reader finds that the bytes are not what they should be. Whatever else ends it is no fact about the bytes.
"""

from __future__ import annotations

import io
import pickle
import resource
import sys
import warnings
from collections.abc import Iterator
from typing import Any

# Cells sent at once: enough to be fast, few enough that their text is small beside the limit.
BATCH = 20_000
# First rows of a sheet: more than titles and headers may take (declared ones: at most 50 and 5), and one of data.
TOP = 60

HEAD, ROWS, END, UNREADABLE = "head", "rows", "end", "unreadable"

Rows = Iterator[list[list[Any]]]


def read_workbook(content: bytes, sheet: str) -> tuple[Any, Rows]:
    """Return the names of the sheets, and the rows of ``sheet`` (the first one if empty; none if absent)."""
    import python_calamine  # noqa: PLC0415  (each kind of file pays for its own reader only)

    workbook = python_calamine.load_workbook(io.BytesIO(content))
    names = list(workbook.sheet_names)
    if not names or (sheet and sheet not in names):
        return names, iter(())
    rows = workbook.get_sheet_by_name(sheet or names[0]).to_python(skip_empty_area=False)
    size = max(1, BATCH // max((len(row) for row in rows), default=1))
    return names, (rows[start : start + size] for start in range(0, len(rows), size))


def read_tops(content: bytes, sheets: str) -> tuple[Any, Rows]:
    """Return the names of the sheets, and for each one named in ``sheets`` (tabs between), its first rows at once."""
    import python_calamine  # noqa: PLC0415

    workbook = python_calamine.load_workbook(io.BytesIO(content))
    asked = [name for name in sheets.split("\t") if name in workbook.sheet_names]
    return list(workbook.sheet_names), (
        [workbook.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=TOP)] for name in asked
    )


def read_parquet(content: bytes) -> tuple[Any, Rows]:
    """Return the names of the columns and the number of rows, and the rows."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    pa.set_memory_pool(pa.system_memory_pool())  # the others reserve gigabytes of addresses at once
    plain = pq.ParquetFile(pa.BufferReader(content))
    texts = [field.name for field in plain.schema_arrow if pa.types.is_string(field.type)]
    # A text repeated a million times is then held once.
    file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
    names = list(file.schema_arrow.names)
    size = max(1, BATCH // max(len(names), 1))

    def values(column: Any) -> list[Any]:
        if not pa.types.is_dictionary(column.type):
            return list(column.to_pylist())
        places = column.indices.to_pylist()
        used = {place: column.dictionary[place].as_py() for place in set(places) if place is not None}
        return [None if place is None else used[place] for place in places]

    def rows() -> Rows:
        for batch in file.iter_batches(batch_size=size, use_threads=False):
            yield [list(row) for row in zip(*map(values, batch.columns), strict=True)]

    return (names, file.metadata.num_rows), rows()


def bound(kind: int, wanted: int, *, margin: int = 0) -> None:
    """Bound what this process may use, by the machine's own limit where that one is lower (it can't be raised).

    Of processor time, one second of ``margin`` lets the signal say that it is the time that ended the process.
    """
    _, hard = resource.getrlimit(kind)
    most = wanted + margin if hard == resource.RLIM_INFINITY else min(wanted + margin, hard)
    resource.setrlimit(kind, (min(wanted, most), most))


def is_verdict(error: BaseException) -> bool:
    """Tell whether what a reader raised is about the bytes it was given: not memory, nor a library that won't load.

    Calamine's panics, on damaged bytes, are no ``Exception``; what Arrow is refused by the allocator is not always a
    MemoryError.
    """
    if isinstance(error, MemoryError | ImportError) or "alloc" in str(error):
        return False
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def _say(kind: str, content: Any) -> None:
    pickle.dump((kind, content), sys.stdout.buffer, protocol=5)
    sys.stdout.buffer.flush()


def _messages(content: bytes, form: str, sheet: str) -> Iterator[tuple[str, Any]]:
    try:
        readers = {"parquet": lambda: read_parquet(content), "tops": lambda: read_tops(content, sheet)}
        head, batches = readers.get(form, lambda: read_workbook(content, sheet))()
        yield HEAD, head
        for batch in batches:
            yield ROWS, batch
        yield END, None
    except GeneratorExit:
        raise
    except BaseException as error:
        if not is_verdict(error):
            raise
        yield UNREADABLE, f"{type(error).__name__}: {error}"


def _main(form: str, sheet: str) -> None:
    warnings.simplefilter("ignore")
    for kind, content in _messages(sys.stdin.buffer.read(), form, sheet):
        _say(kind, content)


if __name__ == "__main__":
    bound(resource.RLIMIT_AS, int(sys.argv[3]))
    bound(resource.RLIMIT_CPU, int(sys.argv[4]), margin=1)
    bound(resource.RLIMIT_CORE, 0)
    _main(sys.argv[1], sys.argv[2])
