"""Territory codes as files write them (1, 01, 2a, D2A, R84, FRANCE) to the codes of the reference list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.declarations import Level, Territories
    from pipelines.declarations.network import TerritoryCodes
    from pipelines.declarations.references import Territory

_PILOTE = re.compile(r"([DR])(\d{2,3}|2[AB])")


class Gazetteer:
    """Looks codes up in the declared territories."""

    def __init__(self, territories: Territories) -> None:
        self._known: dict[tuple[str, str], list[Territory]] = {}
        for place in territories.territories:
            self._known.setdefault((place.level, place.code), []).append(place)

    def find(self, text: str, codes: TerritoryCodes, year: int | None) -> tuple[Level, str] | None:
        """Return (level, code) of a written code, or None if it names no territory known in that reference year."""
        written = text.strip().upper()
        found = self._pilote(written) if codes == "pilote" else (codes, written.zfill(2))
        states = self._known.get(found, []) if found else []
        return found if any(year is None or place.existed(year) for place in states) else None

    @staticmethod
    def _pilote(written: str) -> tuple[Level, str] | None:
        if written == "FRANCE":
            return "national", "FR"
        match = _PILOTE.fullmatch(written)
        if not match:
            return None
        return ("departement" if match[1] == "D" else "region"), match[2]
