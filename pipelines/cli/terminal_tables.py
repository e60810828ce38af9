"""What ``doctor`` and ``status`` show in a terminal. What they say is found elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.operations.doctor import Reading

_STYLES = {"ignoré": "dim", "bon": "green", "avertissement": "yellow", "panne": "bold red"}  # the worst last


def show_findings(findings: Sequence[Reading]) -> None:
    """Show first whether anything is to be done, then the findings of ``doctor``, one a line, the worst first.

    What to do is below those that need it; what wasn't asked for is named in one line.
    """
    console = Console(highlight=False)
    console.print(_verdict(findings), style="bold")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for _ in ("subject", "state", "message"):
        table.add_column(overflow="fold")  # a path is told whole
    for item in sorted(findings, key=lambda item: list(_STYLES)[::-1].index(item.state)):
        if item.state == "ignoré":
            continue
        message = Text(item.message)
        if item.advice and item.state != "bon":
            message.append(f"\n→ {item.advice}", style="italic")
        table.add_row(item.subject, Text(item.state, style=_STYLES[item.state]), message)
    console.print(table)
    if ignored := [item.message for item in findings if item.state == "ignoré"]:
        console.print(f"Ignoré : {' ; '.join(ignored)}.", style="dim")


def _verdict(findings: Sequence[Reading]) -> str:
    broken = sum(item.state == "panne" for item in findings)
    doubtful = sum(item.state == "avertissement" for item in findings)
    told = [f"{counted(broken, 'panne')} à réparer"] if broken else ["Tout est prêt"]
    return ", ".join([*told, *([counted(doubtful, "avertissement")] if doubtful else [])]) + "."


def show_lines(lines: Iterable[str]) -> None:
    """Show lines whose titles, not indented, stand out."""
    console = Console(highlight=False)
    for line in lines:
        console.print(Text(line, style="" if line.startswith(" ") else "bold"), soft_wrap=True)
