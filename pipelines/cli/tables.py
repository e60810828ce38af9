"""What ``doctor`` and ``status`` show in a terminal. What they say is found elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLES = {"bon": "green", "avertissement": "yellow", "panne": "bold red", "ignoré": "dim"}


class Shown(Protocol):
    """A finding to show."""

    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def message(self) -> str: ...  # noqa: D102
    @property
    def advice(self) -> str: ...  # noqa: D102


def show_findings(findings: Sequence[Shown]) -> None:
    """Show the findings of ``doctor``, one a line, and what to do below those that need it."""
    console = Console(highlight=False)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for item in findings:
        message = Text(item.message)
        if item.advice and item.state != "bon":
            message.append(f"\n→ {item.advice}", style="italic")
        table.add_row(item.subject, Text(item.state, style=_STYLES[item.state]), message)
    console.print(table)
    broken = sum(item.state == "panne" for item in findings)
    console.print(f"{counted(broken, 'panne')}." if broken else "Tout est prêt.", style="bold")


def show_standing(found: dict[str, Any]) -> None:
    """Show where things stand."""
    console = Console(highlight=False)
    for dataset in found["jeux_de_donnees"]:
        made = (
            f"version {dataset['version']} du {_day(dataset['faite_le'])}" if dataset["version"] else "aucune version"
        )
        console.print(Text(f"{dataset['titre']} ({dataset['id']}) : {made}", style="bold"), soft_wrap=True)
        for target in dataset["cibles"]:
            held = target["version"] or "version non notée"
            told = {True: "à jour", False: "en retard d'une version ou plus", None: ""}[target["a_jour"]]
            line = f"  {target['cible']} : {held}{f', {told}' if told else ''}  {target['page'] or ''}"
            console.print(Text(line), soft_wrap=True)
        if not dataset["cibles"]:
            console.print("  publié nulle part")
    _section(console, "En retard", [
        f"{item['reseau']}, {item['annee']} : attendu le {_day(item['attendu_le'])}, {item['jours']} jours, "
        f"{', '.join(item['fichiers'])}"
        for item in found["retards"]
    ])  # fmt: skip
    _section(console, "Refusés", [
        f"{item['reseau']}, {item['annee']}, {item['export']} : {item['explication']}  {item['lettre'] or ''}"
        for item in found["refuses"]
    ])  # fmt: skip
    _section(console, "Réceptions en échec", [
        f"{item['reseau']}, {item['annee']} : "
        + ("ce qui avait été reçu reste publié" if item["resultats_gardes"] else "rien n'a encore été reçu")
        for item in found["receptions_en_echec"]
    ])  # fmt: skip
    _section(console, "En attente d'un accord", [
        f"publication vers {item['cible']} : {str(item['empreinte'])[:8]} (resultats plan --target {item['cible']})"
        if item["genre"] == "publication"
        else f"{item['genre']} de {item['reseau']}, {item['annee']} : {str(item['empreinte'])[:8]}, "
        f"depuis le {_day(item['depuis'])}"
        for item in found["en_attente"]
    ])  # fmt: skip
    _section(console, "À vérifier", [
        f"{item['reseau']}, {item['annee']}, {item['message']}" for item in found["a_verifier"]
    ])  # fmt: skip
    from pipelines.flow.exports_folder import folder_lines

    _section(console, "Dossier d'exports, à regarder", list(folder_lines(found["dossier_d_exports"])))


def _day(iso: str | None) -> str:
    """Write an ISO date as the French do."""
    return "/".join(reversed(iso[:10].split("-"))) if iso else "?"


def _section(console: Console, title: str, lines: list[str]) -> None:
    console.print(Text(f"{title} : {len(lines) or 'rien'}", style="bold"))
    for line in lines:
        console.print(Text(f"  {line}"), soft_wrap=True)
