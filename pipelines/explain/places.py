"""Where and when a row is: period, level, territory, office, read again from its values.

Only accepted rows come here, so that their codes are known ones; territories above them are those of the reference.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import numpy as np
import pandas as pd

from pipelines.declarations.base import LEVELS
from pipelines.declarations.periods import last_day, period_of

if TYPE_CHECKING:
    from pipelines.declarations import Export, Frequency, Level, Territories

COORDINATES = ("_annee", "_periode", "_maille", "_territoire", "_structure")
KEY = ("periode", "maille", "territoire_code", "structure_code")
Key = tuple[str, str, str, str]


def with_places(rows: pd.DataFrame, export: Export, file_year: int | None) -> pd.DataFrame:
    """Add COORDINATES to rows of values."""
    period, level, place, office = export.period, export.level, export.territory, export.structure
    nothing = [None] * len(rows)
    when = [
        _when(value, period.frequency) for value in (rows[period.field] if period.field else [file_year] * len(rows))
    ]
    written = rows[level.field] if level.field else nothing
    levels = [level.values.get(str(value), level.otherwise) for value in written]
    codes = [
        "FR" if at == "national" else _code(code, place.codes) if place else None
        for at, code in zip(levels, rows[place.field] if place else nothing, strict=True)
    ]
    offices = [
        None if code is None or at in ("national", "region") else " ".join(normalize("NFC", str(code)).split()) or None
        for at, code in zip(levels, rows[office.code] if office else nothing, strict=True)
    ]
    columns: dict[str, Any] = {
        "_annee": [year for year, _ in when], "_periode": [name for _, name in when], "_maille": levels,
        "_territoire": codes, "_structure": offices,
    }  # fmt: skip
    return rows.assign(**{name: pd.Series(found, index=rows.index, dtype="object") for name, found in columns.items()})


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


def _when(value: Any, frequency: Frequency) -> tuple[int, str]:
    if isinstance(value, datetime.date):
        return value.year, period_of(value, frequency)
    return int(value), f"{int(value):04d}"


def _code(written: Any, codes: str) -> str | None:
    if written is None:
        return None
    text = str(written).strip().upper()
    if codes != "pilote":
        return text.zfill(2)
    return "FR" if text == "FRANCE" else text[1:]
