"""The reference list of territories, asked for names, parents and parts. How results are placed is in compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.declarations.references import Territories, Territory
    from pipelines.declarations.strict_model import Level


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

    def name(self, level: Level, code: str | None) -> str | None:
        """Return the name of a territory; an office stands in a département; none for an unknown one."""
        return self._names.get(("departement" if level == "site" else level, code or ""))

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
