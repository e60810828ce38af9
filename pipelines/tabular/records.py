"""Where records end in delimited bytes, read as Python's csv reader reads them.

What the records hold is the tokenisers' affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipelines.tabular.cell_reader import AbsurdRecordError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap

    from numpy.typing import NDArray

_LF, _CR = 10, 13
LONGEST_RECORD = 1 << 26  # bytes: two thousand cells of the longest that spreadsheets hold


class Marks(NamedTuple):
    """The bytes that structure a file; ``quote`` is None when quotes are plain characters."""

    delimiter: int
    quote: int | None


def cut(content: bytes | mmap, start: int, end: int, size: int, marks: Marks) -> Iterator[tuple[int, int]]:
    """Yield byte ranges of about ``size`` bytes that end where a record ends (the last one at ``end``)."""
    while start < end:
        wanted, stop = size, None
        while stop is None:
            limit = min(start + wanted, end)
            stop = end if limit == end else _last_end(content, start, limit, marks)
            if stop is None and limit - start > LONGEST_RECORD:
                line = 1 + content[:start].count(b"\n")
                raise AbsurdRecordError(line, f"more than {LONGEST_RECORD} bytes: a quote may never be closed")
            wanted *= 2
        yield start, stop
        start = stop


def record_ends(piece: bytes, marks: Marks) -> NDArray[np.int64]:
    """Return the places after each record of a piece that starts with a record."""
    codes = np.frombuffer(piece, np.uint8)
    line_end, carriage = codes == _LF, codes == _CR
    carriage[:-1] &= ~line_end[1:]
    if carriage.any():
        line_end |= carriage
    ends = np.flatnonzero(line_end)
    quotes = _structural_quotes(codes, marks)
    if len(quotes):
        ends = ends[np.searchsorted(quotes, ends) & 1 == 0]
    ends = ends + 1
    return ends if len(ends) and ends[-1] == len(piece) else np.append(ends, len(piece))


def _last_end(content: bytes | mmap, start: int, limit: int, marks: Marks) -> int | None:
    """Return the last record end in [start, limit), None when no record ends there."""
    quotes = np.empty(0, np.int64)
    if marks.quote is not None and content.find(bytes([marks.quote]), start, limit) >= 0:
        quotes = start + _structural_quotes(np.frombuffer(content, np.uint8, limit - start, start), marks)
    place = _last_outside(content, b"\n", start, limit, quotes) or _last_outside(content, b"\r", start, limit, quotes)
    if place == limit and content[limit - 1 : limit + 1] == b"\r\n":
        place += 1
    return place or None


def _last_outside(content: bytes | mmap, end: bytes, start: int, limit: int, quotes: NDArray[np.int64]) -> int:
    """Return the place after the last line end outside quotes, 0 when there is none."""
    while (found := content.rfind(end, start, limit)) >= 0:
        before = int(np.searchsorted(quotes, found))
        if before % 2 == 0:
            return found + 1
        limit = int(quotes[before - 1])
    return 0


def _structural_quotes(codes: NDArray[np.uint8], marks: Marks) -> NDArray[np.int64]:
    """Return the places of the quotes that open or close a field; an odd number before a place means inside quotes."""
    if marks.quote is None:
        return np.empty(0, np.int64)
    places = np.flatnonzero(codes == marks.quote)
    if not len(places):
        return places
    before = codes[np.maximum(places - 1, 0)]
    starts = (before == marks.delimiter) | (before == _LF) | (before == _CR) | (places == 0)
    doubles = np.append(False, np.diff(places) == 1)
    if (starts | doubles)[::2].all():  # each quote that opens starts a field, or doubles the one before it
        return places
    return _walk(places.tolist(), starts.tolist())


def _walk(places: list[int], starts: list[bool]) -> NDArray[np.int64]:
    """Read irregular quotes one by one."""
    kept: list[int] = []
    inside, index = False, 0
    while index < len(places):
        if not inside:
            if starts[index]:
                kept.append(places[index])
                inside = True
        elif index + 1 < len(places) and places[index + 1] == places[index] + 1:
            index += 1
        else:
            kept.append(places[index])
            inside = False
        index += 1
    return np.array(kept, np.int64)
