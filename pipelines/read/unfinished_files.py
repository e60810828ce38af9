"""Files that are still arriving: being written now, or whose end isn't there yet. They are left for the next look.

A file that stays cut is judged as it is, like any other; what is said of it then belongs to validation.
"""

from __future__ import annotations

import glob
import time
from typing import TYPE_CHECKING

from pipelines.read.last_line import cut_line

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
    found = set()
    for source in sources:
        again = listing.find(glob.escape(source.path), 0)
        if [item.token for item in again if item.path == source.path] != [source.token]:
            found.add(source.path)
    return found


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
