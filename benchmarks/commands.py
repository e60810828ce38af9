"""What one command costs from its start to its answer: CPU seconds and peak memory, the median of several runs.

``validate`` judges a survey of the samples as its producer would. The first run of each command writes bytecode, and is
not counted. Nothing here fails: it is no test.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
COMMANDS = {
    "--help": ["--help"],
    "validate, CSV": [
        "validate", "data/samples/caf/enquete-2024.csv", "--network", "caf", "--export", "enquete",
    ],
    "validate, classeur": [
        "validate", "data/samples/caf/dossiers-2024.xlsx", "--network", "caf", "--export", "dossiers",
    ],
    "check": ["check"],
    "status": ["status"],
}  # fmt: skip


def cost(arguments: list[str]) -> tuple[float, float]:
    """Return the CPU seconds and the peak memory (MB) of a command and of the processes that it waited for."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, _, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Measure each command, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(f"{'commande':32} {'CPU s':>7} {'mémoire Mo':>11}")
    for name, arguments in COMMANDS.items():
        found = [cost(arguments) for _ in range(runs + 1)][1:]
        seconds, memory = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{name:32} {seconds:7.2f} {memory:11.0f}")


if __name__ == "__main__":
    main()
