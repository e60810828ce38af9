"""The main job on the shipped samples: time and memory of a first run, of one with nothing new, of the light commands.

Prints a table of figures and ratios, all measured in this one call: times depend on the machine, ratios much less.
Nothing here fails on a slow machine: it is no test.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
COMMAND = Path(sys.executable).with_name("resultats")


def measure(*arguments: str) -> tuple[float, float, float]:
    """Run the command; return wall seconds, CPU seconds, and the largest resident memory so far of any child (MB)."""
    environment = {key: value for key, value in os.environ.items() if key != "DAGSTER_HOME"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([COMMAND, *arguments], check=True, env=environment, cwd=PROJECT, capture_output=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, after.ru_maxrss / 1024


def main() -> None:
    """Measure and print, light commands first so that the memory of the heavy ones does not hide theirs."""
    with tempfile.TemporaryDirectory() as folder:
        run = ("run", "--exports", str(PROJECT / "data" / "samples"), "--output", folder)
        lines = [
            ("resultats --help", measure("--help")),
            ("resultats check", measure("check")),
            ("first run, all samples", measure(*run)),
            ("second run, nothing new", measure(*run)),
        ]
    first = lines[2][1][1]
    print(f"{'what':<26}{'wall s':>9}{'CPU s':>9}{'peak MB':>10}{'CPU / first run':>18}")
    for name, (wall, cpu, memory) in lines:
        print(f"{name:<26}{wall:>9.2f}{cpu:>9.2f}{memory:>10.0f}{cpu / first:>18.3f}")


if __name__ == "__main__":
    main()
