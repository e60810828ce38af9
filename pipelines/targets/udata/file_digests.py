"""The sha1 and sha256 of files to send, worked out again only where the disk says that a file was touched."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipelines.mechanics.files import chunks, disk_signs, saved_facts
from pipelines.release.renditions import put

if TYPE_CHECKING:
    from collections.abc import Iterable


class Digests(NamedTuple):
    """What a content is known by: bytes, sha1, sha256."""

    size: int
    sha1: str
    sha256: str


class FileDigests:
    """The digests of files, remembered in a file of the output: plans don't cost more as releases add up.

    ``keep`` writes what was learnt; a memory that is lost or damaged costs one reading of each file.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._before = saved_facts(memory)
        self._known = dict(self._before)

    def of(self, path: Path) -> Digests:
        """Return the digests of a file."""
        if not self.untouched(path):
            signs = disk_signs(path)  # before it is read: what is written meanwhile is seen next time
            with path.open("rb") as stream:
                self._known[str(path.absolute())] = [signs, *digests(chunks(stream))]
        _, size, sha1, sha256 = self._known[str(path.absolute())]
        return Digests(size, sha1, sha256)

    def untouched(self, path: Path) -> bool:
        """Say whether a file is as it was when its digests were worked out."""
        known = self._known.get(str(path.absolute()))
        return known is not None and path.is_file() and known[0] == disk_signs(path)

    def keep(self) -> None:
        """Write the digests of the files that are still there."""
        known = {place: told for place, told in self._known.items() if Path(place).is_file()}
        if known != self._before:
            put(self._memory, json.dumps(known, indent=0, sort_keys=True).encode())


def digests(blocks: Iterable[bytes]) -> Digests:
    """Return the digests of a content."""
    sha1, sha256, size = hashlib.sha1(usedforsecurity=False), hashlib.sha256(), 0
    for block in blocks:
        sha1.update(block)
        sha256.update(block)
        size += len(block)
    return Digests(size, sha1.hexdigest(), sha256.hexdigest())
