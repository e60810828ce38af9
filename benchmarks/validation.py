"""The validation engine against frictionless and pandera: CPU time and memory, on a survey of 14 columns made here.

These read a sample of the same file, and their times are extrapolated linearly: the whole would take hours.
Prints ratios, all measured in one call; absolute times depend on the machine. Nothing here fails: it is no test.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SAMPLE = 50_000
DIALECT = {"delimiter": ";", "header": True}
GRADES = {"minimum": 0, "maximum": 10}
SCHEMA: dict[str, Any] = {
    "fields": [
        {"name": "id_reponse", "type": "string",
         "constraints": {"required": True, "unique": True, "pattern": "R[0-9]{4}-[0-9]{8}"}},
        {"name": "id_structure", "type": "string", "constraints": {"required": True, "pattern": "S\\d{5}"}},
        {"name": "departement", "type": "string",
         "constraints": {"required": True, "pattern": "(?:[0-8][0-9]|9[0-5]|2[AB]|97[1-6])"}},
        {"name": "date_reponse", "type": "date", "format": "%d/%m/%Y", "constraints": {"required": True}},
        {"name": "annee", "type": "year", "constraints": {"required": True}},
        {"name": "canal", "type": "string", "constraints": {"enum": ["accueil", "téléphone", "courriel", "en ligne"]}},
        {"name": "note_globale", "type": "integer", "constraints": GRADES},
        {"name": "note_accueil", "type": "integer", "constraints": GRADES},
        {"name": "note_delai", "type": "integer", "constraints": GRADES},
        {"name": "duree_minutes", "type": "number", "decimalChar": ",", "constraints": {"minimum": 0}},
        {"name": "poids", "type": "number", "decimalChar": ",", "floatNumber": True, "constraints": {"minimum": 0}},
        {"name": "satisfait", "type": "boolean", "trueValues": ["oui"], "falseValues": ["non"]},
        {"name": "commentaire", "type": "string"},
        {"name": "courriel", "type": "string", "constraints": {"maxLength": 60}},
    ],
    "primaryKey": ["id_reponse"],
    "foreignKeys": [{"fields": ["id_structure"], "reference": {"resource": "structures", "fields": ["code"]}}],
    "missingValues": ["", "NR"],
}  # fmt: skip
STRUCTURES = [["code"], *([f"S{number:05d}"] for number in range(3_000))]
COMMENTS = [
    "",
    "",
    "",
    "Très bon accueil, merci à l'équipe",
    "Attente trop longue au guichet",
    "RAS",
    '"Parfait ; rien à dire"',
]


def make(path: Path, rows: int, share: float) -> None:
    """Write the survey; about ``share`` of the rows have one fault."""
    chance = random.Random(rows)
    days = [f"{day:02d}/{month:02d}/2024" for month in range(1, 13) for day in range(1, 29)]
    grades = [*map(str, range(11)), "NR"]
    minutes = [f"{number // 10},{number % 10}" for number in range(900)]
    channels = ["accueil", "téléphone", "courriel", "en ligne"]
    tails = []
    for index in range(50_000):
        place = f"S{chance.randrange(3_000):05d}"
        department = "2A" if index % 96 == 20 else f"{chance.randrange(1, 96):02d}"
        notes = chance.choices(grades, k=3)
        cells = [
            place,
            department,
            chance.choice(days),
            "2024",
            chance.choice(channels),
            *notes,
            chance.choice(minutes),
        ]
        tails.append(";".join(cells))
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(";".join(field["name"] for field in SCHEMA["fields"]) + "\r\n")
        for number in range(rows):
            weight = f"{chance.random() * 3:.6f}".replace(".", ",")
            cells = [f"R2024-{number:08d}", tails[chance.randrange(50_000)], weight, "oui" if number % 3 else "non",
                     COMMENTS[number % 7], f"usager{number % 99991}@exemple.fr" if number % 4 else ""]  # fmt: skip
            line = ";".join(cells)
            file.write((_spoil(chance, line) if chance.random() < share else line) + "\r\n")


def _spoil(chance: random.Random, line: str) -> str:
    fault = chance.randrange(6)
    cells = line.split(";", 12)
    if fault == 0:
        cells[0] = f"R2024-{chance.randrange(1000):08d}"
    elif fault == 1:
        cells[3] = "31/02/2024"
    elif fault == 2:
        cells[6 + chance.randrange(3)] = chance.choice(["11", "dix", "-1"])
    elif fault == 3:
        cells[9] = "1.5"
    elif fault == 4:
        return line + ";en trop"
    else:
        return ""
    return ";".join(cells)


def work(task: str, path: Path) -> int:
    """Do one task in this process; return the number of errors, or of rows for those that judge nothing."""
    if task == "frictionless":
        return _frictionless(path)
    if task == "pandera":
        return _pandera(path)
    from pipelines.tabular import judge_delimited

    if task == "tokeniser alone":
        return _tokens(path)
    judgement = judge_delimited(path, SCHEMA, DIALECT, references={"structures": STRUCTURES})
    for _ in judgement:
        pass
    assert judgement.path == "vectorised", judgement.why
    return judgement.errors


def _frictionless(path: Path) -> int:
    from frictionless import Dialect, Package, Schema, system
    from frictionless.resources import TableResource

    with system.use_context(trusted=True):
        table = TableResource(
            path=str(path),
            encoding="utf-8",
            schema=Schema.from_descriptor(SCHEMA),
            dialect=Dialect.from_descriptor(DIALECT),
        )
        Package(resources=[table, TableResource(name="structures", data=STRUCTURES)])
        return len(table.validate(limit_errors=0).task.errors)


def _pandera(path: Path) -> int:
    """Judge the same by checks written by hand: it tells no line that is too long, and no double key apart."""
    import pandas as pd
    import pandera.pandas as pandera

    frame = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False, na_values=["", "NR"], on_bad_lines="skip")
    columns = {field["name"]: _column(pandera, pd, field) for field in SCHEMA["fields"]}
    codes = [code for (code,) in STRUCTURES[1:]]
    columns["id_structure"].checks.append(pandera.Check.isin(codes))
    try:
        pandera.DataFrameSchema(columns, unique=["id_reponse"]).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return len(errors.failure_cases)
    return 0


def _column(pandera: Any, pd: Any, field: dict[str, Any]) -> Any:
    asked = field.get("constraints", {})
    checks = [pandera.Check.str_matches(f"^(?:{asked['pattern']})$")] if "pattern" in asked else []
    checks += [pandera.Check.isin(asked["enum"])] if "enum" in asked else []
    checks += [pandera.Check.str_length(max_value=asked["maxLength"])] if "maxLength" in asked else []
    if field["type"] == "date":
        parsed = lambda texts: pd.to_datetime(texts, format=field["format"], errors="coerce").notna()  # noqa: E731
        checks.append(pandera.Check(parsed))
    elif field["type"] in ("integer", "number", "year"):
        bounds = asked.get("minimum", float("-inf")), asked.get("maximum", float("inf"))
        number = lambda texts: pd.to_numeric(texts.str.replace(",", "."), errors="coerce").between(*bounds)  # noqa: E731
        checks.append(pandera.Check(number))
    elif field["type"] == "boolean":
        checks.append(pandera.Check.isin([*field["trueValues"], *field["falseValues"]]))
    return pandera.Column(str, checks, nullable=not asked.get("required"), unique=asked.get("unique", False))


def _tokens(path: Path) -> int:
    import csv

    from pipelines.tabular.record_pieces import Text, open_bytes
    from pipelines.tabular.tokens import tokenised

    class Options(csv.excel):
        delimiter, escapechar = ";", None

    return sum(tokens.count for tokens in tokenised(Text(open_bytes(path), "utf-8", Options), 1 << 22, 14))


def measure(task: str, path: Path) -> dict[str, float]:
    """Run a task in a process of its own; return its CPU seconds, its peak memory (MB) and its count."""
    command = [sys.executable, __file__, "--task", task, "--file", str(path)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def run_task(task: str, path: Path) -> None:
    """Do a task and print what it took, imports apart."""
    import pipelines.tabular  # noqa: F401

    before = resource.getrusage(resource.RUSAGE_SELF)
    count = work(task, path)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"cpu": cpu, "peak": after.ru_maxrss / 1024, "count": count}))


def main() -> None:
    """Measure clean and bad files, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        run_task(arguments.task, arguments.file)
        return
    print(f"{arguments.rows} rows of 14 columns; frictionless and pandera on {SAMPLE}, extrapolated")
    print(f"{'rows':<12}{'what':<20}{'CPU s':>9}{'peak MB':>9}{'errors':>9}{'frictionless / it':>19}")
    for name, share in (("clean", 0.0), ("0.1 % bad", 0.001)):
        with tempfile.TemporaryDirectory() as folder:
            sample, path = Path(folder, "sample.csv"), Path(folder, "all.csv")
            make(sample, SAMPLE, share)
            make(path, arguments.rows, share)
            plain = measure("frictionless", sample)
            whole = plain["cpu"] * arguments.rows / SAMPLE
            print(f"{name:<12}{'frictionless':<20}{whole:>9.1f}{'':>9}{'':>9}{1:>19.1f}")
            hand = measure("pandera", sample)["cpu"] * arguments.rows / SAMPLE
            print(f"{name:<12}{'pandera':<20}{hand:>9.1f}{'':>9}{'':>9}{whole / hand:>19.1f}")
            for task in ("tokeniser alone", "engine"):
                took = measure(task, path)
                count = "" if task == "tokeniser alone" else int(took["count"])
                print(
                    f"{name:<12}{task:<20}{took['cpu']:>9.2f}{took['peak']:>9.0f}{count:>9}{whole / took['cpu']:>19.1f}"
                )


if __name__ == "__main__":
    main()
