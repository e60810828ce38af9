"""Example rows of an export, right in its layout and year, on known territories. Invented, for templates only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.compile.expected import right_example

if TYPE_CHECKING:
    from pipelines.declarations import Export, Layout, Level, Territories


def example_rows(export: Export, layout: Layout, territories: Territories, year: int) -> list[dict[str, str]]:
    """Return rows of text cells by field: one for each level that the export's rows may have."""
    base = {
        field.name: right_example(field, layout, year if field.name == export.period.field else None)
        for field in export.fields
    }
    rows = []
    for written, level in _levels(export):
        row = dict(base)
        if written is not None and export.level.field:
            row[export.level.field] = written
        if export.territory is not None:
            row[export.territory.field] = _territory(export, territories, level) or row[export.territory.field]
        rows.append(row)
    return _without_twins(export, rows)


def territory_codes(export: Export, territories: Territories) -> list[str]:
    """Return every code that the territory column may hold, as the export writes them; ``territories`` of one year."""
    if export.territory is None:
        return []
    kind = export.territory.codes
    if kind != "pilote":
        return [place.code for place in territories.territories if place.level == kind]
    letters = {"departement": "D", "region": "R"}
    coded = [f"{letters[place.level]}{place.code}" for place in territories.territories if place.level in letters]
    return ["FRANCE", *coded]


def _levels(export: Export) -> list[tuple[str | None, Level]]:
    found: list[tuple[str | None, Level]] = list(export.level.values.items())
    return [*found, (None, export.level.otherwise)] if export.level.otherwise else found


def _territory(export: Export, territories: Territories, level: Level) -> str | None:
    """Return a code of that level, or None to leave the declared example (it is of the only level there is)."""
    if export.territory is None or export.territory.codes != "pilote":
        return None
    if level == "national":
        return "FRANCE"
    wanted = "region" if level == "region" else "departement"
    code = next((place.code for place in territories.territories if place.level == wanted), None)
    return f"{wanted[0].upper()}{code}" if code else None


def _without_twins(export: Export, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Keep the first row of each key, and of each value that may not be repeated."""
    kept: list[dict[str, str]] = []
    keys = [export.key] if export.key else []
    keys += [(field.name,) for field in export.fields if field.constraints.unique]
    for row in rows:
        if not any(all(row[name] == other[name] for name in key) for key in keys for other in kept):
            kept.append(row)
    return kept
