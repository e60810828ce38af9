"""Why a cell is refused, seen in its text: « 85,3 » has a comma for a point, 31/04 is no day.

The rule says what a column wants; the cause, what this cell has, and what to write in its place. Refusing is not done
here.
"""

from __future__ import annotations

import calendar
import datetime
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import frictionless

from pipelines.compile.expected_cells import date_form
from pipelines.compile.exports import field_descriptor, is_optional
from pipelines.mechanics.french import MONTHS, day_in_words
from pipelines.tabular.linear_patterns import judged_in_linear_time
from pipelines.validate.damaged_cells import damage_of
from pipelines.validate.garbled import damage
from pipelines.validate.hints import words
from pipelines.validate.messages import constraint_of
from pipelines.validate.near_misses import UNSEEN, mended, near_miss

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipelines.declarations import ExportField
    from pipelines.validate.file_context import FileContext
    from pipelines.validate.findings import Finding

_REMEMBERED = 1 << 14
_LONGEST = 200  # characters: no date, number or answer is longer
_SPACES = " \u00a0\u202f\u2007\u2009"
_UNIT = re.compile(rf"(?<=[\d{_SPACES}])[{_SPACES}]*(%|‰|€|[A-Za-zéè]{{1,10}}\.?)\Z")
_DAY = re.compile(
    rf"(?P<d>\d{{1,2}})[/.\-{_SPACES}]+(?P<m>\d{{1,2}}|[a-zéû.]{{3,9}})[/.\-{_SPACES}]+(?P<y>\d{{4}}|\d{{2}})"
    r"|(?P<y2>\d{4})[/.\-](?P<m2>\d{1,2})[/.\-](?P<d2>\d{1,2})"
)
_MONTH = re.compile(
    rf"(?P<m>\d{{1,2}}|[a-zéû.]{{3,9}})[/.\-{_SPACES}]+(?P<y>\d{{4}}|\d{{2}})|(?P<y2>\d{{4}})[/.\-](?P<m2>\d{{1,2}})"
)
_HOUR = re.compile(rf"[T{_SPACES}]+\d{{1,2}}[:hH]\d{{2}}.*\Z", re.DOTALL)
_SERIAL = re.compile(r"[2-7]\d{4}([.,]\d+)?")  # 1954 to 2119, in days of spreadsheets
_MOST_ZEROS = 5  # that a code may have lost at its head
_ORIGIN = datetime.date(1899, 12, 30)


class Causes:
    """The causes of the findings of one file; each text is looked at once."""

    def __init__(self, context: FileContext) -> None:
        self._export, self._layout = context.export, context.layout
        self._fields = {context.labels[field.name]: field for field in context.export.fields}
        self._seen = lru_cache(_REMEMBERED)(self._of_cell)

    def of(self, item: Finding) -> str:
        """Return the cause of a finding on one cell, in French; nothing where the cell doesn't show it."""
        if item.cause or item.column not in self._fields or not item.value or len(item.value) > _LONGEST:
            return item.cause
        kind = constraint_of(item) or item.rule
        return self._seen(kind, item.column, item.value)

    def of_missing_cells(self, labels: Sequence[str]) -> str:
        """Return why a row may lack the cells of its last columns, which may all be empty; else nothing."""
        fields = [self._fields.get(label) for label in labels]
        if not labels or any(field is not None and not self._may_be_empty(field) for field in fields):
            return ""
        listed = ", ".join(f"« {label} »" for label in labels)
        columns = (
            f"les dernières colonnes ({listed}) sont vides"
            if len(labels) > 1
            else f"la dernière colonne ({listed}) est vide"
        )
        return (
            f"{columns} sur ces lignes, et Excel retire alors leurs séparateurs quand il enregistre en CSV ; placez en "
            "dernier une colonne toujours remplie (l'ordre est libre), ou exportez le fichier sans passer par Excel"
        )

    def _may_be_empty(self, field: ExportField) -> bool:
        return is_optional(field, self._layout) or not field.constraints.required

    def _of_cell(self, kind: str, label: str, text: str) -> str:
        field = self._fields[label]
        descriptor = field_descriptor(field, self._layout)
        if kind == "enum":
            allowed = [str(value) for value in field.constraints.enum or ()]
            return _without_zeros(text, allowed.__contains__) or damage_of(text) or near_miss(text, allowed)
        if kind == "maille-inconnue":
            return near_miss(text, list(self._export.level.values))
        if kind == "pattern":
            judge = _judge(descriptor)
            found = _told(*mended(text, _UPPER, judge)) or _told(*mended(text, _LOWER, judge))
            return found or _without_zeros(text, judge) or damage_of(text)
        if kind == "type-error":
            return self._of_type(field, descriptor, text)
        if kind in ("minimum", "maximum"):
            return _beyond(field)
        lost = damage_of(text) if kind in ("minLength", "maxLength", "territoire-inconnu") else ""
        return lost or (_spoiled(text) if field.type == "string" else "")

    def _of_type(self, field: ExportField, descriptor: dict[str, Any], text: str) -> str:
        if field.type == "boolean":
            answers = (*descriptor.get("trueValues", ["true"]), *descriptor.get("falseValues", ["false"]))
            return near_miss(text, answers)
        if field.type == "date":
            return _date_cause(descriptor, text)
        if field.type not in ("integer", "number", "year"):
            return ""
        found = _number_cause(descriptor, text, in_sheet=self._layout.format in ("xlsx", "ods"))
        return found or near_miss(text, [code for code in descriptor.get("missingValues", []) if code])


def _spoiled(text: str) -> str:
    likely = _read_again(text)
    return f"{words('accents-mal-convertis')} ; se lit sans doute « {likely} »" if likely != text else ""


def _beyond(field: ExportField) -> str:
    """Say from what to what a note or an answer goes, where both ends are declared."""
    low, high = field.constraints.minimum, field.constraints.maximum
    return "" if low is None or high is None else words("hors-bornes", premier=low, dernier=high)


def _without_zeros(text: str, is_right: Callable[[str], bool]) -> str:
    """Say which code a text is when its leading zeros are put back; nothing if that makes none."""
    longer = (text.zfill(len(text) + lost) for lost in range(1, _MOST_ZEROS + 1)) if text.isdecimal() else iter(())
    return next((f"{words('zeros-perdus')} ; écrivez « {code} »" for code in longer if is_right(code)), "")


def _told(seen: Sequence[str], right: str) -> str:
    return f"{', '.join(seen)} ; écrivez « {right} »" if seen else ""


def _judge(descriptor: dict[str, Any]) -> Callable[[str], bool]:
    """Return whether frictionless reads a text in the field, whatever its bounds and lists."""
    limits = {name: limit for name, limit in descriptor.get("constraints", {}).items() if name == "pattern"}
    field = frictionless.Field.from_descriptor({**descriptor, "constraints": limits})

    def is_right(text: str) -> bool:
        with judged_in_linear_time():
            value, notes = field.read_cell(text)
        return value is not None and not notes

    return is_right


_CODE: tuple[tuple[str, Callable[[str], str]], ...] = (
    (words("signe-invisible"), lambda text: UNSEEN.sub("", text)),
    (words("espace-au-bout"), str.strip),
    (words("espace-dans-le-code"), lambda text: re.sub(r"\s", "", text)),
)
_UPPER = (*_CODE, (words("minuscules"), str.upper))
_LOWER = (*_CODE, (words("majuscules"), str.lower))


def _number_cause(descriptor: dict[str, Any], text: str, *, in_sheet: bool) -> str:
    decimal = descriptor.get("decimalChar", ".")
    other = "." if decimal == "," else ","
    unit = _UNIT.search(text)
    whole = descriptor["type"] != "number"
    steps: list[tuple[str, Callable[[str], str]]] = [
        (words("signes-mal-convertis"), _read_again),
        (words("signe-invisible"), lambda found: UNSEEN.sub("", found)),
        (words("espace-au-bout"), str.strip),
        (words("apostrophe-devant"), lambda found: found.lstrip("'’")),
        (words("unite", unite=unit[1]) if unit else "", lambda found: _UNIT.sub("", found)),
        (_thousands(_read_again(text)), lambda found: re.sub(rf"(?<=\d)[{_SPACES}](?=\d{{3}})", "", found)),
        (words("partie-decimale-nulle"), lambda found: re.sub(r"(?<=\d)[.,]0+\Z", "", found) if whole else found),
        (words("point" if decimal == "," else "virgule"),
         lambda found: found if whole or found.count(other) != 1 else found.replace(other, decimal)),
        (words("moins"), lambda found: re.sub("[−–‐]", "-", found)),
    ]  # fmt: skip
    told, right = mended(text, steps, _judge(descriptor))
    if told and in_sheet:  # typed in a French spreadsheet, 80.5 stays a text, and 8.5 is the 8th of May
        written = _told([words("nombre-en-texte"), *told], right.replace(".", ","))
        return f"{written} dans une cellule au format Nombre"
    if told:
        return _told(told, right)
    if whole and re.fullmatch(r"\s*-?\d+[.,]\d+\s*", text):
        return words("nombre-a-virgule")
    return ""


def _read_again(text: str) -> str:
    spoiled = damage(text)
    return spoiled.likely if spoiled and spoiled.likely else text


def _thousands(text: str) -> str:
    found = re.search(rf"(?<=\d)[{_SPACES}](?=\d)", text)
    return words("milliers" if not found or found[0] == " " else "milliers-insecables")


def _date_cause(descriptor: dict[str, Any], text: str) -> str:
    pattern = descriptor.get("format", "default")
    plain = UNSEEN.sub("", text).strip()
    if _SERIAL.fullmatch(plain):
        day = _ORIGIN + datetime.timedelta(days=int(float(plain.replace(",", "."))))
        return _told([words("date-en-nombre")], _written(day, pattern))
    bare = _HOUR.sub("", plain)
    form = _MONTH if pattern != "default" and "%d" not in pattern else _DAY
    found = form.fullmatch(bare.casefold().replace("1er ", "1 "))
    parts = _parts(found) if found else None
    if found is None or parts is None:
        return ""
    short = found["y"] is not None and len(found["y"]) == 2
    seen = [words("signe-invisible")] * (UNSEEN.search(text) is not None)
    seen += [words("heure-en-trop")] * (bare != plain) + [words("annee-courte")] * short
    if impossible := _impossible_day(*parts):
        return impossible
    year, month, number = parts
    numeric = found["m"] is not None and found["m"].isdecimal() and "d" in found.re.groupindex
    if numeric and number != month and number <= 12 and "%d" not in pattern.partition("%m")[0]:
        days = (datetime.date(year, month, number), datetime.date(year, number, month))
        told = " ou ".join(f"« {_written(day, pattern)} » pour le {day_in_words(day)}" for day in days)
        return f"{', '.join([*seen, words('jour-ou-mois')])} ; écrivez {told}"
    seen = seen or [words("date-autre-forme", forme=date_form(pattern))]
    return _told(seen, _written(datetime.date(*parts), pattern))


def _impossible_day(year: int, month: int, number: int) -> str:
    if not 1 <= month <= 12:
        swapped = " : le jour et le mois sont peut-être inversés" if 1 <= number <= 12 and month <= 31 else ""
        return f"{words('mois-impossible', mois=month)}{swapped}"
    if not 1 <= number <= calendar.monthrange(year, month)[1]:
        return words("date-impossible", jour=f"{number} {MONTHS[month - 1]} {year}")
    return ""


def _parts(found: re.Match[str]) -> tuple[int, int, int] | None:
    """Return year, month and day of a date that was recognised; nothing for the name of no month, or the year 0."""
    known = {"d": "1", "d2": None, **found.groupdict()}
    year, month, day = (known[name] or known[f"{name}2"] or "" for name in ("y", "m", "d"))
    if not month.isdecimal():
        start = month.rstrip(".")
        place = next(
            (place for place, name in enumerate(MONTHS, start=1) if len(start) > 2 and name.startswith(start)), 0
        )
        if not place:
            return None
        month = str(place)
    full = int(year) if len(year) == 4 else 2000 + int(year)
    return (full, int(month), int(day)) if full else None


def _written(day: datetime.date, pattern: str) -> str:
    return day.isoformat() if pattern == "default" else day.strftime(pattern)
