"""The main job on the shipped samples: time and memory of a first run, of one with nothing new, of the light commands.

With an instance of Dagster, as `make run` has one. Prints a table of figures and ratios, all measured in this one call:
times depend on the machine, ratios much less. Nothing here fails on a slow machine: it is no test.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
COMMAND = Path(sys.executable).with_name("resultats")


SURVEY = (str(PROJECT / "data/samples/assurance-maladie/enquete-2022.csv"), "--network", "assurance-maladie")


def measure(home: Path, *arguments: str) -> tuple[float, float, float]:
    """Run the command; return wall seconds, CPU seconds, and the largest resident memory so far of any child (MB)."""
    environment = os.environ | {"DAGSTER_HOME": str(home)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([COMMAND, *arguments], check=False, env=environment, cwd=PROJECT, capture_output=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, after.ru_maxrss / 1024


def main() -> None:
    """Measure and print, light commands first so that the memory of the heavy ones does not hide theirs."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copy(PROJECT / "dagster.yaml", home)
        output = ("--output", str(home / "output"))
        run = ("run", "--exports", str(PROJECT / "data" / "samples"), *output)
        lines = [
            ("resultats --help", measure(home, "--help")),
            ("resultats check", measure(home, "check")),
            ("validate 1 300 rows", measure(home, "validate", *SURVEY, "--export", "enquete")),
            ("first run, all samples", measure(home, *run)),
            ("second run, nothing new", measure(home, *run)),
            ("resultats status", measure(home, "status", *output)),
        ]
    first = lines[3][1][1]
    print(f"{'what':<26}{'wall s':>9}{'CPU s':>9}{'peak MB':>10}{'CPU / first run':>18}")
    for name, (wall, cpu, memory) in lines:
        print(f"{name:<26}{wall:>9.2f}{cpu:>9.2f}{memory:>10.0f}{cpu / first:>18.3f}")


if __name__ == "__main__":
    main()
