"""A file as its reader opened it: what reading hands to validation. No value is judged here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Mark(IntEnum):
    """What a cell was for the producer who looked at it, where its text alone doesn't say it."""

    NO_VALUE = 1  # a formula whose result was never saved
    MERGED = 2  # covered by a merged cell that shows something
    PERCENT = 3  # shown as a percentage, and read so: 85,3 % is 85.3
    NOT_PERCENT = 4  # a plain number of at most 1, in a column where others are percentages
    SCALED = 5  # shown in thousands or millions, or not shown
    DIGITS = 6  # more digits than a spreadsheet keeps, where a text is expected
    DATED = 7  # a date, where a text is expected
    DECIMAL = 8  # a number with decimals, where a text is expected
    CLOCK = 9  # a time that is shown without its seconds, or without its hours
    WORDED = 10  # a number shown with other signs, where a text is expected
    TRUTH = 11  # a boolean, where a text is expected


@dataclass(frozen=True)
class Note:
    """What the producer must know of how a file was read: a rule, and a French sentence."""

    rule: str
    message: str
    column: str = ""
    row: int | None = None


@dataclass(frozen=True)
class Cells:
    """A table of text. ``first_row`` is the number, in the file, of the first row after the header (from 1).

    ``marks`` holds a ``Mark`` (or 0) per row, for the columns that have some; ``sheet`` is the name of the sheet that
    was read. ``above`` are the rows up to the header's last, as they were written; none where the header is no row
    (Parquet).
    """

    header: list[str]
    rows: list[list[str]]
    first_row: int
    marks: Mapping[int, bytearray] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    sheet: str = ""
    above: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class DelimitedText:
    """A CSV that was opened, not read: its header, and where its rows are.

    ``source`` is the whole text in ``encoding``; its first ``first_row`` - 1 records are the header and what precedes
    it. Bytes that the encoding can't read are told by whoever judges the rows.
    """

    header: list[str]
    source: bytes | Path
    encoding: str
    delimiter: str
    first_row: int
    notes: tuple[Note, ...] = ()
