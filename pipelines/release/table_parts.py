"""Which files hold a table: the parts that its dataset declares, each whole or, over its budget, one file a year.

A table of which nothing is declared is one CSV and one Parquet of its name. Readers of a release find its files by its
descriptor (``history``), never by their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import parquet

from pipelines.declarations import Dataset, Table
from pipelines.declarations.datasets import Part
from pipelines.mechanics.french import counted
from pipelines.release.column_texts import plain_schema, slices
from pipelines.release.refusals import ReleaseError
from pipelines.release.table_writers import csv_bytes

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
        self._dataset, self._tables = dataset, tables
        self.told: Told = {}
        # Each part as if one file held it, and which rows of the table are its own: all when None.
        self._parts: dict[str, dict[str, tuple[TableFile, pa.ChunkedArray | None]]] = {}
        for name, table in tables.items():
            if name not in dataset.layout:
                whole = TableFile(name, name, declared[name].title, declared[name].description)
                self._parts[name] = {name: (whole, None)}
                continue
            parts = dataset.layout[name].parts
            rows = [_rows(table, part) for part in parts]
            _expect_shared(name, rows)
            files = [TableFile(name, part.name, part.title, part.description) for part in parts]
            self._parts[name] = {file.part: (file, own_rows) for file, own_rows in zip(files, rows, strict=True)}
            before = earlier.get(name, {}).get("yearly", [])
            yearly = list[str]()
            for part, own_rows in zip(parts, rows, strict=True):
                yearly += self._divided(table, part, own_rows, before)
            self.told[name] = {"parts": [part.name for part in parts], "yearly": yearly}

    def files(self, name: str, file_format: str) -> list[TableFile]:
        """Return the files of a table in a format, without their rows."""
        yearly, files = self.told.get(name, {}).get("yearly", []), list[TableFile]()
        for whole, own_rows in self._parts[name].values():
            years: list[int] = []
            if f"{whole.part}.{file_format}" in yearly:
                years = sorted(pc.unique(self._tables[name][YEAR].filter(own_rows)).to_pylist())
            files += [replace(whole, year=year) for year in years] or [whole]
        return files

    def parts(self, name: str) -> list[tuple[TableFile, int]]:
        """Return the parts of a table, each as if one file held it, with its number of rows."""
        count = self._tables[name].num_rows
        return [
            (whole, count if own_rows is None else int(pc.sum(own_rows).as_py() or 0))
            for whole, own_rows in self._parts[name].values()
        ]

    def rows(self, file: TableFile) -> pa.Table:
        """Return the rows of a file, copied unless they are the whole table."""
        table, (_, own_rows) = self._tables[file.table], self._parts[file.table][file.part]
        if own_rows is None:
            return table
        return table.filter(own_rows if file.year is None else pc.and_(own_rows, pc.equal(table[YEAR], file.year)))

    def moved(self, earlier: Told) -> tuple[MovedTable, ...]:
        """Return the tables of which the files are others than the release before told."""
        return moved(self._dataset, earlier, self.told)

    def _divided(self, table: pa.Table, part: Part, rows: pa.ChunkedArray, before: list[str]) -> Iterator[str]:
        """Yield the files of a part that are one a year."""
        if YEAR not in table.column_names:
            return
        budgets, size = self._dataset.budgets, _csv_size(table, rows)
        if f"{part.name}.{CSV}" in before or size > budgets.csv * MEGABYTE * _SURE:
            yield f"{part.name}.{CSV}"
        # A Parquet is never larger than its CSV: most need not be measured.
        most = budgets.parquet * MEGABYTE
        if f"{part.name}.{PARQUET}" in before or (size > most and _parquet_size(table, rows) > most):
            yield f"{part.name}.{PARQUET}"


def moved(dataset: Dataset, before: Told, after: Told) -> tuple[MovedTable, ...]:
    """Return the tables whose files differ between what two releases told, with the reason declared for it."""
    tables = []
    for table in sorted(before.keys() | after.keys()):
        was, now = before.get(table), after.get(table)
        if was != now:
            declared = dataset.layout.get(table)
            why = declared.why if declared else "La table est de nouveau dans un seul fichier par format."
            tables.append(MovedTable(table, _named(table, was), _named(table, now), why))
    return tuple(tables)


def _named(table: str, told: Mapping[str, Any] | None) -> str:
    """Name the files of a table."""
    if told is None:
        return f"{table}.{CSV}, {table}.{PARQUET}"
    files = [f"{part}.{ending}" for part in told["parts"] for ending in (CSV, PARQUET)]
    return ", ".join(f"{file} (un par année)" if file in told["yearly"] else file for file in files)


def _rows(table: pa.Table, part: Part) -> pa.ChunkedArray:
    """Say of each row whether it is of a part."""
    rows = pa.chunked_array([pa.repeat(True, table.num_rows)])
    for column, texts in part.where.items():
        rows = pc.and_(rows, pc.is_in(pc.cast(table[column], pa.string()), value_set=pa.array(texts, pa.string())))
    return rows


def _expect_shared(name: str, parts: list[pa.ChunkedArray]) -> None:
    """Raise ReleaseError unless each row is of one part and of one only."""
    homes = np.sum([rows.to_numpy().astype(np.int8) for rows in parts], axis=0)
    if wrong := int((homes != 1).sum()):
        message = f"{name} : {counted(wrong, 'ligne')} dans aucune partie déclarée sous layout, ou dans plusieurs"
        raise ReleaseError("Publication refusée, rien n'est publié :", [message])


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
