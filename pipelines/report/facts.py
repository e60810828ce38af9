"""The facts worth a message, each with its French sentences and what to do. How they are found is not known here.

A fact has a key made of what it is: the same file refused for the same cause has the same key every night.
"""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.mechanics.french import counted, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Catalogue
    from pipelines.report.calendar import LateFiles

Kind = Literal["publication", "erreur", "refus", "calcul", "retard"]
LONGEST = 600  # characters kept of an error: the rest is in Dagster


@dataclass(frozen=True)
class Fact:
    """One thing to know: ``title`` says it, ``details`` explain it, ``todo`` says what to do about it."""

    key: str
    kind: Kind
    title: str
    details: tuple[str, ...]
    todo: tuple[str, ...]


@dataclass(frozen=True)
class Places:
    """Where things are, to say how to launch again: exports root, output folder, address of the Dagster UI if known."""

    exports: str
    output: str
    interface: str | None = None

    def again(self, network: str | None, *years: int) -> tuple[str, ...]:
        """Say how to launch a network and years again: from the UI when its address is known, and by a command."""
        words = ["resultats", "run", "--exports", self.exports, "--output", self.output]
        words += ["--network", network] if network else []
        words += [word for year in years for word in ("--year", str(year))]
        command = f"Relancer par la commande : {shlex.join(words)}"
        if not self.interface:
            return (command,)
        group = (network or "national").replace("-", "_")
        page = f"{self.interface.rstrip('/')}/locations/resultats/asset-groups/{group}"
        choice = f", « Materialize », {_years(years)}" if years else ", « Materialize »"
        return (f"Relancer dans Dagster : {page}{choice}", command)


def refused(
    catalogue: Catalogue,
    network: str,
    years: Sequence[int],
    export: str,
    *,
    files: Sequence[tuple[str, str]],
    explanation: str,
    letter: str | None,
    places: Places,
) -> Fact:
    """Tell that an export was refused, for each of ``years`` that its files hold.

    ``files`` are (path, sha256), ``letter`` is the path of the letter if one was written.
    """
    names = ", ".join(path for path, _ in files)
    declared = catalogue.networks[network].export(export)
    title = declared.title if declared else export
    todo = [
        f"Envoyer la lettre au réseau : {letter}" if letter else "Aucune lettre n'a été écrite : voir l'asset.",
        f"Déposer le fichier corrigé à la même place ({names}) : la nuit suivante le reprend.",
        *places.again(network, *years),
    ]
    return Fact(
        _key("refus", network, *years, export, *(sha256 for _, sha256 in files), explanation),
        "refus",
        f"{catalogue.networks[network].title}, {', '.join(map(str, years))} : « {title} » refusé",
        (f"Fichier : {names}", explanation),
        tuple(todo),
    )


def failed_indicator(catalogue: Catalogue, network: str, year: int, indicator: str, error: str, places: Places) -> Fact:
    """Tell that an indicator of a network and year could not be computed."""
    return Fact(
        _key("calcul", network, year, indicator, error),
        "calcul",
        f"{catalogue.networks[network].title}, {year} : « {indicator} » n'a pas pu être calculé",
        (_short(error), "L'indicateur est publié absent, avec le motif « erreur de traitement »."),
        (
            f"Vérifier schemas/indicators/{indicator}.yml et les colonnes qui l'alimentent.",
            *places.again(network, year),
        ),
    )


def late_network(catalogue: Catalogue, late: LateFiles, places: Places) -> Fact:
    """Tell that files are late and by how much."""
    days = f"{counted(late.days, 'jour')}"
    declared = catalogue.networks[late.network]
    return Fact(
        _key("retard", late.network, late.year, late.step, *late.exports),
        "retard",
        f"{declared.title}, {late.year} : en retard de {days}",
        (f"Attendu le {late.due:%d/%m/%Y}, toujours absent : {', '.join(late.files)}",),
        (
            f"Relancer le producteur ({declared.producer}).",
            f"Déposer les fichiers sous {places.exports} : la nuit suivante les prend.",
        ),
    )


def broken_step(what: str, network: str | None, year: int | None, error: str, run: str, places: Places) -> Fact:
    """Tell that ``what`` (a stage of a network, or a whole run) stopped on an error that is no refusal."""
    page = f"{places.interface.rstrip('/')}/runs/{run}" if places.interface else f"run {run} dans Dagster"
    years = [] if year is None else [year]
    return Fact(
        _key("erreur", what, network, year, _short(error)),
        "erreur",
        f"{', '.join([what, *map(str, years)])} : arrêt sur une erreur",
        (_short(error),),
        (f"Lire le journal : {page}", *places.again(network, *years)),
    )


def nothing_published(error: str, run: str, places: Places) -> Fact:
    """Tell that the national job failed: no table, no release, nothing published."""
    page = f"{places.interface.rstrip('/')}/runs/{run}" if places.interface else f"run {run} dans Dagster"
    return Fact(
        _key("publication", _short(error)),
        "publication",
        "Rien n'a été publié",
        (_short(error), "Ce qui était publié avant le reste, sans changement."),
        (f"Lire le journal : {page}", *places.again(None)),
    )


def _years(years: Sequence[int]) -> str:
    return f"{plural(len(years), 'année')} {', '.join(map(str, years))}"


def _short(error: str) -> str:
    text = " ".join(error.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _key(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]
