"""What is known of network-years, decided once for all that tell it: terminal, nights, mail, JSON.

Read from what the stages left. Words are found here only where every reader is told the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.declarations.status import Status
from pipelines.flow.gather import national
from pipelines.mechanics.french import counted
from pipelines.report.lateness import LateFiles, late_files
from pipelines.validate.messages import why_told

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable

    from pipelines.declarations import Catalogue
    from pipelines.flow.state import NetworkYear, Reception, YearVerdict
    from pipelines.flow.store import Store

_UNJUDGED = "Les fichiers reçus n'ont pas pu être contrôlés ; le réseau n'a rien à faire."


@dataclass(frozen=True)
class ExportFacts:
    """An export that was owed. ``state`` is that of its verdict, or none: its files could not be judged.

    ``files`` are (path, sha256); ``arriving`` says that some were still being copied; ``reasons`` are the errors of its
    rows; ``letter`` and ``findings`` say where people open them.
    """

    name: str
    files: tuple[tuple[str, str], ...]
    arriving: bool
    state: Status | None
    explanation: str
    read: int
    accepted: int
    refused: int
    reasons: tuple[str, ...]
    letter: str | None
    findings: str

    @property
    def missing(self) -> bool:
        """Whether it was looked for and isn't there."""
        return not self.files and not self.arriving


@dataclass(frozen=True)
class NetworkYearFacts:
    """A network-year as the stages left it.

    ``received``: files were looked for to the end, once at least; ``failed``: the last time, they were not. ``judged``:
    the verdict is on what was received. ``changed`` are the files with a new content; ``notices``, ``to_check`` and
    ``unjudged`` are sentences for the data team; ``failures`` say which indicators could not be computed and why.
    """

    network: str
    year: int
    received: bool
    failed: bool
    judged: bool
    exports: tuple[ExportFacts, ...]
    failures: dict[str, str]
    changed: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    to_check: tuple[str, ...] = ()
    unjudged: str = _UNJUDGED

    @property
    def handed_over(self) -> bool:
        """Whether any file was received."""
        return any(export.files for export in self.exports)

    @property
    def missing(self) -> list[str] | None:
        """The exports that were looked for and not found; None when nobody could look: they may be there."""
        if not self.received or self.failed:
            return None
        return [export.name for export in self.exports if export.missing]

    @property
    def accepted(self) -> bool:
        """Whether any export was accepted."""
        return any(export.state is Status.ACCEPTED for export in self.exports)


@dataclass(frozen=True)
class Refusal:
    """An export refused in the files of ``years``, which hold the same content and were refused for the same cause."""

    network: str
    years: tuple[int, ...]
    export: str
    files: tuple[tuple[str, str], ...]
    explanation: str
    letter: str | None


def network_year(store: Store, network: str, year: int) -> NetworkYearFacts:
    """Read what is known of a network and year."""
    known = store.read(network, year)
    failures = known.failures | national(store).why_aside(network, year)
    reception = known.reception
    if reception is None:
        return NetworkYearFacts(network, year, False, known.reception_failed, False, (), failures)
    files = [file for received in reception.exports.values() for file in received]
    return NetworkYearFacts(
        network,
        year,
        received=True,
        failed=known.reception_failed,
        judged=known.judged,
        exports=tuple(_export(store, known, name, reception) for name in reception.exports),
        failures=failures,
        changed=tuple(file.path for file in files if file.news == "modifié"),
        notices=tuple(reception.notices()),
        to_check=tuple(_to_check(known.verdict)) if known.verdict and known.judged else (),
        unjudged=reception.damaged or _UNJUDGED,
    )


def network_years(store: Store, catalogue: Catalogue) -> list[NetworkYearFacts]:
    """Read what is known of all network-years declared."""
    return [
        network_year(store, network, year)
        for network, declared in catalogue.networks.items()
        for year in declared.years
    ]


def shown_version(store: Store, dataset: str) -> str | None:
    """Return the version that the local catalogue shows, or None."""
    shown: str | None = store.published(dataset).get("version")
    return shown


def lateness(catalogue: Catalogue, known: Iterable[NetworkYearFacts], today: datetime.date) -> list[LateFiles]:
    """Return the files that are late by the declared calendar."""
    missing = {(item.network, item.year): item.missing for item in known}
    return late_files(catalogue, lambda network, year: missing.get((network, year)), today)


def refusals(known: Iterable[NetworkYearFacts]) -> list[Refusal]:
    """Return one refusal for each content refused, whatever the number of years that it holds."""
    found: dict[tuple[object, ...], Refusal] = {}
    for item in known:
        for export in item.exports:
            if export.state is not Status.REFUSED:
                continue
            key = (item.network, export.name, export.files, export.explanation)
            years = (*found[key].years, item.year) if key in found else (item.year,)
            found[key] = Refusal(item.network, years, export.name, export.files, export.explanation, export.letter)
    return list(found.values())


def _export(store: Store, known: NetworkYear, name: str, reception: Reception) -> ExportFacts:
    folder = store.network_year(known.network, known.year)
    verdict = known.verdict.exports.get(name) if known.verdict and known.judged else None
    letter = folder / f"{name}-lettre.html"
    return ExportFacts(
        name,
        files=tuple((file.path, file.sha256) for file in reception.exports[name]),
        arriving=bool(reception.still_arriving(name)),
        state=verdict.status if verdict else None,
        explanation=verdict.explanation if verdict else "",
        read=verdict.read if verdict else 0,
        accepted=verdict.accepted if verdict else 0,
        refused=verdict.refused if verdict else 0,
        reasons=tuple(_reasons(known.verdict, name)) if known.verdict and verdict else (),
        letter=store.letter(letter) if letter.exists() else None,
        findings=store.address(folder / f"{name}-anomalies.csv"),
    )


def _reasons(verdict: YearVerdict, export: str) -> Iterable[str]:
    """Yield why rows of an export were refused, and which rows (French)."""
    for item in verdict.findings:
        first, last = item["premiere_ligne"], item["derniere_ligne"]
        if item["export"] == export and item["severite"] == "erreur" and first:
            rows = f"{counted(item['nombre'], 'ligne')}, de la {first} à la {last}"
            yield f"{item['message']}{_column(item)} {rows if item['nombre'] != 1 else f'ligne {first}'}"


def _to_check(verdict: YearVerdict) -> Iterable[str]:
    """Yield what the data team is asked to look at in files that were accepted as they are (French)."""
    yield from (f"{item.export} : {item.message}" for item in verdict.doubts if not item.blocks)
    for item in verdict.findings:
        if why_told(item["regle"]) == "file" and item["severite"] == "avertissement":
            row = f" (ligne {item['premiere_ligne']})" if item["premiere_ligne"] else ""
            yield f"{item['export']} : « {item['fichier']} »{row}. {item['message']}"
        elif why_told(item["regle"]) == "values":
            yield f"{item['export']} : {item['message']}{_column(item)} {counted(item['nombre'], 'ligne')}"


def _column(item: dict[str, Any]) -> str:
    return f" (colonne « {item['colonne']} »)" if item["colonne"] else ""
