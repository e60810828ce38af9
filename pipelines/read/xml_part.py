"""One XML part of a workbook under a streaming parser that refuses bombs, and what is found of its sheets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from pipelines.mechanics import limits
from pipelines.read.cells import UnusableFileError


@dataclass
class Sheet:
    """What is written in a sheet, and how it is shown.

    Its farthest row and column are counted from 1; places in ``errors``, ``looks`` and ``merged`` from 0.
    """

    rows: int = 0
    columns: int = 0
    visible: bool = True
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    looks: dict[int, bytearray] = field(default_factory=dict)  # by column, a Look per row, as far as there are some
    computed: bool = False  # whether a formula has a saved result that is not 0
    hidden_rows: list[list[int]] = field(default_factory=list)  # first and last of each run, from 0
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)  # first row and column, last row and column

    def hold(self, row: int, column: int, error: str | None = None) -> None:
        """Note a cell that holds something, by its row and column from 1."""
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)
        if error and len(self.errors) < limits.MOST_ERRORS:
            self.errors[row - 1, column - 1] = error

    def look(self, row: int, column: int, look: int) -> None:
        """Note how a cell is shown, by its row and column from 1; nothing in a sheet so wide that it is refused."""
        self.hold(row, column)
        if self.absurd or row < 1 or column < 1:
            return
        looks = self.looks.setdefault(column - 1, bytearray())
        if len(looks) < row:
            looks.extend(bytes(row - len(looks)))
        looks[row - 1] = look

    def hide(self, row: int, times: int = 1) -> None:
        """Note hidden rows, the first one by its number from 1."""
        if self.hidden_rows and self.hidden_rows[-1][1] == row - 2:
            self.hidden_rows[-1][1] += times
        elif len(self.hidden_rows) < limits.MOST_ERRORS:
            self.hidden_rows.append([row - 1, row + times - 2])

    def merge(self, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Note merged cells, by the rows and columns of their corners, from 1."""
        if len(self.merged) < limits.MOST_ERRORS and first != last:
            self.merged.append((first[0] - 1, first[1] - 1, last[0] - 1, last[1] - 1))

    @property
    def absurd(self) -> bool:
        """Whether its cells go farther than those of any table."""
        return self.rows * self.columns > limits.MOST_SHEET_CELLS


class XmlPart:
    """A parser of one XML part that refuses document types, entities and endless tags."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.sheets: dict[str, Sheet] = {}
        self._fed = 0
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._refuse_entities
        self._parser.EntityDeclHandler = self._refuse_entities
        self._parser.buffer_text = True
        self.listen(self._parser)

    def listen(self, parser: Any) -> None:
        """Ask the parser for what the part needs."""

    def feed(self, chunk: bytes) -> None:
        """Parse one more piece."""
        self._fed += len(chunk)
        try:
            self._parser.Parse(chunk, False)
        except expat.ExpatError as error:
            raise UnusableFileError(
                "fichier-illisible",
                f"Classeur abîmé : la partie « {self.part} » n'est pas du XML correct (ligne {error.lineno}). Ouvrez "
                "le classeur puis enregistrez-le de nouveau.",
            ) from error
        if self._fed - max(self._parser.CurrentByteIndex, 0) > limits.LARGEST_TAG + len(chunk):
            raise self._refused("contient une balise démesurée")

    def _refuse_entities(self, *_: object) -> None:
        raise self._refused("contient une déclaration DOCTYPE ou des entités XML, qu'aucun tableur n'écrit")

    def _refused(self, reason: str) -> UnusableFileError:
        return UnusableFileError(
            "fichier-illisible",
            f"Classeur refusé : la partie « {self.part} » {reason}. Ouvrez le classeur puis enregistrez-le de nouveau.",
        )
