"""What screens are made of: masks (None: all true), missing values, the bytes of a column.

Which cells are valid is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tabular.tokens import lengths

if TYPE_CHECKING:
    from collections.abc import Callable

    from frictionless import Field
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Screen:
    """``sure`` marks the cells that are surely valid (None: all); ``parse`` reads the column, given that mask."""

    sure: Callable[[pa.Array], Mask | None]
    parse: Callable[[pa.Array, Mask | None], pa.Array]


def missing_values(field: Field) -> list[str]:
    """Return the texts that mean a missing value in the field."""
    if not field.has_defined("missing_values") and field.schema:
        return list(field.schema.missing_values)
    return list(field.missing_values)


def marks_missing(field: Field) -> Callable[[pa.Array], Mask | None]:
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
                mask[places] = pc.is_in(chosen, others).to_numpy(zero_copy_only=False)
        return mask if mask.any() else None

    return is_missing


def both(first: Mask | None, second: Mask | None) -> Mask | None:
    """Return the conjunction of two masks (None: all true)."""
    if first is None or second is None:
        return second if first is None else first
    return first & second


def without(column: pa.Array, nulls: Mask | None) -> pa.Array:
    """Return the column with nulls in some places."""
    return column if nulls is None else pc.if_else(pa.array(nulls), pa.scalar(None, column.type), column)


def cell_bytes(column: pa.Array) -> NDArray[np.uint8]:
    """Return the bytes of all cells, one after the other."""
    offsets = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4)
    low, high = int(offsets[0]), int(offsets[-1])
    return np.frombuffer(column.buffers()[2], np.uint8, high - low, low) if high > low else np.empty(0, np.uint8)
