"""Voices made for tests: services, themes and feelings drawn at known rates, one row a voice."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import numpy as np
import pyarrow as pa

FIRST = datetime.date(2020, 1, 1)
THEMES = ("attente", "telephone", "remboursement", "clarte", "accueil", "panne")
FEELINGS = ("positif", "neutre", "negatif")
COLUMNS = {
    "network": pa.string(), "service": pa.string(), "office": pa.string(), "day": pa.date32(),
    "department": pa.string(), "feeling": pa.string(), "channels": pa.list_(pa.string()), "campaign": pa.bool_(),
    "themes": pa.list_(pa.string()), "terms": pa.list_(pa.string()), "delay_days": pa.int64(), "form": pa.string(),
    "label": pa.string(), "repeats": pa.int64(),
}  # fmt: skip


def made_voices(
    rates: dict[str, float],
    days: int,
    seed: int = 0,
    themes: tuple[str, ...] = THEMES,
    share: float = 0.15,
    change: Callable[[list[dict[str, object]]], None] = list,
) -> pa.Table:
    """Return voices of services at ``rates`` a day from FIRST on: each theme has a share of them, nothing rises.

    ``change`` may alter the rows, in the order of days, before they become a table.
    """
    random = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for service, rate in rates.items():
        for day, count in enumerate(random.poisson(rate, days)):
            for _ in range(count):
                rows.append(_voice(random, service, FIRST + datetime.timedelta(days=day), themes, share))
    change(rows)
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in COLUMNS.items()})


def _voice(
    random: np.random.Generator, service: str, day: datetime.date, themes: tuple[str, ...], share: float
) -> dict[str, object]:
    held = [theme for theme in themes if random.random() < share]
    return {
        "network": service, "service": service.upper(), "office": f"{service} {random.integers(3)}", "day": day,
        "department": f"{random.integers(1, 20):02d}", "feeling": str(random.choice(FEELINGS)), "channels": [],
        "campaign": False, "themes": held, "terms": [f"mot{random.integers(200)}" for _ in range(5)],
        "delay_days": int(random.integers(2, 9)), "form": "2023", "label": service, "repeats": 1,
    }  # fmt: skip
