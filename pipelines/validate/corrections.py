"""Declared corrections, applied to text cells before they are judged, each guarded by the value expected there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.compile.exports import label_of
from pipelines.validate.findings import EXPIRED, MASKED, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Catalogue, Correction, Export, ExportField, Layout
    from pipelines.validate.verdict import Verdict


def apply_corrections(
    rows: list[list[str]],
    columns: list[tuple[str, ExportField | None]],
    corrections: Sequence[Correction],
    export: Export,
    layout: Layout,
    file: str,
) -> list[Finding]:
    """Correct the cells in place; return an error per correction that no longer finds the value it expects."""
    places = {field.name: index for index, (_, field) in enumerate(columns) if field is not None}
    findings = []
    for correction in corrections:
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
            findings.append(_expired(correction, export, layout, file))
    return findings


def _cell(row: list[str], index: int | None) -> str | None:
    return row[index].strip() if index is not None and index < len(row) else None


def _expired(correction: Correction, export: Export, layout: Layout, file: str) -> Finding:
    """Say which correction expired, in the labels of the file; its place in the declarations is the value."""
    labels = {field.name: label_of(field, layout) for field in export.fields}
    personal = {field.name for field in export.fields if field.personal}
    where = ", ".join(
        f"{labels.get(name, name)} = {MASKED if name in personal else value}"
        for name, value in correction.where.items()
    )
    column = labels.get(correction.field, correction.field)
    change = MASKED if correction.field in personal else f"« {correction.expected} » → « {correction.value} »"
    return Finding(
        EXPIRED,
        f"La correction déclarée ({where} ; {column} : {change}) ne trouve plus la valeur attendue dans {file}.",
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
