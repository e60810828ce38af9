"""Files inside files: zip and gz, unpacked by pieces and never beyond the limits.

The directory of a zip is judged in ``zip_directory``; names in archives never become paths.
"""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO, TYPE_CHECKING

from pipelines.mechanics import limits
from pipelines.mechanics.files import chunks
from pipelines.read.cells import TreatmentError, UnusableFileError
from pipelines.read.file_kind import check_packed, kind_of_members, not_packed
from pipelines.read.leftovers import leftover_path
from pipelines.read.listing import matches
from pipelines.read.zip_directory import is_too_dense, open_checked, too_large

if TYPE_CHECKING:
    import zipfile


def is_packed(name: str, member: str | None) -> bool:
    """Tell whether a file is an archive, by its name or by what is declared of it."""
    return name.lower().endswith((".gz", ".zip")) or bool(member)


def unpack(content: bytes, name: str, member: str | None, sink: IO[bytes]) -> str | None:
    """Write into ``sink`` what a ``.gz`` or ``.zip`` holds: its only file, or the one matching ``member``.

    Returns the name that the file has in its archive (None in a gz). Nothing is unpacked twice: an archive inside an
    archive is given as it is, and refused as another kind of file.
    """
    check_packed(content, name)
    if name.lower().endswith(".gz"):
        _gunzip(content, sink)
        return None
    return _unzip(content, member, sink)


def unpack_first(content: bytes, name: str, sink: IO[bytes]) -> tuple[str, list[str]]:
    """Write into ``sink`` the first file that a ``.gz`` or ``.zip`` holds; return its name there, and the others'."""
    check_packed(content, name)
    if name.lower().endswith(".gz"):
        _gunzip(content, sink)
        return "", []
    with open_checked(content) as (archive, members):
        files = _files(members)
        if not files:
            raise UnusableFileError("archive", "L'archive zip est vide. Recréez-la avec le fichier à contrôler.")
        _extract(archive, files[0], sink)
        return files[0].filename, [item.filename for item in files[1:]]


def _gunzip(content: bytes, sink: IO[bytes]) -> None:
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            _copy_limited(stream, len(content), None, sink)
    except (OSError, EOFError, zlib.error) as error:
        raise UnusableFileError(
            "fichier-illisible",
            "L'archive gz est abîmée, tronquée, ou n'en est pas une. Recréez-la puis déposez-la de nouveau.",
        ) from error


def _unzip(content: bytes, member: str | None, sink: IO[bytes]) -> str:
    with open_checked(content) as (archive, members):
        files = _files(members)
        wanted = _named(files, member or "*")
        if len(wanted) != 1 and (title := kind_of_members([item.filename for item in members])):
            raise not_packed(title, "zip")
        if len(wanted) != 1:
            listed = ", ".join(item.filename for item in files[:10]) or "aucun"
            raise UnusableFileError(
                "archive",
                f"L'archive zip doit contenir un seul fichier « {member or '*'} » ; fichiers trouvés : {listed}. "
                "Recréez-la avec le seul fichier attendu.",
            )
        _extract(archive, wanted[0], sink)
        return wanted[0].filename


def _named(files: list[zipfile.ZipInfo], member: str) -> list[zipfile.ZipInfo]:
    """Return the files of the declared name; letters may be in another case where none has the one declared."""
    names = {item.filename: item.filename.rsplit("/", 1)[-1] for item in files}
    exact = [item for item in files if matches(names[item.filename], member)]
    return exact or [item for item in files if matches(names[item.filename].casefold(), member.casefold())]


def _files(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    return [item for item in members if not leftover_path(item.filename)]


def _extract(archive: zipfile.ZipFile, item: zipfile.ZipInfo, sink: IO[bytes]) -> None:
    with archive.open(item) as stream:
        _copy_limited(stream, item.compress_size, item.filename, sink)


def _copy_limited(stream: IO[bytes] | gzip.GzipFile, packed: int, name: str | None, sink: IO[bytes]) -> None:
    size = 0
    for chunk in chunks(stream):
        size += len(chunk)
        if size > limits.LARGEST_UNPACKED or is_too_dense(size, packed):
            raise too_large(name)
        _write(sink, chunk)


def _write(sink: IO[bytes], chunk: bytes) -> None:
    """Write what was unpacked; a disk that is full says nothing of the archive."""
    try:
        sink.write(chunk)
    except OSError as error:
        raise TreatmentError(f"l'archive n'a pas pu être décompressée sur cette machine ({error.strerror})") from error
