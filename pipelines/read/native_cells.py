"""Native cells (spreadsheet, Parquet) to the text of their field, so that one set of rules judges every format.

A native date is right whatever the declared format, a boolean whatever the declared words, a number whatever the
declared decimal sign: each is written as the field writes it, as frictionless accepts native values. What is seen in a
spreadsheet and is not what is stored (0.853 in the format ``0.0%`` is seen as 85,3 %, leading zeros) is read as it is
seen; what can't be is marked. Formats are those of XLSX (ECMA-376 part 1, 18.8.30 and 18.8.31).
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import IntEnum
from functools import lru_cache
from typing import Any

from pipelines.mechanics.durations import duration_text
from pipelines.mechanics.opened_files import Mark
from pipelines.read.cells import native_text

NO_VALUE_TEXT = "(formule sans valeur)"
_DIGITS_KEPT = 1e15  # a spreadsheet keeps 15 digits of a number
_SEEN_DATE, _SEEN_CLOCK = "%d/%m/%Y", "%H:%M:%S"
_NUMBERS = ("integer", "number")
_SHARE_UNIT = "part"
_WORDS = {"trueValues": "true", "falseValues": "false"}
_MOST_ZEROS = 100
# Texts shown as they are, spaces, colours, conditions, languages; elapsed times ([h], [mm]) are kept.
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE | re.DOTALL)
_FIRST = re.compile(rf"(?:{_LITERAL.pattern}|[^;])*", re.IGNORECASE | re.DOTALL)  # section of a code
_TIME_WORDS = re.compile(r"general|standard|am/pm|a/p", re.IGNORECASE)
_SCALING = re.compile(r"[0#?],+(?![0#?,])")


class Look(IntEnum):
    """How a stored number is shown. From ``ZEROS``, the number of digits is added: ``00000`` is ``ZEROS + 5``."""

    PLAIN = 0
    PERCENT = 1
    SCALED = 2  # divided by thousands, or not shown at all
    HOURS_MINUTES = 3  # a time without its seconds
    MINUTES_SECONDS = 4  # a time without its hours
    NO_VALUE = 5  # a formula whose result was not saved
    ZERO_RESULT = 6  # a formula whose saved result is 0: some tools write it in place of a result
    WORDED = 7  # with signs that the value doesn't hold: 101 under "G"000 is seen as G101
    ZEROS = 64


# The looks of formats known by their numbers alone, as written in a workbook.
BUILTIN_LOOKS: dict[str, int] = {
    "9": Look.PERCENT, "10": Look.PERCENT,
    "18": Look.HOURS_MINUTES, "20": Look.HOURS_MINUTES, "45": Look.MINUTES_SECONDS, "47": Look.MINUTES_SECONDS,
}  # fmt: skip


def look_of(code: str) -> int:
    """Return the look of positive numbers under a format: the first section of its code."""
    shown = _LITERAL.sub("", code).split(";", 1)[0]
    letters = {letter for letter in _TIME_WORDS.sub("", shown).lower() if letter in "ydhms["}
    if "%" in shown:
        return Look.PERCENT
    if letters:
        without_hours = Look.MINUTES_SECONDS if letters == {"m", "s"} else Look.PLAIN
        return Look.HOURS_MINUTES if letters in ({"h", "m"}, {"h"}) else without_hours
    if _SCALING.search(shown) or not (shown.strip() or code.startswith("[")):
        return Look.SCALED
    first = _FIRST.match(code)
    literals = _LITERAL.findall(first[0]) if first else []
    signs = [text.strip('"\\').strip() for text in literals if text.startswith(('"', "\\"))]  # others than spaces
    if "-" in shown or any(signs):
        return Look.WORDED
    digits = shown.replace(" ", "")
    if re.fullmatch("00+", digits) and len(digits) < _MOST_ZEROS:
        return Look.ZEROS + len(digits)
    return Look.PLAIN


class NativeColumn:
    """Writes the cells of one column; ``marks`` has a Mark per row, as far as there are some.

    ``field`` is the Table Schema field that the column is for, None where nothing is known of it.
    """

    def __init__(self, field: Mapping[str, Any] | None, decimal_char: str) -> None:
        self.marks = bytearray()
        self._field = field or {}
        self._known = field is not None
        self._kind = "duration" if "duration" in self._field else str(self._field.get("type", "any"))
        self._decimal_char = str(self._field.get("decimalChar", decimal_char))
        self._words = [str(self._field.get(name, [word])[0]) for name, word in _WORDS.items()]
        self._is_share = self._field.get("unit") == _SHARE_UNIT
        self._percent = False
        self._writers: dict[type, Callable[[Any, int, int], str]] = {
            bool: self._truth,
            **dict.fromkeys((int, float, Decimal), self._number),
            **dict.fromkeys((datetime.date, datetime.datetime), self._date),
        }
        if self._kind == "duration":
            self._writers |= dict.fromkeys((datetime.time, datetime.timedelta), self._duration)

    def write(self, value: Any, row: int, look: int = Look.PLAIN) -> str:
        """Return the text of the cell of a row (from 0), seen in a certain way."""
        if look == Look.NO_VALUE and self._marked(row, Mark.NO_VALUE):
            return NO_VALUE_TEXT
        if type(value) is str:  # most cells
            return value
        write = self._writers.get(type(value))
        return write(value, row, look) if write else native_text(value, self._decimal_char)

    def close(self) -> bytearray:
        """Return the marks, once all cells were written: numbers of at most 1 are doubtful among percentages only."""
        if not self._percent:
            self.marks = self.marks.replace(bytes([Mark.NOT_PERCENT]), b"\x00")
        return self.marks if any(self.marks) else bytearray()

    def _marked(self, row: int, mark: Mark) -> bool:
        if self._known:
            if len(self.marks) <= row:
                self.marks.extend(bytes(row + 1 - len(self.marks)))
            self.marks[row] = mark
        return self._known

    def _number(self, value: float | Decimal, row: int, look: int) -> str:
        if look == Look.PERCENT:
            return self._percentage(value, row)
        if look == Look.SCALED and self._kind in _NUMBERS:
            self._marked(row, Mark.SCALED)
        elif self._kind in _NUMBERS and not self._is_share and 0 < abs(float(value)) <= 1:
            self._marked(row, Mark.NOT_PERCENT)
        elif self._kind == "string":
            return self._code(value, row, look)
        return native_text(value, self._decimal_char)

    def _percentage(self, value: float | Decimal, row: int) -> str:
        """Read as it is seen, unless the field is a share of 1: 0.853 is seen as 85,3 %."""
        if self._is_share or not self._known or not math.isfinite(value):
            return native_text(value, self._decimal_char)
        self._percent = True
        self._marked(row, Mark.PERCENT)
        text = native_text(float(f"{float(value) * 100:.15g}"), self._decimal_char)
        return text if self._kind in _NUMBERS else f"{text} %"

    def _code(self, value: float | Decimal, row: int, look: int) -> str:
        if isinstance(value, float) and _DIGITS_KEPT <= abs(value) < math.inf:
            self._marked(row, Mark.DIGITS)
            return f"{value:.0f}"
        text = native_text(value, self._decimal_char)
        if look == Look.WORDED:
            self._marked(row, Mark.WORDED)
        elif not text.lstrip("-").isdecimal():
            self._marked(row, Mark.DECIMAL)
        return text.zfill(look - Look.ZEROS) if look > Look.ZEROS and text.isdecimal() else text

    def _truth(self, value: bool, row: int, _: int) -> str:
        if self._kind == "string":
            self._marked(row, Mark.TRUTH)
        return self._words[not value]

    def _date(self, value: datetime.date, row: int, _: int) -> str:
        clock = value.time() if isinstance(value, datetime.datetime) else datetime.time()
        day = value.date() if isinstance(value, datetime.datetime) else value
        if self._kind == "date":
            pattern = str(self._field.get("format", "default"))
            if clock == datetime.time():
                return _written(day, "%Y-%m-%d" if pattern == "default" else pattern)
            return value.strftime(pattern) if "%H" in pattern else value.strftime(f"{_SEEN_DATE} {_SEEN_CLOCK}")
        if self._kind == "string":
            self._marked(row, Mark.DATED)
        return native_text(value, self._decimal_char)

    def _duration(self, value: datetime.time | datetime.timedelta, row: int, look: int) -> str:
        """Write a length of time, unless the cell shows the producer something else than what it holds."""
        if isinstance(value, datetime.time):
            value = datetime.datetime.combine(datetime.date.min, value) - datetime.datetime.min
        form = str(self._field["duration"])
        hides_hours = look == Look.MINUTES_SECONDS and value >= datetime.timedelta(hours=1)
        if hides_hours or (look == Look.HOURS_MINUTES and form == "mm:ss"):
            self._marked(row, Mark.CLOCK)
        return duration_text(value, form)


@lru_cache(1 << 16)
def _written(day: datetime.date, pattern: str) -> str:
    """Write a day in a format that gives it back (or its month, where the format has no day); else in full."""
    text = day.strftime(pattern)
    try:
        read = datetime.datetime.strptime(text, pattern).date()
    except ValueError:
        return day.isoformat()
    without_day = "%d" not in pattern and (read.year, read.month) == (day.year, day.month)
    return text if read == day or without_day else day.isoformat()
