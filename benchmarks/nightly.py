"""The night over many networks, with the real services: everything new, nothing changed, one file changed, all changed.

Small networks are made in a temporary folder, so that what is measured is mostly orchestration. Prints a table measured
in this one call: times depend on the machine, ratios much less. Nothing here fails on a slow machine: it is no test.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "operations"))
from dagster_service import Service, small_project, wait_for, write_export

from assets.storage import read_json

LIMIT = 3600  # seconds that a night may take here


@dataclass
class Sampler:
    """Watches the processes below this one: CPU seconds, peak memory (sum of PSS, MB), how many at once."""

    cpu: dict[tuple[int, float], float] = field(default_factory=dict)
    peak: float = 0
    most: int = 0
    started: set[tuple[int, float]] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Sampler:
        self._look(first=True)
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._over.wait(0.25):
            self._look()

    def _look(self, *, first: bool = False) -> None:
        memory = 0.0
        children = psutil.Process().children(recursive=True)
        for process in children:
            try:
                times, key = process.cpu_times(), (process.pid, process.create_time())
                self.cpu[key] = times.user + times.system
                memory += process.memory_full_info().pss / 1e6
            except psutil.Error:
                continue
            if first:
                self.before[key] = self.cpu[key]
            elif key not in self.before:
                self.started.add(key)
        self.peak, self.most = max(self.peak, memory), max(self.most, len(children))

    before: dict[tuple[int, float], float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """CPU seconds used since the beginning."""
        return sum(used - self.before.get(key, 0) for key, used in self.cpu.items())


def night(service: Service, instance: dg.DagsterInstance) -> tuple[str, float, Sampler, int, int]:
    """Run a night as the schedule does; return the time of its look, of the whole, the processes, and the runs made."""
    runs = instance.get_runs_count()
    began = time.perf_counter()
    with Sampler() as sampler:
        run = service.launch(instance, "veille")
        place = service.output / "work" / "nuits" / f"{run[:8]}.json"
        record = wait_for(lambda: (found := read_json(place)) and found["terminee_le"] and found, LIMIT)
        wall = time.perf_counter() - began
    stats = instance.get_run_record_by_id(run)
    look = (stats.end_time or 0) - (stats.start_time or 0) if stats else 0
    return f"{look:.1f}", wall, sampler, instance.get_runs_count() - runs, len(record["a_traiter"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=53)
    parser.add_argument("--years", type=int, default=8)
    asked = parser.parse_args()
    names, years = [f"reseau-{number:02d}" for number in range(1, asked.networks + 1)], range(2017, 2017 + asked.years)
    with tempfile.TemporaryDirectory() as temporary:
        schemas, exports = small_project(Path(temporary), names, years)
        service = Service(Path(temporary), schemas, exports)
        service.run("pipelines.cli", "instance", "prepare", "--home", str(service.home))
        service.start()
        lines = []
        try:
            with service.instance() as instance:
                lines.append(("everything new", *night(service, instance)))
                lines.append(("nothing changed", *night(service, instance)))
                write_export(exports, names[0], years[-1], unhappy=5)
                lines.append(("one file changed", *night(service, instance)))
                for name in names:
                    for year in years:
                        write_export(exports, name, year, unhappy=6)
                lines.append(("all files changed", *night(service, instance)))
        finally:
            service.stop()
    quiet = lines[1][3].seconds
    print(f"{asked.networks} networks x {asked.years} years")
    titles = f"{'night':<20}{'cells':>7}{'runs':>6}{'look s':>8}{'wall s':>9}{'CPU s':>8}"
    print(f"{titles}{'peak MB':>9}{'processes':>11}{'CPU / quiet':>13}")
    for name, look, wall, seen, runs, cells in lines:
        print(f"{name:<20}{cells:>7}{runs:>6}{look:>8}{wall:>9.1f}{seen.seconds:>8.1f}{seen.peak:>9.0f}{seen.most:>11}"
              f"{seen.seconds / quiet:>13.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
