"""The releases that are already there: which versions, what each holds. It writes nothing, it only sweeps leftovers."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pipelines.mechanics.limits import LONGEST_OWN_CELL
from pipelines.release.cells import from_csv
from pipelines.release.companions import JOURNAL
from pipelines.release.difference import TableState
from pipelines.release.errors import DamagedReleaseError
from pipelines.release.version import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

IN_PROGRESS = ".en-cours-"
DESCRIPTOR = "datapackage.json"
JOURNAL_FILE = "journal.csv"
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
    """Return the Data Package descriptor of a release; raises DamagedReleaseError on what is no longer one."""
    try:
        content = json.loads((release / DESCRIPTOR).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DamagedReleaseError(f"{DESCRIPTOR} : n'est plus là") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedReleaseError(f"{DESCRIPTOR} : illisible, ce n'est plus du JSON") from error
    _expect_descriptor(content)
    return cast("dict[str, Any]", content)


def states(release: Path) -> dict[str, TableState]:
    """Return every data table of a release, read from its descriptor and its CSV files, in canonical form and order."""
    found = {}
    for item in _tables(release):
        schema = item["schema"]
        rows = _csv_rows(release / item["path"], tuple(_names(schema)))
        found[item["name"]] = TableState(schema, canonical_rows(schema, rows))
    return found


def canonical_rows(schema: Mapping[str, Any], rows: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the rows of a CSV in canonical texts and in the order of the key, whatever it was written in."""
    kinds = [field["type"] for field in schema["fields"]]
    names = _names(schema)
    key = [names.index(name) for name in schema["primaryKey"]]
    texts = [tuple(from_csv(cell, kind) for cell, kind in zip(row, kinds, strict=True)) for row in rows]
    try:
        return sorted(texts, key=lambda row: tuple(_ranked(row[at], kinds[at]) for at in key))
    except ValueError as error:
        raise DamagedReleaseError("une clé n'est pas du type que la version décrit") from error


def _ranked(cell: str, kind: str) -> tuple[bool, Any]:
    """Return what a cell of a key is sorted by: empty ones first, numbers as such."""
    return bool(cell), (float(cell) if kind == "number" else int(cell)) if cell and kind in (
        "number",
        "integer",
    ) else cell


def row_counts(release: Path) -> dict[str, int]:
    """Return how many rows every data table of a release has, none of them kept."""
    return {item["name"]: sum(1 for _ in _each_row(release / item["path"])) for item in _tables(release)}


def journal_rows(release: Path) -> list[tuple[str, ...]]:
    """Return the rows of the journal of a release, none when it has no journal."""
    path = release / JOURNAL_FILE
    rows = _csv_rows(path) if path.is_file() else []
    if rows and len(rows[0]) != len(JOURNAL.names):
        raise DamagedReleaseError(f"{JOURNAL_FILE} : ses colonnes ne sont pas celles d'un journal")
    return rows


def table_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a canonical CSV by column, none when the file isn't there."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _tables(release: Path) -> list[dict[str, Any]]:
    resources = descriptor(release)["resources"]
    return [item for item in resources if item["format"] == "csv" and item["name"] not in COMPANIONS]


def _names(schema: Mapping[str, Any]) -> list[str]:
    return [field["name"] for field in schema["fields"]]


def _expect_descriptor(content: Any) -> None:
    """Raise DamagedReleaseError unless what this room reads of a descriptor has the shape that it was written in."""
    try:
        for item in content["resources"]:
            plain = Path(item["path"]).name == item["path"]
            fields, key = item["schema"]["fields"], item["schema"]["primaryKey"]
            texts = [item["name"], item["format"], *(field[part] for field in fields for part in ("name", "type"))]
            names = {field["name"] for field in fields}
            if not plain or not all(isinstance(text, str) for text in texts) or not set(key) <= names:
                raise TypeError
        if not all(Path(item["path"]).name == item["path"] for item in content.get("renditions", ())):
            raise TypeError
        link = content.get("previous")
        if link is not None and not all(isinstance(link[part], str) for part in ("version", "sha256")):
            raise TypeError
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DamagedReleaseError(f"{DESCRIPTOR} : n'a plus la forme d'un descripteur de version") from error


def _csv_rows(path: Path, columns: tuple[str, ...] | None = None) -> list[tuple[str, ...]]:
    return [tuple(row) for row in _each_row(path, columns)]


def _each_row(path: Path, columns: tuple[str, ...] | None = None) -> Iterator[list[str]]:
    """Yield the rows of a canonical CSV whose header is ``columns`` (any, when None), as long as they all are whole."""
    csv.field_size_limit(LONGEST_OWN_CELL)
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream, strict=True)
            header = next(rows, [])
            if not header or columns not in (None, tuple(header)):
                raise DamagedReleaseError(f"{path.name} : ses colonnes ne sont pas celles que la version décrit")
            for row in rows:
                if len(row) != len(header):
                    told = f"ligne {rows.line_num}, {len(row)} cellules au lieu de {len(header)}"
                    raise DamagedReleaseError(f"{path.name} : {told}")
                yield row
    except FileNotFoundError as error:
        raise DamagedReleaseError(f"{path.name} : n'est plus là") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DamagedReleaseError(f"{path.name} : illisible, ce n'est plus un CSV en UTF-8") from error
