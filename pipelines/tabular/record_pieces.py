"""The bytes of a delimited file as UTF-8 pieces that start and end with a record, and single records fetched again.

Tokenising the pieces is the tokenisers' affair.
"""

from __future__ import annotations

import codecs
import csv
import io
import mmap
import re
from bisect import bisect_right
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipelines.tabular.doubts import AbsurdRecordError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# Encodings of one byte a character whose first half is ASCII: records can be cut before decoding.
_ONE_BYTE = re.compile(r"(ascii|cp125\d|cp(437|850|852|858)|iso8859-\d+|latin[-_]?1|mac-.*|koi8-.)\Z")
_EVERY = 64
_MOST_RECORDS = 1 << 17  # of a piece, about: blank ones are judged one by one, in memory


def open_bytes(content: bytes | Path) -> bytes | mmap.mmap:
    """Return the content, a file being mapped in memory rather than read."""
    if isinstance(content, bytes):
        return content
    with content.open("rb") as file:
        if content.stat().st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def codec_name(encoding: str) -> str:
    """Return Python's own name of an encoding, nothing when it knows none by that name."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return ""


def is_utf8(encoding: str) -> bool:
    """Tell whether the encoding is UTF-8, with or without a mark."""
    return codec_name(encoding) in {"utf-8", "utf-8-sig"}


def is_one_byte(encoding: str) -> bool:
    """Tell whether each byte of the encoding is a character, ASCII bytes being themselves."""
    return bool(_ONE_BYTE.match(codec_name(encoding)))


class Text:
    """Delimited text that can be decoded: pieces in order, and records by their number."""

    def __init__(self, content: bytes | mmap.mmap, encoding: str, options: Any) -> None:
        self._encoding = codec_name(encoding)
        self.options = options
        quote = options.quotechar if options.quoting != csv.QUOTE_NONE else ""
        self._marks = Marks(ord(options.delimiter), ord(quote) if quote else None)
        self._start = 0
        self._content: bytes | mmap.mmap = content
        if is_utf8(encoding):
            has_mark = self._encoding == "utf-8-sig" and content[:3] == codecs.BOM_UTF8
            self._start, self._encoding = 3 if has_mark else 0, "utf-8"
        elif not is_one_byte(self._encoding):
            self._content, self._encoding = bytes(content).decode(self._encoding).encode(), "utf-8"
        self._pieces: list[tuple[int, int, int]] = []
        self._firsts: list[int] = []
        self._ends: dict[int, list[int]] = {}

    def ranges(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield the byte ranges of pieces of about ``size`` bytes, or less where records are very short."""
        for start, stop in cut(self._content, self._start, len(self._content), size, self._marks):
            piece = self._content[start:stop]
            parts = 1 + max(piece.count(b"\n"), piece.count(b"\r")) // _MOST_RECORDS
            yield from cut(self._content, start, stop, 1 + (stop - start) // parts, self._marks)

    def piece(self, start: int, stop: int) -> bytes | memoryview:
        """Return a piece in UTF-8."""
        if self._encoding == "utf-8":
            return memoryview(self._content)[start:stop]
        return self._content[start:stop].decode(self._encoding).encode()

    def remember(self, first: int, start: int, stop: int) -> None:
        """Note the number of the first record of a piece, so that its records can be fetched again."""
        if isinstance(self._content, mmap.mmap):  # pages already read count as ours until they are let go
            self._content.madvise(mmap.MADV_DONTNEED, 0, stop)
        self._firsts.append(first)
        self._pieces.append((first, start, stop))

    def records(self, start: int, stop: int, places: list[int]) -> list[list[str | None]]:
        """Return the cells of some records of a piece, by their places in it, from 0."""
        data = self._content[start:stop]
        ends = [0, *record_ends(data, self._marks).tolist()]
        texts = [data[ends[place] : ends[place + 1]].decode(self._encoding) for place in places]
        return [self.split(text) for text in texts]

    def split(self, record: str) -> list[str | None]:
        """Return the cells of one record."""
        return list(next(csv.reader(io.StringIO(record, newline=""), dialect=self.options), []))

    def line_of(self, start: int, number: int) -> int:
        """Return the line of the file where record ``number`` (from 1) of the piece at ``start`` is, or near it."""
        return self._content[:start].count(b"\n") + number

    def expected(self) -> int:
        """Return how many records the whole text may have, by the sizes of the first pieces; 0: not known."""
        if len(self._firsts) < 2:
            return 0
        (_, start, stop), count = self._pieces[0], self._firsts[1] - self._firsts[0]
        return int(count * (len(self._content) - self._start) / (stop - start) * 1.02)

    def has_quotes(self, start: int, stop: int) -> bool:
        """Tell whether a piece holds quotes that may matter."""
        return self._marks.quote is not None and self._content.find(bytes([self._marks.quote]), start, stop) >= 0

    def may_write_empty_cells(self, start: int, stop: int, width: int) -> bool:
        """Tell whether a piece may hold a record of empty cells that is no blank line: ``;;;``, or empty quotes."""
        if self._marks.quote is not None:
            quote = bytes([self._marks.quote])
            if self._content.find(quote * 2, start, stop) >= 0 or self._content[stop - 1 : stop] == quote:
                return True
        return width > 1 and self._content.find(bytes([self._marks.delimiter]) * (width - 1), start, stop) >= 0

    def fetch(self, number: int) -> list[str | None]:
        """Return the cells of one record of a remembered piece."""
        index = bisect_right(self._firsts, number) - 1
        first, start, stop = self._pieces[index]
        if index not in self._ends:
            ends = [0, *record_ends(self._content[start:stop], self._marks).tolist()]
            self._ends[index] = [*ends[::_EVERY], ends[-1]]
        landmark, rest = divmod(number - first, _EVERY)
        begin, end = self._ends[index][landmark], self._ends[index][min(landmark + 1, len(self._ends[index]) - 1)]
        text = io.StringIO(self._content[start + begin : start + end].decode(self._encoding), newline="")
        return list(next(islice(csv.reader(text, dialect=self.options), rest, None)))


# Where records end in delimited bytes, read as Python's csv reader reads them.

_LF, _CR = 10, 13
LONGEST_RECORD = 1 << 26  # bytes: two thousand cells of the longest that spreadsheets hold


class Marks(NamedTuple):
    """The bytes that structure a file; ``quote`` is None when quotes are plain characters."""

    delimiter: int
    quote: int | None


def cut(content: bytes | mmap.mmap, start: int, end: int, size: int, marks: Marks) -> Iterator[tuple[int, int]]:
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
    ends = np.flatnonzero(line_end | carriage)
    quotes = _structural_quotes(codes, marks)
    if len(quotes):
        ends = ends[np.searchsorted(quotes, ends) & 1 == 0]
    ends = ends + 1
    return ends if len(ends) and ends[-1] == len(piece) else np.append(ends, len(piece))


def _last_end(content: bytes | mmap.mmap, start: int, limit: int, marks: Marks) -> int | None:
    """Return the last record end in [start, limit), None when no record ends there."""
    quotes = np.empty(0, np.int64)
    if marks.quote is not None and content.find(bytes([marks.quote]), start, limit) >= 0:
        quotes = start + _structural_quotes(np.frombuffer(content, np.uint8, limit - start, start), marks)
    place = _last_outside(content, b"\n", start, limit, quotes) or _last_outside(content, b"\r", start, limit, quotes)
    if place == limit and content[limit - 1 : limit + 1] == b"\r\n":
        place += 1
    return place or None


def _last_outside(content: bytes | mmap.mmap, end: bytes, start: int, limit: int, quotes: NDArray[np.int64]) -> int:
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
    structural: list[int] = []
    inside, index = False, 0
    while index < len(places):
        if inside and index + 1 < len(places) and places[index + 1] == places[index] + 1:
            index += 1
        elif inside or starts[index]:
            structural.append(places[index])
            inside = not inside
        index += 1
    return np.array(structural, np.int64)
