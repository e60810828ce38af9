"""Judged blocks → typed observations, refused rows and findings. Which cells are right was decided before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.compile.exports import label_of
from pipelines.mechanics.limits import LONGEST_CELL
from pipelines.validate.blank_rows import BlankRows, has_content
from pipelines.validate.causes import Causes
from pipelines.validate.damaged_text import DamagedText
from pipelines.validate.durations import Durations
from pipelines.validate.findings import Finding, Tally
from pipelines.validate.marked import MarkedCells
from pipelines.validate.messages import constraint_of, rule_of, sentence
from pipelines.validate.observations import COORDINATES, RowPlacer
from pipelines.validate.office_codes import OfficeCodes
from pipelines.validate.repeated_header import RULE as HEADER_AGAIN
from pipelines.validate.repeated_header import RepeatedHeader
from pipelines.validate.roles import RoleRules, values_table
from pipelines.validate.spoiled_texts import SpoiledTexts
from pipelines.validate.twins import Twins
from pipelines.validate.typed_rows import TypedRows, TypedWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from frictionless.errors import RowError
    from numpy.typing import NDArray

    from pipelines.declarations import Export, ExportField, Layout
    from pipelines.declarations.roles import RowRule
    from pipelines.tabular import JudgedBlock, JudgedRow

_ARROW = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "year": pa.int64(),
    "duration": pa.float64(),
}
KEPT_ROWS = 10_000  # refused rows kept with their cells: more would not be corrected by hand
KEPT_FINDINGS = 10_000  # of one rule, column and year; the others are counted
_DIGITS = 15  # beyond, whole numbers are not exact any more, and sums could pass 64 bits: no real figure is so large
_LARGEST = 10.0**_DIGITS
IMPOSSIBLE = f"Ce n'est pas un nombre utilisable (nan, inf, ou plus de {_DIGITS} chiffres)."


@dataclass(frozen=True)
class RefusedRow:
    """A row set aside: its number in the file, its year when readable, and its cells as they were read."""

    number: int
    year: int | None
    cells: list[str]


@dataclass
class Validated:
    """A file judged: typed observations, findings, and what was set aside.

    ``refused`` counts rows by year (``None``: year unreadable); ``refused_rows`` keeps the first of them, at most
    KEPT_ROWS, for the copy that the producer corrects; ``header`` has the labels of the file's columns. ``path`` says
    who judged the cells: ``vectorised`` (frictionless for the doubtful ones) or ``frictionless`` alone, and ``why``;
    ``sheet`` is the sheet of the workbook that was read.
    """

    observations: TypedRows
    findings: list[Finding] = field(default_factory=list)
    refused: dict[int | None, int] = field(default_factory=dict)
    ignored: int = 0
    usable: bool = True
    header: list[str] = field(default_factory=list)
    refused_rows: list[RefusedRow] = field(default_factory=list)
    path: str = ""
    why: str = ""
    sheet: str = ""


def observation_schema(export: Export) -> pa.Schema:
    """Return the Arrow schema of the export's observations: coordinates, fields, and reasons of declared absences.

    Personal columns are judged, then dropped: no result rests on them.
    """
    kept = [item for item in export.fields if not item.personal]
    fields = [pa.field(item.name, _ARROW[item.type]) for item in kept]
    absences = [pa.field(f"_absence_{item.name}", pa.string()) for item in kept if item.absences]
    return pa.schema([*COORDINATES, *fields, *absences])


@dataclass(frozen=True, slots=True)
class _Refusal:
    number: int
    found: Sequence[Finding]
    cells: Sequence[str | None]
    year: int | None

    @property
    def kind(self) -> _Kind:
        """All but the number."""
        return tuple(self.found), tuple(self.cells), self.year


_Kind = tuple[tuple[Finding, ...], tuple[str | None, ...], int | None]


class OverlongCellError(Exception):
    """A cell that no export holds: a quote that is never closed. ``row`` is the number of its row."""

    def __init__(self, row: int) -> None:
        self.row = row
        super().__init__(f"row {row}")

    def sentence(self) -> str:
        """Return where it is, for a producer."""
        return (
            f"Une cellule de la ligne {self.row} est démesurée. Un guillemet n'est sans doute pas refermé, ou le "
            "séparateur n'est pas le bon. Corrigez la ligne, puis exportez de nouveau."
        )


class Gathering:
    """Gathers blocks in the order of the file: accepted rows typed, the others with their findings."""

    def __init__(
        self,
        export: Export,
        layout: Layout,
        placer: RowPlacer,
        columns: list[tuple[str, ExportField | None]],
        spill: Path | None,
        rules: Sequence[RowRule] = (),
        marks: Mapping[int, bytearray] | None = None,
        first_row: int = 0,
    ) -> None:
        self.export, self.placer = export, placer
        self.tally = Tally(KEPT_FINDINGS)
        self._schema = observation_schema(export)
        self._judged_schema = pa.schema([
            pa.field(item.name, _ARROW[item.type])
            for _, item in columns if item is not None and not item.personal
        ])  # fmt: skip
        self._writer = TypedWriter(self._schema, spill)
        self._refused: Counter[int | None] = Counter()
        self._refused_rows: list[RefusedRow] = []
        self._ignored = 0
        self._labels = {item.name: label_of(item, layout) for item in export.fields}
        self._places = {item.name: index for index, (_, item) in enumerate(columns) if item is not None}
        self._width = len(columns)
        self._blank: BlankRows[_Kind] = BlankRows()
        self._last = 0
        # A key with a personal column is frictionless's affair alone: observations don't hold that column.
        held = {name: place for name, place in self._places.items() if name in self._schema.names}
        self._twins = Twins(export, held, self._labels)
        self._roles = RoleRules(rules, self._labels)
        self._durations = Durations(export, layout, self._places)
        self._offices = OfficeCodes(export, self._labels)
        self._marked = MarkedCells(marks or {}, first_row, columns, self._labels, export)
        self._damaged = DamagedText(export, self._labels, self._places)
        self.tally.add(self._marked.warnings())
        self._spoiled = SpoiledTexts.of(export, self._places, self._labels)
        self._causes = Causes(export, layout)
        self._order = [label for label, _ in columns]
        self._repeated = RepeatedHeader(self._order)

    def label(self, name: str) -> str:
        """Return the label of a field's column."""
        return self._labels.get(name, name)

    def take(self, block: JudgedBlock) -> None:
        """Take a block: its rows are accepted, ignored or refused. Raises OverlongCellError."""
        _check_cells(block)
        implied = self._implied(block.refused)
        refused = [self._told(row, found) for row, found in zip(block.refused, implied, strict=True)]
        refused += self._accept(block)
        if len(block.numbers):
            self._last = max(self._last, int(block.numbers[-1]))
        for row in sorted(refused, key=lambda item: item.number):
            if has_content(row.cells):
                self._last = max(self._last, row.number)
                self._refuse(row)
            else:
                self._blank.add(row.kind, row.number)
        for number, kind in self._blank.before(self._last):
            self._refuse(_Refusal(number, *kind))

    def finish(self, fetch: Callable[[int], list[str | None]], **known: Any) -> Validated:
        """Return what was gathered; ``fetch`` gives the cells of a row again.

        Blank rows at the end of the file, which spreadsheets leave, are no rows.
        """
        rows = self._writer.close()
        late: set[int] = set()
        for number, found, year in chain(self._offices.found(rows), self._twins.found(rows)):
            if number not in late:
                self._refuse(_Refusal(number, [found], fetch(number) if self._keeps_cells() else [], year))
            late.add(number)
        if late:
            rows = rows.without(sorted(late))
        findings = sorted([*self.tally.close(), *self._roles.told(rows)], key=lambda item: item.row or 0)
        if whole := self._spoiled.of_the_file():
            return Validated(TypedRows(self._schema), [whole, *findings], usable=False, **known)
        kept = sorted(self._refused_rows, key=lambda item: item.number)
        return Validated(rows, findings, dict(self._refused), self._ignored, refused_rows=kept, **known)

    def _implied(self, rows: Sequence[JudgedRow]) -> list[list[Finding]]:
        """Return, for each row that frictionless refuses, what the roles of its columns refuse in it too."""
        years = np.array([self._year_of(row) or np.nan for row in rows], np.float64)
        table = values_table([self._durations.values(row.values) for row in rows], self._judged_schema)
        found, beyond = self._roles.refused(table, years), self._durations.beyond(table)
        return [[*found.get(place, []), *beyond.get(place, [])] for place in range(len(rows))]

    def _told(self, row: JudgedRow, implied: Sequence[Finding]) -> _Refusal:
        """Tell all that is wrong with a row that frictionless refuses; ``implied``: by the roles of its columns."""
        blank = [error for error in row.found if error.type == "blank-row"]  # its key is empty too: told once
        beyond = [cell for cell in row.cells[self._width :] if cell and cell.strip()]
        if blank and beyond:  # frictionless forgets the cells too many of a row whose others are empty
            found = [Finding("extra-cell", sentence("extra-cell", ""), value=beyond[0])]
        elif blank:
            found = [self._from_frictionless(error, row) for error in blank]
        elif self._repeated.is_again(row.cells):
            found = [self._repeated.finding()]
        else:
            found = self._wrong_in(row)
            wrong = {item.column for item in found}
            found = self._as_written([*found, *(item for item in implied if item.column not in wrong)], row.cells)
            found += self._spoiled_in(row, {item.column for item in found})
        return _Refusal(row.number, self._with_marks(found, row), row.cells, self._year_of(row))

    def _with_marks(self, found: list[Finding], row: JudgedRow) -> list[Finding]:
        """Tell what the reader saw in a cell, in place of what its text breaks."""
        marked = self._marked.at(row.number)
        if not marked:
            return found
        told = {item.column for item in marked}
        keys = {self._labels[name] for name in self.export.key}
        hidden = {"blank-row", *(("primary-key", "cle-vide") if told & keys else ())}
        kept = [item for item in found if item.column not in told and item.rule not in hidden]
        return [*self._as_written(marked, row.cells), *kept]

    def _wrong_in(self, row: JudgedRow) -> list[Finding]:
        impossible = [name for name, value in row.values.items() if name in self._places and _is_impossible(value)]
        found = [self._finding("nombre-impossible", IMPOSSIBLE, name, row.values[name]) for name in impossible]
        fields = [str(getattr(error, "field_name", "") or "") for error in row.found]
        found += [
            self._from_frictionless(error, row)
            for error, name in zip(row.found, fields, strict=True)
            if name not in impossible
        ]
        return found + self.placer.findings_of(row.values, {*fields, *impossible})

    def _spoiled_in(self, row: JudgedRow, told: set[str]) -> list[Finding]:
        """Return the spoiled texts of a refused row, in the columns of which nothing is told yet."""
        names = [name for name, label in self._spoiled.labels.items() if label not in told]
        cells = [(name, row.cells[self._places[name]]) for name in names if self._places[name] < len(row.cells)]
        return [found for name, cell in cells if (found := self._spoiled.in_cell(name, cell, row.number))]

    def _year_of(self, row: JudgedRow) -> int | None:
        period = self.export.period.field
        return self.placer.file_year or self.placer.year(row.values.get(period) if period else None)

    def _accept(self, block: JudgedBlock) -> list[_Refusal]:
        """Keep the observations of a block's valid rows; return those that can't be observations."""
        table = self._durations.typed(block.accepted)
        impossible = self._impossible(block)
        _add(impossible, self._durations.beyond(table))
        warned = self._look(block, impossible)
        possible = np.ones(table.num_rows, np.bool_)
        possible[list(impossible)] = False
        empty = self.placer.ignored(table)
        ignored = empty & possible
        self._ignored += int(ignored.sum())
        placed = self.placer.place(table)
        implied = self._roles.refused(table, placed.coordinates[0].cast(pa.float64()).to_numpy(zero_copy_only=False))
        good = placed.good & possible & ~ignored
        good[list(implied)] = False
        bad = np.flatnonzero(~good & ~ignored)
        if len(bad) < table.num_rows:
            self._write(block, table, placed.coordinates, good)
        years = placed.coordinates[0]
        self.tally.add(
            replace(item, row=int(block.numbers[place]), year=self.placer.file_year or years[place].as_py())
            for place, item in warned if good[place]
        )  # fmt: skip
        texts = block.texts.take(pa.array(bad)) if len(bad) else block.texts.slice(0, 0)
        refusals = []
        for place, *cells in zip(bad.tolist(), *(column.to_pylist() for column in texts.columns), strict=True):
            found = list(impossible.get(place, []))
            for more in (() if empty[place] else placed.findings(place), implied.get(place, ())):
                told = {item.column for item in found}
                found += [item for item in more if item.column not in told]  # one fault of a cell, told once
            found = [item for item in found if item.rule == HEADER_AGAIN] or found
            year = self.placer.file_year or years[place].as_py()
            refusals.append(_Refusal(int(block.numbers[place]), self._as_written(found, cells), cells, year))
        return refusals

    def _write(self, block: JudgedBlock, table: pa.Table, coordinates: list[pa.Array], good: NDArray[np.bool_]) -> None:
        mask, texts = pa.array(good), block.texts
        numbers = pa.array(block.numbers, pa.int64())
        columns: dict[str, Any] = dict(zip(COORDINATES.names, [numbers, *coordinates], strict=True))
        for name in self._schema.names[len(COORDINATES) :]:
            field = name.removeprefix("_absence_")
            if field not in self._places:
                columns[name] = pa.nulls(table.num_rows, self._schema.field(name).type)
            elif name == field:
                columns[name] = table.column(name).cast(self._schema.field(name).type)
            else:
                columns[name] = self._reasons(field, table.column(field), texts.column(field))
        whole = pa.Table.from_arrays(list(columns.values()), schema=self._schema)
        kept = whole if good.all() else whole.filter(mask)
        self._twins.note(kept)
        self._offices.note(kept)
        self._writer.write(kept)

    def _reasons(self, name: str, values: pa.ChunkedArray, texts: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return the declared reason of each absence, by what was written there."""
        declared = self.export.field(name)
        known = dict(declared.absences or {}) if declared else {}
        blank = pc.is_null(values)
        written = pc.if_else(blank, texts, None)
        place = pc.index_in(written, pa.array(list(known), pa.string()))
        place = pc.if_else(pc.and_(blank, pc.is_valid(written)), place, None)
        return pa.array(list(known.values()), pa.string()).take(place) if known else pa.nulls(len(values), pa.string())

    def _look(self, block: JudgedBlock, wrong: dict[int, list[Finding]]) -> list[tuple[int, Finding]]:
        """Add to what is wrong what was seen in the cells of valid rows; return the warnings, by place."""
        _add(wrong, self._marked.errors(block.numbers))
        wrong |= {place: [self._repeated.finding()] for place in self._repeated.places(block.texts)}
        warned = []
        damaged, spoiled = self._damaged.found(block.accepted), self._spoiled.in_block(block.texts, block.numbers)
        for place, found in chain(damaged.items(), spoiled.items()):
            marked = {item.column for item in wrong.get(place, ())}
            for item in found:
                if item.severity == "avertissement":
                    warned.append((place, item))
                elif item.column not in marked:
                    wrong.setdefault(place, []).append(item)
        return warned

    def _impossible(self, block: JudgedBlock) -> dict[int, list[Finding]]:
        """Find numbers that frictionless accepts but that no result can be made of: nan, inf, and more than 10^15."""
        found: dict[int, list[Finding]] = {}
        known = {int(number): place for place, number in enumerate(block.numbers)} if block.unheld else {}
        for item in block.unheld:
            told = self._finding("nombre-impossible", IMPOSSIBLE, item.field, item.text)
            found.setdefault(known[item.number], []).append(told)
        for name in self._places:
            column = block.accepted.column(name)
            if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
                continue
            held = pc.less_equal(pc.abs(column.cast(pa.float64(), safe=False)), _LARGEST)
            for place in np.flatnonzero(~held.fill_null(True).to_numpy()).tolist():
                told = self._finding("nombre-impossible", IMPOSSIBLE, name, column[place].as_py())
                found.setdefault(place, []).append(told)
        return found

    def _refuse(self, row: _Refusal) -> None:
        self._refused[row.year] += 1
        if self._keeps_cells():
            self._refused_rows.append(RefusedRow(row.number, row.year, [cell or "" for cell in row.cells]))
        self.tally.add(replace(item, row=row.number, year=row.year) for item in row.found)

    def _keeps_cells(self) -> bool:
        return len(self._refused_rows) < KEPT_ROWS

    def _finding(self, rule: str, message: str, name: str, value: Any) -> Finding:
        text = "" if value is None else str(value)
        return Finding(rule, message, column=self._labels.get(name, name), value=text)

    def _as_written(self, found: list[Finding], cells: Sequence[str | None]) -> list[Finding]:
        """Put what the file holds where a finding on one column has a value that was read from it."""
        places = {self._labels[name]: place for name, place in self._places.items()}
        written = [
            replace(item, value=cells[places[item.column]] or "")
            if item.column in places and places[item.column] < len(cells)
            else item
            for item in found
        ]
        return [replace(item, cause=self._cause(item, cells)) for item in written]

    def _cause(self, item: Finding, cells: Sequence[str | None]) -> str:
        if item.rule == "extra-cell" and not any(cell and cell.strip() for cell in cells[self._width :]):
            return "un séparateur de trop termine la ligne : ce qui le suit est vide"
        if item.rule != "missing-cell":
            return self._causes.of(item)
        return self._causes.of_missing_cells(self._order[len(cells) :])

    def _from_frictionless(self, error: RowError, row: JudgedRow) -> Finding:
        rule, message = rule_of(error.type, error.note), sentence(error.type, error.note)
        if error.type == "primary-key":
            key = [name for name in self.export.key if name in self._places]
            column = ", ".join(self._labels[name] for name in key)
            cells = [row.cells[self._places[name]] or "" for name in key if self._places[name] < len(row.cells)]
            return Finding(rule, message, column=column, value=", ".join(cells) if any(cells) else "")
        name = str(getattr(error, "field_name", "") or "")
        if form := self._durations.form(name):
            rule, message = _of_duration(rule, message, form)
        return self._finding(rule, message, name, getattr(error, "cell", ""))


def _check_cells(block: JudgedBlock) -> None:
    for row in block.refused:
        if any(cell and len(cell) > LONGEST_CELL for cell in row.cells):
            raise OverlongCellError(row.number)
    for column in block.texts.columns:
        lengths = pc.binary_length(column)
        if (pc.max(lengths).as_py() or 0) <= LONGEST_CELL:
            continue
        long = np.flatnonzero(pc.greater(pc.utf8_length(column), LONGEST_CELL).fill_null(False).to_numpy())
        if len(long):
            raise OverlongCellError(int(block.numbers[long[0]]))


def _add(found: dict[int, list[Finding]], more: Mapping[int, list[Finding]]) -> None:
    for place, items in more.items():
        found.setdefault(place, []).extend(items)


def _of_duration(rule: str, message: str, form: str) -> tuple[str, str]:
    """Tell the pattern of a duration, which stands for its type, as a type."""
    if rule != "constraint-error" or constraint_of(Finding(rule, message)) != "pattern":
        return rule, message
    return "type-error", sentence("type-error", f'type is "duration/{form}"')


def _is_impossible(value: Any) -> bool:
    return isinstance(value, int | float) and not abs(value) <= _LARGEST  # nan fits nothing
