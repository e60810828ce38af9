"""What is the same for all rows alike in some columns, asked for once each: declarations know it, not data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from pipelines.disclosure.row_keys import distinct, row_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

Told = TypeVar("Told")


def each_once(
    rows: pd.DataFrame, names: Sequence[str], told: Callable[..., Told]
) -> tuple[list[Told], NDArray[np.int64]]:
    """Return what ``told`` says of the cells ``names`` of rows, once for those alike, and which of it is of each row.

    Cells are given as Python values, None where they are empty.
    """
    (numbers,) = row_numbers(names, rows)
    first, at = distinct(numbers)
    cells = [_plain(rows[name].take(first)) for name in names]
    return [told(*place) for place in zip(*cells, strict=True)], at


def of_each(rows: pd.DataFrame, names: Sequence[str], told: Callable[..., str | None]) -> pd.Series[Any]:
    """Return, for each row, the text that ``told`` says of its cells ``names``."""
    texts, at = each_once(rows, names, told)
    return pd.Series(texts, dtype="str").take(at).set_axis(rows.index)


def _plain(cells: pd.Series[Any]) -> list[Any]:
    return cells.astype("object").where(cells.notna(), None).tolist()
