"""Writes the benchmark's survey: one Parquet of observations per year, as validation leaves them.

The rows are always the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

YEARS = range(2020, 2025)
SITES = 680
DEPARTEMENTS = [*(f"{n:02d}" for n in range(1, 96) if n != 20), "2A", "2B", "971", "972", "973", "974", "976"]
SATISFACTION = ["Très satisfait", "Plutôt satisfait", "Plutôt mécontent", "Très mécontent", "Ne se prononce pas"]
REVIEWS = ["Excellent", "Bien", "Moyen", "Décevant", "Mauvais"]
BLOCK = 1_000_000


def block(random: np.random.Generator, year: int, first: int, size: int) -> pa.Table:
    """Return ``size`` answers of a year; some notes are blank."""
    site = random.integers(0, SITES, size)

    def note(low: int, high: int) -> pa.Array:
        return pa.array(random.integers(low, high + 1, size), pa.int64(), mask=random.random(size) < 0.03)

    def word(words: list[str]) -> pa.Array:
        codes = pa.array(random.integers(0, len(words), size, dtype=np.int32), mask=random.random(size) < 0.03)
        return pa.DictionaryArray.from_arrays(codes, words).cast(pa.string())

    def place(names: list[str]) -> pa.Array:
        return pa.array(names).take(pa.array(site))

    sites = [f"S{number:03d}" for number in range(SITES)]
    return pa.table({
        "_ligne": pa.array(np.arange(first, first + size)),
        "_annee": pa.array(np.full(size, year)),
        "_periode": pa.array([str(year)]).take(pa.array(np.zeros(size, np.int64))),
        "_maille": pa.array(["site"]).take(pa.array(np.zeros(size, np.int64))),
        "_territoire": place([DEPARTEMENTS[number % len(DEPARTEMENTS)] for number in range(SITES)]),
        "_structure": place(sites),
        "_structure_nom": place([f"Site {name}" for name in sites]),
        "satisfaction": word(SATISFACTION),
        "avis": word(REVIEWS),
        "note": note(1, 5),
        "recommandation": note(0, 10),
        "facilite": note(1, 7),
        "delai": note(0, 90),
        "poids": pa.array(np.round(random.uniform(0.3, 3, size), 2)),
    })  # fmt: skip


def main(folder: Path, rows: int) -> None:
    """Write ``enquete-<year>.parquet`` for five years, ``rows`` in all."""
    random = np.random.default_rng(20240101)
    for year in YEARS:
        left, writer = rows // len(YEARS), None
        while left > 0:
            table = block(random, year, left, min(left, BLOCK))
            writer = writer or pq.ParquetWriter(folder / f"enquete-{year}.parquet", table.schema)
            writer.write_table(table)
            left -= len(table)
        if writer:
            writer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
