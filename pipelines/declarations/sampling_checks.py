"""What must hold in the declared sampling of an export: design, margins, years.

Each fault is a key of the export and its words, in French.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.declarations.network import Export
    from pipelines.declarations.yaml_source import Path


def sampling_faults(export: Export) -> Iterator[tuple[Path, str]]:
    """Yield the faults of a design or a calibration: of a census, of a column that may be blank, of a disputed year."""
    if not export.sampled:
        for key in ("design", "calibration"):
            if getattr(export, key):
                yield (key,), "n'a de sens que pour un échantillon (kind: survey, ou collection: sample)"
    for column in export.design.columns if export.design else ():
        field = export.field(column)
        if field and not field.constraints.required:
            yield ("design",), f"le champ {column} du plan de sondage doit être « required »"
    claimed = Counter(year for item in export.calibration for year in item.years)
    for year, count in sorted(claimed.items()):
        if count > 1:
            yield ("calibration",), f"{count} calages se disputent l'année {year}"
    yield from _margin_faults(export)


def _margin_faults(export: Export) -> Iterator[tuple[Path, str]]:
    """Yield the categories that a margin and the list of values of its field do not share."""
    for index, item in enumerate(export.calibration):
        for rank, margin in enumerate(item.margins):
            field = export.field(margin.field)
            allowed = {str(value) for value in (field.constraints.enum or ()) if field} if field else set()
            for word in sorted(set(margin.fractions) ^ allowed) if allowed else ():
                side = "n'a pas de marge" if word in allowed else f"n'est pas une valeur du champ {margin.field}"
                yield ("calibration", index, "margins", rank), f"la catégorie « {word} » {side}"
