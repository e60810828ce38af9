"""Findings grouped for people: one problem per file, rule and column, with its words. Showing them is not here."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.compile.expected_cells import cell_example, expected_words
from pipelines.compile.exports import field_descriptor
from pipelines.mechanics.french import rows_text
from pipelines.mechanics.plain_text import one_line, spelled
from pipelines.mechanics.spelling import one_writing
from pipelines.validate.coordinates import place_fields
from pipelines.validate.findings import EXPIRED, rows_told
from pipelines.validate.header import fields_by_label
from pipelines.validate.messages import UNREADABLE, constraint_of, mend_of, message_of
from pipelines.validate.personal import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.declarations import Export, ExportField, Layout
    from pipelines.validate.findings import Finding
    from pipelines.validate.verdict import Verdict

SHOWN_VALUES, SHOWN_CAUSES = 3, 5
LONGEST_VALUE, LONGEST_SENTENCE = 60, 400
_QUOTED = re.compile("«[^»]*»")
_UNKNOWN = ("type-error", "nombre-impossible")  # rules that a value not known may have broken


@dataclass(frozen=True)
class Problem:
    """All that is alike in a file: the rule, the column, how many times, where, what was seen, how to mend it."""

    file: str
    rule: str
    constraint: str
    column: str
    severity: str
    count: int
    rows: tuple[int, ...]
    values: tuple[str, ...]
    message: str
    why: str
    mend: str
    expected: str
    example: str
    causes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The rows, in French: « lignes 12, 45, 98 et 2 997 autres »."""
        return rows_text(self.rows, self.count)

    @property
    def unexplained(self) -> list[str]:
        """The values seen that no cause quotes."""
        return [value for value in self.values if not any(cause.startswith(f"« {value} »") for cause in self.causes)]

    def descriptor(self) -> dict[str, Any]:
        """Return the problem as plain data, with the French keys of the reports."""
        names = (
            "fichier",
            "regle",
            "contrainte",
            "colonne",
            "severite",
            "nombre",
            "lignes",
            "valeurs",
            "message",
            "explication",
            "remede",
            "attendu",
            "exemple",
            "causes",
        )
        described = dict(zip(names, asdict(self).values(), strict=True))
        lists = {"lignes": list(self.rows[:100]), "valeurs": list(self.values), "causes": list(self.causes)}
        return described | lists


def grouped(verdict: Verdict, export: Export, layout: Layout, year: int | None) -> list[Problem]:
    """Return the problems of an export, errors first, then in the order of the file."""
    by_file: dict[str, list[Finding]] = {}
    for file, _, finding in verdict.findings:
        by_file.setdefault(file, []).append(finding)
    problems = []
    for file, findings in by_file.items():
        groups = groups_of(once_a_row(masked(findings, export, layout)))
        problems += [_problem(file, group, export, layout, year) for group in groups]
    return sorted(
        problems, key=lambda problem: (problem.severity != "erreur", problem.file, problem.rows[:1], problem.column)
    )


def groups_of(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Return findings that are alike together: of one rule and column, of rows or of the whole file."""
    groups: dict[tuple[str, str, str, bool], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.rule, constraint_of(finding), finding.column, finding.row is None), []).append(
            finding
        )
    return list(groups.values())


def once_a_row(findings: list[Finding]) -> list[Finding]:
    """Tell a short or blank row once: not every cell that it lacks, nor the rules that these cells would break."""
    short = {finding.row for finding in findings if finding.rule == "missing-cell"}
    blank = {finding.row for finding in findings if finding.rule == "blank-row"}
    done: set[int | None] = set()
    once = []
    for finding in findings:
        if finding.rule == "missing-cell":
            if finding.row not in done:
                once.append(replace(finding, column="", value=""))
            done.add(finding.row)
        elif finding.row in blank and finding.rule != "blank-row":
            continue
        elif finding.row not in short or constraint_of(finding) != "required":
            once.append(finding)
    return once


def in_words_of_rule(group: Sequence[Finding], file: str = "") -> Problem:
    """Return the problem that findings alike are, without what the declaration of its column adds."""
    first, words = group[0], message_of(group[0])
    alike = all(finding.message == first.message for finding in group)
    message = one_line(first.message, LONGEST_SENTENCE) if alike else words.title
    rows = sorted(
        {row for finding in group for row in finding.rows}
    )  # of those counted together, the first and the last
    values = dict.fromkeys(spelled(finding.value, LONGEST_VALUE) for finding in group if finding.value)
    return Problem(
        one_line(file, 200),
        first.rule,
        constraint_of(first),
        one_line(first.column),
        first.severity,
        rows_told(group),
        tuple(rows),
        tuple(values)[:SHOWN_VALUES],
        message,
        words.why,
        words.mend,
        "",
        "",
    )


def _problem(file: str, group: Sequence[Finding], export: Export, layout: Layout, year: int | None) -> Problem:
    first, problem = group[0], in_words_of_rule(group, file)
    field = fields_by_label(export, layout).get(one_writing(first.column))
    message = problem.message
    mend = (
        mend_of(finding.cause for finding in group) or f"{problem.mend}{_or_empty(first.rule, field, export, layout)}"
    )
    if first.rule in UNREADABLE and first.severity == "erreur" and message != message_of(first).title:
        what, _, action = message.partition(". ")
        message, mend = f"{what.rstrip('.')}.", action or mend
    # A place in the declarations, or nothing, is no value; what to write may be told by each cause.
    values = () if first.rule == EXPIRED or problem.constraint == "required" else problem.values
    helped = field if message_of(first).example else None
    shows = not all("écrivez «" in finding.cause for finding in group)
    return replace(
        problem,
        values=values,
        message=message,
        mend=mend,
        causes=_causes_of(group),
        expected=expected_words(helped, layout) if helped else "",
        example=cell_example(export, helped, layout, year) if helped and shows else "",
    )


def _or_empty(rule: str, field: ExportField | None, export: Export, layout: Layout) -> str:
    """Say that a cell may be left empty, where it may: no rule of the column, key or place needs it."""
    if rule not in _UNKNOWN or field is None or field.constraints.required:
        return ""
    needed = {*export.key, *place_fields(export), export.period.field, export.level.field}
    is_free = field.name not in needed and "" in field_descriptor(field, layout).get("missingValues", [""])
    return " Laissez la cellule vide si la valeur est inconnue." if is_free else ""


def _causes_of(group: Sequence[Finding]) -> tuple[str, ...]:
    """Return what is wrong with the first values and how to write them, one of each kind before the others."""
    kinds: dict[str, str] = {}
    every: dict[str, None] = {}
    for finding in group:
        kind = _QUOTED.sub("", finding.cause)
        if finding.cause and (kind not in kinds or len(every) < SHOWN_VALUES):
            value = f"« {spelled(finding.value, LONGEST_VALUE)} » : " if finding.value else ""
            cause = f"{value}{one_line(finding.cause, LONGEST_SENTENCE)}"
            kinds.setdefault(kind, cause)
            every.setdefault(cause)
    first = list(kinds.values())[:SHOWN_CAUSES]
    others = [cause for cause in every if cause not in first]
    return tuple([*first, *others][: max(len(first), SHOWN_VALUES)])
