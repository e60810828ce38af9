"""The faults of real files, put on purpose into invented rows. Each returns new rows and never changes those given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.writers import Cell, Row


def changed(row: Row, cells: dict[int, Cell]) -> Row:
    """Return a copy of ``row`` with some cells replaced (by position)."""
    copy = list(row)
    for position, cell in cells.items():
        copy[position] = cell
    return copy


def copied(rows: Sequence[Row], source: int, cells: dict[int, Cell], number: str) -> Row:
    """Return a copy of a good row under a new number (first column), with faults in some cells."""
    return changed(rows[source], {0: number, **cells})


def with_rows(rows: Sequence[Row], extra: Sequence[Row]) -> list[Row]:
    """Return the rows with ``extra`` ones slipped in at even distances."""
    step = max(1, len(rows) // (len(extra) + 1))
    result: list[Row] = list(rows)
    for rank, row in reversed(list(enumerate(extra, start=1))):
        result.insert(rank * step, row)
    return result


def short_code(rows: Sequence[Row], column: int, every: int = 2) -> list[Row]:
    """Return the rows with département "01" written "1" in one row out of ``every``: both stand in one column."""
    seen = 0
    result = []
    for row in rows:
        first = row[column] == "01"
        seen += first
        result.append(changed(row, {column: "1"}) if first and seen % every == 0 else row)
    return result


def native_codes(rows: Sequence[Row], column: int) -> list[Row]:
    """Return the rows with département codes as a spreadsheet keeps them: the number 1, but the texts 2A and 2B."""
    return [changed(row, {column: int(str(row[column]))}) if str(row[column]).isdigit() else list(row) for row in rows]
