"""What is told of network-years, decided once for terminal, nights, mail and JSON, from the records of the state.

Words are found here only where every reader is told the same ones.
"""

import datetime
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.declarations import Catalogue, Network
from pipelines.declarations.statuses import Status
from pipelines.flow.state import NetworkYear
from pipelines.flow.store import Store
from pipelines.mechanics.french import counted, day_text, listed
from pipelines.validate.messages import why_told

# After so many days a late network is told (again): the day after, a week, a month, a quarter. Then it is left alone.
STEPS = (1, 7, 30, 90)


@dataclass(frozen=True)
class Awaited:
    """The exports that a network owes for a year, and those ``absent`` on a day, ``days`` after they were due.

    ``days`` is 0 when nothing is late: all is there, it is not yet due, or no date is declared.
    """

    network: str
    declared: Network
    year: int
    absent: tuple[str, ...]
    days: int

    @property
    def exports(self) -> tuple[str, ...]:
        """The exports owed."""
        return tuple(export.id for export in self.declared.exports if export.layout(self.year) is not None)

    @property
    def files(self) -> tuple[str, ...]:
        """The files absent, as declared."""
        layouts = {export.id: export.layout(self.year) for export in self.declared.exports}
        paths = (layout.path for name in self.absent if (layout := layouts[name]))
        return tuple(path.replace("{year}", str(self.year)) for path in paths)

    @property
    def due(self) -> datetime.date | None:
        """The day when they are due."""
        return self.declared.due_on(self.year)

    @property
    def step(self) -> int:
        """The last of STEPS that is passed: a lateness is told once for each."""
        return max(step for step in STEPS if step <= self.days)

    @property
    def sentence(self) -> str:
        """Say, in French, what is there, what is not, since when and whom to ask."""
        if not self.exports:
            return f"Aucun fichier n'est attendu pour {self.year}."
        if not self.absent:
            return f"Tout est reçu : {counted(len(self.exports), 'export')}."
        what = "Rien n'est reçu" if self.absent == self.exports else f"Il manque {listed(self.absent)}"
        when = f"attendu le {day_text(self.due)}" if self.due else "aucune date n'est déclarée (due)"
        late = f", {counted(self.days, 'jour')} de retard" if self.days else ""
        return f"{what} : {when}{late}. À demander à : {self.declared.producer}."


@dataclass(frozen=True)
class Refusal:
    """An export refused in the files (path, sha256) of ``years``, with the same content and for the same cause."""

    network: str
    years: tuple[int, ...]
    export: str
    files: tuple[tuple[str, str], ...]
    explanation: str
    letter: str | None


def data_page(catalogue: Catalogue, store: Store, dataset: str) -> Path:
    """Return where people find the files of a data set: the site's page once it is there, else the local target."""
    page = store.site / "donnees.html" if store.site and dataset == catalogue.on_site else None
    return page if page and page.is_file() else store.catalogue / dataset


def awaited(catalogue: Catalogue, network: str, year: int, missing: Collection[str], today: datetime.date) -> Awaited:
    """Return what the network owes for the year, of which the exports ``missing`` are not there."""
    declared = catalogue.networks[network]
    owed = (export.id for export in declared.exports if export.layout(year) is not None)
    absent, due = tuple(name for name in owed if name in missing), declared.due_on(year)
    return Awaited(network, declared, year, absent, max((today - due).days, 0) if due and absent else 0)


def known_years(store: Store, catalogue: Catalogue) -> list[NetworkYear]:
    """Return what is known of every network-year declared."""
    places = [(network, year) for network, declared in catalogue.networks.items() for year in declared.years]
    return store.read_all(places)


def late_files(catalogue: Catalogue, years: Iterable[NetworkYear], today: datetime.date) -> list[Awaited]:
    """Return what is late on ``today`` by the declared calendar, the latest first."""
    owed = (
        awaited(catalogue, network_year.network, network_year.year, missing(network_year), today)
        for network_year in years
    )
    return sorted((late for late in owed if late.days), key=lambda late: (late.days, late.network))


def missing(network_year: NetworkYear) -> list[str]:
    """Return the exports that were looked for and not found; none when nobody could look: they may be there."""
    if network_year.reception is None or network_year.reception_failed:
        return []
    received = network_year.reception.exports
    return [name for name, files in received.items() if not files and not network_year.reception.still_arriving(name)]


def refusals(store: Store, years: Iterable[NetworkYear]) -> list[Refusal]:
    """Return one refusal for each content refused, whatever the number of years that it holds."""
    refused: dict[tuple[object, ...], Refusal] = {}
    for network_year in years:
        for name, verdict in network_year.current.items():
            if verdict.status != Status.REFUSED or network_year.reception is None:
                continue
            files = tuple((file.path, file.sha256) for file in network_year.reception.exports.get(name, ()))
            key = (network_year.network, name, files, verdict.explanation)
            before = refused[key].years if key in refused else ()
            letter = letter_of(store, network_year, name)
            refused[key] = Refusal(
                network_year.network, (*before, network_year.year), name, files, verdict.explanation, letter
            )
    return list(refused.values())


def letter_of(store: Store, network_year: NetworkYear, export: str) -> str | None:
    """Return where people open the letter about an export, or None when none was written."""
    path = store.network_year(network_year.network, network_year.year) / f"{export}-lettre.html"
    return store.letter(path) if path.exists() else None


def not_computed(store: Store, network_year: NetworkYear) -> dict[str, str]:
    """Return the indicators that could not be computed, or had the network-year set aside, and why."""
    return network_year.failures | store.tables_made().why_aside(network_year.network, network_year.year)


def figures_kept(store: Store, network_year: NetworkYear) -> list[str]:
    """Return why what was received is not what is published: figures of an earlier release, kept (French)."""
    kept = store.tables_made().kept
    return [year.why for year in kept if (year.network, year.year) == (network_year.network, network_year.year)]


def refused_rows(network_year: NetworkYear, export: str) -> Iterator[str]:
    """Yield why rows of an export were refused, and which rows (French)."""
    for finding in _findings(network_year):
        first, last = finding["premiere_ligne"], finding["derniere_ligne"]
        if finding["export"] == export and finding["severite"] == "erreur" and first:
            rows = f"{counted(finding['nombre'], 'ligne')}, de la {first} à la {last}"
            yield f"{finding['message']}{_column(finding)} {rows if finding['nombre'] != 1 else f'ligne {first}'}"


def to_check(network_year: NetworkYear) -> Iterator[str]:
    """Yield what the data team is asked to look at in files that were accepted as they are (French)."""
    if network_year.judged and network_year.verdict:
        yield from (f"{doubt.export} : {doubt.message}" for doubt in network_year.verdict.doubts if not doubt.blocks)
    for finding in _findings(network_year):
        if why_told(finding["regle"]) == "file" and finding["severite"] == "avertissement":
            row = f" (ligne {finding['premiere_ligne']})" if finding["premiere_ligne"] else ""
            yield f"{finding['export']} : « {finding['fichier']} »{row}. {finding['message']}"
        elif why_told(finding["regle"]) == "values":
            yield f"{finding['export']} : {finding['message']}{_column(finding)} {counted(finding['nombre'], 'ligne')}"


def _findings(network_year: NetworkYear) -> tuple[dict[str, Any], ...]:
    return network_year.verdict.findings if network_year.judged and network_year.verdict else ()


def _column(finding: dict[str, Any]) -> str:
    return f" (colonne « {finding['colonne']} »)" if finding["colonne"] else ""
