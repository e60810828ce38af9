"""The releases that are already there: which versions, what each holds. It writes nothing, it only sweeps leftovers."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import parquet

from pipelines.mechanics.files import sha256
from pipelines.release.column_texts import canonical, from_csv
from pipelines.release.difference import TableState, content_hash
from pipelines.release.errors import DamagedReleaseError
from pipelines.release.files import CHECKSUMS
from pipelines.release.own_tables import JOURNAL, OWN_TABLES
from pipelines.release.table_files import read_csv
from pipelines.release.version import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    for item in _tables(release):
        schema = item["schema"]
        found[item["name"]] = TableState(
            schema, canonical_rows(schema, read_csv(release / item["path"], _names(schema)))
        )
    return found


def content_of(release: Path) -> str:
    """Return the hash of content of a release: the one it wrote, or computed for one made before it was written."""
    described = descriptor(release)
    written: str | None = described.get("contentHash")
    return written or content_hash(states(release), synthetic=bool(described.get("synthetic")))


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
    return {item["name"]: _row_count(release, item) for item in _tables(release)}


def _row_count(release: Path, item: Mapping[str, Any]) -> int:
    columnar = release / f"{item['name']}.parquet"
    if columnar.exists():
        return int(parquet.read_metadata(columnar).num_rows)
    return int(read_csv(release / item["path"], _names(item["schema"])).num_rows)


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


def _tables(release: Path) -> list[dict[str, Any]]:
    resources = descriptor(release)["resources"]
    return [item for item in resources if item["format"] == "csv" and item["name"] not in OWN_TABLES]


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
        link = content.get("previous")
        if link is not None and not all(isinstance(link[part], str) for part in ("version", "sha256")):
            raise TypeError
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DamagedReleaseError(f"{DESCRIPTOR} : n'a plus la forme d'un descripteur de version") from error
