"""The releases that are already there: which versions, what each holds. It writes nothing, it only sweeps leftovers."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import parquet

from pipelines.mechanics.files import sha256
from pipelines.release.column_texts import canonical, from_csv, key_order
from pipelines.release.difference import TableState, content_hash, parse
from pipelines.release.refusals import DamagedReleaseError
from pipelines.release.table_parts import Told
from pipelines.release.table_writers import read_csv
from pipelines.release.written_files import CHECKSUMS, JOURNAL, OWN_TABLES

IN_PROGRESS = ".en-cours-"
DESCRIPTOR = "datapackage.json"
JOURNAL_FILE = "journal.csv"


def versions(releases: Path, dataset: str) -> list[str]:
    """Return the versions of a dataset, oldest first."""
    folder = releases / dataset
    numbers = {path.name: parse(path.name) for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else {}
    return sorted((name for name, known in numbers.items() if known), key=lambda name: numbers[name] or (0, 0, 0))


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
    return dict(content)


def states(release: Path) -> dict[str, TableState]:
    """Return every data table of a release, read from its descriptor and its CSV files, in canonical form and order."""
    tables = {}
    for name, resources in _tables(descriptor(release)).items():
        schema = resources[0]["schema"]
        parts = [read_csv(release / resource["path"], _names(schema)) for resource in resources]
        written = parts[0] if len(parts) == 1 else pa.concat_tables(parts).unify_dictionaries()
        tables[name] = TableState(schema, canonical_rows(schema, written))
    return tables


@dataclass(frozen=True)
class ReleasedFile:
    """A file of a table of a release, as its descriptor tells it; ``part`` is its table when it holds all of it."""

    path: Path
    part: str
    title: str
    description: str
    year: int | None


def table_files(release: Path, table: str, file_format: str) -> list[ReleasedFile]:
    """Return the files that hold a table in a format (``csv``, ``parquet``): one way to read it, whatever its layout.

    Only those that are there: a release can be on its way from a storage.
    """
    return _files(release, descriptor(release), table, file_format)


def _files(release: Path, described: Mapping[str, Any], table: str, file_format: str) -> list[ReleasedFile]:
    """Return the same of a descriptor that was read already: it is as long as there are columns."""
    files = []
    columnar = [{"path": f"{table}.parquet", "format": "parquet"}]  # as releases were that didn't tell
    texts = {resource["name"]: resource for resource in described["resources"]}
    for file in (*described["resources"], *described.get("renditions", columnar)):
        name, path = file.get("table", file.get("name", Path(file["path"]).stem)), release / file["path"]
        if name == table and file["format"] == file_format and path.is_file():
            told = {**texts.get(name, {}), **file}
            title, description = str(told.get("title", "")), str(told.get("description", ""))
            files.append(ReleasedFile(path, file.get("part", name), title, description, file.get("year")))
    return files


@dataclass(frozen=True)
class ReleasedPart:
    """What readers look for: a table of a release, or a declared part of one, and the names of its files."""

    table: str
    name: str
    title: str
    description: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    rows: int
    csv: list[str]
    parquet: list[str]


def released_parts(release: Path) -> list[ReleasedPart]:
    """Return the parts of every data table of a release, in published order."""
    parts, described = [], descriptor(release)
    layout: Told = described.get("layout", {})
    for table, resources in _tables(described).items():
        schema = resources[0]["schema"]
        columns, key = _names(schema), tuple(schema["primaryKey"])
        files = {ending: _files(release, described, table, ending) for ending in ("csv", "parquet")}
        for name in layout.get(table, {"parts": [table]})["parts"]:
            texts, columnar = ([file for file in those if file.part == name] for those in files.values())
            if held := columnar or texts:
                first = held[0]
                title = first.title.removesuffix(f", {first.year}")
                counts = [parquet.read_metadata(file.path).num_rows for file in columnar]
                rows = sum(counts or [read_csv(file.path).num_rows for file in texts])
                names = ([file.path.name for file in those] for those in (texts, columnar))
                parts.append(ReleasedPart(table, name, title, first.description, columns, key, rows, *names))
    return parts


def stable_names(release: Path) -> dict[str, Path]:
    """Return the files of a release by the names that readers may rely on from one release to the next.

    A table whose files have other names than its own is under its own too, by its first part, as long as one file holds
    it: links to it stay.
    """
    names = {path.name: path for path in sorted(release.iterdir())}
    first = dict[str, ReleasedPart]()
    for part in released_parts(release):
        first.setdefault(part.table, part)
    for table, part in first.items():
        for files, ending in ((part.csv, "csv"), (part.parquet, "parquet")):
            if len(files) == 1:
                names[f"{table}.{ending}"] = release / files[0]
    return names


def columnar_files(release: Path, table: str) -> list[Path]:
    """Return the Parquet files that hold a whole table of a release."""
    return [file.path for file in table_files(release, table, "parquet")]


def table_names(release: Path) -> list[str]:
    """Return the data tables of a release, in published order."""
    return list(_tables(descriptor(release)))


def whole_table(release: Path, table: str) -> pa.Table:
    """Return a table of a release in its types and the order of its key, whatever files hold it."""
    files = [parquet.read_table(path) for path in columnar_files(release, table)]
    if len(files) == 1:
        return files[0]
    try:
        rows = pa.concat_tables(files, promote_options="permissive")
    except pa.ArrowException as error:
        raise DamagedReleaseError(f"{table} : ses fichiers Parquet n'ont plus les mêmes colonnes") from error
    key = _tables(descriptor(release))[table][0]["schema"]["primaryKey"]
    return rows.take(key_order(pa.table({str(at): rows[name] for at, name in enumerate(key)})))


def layout_of(release: Path) -> Told:
    """Return what a release tells of the files of its tables; nothing when each is one file."""
    told: Told = descriptor(release).get("layout", {})
    return told


def content_of(release: Path) -> str:
    """Return the hash of content of a release: the one it wrote, or computed for one made before it was written."""
    described = descriptor(release)
    if written := described.get("contentHash"):
        return str(written)
    return content_hash(states(release), synthetic=bool(described.get("synthetic")), layout=layout_of(release))


def release_hash(release: Path) -> str:
    """Return the sha256 of a release: that of its SHA256SUMS, which holds those of all its files."""
    return sha256(release / CHECKSUMS)


def previous_of(release: Path) -> dict[str, str]:
    """Return the link that the next release writes to this one."""
    return {"version": release.name, "sha256": release_hash(release)}


def canonical_rows(schema: Mapping[str, Any], written: pa.Table) -> pa.Table:
    """Return the rows of a CSV as canonical texts and in the order of the key, whatever it was written in."""
    kinds = {field["name"]: field["type"] for field in schema["fields"]}
    rows = pa.table({name: from_csv(written[name], kind) for name, kind in kinds.items()})
    try:
        keys = {str(at): _ranked(rows[name], kinds[name]) for at, name in enumerate(schema["primaryKey"])}
    except pa.ArrowException as error:
        raise DamagedReleaseError("une clé n'est pas du type que la version décrit") from error
    order = key_order(pa.table(keys))
    return rows if (np.diff(order.to_numpy().astype(np.int64)) > 0).all() else rows.take(order)


def _ranked(cells: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    """Return what the cells of a key are sorted by: empty ones first, numbers as such."""
    texts = canonical(cells)
    filled = pc.if_else(pc.equal(texts, ""), None, texts)
    return pc.cast(filled, {"number": pa.float64(), "integer": pa.int64()}.get(kind, pa.string()))


def row_counts(release: Path) -> dict[str, int]:
    """Return how many rows every data table of a release has: as its Parquet says, else as its CSV holds."""
    rows = dict.fromkeys(table_names(release), 0)
    for part in released_parts(release):
        rows[part.table] += part.rows
    return rows


def journal(release: Path) -> pa.Table:
    """Return the journal of a release as texts, without lines when it has none."""
    path = release / JOURNAL_FILE
    if not path.is_file():
        return pa.table({name: pa.array([], pa.string()) for name in JOURNAL.names})
    lines = read_csv(path)
    if lines.num_columns != len(JOURNAL.names):
        raise DamagedReleaseError(f"{JOURNAL_FILE} : ses colonnes ne sont pas celles d'un journal")
    return pa.table([canonical(column) for column in lines.columns], names=JOURNAL.names)


def table_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a canonical CSV by column, none when the file isn't there."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _tables(described: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the resources of a descriptor that hold each data table, by its name."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for resource in described["resources"]:
        if resource["format"] == "csv" and resource["name"] not in OWN_TABLES:
            tables.setdefault(resource.get("table", resource["name"]), []).append(resource)
    return tables


def _names(schema: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(field["name"] for field in schema["fields"])


def _expect_descriptor(content: Any) -> None:
    """Raise DamagedReleaseError unless what this room reads of a descriptor has the shape that it was written in."""
    try:
        for resource in content["resources"]:
            fields, key = resource["schema"]["fields"], resource["schema"]["primaryKey"]
            texts = [
                resource["name"],
                resource["format"],
                *(field[part] for field in fields for part in ("name", "type")),
            ]
            _expect(all(isinstance(text, str) for text in texts) and set(key) <= {field["name"] for field in fields})
        for file in (*content["resources"], *content.get("renditions", ())):
            _expect(Path(file["path"]).name == file["path"])
        for layout in content.get("layout", {}).values():
            _expect(set(layout) == {"parts", "yearly"})
        if (link := content.get("previous")) is not None:
            _expect(all(isinstance(link[part], str) for part in ("version", "sha256")))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DamagedReleaseError(f"{DESCRIPTOR} : n'a plus la forme d'un descripteur de version") from error


def _expect(fact: bool) -> None:
    if not fact:
        raise TypeError
