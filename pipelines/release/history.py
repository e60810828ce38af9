"""The releases that are already there: which versions, what each holds. It writes nothing, it only sweeps leftovers."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import parquet

from pipelines.mechanics.files import sha256
from pipelines.release.column_texts import canonical, from_csv
from pipelines.release.difference import TableState, content_hash
from pipelines.release.own_tables import JOURNAL, OWN_TABLES
from pipelines.release.refusals import DamagedReleaseError
from pipelines.release.table_writers import read_csv
from pipelines.release.version import parse
from pipelines.release.written_files import CHECKSUMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.release.table_parts import Told

IN_PROGRESS = ".en-cours-"
DESCRIPTOR = "datapackage.json"
JOURNAL_FILE = "journal.csv"


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
    for name, items in _tables(descriptor(release)).items():
        schema = items[0]["schema"]
        parts = [read_csv(release / item["path"], _names(schema)) for item in items]
        written = parts[0] if len(parts) == 1 else pa.concat_tables(parts).unify_dictionaries()
        found[name] = TableState(schema, canonical_rows(schema, written))
    return found


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


def _files(release: Path, told: Mapping[str, Any], table: str, file_format: str) -> list[ReleasedFile]:
    """Return the same of a descriptor that was read already: it is as long as there are columns."""
    found = []
    columnar = [{"path": f"{table}.parquet", "format": "parquet"}]  # as releases were that didn't tell
    texts = {item["name"]: item for item in told["resources"]}
    for item in (*told["resources"], *told.get("renditions", columnar)):
        name = item.get("table", item.get("name", Path(item["path"]).stem))
        if name == table and item["format"] == file_format and (path := release / item["path"]).is_file():
            title, description = (str({**texts.get(name, {}), **item}.get(key, "")) for key in ("title", "description"))
            found.append(ReleasedFile(path, item.get("part", name), title, description, item.get("year")))
    return found


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
    found, told = [], descriptor(release)
    layout: Told = told.get("layout", {})
    for table, items in _tables(told).items():
        schema = items[0]["schema"]
        files = {ending: _files(release, told, table, ending) for ending in ("csv", "parquet")}
        for name in layout.get(table, {"parts": [table]})["parts"]:
            csv_files, columnar = ([file for file in those if file.part == name] for those in files.values())
            held = columnar or csv_files
            if held:
                title = held[0].title.removesuffix(f", {held[0].year}")
                rows = sum(_row_count(file.path) for file in held)
                names = ([file.path.name for file in files] for files in (csv_files, columnar))
                columns, key = _names(schema), tuple(schema["primaryKey"])
                found.append(ReleasedPart(table, name, title, held[0].description, columns, key, rows, *names))
    return found


def stable_names(release: Path) -> dict[str, Path]:
    """Return the files of a release by the names that readers may rely on from one release to the next.

    A table whose files have other names than its own is under its own too, by its first part, as long as one file holds
    it: links to it stay.
    """
    found, first = {path.name: path for path in sorted(release.iterdir())}, dict[str, ReleasedPart]()
    for part in released_parts(release):
        first.setdefault(part.table, part)
    for table, part in first.items():
        for files, ending in ((part.csv, "csv"), (part.parquet, "parquet")):
            if len(files) == 1:
                found[f"{table}.{ending}"] = release / files[0]
    return found


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
    return _in_order(rows, _tables(descriptor(release))[table][0]["schema"])


def _in_order(rows: pa.Table, schema: Mapping[str, Any]) -> pa.Table:
    keys = pa.table({str(at): rows[name] for at, name in enumerate(schema["primaryKey"])})
    return rows.take(pc.sort_indices(keys, sort_keys=[(name, "ascending", "at_start") for name in keys.column_names]))


def layout_of(release: Path) -> Told:
    """Return what a release tells of the files of its tables; nothing when each is one file."""
    told: Told = descriptor(release).get("layout", {})
    return told


def content_of(release: Path) -> str:
    """Return the hash of content of a release: the one it wrote, or computed for one made before it was written."""
    described = descriptor(release)
    written: str | None = described.get("contentHash")
    if written:
        return written
    return content_hash(states(release), synthetic=bool(described.get("synthetic")), layout=layout_of(release))


def release_hash(release: Path) -> str:
    """Return the sha256 of a release: that of its SHA256SUMS, which holds those of all its files."""
    return sha256(release / CHECKSUMS)


def previous_of(release: Path) -> dict[str, str]:
    """Return the link that the next release writes to this one."""
    return {"version": release.name, "sha256": release_hash(release)}


def canonical_rows(schema: Mapping[str, Any], written: pa.Table) -> pa.Table:
    """Return the rows of a CSV as canonical texts and in the order of the key, whatever it was written in."""
    columns = {field["name"]: from_csv(written[field["name"]], field["type"]) for field in schema["fields"]}
    found = pa.table(columns)
    kinds = {field["name"]: field["type"] for field in schema["fields"]}
    try:
        keys = {str(at): _ranked(found[name], kinds[name]) for at, name in enumerate(schema["primaryKey"])}
    except pa.ArrowException as error:
        raise DamagedReleaseError("une clé n'est pas du type que la version décrit") from error
    order = pc.sort_indices(pa.table(keys), sort_keys=[(name, "ascending", "at_start") for name in keys])
    if (np.diff(order.to_numpy().astype(np.int64)) > 0).all():
        return found
    return found.take(order)


def _ranked(cells: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    """Return what the cells of a key are sorted by: empty ones first, numbers as such."""
    texts = canonical(cells)
    filled = pc.if_else(pc.equal(texts, ""), None, texts)
    return pc.cast(filled, {"number": pa.float64(), "integer": pa.int64()}.get(kind, pa.string()))


def row_counts(release: Path) -> dict[str, int]:
    """Return how many rows every data table of a release has: as its Parquet says, else as its CSV holds."""
    found = dict.fromkeys(table_names(release), 0)
    for part in released_parts(release):
        found[part.table] += part.rows
    return found


def _row_count(file: Path) -> int:
    return int(parquet.read_metadata(file).num_rows if file.suffix == ".parquet" else read_csv(file).num_rows)


def journal(release: Path) -> pa.Table:
    """Return the journal of a release as texts, without lines when it has none."""
    path = release / JOURNAL_FILE
    found = read_csv(path) if path.is_file() else pa.table({name: pa.array([], pa.string()) for name in JOURNAL.names})
    if found.num_columns != len(JOURNAL.names):
        raise DamagedReleaseError(f"{JOURNAL_FILE} : ses colonnes ne sont pas celles d'un journal")
    return pa.table([canonical(column) for column in found.columns], names=JOURNAL.names)


def table_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a canonical CSV by column, none when the file isn't there."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _tables(told: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the resources of a descriptor that hold each data table, by its name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for item in told["resources"]:
        if item["format"] == "csv" and item["name"] not in OWN_TABLES:
            found.setdefault(item.get("table", item["name"]), []).append(item)
    return found


def _names(schema: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(field["name"] for field in schema["fields"])


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
        if not all(set(told) == {"parts", "yearly"} for told in content.get("layout", {}).values()):
            raise TypeError
        link = content.get("previous")
        if link is not None and not all(isinstance(link[part], str) for part in ("version", "sha256")):
            raise TypeError
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DamagedReleaseError(f"{DESCRIPTOR} : n'a plus la forme d'un descripteur de version") from error
