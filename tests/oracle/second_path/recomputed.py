"""What the second path gives for one indicator of a network and year: a line per published unit, and its rows.

How the lines are made is in ``observed``, ``declared`` and ``transparency``; how they are compared, in ``agreement``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from oracle.second_path.places import Key


@dataclass(frozen=True)
class Line:
    """A recomputed unit, unrounded; NaN where there is none. ``reason``: id, when there is no value.

    ``bounds``: of its interval, NaN where it has none; None where they are not recomputed.
    """

    value: float = math.nan
    base: float = math.nan
    weighted_base: float = math.nan
    numerator: float = math.nan
    denominator: float = math.nan
    reason: str | None = None
    bounds: tuple[float, float] | None = None

    def figures(self) -> dict[str, float]:
        """Return the figures under their published names."""
        return {
            "valeur": self.value, "effectif": self.base, "effectif_pondere": self.weighted_base,
            "numerateur": self.numerator, "denominateur": self.denominator,
        }  # fmt: skip


@dataclass(frozen=True)
class Recomputed:
    """``lines`` by unit; ``rows`` gives the rows of the evidence that count in a unit; ``missing``, what it lacks.

    ``read``: all the rows that the indicator looks at.
    """

    lines: dict[Key, Line]
    read: pd.DataFrame
    rows: Callable[[Key], pd.DataFrame]
    missing: Callable[[Key], list[str]] = field(default=lambda _: [])
