"""One cell brought to its declared type, or told wrong, in French. Whole columns are in ``canonical``."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import pandas as pd

from pipelines.mechanics.plain_text import table_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.declarations import Column

DEFAULT_DECIMALS = 6
_INT64 = range(-(2**63), 2**63)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def reader(column: Column) -> Callable[[Any], Any]:
    """Return the function that brings a cell to the column's type; it gives None for a missing one, else ValueError."""
    decimals = DEFAULT_DECIMALS if column.decimals is None else column.decimals
    readers: dict[str, Callable[[Any], Any]] = {
        "string": _string,
        "integer": _integer,
        "number": lambda value: _number(value, decimals),
        "boolean": _boolean,
        "date": _date,
    }
    typed = readers[column.type]
    return lambda value: None if is_missing(value) else typed(value)


def is_missing(value: object) -> bool:
    """Whether a cell is empty: None, NaN, NaT, NA, or an empty text."""
    return value is None or value is pd.NA or value is pd.NaT or value == "" or (_is_float(value) and math.isnan(value))


def _is_float(value: object) -> TypeGuard[float]:
    return isinstance(value, (float, np.floating))


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("texte attendu")
    if "\0" in value or not _encodable(value):
        raise ValueError("caractère interdit en UTF-8 ou en CSV")
    return table_lines(value)


def _encodable(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _integer(value: object) -> int:
    if isinstance(value, (bool, np.bool_)) or not (isinstance(value, Integral) or _is_float(value)):
        raise ValueError("nombre entier attendu")
    if not math.isfinite(value) or int(value) != value or int(value) not in _INT64:
        raise ValueError("nombre entier attendu")
    return int(value)


def _number(value: object, decimals: int) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, Decimal)):
        raise ValueError("nombre attendu")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("nombre fini attendu")
    return round(number, decimals) + 0.0


def _boolean(value: object) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError("booléen attendu")
    return bool(value)


def _date(value: object) -> date:
    if isinstance(value, datetime):  # pandas' Timestamp too
        if value.tzinfo is not None or value != datetime(value.year, value.month, value.day):
            raise ValueError("date sans heure attendue")
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        return date.fromisoformat(value)
    raise ValueError("date attendue (AAAA-MM-JJ)")
