"""What a cell was for the producer who looked at it, where its text alone doesn't say it.

Readers mark cells, validation says what comes of them: the words they share.
"""

from __future__ import annotations

from enum import IntEnum


class Mark(IntEnum):
    """How a cell was seen."""

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
