"""The files of an export of a year put together: what is judged whole, what is found, rows as cells."""

from __future__ import annotations

import contextlib
import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import frictionless
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.compile.exports import field_descriptor, label_named
from pipelines.mechanics.spelling import one_writing
from pipelines.tabular.linear_patterns import judged_in_linear_time
from pipelines.validate.header import fields_by_label

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pipelines.declarations import Export, ExportField, Layout
    from pipelines.declarations.strict_model import Scalar
    from pipelines.validate.findings import Finding
    from pipelines.validate.observations_writer import RefusedRow, Validated
    from pipelines.validate.typed_rows import TypedRows

RANK = "_fichier"
Where = tuple[tuple[str, tuple["Scalar", ...]], ...]


@dataclass(frozen=True)
class Expected:
    """What is known of an export's rows beside its cells.

    ``alone``: the conditions of the indicators that take one value a place and period. ``examples``: the rows that the
    template shows, as text by field.
    """

    layout: Layout
    alone: tuple[Where, ...] = ()
    examples: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class JudgedFile:
    """A file of the export, by path and sha256, and what validation made of it."""

    path: str
    sha256: str
    validated: Validated


@dataclass(frozen=True)
class Part:
    """What concerns one year in a file of the export; all of it without a year.

    What is found in a row whose year can't be read concerns every year.
    """

    file: JudgedFile
    year: int | None
    export: Export
    layout: Layout

    @cached_property
    def table(self) -> TypedRows:
        """The accepted rows."""
        return self.file.validated.observations.of_year(self.year)

    @cached_property
    def findings(self) -> list[Finding]:
        """What was found in it alone."""
        return [item for item in self.file.validated.findings if self._holds(item.year)]

    @cached_property
    def refused_rows(self) -> list[RefusedRow]:
        """The refused rows that were kept with their cells."""
        return [row for row in self.file.validated.refused_rows if self._holds(row.year)]

    def rows(self, columns: Iterable[str]) -> pa.Table:
        """Return columns of the accepted rows."""
        wanted = list(dict.fromkeys(columns))
        schema = pa.schema([self.table.schema.field(name) for name in wanted])
        return pa.Table.from_batches(self.table.batches(wanted), schema)

    @property
    def refused(self) -> int:
        """How many rows were refused, those that were not kept included."""
        return sum(count for year, count in self.file.validated.refused.items() if self._holds(year))

    def _holds(self, year: int | None) -> bool:
        return self.year is None or year in (self.year, None)

    @cached_property
    def _columns(self) -> list[ExportField | None]:
        """The field of each column of the file, but of those that were dropped or that nothing declares."""
        names = set(self.table.schema.names)
        fields = {
            label: item for label, item in fields_by_label(self.export, self.layout).items() if item.name in names
        }
        return [fields.get(one_writing(label)) for label in self.file.validated.header]

    def written_rows(self, numbers: Collection[int]) -> Iterator[tuple[int, int, list[str]]]:
        """Yield number, year and cells of accepted rows, in the columns of the file.

        Personal columns were dropped when the rows were accepted: their cells are empty.
        """
        fields = [(item.name, field_descriptor(item, self.layout)) if item else None for item in self._columns]
        rows = self.rows(["_ligne", "_annee", *(field[0] for field in fields if field)])
        wanted = pc.is_in(rows.column("_ligne"), pa.array(list(numbers), pa.int64()))
        for row in rows.filter(wanted).to_pylist():
            yield row["_ligne"], row["_annee"], [written(row[field[0]], field[1]) if field else "" for field in fields]

    def rewritten(self, cells: Sequence[str]) -> list[str]:
        """Return the cells of a refused row as ``written_rows`` would write them: 3 824 and 3824 are one value."""
        pairs = zip(cells, self._columns, strict=False)
        return [_reread(cell, field_descriptor(item, self.layout)) if item else "" for cell, item in pairs]


@dataclass
class Whole:
    """An export and its files; for each of these, rows to set aside and why, and what is told.

    ``question`` stops the export. ``companions``: the rows set aside only because another has their key: one fault,
    not two.
    """

    export: Export
    parts: Sequence[Part]
    expected: Expected
    refused: list[dict[int, Finding]] = field(init=False)
    told: list[list[Finding]] = field(init=False)
    question: str = ""
    companions: int = 0

    def __post_init__(self) -> None:
        self.refused, self.told = [{} for _ in self.parts], [[] for _ in self.parts]

    @property
    def names(self) -> list[str]:
        """The paths of the files."""
        return [part.file.path for part in self.parts]

    def label(self, name: str) -> str:
        """Return the label of a field's column."""
        return label_named(self.export, self.expected.layout, name)

    def refuse(self, file: int, finding: Finding) -> None:
        """Set the row of a finding aside, for the first reason found."""
        assert finding.row is not None  # whoever refuses a row names it
        self.refused[file].setdefault(finding.row, finding)

    def table(self, columns: Iterable[str]) -> pa.Table:
        """Return columns of the rows of all files; ``_fichier`` is the rank of the file of each."""
        tables = [part.rows(name for name in columns if name != RANK) for part in self.parts]
        return pa.concat_tables(
            [table.append_column(RANK, pa.repeat(rank, table.num_rows)) for rank, table in enumerate(tables)],
            promote_options="default",
        )

    def places(self, rows: Iterable[Mapping[str, Any]]) -> str:
        """Say where rows of ``table`` are, in French."""
        return " ; ".join(f"« {self.names[row[RANK]]} », ligne {row['_ligne']}" for row in rows)


def written(value: Any, descriptor: Mapping[str, Any]) -> str:
    """Write a typed value as the descriptor of its field says; plainly, by an empty one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        words = descriptor.get("trueValues" if value else "falseValues") or [str(value).lower()]
        return str(words[0])
    if isinstance(value, datetime.date):
        form = descriptor.get("format", "default")
        return value.isoformat() if form == "default" else value.strftime(form)
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() else repr(value)
        return text.replace(".", descriptor.get("decimalChar", "."))
    return str(value)


def _reread(cell: str, descriptor: dict[str, Any]) -> str:
    with judged_in_linear_time():
        value, notes = frictionless.Field.from_descriptor(descriptor).read_cell(cell)
    if notes and descriptor["type"] == "date":  # a native date of a spreadsheet, whatever the declared form
        with contextlib.suppress(ValueError):
            value, notes = datetime.date.fromisoformat(cell), {}
    if notes:
        return cell
    return written(float(value) if isinstance(value, Decimal) else value, descriptor)
