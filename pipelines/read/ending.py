"""The last line of delimited text: whether it was cut by a copy that stopped. Lines are counted, no value is judged.

A file without a last end of line is usual and whole; it takes another sign to say that it was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.read.text import open_binary

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.declarations import Layout

_FEWEST = 5  # lines before the last one that say what is usual
_SHORT = 2  # bytes: halves of so little say nothing
_LONGEST = 80  # bytes of the last line that are told
_SAMPLE = 1 << 20  # bytes at the end of a file whose lines say what is usual


@dataclass(frozen=True)
class CutLine:
    """The last line, and what says that it was cut.

    ``cellules``: it has too few cells; ``moitié``: its last cell is at most half as long as any other of its column;
    ``plus court``: it is shorter than any other, which may be chance.
    """

    text: str
    sign: Literal["cellules", "moitié", "plus court"]

    @property
    def is_sure(self) -> bool:
        """Whether the file can't be taken for whole."""
        return self.sign != "plus court"


def cut_line(source: bytes | Path, layout: Layout) -> CutLine | None:
    """Return the last line of a text if something says that it was cut, else None.

    Lines with quotes, and encodings of several bytes a sign, are left to their judge.
    """
    with open_binary(source) as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _SAMPLE))
        tail = stream.read()
    if not tail or tail.endswith((b"\n", b"\r")) or b"\0" in tail:
        return None
    lines = tail.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    is_mark = size <= _SAMPLE and lines[0].lower().startswith(b"sep=")
    delimiter = lines[0].strip()[-1:] if is_mark else layout.delimiter.encode()
    before = 1 if size > _SAMPLE else int(is_mark) + layout.skip_rows + layout.header_rows
    return _judged(lines[before:], delimiter, layout.quote_char.encode())


def _judged(lines: list[bytes], delimiter: bytes, quote: bytes) -> CutLine | None:
    if not lines or quote in lines[-1] or not lines[-1].strip():
        return None
    *others, last = lines
    others = [line for line in others if line.strip() and quote not in line]
    counts = {line.count(delimiter) for line in others}
    if len(others) < _FEWEST or len(counts) != 1:
        return None
    text = last[:_LONGEST].decode("utf-8", "replace")
    if last.count(delimiter) < counts.pop():
        return CutLine(text, "cellules")
    usual = min(len(line.rpartition(delimiter)[2].strip()) for line in others)
    length = len(last.rpartition(delimiter)[2].strip())
    if length >= usual:
        return None
    return CutLine(text, "moitié" if 2 * length <= usual and usual > _SHORT else "plus court")
