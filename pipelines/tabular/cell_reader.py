"""frictionless's verdict on the cells of a field, asked once per distinct text.

What is surely valid never comes here: the screens see to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.tabular.linear_patterns import judged_in_linear_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frictionless import Field

_REMEMBERED = 200_000
MACHINE_ERRORS = (MemoryError, OSError)  # they tell of this machine, never of a cell: let through


class Reading(NamedTuple):
    """The value that frictionless reads in a cell (None: missing, or not of the type), and whether it has no error."""

    value: Any
    valid: bool


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
        known = ", ".join(f"{name} {value!r}" for name, value in places if value is not None)
        return f"frictionless can't judge the {known or 'table'}: {self.reason}"

    def sentence(self) -> str:
        """Return where it is, for a producer, without its value."""
        row = f" de la ligne {self.row}" if self.row is not None else ""
        where = f" (colonne « {self.field} »)" if self.field else ""
        return f"Une valeur{row}{where} n'a pu être jugée : corrigez-la, ou laissez la cellule vide."


class AbsurdRecordError(UnjudgeableCellError):
    """A record so long, or of so many cells, that judging it would take all the memory: a quote never closed."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason, row=line)

    def sentence(self) -> str:
        """Return where it is, for a producer."""
        return (
            f"L'enregistrement de la ligne {self.line} est démesuré. Un guillemet n'est sans doute pas refermé, ou le "
            "séparateur n'est pas le bon. Corrigez la ligne, puis exportez de nouveau."
        )


class Oracle:
    """Reads cells of one field, remembering the texts already seen."""

    def __init__(self, field: Field) -> None:
        self.field = field
        with judged_in_linear_time():
            self._reader = field.create_cell_reader()
        self._known: dict[str | None, Reading] = {}
        self.asked = 0

    def read(self, text: str | None) -> Reading:
        """Return the reading of one cell."""
        known = self._known.get(text)
        return self._ask(text) if known is None else known

    def read_all(self, texts: Iterable[str | None]) -> list[Reading]:
        """Return the readings of several cells."""
        known = self._known
        return [known[text] if text in known else self._ask(text) for text in texts]

    def _ask(self, text: str | None) -> Reading:
        self.asked += 1
        try:
            value, notes = self._reader(text)
        except MACHINE_ERRORS:
            raise
        except Exception as error:
            raise UnjudgeableCellError(repr(error), field=self.field.name, cell=text) from error
        if len(self._known) >= _REMEMBERED:
            self._known = {}
        reading = self._known[text] = Reading(value, not notes)
        return reading
