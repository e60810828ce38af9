"""Bytes to text.

One rule, never a guess: strict UTF-8 over the whole file (BOM tolerated), else the declared encoding.
"""

from __future__ import annotations

import codecs

from pipelines.read.cells import UnusableFileError


def decode(content: bytes, declared: str) -> tuple[str, str]:
    """Return the text and the encoding that was used.

    Raises UnusableFileError with line, column and bytes when neither encoding fits, or when the file is not text.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _checked(_strict(content, "utf-16"), "utf-16")
    try:
        return _checked(content.decode("utf-8-sig"), "utf-8")
    except UnicodeDecodeError:
        return _checked(_strict(content, declared), declared)


def _strict(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        seen = content[error.start : error.end].hex(" ")
        raise UnusableFileError(
            "encodage",
            f"Caractère illisible ligne {line}, position {column} (octet {seen}) : le fichier n'est pas en UTF-8"
            f"{'' if encoding == 'utf-8' else f', ni en {encoding}'}. Enregistrez-le au format « CSV UTF-8 ».",
        ) from error


def _checked(text: str, encoding: str) -> tuple[str, str]:
    if "\0" in text:
        raise UnusableFileError(
            "fichier-illisible", "Le fichier contient des octets nuls : ce n'est pas un fichier texte (CSV)."
        )
    start = text[:512].lstrip().lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        raise UnusableFileError(
            "fichier-illisible",
            "Le fichier est une page web ou du XML, pas un CSV : "
            "le téléchargement a sans doute renvoyé une page d'erreur.",
        )
    return text, encoding
