"""Files as readers open them → validated: delimited text as a stream, the rest by its cells.

Opening files is the readers' affair: what they give is only described here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pipelines.mechanics.plain_text import one_line
from pipelines.tabular.encoding import can_decode
from pipelines.tabular.text import open_bytes
from pipelines.validate.engine import validate_cells, validate_text
from pipelines.validate.findings import Finding
from pipelines.validate.header import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pipelines.declarations import Correction, Export, Layout, Territories
    from pipelines.declarations.roles import RowRule
    from pipelines.validate.gathering import Validated


class HasNote(Protocol):
    """What a reader tells of the way it read a workbook."""

    @property
    def rule(self) -> str:
        """Name of the rule."""

    @property
    def message(self) -> str:
        """French sentence."""

    @property
    def column(self) -> str:
        """Label of the column, if it is about one."""

    @property
    def row(self) -> int | None:
        """Number of the first row it is about, if it is about some."""


class HasCells(Protocol):
    """What a reader gives: all the cells of a file."""

    @property
    def header(self) -> list[str]:
        """Labels of the columns."""

    @property
    def rows(self) -> list[list[str]]:
        """Rows of cells after the header."""

    @property
    def first_row(self) -> int:
        """Number of the first row after the header."""

    @property
    def marks(self) -> Mapping[int, bytearray]:
        """How cells were seen (``compile.seen.Mark``), for the columns that need it."""

    @property
    def notes(self) -> Sequence[HasNote]:
        """What must be told of the way it was read."""

    @property
    def sheet(self) -> str:
        """Name of the sheet that was read, if the file has sheets."""

    @property
    def above(self) -> Sequence[Sequence[str]]:
        """Rows up to the header's last, as they were written, if the header is a row."""


@runtime_checkable
class HasText(Protocol):
    """What a reader gives of delimited text: where it is, and how it is written; its cells if they are needed."""

    @property
    def header(self) -> list[str]:
        """Labels of the columns."""

    @property
    def source(self) -> bytes | Path:
        """The text, in memory or on disk."""

    @property
    def encoding(self) -> str:
        """The encoding of the text."""

    @property
    def delimiter(self) -> str:
        """The character between cells."""

    @property
    def first_row(self) -> int:
        """Number of the first row after the header."""

    @property
    def cut(self) -> str:
        """Why the last line may have been cut, in French, or nothing."""

    def cells(self) -> HasCells:
        """Return all the cells."""


def validate_opened(
    opened: HasCells | HasText,
    export: Export,
    layout: Layout,
    territories: Territories,
    *,
    file: str,
    file_year: int | None,
    corrections: Sequence[Correction] = (),
    rules: Sequence[RowRule] = (),
    spill: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Validated:
    """Judge a file that was opened: delimited text as a stream, unless it has corrections; else its cells.

    ``rules``: what the roles of the columns imply of the rows, as ``declarations.roles`` says.
    """
    if not isinstance(opened, HasText):
        cells = opened
    elif corrections and can_decode(open_bytes(opened.source), opened.encoding):  # else the places are told, as text
        cells = opened.cells()
    else:
        validated = validate_text(
            opened.header, opened.source, opened.encoding, opened.first_row, export, layout, territories,
            delimiter=opened.delimiter, file_year=file_year, rules=rules, spill=spill, progress=progress,
        )  # fmt: skip
        return replace(validated, findings=[*_maybe_cut(opened), *validated.findings])
    validated = validate_cells(
        cells.header, cells.rows, cells.first_row, export, layout, territories,
        file=file, file_year=file_year, corrections=corrections, rules=rules, spill=spill, marks=cells.marks,
        above=cells.above,
    )  # fmt: skip
    told = _maybe_cut(opened) if isinstance(opened, HasText) else []
    told += [
        Finding(note.rule, one_line(note.message), "avertissement", note.row, one_line(normalise(note.column)))
        for note in cells.notes
    ]
    return replace(validated, findings=[*told, *validated.findings], sheet=one_line(cells.sheet))


def _maybe_cut(text: HasText) -> list[Finding]:
    return [Finding("fichier-coupe", text.cut, "avertissement")] if text.cut else []
