"""What ``doctor`` and ``status`` show in a terminal. What they say is found elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def show_lines(lines: Iterable[str]) -> None:
    """Show lines whose titles, not indented, stand out."""
    console = Console(highlight=False)
    for line in lines:
        console.print(Text(line, style="" if line.startswith(" ") else "bold"), soft_wrap=True)
