"""Vectorised tests that accept only cells that are surely valid, and read the values of those.

A cell that a screen does not accept is only doubtful: frictionless decides.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tabular.arrow_masks import Screen, both, cell_bytes, marks_missing, without
from pipelines.tabular.linear_patterns import linear_pattern
from pipelines.tabular.tokens import lengths

if TYPE_CHECKING:
    from collections.abc import Callable

    from frictionless import Field
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]


BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
_DIGITS = 15  # so many digits are exact in a double, and in 64 bits


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


def number_screen(field: Any) -> Screen | None:
    """Return the screen of an integer or number field, None when its writing or its bounds are unusual."""
    decimal = "" if field.type == "integer" else field.decimal_char
    group = "" if field.type == "integer" else field.group_char
    if not field.bare_number or not _plain_mark(decimal, field.type):
        return None
    if group and (set(group) & set("0123456789-") or decimal in group):
        return None
    kind = pa.float64() if field.type == "number" else pa.int64()
    bounds = _bounds(field)
    if bounds is None:
        return None
    # A number without a sign is above a minimum of 0 or less.
    positive = set(field.constraints) & BOUNDS == {"minimum"} and len(bounds) == 1 and bounds[0][1] <= 0
    is_missing, required = marks_missing(field), bool(field.required)

    def parse(column: pa.Array, mask: Mask | None) -> pa.Array:
        chosen = mask
        missing = is_missing(column)
        if missing is not None:
            chosen = both(mask, ~missing)
        texts = without(column, None if chosen is None else ~chosen)
        if decimal not in {"", "."}:
            texts = pc.replace_substring(texts, decimal, ".")
        return texts.cast(kind)

    def sure(column: pa.Array) -> Mask | None:
        mask = _plain_numbers(column, decimal)
        missing = is_missing(column)
        if bounds and not (positive and not _has_sign(column)):
            values = parse(column, mask)
            inside = np.ones(len(column), np.bool_)
            numbers = values.fill_null(0).to_numpy(zero_copy_only=False)
            for compare, bound in bounds:
                inside &= compare(numbers, bound)
            mask = both(mask, inside)
        if missing is not None:
            mask = both(mask, ~missing) if required else mask if mask is None else mask | missing
        return None if mask is None or mask.all() else mask

    return Screen(sure, parse)


def _has_sign(column: pa.Array) -> bool:
    return bool((cell_bytes(column) == ord("-")).any())


def _plain_mark(decimal: str, kind: str) -> bool:
    if kind == "integer":
        return True
    return (
        len(decimal) == 1
        and decimal.isascii()
        and decimal.isprintable()
        and not decimal.isalnum()
        and decimal not in "-+ _"
    )


def _bounds(field: Field) -> list[tuple[Any, Any]] | None:
    """Return strict comparisons: with a value equal to a bound, frictionless decides. None: a bound can't be read."""
    reader = field.create_value_reader()
    result = []
    for name in sorted(BOUNDS & set(field.constraints)):
        if field.constraints[name] is None:
            continue
        bound = reader(field.constraints[name])
        if bound is None or not _plain_bound(bound):
            return None
        compare = np.greater if name.lower().endswith("minimum") else np.less
        result.append((compare, bound if isinstance(bound, int) else float(bound)))
    return result


def _plain_bound(bound: Any) -> bool:
    return math.isfinite(bound) and abs(bound) < 10**_DIGITS


def _plain_numbers(column: pa.Array, decimal: str) -> Mask | None:
    """Mark numbers of at most 15 digits with at most one decimal mark inside, and perhaps a sign (None: all)."""
    sizes = lengths(column)
    good = (sizes > 0) & (sizes <= _DIGITS)
    data = cell_bytes(column)
    others = np.flatnonzero((data - 48) > 9)
    offsets = np.cumsum(sizes, dtype=np.int64) - sizes
    if len(others) and not _one_mark_inside_each(data, others, offsets, sizes, decimal):
        rows = np.searchsorted(offsets, others, side="right") - 1
        good[_not_plain(data, others, rows, offsets, sizes, decimal)] = False
    return None if good.all() else np.asarray(good)


def _one_mark_inside_each(
    data: NDArray[np.uint8],
    others: NDArray[np.int64],
    offsets: NDArray[np.int64],
    sizes: NDArray[np.int32],
    decimal: str,
) -> bool:
    """Tell whether each cell holds digits and one decimal mark between them: so do most columns of decimal numbers."""
    if not decimal or len(others) != len(offsets) or not (data[others] == ord(decimal)).all():
        return False
    return bool((others > offsets).all() and (others < offsets + sizes - 1).all())


def _not_plain(
    data: NDArray[np.uint8],
    others: NDArray[np.int64],
    rows: NDArray[np.int64],
    offsets: NDArray[np.int64],
    sizes: NDArray[np.int32],
    decimal: str,
) -> NDArray[np.int64]:
    """Return the rows that hold something else than digits, a leading sign and one decimal mark between digits."""
    before, after = others - offsets[rows], sizes[rows] - 1 - (others - offsets[rows])
    sign = (data[others] == ord("-")) & (before == 0) & (after > 0)
    mark = np.zeros(len(others), np.bool_)
    if decimal:
        neighbour = data[np.maximum(others - 1, 0)]
        mark = (data[others] == ord(decimal)) & (before > 0) & (after > 0) & ((neighbour - 48) <= 9)
        marked = rows[mark]
        mark[mark] = np.append(True, marked[1:] != marked[:-1]) if len(marked) else True
    return np.asarray(rows[~(sign | mark)])
