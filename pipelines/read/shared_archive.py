"""The archive on a storage that several machines share: same names, copies where they are read.

What is news and what is damaged is judged by ``archive``; here is only where things are.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.mechanics import files
from pipelines.read.archive import DAMAGED, MEMORIES, Archive, Received, check_bytes, news_line

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable

    from pipelines.read.archive import Fault
    from pipelines.read.object_store import ObjectStore

ROOM = "archive"
MANIFEST = f"{ROOM}/manifeste"


class SharedArchive(Archive):
    """An archive below ``archive/`` of ``storage``; ``folder`` holds what this machine has read or received of it.

    Nothing can be added at the end of an object: each line of the manifest is an object of its own, named by its date.
    """

    def __init__(self, folder: Path, storage: ObjectStore) -> None:
        super().__init__(folder)
        self._storage = storage

    def fault(self, sha256: str) -> Fault | None:
        """Say whether a content is absent or altered on the storage, whatever this machine holds of it."""
        if self._storage.size(_name(sha256)) is None:
            return "absent"
        return None if self._is_sound(sha256) else "altéré"

    def _brought(self, sha256: str) -> Path:
        place = self._place(sha256)
        if not place.exists():
            size = self._storage.size(_name(sha256))
            if size is None:
                raise FileNotFoundError(_name(sha256))
            check_bytes(size)
            self._storage.fetch(_name(sha256), place)
        return place

    def _mended(self, sha256: str) -> bool:
        """Bring a content again when only this machine's copy of it is damaged; else set aside both."""
        place = self._place(sha256)
        place.unlink(missing_ok=True)
        if self._is_sound(sha256):
            self._storage.fetch(_name(sha256), place)
            return True
        with contextlib.suppress(FileNotFoundError):
            self._storage.copy(_name(sha256), f"{ROOM}/{DAMAGED}/{sha256}")
            self._storage.remove(_name(sha256))
        return False

    def _is_sound(self, sha256: str) -> bool:
        """Read a content where it is shared, and tell whether it is what its name says."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copie"
            try:
                self._storage.fetch(_name(sha256), copy)
            except FileNotFoundError:
                return False
            return files.sha256(copy) == sha256

    def _holds(self, sha256: str, size: int) -> bool:
        return self._storage.size(_name(sha256)) == size

    def _keep(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        sha256, size = super()._keep(chunks)
        if not (self._holds(sha256, size) and self._is_sound(sha256)):
            self._storage.send(_name(sha256), self._place(sha256))
        return sha256, size

    def _recall(self, memory: str) -> bytes | None:
        return self._storage.read(f"{ROOM}/{MEMORIES}/{memory}")

    def _remember(self, memory: str, content: bytes) -> None:
        self._storage.write(f"{ROOM}/{MEMORIES}/{memory}", content)

    def _note(self, received: Received, seen_at: datetime.datetime) -> None:
        line = news_line(received, seen_at).encode()
        digest = hashlib.sha256(line).hexdigest()
        self._storage.write(f"{MANIFEST}/{seen_at:%Y-%m-%dT%H%M%S}-{digest[:12]}.json", line + b"\n")


def _name(sha256: str) -> str:
    return f"{ROOM}/{sha256[:2]}/{sha256}"
