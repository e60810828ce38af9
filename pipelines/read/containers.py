"""Files inside files: zip and gz, unpacked by pieces and never beyond the limits.

The directory of a zip is judged in ``zip_directory``; names in archives never become paths.
"""

from __future__ import annotations

import fnmatch
import gzip
import io
import zlib
from dataclasses import dataclass
from typing import IO

from pipelines.read import limits
from pipelines.read.cells import UnusableFileError
from pipelines.read.zip_directory import is_too_dense, open_checked, too_large


@dataclass(frozen=True)
class Unpacked:
    """The bytes to read, and the name they have in their archive (None when they came in none, or in a gz)."""

    content: bytes
    member: str | None = None


def unpack(content: bytes, name: str, member: str | None) -> Unpacked:
    """Return the content itself, or what a ``.gz`` or ``.zip`` holds: its only file, or the one matching ``member``.

    Nothing is unpacked twice: an archive inside an archive is given as it is, and refused as another kind of file.
    """
    if name.lower().endswith(".gz"):
        return Unpacked(_gunzip(content))
    if name.lower().endswith(".zip") or member:
        return _unzip(content, member)
    return Unpacked(content)


def _gunzip(content: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            return _read_limited(stream, len(content), None)
    except (OSError, EOFError, zlib.error) as error:
        raise UnusableFileError(
            "fichier-illisible",
            "L'archive gz est abîmée, tronquée, ou n'en est pas une. Recréez-la puis déposez-la de nouveau.",
        ) from error


def _unzip(content: bytes, member: str | None) -> Unpacked:
    with open_checked(content) as (archive, members):
        files = [item for item in members if "__MACOSX" not in item.filename]
        wanted = [item for item in files if fnmatch.fnmatch(item.filename.rsplit("/", 1)[-1], member or "*")]
        if len(wanted) != 1:
            listed = ", ".join(item.filename for item in files[:10]) or "aucun"
            raise UnusableFileError(
                "archive",
                f"L'archive zip doit contenir un seul fichier « {member or '*'} » ; fichiers trouvés : {listed}. "
                "Recréez-la avec le seul fichier attendu.",
            )
        with archive.open(wanted[0]) as stream:
            return Unpacked(_read_limited(stream, wanted[0].compress_size, wanted[0].filename), wanted[0].filename)


def _read_limited(stream: IO[bytes] | gzip.GzipFile, packed: int, name: str | None) -> bytes:
    unpacked = io.BytesIO()
    while chunk := stream.read(limits.CHUNK):
        size = unpacked.tell() + len(chunk)
        if size > limits.LARGEST_UNPACKED or is_too_dense(size, packed):
            raise too_large(name)
        unpacked.write(chunk)
    return unpacked.getvalue()
