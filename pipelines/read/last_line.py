"""The last line of delimited text: whether it was cut by a copy that stopped. Lines are counted, no value is judged.

A file without a last end of line is usual and whole; it takes another sign to say that it was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.mechanics.files import chunks
from pipelines.read.text import open_binary

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.declarations import Layout

_FEWEST = 5  # lines before the last one that say what is usual
_SHORT = 2  # bytes: halves of so little say nothing
_SAMPLE = 1 << 20  # bytes at the end of a file whose lines say what is usual


Sign = Literal["cellules", "moitié", "plus court"]


@dataclass(frozen=True)
class CutLine:
    """The number of the last line, and what says that it was cut.

    ``cellules``: it has too few cells; ``moitié``: its last cell is at most half as long as any other of its column;
    ``plus court``: it is shorter than any other, which may be chance.
    """

    number: int
    sign: Sign

    @property
    def is_sure(self) -> bool:
        """Whether the file can't be taken for whole."""
        return self.sign != "plus court"


def cut_line(
    source: bytes | Path, layout: Layout, delimiter: str | None = None, start: int | None = None
) -> CutLine | None:
    """Return the last line of a text if something says that it was cut, else None.

    ``delimiter`` and ``start`` (lines before the rows) are those found where the text was opened, else the declared
    ones. Lines with quotes, and encodings of several bytes a sign, are left to their judge.
    """
    with open_binary(source) as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _SAMPLE))
        tail = stream.read()
    if not tail or tail.endswith((b"\n", b"\r")) or b"\0" in tail:
        return None
    lines = tail.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    above = start if start is not None else layout.skip_rows + layout.header_rows
    rows = lines[1 if size > _SAMPLE else above :]
    sign = _sign(rows, (delimiter or layout.delimiter).encode(), b'"')
    return CutLine(_lines_of(source), sign) if sign else None


def _lines_of(source: bytes | Path) -> int:
    """Count the lines of a text whose last one has no end."""
    count, last = 1, b""
    with open_binary(source) as stream:
        for piece in chunks(stream):
            chunk = last + piece
            last = chunk[-1:] if chunk.endswith(b"\r") else b""  # the other half of its end may come
            chunk = chunk.removesuffix(last)
            count += chunk.count(b"\n") + chunk.count(b"\r") - chunk.count(b"\r\n")
    return count


def _sign(lines: list[bytes], delimiter: bytes, quote: bytes) -> Sign | None:
    if not lines or quote in lines[-1] or not lines[-1].strip():
        return None
    *others, last = lines
    others = [line for line in others if line.strip() and quote not in line]
    counts = {line.count(delimiter) for line in others}
    if len(others) < _FEWEST or len(counts) != 1:
        return None
    if last.count(delimiter) < counts.pop():
        return "cellules"
    usual = min(len(line.rpartition(delimiter)[2].strip()) for line in others)
    length = len(last.rpartition(delimiter)[2].strip())
    if length >= usual:
        return None
    return "moitié" if 2 * length <= usual and usual > _SHORT else "plus court"
