"""frictionless's verdict on the cells of a field, asked once per distinct text.

What is surely valid never comes here: the screens see to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frictionless import Field

_REMEMBERED = 200_000


class Reading(NamedTuple):
    """The value that frictionless reads in a cell (None: missing, or not of the type), and whether it has no error."""

    value: Any
    valid: bool


class UnjudgeableCellError(Exception):
    """frictionless itself fails on a cell, e.g. a datetime with an offset against a bound without one."""


class AbsurdRecordError(UnjudgeableCellError):
    """A record so long, or of so many cells, that judging it would take all the memory: a quote never closed."""

    def __init__(self, line: int, reason: str) -> None:
        self.line, self.reason = line, reason
        super().__init__(f"record {line}: {reason}")


class Oracle:
    """Reads cells of one field, remembering the texts already seen."""

    def __init__(self, field: Field) -> None:
        self.field = field
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
        except Exception as error:
            message = f'frictionless can\'t judge "{text}" in "{self.field.name}": {error!r}'
            raise UnjudgeableCellError(message) from error
        if len(self._known) >= _REMEMBERED:
            self._known = {}
        reading = self._known[text] = Reading(value, not notes)
        return reading
