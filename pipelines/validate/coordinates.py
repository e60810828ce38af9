"""Rows that frictionless accepts → the coordinates of observations: year, period, level, territory, structure.

Only rules of the domain belong here (period, place, level); types and constraints are frictionless's. Each distinct
value is judged once. Codes of territories are read as files write them: 1, 01, 2a, D2A, R84, FRANCE.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipelines.declarations.periods import period_of
from pipelines.mechanics.plain_text import FORMULA_STARTS
from pipelines.mechanics.spelling import one_writing
from pipelines.validate.typed_rows import numbered, one_piece

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from pipelines.declarations import Export, Level, Territories
    from pipelines.declarations.network import TerritoryCodes
    from pipelines.declarations.references import Territory
    from pipelines.validate.findings import FileContext, Finding
    from pipelines.validate.typed_rows import Column, Mask

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_PILOTE = re.compile(r"([DR])(\d{2,3}|2[AB])")
_REMEMBERED = 1 << 14  # distinct values: days and places are fewer, unless the column holds something else
ROOT_PREFIX = "reseau:"  # the codes of the roots of the published tree
# Columns that every observation has, beside its export's fields (whose names can't start with _).
COORDINATES = pa.schema([
    ("_ligne", pa.int64()),
    ("_annee", pa.int64()),
    ("_periode", pa.string()),
    ("_maille", pa.string()),
    ("_territoire", pa.string()),
    ("_structure", pa.string()),
    ("_structure_nom", pa.string()),
])  # fmt: skip

Found = tuple["Finding", ...]
Outcome = tuple[tuple[Any, ...], Found]  # what a judge of values gives: their coordinates, and what is wrong
_EXAMPLES = {"departement": "01, 2A, 971", "region": "11, 84, 01"}


def place_fields(export: Export) -> list[str]:
    """Return the fields that name a place: the code and the name of an office, the code of a territory."""
    structure, territory = export.structure, export.territory
    names = [structure.code, structure.name] if structure else []
    return [name for name in (*names, territory.field if territory else None) if name]


@dataclass(frozen=True)
class _Outcomes:
    """The outcome of each distinct tuple of values, and its place for each row."""

    distinct: list[Outcome]
    places: NDArray[np.int64]

    def column(self, index: int, kind: pa.DataType) -> pa.Array:
        """Return one coordinate of every row."""
        return pa.array([values[index] for values, _ in self.distinct], kind).take(pa.array(self.places))

    def good(self) -> Mask:
        """Tell which rows have nothing wrong."""
        return np.array([not findings for _, findings in self.distinct], np.bool_)[self.places]


@dataclass(frozen=True)
class Placed:
    """The coordinates of consecutive rows (COORDINATES but the row number), and which rows have all of them."""

    coordinates: list[pa.Array]
    good: Mask
    _every: list[_Outcomes]

    def findings(self, row: int) -> list[Finding]:
        """Return every finding that prevents a row from being an observation."""
        found: list[Finding] = []
        for outcomes in self._every:
            found += outcomes.distinct[int(outcomes.places[row])][1]
        return found


class Gazetteer:
    """Looks codes up in the declared territories."""

    def __init__(self, territories: Territories) -> None:
        self._known: dict[tuple[str, str], list[Territory]] = {}
        for place in territories.territories:
            self._known.setdefault((place.level, place.code), []).append(place)

    def find(self, text: str, codes: TerritoryCodes, year: int | None) -> tuple[Level, str] | None:
        """Return (level, code) of a written code, or None if it names no territory known in that reference year."""
        written = text.strip().upper()
        level, code = (codes, written.zfill(2)) if codes != "pilote" else _pilote(written)
        states = self._known.get((level, code), [])
        return (level, code) if any(year is None or place.existed(year) for place in states) else None


def _pilote(written: str) -> tuple[Level, str]:
    """Return the level and the code that Services Publics + writes as one; no code where it is not of that form."""
    if written == "FRANCE":
        return "national", "FR"
    match = _PILOTE.fullmatch(written)
    return ("region" if match and match[1] == "R" else "departement"), match[2] if match else ""


class RowPlacer:
    """Places the rows of one file."""

    def __init__(self, context: FileContext) -> None:
        self.export, self.file_year = context.export, context.file_year
        self._finding, self._gazetteer = context.finding, Gazetteer(context.territories)
        remembering = lru_cache(_REMEMBERED)
        self._judge_period = remembering(self._period)
        self._judge_level = remembering(self._level)
        self._judge_territory = remembering(self._territory)

    def ignored(self, table: pa.Table) -> Mask:
        """Tell, row by row, whether a declared rule says that the row carries no observation."""
        ignored = np.zeros(table.num_rows, np.bool_)
        for rule in self.export.ignore:
            blank = [_column(table, name).is_null().to_numpy() for name in rule.blank]
            present = [_column(table, name).is_valid().to_numpy() for name in rule.present]
            ignored |= np.logical_and.reduce([*blank, *present])
        return ignored

    def year(self, value: Any) -> int | None:
        """Return the reference year of a row from the value of its period's field, when it can be read."""
        if self.export.period.field is None:
            return self.file_year
        if isinstance(value, datetime.date):
            return value.year
        return value if isinstance(value, int) else None

    def place(self, table: pa.Table) -> Placed:
        """Return the coordinates of every row, or the findings of those that can't have them."""
        level, territory, structure = self.export.level, self.export.territory, self.export.structure
        periods = _each([_column(table, self.export.period.field)], self._judge_period)
        levels = _each([_column(table, level.field)], self._judge_level)
        level_names, years = levels.column(0, pa.string()), periods.column(0, pa.int64())
        written = _column(table, territory.field if territory else None)
        places = _each([years, level_names, written], self._judge_territory)
        names = (structure.code, structure.name) if structure else (None, None)
        structures = _each([level_names, *(_column(table, name) for name in names)], self._structure)
        every = [periods, levels, places, structures]
        good = np.logical_and.reduce([outcomes.good() for outcomes in every])
        coordinates = [
            years,
            periods.column(1, pa.string()),
            level_names,
            places.column(0, pa.string()),
            structures.column(0, pa.string()),
            structures.column(1, pa.string()),
        ]
        return Placed(coordinates, good, every)

    def findings_of(self, values: Mapping[str, Any], wrong: Collection[str]) -> list[Finding]:
        """Return what would prevent a row, refused for its ``wrong`` fields, from being an observation.

        Only what rests on its other values is judged, so that a producer is told of everything at once.
        """
        for rule in self.export.ignore:
            blank, present = map(values.get, rule.blank), map(values.get, rule.present)
            if all(value is None for value in blank) and all(value is not None for value in present):
                return []
        level, territory, structure = self.export.level, self.export.territory, self.export.structure
        findings: list[Finding] = []
        year: int | None = None  # unknown: the code of a territory of any year is right
        if self.export.period.field not in wrong:
            (year, _), of_period = self._judge_period(values.get(self.export.period.field or ""))
            findings += of_period
        if level.field in wrong:
            return findings
        (of_row,), of_level = self._judge_level(values.get(level.field or ""))
        findings += of_level
        if territory is None or territory.field not in wrong:
            findings += self._judge_territory(year, of_row, values.get(territory.field) if territory else None)[1]
        if structure is not None and not {structure.code, structure.name} & set(wrong):
            findings += self._structure(of_row, values.get(structure.code), values.get(structure.name or ""))[1]
        return findings

    def _period(self, value: Any) -> tuple[tuple[int | None, str], Found]:
        field, year = self.export.period.field, self.year(value)
        if year is None:
            message = "La date (ou l'année) est absente : la ligne ne peut être rattachée à aucune année."
            return (None, ""), (self._finding("periode-absente", message, field or "", value),)
        findings: Found = ()
        if field and self.file_year is not None and year != self.file_year:
            message = f"La date tombe en {year}, mais ce fichier est celui de {self.file_year}."
            findings = (self._finding("hors-periode", message, field, value),)
        dated = isinstance(value, datetime.date)
        return (year, period_of(value, self.export.period.frequency) if dated else f"{year:04d}"), findings

    def _level(self, written: Any) -> tuple[tuple[Level | None], Found]:
        rule = self.export.level
        level = rule.values.get(str(written), rule.otherwise)
        if level is not None:
            return (level,), ()
        message = f"La maille doit être l'une de : {', '.join(rule.values)}."
        return (None,), (self._finding("maille-inconnue", message, rule.field or "", written),)

    def _territory(self, year: int | None, level: Level | None, written: Any) -> tuple[tuple[str | None], Found]:
        if level == "national":
            return ("FR",), ()
        rule = self.export.territory
        if rule is None or level is None:
            return (None,), ()
        if written is None:
            if level == "site":  # a consulate has no département
                return (None,), ()
            message = "Le code du territoire est absent."
            return (None,), (self._finding("territoire-absent", message, rule.field, written),)
        place = self._gazetteer.find(str(written), rule.codes, year)
        expected = "departement" if level == "site" else level
        if place is not None and place[0] == expected:
            return (place[1],), ()
        some = {"departement": "d'aucun département", "region": "d'aucune région"}[expected]
        message = f"Ce code n'est celui {some} (code INSEE ; exemples : {_EXAMPLES[expected]})."
        return (None,), (self._finding("territoire-inconnu", message, rule.field, written),)

    def _structure(self, level: Level | None, code: Any, name: Any) -> tuple[tuple[str | None, str | None], Found]:
        rule = self.export.structure
        if rule is None or level in ("national", "region"):
            return (None, None), ()
        code = None if code is None else one_writing(str(code))
        if not code:
            if level != "site":
                return (None, None), ()
            message = "Le code de la structure est absent."
            return (None, None), (self._finding("structure-absente", message, rule.code, code),)
        findings: list[Finding] = []
        for field, value in ((rule.code, code), (rule.name, name)):
            if not field or value is None:
                continue
            if str(value).startswith(FORMULA_STARTS):
                message = "Un texte publié ne peut commencer par = + - @ ni une tabulation (formule de tableur)."
                findings.append(self._finding("formule", message, field, value))
            elif _UNPRINTABLE.search(str(value)) or (field == rule.code and str(value).startswith(ROOT_PREFIX)):
                message = "Ce texte publié contient un caractère invisible, ou commence par « reseau: » : corrigez-le."
                findings.append(self._finding("caractere-interdit", message, field, value))
        return (code, None if name is None else str(name)), tuple(findings)


def _column(table: pa.Table, name: str | None) -> pa.ChunkedArray:
    """Return a column; a blank one where the file has it not, or none is declared."""
    if name in table.column_names:
        return table.column(name)
    return pa.chunked_array([pa.nulls(table.num_rows, pa.string())])


def _each(columns: Sequence[Column], judge: Callable[..., Outcome]) -> _Outcomes:
    """Judge each distinct tuple of values once."""
    pieces = [one_piece(column) for column in columns]
    places = numbered(pieces, len(pieces[0]))
    firsts = pa.array(np.unique(places, return_index=True)[1])
    values = zip(*(piece.take(firsts).to_pylist() for piece in pieces), strict=True)
    return _Outcomes([judge(*kind) for kind in values], places)
