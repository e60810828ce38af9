"""Facts as lines of French for a terminal: of network-years, and of where things stand. Nothing is read here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.declarations.status import Status
from pipelines.flow.exports_folder import folder_lines
from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.report.facts import ExportFacts, NetworkYearFacts

NOT_RECEIVED = "ERREUR : les fichiers n'ont pas pu être reçus"


def network_lines(years: Iterable[NetworkYearFacts]) -> tuple[list[str], int]:
    """Return what to tell of the years of a network, and how many exports or rows were refused."""
    lines: list[str] = []
    refused = 0
    absent: dict[str, list[int]] = {}
    for known in years:
        lines += [f"  {known.year}  {line}" for line in _year_lines(known)]
        for export in known.exports:
            if export.missing or (export.files and export.state is Status.NOT_HANDED_OVER):
                absent.setdefault(export.name, []).append(known.year)
            elif export.files:
                refused += export.refused + (export.state is Status.REFUSED)
                lines += _export_lines(known, export)
    return [*lines, *(f"  {_ranges(missing)}  {name} : NON TRANSMIS" for name, missing in absent.items())], refused


def _year_lines(known: NetworkYearFacts) -> Iterator[str]:
    if not known.received:
        yield NOT_RECEIVED
        return
    if known.failed:
        yield f"{NOT_RECEIVED} ; ce qui suit date de la réception précédente, et reste publié"
    yield from (f"NOUVEAU CONTENU sous le même nom : {path}" for path in known.changed)
    yield from (f"ATTENTION, {notice}" for notice in known.notices)
    yield from (f"À VÉRIFIER, {doubt}" for doubt in known.to_check)
    yield from (f"{indicator} : CALCUL IMPOSSIBLE. {error}" for indicator, error in known.failures.items())


def _export_lines(known: NetworkYearFacts, export: ExportFacts) -> Iterator[str]:
    verdict = verdict_line(export) if export.state else f"ERREUR DE TRAITEMENT. {known.unjudged}"
    yield f"  {known.year}  {export.name} : {verdict}"
    if export.refused:
        yield from (f"          - {reason}" for reason in export.reasons)
        yield f"          détail : {from_here(export.findings)}"
    if export.state and export.letter:
        yield f"          lettre au réseau : {from_here(export.letter)}"


def verdict_line(export: ExportFacts) -> str:
    """Say what became of an export that was judged."""
    if export.state is not Status.ACCEPTED:
        return f"{str(export.state).upper()}. {export.explanation}"
    aside = f", {counted(export.refused, 'écartée')}" if export.refused else ""
    return f"{counted(export.accepted, 'ligne acceptée')}{aside}"


def status_lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield where things stand (see ``status``): titles, and below each what it holds, two spaces further."""
    for dataset in found["jeux_de_donnees"]:
        yield from _dataset_lines(dataset)
    sections = {
        "En retard": [
            f"{item['reseau']}, {item['annee']} : attendu le {_day(item['attendu_le'])}, {item['jours']} jours, "
            f"{', '.join(item['fichiers'])}"
            for item in found["retards"]
        ],
        "Refusés": [
            f"{item['reseau']}, {item['annee']}, {item['export']} : {item['explication']}  {item['lettre'] or ''}"
            for item in found["refuses"]
        ],
        "Réceptions en échec": [
            f"{item['reseau']}, {item['annee']} : "
            + ("ce qui avait été reçu reste publié" if item["resultats_gardes"] else "rien n'a encore été reçu")
            for item in found["receptions_en_echec"]
        ],
        "En attente d'un accord": [_waiting_line(item) for item in found["en_attente"]],
        "À vérifier": [f"{item['reseau']}, {item['annee']}, {item['message']}" for item in found["a_verifier"]],
        "Dossier d'exports, à regarder": list(folder_lines(found["dossier_d_exports"])),
    }
    for title, lines in sections.items():
        yield f"{title} : {len(lines) or 'rien'}"
        yield from (f"  {line}" for line in lines)


def _dataset_lines(dataset: dict[str, Any]) -> Iterator[str]:
    made = f"version {dataset['version']} du {_day(dataset['faite_le'])}" if dataset["version"] else "aucune version"
    yield f"{dataset['titre']} ({dataset['id']}) : {made}"
    for target in dataset["cibles"]:
        held = target["version"] or "version non notée"
        fresh = {True: ", à jour", False: ", en retard d'une version ou plus", None: ""}[target["a_jour"]]
        yield f"  {target['cible']} : {held}{fresh}  {target['page'] or ''}"
    if not dataset["cibles"]:
        yield "  publié nulle part"


def _waiting_line(item: dict[str, Any]) -> str:
    named = str(item["empreinte"])[:8]
    if item["genre"] == "publication":
        return f"publication vers {item['cible']} : {named} (resultats plan --target {item['cible']})"
    return f"{item['genre']} de {item['reseau']}, {item['annee']} : {named}, depuis le {_day(item['depuis'])}"


def from_here(place: str) -> str:
    """Show a path from the current folder when it is below it."""
    try:
        return str(Path(place).relative_to(Path.cwd())) if "://" not in place else place
    except ValueError:
        return place


def _ranges(years: list[int]) -> str:
    """Write years as ranges: 2010-2014, 2018."""
    ranges: list[list[int]] = []
    for year in years:
        if ranges and ranges[-1][-1] == year - 1:
            ranges[-1].append(year)
        else:
            ranges.append([year])
    return ", ".join(f"{group[0]}-{group[-1]}" if len(group) > 1 else str(group[0]) for group in ranges)


def _day(iso: str | None) -> str:
    """Write an ISO date as the French do."""
    return "/".join(reversed(iso[:10].split("-"))) if iso else "?"
