"""Texts of accepted cells → Python values, by the declaration and nothing else: the second reading of each value.

Whether a cell is right was judged by validation, in a code of its own; a text that can't be read here is a fault.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TRUE = ("true", "True", "TRUE", "1")
_SECONDS = {"secondes": 1, "minutes": 60, "heures": 3600, "jours": 24 * 3600}


def values_of(texts: pd.Series[str], descriptor: Mapping[str, Any]) -> pd.Series[Any]:
    """Return the values of a column (None where missing) by its Table Schema field; raises ValueError on a text."""
    missing = {*descriptor.get("missingValues", ("",))}
    parse = _parser(descriptor)
    known = {text: None if text in missing else parse(text) for text in texts.unique()}
    return pd.Series([known[text] for text in texts], index=texts.index, dtype="object")


def reasons_of(texts: pd.Series[str], values: pd.Series[Any], reasons: Mapping[str, str]) -> pd.Series[Any]:
    """Return the declared reason of each absence, by what was written there."""
    found = [reasons.get(text) if value is None else None for text, value in zip(texts, values, strict=True)]
    return pd.Series(found, index=texts.index, dtype="object")


def _parser(descriptor: Mapping[str, Any]) -> Callable[[str], Any]:
    if "duration" in descriptor:
        return lambda text: _length(text, descriptor["duration"], descriptor["unit"])
    kind = descriptor["type"]
    if kind in ("integer", "year"):
        return lambda text: int(text.strip())
    if kind == "number":
        group, mark = descriptor.get("groupChar", ""), descriptor.get("decimalChar", ".")
        return lambda text: float(text.strip().replace(group, "").replace(mark, "."))
    if kind == "boolean":
        true = {*descriptor.get("trueValues", _TRUE)}
        return lambda text: text in true
    if kind == "date":
        form = descriptor.get("format", "%Y-%m-%d")
        return lambda text: datetime.datetime.strptime(text, form).date()
    return lambda text: text


def _length(text: str, form: str, unit: str) -> float:
    """Return a length of time, written with colons, as a number of its unit."""
    sign, parts = (-1, text.strip()[1:]) if text.strip().startswith("-") else (1, text.strip())
    numbers = [float(part.replace(",", ".")) for part in parts.split(":")]
    hours = numbers[0] if form.startswith("h") else 0.0
    minutes = numbers[1] if form.startswith("h") else numbers[0]
    seconds = numbers[-1] if form.endswith("ss") else 0.0
    return sign * (hours * 3600 + minutes * 60 + seconds) / _SECONDS[unit]
