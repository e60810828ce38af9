"""Vectorised tests that accept only cells that are surely valid, and read the values of those.

A cell that a screen does not accept is only doubtful: frictionless decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tabular.linear_patterns import linear_pattern
from pipelines.tabular.tokens import cell_bytes, lengths

if TYPE_CHECKING:
    from frictionless import Field
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Test = Callable[[pa.Array], Mask | None]  # None: all true

BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
_DIGITS = 15  # so many digits are exact in a double, and in 64 bits


@dataclass(frozen=True)
class Screen:
    """``sure`` marks the cells that are surely valid (None: all); ``parse`` reads the column, given that mask."""

    sure: Test
    parse: Callable[[pa.Array, Mask | None], pa.Array]


def make_screen(field: Field) -> Screen | None:
    """Return the screen of a field, None when every distinct text has to be asked."""
    constraints = set(field.constraints) - {"required", "unique"}
    if field.type in {"string", "any"} and field.format == "default":
        return _string_screen(field) if constraints <= {"pattern", "minLength", "maxLength", "enum"} else None
    if field.type in {"integer", "number"} and constraints <= BOUNDS:
        return _number_screen(field)
    return None


# Missing values, and masks


def missing_values(field: Field) -> list[str]:
    """Return the texts that mean a missing value in the field."""
    if not field.has_defined("missing_values") and field.schema:
        return list(field.schema.missing_values)
    return list(field.missing_values)


def marks_missing(field: Field) -> Test:
    """Return the test for missing values (None: there are none). Only cells of the right length are compared."""
    texts = missing_values(field)
    others = pa.array(sorted({text for text in texts if text}), pa.string())
    sizes = sorted({len(text.encode()) for text in texts if text})
    empty = "" in texts

    def is_missing(column: pa.Array) -> Mask | None:
        length = lengths(column)
        mask = length == 0 if empty else np.zeros(len(column), np.bool_)
        for size in sizes:
            places = np.flatnonzero(length == size)
            if len(places):
                chosen = column if len(places) == len(column) else column.take(pa.array(places))
                mask[places] = as_mask(pc.is_in(chosen, others))
        return mask if mask.any() else None

    return is_missing


def as_mask(flags: pa.Array) -> Mask:
    """Return Arrow's booleans as numpy's."""
    return np.asarray(flags.to_numpy(zero_copy_only=False))


def without(column: pa.Array, nulls: Mask | None) -> pa.Array:
    """Return the column with nulls in some places."""
    return column if nulls is None else pc.if_else(pa.array(nulls), pa.scalar(None, column.type), column)


def _both(first: Mask | None, second: Mask | None) -> Mask | None:
    if first is None or second is None:
        return second if first is None else first
    return first & second


def _but_for_missing(mask: Mask | None, missing: Mask | None, *, required: bool) -> Mask | None:
    """Return the sure cells, given those that are missing: wrong where a value is required, right elsewhere."""
    if missing is not None and required:
        mask = _both(mask, ~missing)
    elif missing is not None and mask is not None:
        mask = mask | missing
    return None if mask is None or mask.all() else mask


# Texts


def _string_screen(field: Field) -> Screen | None:
    tests = _string_tests(field)
    if tests is None:
        return None
    is_missing, required = marks_missing(field), bool(field.required)

    def sure(column: pa.Array) -> Mask | None:
        mask: Mask | None = None
        for test in tests:
            mask = _both(mask, test(column))
        if mask is None and not required:
            return None
        return _but_for_missing(mask, is_missing(column), required=required)

    return Screen(sure, lambda column, _: without(column, is_missing(column)))


def _string_tests(field: Field) -> list[Test] | None:
    tests: list[Test] = []
    names = ("minLength", "maxLength", "enum", "pattern")
    least, most, enum, pattern = (field.constraints.get(name) for name in names)
    if least is not None:
        tests.append(lambda column: pc.utf8_length(column).to_numpy(zero_copy_only=False) >= least)
    if most is not None:
        tests.append(lambda column: lengths(column) <= most)  # bytes are never fewer than characters
    if enum is not None:
        allowed = pa.array([text for text in enum if isinstance(text, str)], pa.string())
        tests.append(lambda column: as_mask(pc.is_in(column, allowed)))
    if pattern is not None:
        test = _fixed(pattern) or _pattern(pattern)
        if test is None:
            return None
        tests.append(test)
    return tests


def _pattern(pattern: str) -> Test | None:
    """Return the test for a pattern, anchored and ungrouped as frictionless has it."""
    linear = linear_pattern(pattern)
    if linear is None:
        return None
    if linear.exact == "ascii":
        return lambda column: as_mask(pc.and_(linear.matches(column), pc.string_is_ascii(column)))
    return lambda column: as_mask(linear.matches(column))


def _fixed(pattern: str) -> Test | None:
    """Return a test by ranges of bytes when the pattern is a run of literals, digits and ranges of fixed length."""
    low, high = list[int](), list[int]()
    place = 0
    while place < len(pattern):
        sign = re.match(r"(\\d|\[([A-Za-z0-9])-([A-Za-z0-9])\]|[A-Za-z0-9_/-])(?:\{(\d{1,2})\})?", pattern[place:])
        if sign is None:
            return None
        place += sign.end()
        times = int(sign[4] or 1)
        first, last = ("0", "9") if sign[1] == "\\d" else (sign[2] or sign[1], sign[3] or sign[1])
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


# Numbers


def _number_screen(field: Any) -> Screen | None:
    """Return the screen of an integer or number field, None when its writing or its bounds are unusual."""
    whole = field.type == "integer"
    decimal, group = ("", "") if whole else (field.decimal_char, field.group_char)
    usual_group = not group or not (set(group) & set("0123456789-") or decimal in group)
    if not field.bare_number or not usual_group or not (whole or _is_plain_mark(decimal)):
        return None
    bounds = _bounds(field)
    if bounds is None:
        return None
    # A number without a sign is above a minimum of 0 or less.
    positive = set(field.constraints) & BOUNDS == {"minimum"} and len(bounds) == 1 and bounds[0][1] <= 0
    is_missing, required = marks_missing(field), bool(field.required)

    def parse(column: pa.Array, mask: Mask | None) -> pa.Array:
        missing = is_missing(column)
        chosen = mask if missing is None else _both(mask, ~missing)
        texts = without(column, None if chosen is None else ~chosen)
        if decimal not in {"", "."}:
            texts = pc.replace_substring(texts, decimal, ".")
        return texts.cast(pa.int64() if whole else pa.float64())

    def sure(column: pa.Array) -> Mask | None:
        mask = _plain_numbers(column, decimal)
        if bounds and not (positive and not (cell_bytes(column) == ord("-")).any()):
            inside = np.ones(len(column), np.bool_)
            numbers = parse(column, mask).fill_null(0).to_numpy(zero_copy_only=False)
            for compare, bound in bounds:
                inside &= compare(numbers, bound)
            mask = _both(mask, inside)
        return _but_for_missing(mask, is_missing(column), required=required)

    return Screen(sure, parse)


def _is_plain_mark(decimal: str) -> bool:
    """Tell whether a decimal mark is one printable ASCII sign that is no part of numbers otherwise."""
    plain = len(decimal) == 1 and decimal.isascii() and decimal.isprintable()
    return plain and not decimal.isalnum() and decimal not in "-+ _"


def _bounds(field: Field) -> list[tuple[Any, Any]] | None:
    """Return strict comparisons: with a value equal to a bound, frictionless decides. None: a bound can't be read."""
    reader = field.create_value_reader()
    bounds = []
    for name in sorted(BOUNDS & set(field.constraints)):
        if field.constraints[name] is None:
            continue
        bound = reader(field.constraints[name])
        if bound is None or not (math.isfinite(bound) and abs(bound) < 10**_DIGITS):
            return None
        compare = np.greater if name.lower().endswith("minimum") else np.less
        bounds.append((compare, bound if isinstance(bound, int) else float(bound)))
    return bounds


def _plain_numbers(column: pa.Array, decimal: str) -> Mask | None:
    """Mark numbers of at most 15 digits with at most one decimal mark inside, and perhaps a sign (None: all)."""
    sizes, signs = lengths(column).astype(np.int64), cell_bytes(column)
    good = (sizes > 0) & (sizes <= _DIGITS)
    others = np.flatnonzero((signs - 48) > 9)
    starts = np.cumsum(sizes) - sizes
    # Most columns of decimal numbers have one mark between the digits of each cell.
    usual = bool(decimal) and len(others) == len(starts) and bool((signs[others] == ord(decimal)).all())
    if len(others) and not (usual and (others > starts).all() and (others < starts + sizes - 1).all()):
        rows = np.searchsorted(starts, others, side="right") - 1
        before = others - starts[rows]
        good[rows[~_in_number(signs, others, rows, before, sizes[rows] - 1 - before, decimal)]] = False
    return None if good.all() else np.asarray(good)


def _in_number(
    signs: NDArray[np.uint8],
    others: NDArray[np.int64],
    rows: NDArray[np.int64],
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    decimal: str,
) -> Mask:
    """Tell of signs that are no digits, with their rows and the signs around, which may be in a number.

    A sign may lead, and one decimal mark be between digits.
    """
    leading = (signs[others] == ord("-")) & (before == 0) & (after > 0)
    mark = np.zeros(len(others), np.bool_)
    if decimal:
        neighbour = signs[np.maximum(others - 1, 0)]
        mark = (signs[others] == ord(decimal)) & (before > 0) & (after > 0) & ((neighbour - 48) <= 9)
        marked = rows[mark]
        mark[mark] = np.append(True, marked[1:] != marked[:-1]) if len(marked) else True
    return np.asarray(leading | mark)
