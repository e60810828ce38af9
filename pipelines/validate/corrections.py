"""Declared corrections, applied to text cells before they are judged, each guarded by the value expected there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.validate.findings import MASKED, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Correction
    from pipelines.declarations.network import ExportField


def apply_corrections(
    rows: list[list[str]], columns: list[tuple[str, ExportField | None]], corrections: Sequence[Correction], file: str
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
            findings.append(_expired(correction, columns, file))
    return findings


def _cell(row: list[str], index: int | None) -> str | None:
    return row[index].strip() if index is not None and index < len(row) else None


def _expired(correction: Correction, columns: list[tuple[str, ExportField | None]], file: str) -> Finding:
    personal = {field.name for _, field in columns if field is not None and field.personal}
    where = ", ".join(f"{name} = {MASKED if name in personal else value}" for name, value in correction.where.items())
    change = MASKED if correction.field in personal else f"« {correction.expected} » → « {correction.value} »"
    return Finding(
        "correction-perimee",
        f"La correction déclarée ({where} ; {correction.field} : {change}) ne trouve plus la valeur attendue dans "
        f"{file} : supprimez-la, {correction.place}.",
        column=correction.field,
        value=correction.place,
        year=correction.year,
    )
