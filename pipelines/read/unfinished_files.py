"""Files whose end isn't there: still arriving, left then for the next look, or text whose last line a copy cut.

A file that stays cut is judged as it is, like any other; what is said of it then belongs to validation. A text without
a last end of line is usual and whole: it takes another sign to say that it was cut. No value is judged here.
"""

from __future__ import annotations

import glob
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.mechanics.files import chunks
from pipelines.read.cells import open_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pipelines.declarations import Layout
    from pipelines.read.sources import ExportsRoot, SourceFile

FRESH = 5  # seconds since it was written: somebody may be writing it now
PAUSE = 0.5  # seconds between two looks at fresh files: whoever copies writes more often
RECENT = 15 * 60  # seconds: a copy that stands still so long won't go on
_ZIP_END, _ZIP_RECORD = b"PK\x05\x06", 22  # the record that ends a zip, but for its comment
_ZIP_TAIL = _ZIP_RECORD + 0xFFFF
_PARQUET = b"PAR1"
_FEWEST = 5  # lines before the last one that say what is usual
_SHORT = 2  # bytes: halves of so little say nothing
_SAMPLE = 1 << 20  # bytes at the end of a file whose lines say what is usual
Sign = Literal["cellules", "moitié", "plus court"]


def growing(
    root: ExportsRoot, sources: Iterable[SourceFile], now: float, wait: Callable[[float], None] = time.sleep
) -> set[str]:
    """Return the paths of the files that change between two looks; ``now`` is in epoch seconds.

    Only files that were written a moment ago are looked at twice: the others cost nothing.
    """
    fresh = [source for source in sources if source.modified is not None and abs(now - source.modified) < FRESH]
    if not fresh:
        return set()
    wait(PAUSE)
    return changed(root, fresh)


def changed(root: ExportsRoot, sources: Iterable[SourceFile]) -> set[str]:
    """Return the paths of the files that are not what they were when they were listed."""
    listing = root.listing()
    paths = set()
    for source in sources:
        again = listing.find(glob.escape(source.path), 0)
        if [file.token for file in again if file.path == source.path] != [source.token]:
            paths.add(source.path)
    return paths


def unfinished(content: Path, source: SourceFile, layout: Layout, now: float) -> bool:
    """Tell whether the content just received of a file written lately lacks its end: the rest may be on its way."""
    if source.modified is None or not 0 <= now - source.modified < RECENT:
        return False
    with content.open("rb") as stream:
        head = stream.read(len(_PARQUET))
        stream.seek(max(0, content.stat().st_size - _ZIP_TAIL))
        tail = stream.read()
    if head.startswith(b"PK"):
        end = tail.rfind(_ZIP_END)
        return end < 0 or len(tail) - end < _ZIP_RECORD
    if head == _PARQUET:
        return not tail.endswith(_PARQUET)
    return layout.format == "csv" and not head.startswith(b"\x1f\x8b") and cut_line(content, layout) is not None


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
    sign = _sign(rows, (delimiter or layout.delimiter).encode())
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


def _sign(lines: list[bytes], delimiter: bytes) -> Sign | None:
    if not lines or b'"' in lines[-1] or not lines[-1].strip():
        return None
    *others, last = lines
    others = [line for line in others if line.strip() and b'"' not in line]
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
