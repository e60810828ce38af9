"""What the first bytes of a file say that it is, against what is declared.

Whether the file is well formed is for its reader to say.
"""

from __future__ import annotations

import codecs
import re
import zipfile
from typing import IO, TYPE_CHECKING

from pipelines.declarations.network import WORKBOOKS
from pipelines.read.cells import UnusableFileError, open_binary

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from pipelines.declarations import Layout
    from pipelines.declarations.network import FileFormat

_TITLES = {"csv": "un CSV", "xlsx": "un classeur XLSX", "ods": "un classeur ODS", "parquet": "un Parquet"}
_ZIP_TITLES = {**_TITLES, "xlsb": "un classeur Excel binaire (.xlsb)", "docx": "un document Word"}
_ZIP_PARTS = {"xl/workbook.xml": "xlsx", "xl/workbook.bin": "xlsb", "word/document.xml": "docx", "content.xml": "ods"}
_SAVE_AS = {"csv": "CSV UTF-8", "xlsx": "Classeur Excel (.xlsx)", "ods": "Feuille de calcul ODF (.ods)"}
_TEXT = "du texte (CSV)"
_OWN = {"gz": b"\x1f\x8b", "zip": b"PK"}
_HEAD = 4096  # bytes that tell a text from the rest
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f]")
_ZIP, _PARQUET = b"PK\x03\x04", b"PAR1"
# First bytes, and what they are for a producer; of each format, its own specification.
_SIGNATURES = {
    b"%PDF-": "un PDF",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "un ancien classeur Excel (.xls) ou un classeur protégé par mot de passe",
    b"\x1f\x8b": "une archive gz",
    b"7z\xbc\xaf\x27\x1c": "une archive 7z",
    b"Rar!\x1a\x07": "une archive rar",
    b"BZh": "une archive bz2",
    b"\xfd7zXZ\x00": "une archive xz",
    b"\x28\xb5\x2f\xfd": "une archive zstd",
    b"SQLite format 3\x00": "une base SQLite",
    b"\x89PNG": "une image",
    b"\xff\xd8\xff": "une image",
    b"{\\rtf": "un document RTF",
}  # fmt: skip
_WEB = ("<!doctype", "<html", "<head", "<body", "<table", "<script", "<?xml", "<!--")


def check_kind(source: bytes | Path, declared: FileFormat) -> None:
    """Raise UnusableFileError if the bytes are those of another kind of file than the ``declared`` one."""
    with open_binary(source) as stream:
        head = stream.read(_HEAD)
        kind = _kind_of_zip(stream) if head.startswith(_ZIP) else None
    if head.startswith(_ZIP):
        if kind in (declared, None) and declared in WORKBOOKS:
            return  # None: too damaged to tell, its reader will
        raise _other(declared, _ZIP_TITLES.get(kind or "", "une archive zip"), kind)
    if head.startswith(_PARQUET):
        if declared != "parquet":
            raise _other(declared, _TITLES["parquet"], "parquet")
        return
    title = _signed(head)
    if title and not (declared == "csv" and head.startswith(b"BZh")):  # a label may say so
        raise _other(declared, title)
    if _is_web(head[:1024]):
        raise UnusableFileError(
            "fichier-illisible",
            f"Le fichier est une page web ou du XML, pas {_TITLES[declared]} : le téléchargement a sans doute renvoyé "
            "une page d'erreur, ou l'outil a enregistré une page sous un autre nom. Exportez de nouveau le fichier.",
        )
    if declared != "csv" and _is_text(head):
        raise _other(declared, _TEXT, "csv")


def check_packed(content: bytes, name: str) -> None:
    """Raise UnusableFileError if a file named ``.zip`` or ``.gz`` is no archive, but text or another kind of file."""
    packed = "gz" if name.lower().endswith(".gz") else "zip"
    if content.startswith(_OWN[packed]):
        return
    title = _signed(content)
    if content.startswith(b"PK"):
        title = "un classeur ou une archive zip"
    elif content.startswith(_PARQUET):
        title = _TITLES["parquet"]
    elif not title and _is_text(content[:_HEAD]):
        title = _TEXT
    if title:
        raise not_packed(title, packed)


def not_packed(title: str, packed: str) -> UnusableFileError:
    """Return the refusal of a file whose name announces an archive, and which is something else."""
    return UnusableFileError(
        "fichier-illisible",
        f"Le fichier est {title}, alors que son nom annonce une archive {packed}. Donnez-lui le nom attendu, ou "
        f"mettez-le dans une archive {packed}.",
    )


def kind_of_members(names: Collection[str]) -> str | None:
    """Return the title of the document that a zip with these files is (a workbook, a text); None for an archive."""
    return _ZIP_TITLES.get(_kind_of_names(names))


def layout_of_file(content: Path, name: str, layout: Layout) -> Layout:
    """Return the layout that a file was really handed over in: the declared one, or that of the filled template.

    A workbook is read as such where its name says so too; cells are still written as the fields of ``layout`` are.
    Under the name of a CSV, it is refused by its reader: what bears one name would be two things.
    """
    with content.open("rb") as stream:
        kind = _kind_of_zip(stream) if stream.read(2) == b"PK" else None
    if kind not in WORKBOOKS or kind == layout.format or not name.lower().endswith(f".{kind}"):
        return layout
    sheet = layout.sheet if layout.format in WORKBOOKS else None
    return layout.model_copy(update={"format": kind, "sheet": sheet, "member": None})


def _is_text(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a text: UTF-16, or no control sign but spaces and line ends."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    plain = head[::2] if not any(head[1::2]) else head[1::2] if not any(head[::2]) else head  # UTF-16 without a mark
    return bool(plain.strip()) and not _CONTROL.search(plain)


def _signed(content: bytes) -> str:
    """Return what a file is for a producer, by its signature; nothing when it has none of them."""
    return next((title for signature, title in _SIGNATURES.items() if content.startswith(signature)), "")


def _other(declared: FileFormat, title: str, kind: str | None = None) -> UnusableFileError:
    mend = f"Enregistrez-le au format « {_SAVE_AS[declared]} »" if declared in _SAVE_AS else "Exportez-le de nouveau"
    if kind in _TITLES:
        mend += ", ou demandez à l'équipe données d'attendre ce format"
    return UnusableFileError(
        "fichier-illisible", f"Le fichier est {title}, alors qu'{_TITLES[declared]} est attendu. {mend}."
    )


def _kind_of_zip(content: IO[bytes]) -> str | None:
    """Return ``xlsx``, ``ods``, ``xlsb``, ``docx``, ``zip``, or None if its directory can't be read."""
    try:
        with zipfile.ZipFile(content) as archive:
            return _kind_of_names(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, LookupError, NotImplementedError):
        return None


def _kind_of_names(names: Collection[str]) -> str:
    parts = {name.lower() for name in names}
    return next((kind for part, kind in _ZIP_PARTS.items() if part in parts), "zip")


def _is_web(head: bytes) -> bool:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = head.decode("utf-16", "ignore")
    else:
        text = head.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    return text.lstrip().lower().startswith(_WEB)
