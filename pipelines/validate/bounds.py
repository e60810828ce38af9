"""What no table is, refused before frictionless opens it: each label in excess is an error that holds all the labels.

Files whose readers have limits of their own (those of the exports) don't come here.
"""

from __future__ import annotations

import re
import zipfile
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from pyarrow import ArrowException, parquet

from pipelines.validate.tabular.tokens import MOST_EXTRA

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_LINE = 10_000_000  # bytes: three hundred cells of the longest that spreadsheets hold
LONGEST_CELL = 1_000_000  # bytes of XML between two tags of a sheet: a cell has 32 767 characters at most
_CHUNK = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_TEXTS = re.compile(r"xl/(worksheets/[^/]+|sharedStrings)\.xml")
_CELL = re.compile(rb"<(?:\w+:)?c[ />]")


def absurdity(path: Path, fields: int, dialect: dict[str, Any]) -> str:
    """Return why a file can't be judged by a schema of so many fields, in French; nothing when it can."""
    kind = path.suffix.lower()
    try:
        if kind in (".csv", ".tsv", ".txt"):
            return _of_text(path, fields, dialect)
        if kind == ".parquet":
            return _too_wide(parquet.read_schema(path).names, fields)
        if kind == ".xlsx":
            return _of_workbook(path, fields)
    except (ArrowException, OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        return f"le fichier n'est pas un {kind[1:]} lisible ({type(error).__name__})"
    return ""


def _too_wide(labels: list[Any], fields: int) -> str:
    if len(labels) <= fields + MOST_EXTRA:
        return ""
    return f"{len(labels)} colonnes, alors que le schéma en déclare {fields}"


def _of_text(path: Path, fields: int, dialect: dict[str, Any]) -> str:
    number = _endless_line(path)
    if number:
        return f"la ligne {number} dépasse {LONGEST_LINE} octets"
    if dialect.get("header") is False:
        return ""
    rows = dialect.get("headerRows") or [1]
    with path.open("rb") as stream:
        numbered = enumerate(islice(stream, max(rows)), start=1)
        lines = [line.decode("latin-1") for number, line in numbered if number in rows]
    declared = dialect.get("csv", dialect)
    delimiter = declared.get("delimiter") if isinstance(declared, dict) else None
    widest: list[str] = []
    for mark in (delimiter,) if isinstance(delimiter, str) and len(delimiter) == 1 else _DELIMITERS:
        widest = max(widest, *([line] if mark not in line else line.split(mark) for line in lines), [], key=len)
    return _too_wide(widest, fields)


def _endless_line(path: Path) -> int:
    length, number = 0, 1
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            length = len(chunk) - end - 1 if end >= 0 else length + len(chunk)
            number += chunk.count(b"\n")
            if length > LONGEST_LINE:
                return number
    return 0


def _of_workbook(path: Path, fields: int) -> str:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not _TEXTS.fullmatch(name):
                continue
            with archive.open(name) as stream:
                width, longest = _scan(stream)
            if longest:
                return f"une cellule dépasse {LONGEST_CELL} octets"
            if reason := _too_wide([None] * width, fields):
                return reason
    return ""


def _scan(stream: IO[bytes]) -> tuple[int, bool]:
    """Return the number of cells of the first row of a sheet, and whether a text of it is too long."""
    width, in_first, rest = 0, True, b""
    while chunk := stream.read(_CHUNK):
        piece, last, rest = (rest + chunk).rpartition(b"<")
        rest = last + rest  # from its last tag on, whose end may be in the next chunk
        if len(rest) > LONGEST_CELL:
            return width, True
        if in_first:
            row, row_ends, _ = piece.partition(b"</row>")
            width += len(_CELL.findall(row))
            in_first = not row_ends
    return width, False
