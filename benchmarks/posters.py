"""The posters of one network: all made, none to make again, a twentieth that say something else.

A release is invented in a temporary folder: offices by six indicators by eight years. Prints a table measured in this
one call: times depend on the machine, ratios much less. Nothing here fails on a slow machine: it is no test.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import compute, parquet

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "portal"))
from made_release import indicator, made_release, row, site

YEARS = range(2017, 2025)
CODES = tuple(f"indicateur-{number}" for number in range(6))
SITE = "https://resultats.example"
CHANGED_EVERY = 20  # offices


@dataclass
class Measure:
    """What one pass cost: seconds of processor, seconds, peak memory in MB; how many posters were made and kept."""

    cpu: float
    seconds: float
    memory: float
    made: int
    kept: int


def invented(folder: Path, offices: int, version: str, shift: float) -> Path:
    """Write a release of so many offices; ``shift`` is added to every figure of one office in twenty."""
    told = [row(year, 70.0, indicateur=code) for code in CODES for year in YEARS]
    told += [
        site("0", year, 60.0 + year % 7, indicateur=code, borne_basse=55.0, borne_haute=70.0)
        for code in CODES for year in YEARS
    ]  # fmt: skip
    release = made_release(folder, told, version=version, indicateurs=[indicator(code) for code in CODES])
    one = parquet.read_table(release / "resultats.parquet")
    own, national = one.slice(len(told) // 2), one.slice(0, len(told) // 2)
    parts = [_of_office(own, number, 0.0 if number % CHANGED_EVERY else shift) for number in range(offices)]
    parquet.write_table(pa.concat_tables([national, *parts]), release / "resultats.parquet")
    return release


def _of_office(rows: pa.Table, number: int, shift: float) -> pa.Table:
    texts = {"structure_code": f"S{number:05}", "structure": f"Guichet n° {number}"}
    for name, text in texts.items():
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), [[text] * len(rows)])
    place = rows.schema.get_field_index("valeur")
    return rows.set_column(place, rows.schema.field("valeur"), compute.add(rows["valeur"], shift + number % 30))


def measured(release: Path, folder: Path) -> Measure:
    """Make the posters of a release, in this process."""
    from pipelines.portal.posters.poster_files import make_posters
    from pipelines.portal.release_data import Reading

    begun = time.perf_counter()
    with Reading(release) as reading:
        made = make_posters(folder, reading, "caf", None, SITE)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Measure(
        used.ru_utime + used.ru_stime, time.perf_counter() - begun, used.ru_maxrss / 1024, len(made.written),
        len(made.kept),
    )  # fmt: skip


def main() -> None:
    """Print one line for each pass, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offices", type=int, default=1000)
    offices = parser.parse_args().offices
    print("| passage | faites | gardées | CPU (s) | ms de CPU par affiche faite | durée (s) | mémoire (Mo) |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as home:
        first, second = (invented(Path(home), offices, *told) for told in (("1.0.0", 0.0), ("1.1.0", 1.0)))
        for name, release in (("tout", first), ("rien de neuf", first), ("un vingtième", second)):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                found = pool.apply(measured, (release, Path(home) / "site"))
            each = f"{1000 * found.cpu / found.made:.0f}" if found.made else "–"
            counts = f"{found.made} | {found.kept} | {found.cpu:.1f} | {each}"
            print(f"| {name} | {counts} | {found.seconds:.1f} | {found.memory:.0f} |", flush=True)
        size = sum(path.stat().st_size for path in (Path(home) / "site").rglob("*") if path.is_file())
        print(f"\n{offices} affiches et leur zip : {size / 1e6:.0f} Mo")


if __name__ == "__main__":
    main()
