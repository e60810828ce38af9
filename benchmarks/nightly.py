"""The night over many networks, with the real services: all changed, nothing changed, one file changed.

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

from pipelines.flow.stored_files import read_shaped

LIMIT = 3600  # seconds that a night may take here
REST = 30  # seconds during which the services are watched doing nothing


@dataclass
class Sampler:
    """Watches the processes below this one: CPU seconds, peak memory (sum of PSS, MB), how many at once."""

    cpu: dict[tuple[int, float], float] = field(default_factory=dict)
    peak: float = 0
    most: int = 0
    before: dict[tuple[int, float], float] = field(default_factory=dict)
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
        self.peak, self.most = max(self.peak, memory), max(self.most, len(children))

    @property
    def seconds(self) -> float:
        """CPU seconds used since the beginning."""
        return sum(used - self.before.get(key, 0) for key, used in self.cpu.items())


def night(service: Service, instance: dg.DagsterInstance, name: str) -> float:
    """Run a night as the schedule does, and print its line; return its CPU seconds."""
    runs = instance.get_runs_count()
    began = time.perf_counter()
    with Sampler() as sampler:
        run = service.launch(instance, "veille")
        place = service.output / "work" / "nuits" / f"{run[:8]}.json"
        record = wait_for(lambda: (found := read_shaped(place, dict)) and found["terminee_le"] and found, LIMIT)
        wall = time.perf_counter() - began
    watched = instance.get_run_record_by_id(run)
    look = (watched.end_time or 0) - (watched.start_time or 0) if watched else 0
    made = instance.get_runs_count() - runs
    figures = f"{len(record['a_traiter']):>7}{made:>6}{look:>8.1f}{wall:>9.1f}{sampler.seconds:>8.1f}"
    print(f"{name:<20}{figures}{sampler.peak:>9.0f}{sampler.most:>11}", flush=True)
    return sampler.seconds


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
        print(f"{asked.networks} networks x {asked.years} years")
        print(
            f"{'night':<20}{'cells':>7}{'runs':>6}{'look s':>8}{'wall s':>9}{'CPU s':>8}{'peak MB':>9}{'processes':>11}"
        )
        try:
            with service.instance() as instance:
                everything = night(service, instance, "all changed")
                nothing = night(service, instance, "nothing changed")
                write_export(exports, names[0], years[-1], unhappy=5)
                one = night(service, instance, "one file changed")
            with Sampler() as sampler:
                time.sleep(REST)
        finally:
            service.stop()
    print(f"services at rest: {sampler.seconds / REST:.3f} CPU s a second")
    print(f"CPU, nothing changed = 1: one file {one / nothing:.1f}, all {everything / nothing:.1f}")


if __name__ == "__main__":
    main()
