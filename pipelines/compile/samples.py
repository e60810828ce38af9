"""Right cells and rows of an export, by the rules of the domain too: places that exist, levels, weights, answers.

They are invented, for templates and for what producers are told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.compile.expected_cells import first_right, right_example, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.declarations import Export, ExportField, Layout, Level, Territories
    from pipelines.declarations.roles import RowRule

# How codes of places are written, and some that exist in every year.
_FORMS = {
    "departement": re.compile(r"\d{1,2}|2[AB]|97\d"),
    "region": re.compile(r"\d{1,2}"),
    "pilote": re.compile(r"[DR](\d{2,3}|2[AB])|FRANCE"),
}
_PLACES = {"departement": ("30", "01", "2A"), "region": ("11", "84"), "pilote": ("D30", "R84", "FRANCE")}
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_CODES, _NAMES, _WEIGHTS = ("S01", "S1", "1"), ("Accueil",), ("1",)


def cell_example(
    export: Export, field: ExportField, layout: Layout, year: int | None, first: Sequence[str] = ()
) -> str:
    """Return a right cell of a column, of the year if it tells the period; ``first`` are tried before others.

    Nothing where none is known: a text that the rule of the column accepts is no place, nor a level.
    """
    suggested = [*first, *_of_domain(export, field)]
    found = first_right(field, layout, [*_of_the_year(export, field, year), *suggested])
    closed = {export.territory.field if export.territory else None}
    if export.level.otherwise is None:
        closed.add(export.level.field)
    if found or field.name in closed:
        return found
    return right_example(field, layout, year if field.name == export.period.field else None)


def example_rows(
    export: Export, layout: Layout, territories: Territories, year: int, rules: Iterable[RowRule] = ()
) -> list[dict[str, str]]:
    """Return rows of text cells by field, one for each level that the export's rows may have and that can be made.

    ``rules``: what the roles of the columns imply.
    """
    implied = list(rules)
    base = {field.name: cell_example(export, field, layout, year, _implied(field, implied)) for field in export.fields}
    rows = [_row(export, layout, territories, base, written, level) for written, level in _levels(export)]
    return _without_twins(export, [row for row in rows if _is_whole(export, row)])


def territory_codes(export: Export, territories: Territories, level: Level | None = None) -> list[str]:
    """Return every code that the territory column may hold, as the export writes them; ``territories`` of one year.

    Those of one level, if it is given.
    """
    if export.territory is None:
        return []
    kind, wanted = export.territory.codes, "departement" if level == "site" else level
    if kind != "pilote":
        return [place.code for place in territories.territories if place.level == kind and wanted in (None, kind)]
    letters = {"departement": "D", "region": "R"}
    coded = [
        f"{letters[place.level]}{place.code}"
        for place in territories.territories
        if place.level in letters and wanted in (None, place.level)
    ]
    return [*(["FRANCE"] if wanted in (None, "national") else []), *coded]


def _of_domain(export: Export, field: ExportField) -> list[str]:
    """Return the cells that the place of a column in the export suggests, its declared example first."""
    territory, structure = export.territory, export.structure
    own = [] if field.example is None else [shown(field.example)]
    if field.name == export.level.field:
        return own if export.level.otherwise else list(export.level.values)
    if territory and field.name == territory.field:
        return [*(code for code in own if _FORMS[territory.codes].fullmatch(code)), *_PLACES[territory.codes]]
    if structure and field.name == structure.code:
        return [*own, *_CODES]
    if structure and field.name == structure.name:
        return [*own, *_NAMES]
    return [*own, *_WEIGHTS] if field.name == export.weight else []


def _of_the_year(export: Export, field: ExportField, year: int | None) -> list[str]:
    """Return the declared example of a text with the year of the template in the place of its own: R2022-00001."""
    if year is None or field.type != "string" or field.example is None:
        return []
    years = {str(each) for layout in export.layouts for each in layout.years} - {str(year)}
    written = _YEAR.sub(lambda found: str(year) if found[0] in years else found[0], shown(field.example))
    return [written] if written != shown(field.example) else []


def _implied(field: ExportField, rules: Sequence[RowRule]) -> list[str]:
    """Return the values that every rule on the column allows, where they are listed; its declared example first."""
    listed = [
        rule.values for rule in rules if rule.check == "listed" and rule.refuses and rule.columns[0] == field.name
    ]
    if not listed:
        return []
    allowed = [shown(value) for value in listed[0] if all(value in values for values in listed)]
    return sorted(allowed, key=lambda value: field.example is None or value != shown(field.example))


def _row(
    export: Export, layout: Layout, territories: Territories, base: dict[str, str], written: str | None, level: Level
) -> dict[str, str]:
    row = dict(base)
    if written is not None and export.level.field:
        row[export.level.field] = written
    place = export.field(export.territory.field) if export.territory else None
    if place is not None and level in ("site", "departement", "region"):
        codes = territory_codes(export, territories, level)
        row[place.name] = first_right(place, layout, [code for code in (base[place.name],) if code in codes] + codes)
        if not row[place.name] and level != "site":
            row.clear()  # no row of that level can be made
    elif place is not None and export.territory and export.territory.codes == "pilote":
        row[place.name] = "FRANCE"
    if level == "site" and export.structure and not row.get(export.structure.code):
        row.clear()
    return row


def _levels(export: Export) -> list[tuple[str | None, Level]]:
    found: list[tuple[str | None, Level]] = list(export.level.values.items())
    return [*found, (None, export.level.otherwise)] if export.level.otherwise else found


def _is_whole(export: Export, row: dict[str, str]) -> bool:
    """Whether a row was made, and has all that every row must have."""
    needed = {field.name for field in export.fields if field.constraints.required} | set(export.key)
    if export.period.field:
        needed.add(export.period.field)
    return bool(row) and all(row[name] for name in needed)


def _without_twins(export: Export, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Keep the first row of each key, and of each value that may not be repeated."""
    kept: list[dict[str, str]] = []
    keys = [export.key] if export.key else []
    keys += [(field.name,) for field in export.fields if field.constraints.unique]
    for row in rows:
        if not any(all(row[name] == other[name] for name in key) for key in keys for other in kept):
            kept.append(row)
    return kept
