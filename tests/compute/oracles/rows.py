"""Write survey_rows.csv: a stratified sample of few clusters whose answers are alike, over four départements."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

PLACES = ["30", "34", "75", "2A"]
CLUSTERS = [3, 4, 2, 3]  # of each stratum: few, as surveys of agencies have them


def write_rows(path: Path, size: int = 180) -> None:
    """Write ``size`` rows, always the same."""
    draw = np.random.default_rng(20260101)
    effects = draw.normal(0, 8, (4, 4))
    with path.open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream, lineterminator="\n")
        lines.writerow(["strate", "grappe", "territoire", "poids", "x", "y", "note", "reponse"])
        for _ in range(size):
            stratum = int(draw.integers(0, 4))
            cluster = int(draw.integers(0, CLUSTERS[stratum]))
            x = 50 + effects[stratum, cluster] + draw.normal(0, 10)
            lines.writerow([
                f"s{stratum}", f"g{cluster}", PLACES[int(draw.integers(0, 4))], round(float(draw.uniform(0.5, 3)), 3),
                round(float(x), 3), round(float(draw.uniform(1, 5)), 3), int(np.clip(round(x / 8), 0, 10)),
                "oui" if x > 48 else "non",
            ])  # fmt: skip


if __name__ == "__main__":
    write_rows(Path(__file__).with_name("survey_rows.csv"))
