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
from pipelines.validate.findings import rows_told
from pipelines.validate.header import fields_by_label
from pipelines.validate.hints import mend_of
from pipelines.validate.messages import UNREADABLE, constraint_of, message_of
from pipelines.validate.personal import masked

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        names = ("fichier", "regle", "contrainte", "colonne", "severite", "nombre", "lignes", "valeurs", "message",
                 "explication", "remede", "attendu", "exemple", "causes")  # fmt: skip
        found = dict(zip(names, asdict(self).values(), strict=True))
        return {**found, "lignes": list(self.rows[:100]), "valeurs": list(self.values), "causes": list(self.causes)}


def grouped(verdict: Verdict, export: Export, layout: Layout, year: int | None) -> list[Problem]:
    """Return the problems of an export, errors first, then in the order of the file."""
    by_file: dict[str, list[Finding]] = {}
    for file, _, finding in verdict.findings:
        by_file.setdefault(file, []).append(finding)
    problems = []
    for file, findings in by_file.items():
        groups: dict[tuple[str, str, str, bool], list[Finding]] = {}
        for item in once_a_row(masked(findings, export, layout)):
            groups.setdefault((item.rule, constraint_of(item), item.column, item.row is None), []).append(item)
        problems += [_problem(file, group, export, layout, year) for group in groups.values()]
    return sorted(problems, key=lambda item: (item.severity != "erreur", item.file, item.rows[:1], item.column))


def once_a_row(findings: list[Finding]) -> list[Finding]:
    """Tell a short or blank row once: not every cell that it lacks, nor the rules that these cells would break."""
    short = {item.row for item in findings if item.rule == "missing-cell"}
    blank = {item.row for item in findings if item.rule == "blank-row"}
    told: set[int | None] = set()
    kept = []
    for item in findings:
        if item.rule == "missing-cell":
            if item.row not in told:
                kept.append(replace(item, column="", value=""))
            told.add(item.row)
        elif item.row in blank and item.rule != "blank-row":
            continue
        elif item.row not in short or constraint_of(item) != "required":
            kept.append(item)
    return kept


def _problem(file: str, group: Sequence[Finding], export: Export, layout: Layout, year: int | None) -> Problem:
    first, words = group[0], message_of(group[0])
    field = fields_by_label(export, layout).get(one_writing(first.column))
    alike = all(item.message == first.message for item in group)
    rows = sorted({row for item in group for row in item.rows})  # of those counted together, the first and the last
    helped = field is not None and words.example
    shows = helped and not all("écrivez «" in item.cause for item in group)  # what to write is told by each cause
    message = one_line(first.message, LONGEST_SENTENCE) if alike else words.title
    mend = mend_of(item.cause for item in group) or f"{words.mend}{_or_empty(first.rule, field, export, layout)}"
    if first.rule in UNREADABLE and first.severity == "erreur" and alike:
        told, _, action = message.partition(". ")
        message, mend = (f"{told.rstrip('.')}.", action or mend)
    return Problem(
        one_line(file, 200), first.rule, constraint_of(first), one_line(first.column), first.severity,
        rows_told(group), tuple(rows), _values(group), message, words.why,
        mend,
        expected_words(field, layout) if helped and field else "",
        cell_example(export, field, layout, year) if shows and field else "", causes_of(group),
    )  # fmt: skip


def _or_empty(rule: str, field: ExportField | None, export: Export, layout: Layout) -> str:
    """Say that a cell may be left empty, where it may: no rule of the column, key or place needs it."""
    if rule not in _UNKNOWN or field is None or field.constraints.required:
        return ""
    territory, structure = export.territory, export.structure
    needed = {export.period.field, export.level.field, territory and territory.field, structure and structure.code}
    missing = field_descriptor(field, layout).get("missingValues", [""])
    free = field.name not in {*export.key, *needed} and "" in missing
    return " Laissez la cellule vide si la valeur est inconnue." if free else ""


def _values(group: Sequence[Finding]) -> tuple[str, ...]:
    if group[0].rule == "correction-perimee" or constraint_of(group[0]) == "required":
        return ()  # a place in the declarations, or nothing
    seen = dict.fromkeys(spelled(item.value, LONGEST_VALUE) for item in group if item.value)
    return tuple(list(seen)[:SHOWN_VALUES])


def causes_of(group: Sequence[Finding]) -> tuple[str, ...]:
    """Return what is wrong with the first values and how to write them, one of each kind before the others."""
    kinds: dict[str, str] = {}
    every: dict[str, None] = {}
    for item in group:
        kind = _QUOTED.sub("", item.cause)
        if item.cause and (kind not in kinds or len(every) < SHOWN_VALUES):
            seen = f"« {spelled(item.value, LONGEST_VALUE)} » : " if item.value else ""
            told = f"{seen}{one_line(item.cause, LONGEST_SENTENCE)}"
            kinds.setdefault(kind, told)
            every.setdefault(told)
    first = list(kinds.values())[:SHOWN_CAUSES]
    return tuple([*first, *(told for told in every if told not in first)][: max(len(first), SHOWN_VALUES)])
