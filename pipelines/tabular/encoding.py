"""Bytes that the declared encoding can't read: all of them located, with the characters that were likely meant.

Choosing the encoding of a file does not belong here.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from mmap import MADV_DONTNEED, mmap
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipelines.tabular.record_pieces import is_one_byte, is_utf8

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP = 1 << 24
_UNREAD = re.compile("[\udc80-\udcff]+")


@dataclass(frozen=True)
class EncodingError:
    """A run of bytes that can't be read (``found``), by line and column (in characters, both from 1)."""

    line: int
    column: int
    found: bytes
    likely: str


def can_decode(content: bytes | mmap, encoding: str) -> bool:
    """Tell whether the encoding reads the whole content."""
    if is_utf8(encoding):
        return _is_utf8(content)
    if is_one_byte(encoding):
        every_byte = (bytes([byte]) for byte in range(256))
        return all(byte.decode(encoding, "ignore") or content.find(byte) < 0 for byte in every_byte)
    try:
        bytes(content).decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def encoding_errors(content: bytes | mmap, encoding: str) -> Iterator[EncodingError]:
    """Yield every place where the content can't be read, in order (only the first, in encodings of wide units)."""
    if not is_utf8(encoding) and not is_one_byte(encoding):
        yield from _first_error(bytes(content), encoding)
        return
    plain = "utf-8" if is_utf8(encoding) else encoding
    line, start = 1, 3 if plain == "utf-8" and content[:3] == codecs.BOM_UTF8 else 0
    for stop in _line_ends(content):
        text = content[start:stop].decode(plain, "surrogateescape")
        end = 0
        for match in _UNREAD.finditer(text):
            line += _breaks(text, end, match.start())
            unread = bytes(ord(character) - 0xDC00 for character in match[0])
            yield EncodingError(line, _column(text, match.start()), unread, _likely(unread))
            end = match.end()
        line += _breaks(text, end, len(text))
        start = stop


def _first_error(content: bytes, encoding: str) -> Iterator[EncodingError]:
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        before, unread = content[: error.start].decode(encoding, "replace"), content[error.start : error.end]
        line, column = 1 + _breaks(before, 0, len(before)), _column(before, len(before))
        yield EncodingError(line, column, unread, _likely(unread))


def _column(text: str, place: int) -> int:
    return place - max(text.rfind("\n", 0, place), text.rfind("\r", 0, place))


def _breaks(text: str, start: int, stop: int) -> int:
    """Count the line breaks of a stretch; one of CR and LF belongs where its LF is."""
    alone = text.count("\r", start, stop) - text.count("\r\n", start, stop + 1)
    return text.count("\n", start, stop) + alone


def _line_ends(content: bytes | mmap) -> Iterator[int]:
    """Yield places to cut at, after line feeds."""
    start = 0
    while start < len(content):
        stop = min(start + _STEP, len(content))
        if stop < len(content):
            stop = content.rfind(b"\n", start, stop) + 1 or content.find(b"\n", stop) + 1 or len(content)
        yield stop
        start = stop


def _likely(unread: bytes) -> str:
    """Return what the bytes are in what Excel writes; in latin-1, which reads all, where that one does not."""
    try:
        return unread.decode("cp1252")
    except UnicodeDecodeError:
        return unread.decode("latin-1")


def _is_utf8(content: bytes | mmap) -> bool:
    """Check UTF-8 with Arrow, piece by piece, without decoding."""
    start = 0
    for stop in _line_ends(content):
        offsets = pa.py_buffer(np.array([0, stop - start], np.int32))
        piece = pa.py_buffer(memoryview(content)[start:stop])
        try:
            pa.StringArray.from_buffers(1, offsets, piece).validate(full=True)
        except pa.ArrowInvalid:
            return False
        start = stop
        if isinstance(content, mmap):
            content.madvise(MADV_DONTNEED, 0, stop)
    return True
