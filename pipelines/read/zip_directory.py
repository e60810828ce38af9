"""The directory of a zip, judged before anything is unpacked: names, sizes, ratios, passwords, overlaps.

Serves archives and workbooks, which are zips; choosing and reading a member is not done here.
"""

from __future__ import annotations

import io
import itertools
import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.mechanics import limits
from pipelines.read.cells import UnusableFileError

# What zipfile and its decompressors raise on damaged bytes.
DAMAGED = (
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
_END, _END64, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_LOCAL_HEADER = 30
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


DAMAGED_ARCHIVE = "L'archive zip est abîmée, tronquée, ou n'en est pas une. Recréez-la puis déposez-la de nouveau."


@contextmanager
def open_checked(
    content: bytes, damaged: str = DAMAGED_ARCHIVE
) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """Open a zip whose directory is sound, with its files (no folder); raises UnusableFileError, also on damage.

    ``damaged`` is what is then said: a producer of workbooks knows of no archive.
    """
    try:
        _check_directory_size(content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = [item for item in archive.infolist() if not item.is_dir()]
            check_members(archive.infolist())
            yield archive, files
    except DAMAGED as error:
        raise UnusableFileError("fichier-illisible", damaged) from error


def check_members(members: list[zipfile.ZipInfo]) -> None:
    """Raise UnusableFileError if a member is unfit: its name, its nature, a password, its size once unpacked."""
    if len(members) > limits.MOST_MEMBERS:
        raise _refused(f"elle contient {len(members)} fichiers (limite : {limits.MOST_MEMBERS})")
    seen: set[str] = set()
    for item in members:
        fault = _fault(item)
        if item.filename in seen:
            fault = "ce nom y figure deux fois"
        seen.add(item.filename)
        if fault:
            raise _refused(f"fichier « {_shown(item.orig_filename)} » : {fault}")
    _check_sizes(members)
    _check_overlaps(members)


def is_too_dense(unpacked: int, packed: int) -> bool:
    """Whether so many bytes out of so few are no data: beyond a size that does no harm, a ratio that no export has."""
    return unpacked > limits.RATIO_FROM and unpacked > limits.LARGEST_RATIO * max(packed, 1)


def _fault(item: zipfile.ZipInfo) -> str | None:
    name = item.orig_filename  # as written: zipfile cuts it at a null byte
    if item.flag_bits & 0x1:
        return "il est protégé par mot de passe ; déposez l'archive sans mot de passe"
    if stat.S_ISLNK(item.external_attr >> 16):
        return "c'est un lien vers un autre fichier ; mettez le fichier lui-même dans l'archive"
    if "\\" in name:
        return "son nom contient une barre oblique inverse « \\ »"
    if name.startswith("/") or _DRIVE.match(name) or ".." in name.split("/"):
        return "son nom désigne un endroit hors de l'archive (chemin absolu ou « .. »)"
    if not name or _CONTROL.search(name):
        return "son nom est vide ou contient un caractère de contrôle"
    return None


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    total = 0
    for item in members:
        total += item.file_size
        if is_too_dense(item.file_size, item.compress_size):
            raise too_large(item.filename)
    if total > limits.LARGEST_UNPACKED:
        raise too_large(None)


def _check_overlaps(members: list[zipfile.ZipInfo]) -> None:
    """Refuse members that share bytes: each looks modest, and together they are a bomb (Fifield, WOOT 2019)."""
    ordered = sorted(members, key=lambda item: item.header_offset)
    for item, following in itertools.pairwise(ordered):
        if item.header_offset + _LOCAL_HEADER + item.compress_size > following.header_offset:
            raise _refused(
                f"les fichiers « {_shown(item.filename)} » et « {_shown(following.filename)} » se chevauchent"
            )


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


def too_large(name: str | None) -> UnusableFileError:
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
