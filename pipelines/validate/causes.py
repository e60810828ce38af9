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
from pipelines.declarations.network import WORKBOOKS
from pipelines.mechanics.french import MONTHS, day_in_words
from pipelines.tabular.linear_patterns import judged_in_linear_time
from pipelines.validate.damaged_cells import damage_of
from pipelines.validate.garbled import damage
from pipelines.validate.messages import constraint_of, words
from pipelines.validate.near_misses import mended, near_miss, without_unseen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipelines.declarations import ExportField
    from pipelines.validate.findings import FileContext, Finding
    from pipelines.validate.near_misses import Step

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

    def of(self, finding: Finding) -> str:
        """Return the cause of a finding on one cell, in French; nothing where the cell doesn't show it."""
        if finding.cause or finding.column not in self._fields or not finding.value or len(finding.value) > _LONGEST:
            return finding.cause
        kind = constraint_of(finding) or finding.rule
        return self._seen(kind, finding.column, finding.value)

    def of_missing_cells(self, labels: Sequence[str]) -> str:
        """Return why a row may lack the cells of its last columns, which may all be empty; else nothing."""
        fields = [self._fields[label] for label in labels if label in self._fields]
        if not labels or any(field.constraints.required and not is_optional(field, self._layout) for field in fields):
            return ""
        listed = ", ".join(f"« {label} »" for label in labels)
        columns = f"les dernières colonnes ({listed}) sont vides"
        if len(labels) == 1:
            columns = f"la dernière colonne ({listed}) est vide"
        return (
            f"{columns} sur ces lignes, et Excel retire alors leurs séparateurs quand il enregistre en CSV ; placez en "
            "dernier une colonne toujours remplie (l'ordre est libre), ou exportez le fichier sans passer par Excel"
        )

    def _of_cell(self, kind: str, label: str, text: str) -> str:
        field = self._fields[label]
        descriptor = field_descriptor(field, self._layout)
        if kind == "enum":
            allowed = [str(value) for value in field.constraints.enum or ()]
            return _without_zeros(text, allowed.__contains__) or damage_of(text) or near_miss(text, allowed)
        if kind == "maille-inconnue":
            return near_miss(text, list(self._export.level.values))
        if kind == "pattern":
            is_right = _reader(descriptor)
            in_other_case = _to_write(*mended(text, _UPPER, is_right)) or _to_write(*mended(text, _LOWER, is_right))
            return in_other_case or _without_zeros(text, is_right) or damage_of(text)
        if kind == "type-error":
            return self._of_type(field, descriptor, text)
        if kind in ("minimum", "maximum"):
            low, high = field.constraints.minimum, field.constraints.maximum
            return "" if low is None or high is None else words("hors-bornes", premier=low, dernier=high)
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
        cause = _number_cause(descriptor, text, in_sheet=self._layout.format in WORKBOOKS)
        return cause or near_miss(text, [code for code in descriptor.get("missingValues", []) if code])


def _spoiled(text: str) -> str:
    likely = _read_again(text)
    return f"{words('accents-mal-convertis')} ; se lit sans doute « {likely} »" if likely != text else ""


def _without_zeros(text: str, is_right: Callable[[str], bool]) -> str:
    """Say which code a text is when its leading zeros are put back; nothing if that makes none."""
    longer = (text.zfill(len(text) + lost) for lost in range(1, _MOST_ZEROS + 1)) if text.isdecimal() else iter(())
    return next((f"{words('zeros-perdus')} ; écrivez « {code} »" for code in longer if is_right(code)), "")


def _to_write(causes: Sequence[str], right: str) -> str:
    return f"{', '.join(causes)} ; écrivez « {right} »" if causes else ""


def _reader(descriptor: dict[str, Any]) -> Callable[[str], bool]:
    """Return whether frictionless reads a text in the field, whatever its bounds and lists."""
    limits = {name: limit for name, limit in descriptor.get("constraints", {}).items() if name == "pattern"}
    field = frictionless.Field.from_descriptor({**descriptor, "constraints": limits})

    def is_right(text: str) -> bool:
        with judged_in_linear_time():
            value, notes = field.read_cell(text)
        return value is not None and not notes

    return is_right


_UNSEEN: Step = (words("signe-invisible"), without_unseen)
_AT_ENDS: Step = (words("espace-au-bout"), str.strip)
_CODE: tuple[Step, ...] = (
    _UNSEEN,
    _AT_ENDS,
    (words("espace-dans-le-code"), lambda text: re.sub(r"\s", "", text)),
)
_UPPER = (*_CODE, (words("minuscules"), str.upper))
_LOWER = (*_CODE, (words("majuscules"), str.lower))


def _number_cause(descriptor: dict[str, Any], text: str, *, in_sheet: bool) -> str:
    whole = descriptor["type"] != "number"
    right_words, right = mended(text, _number_steps(descriptor, text), _reader(descriptor))
    if right_words and in_sheet:  # typed in a French spreadsheet, 80.5 stays a text, and 8.5 is the 8th of May
        written = _to_write([words("nombre-en-texte"), *right_words], right.replace(".", ","))
        return f"{written} dans une cellule au format Nombre"
    if not right_words and whole and re.fullmatch(r"\s*-?\d+[.,]\d+\s*", text):
        return words("nombre-a-virgule")
    return _to_write(right_words, right)


def _number_steps(descriptor: dict[str, Any], text: str) -> list[Step]:
    """Return what may make a number of a text."""
    whole, decimal = descriptor["type"] != "number", descriptor.get("decimalChar", ".")
    other = "." if decimal == "," else ","
    between = re.search(rf"(?<=\d)[{_SPACES}](?=\d)", _read_again(text))
    thousands = "milliers" if not between or between[0] == " " else "milliers-insecables"
    steps: list[Step] = [
        (words("signes-mal-convertis"), _read_again),
        _UNSEEN,
        _AT_ENDS,
        (words("apostrophe-devant"), lambda text: text.lstrip("'’")),
    ]
    if unit := _UNIT.search(without_unseen(_read_again(text)).strip()):
        steps.append((words("unite", unite=unit[1]), lambda text: _UNIT.sub("", text)))
    steps.append((words(thousands), lambda text: re.sub(rf"(?<=\d)[{_SPACES}](?=\d{{3}})", "", text)))
    if whole:
        steps.append((words("partie-decimale-nulle"), lambda text: re.sub(r"(?<=\d)[.,]0+\Z", "", text)))
    else:
        sign = words("point" if decimal == "," else "virgule")
        steps.append((sign, lambda text: text.replace(other, decimal) if text.count(other) == 1 else text))
    return [*steps, (words("moins"), lambda text: re.sub("[−–‐]", "-", text))]


def _read_again(text: str) -> str:
    spoiled = damage(text)
    return spoiled.likely if spoiled and spoiled.likely else text


def _date_cause(descriptor: dict[str, Any], text: str) -> str:
    pattern = descriptor.get("format", "default")
    plain = without_unseen(text).strip()
    if _SERIAL.fullmatch(plain):
        day = _ORIGIN + datetime.timedelta(days=int(float(plain.replace(",", "."))))
        return _to_write([words("date-en-nombre")], _written(day, pattern))
    bare = _HOUR.sub("", plain)
    form = _MONTH if pattern != "default" and "%d" not in pattern else _DAY
    match = form.fullmatch(bare.casefold().replace("1er ", "1 "))
    parts = _parts(match) if match else None
    if match is None or parts is None:
        return ""
    year, month, number = parts
    if impossible := _impossible_day(year, month, number):
        return impossible
    names = {
        "signe-invisible": without_unseen(text) != text,
        "heure-en-trop": bare != plain,
        "annee-courte": match["y"] is not None and len(match["y"]) == 2,
    }
    causes = [words(name) for name, holds in names.items() if holds]
    numeric = match["m"] is not None and match["m"].isdecimal() and form is _DAY
    if numeric and number != month and number <= 12 and "%d" not in pattern.partition("%m")[0]:
        days = (datetime.date(year, month, number), datetime.date(year, number, month))
        either = " ou ".join(f"« {_written(day, pattern)} » pour le {day_in_words(day)}" for day in days)
        return f"{', '.join([*causes, words('jour-ou-mois')])} ; écrivez {either}"
    causes = causes or [words("date-autre-forme", forme=date_form(pattern))]
    return _to_write(causes, _written(datetime.date(*parts), pattern))


def _impossible_day(year: int, month: int, number: int) -> str:
    if not 1 <= month <= 12:
        swapped = " : le jour et le mois sont peut-être inversés" if 1 <= number <= 12 and month <= 31 else ""
        return f"{words('mois-impossible', mois=month)}{swapped}"
    if not 1 <= number <= calendar.monthrange(year, month)[1]:
        return words("date-impossible", jour=f"{number} {MONTHS[month - 1]} {year}")
    return ""


def _parts(match: re.Match[str]) -> tuple[int, int, int] | None:
    """Return year, month and day of a date that was recognised; nothing for the name of no month, or the year 0."""
    groups = {"d": "1", "d2": None, **match.groupdict()}
    year, month, day = (groups[name] or groups[f"{name}2"] or "" for name in ("y", "m", "d"))
    full = int(year) if len(year) == 4 else 2000 + int(year)
    start = month.rstrip(".")
    if not month.isdecimal():
        named = [rank for rank, name in enumerate(MONTHS, start=1) if len(start) > 2 and name.startswith(start)]
        month = str(named[0]) if named else ""
    return (full, int(month), int(day)) if full and month else None


def _written(day: datetime.date, pattern: str) -> str:
    return day.isoformat() if pattern == "default" else day.strftime(pattern)
