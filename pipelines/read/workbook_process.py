"""A process of its own that opens a workbook: standard input to pickled cells on standard output. Run as a script.

The reader is native code that allocates the whole rectangle of a sheet: a single cell in the last corner, or a bomb,
would take the memory of the run or abort it. Here it takes this process only, whose memory and time are bounded. It
imports nothing of the project, so that starting it costs little.
"""

from __future__ import annotations

import io
import pickle
import resource
import sys
import warnings

import python_calamine

MEMORY_LIMIT = 4 << 30
CPU_SECONDS = 600


def read(content: bytes, sheet: str) -> tuple[list[str], list[list[object]] | None]:
    """Return the names of the sheets, and the cells of ``sheet`` (the first one if empty; None if absent)."""
    warnings.simplefilter("ignore")
    workbook = python_calamine.load_workbook(io.BytesIO(content))
    names = list(workbook.sheet_names)
    if not names or (sheet and sheet not in names):
        return names, None
    rows = workbook.get_sheet_by_name(sheet or names[0]).to_python(skip_empty_area=False)
    return names, [list(row) for row in rows]


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    pickle.dump(read(sys.stdin.buffer.read(), sys.argv[1]), sys.stdout.buffer, protocol=5)
