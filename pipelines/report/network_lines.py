"""What is known of the years of a network as lines of French, for a terminal and for the details of a night."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.declarations.statuses import Status
from pipelines.flow.state import NetworkYear
from pipelines.flow.store import Store
from pipelines.mechanics.french import counted, years_text
from pipelines.report.facts import figures_kept, letter_of, missing, not_computed, refused_rows, to_check

NOT_RECEIVED = "ERREUR : les fichiers n'ont pas pu être reçus"
_UNJUDGED = "Les fichiers reçus n'ont pas pu être contrôlés ; le réseau n'a rien à faire."


def network_lines(store: Store, years: Iterable[NetworkYear]) -> tuple[list[str], int]:
    """Return what to tell of the years of a network, and how many exports or rows were refused."""
    lines: list[str] = []
    refused = 0
    absent: dict[str, list[int]] = {}
    for network_year in years:
        lines += [f"  {network_year.year}  {line}" for line in _year_lines(store, network_year)]
        for export, files in network_year.reception.exports.items() if network_year.reception else ():
            verdict = network_year.current.get(export)
            if export in missing(network_year) or (files and verdict and verdict.status == Status.NOT_HANDED_OVER):
                absent.setdefault(export, []).append(network_year.year)
            elif files:
                lines += _export_lines(store, network_year, export)
                refused += (verdict.refused + (verdict.status == Status.REFUSED)) if verdict else 0
    lines += [f"  {years_text(without)}  {export} : NON TRANSMIS" for export, without in absent.items()]
    return lines, refused


def _year_lines(store: Store, known: NetworkYear) -> Iterator[str]:
    if known.reception is None:
        yield NOT_RECEIVED
        return
    if known.reception_failed:
        yield f"{NOT_RECEIVED} ; ce qui suit date de la réception précédente, et reste publié"
    for files in known.reception.exports.values():
        yield from (f"NOUVEAU CONTENU sous le même nom : {file.path}" for file in files if file.news == "modifié")
    yield from (f"ATTENTION, {notice}" for notice in known.reception.notices())
    yield from (f"À VÉRIFIER, {doubt}" for doubt in to_check(known))
    for indicator, error in not_computed(store, known).items():
        yield f"{indicator} : CALCUL IMPOSSIBLE. {error}"
    yield from (f"PROVISOIRE, {why}" for why in figures_kept(store, known))


def _export_lines(store: Store, known: NetworkYear, export: str) -> Iterator[str]:
    verdict = known.current.get(export)
    if verdict is None:
        why = known.reception.damaged if known.reception else ""
        yield f"  {known.year}  {export} : ERREUR DE TRAITEMENT. {why or _UNJUDGED}"
        return
    aside = f", {counted(verdict.refused, 'refusée')}" if verdict.refused else ""
    outcome = f"{counted(verdict.accepted, 'ligne acceptée')}{aside}"
    if verdict.status != Status.ACCEPTED:
        outcome = f"{verdict.status.upper()}. {verdict.explanation}"
    yield f"  {known.year}  {export} : {outcome}"
    if verdict.refused:
        yield from (f"          - {reason}" for reason in refused_rows(known, export))
        findings = store.network_year(known.network, known.year) / f"{export}-anomalies.csv"
        yield f"          détail : {from_here(store.address(findings))}"
    if letter := letter_of(store, known, export):
        yield f"          lettre au réseau : {from_here(letter)}"


def from_here(place: str) -> str:
    """Show a path from the current folder when it is below it."""
    try:
        return str(Path(place).relative_to(Path.cwd())) if "://" not in place else place
    except ValueError:
        return place
