"""The verdict on a column of a block: which cells are valid, their values, their hashes.

Directly by a screen when the texts are many, by distinct cells when they are few, typed, or when there is no screen.

Written rules of values: a number is the nearest double; a datetime with an offset is brought to UTC, one without is
kept as written; yearmonth and duration are written as frictionless writes them, a geopoint as "lon,lat"; lists, arrays,
objects and GeoJSON are JSON text; what the type can't hold (an integer beyond 64 bits, a time with an offset) is null,
and told.
"""

from __future__ import annotations

import datetime
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tabular.doubts import Oracle, Reading
from pipelines.tabular.fast_checks import Screen, as_mask, make_screen, without
from pipelines.tabular.hashes import NULL, apart_from_null, hash_floats, hash_integers, hash_texts, hash_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from frictionless import Field
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

_SAMPLE, _FEW = 1000, 0.4
_TYPES = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "time": pa.time64("us"),
    "year": pa.int64(),
}
_LARGEST = 2**63


class Column:
    """Judges the cells of one field."""

    def __init__(self, field: Field) -> None:
        self.field, self.oracle = field, Oracle(field)
        self.type = _TYPES.get(field.type, pa.string())
        self.family = {"integer": "integer", "year": "integer", "number": "number"}.get(field.type, "other")
        self.is_text = field.type in {"string", "any"}
        self._convert = _converter(field)
        self._screen = make_screen(field)
        self._free = self.is_text and not set(field.constraints) - {"required", "unique"}

    def judge(self, column: pa.Array) -> ColumnVerdict:
        """Judge the cells of a block."""
        screened = self._screen is not None and pa.types.is_string(column.type) and column.null_count == 0
        if self._screen is not None and screened and (self._free or not repeats(column)):
            return ScreenedCells(self, column, self._screen)
        return DistinctCells(self, column)

    def to_arrow(self, values: list[Any]) -> tuple[pa.Array, list[int]]:
        """Convert values of frictionless's, with the places of those that Arrow's type can't hold."""
        converted = [None if value is None else self._convert(value) for value in values]
        pairs = enumerate(zip(converted, values, strict=True))
        unheld = [place for place, (written, value) in pairs if written is None and value is not None]
        return pa.array(converted, self.type), unheld

    def hash_all(self, readings: list[Reading]) -> NDArray[np.uint64]:
        """Hash values."""
        values = [reading.value for reading in readings]
        if not self.is_text or any(value is not None and not isinstance(value, str) for value in values):
            return hash_values(values, self.family)
        nulls = np.array([value is None for value in values], np.bool_)
        hashed = hash_texts(pa.array([value or "" for value in values], pa.string()))
        return np.where(nulls, NULL, apart_from_null(hashed))


class DistinctCells:
    """Verdict on the cells of a column of a block (``valid``; None: all are): each distinct cell is asked once."""

    def __init__(self, column: Column, cells: pa.Array) -> None:
        encoded = cells.dictionary_encode(null_encoding="encode")
        self._column, self._cells = column, cells
        self._codes = encoded.indices
        self._readings = column.oracle.read_all(encoded.dictionary.to_pylist())
        good = np.array([reading.valid for reading in self._readings], np.bool_)
        self.valid: Mask | None = None if good.all() else good[self._codes.to_numpy()]

    def values(self) -> tuple[pa.Array, list[int]]:
        """Return the values in Arrow's type, and the places of those that it can't hold."""
        distinct = [reading.value for reading in self._readings]
        if self._column.is_text and pa.types.is_string(self._cells.type):  # a text's value is itself
            missing = np.array([value is None for value in distinct], np.bool_)
            return without(self._cells, missing[self._codes.to_numpy()] if missing.any() else None), []
        values, unheld = self._column.to_arrow(distinct)
        places = np.flatnonzero(np.isin(self._codes.to_numpy(), unheld)).tolist() if unheld else []
        return values.take(self._codes), places

    def hashes(self) -> NDArray[np.uint64]:
        """Return the hash of each value (``NULL`` where there is none)."""
        return np.asarray(self._column.hash_all(self._readings)[self._codes.to_numpy()])


class ScreenedCells:
    """Verdict as that of ``DistinctCells``, by a screen; the doubtful cells are asked."""

    def __init__(self, column: Column, cells: pa.Array, screen: Screen) -> None:
        self._column, self._cells, self._screen = column, cells, screen
        self._sure = screen.sure(cells)
        self._doubtful = np.empty(0, np.int64)
        self._readings: list[Reading] = []
        self.valid: Mask | None = None
        if self._sure is not None:
            self._doubtful = np.flatnonzero(~self._sure)
            self._readings = column.oracle.read_all(cells.take(pa.array(self._doubtful)).to_pylist())
            good = np.array([reading.valid for reading in self._readings], np.bool_)
            if not good.all():
                self.valid = self._sure.copy()
                self.valid[self._doubtful] = good

    def values(self) -> tuple[pa.Array, list[int]]:
        """Return the values in Arrow's type, and the places of those that it can't hold."""
        values = self._screen.parse(self._cells, self._sure)
        if self._sure is None:
            return values, []
        patch, unheld = self._column.to_arrow([reading.value for reading in self._readings])
        return pc.replace_with_mask(values, pa.array(~self._sure), patch), self._doubtful[unheld].tolist()

    def hashes(self) -> NDArray[np.uint64]:
        """Return the hash of each value (``NULL`` where there is none)."""
        values = self._screen.parse(self._cells, self._sure)
        if self._column.is_text:
            hashes = hash_texts(self._cells)
        else:
            numbers = values.fill_null(0).to_numpy(zero_copy_only=False)
            hashes = hash_floats(numbers) if self._column.family == "number" else hash_integers(numbers)
        hashes = apart_from_null(hashes)
        if values.null_count:
            hashes[as_mask(values.is_null())] = NULL
        if self._readings:
            hashes[self._doubtful] = self._column.hash_all(self._readings)
        return hashes


ColumnVerdict = DistinctCells | ScreenedCells


def repeats(column: pa.Array | pa.ChunkedArray) -> bool:
    """Tell whether the column seems to have few distinct cells."""
    sample = column.slice(0, _SAMPLE)
    return len(pc.unique(sample)) < len(sample) * _FEW


def _converter(field: Field) -> Callable[[Any], Any]:
    """Return the function from a value of frictionless's to what Arrow is given; None: the type can't hold it."""
    converters: dict[str, Callable[[Any], Any]] = {
        **dict.fromkeys(("integer", "year"), _integer),
        **dict.fromkeys(("string", "any"), str),
        **dict.fromkeys(("list", "array", "object", "geojson"), _json),
        "number": _number,
        "datetime": _datetime,
        "time": lambda value: value if value.tzinfo is None else None,
        "boolean": bool,
        "date": lambda value: value,
        "geopoint": lambda value: f"{value.lon},{value.lat}",
    }
    if field.type in converters:
        return converters[field.type]
    writer = field.create_value_writer()
    return lambda value: str(writer(value))


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


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
