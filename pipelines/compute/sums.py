"""Observations (Parquet) → sums per cell, by DuckDB: the only place that reads many rows.

What sums mean is in ``estimates``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.compute.coding import code, column, literal
from pipelines.declarations.base import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from pipelines.declarations import Export, Feed, Indicator, Level


def connect(memory_limit: str = "1GB") -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB. One thread: floating sums then always add in the same order, so bytes never differ."""
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET threads = 1; SET memory_limit = '{memory_limit}'")
    return connection


def finest_level(export: Export) -> Level:
    """Return the finest level of the export's rows: the one that other levels are computed from."""
    found = {*export.level.values.values(), *([export.level.otherwise] if export.level.otherwise else [])}
    return next(level for level in LEVELS if level in found)


def cell_sums(
    connection: duckdb.DuckDBPyConnection, indicator: Indicator, feed: Feed, exports: Mapping[Path, Export]
) -> pd.DataFrame:
    """Return one line per finest period × level × territory × structure: n, sw, sw2, swx, swx2 (see ``estimate``).

    ``motif`` is the reason of the declared absences of the cell's inputs, when there is a single one.
    """
    query = f"""
        SELECT _periode, _maille, _territoire, _structure, max(_structure_nom) AS _structure_nom,
               count(x) AS n,
               CASE WHEN count(DISTINCT motif) = 1 THEN min(motif) END AS motif,
               coalesce(sum(w) FILTER (x IS NOT NULL), 0) AS sw,
               coalesce(sum(w * w) FILTER (x IS NOT NULL), 0) AS sw2,
               coalesce(sum({_weighted(indicator, "x")}), 0) AS swx,
               coalesce(sum({_weighted(indicator, "x * x")}), 0) AS swx2
        FROM ({_coded_rows(indicator, feed, exports)})
        GROUP BY _periode, _maille, _territoire, _structure
        ORDER BY _periode, _maille, _territoire NULLS FIRST, _structure NULLS FIRST
    """
    return connection.execute(query).df()


def medians(
    connection: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    feed: Feed,
    exports: Mapping[Path, Export],
    groups: pd.DataFrame,
) -> pd.DataFrame:
    """Return n, sw and the (weighted) median per ``_unit`` of ``groups``, which maps cells to published units.

    The weighted median is the mean of the smallest values whose cumulated weight reaches, and passes, half the total:
    with equal weights, the usual median.
    """
    connection.register("unit_of_cell", groups)
    query = f"""
        WITH coded AS ({_coded_rows(indicator, feed, exports)}),
        ranked AS (
            SELECT _unit, x, w,
                   sum(w) OVER (PARTITION BY _unit ORDER BY x) AS reached,
                   sum(w) OVER (PARTITION BY _unit) AS total
            FROM coded JOIN unit_of_cell USING (_periode, _maille)
            WHERE x IS NOT NULL AND coded._territoire IS NOT DISTINCT FROM unit_of_cell._territoire
              AND coded._structure IS NOT DISTINCT FROM unit_of_cell._structure
        )
        SELECT _unit, count(x) AS n, sum(w) AS sw,
               (min(x) FILTER (reached >= total / 2) + min(x) FILTER (reached > total / 2)) / 2 AS valeur
        FROM ranked GROUP BY _unit ORDER BY _unit
    """
    found = connection.execute(query).df()
    connection.unregister("unit_of_cell")
    return found


def declared_rows(connection: duckdb.DuckDBPyConnection, feed: Feed, exports: Mapping[Path, Export]) -> pd.DataFrame:
    """Return the typed values: one line per row, with its level, value, base, reason of absence and export."""
    parts = []
    for path, export in exports.items():
        value = feed.inputs["value"]
        field = export.field(value)
        absence = column(f"_absence_{value}") if field and field.absences else "NULL"
        base = f"CAST({column(feed.inputs['base'])} AS DOUBLE)" if "base" in feed.inputs else "CAST(NULL AS DOUBLE)"
        parts.append(f"""
            SELECT _annee, _periode, _maille, _territoire, _structure, _structure_nom,
                   CAST({column(value)} AS DOUBLE) AS valeur, {base} AS base, CAST({absence} AS VARCHAR) AS motif,
                   {literal(export.id)} AS source
            FROM read_parquet({literal(str(path))}) {_where(feed)}
        """)
    order = "ORDER BY _periode, _maille, _territoire NULLS FIRST, _structure NULLS FIRST"
    return connection.execute(" UNION ALL ".join(parts) + order).df()


def _coded_rows(indicator: Indicator, feed: Feed, exports: Mapping[Path, Export]) -> str:
    parts = []
    for path, export in exports.items():
        coded = code(indicator.estimator, feed.inputs, export.weight)
        level = f"_maille = {literal(finest_level(export))}"
        parts.append(f"""
            SELECT _periode, _maille, _territoire, _structure, _structure_nom,
                   CASE WHEN ({coded.w}) IS NULL THEN NULL ELSE CAST({coded.x} AS DOUBLE) END AS x,
                   CAST({coded.w} AS DOUBLE) AS w, {_absence(feed, export)} AS motif
            FROM read_parquet({literal(str(path))}) {_where(feed, level)}
        """)
    return " UNION ALL ".join(parts)


def _absence(feed: Feed, export: Export) -> str:
    """Return the SQL of the reason why an input of the row is absent, where absence codes are declared."""
    coded = [name for name in feed.inputs.values() if (field := export.field(name)) and field.absences]
    return f"coalesce({', '.join(column(f'_absence_{name}') for name in coded)})" if coded else "CAST(NULL AS VARCHAR)"


def _weighted(indicator: Indicator, value: str) -> str:
    """Weigh the value, unless it stands by itself: a ratio's numerator, or what is summed."""
    return value if indicator.estimator.name in ("ratio", "sum") else f"w * {value}"


def _where(feed: Feed, *conditions: str) -> str:
    kept = [*conditions]
    for name, values in feed.where.items():
        kept.append(f"{column(name)} IN ({', '.join(literal(value) for value in values)})")
    return f"WHERE {' AND '.join(kept)}" if kept else ""


def structures(connection: duckdb.DuckDBPyConnection, exports: Mapping[Path, Export]) -> pd.DataFrame:
    """Return the offices named in the observations: code, name (the last in order, of several), département, level."""
    parts = [
        f"SELECT _structure, _structure_nom, _territoire, _maille FROM read_parquet({literal(str(path))}) "
        "WHERE _structure IS NOT NULL"
        for path in exports
    ]
    query: Any = f"""
        SELECT _structure AS structure_code, max(_structure_nom) AS structure, max(_territoire) AS territoire_code,
               min(_maille) AS maille
        FROM ({" UNION ALL ".join(parts)}) GROUP BY _structure ORDER BY _structure
    """
    return connection.execute(query).df()
