"""Where a published unit is: its period, level, territory and office, found again from the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipelines.declarations.periods import last_day, period_of
from pipelines.declarations.strict_model import LEVELS

if TYPE_CHECKING:
    from pipelines.declarations import Export, Frequency, Level, Territories

KEY = ("periode", "maille", "territoire_code", "structure_code")
Key = tuple[str, str, str, str]


def finest_level(export: Export) -> Level:
    """Return the finest level at which the export has rows."""
    found = {*export.level.values.values(), export.level.otherwise}
    return next(level for level in LEVELS if level in found)


class Regions:
    """Which région a département is in."""

    def __init__(self, territories: Territories) -> None:
        self._regions = {place.code: place.region for place in territories.territories if place.level == "departement"}

    def above(self, code: Any, level: str, wanted: Level) -> str | None:
        """Return the territory at level ``wanted`` that holds the place ``code`` of ``level``, if any."""
        if wanted == "national":
            return "FR"
        if wanted == "region" and level != "region":
            return self._regions.get(code)
        return code if isinstance(code, str) else None


def unit_keys(rows: pd.DataFrame, level: Level, frequency: Frequency, regions: Regions) -> pd.DataFrame:
    """Return KEY for each row that has a unit at that level and frequency; blank codes are empty texts."""
    periods = {name: period_of(last_day(name), frequency) for name in rows["_periode"].unique()}
    pairs = rows[["_territoire", "_maille"]]
    rank = pairs.groupby(["_territoire", "_maille"], dropna=False, sort=False).ngroup()
    distinct = pairs[~rank.duplicated()].itertuples(index=False, name=None)
    codes = np.array([regions.above(code, at, level) or "" for code, at in distinct], dtype="object")
    found = pd.DataFrame({
        "periode": rows["_periode"].map(periods),
        "maille": level,
        "territoire_code": codes[rank.to_numpy()],
        "structure_code": rows["_structure"].fillna("").astype(str) if level == "site" else "",
    })  # fmt: skip
    return found[found["structure_code" if level == "site" else "territoire_code"] != ""]
