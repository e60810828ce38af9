"""Findings grouped for people: one problem per file, rule and column, with its words. Showing them is not here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.compile.expected import expected_words, right_example
from pipelines.compile.exports import field_descriptor, label_of
from pipelines.declarations.roles import REFUSED, TOLD
from pipelines.validate.findings import rows_told
from pipelines.validate.french import rows_text
from pipelines.validate.header import normalise
from pipelines.validate.messages import constraint_of, message_of
from pipelines.validate.privacy import masked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Export, ExportField, Layout
    from pipelines.validate.findings import Finding
    from pipelines.validate.verdict import Verdict

SHOWN_VALUES, LONGEST_VALUE = 3, 60
# Rules about a cell: an example of a right one helps, but where the rule itself says what is expected.
_NO_EXAMPLE = (
    "missing-label", "extra-label", "blank-label", "duplicate-label", "correction-perimee", "blank-row",
    "primary-key", "cle-vide", "poids-nuls", *REFUSED, *TOLD, "formule-sans-valeur", "cellule-fusionnee",
    "erreur-tableur", "pourcentage", "date-en-texte", "lignes-masquees", "colonnes-masquees",
)  # fmt: skip
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

    @property
    def where(self) -> str:
        """The rows, in French: « lignes 12, 45, 98 et 2 997 autres »."""
        return rows_text(self.rows, self.count)

    def descriptor(self) -> dict[str, Any]:
        """Return the problem as plain data, with the French keys of the reports."""
        names = ("fichier", "regle", "contrainte", "colonne", "severite", "nombre", "lignes", "valeurs", "message",
                 "explication", "remede", "attendu", "exemple")  # fmt: skip
        found = dict(zip(names, asdict(self).values(), strict=True))
        return {**found, "lignes": list(self.rows[:100]), "valeurs": list(self.values)}


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
    field = next((item for item in export.fields if normalise(label_of(item, layout)) == normalise(first.column)), None)
    alike = all(item.message == first.message for item in group)
    rows = sorted({row for item in group for row in item.rows})  # of those counted together, the first and the last
    helped = field is not None and first.rule not in _NO_EXAMPLE
    return Problem(
        file, first.rule, constraint_of(first), shown(first.column), first.severity, rows_told(group), tuple(rows),
        _values(group), shown(first.message, 400) if alike else words.title, words.why,
        f"{words.mend}{_or_empty(first.rule, field, export, layout)}",
        expected_words(field, layout) if helped and field else "",
        _example(field, export, layout, year) if helped and field else "",
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
    seen = dict.fromkeys(shown(item.value) for item in group if item.value)
    return tuple(list(seen)[:SHOWN_VALUES])


def _example(field: ExportField, export: Export, layout: Layout, year: int | None) -> str:
    if field.name == export.level.field:
        return next(iter(export.level.values))
    return right_example(field, layout, year if field.name == export.period.field else None)


def shown(value: str, longest: int = LONGEST_VALUE) -> str:
    """Return a value that can be shown on one line: signs that print, and not too many of them."""
    text = "".join(sign if sign.isprintable() or sign in "\u00a0\u202f" else "·" for sign in value)
    return text if len(text) <= longest else text[: longest - 1] + "…"
