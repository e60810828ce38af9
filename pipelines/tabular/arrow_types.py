"""The Arrow type that holds the values of each Table Schema type, and the conversion of frictionless's values to it.

Written rules: a number is the nearest double; a datetime with an offset is brought to UTC, one without is kept as
written; yearmonth and duration are written as frictionless writes them, a geopoint as "lon,lat"; lists, arrays,
objects and GeoJSON are JSON text; what the type can't hold (an integer beyond 64 bits, a time with an offset) is null,
and told.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from frictionless import Field

_TYPES = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "time": pa.time64("us"),
    "year": pa.int64(),
}
_JSON = {"list", "array", "object", "geojson"}
_LARGEST = 2**63


def arrow_type(field: Field) -> pa.DataType:
    """Return the Arrow type of the field's values."""
    return _TYPES.get(field.type, pa.string())


def converter(field: Field) -> Callable[[Any], Any]:
    """Return the function from a value of frictionless's to what Arrow is given; None: the type can't hold it."""
    known: dict[str, Callable[[Any], Any]] = {
        "integer": _integer,
        "year": _integer,
        "number": _number,
        "datetime": _datetime,
        "time": _time,
        "string": str,
        "any": str,
        "boolean": bool,
        "date": _same,
        "geopoint": lambda value: f"{value.lon},{value.lat}",
    }
    if field.type in _JSON:
        return _json
    if field.type in known:
        return known[field.type]
    writer = field.create_value_writer()
    return lambda value: str(writer(value))


def _same(value: Any) -> Any:
    return value


def _integer(value: int) -> int | None:
    return int(value) if -_LARGEST <= value < _LARGEST else None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if math.isinf(number) and not isinstance(value, float) and not value.is_infinite():
        return None
    return number


def _datetime(value: datetime.datetime) -> datetime.datetime | None:
    if value.tzinfo is None:
        return value
    try:
        return value.astimezone(datetime.UTC).replace(tzinfo=None)
    except OverflowError:
        return None


def _time(value: datetime.time) -> datetime.time | None:
    return value if value.tzinfo is None else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
