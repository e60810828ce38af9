"""What is worth telling the data team, what to do about it, and the one message of all that. Nothing is sent from here.

An alert has a key made of what it tells: the same file refused for the same cause has the same key every night.
"""

import datetime
import hashlib
import shlex
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.declarations import Catalogue
from pipelines.flow.state import NetworkYear
from pipelines.flow.store import Store
from pipelines.flow.voice_facts import signals_made, why_not_made
from pipelines.mechanics.french import counted, day_text, plural
from pipelines.report.facts import Awaited, Refusal, late_files, not_computed, refusals

Kind = Literal["publication", "erreur", "refus", "calcul", "retard", "signal"]
LONGEST = 600  # characters kept of an error: the rest is in Dagster
# The order of the sections: the gravest first.
SECTIONS: dict[Kind, tuple[str, str, str]] = {
    "publication": ("PUBLICATION", "publication arrêtée", "publications arrêtées"),
    "erreur": ("ERREURS DE TRAITEMENT", "erreur", "erreurs"),
    "refus": ("FICHIERS REFUSÉS", "fichier refusé", "fichiers refusés"),
    "calcul": ("INDICATEURS NON CALCULÉS", "indicateur non calculé", "indicateurs non calculés"),
    "retard": ("RÉSEAUX EN RETARD", "réseau en retard", "réseaux en retard"),
    "signal": ("VOIX DES USAGERS", "signal", "signaux"),
}
SHOWN = 40  # alerts told in full in one message: the rest are counted, and `resultats status` has them all
_WIDTH = 100


@dataclass(frozen=True)
class Alert:
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
        choice = f", {plural(len(years), 'année')} {', '.join(map(str, years))}" if years else ""
        return (f"Relancer dans Dagster : {page}, « Materialize »{choice}", command)

    def log(self, run: str) -> str:
        """Say where the log of a run is read."""
        page = f"{self.interface.rstrip('/')}/runs/{run}" if self.interface else f"run {run} dans Dagster"
        return f"Lire le journal : {page}"


def alerts_of(
    catalogue: Catalogue, store: Store, years: Sequence[NetworkYear], places: Places, today: datetime.date
) -> list[Alert]:
    """Return what is late on ``today``, refused or not computed."""
    alerts = [late(files, places) for files in late_files(catalogue, years, today)]
    alerts += [refused(catalogue, refusal, places) for refusal in refusals(store, years)]
    for known in years:
        for indicator, error in not_computed(store, known).items():
            alerts.append(failed(catalogue, known.network, known.year, indicator, error, places))
    return [*alerts, *signals_prevented(catalogue), *signals(store)]


def signals(store: Store) -> Iterator[Alert]:
    """Tell the signals that nobody has explained, when they are first seen and when they are confirmed."""
    made = signals_made(store)
    details = ["Un signal est une question posée au réseau : il n'entre dans aucun résultat."]
    details += [made.synthetic] if made and made.synthetic else []
    for signal in made.open if made else ():
        yield Alert(
            _key("signal", signal["signal"], signal["etat"]),
            "signal",
            f"{signal['titre']} : {signal['etat']}",
            (signal["chiffres"], *details),
            (
                "Regarder sa page sur le site public (signaux.html) et demander au réseau.",
                f"Écrire ce qu'on en sait dans schemas/signals, pour le signal {signal['signal']}.",
            ),
        )


def signals_prevented(catalogue: Catalogue) -> Iterator[Alert]:
    """Tell that declarations of users' voices are faulty: signals are not made, and the results are."""
    if why := why_not_made(catalogue):
        yield Alert(
            _key("signaux", why),
            "erreur",
            "Voix des usagers : une déclaration est à corriger",
            (_short(why), "Les résultats et leur publication n'en dépendent pas."),
            ("Corriger le fichier, puis « resultats check » : la nuit suivante fait les signaux.",),
        )


def signals_stopped(error: str, run: str, places: Places) -> Alert:
    """Tell that the job of signals failed, which stops nothing else."""
    return Alert(
        _key("signaux", _short(error)),
        "erreur",
        "Voix des usagers : arrêt sur une erreur",
        (_short(error), "Les résultats et leur publication n'en dépendent pas ; les signaux publiés avant le restent."),
        (places.log(run), "Relancer dans Dagster le job « signaux » ; le prochain matin le fait de lui-même."),
    )


def refused(catalogue: Catalogue, refusal: Refusal, places: Places) -> Alert:
    """Tell that an export was refused, for each of the years that its files hold."""
    network = catalogue.networks[refusal.network]
    names = ", ".join(path for path, _ in refusal.files)
    declared = network.export(refusal.export)
    title = declared.title if declared else refusal.export
    letter = f"Envoyer la lettre au réseau : {refusal.letter}"
    contents = [sha256 for _, sha256 in refusal.files]
    return Alert(
        _key("refus", refusal.network, *refusal.years, refusal.export, *contents, refusal.explanation),
        "refus",
        f"{network.title}, {', '.join(map(str, refusal.years))} : « {title} » refusé",
        (f"Fichier : {names}", refusal.explanation),
        (
            letter if refusal.letter else "Aucune lettre n'a été écrite : voir l'asset.",
            f"Déposer le fichier corrigé à la même place ({names}) : la nuit suivante le reprend.",
            *places.again(refusal.network, *refusal.years),
        ),
    )


def failed(catalogue: Catalogue, network: str, year: int, indicator: str, error: str, places: Places) -> Alert:
    """Tell that an indicator of a network and year could not be computed."""
    return Alert(
        _key("calcul", network, year, indicator, error),
        "calcul",
        f"{catalogue.networks[network].title}, {year} : « {indicator} » n'a pas pu être calculé",
        (_short(error), "L'indicateur est publié absent, avec le motif « erreur de traitement »."),
        (
            f"Vérifier schemas/indicators/{indicator}.yml et les colonnes qui l'alimentent.",
            *places.again(network, year),
        ),
    )


def late(files: Awaited, places: Places) -> Alert:
    """Tell that files are late and by how much."""
    assert files.due is not None  # nothing is late without a declared date
    return Alert(
        _key("retard", files.network, files.year, files.step, *files.absent),
        "retard",
        f"{files.declared.title}, {files.year} : en retard de {counted(files.days, 'jour')}",
        (f"Attendu le {day_text(files.due)}, toujours absent : {', '.join(files.files)}",),
        (
            f"Relancer le producteur ({files.declared.producer}).",
            f"Déposer les fichiers sous {places.exports} : la nuit suivante les prend.",
        ),
    )


def broken_step(what: str, network: str | None, year: int | None, error: str, run: str, places: Places) -> Alert:
    """Tell that ``what`` (a stage of a network, or a whole run) stopped on an error that is no refusal."""
    years = [] if year is None else [year]
    return Alert(
        _key("erreur", what, network, year, _short(error)),
        "erreur",
        f"{', '.join([what, *map(str, years)])} : arrêt sur une erreur",
        (_short(error),),
        (places.log(run), *places.again(network, *years)),
    )


def nothing_published(error: str, run: str, places: Places) -> Alert:
    """Tell that the national job failed: no table, no release, nothing published."""
    return Alert(
        _key("publication", _short(error)),
        "publication",
        "Rien n'a été publié",
        (_short(error), "Ce qui était publié avant le reste, sans changement."),
        (places.log(run), *places.again(None)),
    )


@dataclass(frozen=True)
class Message:
    """A message ready to be sent: ``subject`` on one line, ``text``, and ``payload`` for a webhook.

    The payload has ``text`` (what Mattermost, Slack and Tchap bridges show) and the alerts one by one.
    """

    subject: str
    text: str
    payload: dict[str, Any]


def write_message(alerts: Sequence[Alert], day: datetime.date) -> Message:
    """Write the one message of ``day`` about ``alerts``, which must not be empty."""
    ordered = sorted(alerts, key=lambda alert: (list(SECTIONS).index(alert.kind), alert.title))
    counts = {kind: sum(alert.kind == kind for alert in ordered) for kind in SECTIONS}
    summary = ", ".join(counted(count, *SECTIONS[kind][1:]) for kind, count in counts.items() if count)
    subject = f"[résultats] {day_text(day)} : {summary}"
    parts = [f"Résultats des services publics, {day_text(day)} : {summary}."]
    for kind, (heading, _, _) in SECTIONS.items():
        shown = [alert for alert in ordered[:SHOWN] if alert.kind == kind]
        if shown:
            parts += ["", heading, *(line for alert in shown for line in ("", *_lines(alert)))]
    if len(ordered) > SHOWN:
        parts += ["", f"… et {counted(len(ordered) - SHOWN, 'autre')} : « resultats status » les donne tous."]
    parts += ["", "Chaque fait n'est dit qu'une fois ; un retard l'est de nouveau après 7, 30 et 90 jours."]
    text = "\n".join(parts) + "\n"
    facts = [
        {"genre": alert.kind, "titre": alert.title, "details": list(alert.details), "a_faire": list(alert.todo)}
        for alert in ordered
    ]
    return Message(subject, text, {"text": text, "titre": subject, "faits": facts})


def _lines(alert: Alert) -> list[str]:
    lines = [f"* {alert.title}"]
    for detail in alert.details:
        lines += textwrap.wrap(
            detail, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    # Commands and addresses stay on one line, to be copied.
    return [*lines, "  À faire :", *(f"  - {todo}" for todo in alert.todo)]


def _short(error: str) -> str:
    text = " ".join(error.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _key(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]
