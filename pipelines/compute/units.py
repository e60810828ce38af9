"""From cells (finest period × territory × structure) to published units: which level, which territory, which period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pipelines.declarations import Frequency, Level
from pipelines.declarations.periods import last_day, period_of
from pipelines.declarations.references import Geography

UNIT = ["periode", "frequence", "maille", "territoire_code", "structure_code"]


class Cells:
    """The cells of a scan, each once (``keys``: those of a cell, then the name of its office), by period.

    Where they are published is the same for all the indicators of a scan: it is reckoned once.
    """

    def __init__(self, keys: pd.DataFrame) -> None:
        self.keys = keys
        self._units: dict[tuple[object, ...], pd.DataFrame] = {}

    def units(self, levels: Sequence[Level], frequencies: Sequence[Frequency], geography: Geography) -> pd.DataFrame:
        """Return a line per cell (``_cell``, its rank) and unit that it is a part of (``_unit``, in the order of UNIT).

        Beside them, the columns of the cell and of ``assign_units``, and the last day of the cell (date_reference).
        """
        asked = (*levels, *frequencies)
        if asked not in self._units:
            self._units[asked] = self._placed(levels, frequencies, geography)
        return self._units[asked]

    def _placed(self, levels: Sequence[Level], frequencies: Sequence[Frequency], geography: Geography) -> pd.DataFrame:
        keys = self.keys.astype("object").assign(_cell=np.arange(len(self.keys)))
        keys["date_reference"] = _mapped(keys["_periode"], last_day)
        placed = [assign_units(keys, level, frequency, geography) for level in levels for frequency in frequencies]
        found = pd.concat(placed, ignore_index=True)
        return found.assign(_unit=found.groupby(UNIT, dropna=False, sort=True).ngroup())


def assign_units(cells: pd.DataFrame, level: Level, frequency: Frequency, geography: Geography) -> pd.DataFrame:
    """Return ``cells`` with the columns of UNIT added; cells that have no unit at that level are dropped."""
    is_site, nowhere = level == "site", np.full(len(cells), None, dtype="object")
    found = cells.assign(
        periode=_mapped(cells["_periode"], lambda period: period_of(last_day(period), frequency)),
        frequence=pd.Series(frequency, index=cells.index, dtype="object"),
        maille=pd.Series(level, index=cells.index, dtype="object"),
        territoire_code=parents(cells["_territoire"], cells["_maille"], level, geography),
        structure_code=cells["_structure"].astype("object") if is_site else nowhere,
        structure=cells["_structure_nom"].astype("object") if is_site else nowhere,
    )
    return found[found["structure_code" if is_site else "territoire_code"].notna()]


def parents(territories: pd.Series[Any], levels: pd.Series[Any], level: Level, geography: Geography) -> pd.Series[Any]:
    """Return the code of the place of ``level`` that each territory, of its own level, is in; None for none."""
    places = list(zip(territories.tolist(), levels.tolist(), strict=True))
    codes = {
        (code, own): geography.parent(level, code if isinstance(code, str) else None, own) for code, own in set(places)
    }
    return pd.Series([codes[place] for place in places], index=territories.index, dtype="object")


def _mapped(periods: pd.Series[str], of: Callable[[str], object]) -> pd.Series[Any]:
    values = periods.tolist()
    each = {period: of(period) for period in set(values)}
    return pd.Series([each[period] for period in values], index=periods.index, dtype="object")


def reason_where(absent: ArrayLike, reason: ArrayLike) -> NDArray[np.object_]:
    """Return ``reason`` (one, or one per row) where a value is absent, None where there is one."""
    return np.where(absent, reason, np.array(None, dtype="object"))
