"""Declared field → what its cells must hold, in French, with an example of a right one. No file is read here."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import frictionless

from pipelines.compile.exports import field_descriptor
from pipelines.mechanics.durations import SECONDS, duration_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.declarations import ExportField, Layout
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
    """Say in French which values constraints permit, or None when nothing is imposed.

    ``form`` says what a pattern wants, in words, in place of the pattern.
    """
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
    values = [field.example, *(field.constraints.enum or ()), *_made(field, descriptor)]
    for value in values:
        if value is None:
            continue
        text = shown(value)
        if field.type == "duration" and isinstance(value, int | float):
            text = duration_of(value, field, descriptor["duration"])
        elif field.type == "number":
            text = text.replace(".", descriptor["decimalChar"])
        yield text


def duration_of(value: float, field: ExportField, form: str) -> str:
    """Write a number of the unit of a duration in the form of its cells."""
    return duration_text(datetime.timedelta(seconds=value * SECONDS[str(field.unit)]), form)


def _made(field: ExportField, descriptor: Mapping[str, Any]) -> list[Any]:
    """Return values tried when none is declared."""
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
    pattern = descriptor.get("format", "default")
    return day.isoformat() if pattern == "default" else day.strftime(pattern)
