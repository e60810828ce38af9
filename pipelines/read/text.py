"""Bytes to text, by pieces.

One rule: UTF-8 (BOM tolerated) where the whole file is, or where most of what is not ASCII is; else the declared one.
Where that is UTF-8 too, cp1252 if all that is not ASCII is then French: it is what Excel writes under « CSV ».
"""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipelines.mechanics import limits
from pipelines.mechanics.files import LineMeter, chunks
from pipelines.read.cells import UnusableFileError

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD = 4096  # bytes that tell the encoding of a text without a mark
EXCEL_ENCODING = "cp1252"
# What French texts hold beyond ASCII; letters of other encodings (MacRoman, cp850) become none of these signs alone.
_FRENCH = frozenset("àâäçéèêëîïôöùûüÿæœÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸÆŒ«»’°€\u00a0".encode(EXCEL_ENCODING))
_LEAST_WIDE = 8  # bytes: fewer tell nothing


@dataclass(frozen=True)
class TextFacts:
    """What one reading of a text tells: its encoding, and the number of a line without end (0 if there is none)."""

    encoding: str
    endless: int


def utf16_of(source: bytes | Path) -> str | None:
    """Return the UTF-16 that a text is written in, by its mark or its null bytes, if it is."""
    with open_binary(source) as stream:
        head = stream.read(_HEAD)
    if head.startswith(_UTF16):
        return "utf-16"
    even, odd = head[::2], head[1::2]
    for nulls, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        # one byte of two is null in most of its characters
        if len(head) >= _LEAST_WIDE and 2 * nulls.count(0) > len(nulls) and not others.count(0):
            return encoding
    return None


def facts_of(source: bytes | Path, declared: str) -> TextFacts:
    """Read a text once: its encoding is UTF-8 if the file is, or if most of it is, else the declared one.

    A few bad bytes don't make a UTF-8 file another one: its readers then say where they are, where the declared
    encoding would turn every accent into two signs. Whether the encoding reads the whole file is not checked here.
    Raises UnusableFileError when the file is not text.
    """
    meter, accents = LineMeter(limits.LONGEST_LINE), _Accents()
    with open_binary(source) as stream:
        has_mark = stream.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
        stream.seek(0)
        for chunk in chunks(stream):
            if b"\0" in chunk:
                raise _not_text()
            meter.take(chunk)
            accents.take(chunk)
    accents.take(b"", last=True)
    # In one-byte encodings of European texts, two accents that make right UTF-8 hardly ever follow each other.
    if has_mark or not accents.wrong or accents.right > accents.wrong:
        return TextFacts("utf-8-sig", meter.endless)
    is_excel = declared == "utf-8" and not accents.right and accents.wrong_bytes <= _FRENCH
    return TextFacts(EXCEL_ENCODING if is_excel else declared, meter.endless)


class _Accents:
    """Counts the characters beyond ASCII that are right UTF-8, and the bytes that can't be read so."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self.right = self.wrong = 0
        self.wrong_bytes: set[int] = set()

    def take(self, chunk: bytes, *, last: bool = False) -> None:
        text = self._decoder.decode(chunk, last)
        if text.isascii():
            return
        readable = len(text.encode("utf-8", "ignore").decode("utf-8"))
        self.wrong += len(text) - readable
        self.wrong_bytes.update(ord(sign) & 0xFF for sign in set(text) if "\udc80" <= sign <= "\udcff")
        self.right += readable - len(text.encode("ascii", "ignore"))


def open_text(source: bytes | Path, encoding: str, errors: str = "strict") -> io.TextIOWrapper:
    """Return the text as a stream, line ends as they are."""
    return io.TextIOWrapper(open_binary(source), encoding, errors=errors, newline="")


def open_binary(source: bytes | Path) -> IO[bytes]:
    """Open bytes, in memory or on disk."""
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def whole_text(source: bytes | Path, encoding: str) -> str:
    """Return a text; raises UnusableFileError with line, column and bytes where it can't be read."""
    content = source.read_bytes() if isinstance(source, Path) else source
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        octets = content[error.start : error.end].hex(" ")
        neither = "" if encoding.startswith("utf-8") else f", ni en {encoding}"
        raise UnusableFileError(
            "encodage",
            f"Caractère illisible ligne {line}, position {column} (octet {octets}) : le fichier n'est pas en UTF-8"
            f"{neither}. Enregistrez-le au format « CSV UTF-8 ».",
        ) from error
    if "\0" in text:
        raise _not_text()
    return text


def _not_text() -> UnusableFileError:
    return UnusableFileError(
        "fichier-illisible",
        "Le fichier contient des octets nuls : ce n'est pas un fichier texte (CSV). Exportez-le de nouveau.",
    )
