"""``resultats status``: what is published and where, what is late, refused, or waits for someone. Read from the output.

Nothing is asked of any target: what was published there is what the last publication wrote down.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.declarations.status import Status
from pipelines.flow.exports_folder import noted_folder
from pipelines.flow.revisions import waiting_revisions
from pipelines.flow.shared_store import open_store
from pipelines.flow.waiting_plans import waiting_plans
from pipelines.read.sources import without_secrets
from pipelines.release import history
from pipelines.report.facts import NetworkYearFacts, lateness, network_years, shown_version
from pipelines.targets.acceptance import accepted
from pipelines.targets.rooms import Rooms

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue
    from pipelines.flow.store import Store


class NothingHereError(Exception):
    """Nothing was ever treated in an output; the French text says what to do."""


def status(catalogue: Catalogue, output: str | Path, today: datetime.date, letters: str = "") -> dict[str, Any]:
    """Return where things stand on ``today``, as plain data with French names.

    ``output`` is a folder or an fsspec URL, ``letters`` the URL of the letters if they have one; raises RootError when
    the protocol of ``output`` is unknown here, NothingHereError when nothing was ever treated there.
    """
    store = open_store(str(output), letters)
    if not store.begun():
        raise NothingHereError(
            f"rien n'a jamais été traité dans {without_secrets(str(output))} : lancer « resultats run », "
            "ou indiquer --output"
        )
    store.bring((network, year) for network, declared in catalogue.networks.items() for year in declared.years)
    known = network_years(store, catalogue)
    return {
        "date": today.isoformat(),
        "sortie": str(output) if "://" in str(output) else str(Path(output).absolute()),
        "jeux_de_donnees": [_dataset(catalogue, store, dataset) for dataset in catalogue.datasets],
        "retards": [
            {
                "reseau": late.network,
                "annee": late.year,
                "attendu_le": late.due.isoformat(),
                "jours": late.days,
                "fichiers": list(late.files),
            }
            for late in lateness(catalogue, known, today)
        ],
        "refuses": [
            _of(year) | {"export": export.name, "explication": export.explanation, "lettre": export.letter}
            for year in known
            for export in year.exports
            if export.state is Status.REFUSED
        ],
        "receptions_en_echec": [_of(year) | {"resultats_gardes": year.received} for year in known if year.failed],
        "en_attente": [*_waiting_plans(store), *_waiting_revisions(store)],
        "a_verifier": [_of(year) | {"message": line} for year in known for line in year.to_check],
        "dossier_d_exports": noted_folder(store),
    }


def _of(known: NetworkYearFacts) -> dict[str, Any]:
    return {"reseau": known.network, "annee": known.year}


def _dataset(catalogue: Catalogue, store: Store, dataset: str) -> dict[str, Any]:
    versions = history.versions(store.releases, dataset)
    latest = versions[-1] if versions else None
    return {
        "id": dataset,
        "titre": catalogue.datasets[dataset].title,
        "version": latest,
        "faite_le": _made_on(store, dataset, latest) if latest else None,
        "versions": len(versions),
        "cibles": _targets(store, dataset, latest),
    }


def _made_on(store: Store, dataset: str, version: str) -> str:
    moment = datetime.datetime.fromtimestamp(store.made_at(dataset, version), datetime.UTC)
    return moment.isoformat(timespec="seconds")


def _targets(store: Store, dataset: str, latest: str | None) -> list[dict[str, Any]]:
    """Return where the dataset is: the local catalogue, and each target whose state was kept in ``targets/``."""
    found = []
    if (store.catalogue / dataset / "dataset.json").exists():
        page = store.address(store.catalogue / dataset / "index.html")
        found.append(_target("catalogue local", page, shown_version(store, dataset), latest))
    for path in sorted(store.room("targets").glob("*.json")):
        held = _held(path, dataset)
        if held is not None:
            found.append(_target(path.stem, held.get("page") or held.get("id"), held.get("version"), latest))
    return found


def _held(path: Path, dataset: str) -> dict[str, Any] | None:
    """Return what the file of a target says of a dataset; a damaged or unknown file says nothing."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))["datasets"][dataset]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return held if isinstance(held, dict) else None


def _target(name: str, page: str | None, version: str | None, latest: str | None) -> dict[str, Any]:
    return {"cible": name, "page": page, "version": version, "a_jour": None if version is None else version == latest}


def _waiting_plans(store: Store) -> list[dict[str, Any]]:
    """Return the plans of publication that nobody accepted yet."""
    acceptances = Rooms(store.room("acceptances").parent).acceptances
    return [
        {"genre": "publication", "cible": plan["target"], "empreinte": plan["hash"]}
        for plan in waiting_plans(store)
        if plan.get("blocked") and accepted(acceptances, plan["hash"]) is None
    ]


def _waiting_revisions(store: Store) -> list[dict[str, Any]]:
    """Return the revisions of closed years that nobody accepted yet."""
    return [
        {
            "genre": "révision",
            "reseau": item.network,
            "annee": item.year,
            "empreinte": item.fingerprint,
            "depuis": item.proposed_at,
            "differences": item.differences,
        }
        for item in waiting_revisions(store)
    ]
