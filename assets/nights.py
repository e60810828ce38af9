"""A night's record, ``work/nuits/<night>.json`` and ``.md``: what was to be done and why, then what came of it.

The record is written by the look, and ended by a sensor (``concluding``); nothing here starts a run.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from assets.night_texts import FINE, whole
from assets.summary import network_lines
from pipelines.declarations import Catalogue
from pipelines.flow.changes import Cell, Look
from pipelines.flow.compute import failures_of
from pipelines.flow.receive import last_reception
from pipelines.flow.revisions import waiting
from pipelines.flow.store import Store, read_json, write_json
from pipelines.mechanics.files import sha256, write_whole
from pipelines.release import history

UNTOUCHED = " ; ce qui avait été reçu auparavant reste publié"
NIGHT_TAG = "resultats/nuit"
_LATEST = "derniere"  # beside the records: which of them was begun last


def begin_night(store: Store, catalogue: Catalogue, night: str, found: Look, now: datetime) -> dict[str, Any]:
    """Write what the look of ``night`` found; what it doesn't ask to run is over at once."""
    record = {
        "nuit": night,
        "regardee_le": now.isoformat(timespec="seconds"),
        "reseaux": found.networks,
        "annees_de_reseau": found.network_years,
        "a_traiter": [
            {**cell.__dict__, "avant": _results_hash(store, cell.network, cell.year)} for cell in found.cells
        ],
        "ignores": [cell.__dict__ for cell in found.ignored],
        "versions_avant": _versions(store, catalogue),
        "inachevees": _unfinished(store, night),
        "terminee_le": None,
    }
    _keep_latest(store, record)
    return record


def failed_night(store: Store, night: str, cause: str, now: datetime) -> dict[str, Any]:
    """Write that the look itself failed: nothing was run, and what is published stays as it is."""
    moment = now.isoformat(timespec="seconds")
    record = {"nuit": night, "regardee_le": moment, "reseaux": 0, "annees_de_reseau": 0, "a_traiter": [], "ignores": [],
              "versions_avant": {}, "inachevees": _unfinished(store, night), "terminee_le": None,
              "erreur": cause}  # fmt: skip
    _keep_latest(store, record)
    return record


def night_record(store: Store, night: str) -> dict[str, Any] | None:
    """Return the record of a night, or None."""
    found: dict[str, Any] | None = read_json(_place(store, night))
    return found


def latest_night(store: Store) -> dict[str, Any] | None:
    """Return the record of the latest look, ended or not: the one that was named last, whatever any clock says."""
    named = read_json(_place(store, _LATEST))
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
        network, year = item["network"], item["year"]
        left = (undone or {}).get((network, year))
        item["fait"] = left is None
        item["resultat"] = left or _outcome(store, catalogue, network, year, item["avant"], errors.get((network, year)))
        item["detail"] = network_lines(store, network, [year])[0] if network in catalogue.networks else []
    record["national"] = national
    record["depassee_par"] = overtaken_by
    record["versions"] = _versions(store, catalogue)
    record["terminee_le"] = now.isoformat(timespec="seconds")
    text = whole(catalogue, record)
    told = _place(store, record["nuit"], ".md")
    write_whole(told, text.encode())
    store.save_file(told)
    return text


def _outcome(store: Store, catalogue: Catalogue, network: str, year: int, before: str | None, error: str | None) -> str:
    """Say in French what became of a network-year: what went wrong first, then whether its results changed."""
    declared = catalogue.networks.get(network)
    if error:
        received = last_reception(store, network, year) if declared else None
        return f"ERREUR : {error}" + (UNTOUCHED if received and received.get("failed") else "")
    if declared is None:
        return "réseau inconnu du service en marche : recharger les définitions"
    if declared.closed(year) and (proposal := waiting(store, network, year)):
        return f"année close : révision {proposal.fingerprint[:12]} à accepter"
    if fault := _fault(store, network, year):
        return fault
    if failed := failures_of(store, network, year):
        return f"ERREUR : calcul impossible de {', '.join(failed)}"
    return FINE[_results_hash(store, network, year) == before]


def _fault(store: Store, network: str, year: int) -> str:
    """Say why a network-year has no new results, or nothing when it has."""
    reception = last_reception(store, network, year)
    report = read_json(store.network_year(network, year) / "report.json")
    if not reception or reception.get("failed"):
        return "ERREUR : les fichiers n'ont pas pu être reçus" + (UNTOUCHED if reception else "")
    if not any(reception["exports"].values()):
        return "rien n'a été transmis"
    if not report or report["reception"] != reception["fingerprint"]:
        return "ERREUR : le contrôle n'a pas abouti"
    accepted = any(receipt["etat"] == "accepté" for receipt in report["exports"].values())
    return "" if accepted else "REJETÉ : voir la lettre"


def _place(store: Store, night: str, suffix: str = ".json") -> Path:
    return store.file(f"work/nuits/{night}{suffix}")


def _unfinished(store: Store, night: str) -> list[str]:
    """Name the nights before ``night`` that have no end yet: this one ends them, as incomplete."""
    before = latest_night(store)
    if before is None or before["terminee_le"]:
        return []
    names = (*before.get("inachevees", ()), before["nuit"])
    return [name for name in names if name != night]  # looked at again, it goes on


def _keep_latest(store: Store, record: Mapping[str, Any]) -> None:
    """Write the record of a night that begins, and only then that it is the latest."""
    keep_night(store, record)
    place = _place(store, _LATEST)
    write_json(place, {"nuit": record["nuit"]})
    store.save_file(place)


def keep_night(store: Store, record: Mapping[str, Any]) -> None:
    """Write the record of a night as it is now."""
    place = _place(store, record["nuit"])
    write_json(place, record)
    store.save_file(place)


def _results_hash(store: Store, network: str, year: int) -> str | None:
    """Hash the published results of a network-year; None when there are none."""
    try:
        return sha256(store.network_year(network, year) / "results.parquet")
    except FileNotFoundError:
        return None


def _versions(store: Store, catalogue: Catalogue) -> dict[str, str | None]:
    """Return the latest release of each dataset."""
    return {name: next(reversed(history.versions(store.releases, name)), None) for name in catalogue.datasets}
