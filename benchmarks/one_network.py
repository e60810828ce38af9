"""A survey of millions of rows of one network, from its CSV to a release: CPU seconds and memory of a run and a check.

Beside them, frictionless on a sample of the same file, extrapolated linearly: the whole would take hours. Nine columns,
one row in a thousand with a fault. All is measured in this one call: times depend on the machine, ratios much less.
Nothing here fails on a slow machine: it is no test.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
COMMAND = Path(sys.executable).with_name("resultats")
SAMPLE, YEAR = 20_000, 2024
NETWORK = """
title: Banc d'essai
producer: Banc d'essai
description: Banc d'essai.
structure_type: Guichet
finest_level: site
years: 2024-2024
acceptance: {max_refused_share: 0.1, why: essai}
exports:
  - id: enquete
    kind: survey
    title: Enquête
    key: [reponse]
    fields:
      - {name: reponse, constraints: {required: true, unique: true, pattern: "R[0-9]{9}"}}
      - {name: jour, type: date, format: "%d/%m/%Y", constraints: {required: true}}
      - {name: poste, constraints: {required: true}}
      - {name: departement, constraints: {required: true}}
      - {name: avis, constraints: {enum: [content, mécontent]}}
      - {name: note, type: integer, constraints: {minimum: 0, maximum: 10}}
      - {name: delai, type: number, decimalChar: ",", constraints: {minimum: 0}}
      - {name: canal, constraints: {enum: [guichet, téléphone, courriel]}}
      - {name: commentaire}
    period: {field: jour, frequency: year}
    level: site
    territory: {field: departement, codes: departement}
    structure: {code: poste}
    layouts:
      - {years: 2024-2024, path: "enquete-{year}.csv", delimiter: ";", encoding: utf-8}
"""
INDICATOR = """
title: Part des usagers contents
definition: Part des réponses « content » parmi les réponses.
type: satisfaction
unit: "%"
unit_family: taux
direction: higher
estimator: {name: share, favourable: [content], among: [content, mécontent]}
decimals: 1
year: pooled
levels: {site: {obtained: pooled}, departement: {obtained: pooled}, national: {obtained: pooled}}
networks: {banc: {export: enquete, inputs: {answer: avis}}}
"""


def declare(folder: Path) -> Path:
    """Write the declarations of one network and one indicator; return their folder."""
    schemas = folder / "schemas"
    for kept in ("tables", "datasets", "references"):
        shutil.copytree(PROJECT / "schemas" / kept, schemas / kept)
    for name, text in (("networks/banc.yml", NETWORK), ("indicators/contents.yml", INDICATOR)):
        (schemas / name).parent.mkdir()
        (schemas / name).write_text(text, encoding="utf-8")
    return schemas


def answers(path: Path, rows: int) -> None:
    """Write the survey; one row in a thousand has a note out of bounds."""
    chance = random.Random(rows)
    tails = [
        f"{1 + number % 28:02d}/{1 + number % 12:02d}/{YEAR};P{number % 680:03d};{1 + number % 19:02d};"
        f"{'content' if chance.random() < 0.7 else 'mécontent'};{11 if number % 1000 == 0 else number % 11};"
        f"{number % 90},5;{('guichet', 'téléphone', 'courriel')[number % 3]};{'' if number % 4 else 'Merci beaucoup'}\n"
        for number in range(50_000)
    ]
    with path.open("w", encoding="utf-8") as file:
        file.write("reponse;jour;poste;departement;avis;note;delai;canal;commentaire\n")
        file.writelines(f"R{number:09d};{tails[number % 50_000]}" for number in range(rows))


def measure(*command: str) -> tuple[float, float]:
    """Run a command in a process of its own; return its CPU seconds and peak memory (MB), children included."""
    told = "import json, resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
    told += "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
    told += "print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))"
    environment = {key: value for key, value in os.environ.items() if key != "DAGSTER_HOME"}
    line = [sys.executable, "-c", told, *command]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=environment, cwd=PROJECT)
    cpu, peak = json.loads(done.stdout)
    return cpu, peak


def frictionless(file: Path, schema: Path) -> None:
    """Judge a file by frictionless alone."""
    from frictionless import Dialect, Resource, Schema, system

    with system.use_context(trusted=True):
        dialect = Dialect.from_descriptor({"delimiter": ";"})
        resource = Resource(path=str(file), schema=Schema(str(schema)), dialect=dialect, encoding="utf-8")
        report = resource.validate(limit_errors=0)
    assert report.tasks[0].stats["rows"] == SAMPLE, report.tasks[0].errors[:3]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--frictionless", nargs=2, type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.frictionless:
        frictionless(*asked.frictionless)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        schemas, exports, sample = declare(folder), folder / "exports", folder / "sample.csv"
        exports.mkdir()
        file = exports / f"enquete-{YEAR}.csv"
        answers(file, asked.rows)
        answers(sample, SAMPLE)
        declared = ("--schemas", str(schemas))
        export = ("--network", "banc", "--export", "enquete", "--year", str(YEAR), *declared)
        run = ("run", "--exports", str(exports), "--output", str(folder / "output"), *declared)
        subprocess.run([COMMAND, "template", "banc", "enquete", *declared, "--folder", name], check=True)
        judged = ("--frictionless", str(sample), str(folder / f"modele-banc-enquete-{YEAR}.schema.json"))
        lines = {
            "frictionless alone": measure(sys.executable, __file__, *judged),
            "resultats validate, sample": measure(str(COMMAND), "validate", str(sample), *export),
            "resultats validate": measure(str(COMMAND), "validate", str(file), *export),
            "resultats run": measure(str(COMMAND), *run),
            "the same, nothing new": measure(str(COMMAND), *run),
        }
    cpu, _ = lines["frictionless alone"]
    print(f"{asked.rows} rows of 9 columns; sample: {SAMPLE} rows")
    print(f"{'what':<30}{'CPU s':>9}{'peak MB':>9}{'whole by frictionless / it':>28}")
    for title, (used, most) in lines.items():
        whole = title.startswith("resultats") and "sample" not in title
        ratio = f"{cpu * asked.rows / SAMPLE / used:.0f}" if whole else ""
        print(f"{title:<30}{used:>9.1f}{most:>9.0f}{ratio:>28}")


if __name__ == "__main__":
    main()
