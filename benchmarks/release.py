"""Releases of national tables: CPU seconds and peak memory of a first one, of one that follows, and of their proof.

The tables are invented: offices × nine indicators × years, 137 000 rows a year by default, with what goes with them.
In the second release, one office in a hundred has other values. Each step runs in a process of its own; its memory is
told over what the imports take, and by published row. Nothing here fails on a slow machine: it is no test.

    python benchmarks/release.py [--rows 137000] [--years 8] [--releases 2]
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import psutil

from pipelines.declarations import load
from pipelines.flow.release import StoredTable
from pipelines.flow.stored_files import write_frame

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue

DATASET, SCHEMAS = "resultats-services-publics", Path(__file__).resolve().parents[1] / "schemas"
TABLES = ("resultats", "indicateurs", "reseaux", "structures")
INDICATORS, NETWORKS, MOVED = 9, 53, 100  # one office in MOVED has other values in the next release


def small_catalogue() -> Catalogue:
    """Return the shipped declarations, with a dataset of the four tables made here."""
    catalogue = load(SCHEMAS)
    dataset = catalogue.datasets[DATASET].model_copy(update={"tables": TABLES})
    return replace(catalogue, datasets=MappingProxyType({DATASET: dataset}))


def results(rows: int, years: int, release: int) -> pd.DataFrame:
    """Return ``years`` times ``rows`` rows of ``resultats``, as the ``release``-th run would compute them."""
    offices = rows // INDICATORS
    at = np.arange(offices * INDICATORS * years)
    office, indicator, year = at % offices, at // offices % INDICATORS, 2024 - at // (offices * INDICATORS)
    chance = np.random.default_rng(7).random((3, len(at)))
    moved = (office % MOVED < release) & (year == 2024)
    value = np.round(chance[0] * 100 + moved * release, 1)
    hidden = chance[1] > 0.9
    code = pd.Series(office).astype(str).str.zfill(6)
    found = pd.DataFrame({
        "annee": year, "periode": pd.Series(year).astype(str), "frequence": "annuelle",
        "reseau": "reseau-" + pd.Series(office % NETWORKS).astype(str), "structure_code": "S" + code,
        "structure": "Guichet « " + code + " », centre", "maille": "site",
        "territoire_code": pd.Series(office % 101).astype(str).str.zfill(2), "territoire": "Département",
        "indicateur": "indicateur-" + pd.Series(indicator).astype(str), "type_indicateur": "performance",
        "valeur": value, "unite": "%", "borne_basse": (value - 1.25).round(2), "borne_haute": (value + 1.25).round(2),
        "effectif": (chance[2] * 1000).astype(int) + 30, "statut_observation": "A", "statut_confidentialite": "F",
        "valeur_precedente": np.round(chance[2] * 100, 1), "evolution": np.round(value - chance[2] * 100, 1),
        "comparable": True, "valeur_p": chance[2].clip(1e-6).round(6), "evolution_significative": chance[2] < 0.05,
        "mode_obtention": "part des réponses", "date_reference": pd.Series(year).astype(str) + "-12-31",
        "date_extraction": "2025-01-31", "source": "enquete", "nature_donnees": "synthétiques",
    })  # fmt: skip
    return found.assign(
        valeur=found["valeur"].mask(hidden), motif_absence=pd.Series("secret", found.index).where(hidden, None)
    )


def tables(catalogue: Catalogue, rows: int, years: int, release: int) -> dict[str, pd.DataFrame]:
    """Return the tables of the dataset, in their declared columns but that of versions."""
    made = results(rows, years, release)
    networks = pd.DataFrame({"reseau": sorted(made["reseau"].unique())})
    networks = networks.assign(
        titre="Réseau", producteur="Producteur", description="Essai", typologie="guichet", maille_fine="site",
        premiere_annee=2025 - years, derniere_annee=2024, licence="etalab-2.0",
    )  # fmt: skip
    indicators = pd.DataFrame({"indicateur": sorted(made["indicateur"].unique())}).assign(
        titre="Indicateur", definition="Essai", type_indicateur="performance", population="usagers", unite="%",
        famille_unite="taux", sens="hausse", estimateur="ratio", mode_annuel="rapport de sommes", mailles="site",
        decimales=1, reseaux="tous",
    )  # fmt: skip
    places = made[["reseau", "structure_code", "structure"]].drop_duplicates()
    offices = places.assign(typologie="guichet", maille="site")
    frames = {"resultats": made, "indicateurs": indicators, "reseaux": networks, "structures": offices}
    columns = {
        name: [item for item in catalogue.tables[name].names if item != "version_publication"] for name in frames
    }
    return {name: frame.reindex(columns=columns[name]) for name, frame in frames.items()}


def step(name: str, folder: Path, release: int) -> dict[str, float]:
    """Do one step in this process: prepare (not measured), release, same (nothing new), verify."""
    catalogue = small_catalogue()
    for module in ("release_folder", "verification"):
        importlib.import_module(f"pipelines.release.{module}")
    before, began = psutil.Process().memory_info().rss, time.process_time()
    if name == "verify":
        verify(folder, f"1.0.{release}")
    else:
        make(catalogue, folder, release)
    return {"cpu": time.process_time() - began, "peak": (peak() - before) / 1e6}


def peak() -> int:
    """Return the most memory that this process had, in bytes; ``getrusage`` would count that of its parent too."""
    told = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in told if line.startswith("VmHWM:"))


def make(catalogue: Catalogue, folder: Path, release: int) -> None:
    """Make the release of the tables that are in the folder."""
    from pipelines.release.release_folder import make_release

    stored = {name: StoredTable(folder / f"{release}-{name}.parquet") for name in TABLES}
    made = make_release(DATASET, catalogue, stored, folder / "releases", synthetic="Chiffres inventés pour la mesure.")
    print(f"{made.version} {'faite' if made.created else 'inchangée'}", file=sys.stderr)


def verify(folder: Path, version: str) -> None:
    """Prove the release."""
    from pipelines.release.verification import release_proof

    if findings := release_proof(folder / "releases", DATASET, version):
        raise SystemExit("\n".join(findings))


def measured(name: str, folder: Path, release: int) -> dict[str, float]:
    """Run one step in a process of its own."""
    command = [sys.executable, __file__, "--step", name, "--folder", str(folder), "--release", str(release)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Make the tables, run every step, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=137_000, help="rows of resultats a year (default: 137 000)")
    parser.add_argument("--years", type=int, default=1, help="years (default: 1)")
    parser.add_argument("--releases", type=int, default=2, help="releases made one after the other (default: 2)")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--release", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(step(asked.step, asked.folder, asked.release)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder, catalogue = Path(name), small_catalogue()
        steps = [("release", number, f"release {number + 1}") for number in range(asked.releases)]
        last = asked.releases - 1
        steps += [("release", last, "nothing new"), ("verify", last, f"proof of {asked.releases}")]
        for number in range(asked.releases):
            for table, frame in tables(catalogue, asked.rows, asked.years, number).items():
                write_frame(folder / f"{number}-{table}.parquet", frame)
        rows = asked.rows // INDICATORS * INDICATORS * asked.years
        print(f"{rows} rows of resultats\n{'step':<16}{'CPU s':>9}{'peak MB':>9}{'kB a row':>10}")
        for what, number, title in steps:
            found = measured(what, folder, number)
            print(
                f"{title:<16}{found['cpu']:>9.1f}{found['peak']:>9.0f}{found['peak'] * 1000 / rows:>10.2f}", flush=True
            )


if __name__ == "__main__":
    main()
