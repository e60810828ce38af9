"""What is wrong with the rows of a judged block, beside what frictionless says: in their cells, roles and coordinates.

Which cells have their type is decided before; what is kept of the rows, in ``observations_writer``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.mechanics.limits import LONGEST_CELL
from pipelines.validate.causes import Causes
from pipelines.validate.coordinates import RowPlacer
from pipelines.validate.damaged_cells import DamagedText, MarkedCells
from pipelines.validate.findings import Finding
from pipelines.validate.garbled import SpoiledTexts
from pipelines.validate.header import HEADER_AGAIN, RepeatedHeader
from pipelines.validate.messages import constraint_of, rule_of, sentence
from pipelines.validate.role_rules import RoleRules, values_table
from pipelines.validate.rows_not_data import total_in
from pipelines.validate.typed_rows import ARROW_TYPES, Durations, places_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from frictionless.errors import RowError

    from pipelines.tabular import JudgedBlock, JudgedRow
    from pipelines.validate.findings import FileContext
    from pipelines.validate.header import MatchedHeader
    from pipelines.validate.typed_rows import Mask

_DIGITS = 15  # beyond, whole numbers are not exact any more, and sums could pass 64 bits: no real figure is so large
_LARGEST = 10.0**_DIGITS
_IMPOSSIBLE = f"Ce n'est pas un nombre utilisable (nan, inf, ou plus de {_DIGITS} chiffres)."


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row to set aside: its number in the file, what is wrong with it, its cells, its year when readable."""

    number: int
    found: Sequence[Finding]
    cells: Sequence[str | None]
    year: int | None


@dataclass(frozen=True)
class JudgedRows:
    """The rows of a block: those that ``good`` tells are observations, of the typed ``table`` with ``coordinates``.

    ``ignored`` counts the rows that carry none by a declared rule; ``warnings`` are those of observations.
    """

    table: pa.Table
    coordinates: list[pa.Array]
    good: Mask
    ignored: int
    refusals: list[Refusal]
    warnings: list[Finding]


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


class RowJudge:
    """Judges the rows of a file, block by block; remembers what concerns the file as a whole."""

    def __init__(
        self, context: FileContext, matched: MatchedHeader, marks: Mapping[int, bytearray], first_row: int
    ) -> None:
        self._context, self._matched, self._places = context, matched, matched.places
        self._place_of_label = {context.label(name): place for name, place in self._places.items()}
        kinds = {**ARROW_TYPES, "duration": pa.string()}
        self._judged_schema = pa.schema(
            [
                pa.field(field.name, kinds[field.type])
                for _, field in matched.columns
                if field is not None and not field.personal
            ]
        )
        self.marked = MarkedCells(marks, first_row, matched, context)
        self.roles = RoleRules(context)
        self.spoiled = SpoiledTexts(context, self._places)
        self._placer = RowPlacer(context)
        self._durations = Durations(context.export, context.layout, self._places)
        self._damaged = DamagedText(context, self._places)
        self._causes = Causes(context)
        self._repeated = RepeatedHeader(matched.labels)

    def judge(self, block: JudgedBlock) -> JudgedRows:
        """Judge all rows of a block. Raises OverlongCellError."""
        _check_cells(block)
        implied = self._implied(block.refused)
        refused = [self._refused(row, by_roles) for row, by_roles in zip(block.refused, implied, strict=True)]
        valid = self._valid(block)
        return replace(valid, refusals=[*refused, *valid.refusals])

    def _implied(self, rows: Sequence[JudgedRow]) -> list[list[Finding]]:
        """Return, for each row that frictionless refuses, what the roles of its columns refuse in it too."""
        years = np.array([self._year_of(row) or np.nan for row in rows], np.float64)
        table = self._durations.typed(values_table([row.values for row in rows], self._judged_schema))
        by_place = _by_place(self.roles.refused(table, years), self._beyond(table))
        return [by_place.get(place, []) for place in range(len(rows))]

    def _refused(self, row: JudgedRow, implied: Sequence[Finding]) -> Refusal:
        """Tell all that is wrong with a row that frictionless refuses; ``implied``: by the roles of its columns."""
        blank = [error for error in row.found if error.type == "blank-row"]  # its key is empty too: told once
        beyond = [cell for cell in row.cells[len(self._matched.columns) :] if cell and cell.strip()]
        if blank and beyond:  # frictionless forgets the cells too many of a row whose others are empty
            findings = [Finding("extra-cell", sentence("extra-cell", ""), value=beyond[0])]
        elif blank:
            findings = [self._from_frictionless(error, row) for error in blank]
        elif self._repeated.is_again(row.cells):
            findings = [self._repeated.finding]
        else:
            findings = self._wrong_in(row)
            wrong = {finding.column for finding in findings}
            findings = self._as_written(
                [*findings, *(finding for finding in implied if finding.column not in wrong)], row.cells
            )
            findings += self._spoiled_in(row, {finding.column for finding in findings})
        findings = self._total_in(row.cells, self._with_marks(findings, row))
        return Refusal(row.number, findings, row.cells, self._year_of(row))

    def _total_in(self, cells: Sequence[str | None], findings: list[Finding]) -> list[Finding]:
        """Tell a total alone: each fault of its cells comes from that."""
        written = {name: cells[place] or "" for name, place in self._places.items() if place < len(cells)}
        total = total_in(written, self._context.export)
        if total is None or any(finding.rule == HEADER_AGAIN for finding in findings):
            return findings
        return [replace(total, column=self._context.label(total.column))]

    def _with_marks(self, findings: list[Finding], row: JudgedRow) -> list[Finding]:
        """Tell what the reader saw in a cell, in place of what its text breaks."""
        marked = self.marked.at(row.number)
        if not marked:
            return findings
        columns = {finding.column for finding in marked}
        hidden = {"blank-row"}
        if columns & {self._context.label(name) for name in self._context.export.key}:
            hidden |= {"primary-key", "cle-vide"}
        others = [finding for finding in findings if finding.column not in columns and finding.rule not in hidden]
        return [*self._as_written(marked, row.cells), *others]

    def _wrong_in(self, row: JudgedRow) -> list[Finding]:
        impossible = {
            name: value for name, value in row.values.items() if name in self._places and _is_impossible(value)
        }
        findings = [
            self._context.finding("nombre-impossible", _IMPOSSIBLE, name, value) for name, value in impossible.items()
        ]
        wrong = set(impossible)
        for error in row.found:
            name = str(getattr(error, "field_name", "") or "")
            wrong.add(name)
            if name not in impossible:
                findings.append(self._from_frictionless(error, row))
        return findings + self._placer.findings_of(row.values, wrong)

    def _spoiled_in(self, row: JudgedRow, wrong: set[str]) -> list[Finding]:
        """Return the spoiled texts of a refused row, in the columns of which nothing is wrong yet."""
        names = [name for name, label in self.spoiled.labels.items() if label not in wrong]
        cells = [(name, row.cells[self._places[name]]) for name in names if self._places[name] < len(row.cells)]
        return [finding for name, cell in cells if (finding := self.spoiled.in_cell(name, cell, row.number))]

    def _year_of(self, row: JudgedRow) -> int | None:
        period = self._context.export.period.field
        return self._context.file_year or self._placer.year(row.values.get(period) if period else None)

    def _valid(self, block: JudgedBlock) -> JudgedRows:
        """Judge the rows that frictionless accepts; refuse those that can't be observations."""
        table = self._durations.typed(block.accepted)
        wrong = _by_place(self._impossible(block), self._beyond(table), self.marked.errors(block.numbers))
        wrong |= {place: [self._repeated.finding] for place in self._repeated.places(block.texts)}
        warned = self._look(block, wrong)
        possible = np.ones(table.num_rows, np.bool_)
        possible[list(wrong)] = False
        empty = self._placer.ignored(table)
        ignored = empty & possible
        placed = self._placer.place(table)
        years = placed.coordinates[0]
        implied = _by_place(self.roles.refused(table, years.cast(pa.float64()).to_numpy(zero_copy_only=False)))
        good = placed.good & possible & ~ignored
        good[list(implied)] = False
        findings = {
            place: _once_a_column(
                wrong.get(place, ()), () if empty[place] else placed.findings(place), implied.get(place, ())
            )
            for place in places_of(~good & ~ignored)
        }
        warnings = [
            replace(warning, row=int(block.numbers[place]), year=self._context.file_year or years[place].as_py())
            for place, warning in warned
            if good[place]
        ]
        refusals = self._refusals(block, findings, years)
        return JudgedRows(table, placed.coordinates, good, int(ignored.sum()), refusals, warnings)

    def _refusals(self, block: JudgedBlock, findings: Mapping[int, list[Finding]], years: pa.Array) -> list[Refusal]:
        texts = block.texts.take(pa.array(list(findings))) if findings else block.texts.slice(0, 0)
        refusals = []
        for place, *cells in zip(findings, *(column.to_pylist() for column in texts.columns), strict=True):
            year = self._context.file_year or years[place].as_py()
            of_row = self._total_in(cells, self._as_written(findings[place], cells))
            refusals.append(Refusal(int(block.numbers[place]), of_row, cells, year))
        return refusals

    def _look(self, block: JudgedBlock, wrong: dict[int, list[Finding]]) -> list[tuple[int, Finding]]:
        """Add to what is wrong what was seen in the texts of valid rows; return the warnings, by place."""
        warned = []
        spoiled = self.spoiled.in_block(block.texts, block.numbers)
        for place, finding in chain(self._damaged.found(block.accepted), spoiled):
            if finding.severity == "avertissement":
                warned.append((place, finding))
            elif finding.column not in {other.column for other in wrong.get(place, ())}:
                wrong.setdefault(place, []).append(finding)
        return warned

    def _beyond(self, table: pa.Table) -> Iterator[tuple[int, Finding]]:
        """Yield the durations of a typed table that are out of their bounds; other types are judged by frictionless."""
        for field in self._durations.fields:
            for kind, test in (("minimum", pc.less), ("maximum", pc.greater)):
                limit = getattr(field.constraints, kind)
                if isinstance(limit, int | float) and field.name in table.column_names:
                    note = f'constraint "{kind}" is "{limit:g} {field.unit}"'
                    message = sentence("constraint-error", note)
                    for place in places_of(test(table.column(field.name), limit)):
                        yield place, Finding("constraint-error", message, column=self._context.label(field.name))

    def _impossible(self, block: JudgedBlock) -> Iterator[tuple[int, Finding]]:
        """Yield numbers that frictionless accepts but that no result can be made of: nan, inf, and more than 10^15."""
        places = {int(number): place for place, number in enumerate(block.numbers)} if block.unheld else {}
        for cell in block.unheld:
            yield places[cell.number], self._context.finding("nombre-impossible", _IMPOSSIBLE, cell.field, cell.text)
        for name in self._places:
            column = block.accepted.column(name)
            if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
                continue
            possible = pc.less_equal(pc.abs(column.cast(pa.float64(), safe=False)), _LARGEST)
            for place in places_of(pc.invert(possible)):
                yield place, self._context.finding("nombre-impossible", _IMPOSSIBLE, name, column[place].as_py())

    def _as_written(self, findings: list[Finding], cells: Sequence[str | None]) -> list[Finding]:
        """Put what the file holds where a finding on one column has a value that was read from it."""
        written = []
        for finding in findings:
            place = self._place_of_label.get(finding.column, len(cells))
            shown = replace(finding, value=cells[place] or "") if place < len(cells) else finding
            written.append(replace(shown, cause=self._cause(shown, cells)))
        return written

    def _cause(self, finding: Finding, cells: Sequence[str | None]) -> str:
        beyond = cells[len(self._matched.columns) :]
        if finding.rule == "extra-cell" and not any(cell and cell.strip() for cell in beyond):
            return "un séparateur de trop termine la ligne : ce qui le suit est vide"
        if finding.rule != "missing-cell":
            return self._causes.of(finding)
        return self._causes.of_missing_cells(self._matched.labels[len(cells) :])

    def _from_frictionless(self, error: RowError, row: JudgedRow) -> Finding:
        rule, message = rule_of(error.type, error.note), sentence(error.type, error.note)
        if error.type == "primary-key":
            key = [name for name in self._context.export.key if name in self._places]
            column = ", ".join(self._context.label(name) for name in key)
            cells = [row.cells[self._places[name]] or "" for name in key if self._places[name] < len(row.cells)]
            return Finding(rule, message, column=column, value=", ".join(cells) if any(cells) else "")
        name = str(getattr(error, "field_name", "") or "")
        form = self._durations.form(name)
        if form and constraint_of(Finding(rule, message)) == "pattern":  # it stands for the type
            rule, message = "type-error", sentence("type-error", f'type is "duration/{form}"')
        return self._context.finding(rule, message, name, getattr(error, "cell", ""))


def _check_cells(block: JudgedBlock) -> None:
    for row in block.refused:
        if any(cell and len(cell) > LONGEST_CELL for cell in row.cells):
            raise OverlongCellError(row.number)
    for column in block.texts.columns:
        if (pc.max(pc.binary_length(column)).as_py() or 0) > LONGEST_CELL:
            for place in places_of(pc.greater(pc.utf8_length(column), LONGEST_CELL)):
                raise OverlongCellError(int(block.numbers[place]))


def _by_place(*findings: Iterable[tuple[int, Finding]]) -> dict[int, list[Finding]]:
    by_place: dict[int, list[Finding]] = {}
    for place, finding in chain(*findings):
        by_place.setdefault(place, []).append(finding)
    return by_place


def _once_a_column(*groups: Sequence[Finding]) -> list[Finding]:
    """Return what is wrong with a row: one fault of a cell, told once; of a header come back, nothing more."""
    faults: list[Finding] = []
    for group in groups:
        columns = {finding.column for finding in faults}
        faults += [finding for finding in group if finding.column not in columns]
    return [finding for finding in faults if finding.rule == HEADER_AGAIN] or faults


def _is_impossible(value: Any) -> bool:
    return isinstance(value, int | float) and not abs(value) <= _LARGEST  # nan fits nothing
