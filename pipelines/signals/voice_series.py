"""Voices → series: how many of each service, theme and feeling, by month and by week, beside the volume of the service.

A month is judged from what is known at its end: no later voice is read. Weeks are the seven days that end with the
month, and those before. Campaigns are in no count.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

SERVICE = ["network", "service"]
KEY = [*SERVICE, "theme", "feeling"]
ALL = ""  # every theme, or every feeling
FEELINGS = (ALL, "negatif", "positif")  # what is tested: dissatisfaction, satisfaction, and what is only talked about
MONTHS = 72  # kept before the one judged: five years, and what they lean on
WEEKS = 60
YEAR = 12  # months before which nothing is told by day and département
FELT = "unnest(list_distinct([feeling, '']))"  # SQL: a voice counts for its feeling, and for all of them
_KNOWN = """
CREATE TEMP VIEW known AS
SELECT network, service, coalesce(nullif(feeling, ''), 'inconnu') AS feeling, office, day, themes,
       coalesce(department, '') AS department, datediff('month', day, DATE '{end}') AS month_lag,
       datediff('day', day, DATE '{end}') // 7 AS week_lag
FROM voices WHERE day <= DATE '{end}' AND NOT campaign
"""
_THEMED = """
CREATE TEMP VIEW themed AS
SELECT * EXCLUDE (themes), unnest(list_append(list_distinct(coalesce(themes, [])), '')) AS theme FROM known
"""
_CELLS = """
CREATE TEMP TABLE cells AS
SELECT network, service, theme, feeling, department, day, month_lag, count(*) AS voices
FROM themed WHERE month_lag < {year} GROUP BY ALL
"""
_MOMENTS = """
CREATE TEMP TABLE moments AS
SELECT network, service, theme, feeling, month_lag, CASE WHEN week_lag < {weeks} THEN week_lag END AS week_lag,
       count(*) AS voices
FROM themed WHERE month_lag <= {months} GROUP BY ALL
"""
_COUNTS = """
SELECT network, service, theme, feeling, {lag} AS lag, sum(voices)::DOUBLE AS voices FROM moments
WHERE {lag} IS NOT NULL GROUP BY ALL ORDER BY ALL
"""
_DAYS = """
SELECT network, service, theme, feeling, day, sum(voices) AS voices FROM cells WHERE month_lag = 0 GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """Moments × series: ``counts`` of the series, ``volumes`` of all voices of its service; the last row is judged."""

    counts: Floats
    volumes: Floats


@dataclass(frozen=True, slots=True)
class VoiceSeries:
    """The series of every service known; ``keys``: one row a series (KEY), in the order of the columns of counts.

    ``history``: months since the first voice of the service, that judged included; ``voices``, ``days``: of the month
    judged, how many voices and from how many days.
    """

    keys: pd.DataFrame
    monthly: Counts
    weekly: Counts
    history: Integers
    voices: Integers
    days: Integers


def month_end(month: datetime.date) -> datetime.date:
    """Return the last day of the month of a day."""
    return (pd.Timestamp(month) + pd.offsets.MonthEnd(0)).date()


def known_voices(voices: pa.Table | Path, month: datetime.date) -> duckdb.DuckDBPyConnection:
    """Return a connection to what is known at the end of ``month``: view ``known``, table ``cells`` of the last year.

    ``voices``: the table, or its Parquet file, of which only what is asked for is then held. It can be asked too, by
    its name. One thread: the same voices give the same tables in the same order. Nothing of them is spilt on a disk.
    """
    connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "600MB", "temp_directory": ""})
    if isinstance(voices, Path):
        connection.read_parquet(str(voices)).create_view("voices")
    else:
        connection.register("voices", voices)
    connection.execute(_KNOWN.format(end=month_end(month)))
    connection.execute(_THEMED)
    connection.execute(_CELLS.format(year=YEAR))
    return connection


def of_each_service(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> Iterator[pd.DataFrame]:
    """Yield what a query finds of every service of a table, one after another: all at once would not be held."""
    services = connection.execute(f"SELECT DISTINCT network, service FROM {table} ORDER BY ALL").fetchall()
    for network, service in services:
        rows = connection.execute(query, {"network": network, "service": service}).df()
        if len(rows):
            yield rows


def voice_series(connection: duckdb.DuckDBPyConnection) -> VoiceSeries:
    """Return the series of what ``known_voices`` knows: every service × theme × feeling."""
    connection.execute(_MOMENTS.format(weeks=WEEKS, months=MONTHS))
    monthly = connection.execute(_COUNTS.format(lag="month_lag")).df()
    weekly = connection.execute(_COUNTS.format(lag="week_lag")).df()
    keys = _keys(monthly)
    seen = connection.execute("SELECT network, service, max(month_lag) + 1 AS months FROM known GROUP BY ALL").df()
    days = connection.execute(_DAYS).df()
    return VoiceSeries(
        keys,
        _matrices(monthly, keys, MONTHS + 1),
        _matrices(weekly, keys, WEEKS),
        keys[SERVICE].merge(seen, on=SERVICE, how="left")["months"].to_numpy(np.int64),
        _of_keys(_with_all_feelings(days).groupby(KEY)["voices"].sum(), keys),
        _of_keys(_with_all_feelings(days).groupby(KEY)["day"].nunique(), keys),
    )


def _keys(cells: pd.DataFrame) -> pd.DataFrame:
    services = cells[SERVICE].drop_duplicates().sort_values(SERVICE)
    themes = pd.DataFrame({"theme": sorted({ALL, *cells["theme"]})})
    keys = services.merge(themes, how="cross").merge(pd.DataFrame({"feeling": FEELINGS}), how="cross")
    return keys[(keys["theme"] != ALL) | (keys["feeling"] != ALL)].reset_index(drop=True)


def _with_all_feelings(cells: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([cells, cells.assign(feeling=ALL)], ignore_index=True)


def _of_keys(values: pd.Series[int], keys: pd.DataFrame) -> Integers:
    return np.asarray(values.reindex(pd.MultiIndex.from_frame(keys[KEY]), fill_value=0), dtype=np.int64)


def _matrices(cells: pd.DataFrame, keys: pd.DataFrame, moments: int) -> Counts:
    """Return counts and volumes, the oldest moment first."""
    wide = _with_all_feelings(cells).groupby(["lag", *KEY])["voices"].sum().unstack(KEY, fill_value=0)
    wide = wide.reindex(range(moments - 1, -1, -1), fill_value=0.0)
    series, whole = (pd.MultiIndex.from_frame(held[KEY]) for held in (keys, keys.assign(theme=ALL, feeling=ALL)))
    counts, volumes = (wide.reindex(columns=columns, fill_value=0.0) for columns in (series, whole))
    return Counts(counts.to_numpy(np.float64), volumes.to_numpy(np.float64))
