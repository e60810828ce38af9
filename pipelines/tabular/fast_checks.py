"""Vectorised tests that accept only cells that are surely valid, and read the values of those.

A cell that a screen does not accept is only doubtful: frictionless decides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tabular.arrow_masks import Screen, both, cell_bytes, marks_missing, without
from pipelines.tabular.linear_patterns import linear_pattern
from pipelines.tabular.numeric import BOUNDS, number_screen
from pipelines.tabular.tokens import lengths

if TYPE_CHECKING:
    from collections.abc import Callable

    from frictionless import Field
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]


def make_screen(field: Field) -> Screen | None:
    """Return the screen of a field, None when every distinct text has to be asked."""
    constraints = set(field.constraints) - {"required", "unique"}
    if field.type in {"string", "any"} and field.format == "default":
        return _string_screen(field) if constraints <= {"pattern", "minLength", "maxLength", "enum"} else None
    if field.type in {"integer", "number"} and constraints <= BOUNDS:
        return number_screen(field)
    return None


def _string_screen(field: Field) -> Screen | None:
    tests = _string_tests(field)
    if tests is None:
        return None
    is_missing, required = marks_missing(field), bool(field.required)

    def sure(column: pa.Array) -> Mask | None:
        mask: Mask | None = None
        for test in tests:
            mask = both(mask, test(column))
        if mask is None and not required:
            return None
        missing = is_missing(column)
        if missing is not None:
            mask = both(mask, ~missing) if required else mask if mask is None else mask | missing
        return None if mask is None or mask.all() else mask

    def parse(column: pa.Array, _: Mask | None) -> pa.Array:
        return without(column, is_missing(column))

    return Screen(sure, parse)


def _string_tests(field: Field) -> list[Callable[[pa.Array], Mask | None]] | None:
    constraints, tests = field.constraints, list[Any]()
    if constraints.get("minLength") is not None:
        tests.append(_min_length(constraints["minLength"]))
    if constraints.get("maxLength") is not None:
        tests.append(_max_length(constraints["maxLength"]))
    if constraints.get("enum") is not None:
        allowed = pa.array([item for item in constraints["enum"] if isinstance(item, str)], pa.string())
        tests.append(lambda column: pc.is_in(column, allowed).to_numpy(zero_copy_only=False))
    if constraints.get("pattern") is not None:
        test = _pattern(constraints["pattern"])
        if test is None:
            return None
        tests.append(test)
    return tests


def _min_length(least: int) -> Callable[[pa.Array], Mask]:
    return lambda column: pc.utf8_length(column).to_numpy(zero_copy_only=False) >= least


def _max_length(most: int) -> Callable[[pa.Array], Mask]:
    return lambda column: lengths(column) <= most  # bytes are never fewer than characters


def _pattern(pattern: str) -> Callable[[pa.Array], Mask] | None:
    """Return the test for a pattern, anchored and ungrouped as frictionless has it."""
    fixed = _fixed(pattern)
    if fixed is not None:
        return fixed
    linear = linear_pattern(pattern)
    if linear is None:
        return None
    if linear.exact == "ascii":
        return lambda column: _mask(pc.and_(linear.matches(column), pc.string_is_ascii(column)))
    return lambda column: _mask(linear.matches(column))


def _mask(found: pa.Array) -> Mask:
    return np.asarray(found.to_numpy(zero_copy_only=False))


def _fixed(pattern: str) -> Callable[[pa.Array], Mask] | None:
    """Return a test by ranges of bytes when the pattern is a run of literals, digits and ranges of fixed length."""
    low, high = list[int](), list[int]()
    place = 0
    while place < len(pattern):
        item = re.match(r"(\\d|\[([A-Za-z0-9])-([A-Za-z0-9])\]|[A-Za-z0-9_/-])(?:\{(\d{1,2})\})?", pattern[place:])
        if item is None:
            return None
        place += item.end()
        times = int(item[4] or 1)
        first, last = ("0", "9") if item[1] == "\\d" else (item[2] or item[1], item[3] or item[1])
        low += [ord(first)] * times
        high += [ord(last)] * times
    if not low:
        return None
    bottom = np.array(low, np.uint8)
    span = np.array(high, np.uint8) - bottom
    return lambda column: _in_ranges(column, bottom, span)


def _in_ranges(column: pa.Array, bottom: NDArray[np.uint8], span: NDArray[np.uint8]) -> Mask:
    full = lengths(column) == len(bottom)
    chosen = column if full.all() else column.filter(pa.array(full))
    if len(chosen):
        outside = (cell_bytes(chosen).reshape(-1, len(bottom)) - bottom) > span
        if outside.any():
            full[full] = ~outside.any(axis=1)
    return np.asarray(full)
