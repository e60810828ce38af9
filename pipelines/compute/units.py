"""From cells (finest period × territory × structure) to published units: which level, which territory, which period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipelines.declarations.periods import last_day, period_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipelines.declarations import Frequency, Level
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
    places = list(zip(cells["_territoire"].tolist(), cells["_maille"].tolist(), strict=True))
    parents = {place: geography.parent(level, _text(place[0]), place[1]) for place in set(places)}
    is_site, nowhere = level == "site", np.full(len(cells), None, dtype="object")
    added = {
        "periode": _mapped(cells["_periode"], lambda period: period_of(last_day(period), frequency)),
        "frequence": _everywhere(frequency, cells),
        "maille": _everywhere(level, cells),
        "territoire_code": pd.Series([parents[place] for place in places], index=cells.index, dtype="object"),
        "structure_code": cells["_structure"].astype("object") if is_site else nowhere,
        "structure": cells["_structure_nom"].astype("object") if is_site else nowhere,
    }
    found = cells.assign(**added)
    return found[found["structure_code" if is_site else "territoire_code"].notna()]


def _mapped(periods: pd.Series[str], of: Callable[[str], object]) -> pd.Series[Any]:
    """Return what each period gives, reckoned once for each."""
    held = periods.tolist()
    told = {period: of(period) for period in set(held)}
    return pd.Series([told[period] for period in held], index=periods.index, dtype="object")


def _everywhere(value: str, cells: pd.DataFrame) -> pd.Series[Any]:
    return pd.Series(value, index=cells.index, dtype="object")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
