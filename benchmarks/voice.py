"""What users' texts cost: from accepted rows to voices, to the tests of a month, on texts put together at random.

``python benchmarks/voice.py [--texts 120000] [--years 5]``: CPU seconds and memory of a first reading, of one with a
month more, of one where nothing is new, then of the tests of the last month without and with the measure of power.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.declarations import Catalogue, load
from pipelines.declarations.experiences import Typology
from pipelines.signals.detection import Options, detect
from pipelines.voice.voices import AcceptedYear, read_voices

PROJECT = Path(__file__).resolve().parents[1]
SOURCE = "services-publics-plus"
SERVICES = [f"Service {number}" for number in range(1, 41)]


def declared() -> Catalogue:
    """Return the shipped declarations, with the services of this benchmark."""
    services = {name.lower().replace(" ", "-"): Typology(service=name, labels=(name,)) for name in SERVICES}
    return replace(load(PROJECT / "schemas"), typologies=services)


def sentences() -> list[str]:
    """Return the sentences of the synthetic samples."""
    text = (PROJECT / "data/samples/experiences/experiences-2024.csv").read_text(encoding="utf-8")
    return sorted({part.strip() + "." for line in text.splitlines() for part in line.split(";")[4].split(".") if part})


def year_of_texts(random: Random, year: int, count: int, told: list[str], folder: Path, months: int = 12) -> Path:
    """Write the accepted rows of the first months of a year.

    About 470 letters a text, forty services, one text in fifty sent again to the same service.
    """
    words = " ".join(told).split()
    texts: list[str] = []
    services = random.choices(SERVICES, k=count)
    for rank in range(count):
        if rank % 50 == 49:
            texts.append(texts[-1] + " Merci.")
            services[rank] = services[rank - 1]
        else:
            own = " ".join(random.choices(words, k=25))
            texts.append(" ".join([*random.sample(told, 4), own, f"le {random.randint(1, 28)}/05/{year}"]))
    rows = pa.table({
        "identifiant": [f"{year}{rank:07d}" for rank in range(count)],
        "publication": [date(year, 1 + rank * months // count, random.randint(1, 28)) for rank in range(count)],
        "titre": random.choices(told, k=count),
        "description": texts,
        "ressenti": random.choices(["Positif", "Négatif", "Neutre"], k=count),
        "typologie_1": services,
        "departement": [f"{random.randint(21, 95)}" for _ in range(count)],
        "structure_1": [f"Bureau {random.randint(1, 900)}" for _ in range(count)],
    })  # fmt: skip
    path = folder / f"{year}.parquet"
    pq.write_table(rows, path)
    return path


def measured(folder: Path, files: list[Path], what: str) -> pa.Table:
    """Read the voices of files, print what it cost and return them."""
    start = time.process_time()
    read = read_voices(declared(), SOURCE, [AcceptedYear(path, "colonnes-2023") for path in files], folder / "kept")
    spent = time.process_time() - start
    print(
        f"{what} : {read.texts} textes, {read.table.num_rows} voix, {len(read.months_made)} mois faits, "
        f"{spent:.1f} s CPU ({1e5 * spent / read.texts:.1f} pour 100 000), pic {peak():.0f} Mo"
    )
    return read.table


def judged(voices: pa.Table, month: date, *, power: bool) -> None:
    """Test a month, with or without the measure of power, and print what it cost."""
    start = time.process_time()
    found = detect(voices, month, Options(power=power))
    spent = time.process_time() - start
    told = "mois testé, puissance mesurée" if power else "mois testé"
    print(f"{told} : {len(found.tests)} tests, {spent:.1f} s CPU, pic {peak():.0f} Mo")


def peak() -> float:
    """Return the most memory that this process had (MB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Draw the texts in a process of its own, then measure in this one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=120_000)
    parser.add_argument("--years", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, random, told = Path(place), Random(18), sentences()
        each = options.texts // options.years
        files = [year_of_texts(random, 2020 + rank, each, told, folder) for rank in range(options.years)]
        more = year_of_texts(random, 2020 + options.years, each // 12, told, folder, months=1)
        print(f"tirage : pic {peak():.0f} Mo", file=sys.stderr)
        measured(folder, files, "premier passage")
        measured(folder, [*files, more], "un mois de plus")
        voices = measured(folder, [*files, more], "rien de neuf")
        month = max(voices["day"].to_pylist()).replace(day=1)
        judged(voices, month, power=False)
        judged(voices, month, power=True)


if __name__ == "__main__":
    main()
