"""Numbers and conditions over read values, in plain pandas."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def numbers(values: pd.Series[Any]) -> pd.Series[float]:
    """Return values as floats, NaN where there is none."""
    return values.astype("float64")


def kept_by(rows: pd.DataFrame, where: Mapping[str, Collection[Any]]) -> pd.Series[bool]:
    """Tell which rows hold one of the values wanted in each column; days are written AAAA-MM-JJ."""
    found = pd.Series(True, index=rows.index)
    for name, values in where.items():
        held = [value.isoformat() if isinstance(value, datetime.date) else value for value in rows[name]]
        found &= pd.Series(held, index=rows.index, dtype="object").isin(list(values))
    return found
