"""Results of a survey, a million rows or more: time and memory of the pipeline's own computation against its peers.

Seven indicators (share, CSAT, NPS, CES, net satisfaction, score, median delay) with their intervals, at four levels,
for five years: 28 000 results. One process per engine; prints CPU and wall seconds, peak memory, ratios to the
pipeline, and how far each engine's values are from the pipeline's. Nothing here fails on a slow machine: it is no test.

    python benchmarks/results.py [--rows 10000000] [--engines resultats,duckdb,polars,pandas]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ENGINES = ("resultats", "duckdb", "polars", "pandas")
WORKERS = Path(__file__).resolve().parent / "engines"


def measured(engine: str, folder: Path) -> dict[str, float]:
    """Run one engine in a process of its own; return CPU and wall seconds, peak memory (MB), results and gap."""
    command = [sys.executable, str(WORKERS / "run.py"), engine, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Make the rows once, run every engine on them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="survey rows, over five years (default: 1 000 000)")
    parser.add_argument("--engines", default=",".join(ENGINES), help="which engines, separated by commas")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make = [sys.executable, str(WORKERS / "make.py"), str(folder), str(arguments.rows)]
        subprocess.run(make, check=True)
        lines = {engine: measured(engine, folder) for engine in arguments.engines.split(",")}
    first = next(iter(lines.values()))
    print(f"{arguments.rows} rows, {int(first['results'])} results")
    titles = ("CPU s", "wall s", "peak MB", "CPU ratio", "memory ratio", "largest gap")
    print(f"{'engine':<12}" + "".join(f"{title:>14}" for title in titles))
    for engine, line in lines.items():
        ratios = (line["cpu"] / first["cpu"], line["peak"] / first["peak"])
        shown = [
            f"{line['cpu']:.1f}",
            f"{line['wall']:.1f}",
            f"{line['peak']:.0f}",
            *(f"{ratio:.1f}" for ratio in ratios),
        ]
        print(f"{engine:<12}" + "".join(f"{text:>14}" for text in (*shown, f"{line['gap']:.1e}")))


if __name__ == "__main__":
    main()
