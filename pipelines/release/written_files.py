"""Files of a release: facts about them, durable writing, checksums. What they hold is decided elsewhere."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.mechanics.files import sha256

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CHECKSUMS = "SHA256SUMS"
PUBLIC_FOLDER, PUBLIC_FILE = 0o755, 0o644  # whatever the process makes private otherwise


@dataclass(frozen=True)
class WrittenFile:
    """What is known of a file just written; ``rows`` is None for a file that is no table."""

    name: str
    bytes: int
    sha256: str
    rows: int | None = None


def write(path: Path, content: bytes, rows: int | None = None) -> WrittenFile:
    """Write ``content`` and return its facts."""
    path.write_bytes(content)
    return WrittenFile(path.name, len(content), hashlib.sha256(content).hexdigest(), rows)


def facts(path: Path, rows: int | None = None) -> WrittenFile:
    """Return the facts of a file that is there."""
    return WrittenFile(path.name, path.stat().st_size, sha256(path), rows)


def checksums(files: Iterable[WrittenFile]) -> bytes:
    """Return the content of SHA256SUMS, as ``sha256sum -c`` reads it, in the order of names."""
    lines = sorted((file.name, file.sha256) for file in files)
    return "".join(f"{digest}  {name}\n" for name, digest in lines).encode()


def told_digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file by name, as the SHA256SUMS of a folder tells them; none when it isn't there."""
    path = folder / CHECKSUMS
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def seal(folder: Path) -> None:
    """Make every file of ``folder`` read-only, for everybody to read, and push all of it to the disk."""
    for path in sorted(folder.iterdir()):
        path.chmod(0o444)
        _sync(path)
    folder.chmod(PUBLIC_FOLDER)
    sync_folder(folder)


def public_folder(folder: Path, root: Path) -> None:
    """Make a folder that everybody may enter, and those between ``root`` and it."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder, *folder.parents):
        if path.stat().st_mode & 0o777 != PUBLIC_FOLDER:
            path.chmod(PUBLIC_FOLDER)
        if path == root:
            return


def sync_folder(folder: Path) -> None:
    """Push the entries of a folder (a rename, new files) to the disk."""
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
