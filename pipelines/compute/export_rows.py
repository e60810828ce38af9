"""The rows of an export as SQL: file, weight (calibrated or not), design, rows kept. No statistics here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import duckdb

from pipelines.compute.row_codes import column, literal
from pipelines.declarations.strict_model import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

    from pipelines.declarations import Export, Feed, Level

CELL = ["_periode", "_maille", "_territoire", "_structure"]
CELL_ORDER = "_periode, _maille, _territoire NULLS FIRST, _structure NULLS FIRST"


def connect() -> duckdb.DuckDBPyConnection:
    """Open a connection of its own, temporary tables and all, to the in-memory DuckDB of this process.

    One thread: floating sums then always add in the same order, so bytes never differ.
    """
    try:
        connection = _database(os.getpid()).cursor()
        connection.execute("SELECT 1")
    except duckdb.FatalException:  # a fault of before invalidated it: nothing of it is kept
        _database.cache_clear()
        connection = _database(os.getpid()).cursor()
    return connection


@cache
def _database(process: int) -> duckdb.DuckDBPyConnection:  # noqa: ARG001  (that of a parent is not used after a fork)
    return duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "400MB"})


@dataclass(frozen=True)
class Factors:
    """A table of calibration factors: ``_facteur`` for each combination ``_marge_0``… of the values of ``fields``."""

    table: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """One accepted export of a year: its observations (Parquet) and, once calibrated, its factors."""

    path: Path
    export: Export
    factors: Factors | None = None

    @property
    def finest(self) -> Level:
        """The finest level of the export's rows: the one that other levels are computed from."""
        level = self.export.level
        found = {*level.values.values(), *([level.otherwise] if level.otherwise else [])}
        return next(name for name in LEVELS if name in found)

    @property
    def weight(self) -> str | None:
        """SQL of a row's weight, or None when every row counts for one."""
        declared = f"CAST({column(self.export.weight)} AS DOUBLE)" if self.export.weight else None
        if self.factors is None:
            return declared
        return f"{declared} * _facteur" if declared else "_facteur"

    @property
    def file(self) -> str:
        """SQL of the file's rows as they are."""
        return f"read_parquet({literal(str(self.path))})"

    @property
    def relation(self) -> str:
        """SQL after FROM: the file, joined with its calibration factors where there are some.

        A row that weighs nothing was not calibrated: it has no factor, and stays for what is never weighted.
        """
        rows = self.file
        if self.factors is None:
            return rows
        same = [f"CAST({column(name)} AS VARCHAR) = _marge_{rank}" for rank, name in enumerate(self.factors.fields)]
        return f"{rows} LEFT JOIN {self.factors.table} ON {' AND '.join(same)}"

    @property
    def design_columns(self) -> str:
        """SQL of the row's stratum and cluster; the strata of two exports are never the same."""
        design = self.export.design
        strata = f"CAST({column(design.strata)} AS VARCHAR)" if design and design.strata else "''"
        cluster = f"CAST({column(design.clusters)} AS VARCHAR)" if design and design.clusters else "''"
        return f"{literal(self.export.id + '/')} || {strata} AS _strate, {cluster} AS _grappe"

    def absence(self, feed: Feed) -> str | None:
        """Return the SQL of the reason why an input of the row is absent, where absence codes are declared."""
        names = [name for name in feed.inputs.values() if (field := self.export.field(name)) and field.absences]
        return f"coalesce({', '.join(column(f'_absence_{name}') for name in names)})" if names else None


def kept(feed: Feed) -> str | None:
    """Return the SQL condition of the rows that a feed keeps, or None when it keeps all."""
    conditions = [f"{column(name)} IN ({', '.join(map(literal, values))})" for name, values in feed.where.items()]
    return " AND ".join(conditions) or None


def structures(connection: duckdb.DuckDBPyConnection, sources: Iterable[Source]) -> pd.DataFrame:
    """Return the offices named in the observations: code, name (the last in order, of several), département, level."""
    parts = [
        f"SELECT _structure, _structure_nom, _territoire, _maille FROM {source.file} WHERE _structure IS NOT NULL"
        for source in sources
    ]
    query = f"""
        SELECT _structure AS structure_code, max(_structure_nom) AS structure, max(_territoire) AS territoire_code,
               min(_maille) AS maille
        FROM ({" UNION ALL ".join(parts)}) GROUP BY _structure ORDER BY _structure
    """
    return connection.execute(query).df()
