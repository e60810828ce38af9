"""What differs between two states of a table, row by row, by key. Which version that makes is decided in ``version``.

Cells are compared by their canonical text, so that neither a library nor a file format can make a difference.
The column ``version_publication`` is left out: it says when a row was published, not what it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION_COLUMN = "version_publication"
Key = tuple[str, ...]


@dataclass(frozen=True)
class TableState:
    """A table as published: its Table Schema and its rows of canonical texts, in the order of the schema's fields."""

    schema: Mapping[str, Any]
    rows: Sequence[tuple[str, ...]]

    @property
    def types(self) -> dict[str, str]:
        """Type of each column, by name, in published order."""
        return {item["name"]: item["type"] for item in self.schema["fields"]}

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the columns of the key."""
        return tuple(self.schema["primaryKey"])

    def by_key(self) -> dict[Key, tuple[str, ...]]:
        """Return the rows by key."""
        columns = list(self.types)
        at = [columns.index(name) for name in self.key]
        return {tuple(row[index] for index in at): row for row in self.rows}


@dataclass(frozen=True)
class CellChange:
    """One cell that changed; an empty text is a missing value."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class RowChange:
    """One row whose key stayed and whose cells changed."""

    key: Key
    cells: tuple[CellChange, ...]


@dataclass(frozen=True)
class TableDifference:
    """Everything that differs in one table; ``redefined`` when its Table Schema (texts and constraints too) differs."""

    table: str
    key: tuple[str, ...]
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_retyped: tuple[str, ...] = ()
    key_changed: bool = False
    redefined: bool = False
    rows_added: tuple[Key, ...] = ()
    rows_removed: tuple[Key, ...] = ()
    rows_changed: tuple[RowChange, ...] = ()

    def __bool__(self) -> bool:
        return self.redefined or bool(self.rows_added or self.rows_removed or self.rows_changed)

    @property
    def touched(self) -> set[Key]:
        """Keys of the rows that are new or changed."""
        return {*self.rows_added, *(change.key for change in self.rows_changed)}


@dataclass(frozen=True)
class ReleaseDifference:
    """Everything that differs between two releases of a dataset. ``relabelled``: the synthetic mark came or went."""

    tables: Mapping[str, TableDifference] = field(default_factory=dict)
    tables_added: tuple[str, ...] = ()
    tables_removed: tuple[str, ...] = ()
    relabelled: bool = False

    def __bool__(self) -> bool:
        return self.relabelled or bool(self.tables_added or self.tables_removed) or any(self.tables.values())


def table_difference(name: str, old: TableState, new: TableState) -> TableDifference:
    """Compare two states of one table; when the key itself changed, no row of one is a row of the other."""
    before, after = old.types, new.types
    key_changed = old.key != new.key
    old_rows, new_rows = old.by_key(), new.by_key()
    common = set() if key_changed else old_rows.keys() & new_rows.keys()
    return TableDifference(
        table=name,
        key=new.key,
        columns_added=tuple(column for column in after if column not in before),
        columns_removed=tuple(column for column in before if column not in after),
        columns_retyped=tuple(column for column in after if column in before and before[column] != after[column]),
        key_changed=key_changed,
        redefined=old.schema != new.schema,
        rows_added=tuple(key for key in new_rows if key not in common),
        rows_removed=tuple(key for key in old_rows if key not in common),
        rows_changed=_rows_changed(before, after, old_rows, new_rows, common),
    )


def release_difference(
    old: Mapping[str, TableState], new: Mapping[str, TableState], *, relabelled: bool = False
) -> ReleaseDifference:
    """Compare all the tables of two releases."""
    return ReleaseDifference(
        tables={name: table_difference(name, old[name], new[name]) for name in new if name in old},
        tables_added=tuple(name for name in new if name not in old),
        tables_removed=tuple(name for name in old if name not in new),
        relabelled=relabelled,
    )


def _rows_changed(
    before: Mapping[str, str],
    after: Mapping[str, str],
    old_rows: Mapping[Key, tuple[str, ...]],
    new_rows: Mapping[Key, tuple[str, ...]],
    common: set[Key],
) -> tuple[RowChange, ...]:
    old_at = {column: index for index, column in enumerate(before)}
    compared = [
        (column, old_at[column], index)
        for index, column in enumerate(after)
        if column in before and column != VERSION_COLUMN
    ]
    changes = []
    for key, row in new_rows.items():
        if key not in common:
            continue
        old = old_rows[key]
        cells = tuple(CellChange(name, old[i], row[j]) for name, i, j in compared if old[i] != row[j])
        if cells:
            changes.append(RowChange(key, cells))
    return tuple(changes)
