"""What users' texts cost: from accepted rows to the table of voices, on texts put together at random.

``python benchmarks/voice.py [--texts 120000] [--years 5]``: CPU seconds and memory of a first reading, of one with a
month more, of one where nothing is new.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.declarations import load
from pipelines.voice.voices import AcceptedYear, read_voices

PROJECT = Path(__file__).resolve().parents[1]
SOURCE = "services-publics-plus"


def sentences() -> list[str]:
    """Return the sentences of the synthetic samples."""
    text = (PROJECT / "data/samples/experiences/experiences-2024.csv").read_text(encoding="utf-8")
    return sorted({part.strip() + "." for line in text.splitlines() for part in line.split(";")[4].split(".") if part})


def year_of_texts(random: Random, year: int, count: int, told: list[str], folder: Path) -> Path:
    """Write the accepted rows of a year: about 470 letters a text, forty services, one text in fifty sent again."""
    words = " ".join(told).split()
    texts: list[str] = []
    for rank in range(count):
        if rank % 50 == 49:
            texts.append(texts[-1] + " Merci.")
        else:
            own = " ".join(random.choices(words, k=25))
            texts.append(" ".join([*random.sample(told, 4), own, f"le {random.randint(1, 28)}/05/{year}"]))
    rows = pa.table({
        "identifiant": [f"{year}{rank:07d}" for rank in range(count)],
        "publication": [date(year, 1 + rank * 12 // count, random.randint(1, 28)) for rank in range(count)],
        "titre": random.choices(told, k=count),
        "description": texts,
        "ressenti": random.choices(["Positif", "Négatif", "Neutre"], k=count),
        "typologie_1": [f"Service {random.randint(1, 40)}" for _ in range(count)],
        "structure_1": [f"Bureau {random.randint(1, 900)}" for _ in range(count)],
    })  # fmt: skip
    path = folder / f"{year}.parquet"
    pq.write_table(rows, path)
    return path


def measured(folder: Path, files: list[Path], what: str) -> None:
    """Read the voices of files and print what it cost."""
    start = time.process_time()
    read = read_voices(
        load(PROJECT / "schemas"), SOURCE, [AcceptedYear(path, "colonnes-2023") for path in files], folder / "kept"
    )
    spent = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what} : {read.texts} textes, {read.table.num_rows} voix, {len(read.months_made)} mois faits, "
        f"{spent:.1f} s CPU ({1e5 * spent / read.texts:.1f} pour 100 000), pic {peak:.0f} Mo"
    )


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
        more = year_of_texts(random, 2020 + options.years, each // 12, told, folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"tirage : pic {peak:.0f} Mo", file=sys.stderr)
        measured(folder, files, "premier passage")
        measured(folder, [*files, more], "une année commencée de plus")
        measured(folder, [*files, more], "rien de neuf")


if __name__ == "__main__":
    main()
