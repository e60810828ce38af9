"""How commands answer: JSON for programs; on terminals alone, how far long work has come. What they say isn't here."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress


_UNPRINTED = re.compile(r"[^ -~\n\u00a0\u202fÀ-ÿ]")


def print_json(content: Any) -> None:
    """Print an answer as JSON: UTF-8 whatever the terminal is set to, and whatever the names of files hold.

    Signs that don't print (bidirectional marks, controls) are written by their code: programs read them the same.
    """
    text = _UNPRINTED.sub(_escaped, json.dumps(content, ensure_ascii=False, indent=1))
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(encoding="utf-8")
    print(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))  # halves of signs alone become U+FFFD


def _escaped(found: re.Match[str]) -> str:
    sign = found[0]
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
    ) as bar:  # fmt: skip
        yield Steps(bar, total)
