"""Files inside files: zip and gz.

Limits refuse bombs before a byte is unpacked; names in archives never become paths.
"""

from __future__ import annotations

import fnmatch
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from typing import IO

from pipelines.read.cells import UnusableFileError

LARGEST_UNPACKED = 2_000_000_000
LARGEST_RATIO = 200
_CHUNK = 1 << 20
# What zipfile and its decompressors raise on damaged bytes.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
)


def unpack(content: bytes, name: str, member: str | None) -> bytes:
    """Return the content itself, or what a ``.gz`` or ``.zip`` holds: its only file, or the one matching ``member``."""
    if name.lower().endswith(".gz"):
        return _gunzip(content)
    if name.lower().endswith(".zip") or member:
        return _unzip(content, member)
    return content


def _gunzip(content: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            return _read_limited(stream, len(content))
    except (OSError, EOFError, zlib.error) as error:
        raise UnusableFileError("fichier-illisible", "L'archive gz est abîmée ou n'en est pas une.") from error


def _unzip(content: bytes, member: str | None) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = [item for item in archive.infolist() if not item.is_dir() and "__MACOSX" not in item.filename]
            wanted = [item for item in files if fnmatch.fnmatch(item.filename.rsplit("/", 1)[-1], member or "*")]
            if len(wanted) != 1:
                listed = ", ".join(item.filename for item in files[:10]) or "aucun"
                raise UnusableFileError(
                    "archive",
                    f"L'archive zip doit contenir un seul fichier « {member or '*'} » ; fichiers trouvés : {listed}.",
                )
            with archive.open(wanted[0]) as stream:
                return _read_limited(stream, wanted[0].compress_size)
    except _DAMAGED as error:
        raise UnusableFileError(
            "fichier-illisible", "L'archive zip est abîmée, protégée par mot de passe, ou n'en est pas une."
        ) from error


def _read_limited(stream: IO[bytes] | gzip.GzipFile, packed: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > LARGEST_UNPACKED or (size > 100 * _CHUNK and size > LARGEST_RATIO * max(packed, 1)):
            raise UnusableFileError("archive", "L'archive se décompresse en un fichier démesuré : refusée.")
        chunks.append(chunk)
    return b"".join(chunks)
