"""How French writes numbers, counted things, lists and sizes. What is said with them is not here."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

SHOWN_ROWS = 3
_UNITS = ("octets", "ko", "Mo", "Go")
_THOUSAND = 1000
_NARROW_SPACE, _NO_BREAK_SPACE, _MINUS = "\u202f", "\u00a0", "\u2212"
_SAME_IN_SINGULAR = {"avis", "mois", "fois"}


def number(value: float | Decimal) -> str:
    """Write a number with narrow spaces between thousands and a decimal comma: « 12 345,6 »."""
    return f"{value:,}".replace(",", _NARROW_SPACE).replace(".", ",")


def decimal(value: float, digits: int) -> str:
    """Write a number with a comma and at most ``digits`` decimals, the last of them not 0: « 12,5 »."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".").replace(".", ",") if digits else text


def fixed(value: float, digits: int) -> str:
    """Write a number with always the same decimals, so that those of a table line up: « -1 234,0 »."""
    return f"{value:,.{digits}f}".replace(",", _NARROW_SPACE).replace(".", ",")


def number_text(value: float, decimals: int) -> str:
    """Write a number of a page as ``fixed``, with a true minus sign and no minus zero: « −1 234,0 »."""
    text = fixed(value, decimals)
    if text.startswith("-"):
        return text[1:] if not text.strip("-0,") else _MINUS + text[1:]
    return text


def cell(value: object) -> str:
    """Write a value as a cell of a French file: « 12,5 », « oui »; nothing for an empty one."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, float):
        return f"{value:.15g}".replace(".", ",")
    return "" if value is None else str(value)


def percent(value: float, digits: int) -> str:
    """Write a percentage (0 to 100) with at most ``digits`` decimals: « 12,5 % »."""
    return f"{decimal(value, digits)}{_NO_BREAK_SPACE}%"


def plural(count: float, words: str, many: str = "") -> str:
    """Return what is counted: each word with an s from two on, or ``many`` when it is made otherwise."""
    if abs(count) < 2:
        return words
    return many or " ".join(f"{word}s" for word in words.split())


def counted(count: int, words: str, many: str = "") -> str:
    """Return a number and what it counts: « 1 ligne refusée », « 2 lignes refusées »."""
    return f"{number(count)} {plural(count, words, many)}"


def unit_text(value: float, unit: str) -> str:
    """Write a unit, declared in the plural, as its number wants it: French counts as plural from two on."""
    first, space, rest = unit.partition(" ")
    singular = abs(value) < 2 and first not in _SAME_IN_SINGULAR
    return (first.removesuffix("s") if singular else first) + space + rest


def listed(words: Sequence[str], last: str = "et") -> str:
    """Return words in a list: « a », « a et b », « a, b et c »; ``last`` stands before the last one."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def first_few(words: Sequence[str], shown: int, separator: str = ", ", last: str = " et ") -> str:
    """Return the first words, and how many others there are: « a, b et 3 autres »."""
    others = len(words) - shown
    told = separator.join(words[:shown])
    return f"{told}{last}{counted(others, 'autre')}" if others > 0 else told


def rows_text(rows: Sequence[int], count: int) -> str:
    """Return row numbers in words, the first ones and how many others of the ``count`` there are."""
    first = [str(row) for row in rows[:SHOWN_ROWS]]
    if not first:
        return ""
    others = count - len(first)
    if len(rows) == 1 or not others:
        return f"{plural(len(first), 'ligne')} {listed(first)}"
    return f"lignes {', '.join(first)} et {counted(others, 'autre')}"


def in_runs(years: Sequence[int]) -> list[list[int]]:
    """Return years in order by those that follow one another: 2015, 2018, 2019 → [2015], [2018, 2019]."""
    runs: list[list[int]] = []
    for year in years:
        if runs and runs[-1][-1] == year - 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return runs


def years_text(years: Sequence[int]) -> str:
    """Return years in order as they are written: « 2015, 2018-2019 »."""
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in in_runs(years))


MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
          "décembre")  # fmt: skip


def month_in_words(month: str) -> str:
    """Return a month of the form « 2024-03 » as it is said: « mars 2024 »."""
    year, number = month.split("-")
    return f"{MONTHS[int(number) - 1]} {year}"


def day_text(day: date) -> str:
    """Return a day in figures: « 01/03/2024 »."""
    return f"{day:%d/%m/%Y}"


def day_in_words(day: date) -> str:
    """Return a day as it is said: « 1er mars 2024 »."""
    return f"{'1er' if day.day == 1 else day.day} {MONTHS[day.month - 1]} {day.year}"


_ABOUT = (5, 20, 100, 500)


def about(count: float) -> str:
    """Return about how many there are, where a number would tell too much: « 5 à 20 », up to but not 20."""
    if count < _ABOUT[0]:
        return f"moins de {_ABOUT[0]}"
    return next((f"{low} à {high}" for low, high in pairwise(_ABOUT) if count < high), f"plus de {_ABOUT[-1]}")


def size(count: float) -> str:
    """Return a size in bytes: « 812 octets », « 1,2 Mo »."""
    unit = 0
    while round(count, 1) >= _THOUSAND and unit < len(_UNITS) - 1:
        count, unit = count / _THOUSAND, unit + 1
    return f"{fixed(count, 1 if unit else 0)}{_NO_BREAK_SPACE}{_UNITS[unit]}"
