"""Files inside files: zip and gz, unpacked by pieces and never beyond the limits.

The directory of a zip (workbooks are zips too) is judged before anything is unpacked: names, sizes, ratios, passwords,
overlaps. Names in archives never become paths.
"""

from __future__ import annotations

import gzip
import io
import itertools
import lzma
import re
import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from pipelines.mechanics import limits
from pipelines.mechanics.files import chunks
from pipelines.read.cells import TreatmentError, UnusableFileError
from pipelines.read.file_kind import check_packed, kind_of_members, not_packed
from pipelines.read.listing import leftover_path, matches

if TYPE_CHECKING:
    from collections.abc import Iterator

# What zipfile and its decompressors raise on damaged bytes.
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, RuntimeError, ValueError, LookupError),
)
_END, _END64, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_LOCAL_HEADER = 30
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DAMAGED_ARCHIVE = "L'archive zip est abîmée, tronquée, ou n'en est pas une. Recréez-la puis déposez-la de nouveau."


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
    with open_checked(content) as (archive, members):
        files = _handed_over(members)
        wanted = _named(files, member or "*")
        if len(wanted) != 1 and (title := kind_of_members([file.filename for file in members])):
            raise not_packed(title, "zip")
        if len(wanted) != 1:
            listed = ", ".join(file.filename for file in files[:10]) or "aucun"
            raise UnusableFileError(
                "archive",
                f"L'archive zip doit contenir un seul fichier « {member or '*'} » ; fichiers trouvés : {listed}. "
                "Recréez-la avec le seul fichier attendu.",
            )
        return _extract(archive, wanted[0], sink)


def unpack_first(content: bytes, name: str, sink: IO[bytes]) -> tuple[str, list[str]]:
    """Write into ``sink`` the first file that a ``.gz`` or ``.zip`` holds; return its name there, and the others'."""
    check_packed(content, name)
    if name.lower().endswith(".gz"):
        _gunzip(content, sink)
        return "", []
    with open_checked(content) as (archive, members):
        files = _handed_over(members)
        if not files:
            raise UnusableFileError("archive", "L'archive zip est vide. Recréez-la avec le fichier à contrôler.")
        return _extract(archive, files[0], sink), [file.filename for file in files[1:]]


def _gunzip(content: bytes, sink: IO[bytes]) -> None:
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            _copy_limited(stream, len(content), None, sink)
    except (OSError, EOFError, zlib.error) as error:
        raise UnusableFileError(
            "fichier-illisible",
            "L'archive gz est abîmée, tronquée, ou n'en est pas une. Recréez-la puis déposez-la de nouveau.",
        ) from error


def _handed_over(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    return [file for file in members if not leftover_path(file.filename)]


def _named(files: list[zipfile.ZipInfo], member: str) -> list[zipfile.ZipInfo]:
    """Return the files of the declared name; letters may be in another case where none has the one declared."""
    names = {file.filename: file.filename.rpartition("/")[2] for file in files}
    exact = [file for file in files if matches(names[file.filename], member)]
    return exact or [file for file in files if matches(names[file.filename].casefold(), member.casefold())]


def _extract(archive: zipfile.ZipFile, file: zipfile.ZipInfo, sink: IO[bytes]) -> str:
    with archive.open(file) as stream:
        _copy_limited(stream, file.compress_size, file.filename, sink)
    return file.filename


def _copy_limited(stream: IO[bytes] | gzip.GzipFile, packed: int, name: str | None, sink: IO[bytes]) -> None:
    size = 0
    for chunk in chunks(stream):
        size += len(chunk)
        if size > limits.LARGEST_UNPACKED or _is_too_dense(size, packed):
            raise _too_large(name)
        try:
            sink.write(chunk)
        except OSError as error:  # a disk that is full says nothing of the archive
            reason = f"l'archive n'a pas pu être décompressée sur cette machine ({error.strerror})"
            raise TreatmentError(reason) from error


# The directory of a zip


@contextmanager
def open_checked(
    content: bytes, damaged: str = _DAMAGED_ARCHIVE
) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """Open a zip whose directory is sound, with its files (no folder); raises UnusableFileError, also on damage.

    ``damaged`` is what is then said: a producer of workbooks knows of no archive.
    """
    try:
        _check_directory_size(content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_members(archive.infolist())
            yield archive, [file for file in archive.infolist() if not file.is_dir()]
    except DAMAGED as error:
        raise UnusableFileError("fichier-illisible", damaged) from error


def _check_directory_size(content: bytes) -> None:
    """Refuse a directory that would fill the memory by itself, before zipfile reads it whole."""
    end = content.rfind(_END, max(0, len(content) - (22 + 0xFFFF)))
    if end < 0 or len(content) < end + 22:
        return  # zipfile will say so
    size = int(struct.unpack_from("<I", content, end + 12)[0])
    if content[end - 20 : end - 16] == _LOCATOR64:  # the zip64 record stands just before its locator
        record = content.rfind(_END64, 0, end - 20)
        size = int(struct.unpack_from("<Q", content, record + 40)[0]) if record >= 0 else size
    if size > limits.LARGEST_DIRECTORY:
        raise _refused("elle annonce un nombre démesuré de fichiers")


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    """Refuse unfit members: their names, natures, passwords, sizes once unpacked."""
    if len(members) > limits.MOST_MEMBERS:
        raise _refused(f"elle contient {len(members)} fichiers (limite : {limits.MOST_MEMBERS})")
    names: set[str] = set()
    for file in members:
        fault = "ce nom y figure deux fois" if file.filename in names else _fault(file)
        names.add(file.filename)
        if fault:
            raise _refused(f"fichier « {_shown(file.orig_filename)} » : {fault}")
    for file in members:
        if _is_too_dense(file.file_size, file.compress_size):
            raise _too_large(file.filename)
    if sum(file.file_size for file in members) > limits.LARGEST_UNPACKED:
        raise _too_large(None)
    _check_overlaps(members)


def _fault(file: zipfile.ZipInfo) -> str | None:
    name = file.orig_filename  # as written: zipfile cuts it at a null byte
    if file.flag_bits & 0x1:
        return "il est protégé par mot de passe ; déposez l'archive sans mot de passe"
    if stat.S_ISLNK(file.external_attr >> 16):
        return "c'est un lien vers un autre fichier ; mettez le fichier lui-même dans l'archive"
    if "\\" in name:
        return "son nom contient une barre oblique inverse « \\ »"
    if name.startswith("/") or _DRIVE.match(name) or ".." in name.split("/"):
        return "son nom désigne un endroit hors de l'archive (chemin absolu ou « .. »)"
    if not name or _CONTROL.search(name):
        return "son nom est vide ou contient un caractère de contrôle"
    return None


def _is_too_dense(unpacked: int, packed: int) -> bool:
    """Whether so many bytes out of so few are no data: beyond a size that does no harm, a ratio that no export has."""
    return unpacked > limits.RATIO_FROM and unpacked > limits.LARGEST_RATIO * max(packed, 1)


def _check_overlaps(members: list[zipfile.ZipInfo]) -> None:
    """Refuse members that share bytes: each looks modest, and together they are a bomb (Fifield, WOOT 2019)."""
    ordered = sorted(members, key=lambda file: file.header_offset)
    for file, following in itertools.pairwise(ordered):
        if file.header_offset + _LOCAL_HEADER + file.compress_size > following.header_offset:
            names = f"« {_shown(file.filename)} » et « {_shown(following.filename)} »"
            raise _refused(f"les fichiers {names} se chevauchent")


def _too_large(name: str | None) -> UnusableFileError:
    """Return the refusal of a bomb: one file of the archive, or all of them."""
    what = f"le fichier « {_shown(name)} » se décompresse" if name else "le contenu se décompresse"
    return _refused(
        f"{what} en un fichier démesuré (limites : {limits.LARGEST_UNPACKED // 10**9} Go ; "
        f"{limits.LARGEST_RATIO} fois la taille compressée)"
    )


def _refused(reason: str) -> UnusableFileError:
    return UnusableFileError("archive", f"Archive refusée : {reason}. Recréez l'archive avec le seul fichier attendu.")


def _shown(name: str) -> str:
    return _CONTROL.sub("?", name)[:100]
