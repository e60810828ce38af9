"""The door: voices known at the end of a month → every test made, the signals, and what could explain them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from pipelines.signals.counter_explanations import campaign_texts, checks
from pipelines.signals.emerging_terms import term_tests
from pipelines.signals.funnel import funnel_tests
from pipelines.signals.ledger import Guards, entered, gathered, judged, ledger
from pipelines.signals.power import COLUMNS as POWER
from pipelines.signals.power import power
from pipelines.signals.shrinkage import ebgm_tests
from pipelines.signals.spatial_scan import scan_tests
from pipelines.signals.time_tests import ears_tests, farrington_tests, nb_cusum_tests
from pipelines.signals.voice_series import known_voices, month_end, voice_series

if TYPE_CHECKING:
    import datetime
    from pathlib import Path

    import duckdb
    import pyarrow as pa

    from pipelines.signals.voice_series import VoiceSeries

YEARLY = ("funnel", "ebgm")  # detectors of a year: a campaign of a month says little of them
NO_POWER = pd.DataFrame(columns=POWER)


@dataclass(frozen=True, slots=True)
class Options:
    """How a month is judged: ``guards`` of a signal; ``power``: whether power is measured too (it costs)."""

    guards: Guards = field(default_factory=Guards)
    power: bool = True


@dataclass(frozen=True, slots=True)
class Detection:
    """A month judged.

    ``tests``: one row a test (``ledger.COLUMNS``); ``ledger``: tests, signals and expected false ones by detector;
    ``checks``: five counter-explanations a signal; ``power``: of each service, what would be found.
    """

    tests: pd.DataFrame
    ledger: pd.DataFrame
    checks: pd.DataFrame
    power: pd.DataFrame


def detect(voices: pa.Table | Path, month: datetime.date, options: Options | None = None) -> Detection:
    """Return every test of the month of ``month`` from the table of voices: what comes later changes nothing.

    ``voices``: the table, or its Parquet file, from which only what the month asks for is read.
    """
    options = options or Options()
    with known_voices(voices, month) as connection:
        series = voice_series(connection)
        entries = gathered(_tests(series, connection, month, options.guards.fewest_of_office))
        texts = campaign_texts(connection, month, entries)
        entries["eligible"] &= (texts["campaign"] <= texts["others"]) | entries["detector"].isin(YEARLY)
        tests = judged(entries, options.guards)
        explained = checks(connection, month, tests[tests["signal"]])
    counted = ledger(tests, options.guards)
    strength = power(series, counted, options.guards, month) if options.power and len(series.keys) else NO_POWER
    return Detection(tests, counted, explained, strength)


def _tests(
    series: VoiceSeries, connection: duckdb.DuckDBPyConnection, month: datetime.date, fewest: int
) -> list[pd.DataFrame]:
    name = month.strftime("%Y-%m")
    return [
        entered("farrington", name, farrington_tests(series, month)),
        entered("ears", name, ears_tests(series, month)),
        entered("nb_cusum", name, nb_cusum_tests(series, month)),
        entered("funnel", name, funnel_tests(connection, name, fewest)),
        entered("ebgm", name, ebgm_tests(connection, name, fewest)),
        entered("scan", name, scan_tests(connection, month)),
        entered("terms", name, term_tests(connection, month_end(month))),
    ]
