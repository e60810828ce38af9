"""The declared calendar held against what was received: which files are late, and by how many days. No clock here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime

    from pipelines.declarations import Catalogue

# After so many days a late network is told (again): the day after, a week, a month, a quarter. Then it is left alone.
STEPS = (1, 7, 30, 90)


@dataclass(frozen=True)
class LateFiles:
    """The exports of a network that are still missing ``days`` days after they were due; ``files`` as declared."""

    network: str
    year: int
    exports: tuple[str, ...]
    files: tuple[str, ...]
    due: datetime.date
    days: int

    @property
    def step(self) -> int:
        """The last of STEPS that is passed: a lateness is told once for each."""
        return max(step for step in STEPS if step <= self.days)


def late_files(
    catalogue: Catalogue, missing: Callable[[str, int], Collection[str] | None], today: datetime.date
) -> list[LateFiles]:
    """Return what is late on ``today``, the latest first.

    ``missing`` gives the exports of a network and year that were looked for and not found, or None when nobody has
    looked yet: that isn't late.
    """
    found = []
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            due = declared.due_on(year)
            if due is None or today <= due:
                continue
            owed = {item.id: layout for item in declared.exports if (layout := item.layout(year)) is not None}
            absent = [name for name in owed if name in (missing(network, year) or ())]
            if absent:
                files = tuple(owed[name].path.replace("{year}", str(year)) for name in absent)
                found.append(LateFiles(network, year, tuple(absent), files, due, (today - due).days))
    return sorted(found, key=lambda late: (late.days, late.network))
