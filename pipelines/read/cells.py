"""What readers of all formats share: opening, what they raise, native values as text, headers of several rows.

No reader decides whether a value is right: that is validation's work. What they give is in ``mechanics.opened_files``.
"""

from __future__ import annotations

import datetime
import io
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from pipelines.mechanics.limits import LONGEST_CELL
from pipelines.mechanics.plain_text import one_line


class UnusableFileError(Exception):
    """The file can't be read at all. ``rule`` names the cause; the message is in French, for the producer."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(one_line(message))  # it names sheets, members of archives, labels

    def __reduce__(self) -> tuple[type[UnusableFileError], tuple[str, str]]:
        """Go from a process to another with both."""
        return type(self), (self.rule, str(self))


class TreatmentError(Exception):
    """A file could not be treated by no fault of its own that is known: a process that died, memory, time, disk.

    It is no verdict: never remembered, never told to the producer; another run tries again. The message, in French, is
    for the data team.
    """


# The labels of a header → the Table Schema field of each column, None where no column is expected.
Recognise = Callable[[list[str]], list[Mapping[str, Any] | None]]


def open_binary(source: bytes | Path) -> IO[bytes]:
    """Open bytes, in memory or on disk."""
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def native_text(value: object, decimal_char: str) -> str:
    """Write a native cell (spreadsheet, Parquet) as text.

    Rules: nothing is ``""``; booleans ``true``/``false``; whole numbers without decimals; other numbers in their
    shortest exact form with ``decimal_char``; dates as ISO 8601, without a midnight; durations as hours, minutes and
    seconds (``26:30:00``), as spreadsheets show them; text as it is
    (bytes are UTF-8 text, as some writers of Parquet leave it).
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return _number_text(value).replace(".", decimal_char)
    if isinstance(value, datetime.date | datetime.time):
        midnight = isinstance(value, datetime.datetime) and value.time() == datetime.time()
        return value.isoformat()[: len("2024-01-31")] if midnight else value.isoformat()
    if isinstance(value, datetime.timedelta):
        return _duration_text(value)
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _duration_text(value: datetime.timedelta) -> str:
    sign, length = ("-", -value) if value < datetime.timedelta() else ("", value)
    minutes, seconds = divmod(length.days * 86_400 + length.seconds, 60)
    rest = f".{length.microseconds:06d}".rstrip("0") if length.microseconds else ""
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{rest}"


def _number_text(value: float | Decimal) -> str:
    if math.isnan(value):
        return ""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


def check_row(row: list[str], number: int) -> int:
    """Return the characters of row ``number`` of the file; raises UnusableFileError if a cell is beyond the limit."""
    longest = max(map(len, row), default=0)
    if longest > LONGEST_CELL:
        raise UnusableFileError(
            "fichier-illisible",
            f"Ligne {number} : une cellule contient {longest} caractères (limite : {LONGEST_CELL}, celle d'Excel). "
            "Raccourcissez-la.",
        )
    return sum(map(len, row))


def compose_header(rows: list[list[str]]) -> list[str]:
    """Join several header rows into one label per column, ``Dossiers / Traités``.

    A blank upper cell continues the group on its left (merged cells), unless that one stands alone over blanks.
    """
    width = max((len(row) for row in rows), default=0)
    padded = [[*(" ".join(cell.split()) for cell in row), *[""] * (width - len(row))] for row in rows]
    for index, upper in enumerate(padded[:-1]):
        below = padded[index + 1 :]
        for column in range(1, width):
            alone = not any(row[column - 1] for row in below)
            if not upper[column] and any(row[column] for row in below) and not alone:
                upper[column] = upper[column - 1]
    labels = []
    for column in range(width):
        parts = [row[column] for row in padded if row[column]]
        labels.append(" / ".join(dict.fromkeys(parts)))
    return labels


def cut_blank_edges(header: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Drop what a spreadsheet declares but does not hold: blank rows at the end, unnamed blank columns at the right."""
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    width = len(header)
    while width and not header[width - 1] and not any(len(row) >= width and row[width - 1].strip() for row in rows):
        width -= 1
    return header[:width], [row if any(cell.strip() for cell in row[width:]) else row[:width] for row in rows]
