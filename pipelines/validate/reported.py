"""A report in frictionless's format → problems grouped for people, in French. Showing them is not here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipelines.mechanics.french import first_few
from pipelines.mechanics.plain_text import one_line, spelled
from pipelines.validate.custom_checks import KNOWN
from pipelines.validate.findings import Finding
from pipelines.validate.messages import constraint_of, message_of, rule_of, sentence
from pipelines.validate.problems import LONGEST_SENTENCE, LONGEST_VALUE, SHOWN_VALUES, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for error in [*report["errors"], *(error for task in report["tasks"] for error in task["errors"])]:
        found = _finding(error)
        groups.setdefault((found.rule, constraint_of(found), found.column), []).append(found)
    return [_grouped(group) for group in groups.values()]


def report_warnings(report: Mapping[str, Any]) -> list[str]:
    """Return the warnings of a report, in French."""
    found = [*report["warnings"], *(text for task in report["tasks"] for text in task["warnings"])]
    return [_WARNING.sub(r"la lecture s'est arrêtée à \1 erreurs (--limit-errors)", text) for text in found]


def _finding(error: Mapping[str, Any]) -> Finding:
    kind, note = error["type"], error["note"]
    column = str(error.get("fieldName") or error.get("label") or "")
    cell = error.get("cell")
    rule, message = rule_of(kind, note), sentence(kind, note)
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


def _grouped(group: list[Finding]) -> Problem:
    first, words = group[0], message_of(group[0])
    rows = tuple(sorted({item.row for item in group if item.row is not None}))
    values = dict.fromkeys(spelled(item.value, LONGEST_VALUE) for item in group if item.value)
    alike = all(item.message == first.message for item in group)
    message = one_line(first.message, LONGEST_SENTENCE) if alike else words.title
    return Problem(
        "", first.rule, constraint_of(first), one_line(first.column), "erreur", len(group), rows,
        tuple(list(values)[:SHOWN_VALUES]), message, words.why, words.mend, "", "",
    )  # fmt: skip
