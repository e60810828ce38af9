"""The screen of integers and numbers: at most 15 digits, with at most one decimal mark, within bounds.

Longer or stranger numbers are only doubtful.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tabular.arrow_masks import Screen, both, cell_bytes, marks_missing, without
from pipelines.tabular.tokens import lengths

if TYPE_CHECKING:
    from frictionless import Field
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]


BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
_DIGITS = 15  # so many digits are exact in a double, and in 64 bits


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
