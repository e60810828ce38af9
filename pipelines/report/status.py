"""``resultats status``: what is published and where, what is late, refused, or waits for someone. Read from the output.

Nothing is asked of any target: what was published there is what the last publication wrote down.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.declarations import Catalogue
from pipelines.declarations.statuses import Status
from pipelines.flow.exports_folder import folder_lines, noted_folder
from pipelines.flow.revisions import waiting_revisions
from pipelines.flow.state import NetworkYear
from pipelines.flow.store import Store
from pipelines.flow.voice_facts import (
    foreign_voices_sentence,
    signals_made,
    unknown_services_sentence,
    unmet_notes,
    why_not_made,
)
from pipelines.flow.waiting_plans import waiting_plans
from pipelines.mechanics.french import counted, listed
from pipelines.release import history
from pipelines.report.facts import data_page, known_years, late_files, letter_of, to_check
from pipelines.targets.protocol import Rooms
from pipelines.targets.publication import accepted


@dataclass(frozen=True)
class _TargetRecord:
    datasets: dict[str, dict[str, Any]]


def status(catalogue: Catalogue, output: str | Path, today: datetime.date, letters: str = "") -> dict[str, Any]:
    """Return where things stand on ``today``, as plain data with French names.

    ``output`` is a folder or an fsspec URL, ``letters`` the URL of the letters if they have one; raises RootError when
    the protocol of ``output`` is unknown here, or when nothing was ever treated there.
    """
    store = Store(str(output), letters)
    store.must_have_begun()
    years = known_years(store, catalogue)
    return {
        "date": today.isoformat(),
        "sortie": str(output) if "://" in str(output) else str(Path(output).absolute()),
        "jeux_de_donnees": [_dataset(catalogue, store, dataset) for dataset in catalogue.datasets],
        "retards": [
            {
                "reseau": late.network,
                "annee": late.year,
                "attendu_le": f"{late.due:%Y-%m-%d}",
                "jours": late.days,
                "fichiers": list(late.files),
            }
            for late in late_files(catalogue, years, today)
        ],
        "refuses": [
            _of(network_year)
            | {"export": name, "explication": verdict.explanation, "lettre": letter_of(store, network_year, name)}
            for network_year in years
            for name, verdict in network_year.current.items()
            if verdict.status == Status.REFUSED
        ],
        "receptions_en_echec": [
            _of(network_year) | {"resultats_gardes": network_year.reception is not None}
            for network_year in years
            if network_year.reception_failed
        ],
        "en_attente": [*_waiting_plans(store), *_waiting_revisions(store)],
        "a_verifier": [
            _of(network_year) | {"message": line} for network_year in years for line in to_check(network_year)
        ],
        "chiffres_conserves": [
            {
                "reseau": notice.network,
                "annee": notice.year,
                "indicateurs": list(notice.indicators),
                "version": notice.version,
                "message": notice.why,
            }
            for notice in store.tables_made().kept
        ],
        "voix_des_usagers": _voices(catalogue, store),
        "dossier_d_exports": noted_folder(store),
    }


def _voices(catalogue: Catalogue, store: Store) -> dict[str, Any] | None:
    """Return what signals were last made, None before there were any and when nothing prevents them."""
    signals, why = signals_made(store), why_not_made(catalogue)
    if signals is None and why is None:
        return None
    return {
        "bilan": signals.sentence if signals else "aucun signal fait",
        "arret": why,
        "notes_sans_signal": unmet_notes(catalogue, signals) if signals else [],
        "services_non_declares": unknown_services_sentence(store),
        "autres_langues": foreign_voices_sentence(store),
    }


def _of(network_year: NetworkYear) -> dict[str, Any]:
    return {"reseau": network_year.network, "annee": network_year.year}


def _dataset(catalogue: Catalogue, store: Store, dataset: str) -> dict[str, Any]:
    versions = history.versions(store.releases, dataset)
    latest = versions[-1] if versions else None
    made_at = datetime.datetime.fromtimestamp(store.made_at(dataset, latest), datetime.UTC) if latest else None
    return {
        "id": dataset,
        "titre": catalogue.datasets[dataset].title,
        "version": latest,
        "faite_le": made_at.isoformat(timespec="seconds") if made_at else None,
        "versions": len(versions),
        "cibles": _targets(catalogue, store, dataset, latest),
    }


def _targets(catalogue: Catalogue, store: Store, dataset: str, latest: str | None) -> list[dict[str, Any]]:
    """Return where the dataset is: the local catalogue, and each target whose state was kept in ``targets/``."""
    targets = []
    if shown := store.published(dataset):
        page = store.address(data_page(catalogue, store, dataset))
        targets.append(_target("catalogue local", page, shown.get("version"), latest))
    for name, record in store.records("targets", _TargetRecord).items():  # a damaged or unknown file says nothing
        last = record.datasets.get(dataset) if record else None
        if last is not None:
            targets.append(_target(name, last.get("page") or last.get("id"), last.get("version"), latest))
    return targets


def _target(name: str, page: str | None, version: str | None, latest: str | None) -> dict[str, Any]:
    return {"cible": name, "page": page, "version": version, "a_jour": None if version is None else version == latest}


def _waiting_plans(store: Store) -> list[dict[str, Any]]:
    acceptances = Rooms(store.room("acceptances").parent).acceptances
    return [
        {"genre": "publication", "cible": plan["target"], "empreinte": plan["hash"]}
        for plan in waiting_plans(store)
        if plan.get("blocked") and accepted(acceptances, plan["hash"]) is None
    ]


def _waiting_revisions(store: Store) -> list[dict[str, Any]]:
    return [
        {
            "genre": "révision",
            "reseau": revision.network,
            "annee": revision.year,
            "empreinte": revision.fingerprint,
            "depuis": revision.proposed_at,
            "differences": revision.differences,
        }
        for revision in waiting_revisions(store)
    ]


SHOWN = 5  # lines of each kind that a terminal is shown: status fits a screen; all are in the JSON


def status_lines(state: dict[str, Any]) -> Iterator[str]:
    """Yield whether anything is to be done, then where things stand (see ``status``), titles before what they hold."""
    yield _to_do(state)
    for dataset in state["jeux_de_donnees"]:
        yield from _dataset_lines(dataset)
    if voices := state["voix_des_usagers"]:
        yield f"Voix des usagers : {voices['bilan']}"
        if voices["arret"]:
            yield f"  {voices['arret']}"
        yield from (f"  note sans signal : {line}" for line in voices["notes_sans_signal"])
        yield from (f"  {line}" for line in (voices["services_non_declares"], voices["autres_langues"]) if line)
    sections = {
        "En retard": [
            f"{entry['reseau']}, {entry['annee']} : attendu le {_day(entry['attendu_le'])}, {entry['jours']} jours, "
            f"{', '.join(entry['fichiers'])}"
            for entry in state["retards"]
        ],
        "Refusés": [
            f"{entry['reseau']}, {entry['annee']}, {entry['export']} : {entry['explication']}  {entry['lettre'] or ''}"
            for entry in state["refuses"]
        ],
        "Réceptions en échec": [
            f"{entry['reseau']}, {entry['annee']} : "
            + ("ce qui avait été reçu reste publié" if entry["resultats_gardes"] else "rien n'a encore été reçu")
            for entry in state["receptions_en_echec"]
        ],
        "En attente d'un accord": [_waiting_line(entry) for entry in state["en_attente"]],
        "À vérifier": [f"{entry['reseau']}, {entry['annee']}, {entry['message']}" for entry in state["a_verifier"]],
        "Chiffres conservés": [
            f"{entry['reseau']}, {entry['annee']} : {entry['message']}" for entry in state["chiffres_conserves"]
        ],
        "Dossier d'exports, à regarder": list(folder_lines(state["dossier_d_exports"])),
    }
    for title, lines in sections.items():
        if lines:
            yield f"{title} : {len(lines)}"
        yield from (f"  {line}" for line in lines[:SHOWN])
        if len(lines) > SHOWN:
            yield f"  et {counted(len(lines) - SHOWN, 'autre')} (resultats status --json les donne)"


def _to_do(state: dict[str, Any]) -> str:
    """Say what waits for somebody, counted, or that nothing does (French)."""
    late = sum(len(entry["fichiers"]) for entry in state["retards"])
    counts = [
        (late, "fichier à réclamer", "fichiers à réclamer"),
        (len(state["refuses"]), "export refusé", ""),
        (len(state["receptions_en_echec"]), "réception en échec", "réceptions en échec"),
        (len(state["en_attente"]), "accord à donner", "accords à donner"),
        (len(state["a_verifier"]), "point à vérifier", "points à vérifier"),
    ]
    waiting = [counted(count, *words) for count, *words in counts if count]
    return f"À faire : {listed(waiting)}." if waiting else "Rien à faire."


def _dataset_lines(dataset: dict[str, Any]) -> Iterator[str]:
    words = f"version {dataset['version']} du {_day(dataset['faite_le'])}" if dataset["version"] else "aucune version"
    yield f"{dataset['titre']} ({dataset['id']}) : {words}"
    for target in dataset["cibles"]:
        version = target["version"] or "version non notée"
        fresh = {True: ", à jour", False: ", en retard d'une version ou plus", None: ""}[target["a_jour"]]
        yield f"  {target['cible']} : {version}{fresh}  {target['page'] or ''}"
    if not dataset["cibles"]:
        yield "  publié nulle part"


def _waiting_line(waiting: dict[str, Any]) -> str:
    named = str(waiting["empreinte"])[:8]
    if waiting["genre"] == "publication":
        return f"publication vers {waiting['cible']} : {named} (resultats plan --target {waiting['cible']})"
    return (
        f"{waiting['genre']} de {waiting['reseau']}, {waiting['annee']} : {named}, depuis le {_day(waiting['depuis'])}"
    )


def _day(iso: str | None) -> str:
    """Write an ISO date as the French do."""
    return "/".join(reversed(iso[:10].split("-"))) if iso else "?"
