"""Periods as SDMX writes them in French use: ``2024``, ``2024-S1``, ``2024-T2``, ``2024-04``.

Plain text, ordered within a frequency.
"""

from __future__ import annotations

import calendar
import datetime
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.declarations.strict_model import Frequency

MONTHS_PER_PERIOD: dict[Frequency, int] = {"month": 1, "quarter": 3, "semester": 6, "year": 12}
FRENCH: dict[Frequency, str] = {
    "month": "mensuelle",
    "quarter": "trimestrielle",
    "semester": "semestrielle",
    "year": "annuelle",
}
_LETTER: dict[Frequency, str] = {"quarter": "T", "semester": "S"}
_FORM = re.compile(r"(\d{4})(?:-(?:(\d{2})|([TS])(\d)))?")


def is_day(text: str) -> bool:
    """Say whether a text is a day, written 2024-02-28."""
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def period_of(day: datetime.date, frequency: Frequency) -> str:
    """Return the period of that frequency that holds ``day``."""
    return _written(day.year, (day.month - 1) // MONTHS_PER_PERIOD[frequency], frequency)


def periods_of_year(year: int, frequency: Frequency) -> list[str]:
    """Return all periods of that frequency in the year, in order."""
    return [_written(year, index, frequency) for index in range(12 // MONTHS_PER_PERIOD[frequency])]


def last_day(period: str) -> datetime.date:
    """Return the last day of a period; raises ValueError if the text is no period."""
    match = _FORM.fullmatch(period)
    if not match:
        raise ValueError(f"période illisible : {period}")
    year, month, letter, number = match.groups()
    last_month = 12
    if month:
        last_month = int(month)
    elif letter:
        last_month = int(number) * (3 if letter == "T" else 6)
    return datetime.date(int(year), last_month, calendar.monthrange(int(year), last_month)[1])


def _written(year: int, index: int, frequency: Frequency) -> str:
    if frequency == "year":
        return f"{year:04d}"
    if frequency == "month":
        return f"{year:04d}-{index + 1:02d}"
    return f"{year:04d}-{_LETTER[frequency]}{index + 1}"
