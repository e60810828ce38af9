"""The ``custom_checks`` that schemas of schema.data.gouv.fr name: those that are known here, and their errors.

Their rules are those of Validata (https://gitlab.com/validata-table/validata-table), which runs them with frictionless.
A value that is missing is checked by none of them, unless it is what the check is about.
"""

from __future__ import annotations

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

    Cells = Mapping[str, str]
    Rule = Callable[[Cells, Mapping[str, Any], "_Fields"], str | None]

_ACTS = (
    "Commande publique", "Urbanisme", "Domaine et patrimoine", "Fonction publique",
    "Institutions et vie politique", "Libertés publiques et pouvoirs de police", "Finances locales",
    "Domaines de compétences par thèmes", "Autres domaines de compétences",
)  # fmt: skip
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda first, second: bool(first > second),
    ">=": lambda first, second: bool(first >= second),
    "==": lambda first, second: bool(first == second),
    "<=": lambda first, second: bool(first <= second),
    "<": lambda first, second: bool(first < second),
}
_WORDS = {">": "supérieure à", ">=": "supérieure ou égale à", "==": "égale à", "<=": "inférieure ou égale à",
          "<": "inférieure à"}  # fmt: skip
_POST_OFFICE = "356000000"  # whose offices have no Luhn key
_NOT_DIALLED = re.compile(r"[\s.()\u00a0\u202f-]")
# National numbers, short numbers (ARCEP), and numbers of other countries (E.164: fifteen digits at most).
_PHONE = re.compile(r"(?:\+33|0033|0)[1-9]\d{8}|3\d{3}|1\d{1,2}|11[68]\d{3}|10\d{2}|(?:\+|00)(?!33)[1-9]\d{6,14}")
_YEARS, _YEAR = re.compile(r"(\d{4})/(\d{4})"), re.compile(r"\d{4}")


@dataclass(frozen=True)
class _Fields:
    """How the fields of a schema write numbers and missing values."""

    by_name: Mapping[str, Mapping[str, Any]]
    missing: frozenset[str]

    def number(self, name: str, text: str) -> Decimal | None:
        """Return the number that a text of a field is, if it is one."""
        field = self.by_name.get(name, {})
        plain = text.strip().replace(str(field.get("groupChar") or ""), "") if field.get("groupChar") else text.strip()
        try:
            found = Decimal(plain.replace(str(field.get("decimalChar", ".")), "."))
        except InvalidOperation:
            return None
        return found if found.is_finite() else None


class CustomChecks:
    """The custom checks of a schema for the rows of one file; ``not_run`` names those that aren't run, and why."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.not_run: list[str] = []
        fields = [item for item in schema.get("fields", []) if isinstance(item, dict)]
        self._fields = _Fields({str(item.get("name")): item for item in fields}, _missing(schema, fields))
        self._checks: list[tuple[str, Mapping[str, Any], Rule]] = []
        named = schema.get("custom_checks")
        for item in named if isinstance(named, list) else []:
            self._add(item if isinstance(item, dict) else {"name": str(item)})

    def _add(self, item: Mapping[str, Any]) -> None:
        name, parameters = str(item.get("name", "")), item.get("params") or {}
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
        found: dict[int, list[Error]] = {}
        for name, parameters, rule in self._applicable(block.texts.column_names):
            for number, names, cells in self._rows(block):
                texts = {
                    column: "" if cell is None or str(cell) in self._fields.missing else str(cell)
                    for column, cell in zip(names, cells, strict=False)
                }
                note = rule(texts, parameters, self._fields)
                if note:
                    column = _columns(parameters)[0]
                    error = _error(name, note, number, names, cells, column)
                    found.setdefault(number, []).append(error)
        return found

    def _applicable(self, names: list[str]) -> Iterator[tuple[str, Mapping[str, Any], Rule]]:
        """Yield the checks whose columns are all there; tell the others."""
        for check in self._checks:
            absent = [column for column in _columns(check[1]) if column not in names]
            told = f"{check[0]} (colonne absente : {', '.join(absent)})"
            if not absent:
                yield check
            elif told not in self.not_run:
                self.not_run.append(told)

    def _rows(self, block: JudgedBlock) -> Iterator[tuple[int, list[str], list[Any]]]:
        names = list(block.texts.column_names)
        columns = [column.to_pylist() for column in block.texts.columns]
        for number, *cells in zip(block.numbers.tolist(), *columns, strict=True):
            yield number, names, cells
        for row in block.refused:
            yield row.number, names, list(row.cells)


def _missing(schema: Mapping[str, Any], fields: list[dict[str, Any]]) -> frozenset[str]:
    listed = [schema.get("missingValues", [""]), *(item.get("missingValues", []) for item in fields)]
    values = [value for some in listed if isinstance(some, list) for value in some]
    return frozenset({"", *(str(item.get("value", "") if isinstance(item, dict) else item) for item in values)})


def _columns(parameters: Mapping[str, Any]) -> list[str]:
    """Return the columns that a check is about, the first one being where it is told."""
    found: list[str] = []
    for key in ("column", "column1", "column2", "othercolumns", "columns"):
        value = parameters.get(key, [])
        found += [str(item) for item in value] if isinstance(value, list) else [str(value)]
    return found


def _others(parameters: Mapping[str, Any], key: str) -> list[str]:
    value = parameters.get(key, [])
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


@cache
def _error_class(name: str) -> Any:
    told = {
        "type": name,
        "title": f"Contrôle « {name} »",
        "description": "Contrôle propre au schéma (custom_checks).",
        "template": "{note}",
    }
    return type("CustomCheckError", (errors.CellError,), told)


def _error(name: str, note: str, number: int, names: list[str], cells: list[Any], column: str) -> Error:
    place = names.index(column)
    found: Error = _error_class(name)(
        note=note,
        cells=["" if cell is None else str(cell) for cell in cells],
        row_number=number,
        cell="" if place >= len(cells) or cells[place] is None else str(cells[place]),
        field_name=column,
        field_number=place + 1,
    )
    return found


# The rules: each returns what is wrong with a row (French), or nothing


def _siren(cells: Cells, parameters: Mapping[str, Any], _: _Fields) -> str | None:
    text = _compact(cells.get(str(parameters.get("column")), ""))
    if not text or (re.fullmatch(r"\d{9}", text) and _luhn(text)):
        return None
    return "ce n'est pas un numéro SIREN (neuf chiffres, dont une clé)"


def _siret(cells: Cells, parameters: Mapping[str, Any], _: _Fields) -> str | None:
    text = _compact(cells.get(str(parameters.get("column")), ""))
    if not text:
        return None
    of_post = text.startswith(_POST_OFFICE) and text.isdecimal() and sum(map(int, text)) % 5 == 0
    if re.fullmatch(r"\d{14}", text) and (of_post or (_luhn(text) and _luhn(text[:9]))):
        return None
    return "ce n'est pas un numéro SIRET (quatorze chiffres, dont deux clés)"


def _compact(text: str) -> str:
    return re.sub(r"[\s.\u00a0\u202f]", "", text)


def _luhn(digits: str) -> bool:
    """Tell whether the key of a number is right (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _cohesive(cells: Cells, parameters: Mapping[str, Any], _: _Fields) -> str | None:
    names = [str(parameters.get("column")), *_others(parameters, "othercolumns")]
    filled = [name for name in names if cells.get(name)]
    if len(filled) in (0, len(names)):
        return None
    empty = [name for name in names if name not in filled]
    return f"ces colonnes vont ensemble, remplies ou vides : il manque {_listed(empty)}"


def _compare(cells: Cells, parameters: Mapping[str, Any], fields: _Fields) -> str | None:
    first, second, sign = (str(parameters.get(key)) for key in ("column", "column2", "op"))
    texts = cells.get(first, ""), cells.get(second, "")
    if not all(texts) or sign not in _COMPARISONS:
        return None
    numbers = fields.number(first, texts[0]), fields.number(second, texts[1])
    if (numbers[0] is None) != (numbers[1] is None):
        return f"ne peut être comparée à la colonne « {second} » (« {texts[1]} »)"
    holds = _COMPARISONS[sign](*(texts if None in numbers else numbers))
    return None if holds else f"doit être {_WORDS[sign]} la colonne « {second} » (« {texts[1]} »)"


def _sum(cells: Cells, parameters: Mapping[str, Any], fields: _Fields) -> str | None:
    total, parts = str(parameters.get("column")), _others(parameters, "columns")
    written = [cells.get(name, "") for name in (total, *parts)]
    if not all(written):
        return None
    numbers = [fields.number(name, text) for name, text in zip((total, *parts), written, strict=True)]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return None  # told by its type
    expected = sum(known[1:], Decimal(0))
    return None if known[0] == expected else f"doit être la somme de {_listed(parts)}, soit {expected}"


def _year_interval(cells: Cells, parameters: Mapping[str, Any], _: _Fields) -> str | None:
    text = cells.get(str(parameters.get("column")), "")
    alone = parameters.get("allow-year-only") in (True, "true", "yes")
    if not text or (alone and _YEAR.fullmatch(text)):
        return None
    found = _YEARS.fullmatch(text)
    if found is None:
        return f"doit être de la forme AAAA/AAAA{' ou AAAA' if alone else ''}"
    return None if found[1] < found[2] else "la première année doit précéder la seconde"


def _act(cells: Cells, parameters: Mapping[str, Any], _: _Fields) -> str | None:
    text = cells.get(str(parameters.get("column")), "")
    if not text:
        return None
    kind, slash, rest = text.partition("/")
    if not slash:
        return "il manque la barre oblique entre la matière et sa précision (« Urbanisme/Permis de construire »)"
    if kind != kind.strip() or rest != rest.strip():
        return "la barre oblique ne doit être ni précédée ni suivie d'une espace"
    return (
        None
        if unaccented(kind) in map(unaccented, _ACTS)
        else f"« {kind} » n'est pas une matière de la nomenclature des actes"
    )


def _phone(cells: Cells, parameters: Mapping[str, Any], _: _Fields) -> str | None:
    text = cells.get(str(parameters.get("column")), "")
    dialled = _NOT_DIALLED.sub("", text.replace("+33 (0)", "+33").replace("+33(0)", "+33"))
    return None if not text or _PHONE.fullmatch(dialled) else "ce n'est pas un numéro de téléphone"


def _one_of(cells: Cells, parameters: Mapping[str, Any], _: _Fields) -> str | None:
    names = _columns(parameters)
    return (
        None
        if any(cells.get(name) for name in names)
        else f"l'une de ces colonnes doit être remplie : {_listed(names)}"
    )


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
