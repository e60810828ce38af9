"""Bytes to text, by pieces.

One rule: UTF-8 (BOM tolerated) where the whole file is, or where most of what is not ASCII is; else the declared one.
"""

from __future__ import annotations

import codecs
import io
import itertools
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipelines.mechanics.files import chunks
from pipelines.read.cells import UnusableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD = 4096  # bytes that tell the encoding of a text without a mark
_LEAST_WIDE = 8  # bytes: fewer tell nothing


def encoding_of(source: bytes | Path, declared: str) -> str:
    """Return the encoding of a text: UTF-16 by its mark or its null bytes, UTF-8 if the file is, else the declared one.

    A few bad bytes don't make a UTF-8 file another one: its readers then say where they are, where the declared
    encoding would turn every accent into two signs. Whether the encoding reads the whole file is not checked here.
    Raises UnusableFileError when the file is not text.
    """
    with open_binary(source) as stream:
        start = stream.read(_HEAD)
    head = start[:3]
    if head[:2] in _UTF16:
        return "utf-16"
    if unmarked := _unmarked_utf16(start):
        return unmarked
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    is_utf8 = True
    for chunk in _chunks(source):
        if b"\0" in chunk:
            raise _not_text()
        if is_utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    return "utf-8-sig" if is_utf8 or head == codecs.BOM_UTF8 or _is_mostly_utf8(source) else declared


def _unmarked_utf16(head: bytes) -> str | None:
    """Return the UTF-16 that a text without a mark is written in: one byte of two is null in most of its characters."""
    even, odd = head[::2], head[1::2]
    for nulls, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if len(head) >= _LEAST_WIDE and 2 * nulls.count(0) > len(nulls) and not others.count(0):
            return encoding
    return None


def _is_mostly_utf8(source: bytes | Path) -> bool:
    """Tell whether more characters beyond ASCII are right than there are bytes that can't be read.

    In one-byte encodings of European texts, two accents that make a right sequence hardly ever follow each other.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    right = wrong = 0
    for chunk in itertools.chain(_chunks(source), [b""]):
        text = decoder.decode(chunk, final=not chunk)
        readable = len(text.encode("utf-8", "ignore").decode("utf-8"))
        wrong += len(text) - readable
        right += readable - len(text.encode("ascii", "ignore"))
    return right > wrong


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
        seen = content[error.start : error.end].hex(" ")
        raise UnusableFileError(
            "encodage",
            f"Caractère illisible ligne {line}, position {column} (octet {seen}) : le fichier n'est pas en UTF-8"
            f"{'' if encoding.startswith('utf-8') else f', ni en {encoding}'}. Enregistrez-le au format « CSV UTF-8 ».",
        ) from error
    if "\0" in text:
        raise _not_text()
    return text


def _chunks(source: bytes | Path) -> Iterator[bytes]:
    with open_binary(source) as stream:
        yield from chunks(stream)


def _not_text() -> UnusableFileError:
    return UnusableFileError(
        "fichier-illisible",
        "Le fichier contient des octets nuls : ce n'est pas un fichier texte (CSV). Exportez-le de nouveau.",
    )
