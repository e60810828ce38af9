"""Declared corrections, applied to text cells before they are judged, each guarded by the value expected there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.validate.findings import EXPIRED, MASKED, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.declarations import Catalogue, Correction
    from pipelines.validate.file_context import FileContext
    from pipelines.validate.verdict import Verdict


def apply_corrections(rows: list[list[str]], places: Mapping[str, int], context: FileContext) -> list[Finding]:
    """Correct the cells in place; return an error per correction that no longer finds the value it expects."""
    findings = []
    for correction in context.corrections:
        index = places.get(correction.field)
        found = [
            row for row in rows
            if index is not None and len(row) > index and row[index].strip() == correction.expected
            and all(_cell(row, places.get(name)) == str(value) for name, value in correction.where.items())
        ]  # fmt: skip
        for row in found:
            assert index is not None  # rows are found only with a column
            row[index] = correction.value
        if not found:
            findings.append(_expired(correction, context))
    return findings


def _cell(row: list[str], index: int | None) -> str | None:
    return row[index].strip() if index is not None and index < len(row) else None


def _expired(correction: Correction, context: FileContext) -> Finding:
    """Say which correction expired, in the labels of the file; its place in the declarations is the value."""
    personal = {field.name for field in context.export.fields if field.personal}
    where = ", ".join(
        f"{context.label(name)} = {MASKED if name in personal else value}" for name, value in correction.where.items()
    )
    column = context.label(correction.field)
    change = MASKED if correction.field in personal else f"« {correction.expected} » → « {correction.value} »"
    return Finding(
        EXPIRED,
        f"La correction déclarée ({where} ; {column} : {change}) ne trouve plus la valeur attendue dans "
        f"{context.file}.",
        column=column,
        value=correction.place,
        year=correction.year,
    )


def correction_states(
    catalogue: Catalogue, network: str, year: int, verdicts: Sequence[Verdict]
) -> list[dict[str, Any]]:
    """Return what became of the corrections of a network-year: ``numero`` (from 1, in the declared order) and state."""
    states = []
    usable = {verdict.export for verdict in verdicts if any(file["lu"] for file in verdict.files)}
    expired = {item.value for verdict in verdicts for _, _, item in verdict.findings if item.rule == EXPIRED}
    for number, correction in enumerate(catalogue.corrections.get(network, ()), start=1):
        if correction.year != year:
            continue
        tried = correction.status == "confirmed" and correction.export in usable
        state = "non appliquée" if not tried else "périmée" if correction.place in expired else "appliquée"
        states.append({"numero": number, "etat": state})
    return states
