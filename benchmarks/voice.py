"""What users' texts cost: from accepted rows to voices, to the tests of a month, on texts put together at random.

``python benchmarks/voice.py [--texts 120000] [--years 5]``: CPU seconds and memory of a first reading, of one with a
month more, of one where nothing is new, then of the tests of the last month without and with the measure of power.
Drawing, reading and testing each have a process of their own: the memory of one is not counted in that of another.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.declarations import Catalogue, load
from pipelines.declarations.experiences import Typology
from pipelines.flow.voice import write_voices
from pipelines.signals.detection import Options, detect
from pipelines.voice.voices import AcceptedYear, read_voices

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parents[1]
SOURCE = "services-publics-plus"
VOICES = Path("kept") / "voix.parquet"
FIRST = 2020  # year of the first texts
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
    found = read_voices(declared(), SOURCE, [AcceptedYear(path, "colonnes-2023") for path in files], folder / "kept")
    spent = time.process_time() - start
    print(
        f"{what} : {found.texts} textes, {found.table.num_rows} voix, {len(found.months_made)} mois faits, "
        f"{spent:.1f} s CPU ({1e5 * spent / found.texts:.1f} pour 100 000), pic {peak():.0f} Mo",
        flush=True,
    )
    return found.table


def drawn(folder: Path, texts: int, years: int) -> None:
    """Write the texts of whole years, and of a month after them."""
    random, told, each = Random(18), sentences(), texts // years
    for rank in range(years):
        year_of_texts(random, FIRST + rank, each, told, folder)
    year_of_texts(random, FIRST + years, each // 12, told, folder, months=1)


def read(folder: Path) -> None:
    """Read the texts drawn three times, and keep their voices as they are kept every night."""
    *files, more = sorted(folder.glob("*.parquet"))
    measured(folder, files, "premier passage")
    measured(folder, [*files, more], "un mois de plus")
    write_voices(folder / VOICES, measured(folder, [*files, more], "rien de neuf"))


def judged(folder: Path) -> None:
    """Test the last month without, then with the measure of power, and print what each cost."""
    last = pc.max(pq.read_table(folder / VOICES, columns=["day"])["day"]).as_py()
    for power, what in ((False, "mois testé"), (True, "mois testé, puissance mesurée")):
        start = time.process_time()
        found = detect(folder / VOICES, last.replace(day=1), Options(power=power))
        spent = time.process_time() - start
        print(f"{what} : {len(found.tests)} tests, {spent:.1f} s CPU, pic {peak():.0f} Mo", flush=True)


def peak() -> float:
    """Return the most memory that this process had (MB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(work: Callable[..., None], *given: object) -> None:
    """Do a work in a process of its own: the memory of the others is not counted in its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        process.submit(work, *given).result()


def main() -> None:
    """Draw, read, then test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=120_000)
    parser.add_argument("--years", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        apart(drawn, Path(place), options.texts, options.years)
        apart(read, Path(place))
        apart(judged, Path(place))


if __name__ == "__main__":
    main()
