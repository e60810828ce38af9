"""Statistical secrecy alone: CPU seconds and memory by number of offices and years, and how they grow.

A survey by quarter (five questions) and counts by month (three indicators) of the declared network ``france-travail``,
with invented figures. Prints a table measured in this one call: times depend on the machine, the exponent much less.
Nothing here fails on a slow machine: it is no test.
"""

from __future__ import annotations

import argparse
import itertools
import math
import resource
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


def results(offices: int, years: int, catalogue: Any) -> pd.DataFrame:
    """Return invented rows of ``resultats``: all levels, the year and its quarters (or months), for all indicators."""
    random = np.random.default_rng(1)
    places = [place for place in catalogue.territories.territories if place.level == "departement" and place.region]
    codes = np.array(sorted({place.code for place in places if place.until is None}))
    regions = {place.code: place.region for place in places}
    home = codes[np.arange(offices) % len(codes)]
    frames = []
    for year in range(2025 - years, 2025):
        people = random.poisson(random.gamma(2.0, 7.5, offices)[:, None], (offices, 4))
        calls = random.poisson(2000, (offices, 12))
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
    size = base.shape[0] * columns
    flat, favourable = base.ravel(), above.ravel()
    small = (flat > 0) & (flat < 11)
    codes = structure[first] if structure is not None else np.full(base.shape[0], None, dtype=object)
    return pd.DataFrame({
        "reseau": NETWORK, "indicateur": name, "annee": year, "periode": np.tile(periods, base.shape[0]),
        "frequence": FRENCH[columns], "maille": level, "territoire_code": np.repeat(territory, columns),
        "structure_code": np.repeat(codes, columns), "structure": None, "effectif": flat,
        "valeur": 100 * favourable / np.maximum(flat, 1), "borne_basse": np.nan, "borne_haute": np.nan,
        "effectif_pondere": np.nan, "numerateur": np.full(size, np.nan), "denominateur": np.full(size, np.nan),
        "statut_observation": "A", "statut_confidentialite": np.where(small, "C", "F"), "motif": None,
        "mode_obtention": "essai", "source": f"{NETWORK}/essai", "date_reference": None,
    })  # fmt: skip


def measure(offices: int, years: int) -> tuple[int, float, float]:
    """Return the rows, the CPU seconds of hiding and of the audit, and the memory so far (MB)."""
    from pipelines.declarations import load
    from pipelines.disclosure import audit, protected, secret_figures

    catalogue = load(PROJECT / "schemas")
    rows = results(offices, years, catalogue)
    start = time.process_time()
    found = protected(rows, catalogue)
    hidden = time.process_time() - start
    secrets = secret_figures(rows, found)
    start = time.process_time()
    audit(found, catalogue, secrets)
    told = found["statut_confidentialite"].ne("F")
    yearly = found["frequence"].eq("annuelle")
    surveyed = found["indicateur"].isin(SURVEY)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    judged = time.process_time() - start
    shares = [100 * told[at & surveyed].mean() for at in (yearly, ~yearly)]
    print(
        f"{offices:>10}{years:>10}{len(rows):>10}" + "".join(f"{x:>10.1f}" for x in (hidden, judged, memory, *shares))
    )
    return len(rows), hidden, memory


def main() -> None:
    """Measure each size asked for, and print how the time grows with the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offices", type=int, nargs="+", default=[300, 1000, 3000])
    parser.add_argument("--years", type=int, default=1)
    arguments = parser.parse_args()
    names = ("offices", "years", "rows", "hide s", "audit s", "peak MB", "% year", "% quarter")
    print("".join(f"{name:>10}" for name in names))
    made = [measure(offices, arguments.years) for offices in arguments.offices]
    for (rows, seconds, _), (more, longer, _) in itertools.pairwise(made):
        print(f"exponent: {math.log(longer / seconds) / math.log(more / rows):.2f}")


if __name__ == "__main__":
    main()
