"""``resultats status``: what is published and where, what is late, refused, or waits for someone. Read from the output.

Nothing is asked of any target: what was published there is what the last publication wrote down.
"""

import datetime
import json
from pathlib import Path
from typing import Any

from assets.findings import lateness
from assets.summary import to_check
from assets.waiting import waiting_plans
from pipelines.declarations import Catalogue
from pipelines.flow.exports_folder import noted_folder
from pipelines.flow.receive import last_reception
from pipelines.flow.shared_store import open_store
from pipelines.flow.store import Store, read_json
from pipelines.read.sources import without_secrets
from pipelines.release import history
from pipelines.targets.acceptance import accepted
from pipelines.targets.rooms import Rooms


class NothingHereError(Exception):
    """Nothing was ever treated in an output; the French text says what to do."""


def standing(
    catalogue: Catalogue, output: str | Path, today: datetime.date | None = None, letters: str = ""
) -> dict[str, Any]:
    """Return where things stand on ``today`` (default: this day), as plain data with French names.

    ``output`` is a folder or an fsspec URL, ``letters`` the URL of the letters if they have one; raises RootError when
    the protocol of ``output`` is unknown here, NothingHereError when nothing was ever treated there.
    """
    today = today or datetime.datetime.now().astimezone().date()
    store = open_store(str(output), letters)
    if not store.begun():
        raise NothingHereError(
            f"rien n'a jamais été traité dans {without_secrets(str(output))} : lancer « resultats run », "
            "ou indiquer --output"
        )
    store.bring((network, year) for network, declared in catalogue.networks.items() for year in declared.years)
    return {
        "date": today.isoformat(),
        "sortie": str(output) if "://" in str(output) else str(Path(output).absolute()),
        "jeux_de_donnees": [_dataset(catalogue, store, dataset) for dataset in catalogue.datasets],
        "retards": [
            {"reseau": late.network, "annee": late.year, "attendu_le": late.due.isoformat(), "jours": late.days,
             "fichiers": list(late.files)}
            for late in lateness(catalogue, store, today)
        ],
        "refuses": _refused(catalogue, store),
        "receptions_en_echec": _not_received(catalogue, store),
        "en_attente": _waiting(store),
        "a_verifier": _to_check(catalogue, store),
        "dossier_d_exports": noted_folder(store),
    }  # fmt: skip


def _dataset(catalogue: Catalogue, store: Store, dataset: str) -> dict[str, Any]:
    versions = history.versions(store.releases, dataset)
    latest = versions[-1] if versions else None
    made = _made_on(store, dataset, latest) if latest else None
    return {
        "id": dataset,
        "titre": catalogue.datasets[dataset].title,
        "version": latest,
        "faite_le": made,
        "versions": len(versions),
        "cibles": _targets(store, dataset, latest),
    }


def _made_on(store: Store, dataset: str, version: str) -> str:
    moment = datetime.datetime.fromtimestamp(store.made_at(dataset, version), datetime.UTC)
    return moment.isoformat(timespec="seconds")


def _targets(store: Store, dataset: str, latest: str | None) -> list[dict[str, Any]]:
    """Return where the dataset is: the local catalogue, and each target whose state was kept in ``targets/``."""
    found = []
    if local := read_json(store.catalogue / dataset / "dataset.json"):
        page = store.address(store.catalogue / dataset / "index.html")
        found.append(_target("catalogue local", page, local.get("version"), latest))
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


def _refused(catalogue: Catalogue, store: Store) -> list[dict[str, Any]]:
    found = []
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            folder = store.network_year(network, year)
            report = read_json(folder / "report.json") or {"exports": {}}
            for export, receipt in report["exports"].items():
                if receipt["etat"] == "rejeté":
                    letter = folder / f"{export}-lettre.html"
                    found.append({
                        "reseau": network, "annee": year, "export": export, "explication": receipt["explication"],
                        "lettre": store.letter(letter) if letter.exists() else None,
                    })  # fmt: skip
    return found


def _to_check(catalogue: Catalogue, store: Store) -> list[dict[str, Any]]:
    """Return what the data team is asked to look at in exports that were accepted."""
    found = []
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            reception = last_reception(store, network, year)
            report = read_json(store.network_year(network, year) / "report.json")
            lines = to_check(report, reception) if reception else []
            found += [{"reseau": network, "annee": year, "message": line} for line in lines]
    return found


def _not_received(catalogue: Catalogue, store: Store) -> list[dict[str, Any]]:
    """Return the network-years whose last reception failed, and whether what was received before is still published."""
    return [
        {"reseau": network, "annee": year, "resultats_gardes": last_reception(store, network, year) is not None}
        for network, declared in catalogue.networks.items()
        for year in declared.years
        if (read_json(store.network_year(network, year) / "reception.json") or {}).get("failed")
    ]


def _waiting(store: Store) -> list[dict[str, Any]]:
    """Return the plans of publication and the revisions of closed years that nobody accepted yet."""
    acceptances = Rooms(store.room("acceptances").parent).acceptances
    found: list[dict[str, Any]] = [
        {"genre": "publication", "cible": plan["target"], "empreinte": plan["hash"]}
        for plan in waiting_plans(store)
        if plan.get("blocked") and accepted(acceptances, plan["hash"]) is None
    ]
    for path in sorted(store.bring_rooms("work/revisions", "revision.json").glob("*/[0-9]*/revision.json")):
        held = read_json(path)
        if isinstance(held, dict) and held.get("accepted") is False:
            found.append({
                "genre": "révision", "reseau": path.parts[-3], "annee": int(path.parts[-2]),
                "empreinte": held.get("fingerprint"), "depuis": held.get("proposed_at"),
                "differences": held.get("differences"),
            })  # fmt: skip
    return found
