"""Voices with a rise that was put there, what detectors find in them, and the release that is made of it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from fixtures.made_voices import FIRST, made_voices

from pipelines.declarations import Catalogue
from pipelines.flow.gather import declared_table
from pipelines.release.release_folder import Release, make_release
from pipelines.signal_tables.signal_cards import Words
from pipelines.signal_tables.tables_of_signals import Findings, signal_tables
from pipelines.signals.detection import Options, detect

DATASET = "signaux-services-publics"
DAYS = 4 * 365
RISE = datetime.date(2023, 10, 3)
POWER = pd.DataFrame([
    {"network": "caf", "service": "CAF", "smallest_rise": 2.5, "found": 0.84, "false_alarms": 0.004, "months": 48,
     "voices": 36.0},
    {"network": "msa", "service": "MSA", "smallest_rise": None, "found": None, "false_alarms": 0.0, "months": 48,
     "voices": 4.0},
])  # fmt: skip
WORDS = Words({"panne": "Panne du service"}, {"caf": "CAF"}, {"caf": ["taux-decroche 2024"]})


def rising(rows: list[dict[str, object]]) -> None:
    """Have three voices in five of the caf speak of a breakdown, in anger, from RISE on."""
    chosen = [row for row in rows if row["network"] == "caf" and row["day"] >= RISE]  # type: ignore[operator]
    for rank, row in enumerate(chosen):
        if rank % 5 < 3:
            row["themes"], row["feeling"] = ["panne"], "negatif"


def voices() -> pa.Table:
    """Return four years of two services, of which one has a rise at the end and the other too few voices."""
    return made_voices({"caf": 1.2, "msa": 0.15}, DAYS, change=rising)


def findings(held: pa.Table, months: list[str]) -> Findings:
    """Return what detectors find at the end of each month."""
    made = [
        detect(held, datetime.date.fromisoformat(f"{month}-01"), Options(power=month == months[-1])) for month in months
    ]
    joined = (
        pd.concat([getattr(one, part) for one in made], ignore_index=True) for part in ("tests", "ledger", "checks")
    )
    return Findings(*joined, power=POWER)


def last_months(count: int) -> list[str]:
    """Return the last months of ``voices``."""
    end = FIRST + datetime.timedelta(days=DAYS - 1)
    return [str(month) for month in pd.period_range(end=end, periods=count, freq="M")]


def released(catalogue: Catalogue, tables: dict[str, pd.DataFrame], releases: Path, **origin: Any) -> Release:
    """Make a release of tables of signals."""
    held = {name: declared_table(name, catalogue.tables[name], frame) for name, frame in tables.items()}
    return make_release(DATASET, catalogue, held, releases, synthetic=origin.pop("synthetic", None), **origin)


def made_tables(months: int = 6, words: Words = WORDS) -> dict[str, pd.DataFrame]:
    """Return the published tables of ``voices``, tested at the end of the last months."""
    held = voices()
    return signal_tables(held, findings(held, last_months(months)), words)
