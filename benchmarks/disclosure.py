"""Statistical secrecy alone: CPU seconds and memory by number of offices and years, and how they grow.

Surveys by quarter (five questions) and counts by month (three indicators), with invented figures of ``--networks``
networks, that take turns under the declarations of ``france-travail``. One network and year at a time, as no link
crosses them; making the figures is not measured. Each size has a process of its own, whose peak memory has them too.
"one network": the largest one, all its years, beside what it published before. "one year": the same network when one of
its years changed and the others are remembered, reading what is remembered included. The exponent compares sizes of as
many networks: each network and year costs something whatever its size. Times depend on the machine, it much less.
Nothing here fails on a slow machine: it is no test.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

PROJECT = Path(__file__).resolve().parents[1]
NETWORK = "france-travail"
SURVEY = ["satisfaction-globale", "taux-net-satisfaction", "nps", "score-avis", "qualite-demarches-en-ligne"]
COUNTS = ["taux-decroche", "respect-delai-annonce", "dossiers-traites"]
FRENCH = {1: "annuelle", 4: "trimestrielle", 12: "mensuelle"}


def sizes(offices: int, networks: int) -> list[int]:
    """Return how many offices each network has: most are small, a few large."""
    shares = np.random.default_rng(2).pareto(1.5, networks) + 0.2
    return np.maximum(1, np.round(offices * shares / shares.sum())).astype(int).tolist()


def results(offices: int, year: int, catalogue: Any) -> pd.DataFrame:
    """Return invented rows of ``resultats``: all levels, the year and its quarters (or months), for all indicators."""
    random = np.random.default_rng([offices, year])
    places = [place for place in catalogue.territories.territories if place.level == "departement" and place.region]
    codes = np.array(sorted({place.code for place in places if place.until is None}))
    regions = {place.code: place.region for place in places}
    home = codes[np.arange(offices) % len(codes)]
    people = random.poisson(random.gamma(2.0, 7.5, offices)[:, None], (offices, 4))
    calls = random.poisson(2000, (offices, 12))
    frames = []
    for names, counted, periods in ((SURVEY, people, 4), (COUNTS, calls, 12)):
        for name in names:
            share = 0.5 if name == "qualite-demarches-en-ligne" else 0.98
            base = random.binomial(counted, share)
            frames += _levels(name, year, periods, home, regions, base, random.binomial(base, 0.8))
    return pd.concat(frames, ignore_index=True)


def _levels(
    name: str, year: int, periods: int, home: Any, regions: dict[str, str], base: Any, above: Any
) -> list[pd.DataFrame]:
    offices = np.array([f"FT{number:05d}" for number in range(len(home))])
    named = {
        "site": (offices, home, offices), "departement": (home, home, None),
        "region": (np.array([regions[code] for code in home]),) * 2 + (None,),
        "national": (np.full(len(home), "FR"),) * 2 + (None,),
    }  # fmt: skip
    found = []
    for level, (groups, territory, structure) in named.items():
        units, first, at = np.unique(groups, return_index=True, return_inverse=True)
        for columns in (1, periods):
            sums = [np.zeros((len(units), columns)) for _ in range(2)]
            for total, values in zip(sums, (base, above), strict=True):
                np.add.at(total, at, values.reshape(len(home), columns, -1).sum(axis=2))
            found.append(_rows(name, year, columns, level, territory[first], structure, first, *sums))
    return found


def _rows(
    name: str, year: int, columns: int, level: str, territory: Any, structure: Any, first: Any, base: Any, above: Any
) -> pd.DataFrame:
    letter = {1: "", 4: "-T{}", 12: "-{:02d}"}[columns]
    periods = [str(year) + letter.format(number + 1) for number in range(columns)]
    flat, favourable = base.ravel(), above.ravel()
    small = (flat > 0) & (flat < 11)
    codes = structure[first] if structure is not None else np.full(base.shape[0], None, dtype=object)
    return pd.DataFrame({
        "reseau": NETWORK, "indicateur": name, "annee": year, "periode": np.tile(periods, base.shape[0]),
        "frequence": FRENCH[columns], "maille": level, "territoire_code": np.repeat(territory, columns),
        "structure_code": np.repeat(codes, columns), "structure": None, "effectif": flat,
        "valeur": 100 * favourable / np.maximum(flat, 1), "borne_basse": np.nan, "borne_haute": np.nan,
        "effectif_pondere": np.nan, "numerateur": favourable, "denominateur": flat,
        "statut_observation": "A", "statut_confidentialite": np.where(small, "C", "F"), "motif": None,
        "mode_obtention": "essai", "source": f"{NETWORK}/essai", "date_reference": None,
    })  # fmt: skip


class Meter:
    """CPU seconds of what is measured, and what it hid; rows are made between."""

    def __init__(self, catalogue: Any) -> None:
        self.catalogue = catalogue
        self.rows, self.hidden, self.judged = 0, 0.0, 0.0
        self.told = pd.DataFrame()

    def year(self, rows: pd.DataFrame, earlier: tuple[pd.DataFrame, ...] = ()) -> pd.DataFrame:
        """Hide and audit a network and year; return what would be published of it."""
        from pipelines.disclosure.audit import audit, secret_figures
        from pipelines.disclosure.results_table import protected
        from pipelines.disclosure.revised import unless_few

        start = time.process_time()
        found = unless_few(protected(rows, self.catalogue, earlier), self.catalogue, earlier)
        middle = time.process_time()
        audit(found, self.catalogue, secret_figures(rows, found), earlier)
        self.rows, self.hidden = self.rows + len(rows), self.hidden + middle - start
        self.judged += time.process_time() - middle
        kinds = [found["indicateur"].isin(SURVEY), found["frequence"].eq("annuelle")]
        secret = found.assign(hidden=found["statut_confidentialite"].ne("F")).groupby(kinds)["hidden"]
        self.told = (
            self.told.add(secret.agg(["sum", "count"]), fill_value=0)
            if len(self.told)
            else secret.agg(["sum", "count"])
        )
        return found


def changed_year(offices: int, years: int, catalogue: Any) -> float:
    """Return the CPU seconds of hiding and judging all years of a network of which one changed."""
    from pipelines.flow.protection import protecting
    from pipelines.flow.store import Store
    from pipelines.flow.stored_files import write_frame

    def night(changed: int | None) -> None:
        with protecting(catalogue, store) as protection:
            for year in range(2025 - years, 2025):
                file, rows = folder / f"{year}.parquet", made[year]
                if year == changed:
                    rows = rows.assign(effectif=rows["effectif"] + 20, denominateur=rows["denominateur"] + 20)
                    write_frame(file, rows)
                shown, secrets = protection.hidden(NETWORK, year, file, lambda rows=rows: rows)  # type: ignore[misc]
                protection.judge(shown, secrets)

    made = {year: results(offices, year, catalogue) for year in range(2025 - years, 2025)}
    with tempfile.TemporaryDirectory() as place:
        folder, store = Path(place), Store(Path(place))
        for year, rows in made.items():
            write_frame(folder / f"{year}.parquet", rows)
        night(None)
        start = time.process_time()
        night(2024)
        return time.process_time() - start


def measure(offices: int, years: int, networks: int) -> None:
    """Print the rows, the CPU seconds of hiding and of the audit, the peak memory (MB), what is hidden (%)."""
    from pipelines.declarations import load

    whole = Meter(load(PROJECT / "schemas"))
    every = sizes(offices, networks)
    for size in every:
        for year in range(2025 - years, 2025):
            whole.year(results(size, year, whole.catalogue))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    first, again = Meter(whole.catalogue), Meter(whole.catalogue)
    largest = max(every)
    for year in range(2025 - years, 2025):
        rows = results(largest, year, whole.catalogue)
        before = first.year(rows)
        again.year(rows.assign(effectif=rows["effectif"] + 20, denominateur=rows["denominateur"] + 20), (before,))
    shares = [
        100 * whole.told.loc[(True, yearly), "sum"] / whole.told.loc[(True, yearly), "count"]
        for yearly in (True, False)
    ]
    one_network, one_year = again.hidden + again.judged, changed_year(largest, years, whole.catalogue)
    figures = [offices, years, whole.rows, whole.hidden, whole.judged, memory, one_network, one_year, *shares]
    print("".join(f"{one:>12.1f}" if isinstance(one, float) else f"{one:>12}" for one in figures), flush=True)


def main() -> None:
    """Measure each size asked for in a process of its own, and print how the time grows with the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offices", type=int, nargs="+", default=[300, 1000, 3000, 15000])
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--networks", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        measure(arguments.offices[0], arguments.years, arguments.networks)
        return
    names = (
        "offices",
        "years",
        "rows",
        "hide s",
        "audit s",
        "peak MB",
        "one network",
        "one year",
        "% year",
        "% quarter",
    )
    print("".join(f"{name:>12}" for name in names), flush=True)
    made = []
    for offices in arguments.offices:
        command = [sys.executable, __file__, "--alone", "--offices", str(offices), "--years", str(arguments.years),
                   "--networks", str(arguments.networks)]  # fmt: skip
        told = subprocess.run(
            command, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(PROJECT)}
        )
        print(told.stdout, end="", flush=True)
        made.append([float(one) for one in told.stdout.split()])
    for before, after in itertools.pairwise(made):
        growth = math.log((after[3] + after[4]) / (before[3] + before[4])) / math.log(after[2] / before[2])
        print(f"exponent: {growth:.2f}")


if __name__ == "__main__":
    main()
