"""Judged blocks → typed observations, refused rows and findings, in the order of the file.

What is wrong with rows is decided in ``row_faults``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.validate.coordinates import COORDINATES
from pipelines.validate.equivalent_keys import EquivalentKeys, OfficeCodes
from pipelines.validate.findings import FileContext, Finding, Tally
from pipelines.validate.row_faults import JudgedRows, Refusal, RowJudge
from pipelines.validate.typed_rows import ARROW_TYPES, TypedRows, TypedWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipelines.declarations import Export
    from pipelines.tabular import JudgedBlock
    from pipelines.validate.header import MatchedHeader

KEPT_ROWS = 10_000  # refused rows kept with their cells: more would not be corrected by hand
KEPT_FINDINGS = 10_000  # of one rule, column and year; the others are counted
_SPACES = " \t\r\n\u00a0\u202f"  # not all that str.strip takes for one: U+001C is a character that a row is refused for


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

    Personal columns are judged, then dropped: no result rests on them. The texts of users' experiences are kept: these
    rows are private, and the voices are made of them, masked.
    """
    public = [declared for declared in export.fields if not declared.personal or declared.name in export.kept_personal]
    fields = [pa.field(declared.name, ARROW_TYPES[declared.type]) for declared in public]
    absences = [pa.field(f"_absence_{declared.name}", pa.string()) for declared in public if declared.absences]
    return pa.schema([*COORDINATES, *fields, *absences])


class ObservationsWriter:
    """Takes blocks in the order of the file: writes the rows that are observations, keeps the others with why."""

    def __init__(
        self,
        context: FileContext,
        matched: MatchedHeader,
        marks: Mapping[int, bytearray] | None = None,
        first_row: int = 0,
    ) -> None:
        self._context, self._places = context, matched.places
        self._schema = observation_schema(context.export)
        self._judge = RowJudge(context, matched, marks or {}, first_row)
        self._writer = TypedWriter(self._schema, context.spill)
        self.tally = Tally(KEPT_FINDINGS)
        self.tally.add(self._judge.marked.warnings())
        self._refused: Counter[int | None] = Counter()
        self._refused_rows: list[RefusedRow] = []
        self._ignored = 0
        self._blank = BlankRows()
        self._last = 0
        structure = context.export.structure
        names = [name for name in self._places if name in self._schema.names]
        self._keys = EquivalentKeys(context.export, names, context.labels)
        self._offices = OfficeCodes(context.label(structure.code) if structure else "")

    def take(self, block: JudgedBlock) -> None:
        """Take a block: its rows are accepted, ignored or refused. Raises OverlongCellError."""
        rows = self._judge.judge(block)
        self._ignored += rows.ignored
        if rows.good.any() or rows.ignored:
            self._write(block, rows)
        self.tally.add(rows.warnings)
        if len(block.numbers):
            self._last = max(self._last, int(block.numbers[-1]))
        for row in sorted(rows.refusals, key=lambda refusal: refusal.number):
            if any(cell and cell.strip(_SPACES) for cell in row.cells):
                self._last = max(self._last, row.number)
                self._refuse(row)
            else:
                self._blank.add(row)
        for row in self._blank.before(self._last):
            self._refuse(row)

    def finish(self, fetch: Callable[[int], list[str | None]], **of_file: Any) -> Validated:
        """Return what was gathered; ``fetch`` gives the cells of a row again, ``of_file`` goes into the judgement.

        Blank rows at the end of the file, which spreadsheets leave, are no rows.
        """
        rows = self._writer.close()
        late: set[int] = set()
        for number, finding, year in chain(self._offices.found(rows), self._keys.found(rows)):
            if number not in late:
                self._refuse(Refusal(number, [finding], fetch(number) if self._keeps_cells() else [], year))
            late.add(number)
        rows = rows.without(sorted(late))
        findings = [*self.tally.close(), *self._judge.roles.told(rows)]
        findings.sort(key=lambda item: item.row or 0)
        if whole := self._judge.spoiled.of_the_file():
            return Validated(TypedRows(self._schema), [whole, *findings], usable=False, **of_file)
        refused_rows = sorted(self._refused_rows, key=lambda item: item.number)
        return Validated(rows, findings, dict(self._refused), self._ignored, refused_rows=refused_rows, **of_file)

    def _write(self, block: JudgedBlock, rows: JudgedRows) -> None:
        numbers = pa.array(block.numbers, pa.int64())
        columns: dict[str, Any] = dict(zip(COORDINATES.names, [numbers, *rows.coordinates], strict=True))
        for name in self._schema.names[len(COORDINATES) :]:
            field = name.removeprefix("_absence_")
            if field not in self._places:
                columns[name] = pa.nulls(rows.table.num_rows, self._schema.field(name).type)
            elif name == field:
                columns[name] = rows.table.column(name).cast(self._schema.field(name).type)
            else:
                columns[name] = self._reasons(field, rows.table.column(field), block.texts.column(field))
        whole = pa.Table.from_arrays(list(columns.values()), schema=self._schema)
        accepted = whole if rows.good.all() else whole.filter(pa.array(rows.good))
        self._keys.note(accepted)
        self._offices.note(accepted)
        self._writer.write(accepted)

    def _reasons(self, name: str, values: pa.ChunkedArray, texts: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return the declared reason of each absence, by what was written there."""
        declared = self._context.export.field(name)
        reasons = dict(declared.absences or {}) if declared else {}
        written = pc.if_else(pc.is_null(values), texts, None)
        places = pc.index_in(written, pa.array(list(reasons), pa.string()))
        return pa.array(list(reasons.values()), pa.string()).take(places)

    def _refuse(self, row: Refusal) -> None:
        self._refused[row.year] += 1
        if self._keeps_cells():
            self._refused_rows.append(RefusedRow(row.number, row.year, [cell or "" for cell in row.cells]))
        self.tally.add(replace(item, row=row.number, year=row.year) for item in row.found)

    def _keeps_cells(self) -> bool:
        return len(self._refused_rows) < KEPT_ROWS


class BlankRows:
    """Refused rows without content, in order; those at the end of a file, which are no rows, are never given back.

    Runs of rows that are alike but for their number take no more than one.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[Refusal, range]] = []

    def add(self, row: Refusal) -> None:
        """Note a row, after those before it."""
        if self._runs:
            last, run = self._runs[-1]
            if run.stop == row.number and replace(last, number=row.number) == row:
                self._runs[-1] = (last, range(run.start, row.number + 1))
                return
        self._runs.append((row, range(row.number, row.number + 1)))

    def before(self, number: int) -> Iterator[Refusal]:
        """Yield the rows that come before a number, in order, and forget them."""
        past, self._runs = self._runs, []
        for first, run in past:
            yield from (replace(first, number=row) for row in range(run.start, min(run.stop, number)))
            if run.stop > number:
                self._runs.append((first, range(max(run.start, number), run.stop)))
