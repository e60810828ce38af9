"""frictionless's own verdict on what is doubtful: on the texts of a field, each asked once, and on whole rows.

What is surely valid never comes here: screens and keys see to it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from frictionless import Dialect

from pipelines.tabular.linear_patterns import judged_in_linear_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from frictionless import Field, Row
    from frictionless.errors import RowError
    from frictionless.resources import TableResource

Cells = list[str | None]
_REMEMBERED = 200_000  # texts of a field
_WIDTHS = 64  # of blank rows
MACHINE_ERRORS = (MemoryError, OSError)  # they tell of this machine, never of a cell: let through


class UnjudgeableCellError(Exception):
    """frictionless itself fails on a cell, e.g. a datetime with an offset against a bound without one.

    ``row`` is its number in the file and ``field`` the name of its field, where they are known; ``cell`` is its text,
    which may be personal: only ``str`` of the error, for developers, tells it.
    """

    def __init__(self, reason: str, *, row: int | None = None, field: str = "", cell: Any = None) -> None:
        self.reason, self.row, self.field, self.cell = reason, row, field, cell
        super().__init__(reason)

    def __str__(self) -> str:
        places = (("row", self.row), ("field", self.field or None), ("cell", self.cell))
        where = ", ".join(f"{name} {value!r}" for name, value in places if value is not None)
        return f"frictionless can't judge the {where or 'table'}: {self.reason}"

    def sentence(self) -> str:
        """Return where it is, for a producer, without its value."""
        row = f" de la ligne {self.row}" if self.row is not None else ""
        where = f" (colonne « {self.field} »)" if self.field else ""
        return f"Une valeur{row}{where} n'a pu être jugée : corrigez-la, ou laissez la cellule vide."


class AbsurdRecordError(UnjudgeableCellError):
    """A record so long, or of so many cells, that judging it would take all the memory: a quote never closed."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason, row=line)

    def sentence(self) -> str:
        """Return where it is, for a producer."""
        return (
            f"L'enregistrement de la ligne {self.row} est démesuré. Un guillemet n'est sans doute pas refermé, ou le "
            "séparateur n'est pas le bon. Corrigez la ligne, puis exportez de nouveau."
        )


class Reading(NamedTuple):
    """The value that frictionless reads in a cell (None: missing, or not of the type), and whether it has no error."""

    value: Any
    valid: bool


class Oracle:
    """Reads cells of one field, remembering the texts already seen."""

    def __init__(self, field: Field) -> None:
        self.field = field
        with judged_in_linear_time():
            self._reader = field.create_cell_reader()
        self._readings: dict[str | None, Reading] = {}

    def read(self, text: str | None) -> Reading:
        """Return the reading of one cell."""
        reading = self._readings.get(text)
        return self._ask(text) if reading is None else reading

    def read_all(self, texts: Iterable[str | None]) -> list[Reading]:
        """Return the readings of several cells."""
        readings = self._readings
        return [readings[text] if text in readings else self._ask(text) for text in texts]

    def _ask(self, text: str | None) -> Reading:
        try:
            value, notes = self._reader(text)
        except MACHINE_ERRORS:
            raise
        except Exception as error:
            raise UnjudgeableCellError(repr(error), field=self.field.name, cell=text) from error
        if len(self._readings) >= _REMEMBERED:
            self._readings = {}
        reading = self._readings[text] = Reading(value, not notes)
        return reading


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
        return [type(error)(note=error.note, cells=error.cells, row_number=self.number) for error in self.found]

    @classmethod
    def of(cls, row: Row) -> JudgedRow:
        """Make it from frictionless's row, whose cells are all read by then."""
        return cls(row.row_number, row.cells, list(row.errors), dict(row))


class FedDialect(Dialect):
    """A dialect whose records come from a queue, under the numbers that they have in the file.

    frictionless numbers the records that it reads; a resource that sees only doubtful ones must be told their places.
    """

    def read_enumerated_content_stream(self, cell_stream: Iterable[list[Any]]) -> Iterator[tuple[int, list[Any]]]:
        """Yield from the queue. The sample (a list) is read as usual: it decides the header."""
        if isinstance(cell_stream, list):
            yield from super().read_enumerated_content_stream(cell_stream)
            return
        while self.queue:
            yield self.queue.popleft()

    @property
    def queue(self) -> deque[tuple[int, list[Any]]]:
        """Return the records that wait to be read."""
        waiting: deque[tuple[int, list[Any]]] = self.__dict__.setdefault("_waiting", deque())
        return waiting


class RowJudge:
    """An opened resource that is fed single records.

    ``first`` are the fields to read before the others: errors come in the order in which cells are read.
    """

    def __init__(self, resource: TableResource, first: Sequence[str] = ()) -> None:
        self._resource, self._first = resource, first
        self._queue = cast("FedDialect", resource.dialect).queue

    def judge(self, number: int, cells: Cells) -> Row:
        """Return frictionless's row, with its errors."""
        self._queue.append((number, list(cells)))
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
        self._fed: set[int] = set()  # rows that the keyed reader knows
        self._blank: dict[tuple[int, bool], JudgedRow] = {}

    def recall(self, number: int, fetch: Any) -> None:
        """Make the keyed reader know an earlier row, once."""
        if number not in self._fed:
            self._judge(number, fetch(number), keyed=True)

    def judge(self, number: int, cells: Cells, *, keyed: bool) -> JudgedRow:
        """Judge one row."""
        kind = _kind_of_empty(cells)
        if kind is None:
            return self._judge(number, cells, keyed=keyed)
        # A blank row has no value for any key: its errors are the same everywhere. frictionless makes one for each
        # field before it tells only that the row is blank: with many blank rows that would take most of the time.
        if kind in self._blank:
            return replace(self._blank[kind], number=number)
        row = self._judge(number, cells, keyed=True)
        if any(error.type == "blank-row" for error in row.found):  # not where an empty cell is a value
            if len(self._blank) >= _WIDTHS:
                self._blank.clear()
            self._blank[kind] = row
        return row

    def _judge(self, number: int, cells: Cells, *, keyed: bool) -> JudgedRow:
        if not keyed or self._keyed is None:
            return JudgedRow.of(self._cells.judge(number, cells))
        self._fed.add(number)
        return JudgedRow.of(self._keyed.judge(number, cells))


def _kind_of_empty(cells: Cells) -> tuple[int, bool] | None:
    """Return what rows of empty cells, written alike, have in common; nothing for other rows."""
    absent = bool(cells) and cells[0] is None
    alike = all(cell is None for cell in cells) if absent else all(isinstance(cell, str) and not cell for cell in cells)
    return (len(cells), absent) if alike else None
