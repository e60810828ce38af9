"""From cells (finest period × territory × structure) to published units: which level, which territory, which period."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.declarations.periods import last_day, period_of

if TYPE_CHECKING:
    from pipelines.declarations import Frequency, Level, Territories
    from pipelines.declarations.references import Territory

UNIT = ["periode", "frequence", "maille", "territoire_code", "structure_code"]


class Geography:
    """The reference list of territories, asked for parents and for what a level is made of.

    Places are as in the latest year of the list: what a year is made of is asked of ``territories.of_year(year)``.
    """

    def __init__(self, territories: Territories) -> None:
        places = sorted(territories.territories, key=lambda place: place.since or 0)
        departements = [place for place in places if place.level == "departement"]
        self._region = {place.code: place.region for place in departements if place.region}
        self._states: dict[str, list[Territory]] = {}
        for place in departements:
            self._states.setdefault(place.code, []).append(place)
        self._names: dict[tuple[str, str], str] = {(place.level, place.code): place.name for place in places}

    def names(self, levels: pd.Series[str], codes: pd.Series[str]) -> pd.Series[str]:
        """Return the name of each territory, in the rows of ``levels``; none for an unknown one."""
        found = [self._names.get(place) for place in zip(levels, codes, strict=True)]
        return pd.Series(found, index=levels.index)

    def region(self, departement: str | None, year: int | None = None) -> str | None:
        """Return the région of a département (in a year, else the latest); overseas collectivities have none."""
        if year is not None:
            states = self._states.get(departement or "", [])
            return next((place.region for place in states if place.existed(year)), None)
        return self._region.get(departement) if departement else None

    def parts_of(self, level: Level, code: str, parts: Level) -> frozenset[str]:
        """Return the codes of the ``parts`` (départements or régions) that the territory is made of."""
        if parts == "region":
            return frozenset(self._region.values())
        return frozenset(part for part, region in self._region.items() if level == "national" or region == code)

    def parent(self, level: Level, territory: str | None, below: Level = "departement") -> str | None:
        """Return the code, at ``level``, of the territory that holds ``territory``, a place of the level ``below``."""
        if level == "national":
            return "FR"
        return self.region(territory) if level == "region" and below != "region" else territory


def assign_units(cells: pd.DataFrame, level: Level, frequency: Frequency, geography: Geography) -> pd.DataFrame:
    """Return ``cells`` with the columns of UNIT added; cells that have no unit at that level are dropped."""
    periods = {period: period_of(last_day(period), frequency) for period in cells["_periode"].unique()}
    places = zip(cells["_territoire"], cells["_maille"], strict=True)
    codes = [geography.parent(level, _text(code), below) for code, below in places]
    nowhere = pd.Series(None, index=cells.index, dtype="object")
    found = cells.assign(
        periode=cells["_periode"].map(periods),
        frequence=frequency,
        maille=level,
        territoire_code=pd.Series(codes, index=cells.index, dtype="object"),
        structure_code=cells["_structure"].astype("object") if level == "site" else nowhere,
        structure=cells["_structure_nom"].astype("object") if level == "site" else nowhere,
    )
    needed = "structure_code" if level == "site" else "territoire_code"
    return found[found[needed].notna()]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
