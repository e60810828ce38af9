"""The archive of what was received: each file once, by its sha256, and a manifest of what was seen when.

A file whose token has not changed is not read again; a changed file under the same name is news.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import datetime
    from pathlib import Path

    from pipelines.read.sources import ExportsRoot, SourceFile

News = Literal["nouveau", "modifié", "inchangé"]


@dataclass(frozen=True)
class Received:
    """A file received: where it was, what it holds (``sha256``, ``size`` in bytes), and whether that is news."""

    path: str
    sha256: str
    size: int
    news: News
    before: str | None = None


class Archive:
    """A folder of contents, never changed nor deleted: ``<folder>/<first two hex>/<sha256>``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def content(self, sha256: str) -> bytes:
        """Return an archived content; raises ValueError if the disk no longer holds what its name says."""
        content = self._place(sha256).read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(f"archive abîmée : {sha256}")
        return content

    def receive(self, root: ExportsRoot, source: SourceFile, seen_at: datetime.datetime) -> Received:
        """Archive ``source`` unless it was seen before, and note in the manifest what is new."""
        memory = self._memory(root.url, source.path)
        before = json.loads(memory.read_text()) if memory.exists() else None
        if (
            before
            and source.token
            and before["token"] == source.token
            and self._holds(before["sha256"], before["size"])
        ):
            return Received(source.path, before["sha256"], before["size"], "inchangé")
        content = root.read(source.path)
        sha256 = hashlib.sha256(content).hexdigest()
        self._keep(sha256, content)
        _write(memory, json.dumps({"token": source.token, "sha256": sha256, "size": len(content)}).encode())
        if before and before["sha256"] == sha256:
            return Received(source.path, sha256, len(content), "inchangé")
        news: News = "modifié" if before else "nouveau"
        received = Received(source.path, sha256, len(content), news, before["sha256"] if before else None)
        self._note(received, seen_at)
        return received

    def _place(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    def _holds(self, sha256: str, size: int) -> bool:
        place = self._place(sha256)
        return place.exists() and place.stat().st_size == size

    def _memory(self, url: str, path: str) -> Path:
        return self.folder / "vus" / f"{hashlib.sha256(f'{url}|{path}'.encode()).hexdigest()[:32]}.json"

    def _keep(self, sha256: str, content: bytes) -> None:
        place = self._place(sha256)
        if not self._holds(sha256, len(content)):
            _write(place, content)
            place.chmod(0o444)

    def _note(self, received: Received, seen_at: datetime.datetime) -> None:
        line = json.dumps({"vu_le": seen_at.isoformat(timespec="seconds"), **asdict(received)}, ensure_ascii=False)
        with (self.folder / "manifeste.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def _write(path: Path, content: bytes) -> None:
    """Write whole or not at all: a crash leaves the old file, or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
