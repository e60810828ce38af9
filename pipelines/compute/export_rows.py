"""The rows of an export as SQL: file, weight, design, rows kept, and how each row is coded for an estimator.

Only the closed registry of ``declarations.estimators`` is translated; nothing from the YAML is ever run as an
expression. No statistics here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.declarations import Export, Feed, Frequency, Indicator, Level
from pipelines.declarations import estimators as declared
from pipelines.declarations.sampling import Design
from pipelines.declarations.strict_model import LEVELS, Scalar

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Coded:
    """SQL of a row's coded value ``x`` and, for a ratio, of its denominator ``y``.

    A ratio's row whose denominator is 0 makes no part of it: neither its numerator nor the row itself is in the base.
    """

    x: str
    y: str | None = None

    @property
    def in_base(self) -> str:
        """SQL condition of the rows that can make the value, whatever their weight."""
        return f"({self.x}) IS NOT NULL" + (f" AND ({self.y}) <> 0" if self.y else "")


def code(estimator: declared.Estimator, inputs: Mapping[str, str]) -> Coded:
    """Return the coding of ``estimator`` over the input columns: percentages as 0/100, net scores as -100/0/100."""
    if isinstance(estimator, declared.Ratio):
        return Coded(column(inputs["numerator"]), column(inputs["denominator"]))
    if isinstance(estimator, declared.Count):
        return Coded(f"CASE WHEN {column(inputs['value'])} IS NOT NULL THEN 1 END" if inputs else "1")
    if isinstance(estimator, declared.WithinDeadline):
        delay = column(inputs["delay"]) if "delay" in inputs else _days(inputs["start"], inputs["end"])
        return Coded(
            f"CASE WHEN {delay} < 0 THEN NULL WHEN {delay} <= {estimator.within!r} THEN 100 "
            f"WHEN {delay} IS NOT NULL THEN 0 END"
        )
    return Coded(_answered(estimator, column(next(iter(inputs.values())))))


def _days(start: str, end: str) -> str:
    return f"date_diff('day', {column(start)}, {column(end)})"


def _answered(estimator: declared.Estimator, answer: str) -> str:
    match estimator:
        case declared.Share():
            branches = [_among(answer, estimator.favourable, 100), _among(answer, estimator.among, 0)]
        case declared.TopBox():
            low, high = estimator.scale
            branches = [_between(answer, high - estimator.top + 1, high, "100"), _between(answer, low, high, "0")]
        case declared.Nps():
            branches = [_between(answer, 9, 10, "100"), _between(answer, 7, 8, "0"), _between(answer, 0, 6, "-100")]
        case declared.NetSatisfaction():
            branches = [_among(answer, estimator.satisfied, 100), _among(answer, estimator.dissatisfied, -100)]
            if estimator.neutral:
                branches.append(_among(answer, estimator.neutral, 0))
        case declared.Score():
            branches = [f"WHEN {answer} = {literal(item.answer)} THEN {item.points!r}" for item in estimator.points]
        case declared.Ces():
            branches = [_between(answer, *estimator.scale, answer)]
        case _:
            return answer
    return f"CASE {' '.join(branches)} END"


def typed_value(estimator: declared.Estimator, inputs: Mapping[str, str]) -> str:
    """Return the SQL of a typed value; for ``progress_rate``, made of the three that the row gives."""
    if not isinstance(estimator, declared.ProgressRate):
        return f"CAST({column(inputs['value'])} AS DOUBLE)"
    current, initial, target = (f"CAST({column(inputs[name])} AS DOUBLE)" for name in ("current", "initial", "target"))
    done = f"100 * ({current} - {initial}) / nullif({target} - {initial}, 0)"
    return f"CASE WHEN {done} < 0 THEN 0 WHEN {done} > 100 THEN 100 ELSE {done} END"


def _among(answer: str, values: Iterable[Scalar], points: int) -> str:
    return f"WHEN {answer} IN ({', '.join(literal(value) for value in values)}) THEN {points}"


def _between(answer: str, low: int, high: int, coded: str) -> str:
    return f"WHEN {answer} BETWEEN {low} AND {high} THEN {coded}"


def column(name: str) -> str:
    """Quote a column name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Scalar) -> str:
    """Write a declared value as an SQL literal."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + value.replace("'", "''") + "'"


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


@dataclass(frozen=True)
class Fed:
    """An indicator and the accepted exports of a year that feed it; ``feed`` tells from which columns and rows."""

    indicator: Indicator
    feed: Feed
    sources: Sequence[Source]

    @property
    def sampled(self) -> bool:
        """Whether some rows are of a sample, so that values have intervals."""
        return any(source.export.sampled for source in self.sources)

    @property
    def weighted(self) -> bool:
        """Whether some rows have weights."""
        return any(source.weight for source in self.sources)

    @property
    def design(self) -> Design | None:
        """The sampling design, when one is declared."""
        return next((source.export.design for source in self.sources if source.export.design), None)

    @property
    def finest(self) -> Frequency:
        """The periods of the rows."""
        return self.sources[0].export.period.frequency

    @property
    def published(self) -> list[Frequency]:
        """The periods of which results are published."""
        return list(dict.fromkeys([self.feed.frequency or self.finest, "year"]))


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
