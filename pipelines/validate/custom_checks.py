"""The ``custom_checks`` that schemas of schema.data.gouv.fr name: those that are known here, and their errors.

Their rules are those of Validata (https://gitlab.com/validata-table/validata-table), which runs them with frictionless.
A value that is missing is checked by none of them, unless it is what the check is about.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Any

from frictionless import errors

from pipelines.mechanics.spelling import unaccented

if TYPE_CHECKING:
    from frictionless import Error

    from pipelines.tabular import JudgedBlock

    Rule = Callable[["_Row"], str | None]

_ACTS = (
    "Commande publique", "Urbanisme", "Domaine et patrimoine", "Fonction publique",
    "Institutions et vie politique", "Libertés publiques et pouvoirs de police", "Finances locales",
    "Domaines de compétences par thèmes", "Autres domaines de compétences",
)  # fmt: skip
_COMPARISONS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    ">": (operator.gt, "supérieure à"),
    ">=": (operator.ge, "supérieure ou égale à"),
    "==": (operator.eq, "égale à"),
    "<=": (operator.le, "inférieure ou égale à"),
    "<": (operator.lt, "inférieure à"),
}
_POST_OFFICE = "356000000"  # whose offices have no Luhn key
_NOT_DIALLED = re.compile(r"[\s.()\u00a0\u202f-]")
# National numbers, short numbers (ARCEP), and numbers of other countries (E.164: fifteen digits at most).
_PHONE = re.compile(r"(?:\+33|0033|0)[1-9]\d{8}|3\d{3}|1\d{1,2}|11[68]\d{3}|10\d{2}|(?:\+|00)(?!33)[1-9]\d{6,14}")
_YEARS, _YEAR = re.compile(r"(\d{4})/(\d{4})"), re.compile(r"\d{4}")


class CustomChecks:
    """The custom checks of a schema for the rows of one file; ``not_run`` names those that aren't run, and why."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.not_run: list[str] = []
        fields = [field for field in schema.get("fields", []) if isinstance(field, dict)]
        self._fields = {str(field.get("name")): field for field in fields}
        self._missing = _missing(schema, fields)
        self._checks: list[tuple[str, Mapping[str, Any], Rule]] = []
        named = schema.get("custom_checks")
        for check in named if isinstance(named, list) else []:
            self._add(check if isinstance(check, dict) else {"name": str(check)})

    def _add(self, check: Mapping[str, Any]) -> None:
        name, parameters = str(check.get("name", "")), check.get("params") or {}
        if name not in _RULES:
            self.not_run.append(f"{name} (inconnu de ce contrôle)")
        elif not isinstance(parameters, dict) or not _columns(parameters):
            self.not_run.append(f"{name} (paramètres illisibles)")
        else:
            self._checks.append((name, parameters, _RULES[name]))

    def __bool__(self) -> bool:
        return bool(self._checks)

    @property
    def names(self) -> list[str]:
        """The names of those that are run."""
        return [name for name, _, _ in self._checks]

    def check(self, block: JudgedBlock) -> dict[int, list[Error]]:
        """Return the errors of the rows of a block, by the number of the row."""
        errors_of: dict[int, list[Error]] = {}
        columns = list(block.texts.column_names)
        applicable = list(self._applicable(columns))
        for number, cells in _rows(block) if applicable else ():
            written = {column: "" if cell is None else str(cell) for column, cell in zip(columns, cells, strict=False)}
            texts = {column: "" if text in self._missing else text for column, text in written.items()}
            for name, parameters, rule in applicable:
                if note := rule(_Row(texts, parameters, self._fields)):
                    error = _error(name, note, number, cells, columns, _columns(parameters)[0])
                    errors_of.setdefault(number, []).append(error)
        return errors_of

    def _applicable(self, names: list[str]) -> Iterator[tuple[str, Mapping[str, Any], Rule]]:
        """Yield the checks whose columns are all there; tell the others."""
        for check in self._checks:
            absent = [column for column in _columns(check[1]) if column not in names]
            note = f"{check[0]} (colonne absente : {', '.join(absent)})"
            if not absent:
                yield check
            elif note not in self.not_run:
                self.not_run.append(note)


def _rows(block: JudgedBlock) -> Iterator[tuple[int, list[Any]]]:
    columns = [column.to_pylist() for column in block.texts.columns]
    for number, *cells in zip(block.numbers.tolist(), *columns, strict=True):
        yield number, cells
    for row in block.refused:
        yield row.number, list(row.cells)


def _missing(schema: Mapping[str, Any], fields: list[dict[str, Any]]) -> frozenset[str]:
    """Return how any field writes that a value is missing."""
    listed = [schema.get("missingValues", [""]), *(field.get("missingValues", []) for field in fields)]
    values = [value for some in listed if isinstance(some, list) for value in some]
    return frozenset(
        {"", *(str(written.get("value", "") if isinstance(written, dict) else written) for written in values)}
    )


def _columns(parameters: Mapping[str, Any]) -> list[str]:
    """Return the columns that a check is about, the first one being where it is told."""
    keys = ("column", "column1", "column2", "othercolumns", "columns")
    return [name for key in keys for name in _named(parameters, key)]


def _named(parameters: Mapping[str, Any], key: str) -> list[str]:
    value = parameters.get(key, [])
    return [str(column) for column in value] if isinstance(value, list) else [str(value)]


@cache
def _error_class(name: str) -> Any:
    attributes = {
        "type": name,
        "title": f"Contrôle « {name} »",
        "description": "Contrôle propre au schéma (custom_checks).",
        "template": "{note}",
    }
    return type("CustomCheckError", (errors.CellError,), attributes)


def _error(name: str, note: str, number: int, cells: list[Any], columns: list[str], column: str) -> Error:
    place, texts = columns.index(column), ["" if cell is None else str(cell) for cell in cells]
    error: Error = _error_class(name)(
        note=note,
        cells=texts,
        row_number=number,
        cell=texts[place] if place < len(texts) else "",
        field_name=column,
        field_number=place + 1,
    )
    return error


@dataclass(frozen=True)
class _Row:
    """The texts of a row by column (empty: missing), the parameters of a check, and the fields of the schema."""

    texts: Mapping[str, str]
    parameters: Mapping[str, Any]
    fields: Mapping[str, Mapping[str, Any]]

    @property
    def text(self) -> str:
        """The text that the check is about."""
        return self.texts.get(str(self.parameters.get("column")), "")

    def number(self, name: str) -> Decimal | None:
        """Return the number that a text is as its field writes numbers, if it is one."""
        field, text = self.fields.get(name, {}), self.texts.get(name, "").strip()
        if group := field.get("groupChar"):
            text = text.replace(str(group), "")
        try:
            number = Decimal(text.replace(str(field.get("decimalChar", ".")), "."))
        except InvalidOperation:
            return None
        return number if number.is_finite() else None


# The rules: each returns what is wrong with a row (French), or nothing


def _siren(row: _Row) -> str | None:
    text = _compact(row.text)
    if not text or (re.fullmatch(r"\d{9}", text) and _luhn(text)):
        return None
    return "ce n'est pas un numéro SIREN (neuf chiffres, dont une clé)"


def _siret(row: _Row) -> str | None:
    text = _compact(row.text)
    of_post = text.startswith(_POST_OFFICE) and text.isdecimal() and sum(map(int, text)) % 5 == 0
    if not text or (re.fullmatch(r"\d{14}", text) and (of_post or (_luhn(text) and _luhn(text[:9])))):
        return None
    return "ce n'est pas un numéro SIRET (quatorze chiffres, dont deux clés)"


def _compact(text: str) -> str:
    return re.sub(r"[\s.\u00a0\u202f]", "", text)


def _luhn(digits: str) -> bool:
    """Tell whether the key of a number is right (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _cohesive(row: _Row) -> str | None:
    names = [str(row.parameters.get("column")), *_named(row.parameters, "othercolumns")]
    empty = [name for name in names if not row.texts.get(name)]
    if len(empty) in (0, len(names)):
        return None
    return f"ces colonnes vont ensemble, remplies ou vides : il manque {_listed(empty)}"


def _compare(row: _Row) -> str | None:
    first, second, sign = (str(row.parameters.get(key)) for key in ("column", "column2", "op"))
    texts = row.texts.get(first, ""), row.texts.get(second, "")
    if not all(texts) or sign not in _COMPARISONS:
        return None
    numbers = row.number(first), row.number(second)
    if (numbers[0] is None) != (numbers[1] is None):
        return f"ne peut être comparée à la colonne « {second} » (« {texts[1]} »)"
    holds, comparison = _COMPARISONS[sign]
    if holds(*(texts if None in numbers else numbers)):
        return None
    return f"doit être {comparison} la colonne « {second} » (« {texts[1]} »)"


def _sum(row: _Row) -> str | None:
    total, parts = str(row.parameters.get("column")), _named(row.parameters, "columns")
    if not all(row.texts.get(name) for name in (total, *parts)):
        return None
    numbers = [row.number(name) for name in (total, *parts)]
    read = [number for number in numbers if number is not None]
    if len(read) < len(numbers):
        return None  # told by its type
    expected = sum(read[1:], Decimal(0))
    return None if read[0] == expected else f"doit être la somme de {_listed(parts)}, soit {expected}"


def _year_interval(row: _Row) -> str | None:
    alone = row.parameters.get("allow-year-only") in (True, "true", "yes")
    if not row.text or (alone and _YEAR.fullmatch(row.text)):
        return None
    years = _YEARS.fullmatch(row.text)
    if years is None:
        return f"doit être de la forme AAAA/AAAA{' ou AAAA' if alone else ''}"
    return None if years[1] < years[2] else "la première année doit précéder la seconde"


def _act(row: _Row) -> str | None:
    if not row.text:
        return None
    kind, slash, rest = row.text.partition("/")
    if not slash:
        return "il manque la barre oblique entre la matière et sa précision (« Urbanisme/Permis de construire »)"
    if kind != kind.strip() or rest != rest.strip():
        return "la barre oblique ne doit être ni précédée ni suivie d'une espace"
    if unaccented(kind) in map(unaccented, _ACTS):
        return None
    return f"« {kind} » n'est pas une matière de la nomenclature des actes"


def _phone(row: _Row) -> str | None:
    dialled = _NOT_DIALLED.sub("", row.text.replace("+33 (0)", "+33").replace("+33(0)", "+33"))
    return None if not row.text or _PHONE.fullmatch(dialled) else "ce n'est pas un numéro de téléphone"


def _one_of(row: _Row) -> str | None:
    names = _columns(row.parameters)
    if any(row.texts.get(name) for name in names):
        return None
    return f"l'une de ces colonnes doit être remplie : {_listed(names)}"


def _listed(names: list[str]) -> str:
    return ", ".join(f"« {name} »" for name in names)


_RULES: dict[str, Rule] = {
    "french-siren-value": _siren,
    "french-siret-value": _siret,
    "cohesive-columns-value": _cohesive,
    "compare-columns-value": _compare,
    "sum-columns-value": _sum,
    "year-interval-value": _year_interval,
    "nomenclature-actes-value": _act,
    "phone-number-value": _phone,
    "one-of-required": _one_of,
}
KNOWN = frozenset(_RULES)
