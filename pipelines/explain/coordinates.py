"""Where and when a row is: period, level, territory, office, read again from its values.

Only accepted rows come here, so that their codes are known ones.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import pandas as pd

from pipelines.declarations.periods import period_of

if TYPE_CHECKING:
    from pipelines.declarations import Export, Frequency

COORDINATES = ("_annee", "_periode", "_maille", "_territoire", "_structure")


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
