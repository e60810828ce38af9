"""Bytes to text, by pieces.

One rule, never a guess: strict UTF-8 over the whole file (BOM tolerated), else the declared encoding.
"""

from __future__ import annotations

import codecs
import io

from pipelines.read import limits
from pipelines.read.cells import UnusableFileError


def open_text(content: bytes, declared: str) -> tuple[io.TextIOWrapper, str]:
    """Return the text as a stream, line ends as they are, and the encoding that was used.

    The whole file is checked first. Raises UnusableFileError with line, column and bytes when neither encoding fits,
    or when the file is not text.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _check_all(content, "utf-16")
        return _stream(content, "utf-16"), "utf-16"
    try:
        _decode_all(content, "utf-8-sig")
    except UnicodeDecodeError:
        _check_all(content, declared)
        return _stream(content, declared), declared
    return _stream(content, "utf-8-sig"), "utf-8"


def _stream(content: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding, newline="")


def _decode_all(content: bytes, encoding: str) -> None:
    """Decode piece by piece, keeping nothing; a UnicodeDecodeError tells the place of the piece that it came from."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(content), limits.CHUNK):
        end = start + limits.CHUNK
        if "\0" in decoder.decode(content[start:end], final=end >= len(content)):
            raise UnusableFileError(
                "fichier-illisible",
                "Le fichier contient des octets nuls : ce n'est pas un fichier texte (CSV). Exportez-le de nouveau.",
            )


def _check_all(content: bytes, encoding: str) -> None:
    try:
        _decode_all(content, encoding)
    except UnicodeDecodeError as error:
        start = _place(content, error)
        line = content.count(b"\n", 0, start) + 1
        column = start - (content.rfind(b"\n", 0, start) + 1) + 1
        seen = error.object[error.start : error.end].hex(" ")
        raise UnusableFileError(
            "encodage",
            f"Caractère illisible ligne {line}, position {column} (octet {seen}) : le fichier n'est pas en UTF-8"
            f"{'' if encoding == 'utf-8' else f', ni en {encoding}'}. Enregistrez-le au format « CSV UTF-8 ».",
        ) from error


def _place(content: bytes, error: UnicodeDecodeError) -> int:
    """Return where in ``content`` the bytes stand that could not be decoded: the error knows its piece only."""
    return content.find(error.object) + error.start
