"""What a large barometer costs: answers × questions × cuts × waves, synthetic, from Parquet to its tables.

``python benchmarks/barometers.py [--answers 25000] [--questions 80] [--cuts 12] [--waves 6]``: CPU seconds, memory.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.barometers.barometer_tables import ReceivedWave, barometer_tables
from pipelines.barometers.microdata import read_answers
from pipelines.declarations.barometer import Barometer, as_network

_LEVELS = [("1", "positive"), ("2", "positive"), ("3", "neutral"), ("4", "negative"), ("5", "negative")]


def declared(questions: int, cuts: int, waves: int) -> Barometer:
    """Return a barometer of scales of five levels, and cuts of two to seven groups."""
    names = [f"v{2010 + rank}" for rank in range(waves)]
    scale = [{"code": code, "label": code, "polarity": polarity} for code, polarity in _LEVELS]
    told = {
        "title": "Synthétique",
        "producer": "essai",
        "description": "Données synthétiques.",
        "acceptance": {"max_refused_share": 0.0, "why": "essai"},
        "waves": [
            {
                "id": name,
                "title": name,
                "fieldwork": {"start": f"{2010 + rank}-01-01", "end": f"{2010 + rank}-02-01"},
                "mode": "essai",
                "institute": "essai",
                "universe": "essai",
                "sample_size": 1,
                "weight": "poids",
                "path": "b-{year}.csv",
                "comparable_with": names[rank - 1] if rank else None,
            }
            for rank, name in enumerate(names)
        ],
        "questions": [
            {
                "id": f"q{rank}",
                "title": f"Q{rank}",
                "wordings": [{"waves": names, "text": "?"}],
                "column": f"q{rank}",
                "scale": scale,
                "set_aside": [{"code": "9", "label": "nsp", "kind": "nsp"}],
            }
            for rank in range(questions)
        ],
        "cuts": [
            {
                "id": f"c{rank}",
                "title": f"C{rank}",
                "column": f"c{rank}",
                "groups": [{"code": str(group), "label": str(group)} for group in range(2 + rank % 6)],
            }
            for rank in range(cuts)
        ],
        "indicators": [
            {"id": f"i{rank}", "title": "?", "question": f"q{rank}", "measure": "share"} for rank in range(questions)
        ],
    }
    return Barometer.model_validate(told)


def answers(barometer: Barometer, count: int, seed: int, folder: Path) -> Path:
    """Draw a wave and write it as accepted observations."""
    random = np.random.default_rng(seed)
    columns: dict[str, object] = {
        f"q{rank}": random.choice(list("123459"), count, p=(0.25, 0.4, 0.15, 0.1, 0.07, 0.03))
        for rank in range(len(barometer.questions))
    }
    for cut in barometer.cuts:
        columns[cut.column] = random.integers(0, len(cut.groups), count).astype(str)
    path = folder / f"{seed}.parquet"
    pd.DataFrame(columns).assign(poids=random.uniform(0.5, 2.0, count), _maille="national").to_parquet(path)
    return path


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("answers", 25_000), ("questions", 80), ("cuts", 12), ("waves", 6)):
        parser.add_argument(f"--{name}", type=int, default=value)
    told = parser.parse_args()
    barometer = declared(told.questions, told.cuts, told.waves)
    network = as_network(barometer)
    assert network is not None
    with tempfile.TemporaryDirectory() as place:
        paths = [answers(barometer, told.answers, rank, Path(place)) for rank in range(told.waves)]
        start = time.process_time()
        received = {
            ("b", wave.id): ReceivedWave(
                "accepté", None, told.answers, 0, read_answers(path, export, wave.year, barometer.columns_of(wave))
            )
            for wave, path in zip(barometer.waves, paths, strict=True)
            if (export := network.export(wave.id))
        }
        made = barometer_tables({"b": barometer}, received)
        spent = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = f"{told.answers} × {told.questions} × {told.cuts} × {told.waves}"
    print(f"{size} : {len(made['resultats_barometres'])} lignes, {spent:.1f} s CPU, {peak:.0f} Mo")


if __name__ == "__main__":
    main()
