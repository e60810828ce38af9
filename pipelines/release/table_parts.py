"""Which files hold a table: the parts that its dataset declares, each whole or, over its budget, one file a year.

A table of which nothing is declared is one CSV and one Parquet of its name. Readers of a release find its files by its
descriptor (``history``), never by their names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import parquet

from pipelines.mechanics.french import counted
from pipelines.release.column_texts import plain_schema, slices
from pipelines.release.refusals import ReleaseError
from pipelines.release.table_writers import csv_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.declarations import Dataset, Table
    from pipelines.declarations.datasets import Part

CSV, PARQUET = "csv", "parquet"
YEAR, MEGABYTE = "annee", 1024 * 1024
_SAMPLE = 1_000  # rows by which the size of a CSV is told, within 1 % of rows alike
_SURE = 0.95  # of a budget: what is estimated over it is divided
Told = dict[str, dict[str, list[str]]]


@dataclass(frozen=True)
class TableFile:
    """A file of a table, without its format: all of a part, or one of its years."""

    table: str
    part: str
    title: str
    description: str
    year: int | None = None

    @property
    def name(self) -> str:
        """Its name without ending."""
        return self.part if self.year is None else f"{self.part}-{self.year}"

    @property
    def label(self) -> str:
        """Its title, with the year."""
        return self.title if self.year is None else f"{self.title}, {self.year}"


@dataclass(frozen=True)
class MovedTable:
    """A table whose files are others than in the release before, named by their formats, and why."""

    table: str
    before: str
    after: str
    why: str


class TableParts:
    """How the tables of a release lie in files. ``told``: what the release says of it, nothing of one table one file.

    ``earlier`` is what the release before told: a part that was divided by year stays so, for its links to stay.
    """

    def __init__(
        self, dataset: Dataset, declared: Mapping[str, Table], tables: Mapping[str, pa.Table], earlier: Told
    ) -> None:
        self._dataset, self._declared, self._tables = dataset, declared, tables
        self.told: Told = {}
        for name in [name for name in tables if name in dataset.layout]:
            parts = dataset.layout[name].parts
            _expect_shared(name, tables[name], parts)
            before = earlier.get(name, {}).get("yearly", [])
            yearly = [file for part in parts for file in self._divided(name, part, before)]
            self.told[name] = {"parts": [part.name for part in parts], "yearly": yearly}

    def files(self, name: str, file_format: str) -> list[TableFile]:
        """Return the files of a table in a format, without their rows."""
        wholes = [whole for whole, _ in self.parts(name)]
        if name not in self.told:
            return wholes
        declared = self._dataset.layout[name].parts
        pairs = zip(wholes, declared, strict=True)
        return [file for whole, part in pairs for file in self._years(whole, part, file_format)]

    def parts(self, name: str) -> list[tuple[TableFile, int]]:
        """Return the parts of a table, each as if one file held it, with its number of rows."""
        table, declared = self._tables[name], self._declared[name]
        if name not in self.told:
            return [(TableFile(name, name, declared.title, declared.description), table.num_rows)]
        return [
            (TableFile(name, part.name, part.title, part.description), int(pc.sum(_rows(table, part)).as_py() or 0))
            for part in self._dataset.layout[name].parts
        ]

    def rows(self, file: TableFile) -> pa.Table:
        """Return the rows of a file, copied unless they are the whole table."""
        table = self._tables[file.table]
        if file.table not in self.told:
            return table
        kept = _rows(table, next(part for part in self._dataset.layout[file.table].parts if part.name == file.part))
        return table.filter(kept if file.year is None else pc.and_(kept, pc.equal(table[YEAR], file.year)))

    def _years(self, whole: TableFile, part: Part, file_format: str) -> list[TableFile]:
        """Return the file of a part, or its files by year."""
        table = self._tables[whole.table]
        if f"{part.name}.{file_format}" not in self.told[whole.table]["yearly"]:
            return [whole]
        years = pc.unique(table[YEAR].filter(_rows(table, part))).to_pylist()
        return [replace(whole, year=year) for year in sorted(years)] or [whole]

    def moved(self, earlier: Told) -> tuple[MovedTable, ...]:
        """Return the tables of which the files are others than the release before told."""
        return moved(self._dataset, earlier, self.told)

    def _divided(self, name: str, part: Part, before: list[str]) -> Iterator[str]:
        """Yield the files of a part that are one a year."""
        table, budgets = self._tables[name], self._dataset.budgets
        if YEAR not in table.column_names:
            return
        rows = _rows(table, part)
        size = _csv_size(table, rows)
        largest = {CSV: budgets.csv * MEGABYTE * _SURE, PARQUET: budgets.parquet * MEGABYTE}
        if f"{part.name}.{CSV}" in before or size > largest[CSV]:
            yield f"{part.name}.{CSV}"
        # A Parquet is never larger than its CSV: most need not be measured.
        large = size > largest[PARQUET] and _parquet_size(table, rows) > largest[PARQUET]
        if f"{part.name}.{PARQUET}" in before or large:
            yield f"{part.name}.{PARQUET}"


def moved(dataset: Dataset, before: Told, after: Told) -> tuple[MovedTable, ...]:
    """Return the tables whose files differ between what two releases told, with the reason declared for it."""
    found = []
    for table in sorted(before.keys() | after.keys()):
        if before.get(table) != after.get(table):
            declared = dataset.layout.get(table)
            why = declared.why if declared else "La table est de nouveau dans un seul fichier par format."
            was, now = _named(table, before.get(table)), _named(table, after.get(table))
            found.append(MovedTable(table, was, now, why))
    return tuple(found)


def _named(table: str, told: Mapping[str, Any] | None) -> str:
    """Name the files of a table."""
    if told is None:
        return f"{table}.{CSV}, {table}.{PARQUET}"
    files = [f"{part}.{ending}" for part in told["parts"] for ending in (CSV, PARQUET)]
    return ", ".join(f"{file} (un par année)" if file in told["yearly"] else file for file in files)


def _rows(table: pa.Table, part: Part) -> pa.ChunkedArray:
    """Say of each row whether it is of a part."""
    kept = pa.chunked_array([pa.repeat(True, table.num_rows)])
    for column, texts in part.where.items():
        kept = pc.and_(kept, pc.is_in(pc.cast(table[column], pa.string()), value_set=pa.array(texts, pa.string())))
    return kept


def _expect_shared(name: str, table: pa.Table, parts: tuple[Part, ...]) -> None:
    """Raise ReleaseError unless each row is of one part and of one only."""
    homes = sum((_rows(table, part).to_numpy().astype(np.int8) for part in parts), np.zeros(table.num_rows, np.int8))
    if wrong := int((homes != 1).sum()):
        told = f"{name} : {counted(wrong, 'ligne')} dans aucune partie déclarée sous layout, ou dans plusieurs"
        raise ReleaseError("Publication refusée, rien n'est publié :", [told])


def _csv_size(table: pa.Table, rows: pa.ChunkedArray) -> float:
    """Estimate the bytes of the CSV of some rows, by some of them taken evenly."""
    at = np.flatnonzero(rows.to_numpy())
    step = max(len(at) // _SAMPLE, 1)
    sample = at[::step]
    return len(csv_bytes(table.take(pa.array(sample)))) * len(at) / max(len(sample), 1)


def _parquet_size(table: pa.Table, rows: pa.ChunkedArray) -> int:
    """Return the bytes of the Parquet of some rows, written nowhere."""
    sink, start = pa.MockOutputStream(), 0
    with parquet.ParquetWriter(sink, plain_schema(table.schema), compression="zstd", version="2.6") as writer:
        for piece in slices(table):
            writer.write_table(piece.filter(rows.slice(start, piece.num_rows)))
            start += piece.num_rows
    return int(sink.size())
