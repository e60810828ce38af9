"""Declared export → what its cells must hold, in French, and right cells and rows of it. No file is read here.

Rows are right by the rules of the domain too: places that exist, levels, weights, answers. They are invented.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

import frictionless

from pipelines.compile.exports import date_pattern, field_descriptor
from pipelines.mechanics.durations import SECONDS, duration_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipelines.declarations import Export, ExportField, Layout, Level, Territories
    from pipelines.declarations.roles import RowRule
    from pipelines.declarations.strict_model import Constraints

# Every type of frictionless, in words.
TYPE_WORDS = {
    "any": "valeur quelconque",
    "array": "tableau JSON",
    "boolean": "oui ou non",
    "date": "date",
    "datetime": "date et heure",
    "duration": "durée",
    "geojson": "objet GeoJSON",
    "geopoint": "coordonnées",
    "integer": "nombre entier",
    "list": "liste",
    "number": "nombre",
    "object": "objet JSON",
    "string": "texte",
    "time": "heure",
    "year": "année sur quatre chiffres",
    "yearmonth": "mois",
}
_DATE_PARTS = {"%d": "JJ", "%m": "MM", "%Y": "AAAA", "%y": "AA", "%H": "HH", "%M": "MM", "%S": "SS"}
_SOME_YEAR = 2024
# How codes of places are written, and some that exist in every year.
_FORMS = {
    "departement": re.compile(r"\d{1,2}|2[AB]|97\d"),
    "region": re.compile(r"\d{1,2}"),
    "pilote": re.compile(r"[DR](\d{2,3}|2[AB])|FRANCE"),
}
_PLACES = {"departement": ("30", "01", "2A"), "region": ("11", "84"), "pilote": ("D30", "R84", "FRANCE")}
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_CODES, _NAMES, _WEIGHTS = ("S01", "S1", "1"), ("Accueil",), ("1",)


def date_form(pattern: str) -> str:
    """Return a date pattern in words: ``%d/%m/%Y`` is JJ/MM/AAAA, and the default AAAA-MM-JJ."""
    written = "%Y-%m-%d" if pattern == "default" else pattern
    for code, word in _DATE_PARTS.items():
        written = written.replace(code, word)
    return written


def type_words(kind: str, pattern: str = "default") -> str:
    """Return a type and its format in words: « date écrite JJ/MM/AAAA »."""
    word = TYPE_WORDS.get(kind, kind)
    if kind == "date":
        return f"{word} écrite {date_form(pattern)}"
    return word if pattern == "default" else f"{word} ({pattern})"


def expected_words(field: ExportField, layout: Layout) -> str:
    """Say in French what a cell of the field must hold in that layout."""
    descriptor = field_descriptor(field, layout)
    words = [type_words(field.type, descriptor.get("duration", descriptor.get("format", "default")))]
    if field.type == "number" and descriptor["decimalChar"] == ",":
        words.append("décimales après une virgule")
    if field.type == "boolean" and "trueValues" in descriptor:
        words.append(" ou ".join([*descriptor["trueValues"], *descriptor.get("falseValues", [])]))
    absences = [code for code in descriptor.get("missingValues", []) if code]
    if absences:
        words.append(f"ou {', '.join(absences)} si la valeur manque")
    limits = allowed_values(field.constraints, field.readable_format or "d'une forme précise")
    required = ["obligatoire" if field.constraints.required else "facultatif"]
    return " ; ".join([*words, *([limits] if limits else []), *required])


def allowed_values(limits: Constraints, form: str | None = None) -> str | None:
    """Say in French which values are permitted, None when all are; ``form``: what the pattern wants, in words."""
    parts = []
    if limits.enum is not None:
        parts.append(" | ".join(shown(item) for item in limits.enum))
    if limits.minimum is not None:
        parts.append(f"au moins {limits.minimum}")
    if limits.maximum is not None:
        parts.append(f"au plus {limits.maximum}")
    if limits.min_length is not None:
        parts.append(f"au moins {limits.min_length} caractères")
    if limits.max_length is not None:
        parts.append(f"au plus {limits.max_length} caractères")
    if limits.pattern is not None:
        parts.append(form or f"de la forme {limits.pattern}")
    if limits.unique:
        parts.append("sans doublon")
    return " ; ".join(parts) or None


def shown(value: object) -> str:
    """Return a declared value as text; booleans as YAML writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def right_example(field: ExportField, layout: Layout, year: int | None = None) -> str:
    """Return a cell that the field accepts, written as the layout writes it; dates fall in ``year``.

    It is the declared example when that one is right, else one made from type and constraints; empty when none can be
    made (a pattern without an example).
    """
    return first_right(field, layout, _candidates(field, field_descriptor(field, layout), year))


def first_right(field: ExportField, layout: Layout, candidates: Iterable[str]) -> str:
    """Return the first of some cells that the field accepts in that layout; empty when none is right."""
    judge = frictionless.Field.from_descriptor(field_descriptor(field, layout))
    for candidate in candidates:
        value, notes = judge.read_cell(candidate)
        if not notes and value is not None:
            return candidate
    return ""


def _candidates(field: ExportField, descriptor: Mapping[str, Any], year: int | None) -> Iterator[str]:
    if field.type == "date":
        yield _date_example(field, descriptor, year)
    elif field.type == "year":
        yield str(year or field.example or _SOME_YEAR)
    for value in (field.example, *(field.constraints.enum or ()), *_made(field, descriptor)):
        if value is None:
            continue
        text = shown(value)
        if field.type == "duration" and isinstance(value, int | float):
            length = datetime.timedelta(seconds=value * SECONDS[str(field.unit)])
            text = duration_text(length, descriptor["duration"])
        elif field.type == "number":
            text = text.replace(".", descriptor["decimalChar"])
        yield text


def _made(field: ExportField, descriptor: Mapping[str, Any]) -> list[Any]:
    limits = field.constraints
    if field.type == "boolean":
        return [*descriptor.get("trueValues", ["true"])]
    if field.type in ("integer", "number"):
        return [limits.minimum, limits.maximum, 1]
    if field.type == "duration":
        return [limits.maximum if limits.maximum is not None else limits.minimum or 1]
    size = max(limits.min_length or 0, min(len("texte"), limits.max_length or len("texte")))
    return ["texte"[:size].ljust(size, "e")] if field.type == "string" else []


def _date_example(field: ExportField, descriptor: Mapping[str, Any], year: int | None) -> str:
    day = datetime.date(year or _SOME_YEAR, 3, 1)
    for pattern in (field.format or "%Y-%m-%d", "%Y-%m-%d"):
        try:
            day = datetime.datetime.strptime(str(field.example), pattern).date()
            break
        except ValueError:
            continue
    if year is not None:
        day = day.replace(year=year, day=min(day.day, 28)) if day.month == 2 else day.replace(year=year)
    return day.strftime(date_pattern(descriptor))


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
    """Return rows of cells by field, one for each level that can be made; ``rules``: what roles of columns imply."""
    implied = list(rules)
    base = {field.name: cell_example(export, field, layout, year, _implied(field, implied)) for field in export.fields}
    rows = [_row(export, layout, territories, base, written, level) for written, level in _levels(export)]
    return _without_twins(export, [row for row in rows if _is_whole(export, row)])


def territory_codes(export: Export, territories: Territories, level: Level | None = None) -> list[str]:
    """Return every code (of one level, if given) that the territory column may hold; ``territories``: of one year."""
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
