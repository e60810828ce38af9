"""Verdicts for the terminal of a producer: readable, in French, without any value of a personal column."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from pipelines.declarations.status import Status
from pipelines.mechanics.french import counted, number
from pipelines.mechanics.plain_text import one_line
from pipelines.validate.problems import LONGEST_SENTENCE, LONGEST_VALUE, Problem
from pipelines.validate.reported import report_problems, report_warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipelines.tabular import FileVerdict
    from pipelines.validate.verdict import Verdict

MOST_PROBLEMS = 40
_OF_HEADERS = ("incorrect-label", "missing-label", "extra-label")
_STYLES = {Status.ACCEPTED: "bold green", Status.REFUSED: "bold red", Status.NOT_HANDED_OVER: "bold red"}


def show_verdict(
    verdict: Verdict, problems: list[Problem], title: str, published: Sequence[Mapping[str, str]] = ()
) -> None:
    """Print the verdict on an export, its problems grouped, and what its rows become (``titre``, ``publication``)."""
    console = _console()
    console.print(Text(title, "bold"))
    for file in verdict.files:
        console.print(Text(f"{one_line(file['fichier'], 200)}, sha256 {file['sha256'][:12]}…"))
        if file.get("feuille"):
            console.print(Text(f"Feuille lue : « {one_line(file['feuille'], 200)} »."))
        if file["controle"]:
            console.print(Text(judged_by(file["controle"])))
    style = _STYLES[verdict.state] if not verdict.refused or verdict.state != Status.ACCEPTED else "bold yellow"
    console.print(
        Text.assemble((verdict.state.upper(), style), f". {one_line(verdict.told_producer, 600)}".rstrip(". ") + ".")
    )
    console.print(Text(
        f"Lignes lues : {number(verdict.rows)} ; acceptées : {number(verdict.accepted)} ; "
        f"refusées : {number(verdict.refused)}"
    ))  # fmt: skip
    _problems(console, problems)
    if published:
        console.print()
        console.print(Text("Ce que deviennent les lignes acceptées", "bold"))
    for item in published:
        console.print(Padding(Text(f"{item['titre']} : {item['publication']}."), (0, 0, 0, 3)))


def show_report(verdict: FileVerdict, name: str, notes: Sequence[str] = (), *, free_order: bool = False) -> None:
    """Print a report in frictionless's format, who judged the cells, and what must be told beside it.

    ``free_order``: whether the columns could be in any order.
    """
    console = _console()
    report = verdict.report
    rows = sum(task["stats"].get("rows") or 0 for task in report["tasks"])
    state = ("VALIDE", "bold green") if report["valid"] else ("NON VALIDE", "bold red")
    told = f" : {one_line(name, 200)}, {counted(rows, 'ligne')}, {counted(report['stats']['errors'], 'erreur')}"
    console.print(Text.assemble(state, told))
    for warning in [*report_warnings(report), *notes]:
        console.print(Text(f"Avertissement : {one_line(warning, LONGEST_SENTENCE)}"))
    console.print(Text(judged_by(verdict.path)))
    for error in verdict.encoding_errors[:MOST_PROBLEMS]:
        likely = f", sans doute « {one_line(error.likely, LONGEST_VALUE)} »" if error.likely else ""
        console.print(
            Text(f"Illisible ligne {error.line}, position {error.column} : {error.found[:16].hex(' ')}{likely}")
        )
    problems = report_problems(report)
    _problems(console, problems)
    if not free_order and any(problem.rule in _OF_HEADERS for problem in problems):
        console.print()
        console.print(Text("Si l'ordre des colonnes est libre, si les facultatives peuvent manquer : --ordre-libre."))


@contextmanager
def rows_counted() -> Iterator[Callable[[int], None]]:
    """Show on the error output, if it is a terminal, how many rows were judged so far."""
    console = Console(stderr=True)
    with console.status("Contrôle du fichier…") as status:
        yield lambda rows: status.update(f"Contrôle du fichier : {number(rows)} lignes…")


def judged_by(path: str) -> str:
    """Say in French who judged the cells of a file."""
    if path == "vectorised":
        return "Contrôle par colonnes, frictionless pour les cellules douteuses."
    return "Contrôle par frictionless seul."


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False)


def _problems(console: Console, problems: list[Problem]) -> None:
    for rank, problem in enumerate(problems[:MOST_PROBLEMS], start=1):
        head = f"Colonne « {problem.column} » : {problem.message}" if problem.column else problem.message
        style = "bold red" if problem.severity == "erreur" else "bold yellow"
        console.print()
        console.print(Text.assemble((f"{rank}. ", "bold"), (head, style)))
        for line in _details(problem):
            console.print(Padding(Text(line), (0, 0, 0, 3)))
    if len(problems) > MOST_PROBLEMS:
        console.print()
        console.print(Text(f"… et {counted(len(problems) - MOST_PROBLEMS, 'autre sorte')} de problèmes."))


def _details(problem: Problem) -> list[str]:
    times = f"{number(problem.count)} fois, " if problem.count > 1 and problem.rows else ""
    seen = f" ; vu : {', '.join(f'« {value} »' for value in problem.unexplained)}" if problem.unexplained else ""
    lines = [f"{times}{problem.where}{seen}".strip(" ;")] if problem.where or seen else []
    lines += [f"Cause : {cause}." for cause in problem.causes]
    lines.append(f"Que faire : {problem.mend}")
    if problem.expected:
        lines.append(f"Attendu : {problem.expected}.")
    if problem.example:
        lines.append(f"Par exemple : « {problem.example} ».")
    return lines
