"""Alerts → one message, as plain text for e-mail and as JSON for webhooks. It is never sent from here."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from pipelines.report.alerts import Alert, Kind

# The order of the sections: the gravest first.
SECTIONS: dict[Kind, tuple[str, str, str]] = {
    "publication": ("PUBLICATION", "publication arrêtée", "publications arrêtées"),
    "erreur": ("ERREURS DE TRAITEMENT", "erreur", "erreurs"),
    "refus": ("FICHIERS REFUSÉS", "fichier refusé", "fichiers refusés"),
    "calcul": ("INDICATEURS NON CALCULÉS", "indicateur non calculé", "indicateurs non calculés"),
    "retard": ("RÉSEAUX EN RETARD", "réseau en retard", "réseaux en retard"),
}
SHOWN = 40  # alerts told in full in one message: the rest are counted, and `resultats status` has them all
_WIDTH = 100


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
    told = ", ".join(_counted(kind, count) for kind, count in counts.items() if count)
    subject = f"[résultats] {day:%d/%m/%Y} : {told}"
    parts = [f"Résultats des services publics, {day:%d/%m/%Y} : {told}."]
    for kind, (heading, _, _) in SECTIONS.items():
        shown = [alert for alert in ordered[:SHOWN] if alert.kind == kind]
        if shown:
            parts += ["", heading, *(line for alert in shown for line in ("", *_lines(alert)))]
    if len(ordered) > SHOWN:
        parts += ["", f"… et {counted(len(ordered) - SHOWN, 'autre')} : « resultats status » les donne tous."]
    parts += ["", "Chaque fait n'est dit qu'une fois ; un retard l'est de nouveau après 7, 30 et 90 jours."]
    text = "\n".join(parts) + "\n"
    return Message(subject, text, {"text": text, "titre": subject, "faits": [_payload(alert) for alert in ordered]})


def _counted(kind: Kind, count: int) -> str:
    _, one, several = SECTIONS[kind]
    return f"{count} {one if count == 1 else several}"


def _lines(alert: Alert) -> list[str]:
    lines = [f"* {alert.title}"]
    for detail in alert.details:
        lines += textwrap.wrap(
            detail, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    # Commands and addresses stay on one line, to be copied.
    return [*lines, "  À faire :", *(f"  - {todo}" for todo in alert.todo)]


def _payload(alert: Alert) -> dict[str, Any]:
    return {"genre": alert.kind, "titre": alert.title, "details": list(alert.details), "a_faire": list(alert.todo)}
