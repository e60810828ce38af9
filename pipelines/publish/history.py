"""The releases that are already there: which versions, what each holds. It writes nothing, it only sweeps leftovers."""

from __future__ import annotations

import csv
import json
import shutil
from typing import TYPE_CHECKING, Any

from pipelines.publish.difference import TableState
from pipelines.publish.version import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IN_PROGRESS = ".en-cours-"
DESCRIPTOR = "datapackage.json"
JOURNAL_FILE = "journal.csv"
LONGEST_CELL = 2**31 - 1  # bytes; Python stops at 128 kB, a whole row of the journal may be longer
COMPANIONS = frozenset({"dictionnaire", "journal", "versions"})  # tables about the release, not of the dataset


def versions(releases: Path, dataset: str) -> list[str]:
    """Return the versions of a dataset, oldest first."""
    folder = releases / dataset
    found = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    return sorted((name for name in found if parse(name)), key=lambda name: parse(name) or (0, 0, 0))


def sweep(folder: Path) -> None:
    """Remove what a run that died left unfinished in a folder."""
    for path in sorted(folder.glob(f"{IN_PROGRESS}*")):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def descriptor(release: Path) -> dict[str, Any]:
    """Return the Data Package descriptor of a release."""
    content: dict[str, Any] = json.loads((release / DESCRIPTOR).read_text(encoding="utf-8"))
    return content


def states(release: Path) -> dict[str, TableState]:
    """Return every data table of a release, read from its descriptor and its CSV files."""
    return {item["name"]: TableState(item["schema"], _csv_rows(release / item["path"])) for item in _tables(release)}


def row_counts(release: Path) -> dict[str, int]:
    """Return how many rows every data table of a release has, none of them kept."""
    return {item["name"]: sum(1 for _ in _each_row(release / item["path"])) for item in _tables(release)}


def journal_rows(release: Path) -> list[tuple[str, ...]]:
    """Return the rows of the journal of a release, none when it has no journal."""
    path = release / JOURNAL_FILE
    return _csv_rows(path) if path.is_file() else []


def table_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a canonical CSV by column, none when the file isn't there."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _tables(release: Path) -> list[dict[str, Any]]:
    resources = descriptor(release)["resources"]
    return [item for item in resources if item["format"] == "csv" and item["name"] not in COMPANIONS]


def _csv_rows(path: Path) -> list[tuple[str, ...]]:
    return [tuple(row) for row in _each_row(path)]


def _each_row(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        csv.field_size_limit(LONGEST_CELL)
        rows = csv.reader(stream)
        next(rows)
        yield from rows
