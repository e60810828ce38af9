"""A night's record, ``work/nuits/<night>.json`` and ``.md``: what was to be done and why, then what came of it.

Begun by the look of the night, ended by whoever knows what became of its runs; no run is known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.flow.changes import Cell
from pipelines.flow.revisions import waiting
from pipelines.mechanics.files import sha256, write_whole
from pipelines.release import history
from pipelines.report.facts import network_year
from pipelines.report.night_text import NEW, SAME, night_text
from pipelines.report.terminal import NOT_RECEIVED, network_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipelines.declarations import Catalogue
    from pipelines.flow.changes import Look
    from pipelines.flow.store import Store
    from pipelines.report.facts import NetworkYearFacts

_LATEST = "derniere"  # beside the records: which of them was begun last


def begin_night(store: Store, catalogue: Catalogue, night: str, found: Look, now: datetime) -> dict[str, Any]:
    """Write what the look of ``night`` found; what it doesn't ask to run is over at once."""
    return _begin(store, night, now, {
        "reseaux": found.networks,
        "annees_de_reseau": found.network_years,
        "a_traiter": [
            {**cell.__dict__, "avant": _results_hash(store, cell.network, cell.year)} for cell in found.cells
        ],
        "ignores": [cell.__dict__ for cell in found.ignored],
        "versions_avant": _versions(store, catalogue),
    })  # fmt: skip


def failed_night(store: Store, night: str, cause: str, now: datetime) -> dict[str, Any]:
    """Write that the look itself failed: nothing was run, and what is published stays as it is."""
    nothing: dict[str, Any] = {
        "reseaux": 0, "annees_de_reseau": 0, "a_traiter": [], "ignores": [], "versions_avant": {},
    }  # fmt: skip
    return _begin(store, night, now, nothing | {"erreur": cause})


def night_record(store: Store, night: str) -> dict[str, Any] | None:
    """Return the record of a night, or None."""
    record: dict[str, Any] | None = store.load(_name(night))
    return record


def latest_night(store: Store) -> dict[str, Any] | None:
    """Return the record of the latest look, ended or not: the one that was named last, whatever any clock says."""
    named = store.load(_name(_LATEST))
    return night_record(store, named["nuit"]) if named else None


def cells_of(record: Mapping[str, Any]) -> list[Cell]:
    """Return the network-years that a night asks to run."""
    return [Cell(item["network"], item["year"], item["why"]) for item in record["a_traiter"]]


def end_night(
    store: Store,
    catalogue: Catalogue,
    record: dict[str, Any],
    errors: Mapping[tuple[str, int], str],
    national: str,
    now: datetime,
    *,
    undone: Mapping[tuple[str, int], str] | None = None,
    overtaken_by: str | None = None,
) -> str:
    """Complete the record of a night with what came of it, network by network; write and return it as Markdown.

    The record itself is for the caller to keep, once all is told: a night without an end is told again.

    ``errors``: network-years whose steps stopped on anything but a refusal, and why. ``national``: what became of the
    national tables and the release (French). ``undone``: network-years that no run took to their end, and what comes
    next (French). ``overtaken_by``: the night that began before this one was over.
    """
    for item in record["a_traiter"]:
        place = item["network"], item["year"]
        left = (undone or {}).get(place)
        known = network_year(store, *place)
        item["fait"] = left is None
        item["resultat"] = left or _outcome(store, catalogue, known, errors.get(place), item["avant"])
        item["detail"] = network_lines([known])[0] if known.network in catalogue.networks else []
    record |= {
        "national": national,
        "depassee_par": overtaken_by,
        "versions": _versions(store, catalogue),
        "terminee_le": now.isoformat(timespec="seconds"),
    }
    text = night_text(catalogue, record)
    path = store.file(_name(record["nuit"], ".md"))
    write_whole(path, text.encode())
    store.save_file(path)
    return text


def keep_night(store: Store, record: Mapping[str, Any]) -> None:
    """Write the record of a night as it is now."""
    _write(store, record["nuit"], record)


def _outcome(store: Store, catalogue: Catalogue, known: NetworkYearFacts, error: str | None, before: str | None) -> str:
    """Say in French what became of a network-year: what went wrong first, then whether its results changed."""
    network, year = known.network, known.year
    declared = catalogue.networks.get(network)
    kept = " ; ce qui avait été reçu auparavant reste publié" if known.received and known.failed else ""
    if error:
        return f"ERREUR : {error}{kept}"
    if declared is None:
        return "réseau inconnu du service en marche : recharger les définitions"
    if declared.closed(year) and (proposal := waiting(store, network, year)):
        return f"année close : révision {proposal.fingerprint[:12]} à accepter"
    if fault := _fault(known):
        return f"{fault}{kept}"
    return SAME if _results_hash(store, network, year) == before else NEW


def _fault(known: NetworkYearFacts) -> str:
    """Say why a network-year has no new results, or nothing when it has."""
    if known.failed or not known.received:
        return NOT_RECEIVED
    if not known.handed_over:
        return "rien n'a été transmis"
    if not known.judged:
        return "ERREUR : le contrôle n'a pas abouti"
    if not known.accepted:
        return "REJETÉ : voir la lettre"
    return f"ERREUR : calcul impossible de {', '.join(known.failures)}" if known.failures else ""


def _begin(store: Store, night: str, now: datetime, found: dict[str, Any]) -> dict[str, Any]:
    """Write the record of a night that begins, and only then that it is the latest."""
    record = {
        "nuit": night,
        "regardee_le": now.isoformat(timespec="seconds"),
        **found,
        "inachevees": _unfinished(store, night),
        "terminee_le": None,
    }
    keep_night(store, record)
    _write(store, _LATEST, {"nuit": night})
    return record


def _unfinished(store: Store, night: str) -> list[str]:
    """Name the nights before ``night`` that have no end yet: this one ends them, as incomplete."""
    before = latest_night(store)
    if before is None or before["terminee_le"]:
        return []
    names = (*before.get("inachevees", ()), before["nuit"])
    return [name for name in names if name != night]  # looked at again, it goes on


def _write(store: Store, name: str, content: Mapping[str, Any]) -> None:
    store.keep(_name(name), content)


def _name(night: str, suffix: str = ".json") -> str:
    return f"work/nuits/{night}{suffix}"


def _results_hash(store: Store, network: str, year: int) -> str | None:
    """Hash the published results of a network-year; None when there are none."""
    try:
        return sha256(store.network_year(network, year) / "results.parquet")
    except FileNotFoundError:
        return None


def _versions(store: Store, catalogue: Catalogue) -> dict[str, str | None]:
    """Return the latest release of each dataset."""
    return {name: next(reversed(history.versions(store.releases, name)), None) for name in catalogue.datasets}
