"""Which columns of an export tell apart what is counted: offices, places, rows. Nothing is judged here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.declarations import Export


def code_fields(export: Export) -> set[str]:
    """Return the fields that hold the code of an office, a place, or a sampled cluster."""
    structure, territory, design = export.structure, export.territory, export.design
    found = (structure and structure.code, territory and territory.field, design and design.clusters)
    return {name for name in found if name}


def identity_fields(export: Export) -> set[str]:
    """Return the fields by which rows are told apart or put together: codes, keys, levels, strata, margins."""
    design = export.design
    margins = {margin.field for item in export.calibration for margin in item.margins}
    found = (*export.key, *margins, export.level.field, design.strata if design else None)
    return code_fields(export) | {name for name in found if name}
