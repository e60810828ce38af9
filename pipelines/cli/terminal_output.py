"""How commands end and answer: an exit code, one French sentence of what stops them, JSON for programs, tables.

On terminals alone, how far long work has come. What is said isn't here.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.progress import Progress

    from pipelines.operations.doctor import Reading
    from pipelines.portal.site import BuiltSite

_STYLES = {"ignoré": "dim", "bon": "green", "avertissement": "yellow", "panne": "bold red"}  # the worst last
_UNPRINTED = re.compile(r"[^ -~\n\u00a0\u202fÀ-ÿ]")


class Exit(IntEnum):
    """How a command ended: done; refused, or something is wrong; misused, or nothing could be told."""

    DONE = 0
    REFUSED = 1
    USAGE = 2


class StoppedError(Exception):
    """What stops a command: a French sentence, empty when people were told already, and the exit code."""

    def __init__(self, message: object = "", code: Exit = Exit.USAGE) -> None:
        self.code = code
        super().__init__(str(message))


def tell(message: object) -> None:
    """Print what is to be known beside the answer, in French, on the error stream."""
    print(f"resultats : {message}", file=sys.stderr)


def tell_left_out(built: BuiltSite | None) -> None:
    """Print what the site had to be made without, if anything."""
    for line in built.left_out if built else ():
        tell(line)


def not_written(folder: object, error: OSError) -> StoppedError:
    """Return what stops a command that can't write in a folder."""
    from pipelines.mechanics.machine_faults import machine_fault

    return StoppedError(f"impossible d'écrire dans {folder} : {machine_fault(error) or error.strerror}")


def print_json(content: Any) -> None:
    """Print an answer as JSON: UTF-8 whatever the terminal is set to, and whatever the names of files hold.

    Signs that don't print (bidirectional marks, controls) are written by their code: programs read them the same.
    """
    text = _UNPRINTED.sub(_escaped, json.dumps(content, ensure_ascii=False, indent=1))
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(encoding="utf-8")
    print(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))  # halves of signs alone become U+FFFD


def answer(content: Any, *lines: str, as_json: bool) -> None:
    """Print the answer of a command as it was asked for: JSON, or French lines."""
    if as_json:
        print_json(content)
    else:
        for line in lines:
            print(line)


def _escaped(match: re.Match[str]) -> str:
    sign = match[0]
    return sign if sign.isprintable() or "\ud800" <= sign <= "\udfff" else json.dumps(sign)[1:-1]


class Steps:
    """A bar of steps: called with what begins, which ends what was going on."""

    def __init__(self, bar: Progress, total: int | None) -> None:
        self._bar, self._begun = bar, False
        self._task = bar.add_task("", total=total)

    def __call__(self, message: str) -> None:
        """Show what begins (French)."""
        self._bar.update(self._task, advance=int(self._begun), description=message)
        self._begun = True

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to a question."""
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()


@contextmanager
def steps(total: int | None = None) -> Iterator[Steps]:
    """Show the steps of long work on the error stream when it is a terminal; ``total``: how many, when it is known."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False, markup=False)
    counted = (BarColumn(bar_width=20), MofNCompleteColumn()) if total else ()
    columns = (SpinnerColumn(), *counted, TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal, redirect_stdout=False
    ) as bar:
        yield Steps(bar, total)


def show_findings(findings: Sequence[Reading]) -> None:
    """Show first whether anything is to be done, then the findings of ``doctor``, one a line, the worst first.

    What to do is below those that need it; what wasn't asked for is named in one line.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(_verdict(findings), style="bold")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for _ in ("subject", "state", "message"):
        table.add_column(overflow="fold")  # a path is told whole
    for item in sorted(findings, key=lambda reading: list(_STYLES)[::-1].index(reading.state)):
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
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for line in lines:
        console.print(Text(line, style="" if line.startswith(" ") else "bold"), soft_wrap=True)
