"""Verdicts for the terminal of a producer: readable, in French, without any value of a personal column.

Those of frictionless (``--schema``) are grouped for people first.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from pipelines.declarations.statuses import Status
from pipelines.mechanics.french import counted, first_few, number
from pipelines.mechanics.plain_text import one_line, spelled
from pipelines.validate.custom_checks import KNOWN
from pipelines.validate.findings import Finding
from pipelines.validate.grouped_findings import LONGEST_SENTENCE, LONGEST_VALUE, Problem, groups_of, in_words_of_rule
from pipelines.validate.messages import message_of, rule_of, sentence

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
    console.print(title, style="bold")
    for file in verdict.files:
        console.print(one_line(file["fichier"], 200))
        if file.get("feuille"):
            console.print(f"Feuille lue : « {one_line(file['feuille'], 200)} ».")
    style = "bold yellow" if verdict.refused and verdict.state == Status.ACCEPTED else _STYLES[verdict.state]
    why = f". {one_line(verdict.told_producer, 600)}".rstrip(". ")
    console.print(Text.assemble((verdict.state.upper(), style), f"{why}."))
    console.print(
        f"Lignes lues : {number(verdict.rows)} ; acceptées : {number(verdict.accepted)} ; "
        f"refusées : {number(verdict.refused)}"
    )
    _problems(console, problems)
    if published:
        console.print()
        console.print("Ce que deviennent les lignes acceptées", style="bold")
    for item in published:
        console.print(Padding(f"{item['titre']} : {item['publication']}.", (0, 0, 0, 3)))


def show_report(verdict: FileVerdict, name: str, notes: Sequence[str] = (), *, free_order: bool = False) -> None:
    """Print a report in frictionless's format, who judged the cells, and what must be told beside it.

    ``free_order``: whether the columns could be in any order.
    """
    console = _console()
    report = verdict.report
    rows = sum(task["stats"].get("rows") or 0 for task in report["tasks"])
    state = ("VALIDE", "bold green") if report["valid"] else ("NON VALIDE", "bold red")
    counts = f"{counted(rows, 'ligne')}, {counted(report['stats']['errors'], 'erreur')}"
    console.print(Text.assemble(state, f" : {one_line(name, 200)}, {counts}"))
    warnings = [*report["warnings"], *(text for task in report["tasks"] for text in task["warnings"])]
    told = [_WARNING.sub(r"la lecture s'est arrêtée à \1 erreurs (--limit-errors)", warning) for warning in warnings]
    for warning in [*told, *notes]:
        console.print(f"Avertissement : {one_line(warning, LONGEST_SENTENCE)}")
    by_columns = "par colonnes, frictionless pour les cellules douteuses"
    console.print(f"Contrôle {by_columns if verdict.path == 'vectorised' else 'par frictionless seul'}.")
    for error in verdict.encoding_errors[:MOST_PROBLEMS]:
        likely = f", sans doute « {one_line(error.likely, LONGEST_VALUE)} »" if error.likely else ""
        console.print(f"Illisible ligne {error.line}, position {error.column} : {error.found[:16].hex(' ')}{likely}")
    problems = report_problems(report)
    _problems(console, problems)
    if not free_order and any(problem.rule in _OF_HEADERS for problem in problems):
        console.print()
        console.print("Si l'ordre des colonnes est libre, si les facultatives peuvent manquer : --ordre-libre.")


@contextmanager
def rows_counted() -> Iterator[Callable[[int], None]]:
    """Show on the error output, if it is a terminal, how many rows were judged so far."""
    console = Console(stderr=True)
    with console.status("Contrôle du fichier…") as status:
        yield lambda rows: status.update(f"Contrôle du fichier : {number(rows)} lignes…")


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False)


def _problems(console: Console, problems: list[Problem]) -> None:
    for rank, problem in enumerate(problems[:MOST_PROBLEMS], start=1):
        head = f"Colonne « {problem.column} » : {problem.message}" if problem.column else problem.message
        style = "bold red" if problem.severity == "erreur" else "bold yellow"
        console.print()
        console.print(Text.assemble((f"{rank}. ", "bold"), (head, style)))
        for line in _details(problem):
            console.print(Padding(line, (0, 0, 0, 3)))
    if len(problems) > MOST_PROBLEMS:
        console.print()
        console.print(f"… et {counted(len(problems) - MOST_PROBLEMS, 'autre sorte')} de problèmes.")


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


CUSTOM, NOT_A_TEXT = "controle-du-schema", "cellule-pas-texte"
_TEXT_WANTED = 'type is "string/default"'  # any text is one: the cell is of another kind
_NATIVE = (
    (re.compile(r"True|False"), "un booléen (VRAI ou FAUX)"),
    (re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d+)?)?"), "une date"),
    (re.compile(r"(\d+ days?, )?\d{1,2}:\d\d:\d\d(\.\d+)?"), "une heure ou une durée"),
    (re.compile(r"-?\d.*"), "un nombre"),
)
_SHOWN_LABELS = 10
_WARNING = re.compile(r"reached error limit: (\d+)")


def report_problems(report: Mapping[str, Any]) -> list[Problem]:
    """Group the errors of a report as findings are."""
    errors = [*report["errors"], *(error for task in report["tasks"] for error in task["errors"])]
    groups = groups_of(_finding(error) for error in errors)
    return [replace(in_words_of_rule(group), count=len(group)) for group in groups]


def _finding(error: Mapping[str, Any]) -> Finding:
    kind, note = error["type"], error["note"]
    column = str(error.get("fieldName") or error.get("label") or "")
    cell = error.get("cell")
    rule, message = rule_of(kind, note), sentence(kind, note, pattern=True)
    if kind in KNOWN:
        rule, message = CUSTOM, f"{kind} : {note}."
    elif kind.endswith("-label"):
        message = _label_told(error, message)
    elif kind == "type-error" and note == _TEXT_WANTED:
        rule, message = _native_told(str(cell), rule, message)
    elif rule == kind and message == message_of(Finding(rule, message)).title and "#table" not in error["tags"]:
        message = f"{message.rstrip('.')} ({note})."
    return Finding(rule, message, row=error.get("rowNumber"), column=column, value="" if cell is None else str(cell))


def _label_told(error: Mapping[str, Any], message: str) -> str:
    """Say which labels the file has."""
    label, labels = spelled(str(error.get("label") or ""), LONGEST_VALUE), error.get("labels", [])
    if error["type"] == "incorrect-label":
        alike = label.strip().casefold() == str(error.get("fieldName", "")).strip().casefold()
        return f"{message.rstrip('.')} : « {label} »{', écrit autrement' if alike else ''}."
    if error["type"] == "missing-label":
        shown = first_few([f"« {spelled(str(item), LONGEST_VALUE)} »" for item in labels], _SHOWN_LABELS)
        return f"{message.rstrip('.')} ; en-têtes du fichier : {shown}."
    return message


def _native_told(cell: str, rule: str, message: str) -> tuple[str, str]:
    """Say of what kind a cell of a sheet is where a text is wanted."""
    kind = next((word for form, word in _NATIVE if form.fullmatch(cell)), "")
    return (NOT_A_TEXT, f"La cellule est {kind}, alors qu'un texte est attendu.") if kind else (rule, message)
