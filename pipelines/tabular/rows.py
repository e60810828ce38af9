"""Doubtful rows judged by frictionless's own row stream, so that types, notes and their order are its own.

Finding the doubtful rows belongs to the screens and the keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pipelines.tabular.cell_reader import MACHINE_ERRORS, UnjudgeableCellError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frictionless import Row
    from frictionless.errors import RowError
    from frictionless.resources import TableResource

    from pipelines.tabular.opening import FedDialect
    from pipelines.tabular.tokens import Cells


_WIDTHS = 64


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A row, by its number in the file; ``values`` are what frictionless reads in each field (None: nothing).

    ``found`` are its errors, or those of a row alike: millions of blank rows share them.
    """

    number: int
    cells: Cells
    found: list[RowError]
    values: dict[str, Any]

    @property
    def errors(self) -> list[RowError]:
        """Frictionless's errors, numbered as the row is."""
        if not self.found or self.found[0].row_number == self.number:
            return self.found
        return [_renumbered(error, self.number) for error in self.found]

    @property
    def blank(self) -> bool:
        """Whether no cell has a value."""
        return any(error.type == "blank-row" for error in self.found)

    @classmethod
    def of(cls, row: Row) -> JudgedRow:
        """Make it from frictionless's row, whose cells are all read by then."""
        return cls(row.row_number, row.cells, list(row.errors), dict(row))

    def renumbered(self, number: int) -> JudgedRow:
        """Return the same row at another place; its errors must not depend on other rows."""
        return JudgedRow(number, self.cells, self.found, self.values)


class RowJudge:
    """An opened resource that is fed single records.

    ``first`` are the fields to read before the others: errors come in the order in which cells are read.
    """

    def __init__(self, resource: TableResource, first: Sequence[str] = ()) -> None:
        self._resource = resource
        self._first = first
        self._queue = cast("FedDialect", resource.dialect).queue
        self.fed: set[int] = set()
        self.count = 0

    def judge(self, number: int, cells: Cells) -> Row:
        """Return frictionless's row, with its errors."""
        self._queue.append((number, list(cells)))
        self.count += 1
        try:
            row = next(self._resource.row_stream)
            for name in self._first:
                _ = row[name]
            _ = row.errors
        except MACHINE_ERRORS:
            raise
        except Exception as error:
            raise UnjudgeableCellError(repr(error), row=number) from error
        return row


class Judges:
    """Two readers of doubtful rows: one for cells alone, one that also remembers keys.

    The second sees only the rows whose keys are doubtful, so that its memory stays small.
    """

    def __init__(self, cells: TableResource, keyed: TableResource | None, key_fields: Sequence[str] = ()) -> None:
        self._cells = RowJudge(cells, key_fields)
        self._keyed = RowJudge(keyed) if keyed is not None else None
        self._blank: dict[tuple[int, bool], JudgedRow] = {}

    @property
    def count(self) -> int:
        """Return how many rows became frictionless's rows."""
        return self._cells.count + (self._keyed.count if self._keyed else 0)

    def recall(self, number: int, fetch: Any) -> None:
        """Make the keyed reader know an earlier row, once."""
        if self._keyed is not None and number not in self._keyed.fed:
            self._keyed.fed.add(number)
            self._keyed.judge(number, fetch(number))

    def judge(self, number: int, cells: Cells, *, keyed: bool) -> JudgedRow:
        """Judge one row."""
        kind = _kind_of_empty(cells)
        if kind is None:
            return self._judge(number, cells, keyed=keyed)
        # A blank row has no value for any key: its errors are the same everywhere. frictionless makes one for each
        # field before it tells only that the row is blank: with many blank rows that would take most of the time.
        if kind in self._blank:
            return self._blank[kind].renumbered(number)
        row = self._judge(number, cells, keyed=True)
        if row.blank:  # not where an empty cell is a value
            if len(self._blank) >= _WIDTHS:
                self._blank.clear()
            self._blank[kind] = row
        return row

    def _judge(self, number: int, cells: Cells, *, keyed: bool) -> JudgedRow:
        if keyed and self._keyed is not None:
            self._keyed.fed.add(number)
            return JudgedRow.of(self._keyed.judge(number, cells))
        return JudgedRow.of(self._cells.judge(number, cells))


def _kind_of_empty(cells: Cells) -> tuple[int, bool] | None:
    """Return what rows of empty cells, written alike, have in common; nothing for other rows."""
    absent = bool(cells) and cells[0] is None
    alike = all(cell is None for cell in cells) if absent else all(isinstance(cell, str) and not cell for cell in cells)
    return (len(cells), absent) if alike else None


def _renumbered(error: RowError, number: int) -> RowError:
    return type(error)(note=error.note, cells=error.cells, row_number=number)
