"""The files of an export of a year put together: what is judged whole, and what is found in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.compile.exports import label_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipelines.declarations import Export, Layout
    from pipelines.declarations.base import Scalar
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

    @property
    def header(self) -> Sequence[str]:
        """The labels of its columns."""
        return self.file.validated.header

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
