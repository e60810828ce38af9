"""What is published, refused or missing by network and year, in words: the matrix of the home page."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.declarations.statuses import Status
from pipelines.mechanics.french import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.portal.release_data import Reading

LATE, AWAITED = "en retard", "attendu"
WORDS = {
    AWAITED: "le fichier n'est pas encore dû : son échéance vient après la date à laquelle les données s'arrêtent",
    LATE: "le fichier était dû avant la date à laquelle les données s'arrêtent, et n'a pas été transmis",
}
"""What is said, in the matrix alone, of a file that has a due day and didn't come."""


@dataclass(frozen=True)
class Matrix:
    """Years, and one row of cells for each network that something was expected of."""

    years: list[int]
    rows: list[tuple[str, list[str]]]


def matrix(reading: Reading, last: int = 100) -> Matrix:
    """Return the matrix of the ``last`` years, from ``couverture``; empty when the release hasn't that table."""
    states, waited = defaultdict[tuple[str, int], list[str]](list), _waited(reading)
    for row in reading.rows("couverture"):
        states[row["reseau"], row["annee"]].append(_reason(row, waited) if row["etat"] == "absent" else "")
    years = sorted({year for _, year in states})[-last:]
    networks = [code for code in reading.networks if any(network == code for network, _ in states)]
    return Matrix(years, [(code, [_cell(states.get((code, year), [])) for year in years]) for code in networks])


def _waited(reading: Reading) -> dict[tuple[str, int, str], str]:
    """Return the files that have a due day and didn't come, by network, year and export: awaited, or late."""
    until = reading.date or ""
    return {
        (row["reseau"], row["annee"], row["export"]): LATE if row["echeance"].isoformat() < until else AWAITED
        for row in reading.rows("receptions")
        if row["etat"] == Status.NOT_HANDED_OVER and row["echeance"] and until
    }


def _reason(row: Mapping[str, Any], waited: Mapping[tuple[str, int, str], str]) -> str:
    """Return why an indicator is absent: of a file that has a due day and didn't come, that it is late or awaited."""
    reason = str(row["motif_absence"])
    if reason != Status.NOT_HANDED_OVER:
        return reason
    exports = (export.strip() for export in row["exports"].split(","))
    found = {waited.get((row["reseau"], row["annee"], export), "") for export in exports}
    return next((word for word in (LATE, AWAITED) if word in found), reason)


def _cell(reasons: list[str]) -> str:
    if not reasons:
        return "non attendu"
    missing = sorted({reason for reason in reasons if reason})
    count = sum(not reason for reason in reasons)
    if not missing:
        return "publié"
    return f"{count} sur {len(reasons)} ({listed(missing)})" if count else listed(missing)


def late(reading: Reading) -> list[str]:
    """Name the files that were due before the data of the release stop and had not come, in sentences."""
    until = reading.date or ""
    return [
        f"{reading.networks[row['reseau']].title}, {row['titre']} {row['annee']} : attendu le "
        f"{row['echeance']:%d/%m/%Y}, {Status.NOT_HANDED_OVER.value}"
        for row in reading.rows("receptions")
        if row["etat"] == Status.NOT_HANDED_OVER and row["echeance"] and row["echeance"].isoformat() < until
    ]
