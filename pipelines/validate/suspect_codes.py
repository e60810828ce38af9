"""Codes left among amounts: 99, 999, 9999 or -1 stand for « ne sait pas » or « absent » in many survey tools.

A value of that form is told only where it stands apart from the others: 99 minutes may be a wait like another.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# 97, 98, 99, 997… 999 999 999: « autre », « ne sait pas », « sans réponse »; -1, -8, -9, -99, -999: the same, negative.
_HIGH = tuple(10**digits - last for digits in range(2, 10) for last in (1, 2, 3))
_LOW = tuple(-code for code in (1, 2, 7, 8, 9, 77, 88, 97, 98, 99, 777, 888, 997, 998, 999, 9999, 99999))
CODES = np.array(_HIGH + _LOW, np.float64)
_APART = 2  # times the largest other value: a code is far from what it stands among
_HEAPED = 3  # rows of one value where few others are near: nobody measures 999 so often
_NEAR = 0.1  # of the value, on either side
_SAFE = 100.0  # under it, 97 to 99 are usual amounts (percentages, minutes): heaps say nothing


class Amounts:
    """The amounts of a column, batch after batch."""

    def __init__(self) -> None:
        self._highest, self._lowest = -np.inf, np.inf
        self._largest, self._parts = -np.inf, 0
        self._codes: Counter[float] = Counter()
        self._near: Counter[float] = Counter()

    def take(self, values: NDArray[np.float64]) -> None:
        """Take amounts; NaN is none."""
        known = values[~np.isnan(values)]
        if len(known):
            self._largest = max(self._largest, known.max())
            self._parts += int(((known > 0) & (known < 1)).sum())
        is_code = np.isin(known, CODES)
        others = known[~is_code]
        if len(others):
            self._highest, self._lowest = max(self._highest, others.max()), min(self._lowest, others.min())
        for code, count in zip(*np.unique(known[is_code], return_counts=True), strict=True):
            self._codes[float(code)] += int(count)
        for code in CODES[CODES > _SAFE].tolist():
            near = np.abs(others - code) <= _NEAR * code
            self._near[code] += int(near.sum())

    def suspect(self) -> set[float]:
        """Return the codes that stand apart: far above all other amounts, alone below zero, or heaped in a void."""
        return {code for code, count in self._codes.items() if self._stands_apart(code, count)}

    def all_shares(self) -> bool:
        """Tell whether amounts that should be percentages are all written as shares of 1, 0.95 for 95 %."""
        return self._largest <= 1 and self._parts >= _HEAPED

    def _stands_apart(self, code: float, count: int) -> bool:
        if self._highest == -np.inf:  # nothing but codes
            return False
        if code < 0:
            return self._lowest >= 0
        if code > _APART * max(self._highest, 0.0):
            return True
        return code > _SAFE and count >= _HEAPED and self._near[code] * 2 < count
