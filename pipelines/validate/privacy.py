"""What is kept out of findings: values of columns declared personal, and those that look personal wherever they are.

Only the copy of the refused rows (``annotated``), which goes back to the producer who sent them, holds the cells.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.compile.exports import is_optional, label_of
from pipelines.validate.findings import MASKED, Finding
from pipelines.validate.header import normalise
from pipelines.validate.personal import find_personal, kinds, warning

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pipelines.declarations import Export, Layout
    from pipelines.validate.gathering import Validated

_SHIFTED = ("missing-cell", "extra-cell")
_HEADER = ("missing-label", "extra-label")


def protect(validated: Validated, export: Export, layout: Layout) -> Validated:
    """Return the judgement with its findings masked, and with a warning where personal data seem to be."""
    suspected = find_personal(validated.observations, export, layout) + _in_refused_rows(validated, export, layout)
    findings = masked(validated.findings, export, layout)
    return replace(validated, findings=[*findings, *sorted(suspected, key=lambda item: (item.column, item.row or 0))])


def masked(findings: Iterable[Finding], export: Export, layout: Layout) -> list[Finding]:
    """Return the findings without any personal value. Masking twice changes nothing.

    In a row whose cells are shifted, any cell may be that of a personal column: all of them are masked. In a file
    where no label is known, the labels are the cells of a first row: none is told.
    """
    found = list(findings)
    personal = {normalise(label_of(field, layout)) for field in export.fields if field.personal}
    personal |= {normalise(label) for label in _key_labels(export, layout, personal)}
    shifted = {item.row for item in found if item.rule in _SHIFTED} if personal else set()
    if _headless(found, export, layout):
        found = _without_labels(found)
    return [
        replace(item, value=MASKED, cause="")
        if item.value
        and item.rule != "correction-perimee"
        and (normalise(item.column) in personal or item.row in shifted or kinds(item.value))
        else item
        for item in found
    ]


def _key_labels(export: Export, layout: Layout, personal: Collection[str]) -> list[str]:
    """Return the column that findings on the key name, if it holds a personal one."""
    labels = [label_of(field, layout) for name in export.key if (field := export.field(name))]
    return [", ".join(labels)] if any(normalise(label) in personal for label in labels) else []


def _headless(findings: list[Finding], export: Export, layout: Layout) -> bool:
    needed = {label_of(field, layout) for field in export.fields if not is_optional(field, layout)}
    missing = [item for item in findings if item.rule == "missing-label"]
    # A label that is nearly a declared one, but for its case or a sign that nobody sees, is no cell of a first row.
    return bool(needed) and needed <= {item.column for item in missing} and not any(item.cause for item in missing)


def _without_labels(findings: list[Finding]) -> list[Finding]:
    """Tell once that no label is known: the columns that are missing are all of them, and those seen are cells."""
    told = ("missing-label", "extra-label", "blank-label")
    expected = ", ".join(dict.fromkeys(item.column for item in findings if item.rule == "missing-label"))
    message = (
        "Aucun en-tête attendu n'a été reconnu : la première ligne n'est sans doute pas l'en-tête. "
        f"Colonnes attendues : {expected}."
    )
    return [Finding("unmatched-header", message), *(item for item in findings if item.rule not in told)]


def _in_refused_rows(validated: Validated, export: Export, layout: Layout) -> list[Finding]:
    """Look in the text columns of refused rows too: they aren't among the observations."""
    fields = {normalise(label_of(field, layout)): field for field in export.fields}
    texts = [
        (index, label, fields[label])
        for index, label in enumerate(map(normalise, validated.header))
        if label in fields and fields[label].type == "string" and not fields[label].personal
    ]
    return [
        warning(label_of(field, layout), found, row.number, row.year)
        for row in validated.refused_rows
        for index, _, field in texts
        if index < len(row.cells) and (found := kinds(row.cells[index]))
    ]
