"""Files on a disk: written whole or not at all, recognised by their sha256, packed with stable bytes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gzip
    from collections.abc import Iterable, Iterator
    from pathlib import Path

UMASK = 0o027  # files 0640, folders 0750, whatever the terminal or the service says
CHUNK = 1 << 20  # bytes of a file read at once
_OLDEST = (1980, 1, 1, 0, 0, 0)  # date of every member of a stable zip: the first that the format knows


@contextmanager
def private_files() -> Iterator[None]:
    """Make private what the body writes, but for what it opens itself."""
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def draft_of(path: Path, name: str) -> Iterator[Path]:
    """Give a temporary file beside ``path``; what still has that name at the end is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(name)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path, name: str = "") -> Iterator[Path]:
    """Give a temporary file to write, which takes the place of ``path`` when all went well.

    Its name, unless given, holds the number of the process: what a dead one left is recognised, and swept by the next.
    """
    with draft_of(path, name or f".{path.name}.{os.getpid()}") as draft:
        yield draft
        draft.replace(path)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: a crash leaves the old one, or none."""
    with replacing(path) as draft:
        draft.write_bytes(content)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def disk_signs(path: Path) -> str:
    """Return what the disk changes whenever a file is written, replaced or renamed."""
    told = path.lstat()
    return f"{told.st_size} {told.st_mtime_ns} {told.st_ctime_ns} {told.st_ino}"


def saved_facts(path: Path) -> dict[str, Any]:
    """Return what a file that only saves work remembers (JSON); one that is lost or damaged says nothing."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def copy_hashed(chunks: Iterable[bytes], target: IO[bytes] | None = None) -> tuple[str, int]:
    """Write a content as it comes (or only read it, without ``target``); return its SHA-256 and its size in bytes."""
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return digest.hexdigest(), size


def chunks(stream: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    """Yield what is left of a stream, by pieces."""
    while chunk := stream.read(CHUNK):
        yield chunk


class LineMeter:
    """Measures the lines of a text, piece by piece, to find one that has no end.

    ``endless`` is the number of a line longer than ``longest`` bytes, 0 as long as there is none.
    """

    def __init__(self, longest: int) -> None:
        self.endless = 0
        self._longest, self._length, self._number = longest, 0, 1

    def take(self, chunk: bytes) -> None:
        """Take one more piece."""
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        self._length = len(chunk) - end - 1 if end >= 0 else self._length + len(chunk)
        self._number += chunk.count(b"\n")
        if self._length > self._longest and not self.endless:
            self.endless = self._number


def stable_zip(
    members: Iterable[tuple[str, bytes]],
    compression: int = zipfile.ZIP_DEFLATED,
    *,
    level: int | None = None,
    mode: int = 0o600,
) -> bytes:
    """Return a zip as ``write_stable_zip`` writes it."""
    packed = io.BytesIO()
    write_stable_zip(packed, members, compression, level=level, mode=mode)
    return packed.getvalue()


def write_stable_zip(
    stream: IO[bytes],
    members: Iterable[tuple[str, bytes]],
    compression: int,
    *,
    level: int | None = None,
    mode: int = 0o600,
    comment: bytes = b"",
) -> None:
    """Write a zip of (name, content), in their order: same contents, same bytes, whatever the day and the machine.

    Another zlib may compress otherwise; ``ZIP_STORED`` depends on none. ``mode`` is what unpacking gives files.
    """
    with zipfile.ZipFile(stream, "w") as archive:
        archive.comment = comment
        for name, content in members:
            archive.writestr(zip_member(name, compression, mode), content, compresslevel=level)


def zip_member(name: str, compression: int = zipfile.ZIP_DEFLATED, mode: int = 0o600) -> zipfile.ZipInfo:
    """Return the entry of a member of a stable zip."""
    member = zipfile.ZipInfo(name, _OLDEST)
    member.compress_type, member.external_attr, member.create_system = compression, mode << 16, 3
    return member
