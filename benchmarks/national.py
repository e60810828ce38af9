"""The whole country, from files to releases: CPU seconds and peak memory of each stage by number of offices; growth.

Everything is invented, and says so: ``--networks`` networks share the offices (most are small, a few large); each hands
over, a year, a survey (``--answers`` answers an office, five questions) and counts by month (three indicators).
``--fine``: surveys by quarter and counts by month are published too, else years alone. Each stage has a process of its
own, so that its memory is its own. "one changed": one file of one network-year has other answers, all the rest is
remembered, but what the first release now tells of every network; "changed again": that too is remembered. Times depend
on the machine, exponents (of CPU seconds by published rows) much less. Nothing here fails on a slow machine: it is no
test.

    python benchmarks/national.py [--offices 150 600 2500 15000] [--years 1] [--fine]
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import yaml
from pyarrow import csv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.declarations import Catalogue

PROJECT = Path(__file__).resolve().parents[1]
DATASET, LAST = "resultats-services-publics", 2024
LEVELS = {"Excellent": 0.3, "Bien": 0.4, "Moyen": 0.15, "Décevant": 0.1, "Mauvais": 0.05}
SATISFIED = {"Très satisfait": 0.3, "Plutôt satisfait": 0.5, "Plutôt mécontent": 0.15, "Très mécontent": 0.05}
FEEDS = {
    "satisfaction-globale": ("enquete", {"answer": "satisfaction"}),
    "taux-net-satisfaction": ("enquete", {"answer": "satisfaction"}),
    "csat": ("enquete", {"rating": "note"}),
    "nps": ("enquete", {"rating": "recommandation"}),
    "score-avis": ("enquete", {"answer": "avis"}),
    "taux-decroche": ("activite", {"numerator": "appels_traites", "denominator": "appels_presentes"}),
    "respect-delai-annonce": ("activite", {"numerator": "demandes_a_temps", "denominator": "demandes_traitees"}),
    "dossiers-traites": ("activite", {"value": "demandes_traitees"}),
}
STAGES = ("networks", "tables", "audit", "release", "nothing new", "one changed", "changed again")


def sizes(offices: int, networks: int) -> list[int]:
    """Return how many offices each network has."""
    shares = np.random.default_rng(2).pareto(1.5, networks) + 0.2
    return [max(1, int(size)) for size in np.round(offices * shares / shares.sum())]


# Declarations


def declare(folder: Path, networks: int, years: int, *, fine: bool) -> None:
    """Write declarations: the shipped tables, references and indicators, fed by invented networks alone."""
    for kept in ("tables", "datasets", "references"):
        shutil.copytree(PROJECT / "schemas" / kept, folder / kept)
    names = [f"reseau-{number:02d}" for number in range(networks)]
    for name in names:
        _write(folder / "networks" / f"{name}.yml", _network(name, f"{LAST + 1 - years}-{LAST}", fine=fine))
    for name, (export, inputs) in FEEDS.items():
        shipped = yaml.safe_load((PROJECT / "schemas" / "indicators" / f"{name}.yml").read_text("utf-8"))
        feed = {"export": export, "inputs": inputs}
        _write(folder / "indicators" / f"{name}.yml", {**shipped, "networks": dict.fromkeys(names, feed)})


def _network(name: str, years: str, *, fine: bool) -> dict[str, Any]:
    place = [{"name": "agence"}, {"name": "departement"}, {"name": "jour", "type": "date"}]
    answers = [{"name": "reponse"}, {"name": "satisfaction"}, {"name": "avis"}]
    answers += [{"name": column, "type": "integer"} for column in ("note", "recommandation")]
    counted = ("appels_presentes", "appels_traites", "demandes_traitees", "demandes_a_temps")
    counts = [{"name": column, "type": "integer"} for column in counted]
    return {
        "title": f"Réseau inventé {name}", "producer": "Personne", "description": "Inventé pour une mesure.",
        "structure_type": "Agence", "finest_level": "site", "years": years,
        "acceptance": {"max_refused_share": 0.1, "why": "essai"},
        "exports": [
            _export(name, years, "survey", [*place, *answers], ["reponse"], "quarter" if fine else "year"),
            _export(name, years, "operations", [*place, *counts], ["jour", "agence"], "month" if fine else "year"),
        ],
    }  # fmt: skip


def _export(name: str, years: str, kind: str, fields: list[Any], key: list[str], frequency: str) -> dict[str, Any]:
    export = {"survey": "enquete", "operations": "activite"}[kind]
    layout = {"years": years, "path": f"{name}/{export}-{{year}}.csv", "delimiter": ",", "encoding": "utf-8"}
    return {
        "id": export, "kind": kind, "title": export, "level": "site", "fields": fields, "key": key,
        "period": {"field": "jour", "frequency": frequency}, "structure": {"code": "agence"},
        "territory": {"field": "departement", "codes": "departement"}, "layouts": [layout],
    }  # fmt: skip


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


# Files


def hand_over(folder: Path, offices: int, networks: int, years: int, answers: int) -> int:
    """Write the files of all networks and years; return how many rows they have."""
    departements = np.array([f"{number:02d}" for number in (*range(1, 20), *range(21, 96))])
    rows = 0
    for number, size in enumerate(sizes(offices, networks)):
        home = folder / f"reseau-{number:02d}"
        home.mkdir(parents=True)
        for year in range(LAST + 1 - years, LAST + 1):
            random = np.random.default_rng([number, year])
            for name, table in _files(random, year, departements[(np.arange(size) + number) % 94], answers):
                csv.write_csv(table, home / f"{name}-{year}.csv")
                rows += table.num_rows
    (folder / "provenance.yml").write_text(PROVENANCE, encoding="utf-8")
    return rows


PROVENANCE = """synthetic: true
statement: Données inventées pour une mesure.
"""


def _files(random: np.random.Generator, year: int, homes: Any, answers: int) -> Iterator[tuple[str, pa.Table]]:
    codes = np.array([f"A{number:05d}" for number in range(len(homes))])
    places = lambda at, month: {  # noqa: E731
        "agence": codes[at], "departement": homes[at], "jour": np.char.add(f"{year}-", months[month]),
    }  # fmt: skip
    months = np.array([f"{month:02d}-15" for month in range(1, 13)])
    at = np.repeat(np.arange(len(homes)), random.poisson(random.gamma(2.0, answers / 2, len(homes))) + 1)
    count = len(at)
    yield "enquete", pa.table({
        "reponse": np.char.mod("R%07d", np.arange(count)), **places(at, random.integers(0, 12, count)),
        "satisfaction": random.choice(list(SATISFIED), count, p=list(SATISFIED.values())),
        "avis": random.choice(list(LEVELS), count, p=list(LEVELS.values())),
        "note": random.integers(1, 6, count), "recommandation": random.integers(0, 11, count),
    })  # fmt: skip
    at, month = np.repeat(np.arange(len(homes)), 12), np.tile(np.arange(12), len(homes))
    calls, demands = random.poisson(2000, len(at)), random.poisson(500, len(at))
    yield "activite", pa.table({
        **places(at, month), "appels_presentes": calls, "appels_traites": random.binomial(calls, 0.85),
        "demandes_traitees": demands, "demandes_a_temps": random.binomial(demands, 0.9),
    })  # fmt: skip


# Stages


def stage(name: str, folder: Path) -> dict[str, float]:
    """Do a stage in this process; return its CPU seconds, its peak memory (MB) and the rows of ``resultats``."""
    sys.path.insert(0, str(PROJECT))
    from pipelines.declarations import load
    from pipelines.flow.gather import table_rows
    from pipelines.flow.store import Store

    store, catalogue = Store(folder / "output"), load(folder / "schemas")
    if name in ("one changed", "changed again"):
        _change(folder / "exports")
    began = time.process_time()
    _work(name, catalogue, store, folder)
    used = time.process_time() - began
    return {"cpu": used, "peak": peak(), "rows": table_rows(catalogue, store).get("resultats", 0)}


def _work(name: str, catalogue: Catalogue, store: Any, folder: Path) -> None:
    from pipelines.flow.exports_folder import synthetic_statement
    from pipelines.flow.gather import make_tables, tables_are_current
    from pipelines.flow.release import audited, release_dataset, release_inputs, release_is_current
    from pipelines.flow.replay import run_dataset
    from pipelines.read import ExportsRoot

    root, schemas = ExportsRoot(str(folder / "exports")), folder / "schemas"
    if name == "networks":
        _networks(catalogue, store, root, list(catalogue.networks), catalogue.years)
    elif name == "tables":
        make_tables(catalogue, store, synthetic_statement(root))
    elif name == "audit":
        assert not audited(catalogue, store, DATASET).refused
    elif name == "release":
        release_dataset(catalogue, store, DATASET, release_inputs(catalogue, store, root, schemas))
    elif name == "nothing new":
        inputs = release_inputs(catalogue, store, root, schemas)
        assert tables_are_current(catalogue, store)
        assert release_is_current(store, DATASET, inputs)
    else:
        _networks(catalogue, store, root, ["reseau-00"], [LAST])
        run_dataset(catalogue, DATASET, store, root, schemas)


def _networks(catalogue: Catalogue, store: Any, root: Any, networks: list[str], years: list[int]) -> None:
    from datetime import UTC, datetime

    from pipelines.flow.replay import run_network_year

    for network, year in itertools.product(networks, years):
        run_network_year(catalogue, network, year, store, root, datetime.now(UTC))


def _change(exports: Path) -> None:
    """Give another grade to the first hundred answers of a file."""
    file = exports / "reseau-00" / f"enquete-{LAST}.csv"
    table = csv.read_csv(file)
    notes = table["note"].to_numpy().copy()
    notes[:100] = notes[:100] % 5 + 1
    csv.write_csv(table.set_column(table.column_names.index("note"), "note", pa.array(notes)), file)


def peak() -> float:
    """Return the most memory that this process had, in MB; ``getrusage`` would count that of its parent too."""
    told = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in told if line.startswith("VmHWM:"))


def measured(name: str, folder: Path) -> dict[str, float]:
    """Do a stage in a process of its own."""
    command = [sys.executable, __file__, "--stage", name, "--folder", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def national(asked: argparse.Namespace, offices: int, place: str) -> dict[str, dict[str, float]]:
    """Measure all stages for a number of offices, and print them."""
    folder = Path(place)
    declare(folder / "schemas", asked.networks, asked.years, fine=asked.fine)
    handed = hand_over(folder / "exports", offices, asked.networks, asked.years, asked.answers)
    print(f"{offices} offices, {asked.networks} networks, {asked.years} years, {handed} rows handed over", flush=True)
    found = {}
    for name in STAGES:
        found[name] = line = measured(name, folder)
        each = f"{1000 * line['peak'] / line['rows']:>10.2f}" if line["rows"] else ""
        print(f"  {name:<14}{line['cpu']:>9.1f} s{line['peak']:>9.0f} MB{each}", flush=True)
    print(f"  {int(line['rows'])} rows of resultats", flush=True)
    return found


def main() -> None:
    """Measure each number of offices, then print how each stage grows between them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offices", type=int, nargs="+", default=[150, 600, 2500, 15000])
    parser.add_argument("--networks", type=int, default=53)
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--answers", type=int, default=60, help="answers of an office a year, on average")
    parser.add_argument("--fine", action="store_true", help="publish quarters of surveys and months of counts")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stage:
        print(json.dumps(stage(asked.stage, asked.folder)))
        return
    made = []
    for offices in asked.offices:
        with tempfile.TemporaryDirectory() as place:
            made.append(national(asked, offices, place))
    for before, after in itertools.pairwise(made):
        rows = after["one changed"]["rows"] / before["one changed"]["rows"]
        growth = {name: math.log(after[name]["cpu"] / before[name]["cpu"]) / math.log(rows) for name in STAGES}
        print("exponents:", ", ".join(f"{name} {exponent:.2f}" for name, exponent in growth.items()))


if __name__ == "__main__":
    main()
