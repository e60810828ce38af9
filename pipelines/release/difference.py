"""What differs between two states of a table, by key, column by column, and the version that it makes.

Cells are compared by their canonical text, so that neither a library nor a file format can make a difference.
The column ``version_publication`` is left out: it says when a row was published, not what it says. So it is of the hash
of content, which decides whether anything changed, and which leaves out how tables are written.

A version is never chosen by hand. The rule of Data Package: a table or column removed or retyped, or a table in other
files, breaks reuse (MAJOR); rows, columns or tables added, or rows removed, change what is there (MINOR); values or
texts put right keep the shape (PATCH).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from pipelines.release.column_texts import canonical, content, escaped, joined, slices
from pipelines.release.table_parts import MovedTable, Told

VERSION_COLUMN = "version_publication"
BETWEEN = "\x1f"  # cells of a key; no published cell holds it
Rows = np.ndarray[tuple[int], np.dtype[np.int64]]
_MOST = 2**62  # different keys that a number tells apart
NONE: Rows = np.zeros(0, dtype=np.int64)
NOT_TOLD: Told = {}
FIRST = "1.0.0"
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


@dataclass(frozen=True, eq=False)
class TableState:
    """A table as published: its Table Schema and its rows, typed or as canonical texts, in the order of the key."""

    schema: Mapping[str, Any]
    data: pa.Table

    @property
    def types(self) -> dict[str, str]:
        """Type of each column, by name, in published order."""
        return {item["name"]: item["type"] for item in self.schema["fields"]}

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the columns of the key."""
        return tuple(self.schema["primaryKey"])

    @property
    def count(self) -> int:
        """Number of rows."""
        return int(self.data.num_rows)

    def texts(self, column: str, rows: Rows | None = None) -> pa.ChunkedArray:
        """Return the canonical texts of a column, of all rows or of those at some places."""
        cells = self.data.column(column)
        return canonical(cells if rows is None else cells.take(pa.array(rows)))

    def keys(self, rows: Rows | None = None, names: Sequence[str] | None = None) -> pa.ChunkedArray:
        """Return one text per row that says its key, or its cells in the columns ``names``."""
        return joined([self.texts(name, rows) for name in names or self.key], BETWEEN)

    def records(self) -> list[dict[str, str]]:
        """Return the rows of a small table, by column."""
        rows: list[dict[str, str]] = pa.table({name: self.texts(name) for name in self.types}).to_pylist()
        return rows


@dataclass(frozen=True, eq=False)
class TableDifference:
    """Everything that differs in one table; ``redefined`` when its Table Schema (texts and constraints too) differs.

    ``before``: place in the old table of each row of the new one, -1 for a new row. ``removed``: places in the old
    table. ``cells``: by column, places in the new table of the cells that changed.
    """

    table: str
    before: Rows
    removed: Rows
    cells: Mapping[str, Rows]
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_retyped: tuple[str, ...] = ()
    key_changed: bool = False
    redefined: bool = False

    def __bool__(self) -> bool:
        return self.redefined or bool(len(self.added) or len(self.removed) or self.cells)

    @property
    def added(self) -> Rows:
        """Places of the new rows, in the new table."""
        return np.flatnonzero(self.before < 0)

    @property
    def changed(self) -> Rows:
        """Places, in the new table, of the rows whose key stayed and whose cells changed."""
        return np.unique(np.concatenate([NONE, *self.cells.values()]))


@dataclass(frozen=True)
class ReleaseDifference:
    """Everything that differs between two releases of a dataset. ``relabelled``: the synthetic mark came or went.

    ``moved``: tables that lie in other files.
    """

    tables: Mapping[str, TableDifference] = field(default_factory=dict)
    tables_added: tuple[str, ...] = ()
    tables_removed: tuple[str, ...] = ()
    relabelled: bool = False
    moved: tuple[MovedTable, ...] = ()

    def __bool__(self) -> bool:
        whole = self.relabelled or self.moved or self.tables_added or self.tables_removed
        return bool(whole) or any(self.tables.values())


def table_difference(name: str, old: TableState, new: TableState) -> TableDifference:
    """Compare two states of one table; when the key itself changed, no row of one is a row of the other."""
    was, now, key_changed = old.types, new.types, old.key != new.key
    before = np.full(new.count, -1) if key_changed else _places_before(old, new)
    kept = np.zeros(old.count, dtype=bool)
    kept[before[before >= 0]] = True
    return TableDifference(
        table=name,
        before=before,
        removed=np.flatnonzero(~kept),
        cells=_cells_changed(old, new, before),
        columns_added=tuple(column for column in now if column not in was),
        columns_removed=tuple(column for column in was if column not in now),
        columns_retyped=tuple(column for column in now if column in was and was[column] != now[column]),
        key_changed=key_changed,
        redefined=old.schema != new.schema,
    )


def release_difference(
    old: Mapping[str, TableState],
    new: Mapping[str, TableState],
    *,
    relabelled: bool = False,
    moved: tuple[MovedTable, ...] = (),
) -> ReleaseDifference:
    """Compare all the tables of two releases."""
    return ReleaseDifference(
        tables={name: table_difference(name, old[name], new[name]) for name in new if name in old},
        tables_added=tuple(name for name in new if name not in old),
        tables_removed=tuple(name for name in old if name not in new),
        relabelled=relabelled,
        moved=moved,
    )


def content_hash(states: Mapping[str, TableState], *, synthetic: bool, layout: Told = NOT_TOLD) -> str:
    """Hash (sha256) the tables of a release by name, Table Schemas and canonical texts, and the synthetic mark.

    ``layout``: what the release tells of its files, if anything.
    """
    digest = hashlib.sha256(_json({"synthetic": synthetic, **({"layout": layout} if layout else {})}))
    for name, state in sorted(states.items()):
        digest.update(_json({"table": name, "schema": state.schema}))
        kept = state.data.select([column for column in state.types if column != VERSION_COLUMN])
        for piece in slices(kept):
            rows = joined([escaped(canonical(column)) for column in piece.columns], '","', '["', '"]\n')
            for part in content(rows):
                digest.update(part)
    return f"sha256:{digest.hexdigest()}"


def places(wanted: pa.ChunkedArray, known: pa.ChunkedArray) -> Rows:
    """Return where each of ``wanted`` is among the ``known`` ones, -1 where it isn't."""
    rows: Rows = pc.fill_null(pc.index_in(wanted, value_set=known), -1).to_numpy().astype(np.int64)
    return rows


def _places_before(old: TableState, new: TableState) -> Rows:
    """Return where each row of ``new`` is in ``old``, -1 where it isn't: by numbers, as keys in full are long."""
    numbers, many = np.zeros(old.count + new.count, dtype=np.int64), 1
    for name in new.key:
        texts = pa.chunked_array([*old.texts(name).chunks, *new.texts(name).chunks], pa.string())
        cells = pc.dictionary_encode(texts).combine_chunks()
        if many * len(cells.dictionary) > _MOST:
            different, numbers = np.unique(numbers, return_inverse=True)
            many = len(different)
        numbers = numbers * len(cells.dictionary) + cells.indices.to_numpy()
        many *= len(cells.dictionary)
    return places(pa.chunked_array([numbers[old.count :]]), pa.chunked_array([numbers[: old.count]]))


def _cells_changed(old: TableState, new: TableState, before: Rows) -> dict[str, Rows]:
    rows = np.flatnonzero(before >= 0)
    changed = {}
    for column in new.types:
        if column in old.types and column != VERSION_COLUMN and column not in new.key:
            differ = pc.not_equal(old.texts(column, before[rows]), new.texts(column, rows))
            if len(moved := rows[differ.to_numpy()]):
                changed[column] = moved
    return changed


def parse(text: str) -> tuple[int, int, int] | None:
    """Return the three numbers of a version, or None when the text is no version."""
    match = _VERSION.fullmatch(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def next_version(previous: str | None, difference: ReleaseDifference) -> str | None:
    """Return the version that the difference makes, ``1.0.0`` for a first release, or None when nothing changed."""
    if previous is None:
        return FIRST
    if not difference:
        return None
    numbers = parse(previous)
    if numbers is None:
        raise ValueError(f"version inconnue : {previous}")
    major, minor, patch = numbers
    tables = difference.tables.values()
    lost = any(table.key_changed or table.columns_removed or table.columns_retyped for table in tables)
    if lost or difference.tables_removed or difference.moved:
        return f"{major + 1}.0.0"
    extended = any(table.columns_added or len(table.added) or len(table.removed) for table in tables)
    return f"{major}.{minor + 1}.0" if extended or difference.tables_added else f"{major}.{minor}.{patch + 1}"


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
