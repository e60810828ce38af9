"""What the number format of a cell makes the producer see, that its stored value doesn't say.

0.853 in the format ``0.0%`` is seen as 85,3 %. Formats are those of XLSX (ECMA-376 part 1, 18.8.30 and 18.8.31);
what is done with what is seen belongs to ``native_cells``.
"""

from __future__ import annotations

import re
from enum import IntEnum


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


_MOST_ZEROS = 100
# Texts shown as they are, spaces, colours, conditions, languages; elapsed times ([h], [mm]) are kept.
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE | re.DOTALL)
_FIRST = re.compile(rf"(?:{_LITERAL.pattern}|[^;])*", re.IGNORECASE | re.DOTALL)  # section of a code
_WORDS = re.compile(r"general|standard|am/pm|a/p", re.IGNORECASE)
_SCALING = re.compile(r"[0#?],+(?![0#?,])")
_BUILTIN = {
    9: Look.PERCENT, 10: Look.PERCENT,
    18: Look.HOURS_MINUTES, 20: Look.HOURS_MINUTES, 45: Look.MINUTES_SECONDS, 47: Look.MINUTES_SECONDS,
}  # fmt: skip


def look_of_builtin(identifier: int) -> int:
    """Return the look of a format known by its number alone."""
    return _BUILTIN.get(identifier, Look.PLAIN)


def look_of(code: str) -> int:
    """Return the look of positive numbers under a format: the first section of its code."""
    shown = _LITERAL.sub("", code).split(";", 1)[0]
    letters = {letter for letter in _WORDS.sub("", shown).lower() if letter in "ydhms["}
    if "%" in shown:
        return Look.PERCENT
    if letters:
        return _look_of_time(letters)
    if _SCALING.search(shown) or not (shown.strip() or code.startswith("[")):
        return Look.SCALED
    if "-" in shown or _adds_signs(code):
        return Look.WORDED
    digits = shown.replace(" ", "")
    if re.fullmatch("00+", digits) and len(digits) < _MOST_ZEROS:
        return Look.ZEROS + len(digits)
    return Look.PLAIN


def _adds_signs(code: str) -> bool:
    """Tell whether the first section of a format shows other signs than spaces beside the digits."""
    first = _FIRST.match(code)
    literals = _LITERAL.findall(first[0]) if first else []
    return any(text.strip('"\\').strip() for text in literals if text.startswith(('"', "\\")))


def _look_of_time(letters: set[str]) -> int:
    if letters in ({"h", "m"}, {"h"}):
        return Look.HOURS_MINUTES
    return Look.MINUTES_SECONDS if letters == {"m", "s"} else Look.PLAIN
