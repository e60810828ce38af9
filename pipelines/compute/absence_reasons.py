"""Reasons for absence, row by row, beside the values that are missing. Which reasons there are is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_NO_REASON = np.array(None, dtype="object")


def reason_where(absent: ArrayLike, reason: ArrayLike) -> NDArray[np.object_]:
    """Return ``reason`` (one, or one per row) where a value is absent, None where there is one."""
    return np.where(absent, reason, _NO_REASON)
