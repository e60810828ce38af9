"""XLSX and ODS to cells, through calamine: one sheet, one or several header rows.

The sheet read is the declared one, else the visible one whose header has the most expected columns, the first at
equality: what must be told of that choice is here too. What native cells become is decided in ``native_cells``; the
file is opened once its parts have been judged.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from pipelines.mechanics import limits
from pipelines.mechanics.french import first_few
from pipelines.mechanics.opened_files import Cells, Mark, Note
from pipelines.read.cells import UnusableFileError, check_row, compose_header, cut_blank_edges, native_text
from pipelines.read.native_cells import Look, NativeColumn
from pipelines.read.native_rows import NativeWorkbook, UnreadableBytesError
from pipelines.read.workbook_parts import check_workbook
from pipelines.read.xml_part import Sheet

if TYPE_CHECKING:
    from pipelines.declarations import Layout
    from pipelines.read.cells import Recognise

# How an ODS writes a duration of a day or more, that calamine leaves as it is (XML Schema part 2, duration).
_DURATION = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]0*)?S")
_SHOWN_ROWS = 3


def read_spreadsheet(content: bytes, layout: Layout, recognise: Recognise | None = None) -> Cells:
    """Read the declared sheet, else the first visible one, or the visible one that has the expected columns.

    ``recognise`` gives the field of each column by its label. Numbers have the fifteen digits that spreadsheets show
    (``0.1+0.2`` is ``0.3``); errors are their text (``#N/A``), which validation refuses or knows.
    """
    try:
        return _read(content, layout, recognise)
    except UnreadableBytesError as error:
        raise UnusableFileError(
            "fichier-illisible",
            f"Le fichier n'est pas un {layout.format} lisible (tronqué, protégé par mot de passe, démesuré, ou d'un "
            "autre format). Ouvrez-le puis enregistrez-le de nouveau.",
        ) from error


def _read(content: bytes, layout: Layout, recognise: Recognise | None) -> Cells:
    """Read the declared sheet or the chosen one; the first one where the reader of workbooks doesn't know that."""
    sheets = check_workbook(content, layout.format)
    workbook = NativeWorkbook(content)
    name, notes = _choose_sheet(workbook, layout, sheets, recognise)
    if name not in workbook.names and not layout.sheet:
        name, notes = workbook.names[0], []
    text = _SheetText(layout, sheets.get(name) or Sheet(), recognise)
    characters = 0
    for values in workbook.rows(name):
        row = text.add(values)
        try:
            characters += check_row(row, len(text.rows))
        except UnusableFileError as error:
            raise UnusableFileError(error.rule, f"Feuille « {name} », {error}") from error
        if characters > limits.MOST_CHARACTERS:
            raise UnusableFileError("fichier-illisible", f"Feuille « {name} » : texte démesuré. Découpez-la.")
    return text.cells(name, notes)


class _SheetText:
    """The rows of a sheet as text, from its first one; the header says what each column is for."""

    def __init__(self, layout: Layout, sheet: Sheet, recognise: Recognise | None) -> None:
        self.rows: list[list[str]] = []
        self._layout, self._sheet, self._recognise = layout, sheet, recognise
        self._start = layout.skip_rows + layout.header_rows
        self._columns: list[NativeColumn] = []
        self._beyond = NativeColumn(None, layout.decimal_char)

    def add(self, values: list[Any]) -> list[str]:
        """Take the next row, and return its text."""
        stored = [_stored(value) for value in values]
        number = len(self.rows)
        if number == self._start:
            self._open()
        if number < self._start:
            row = [native_text(value, self._layout.decimal_char) for value in stored]
        else:
            row = self._written(stored, number)
        self.rows.append(row)
        return row

    def cells(self, name: str, notes: list[Note]) -> Cells:
        """Return what was read; raises UnusableFileError on a sheet without header."""
        self._restore()
        if len(self.rows) < self._start:
            raise UnusableFileError(
                "fichier-vide", f"La feuille « {name} » est vide : elle n'a même pas de ligne d'en-tête."
            )
        labels, rows = compose_header(self.rows[self._layout.skip_rows : self._start]), self.rows[self._start :]
        marks = {place: column.close() for place, column in enumerate(self._columns)}
        self._mark_merged(marks)
        header, body = cut_blank_edges(labels, rows)
        if not any(header):
            raise UnusableFileError("fichier-vide", f"La ligne d'en-tête de la feuille « {name} » est vide.")
        marks = {place: marked for place, marked in marks.items() if any(marked)}
        above = tuple(map(tuple, self.rows[: self._start]))
        return Cells(header, body, self._start + 1, marks, (*notes, *self._hidden(header, body)), name, above)

    def _open(self) -> None:
        labels = compose_header(self.rows[self._layout.skip_rows :])
        fields = self._recognise(labels) if self._recognise else []
        self._columns = [NativeColumn(field, self._layout.decimal_char) for field in fields]

    def _written(self, values: list[Any], number: int) -> list[str]:
        self._columns += [self._beyond] * (len(values) - len(self._columns))
        row, columns = number - self._start, zip(self._columns, values, strict=False)
        if not self._sheet.looks:
            return [column.write(value, row) for column, value in columns]
        looks = (self._look(number, place) for place in range(len(values)))
        return [column.write(value, row, look) for (column, value), look in zip(columns, looks, strict=True)]

    def _look(self, row: int, place: int) -> int:
        looks = self._sheet.looks.get(place, b"")
        return looks[row] if row < len(looks) else Look.PLAIN

    def _restore(self) -> None:
        """Write back what calamine leaves out: an error is no absence, nor is a formula whose result wasn't saved."""
        for (row, place), error in self._sheet.errors.items():
            cells = self._reach(row, place)
            cells[place] = cells[place] or error
        for place, looks in self._sheet.looks.items():
            row = looks.find(Look.NO_VALUE, self._start)
            while row >= 0 and place < len(self._columns):
                cells = self._reach(row, place)
                cells[place] = cells[place] or self._columns[place].write("", row - self._start, Look.NO_VALUE)
                row = looks.find(Look.NO_VALUE, row + 1)

    def _reach(self, row: int, place: int) -> list[str]:
        if row >= len(self.rows):
            self.rows += [[] for _ in range(row + 1 - len(self.rows))]
        cells = self.rows[row]
        cells += [""] * (place + 1 - len(cells))
        return cells

    def _mark_merged(self, marks: dict[int, bytearray]) -> None:
        """Mark what merged cells cover, where they show something: it is no absence."""
        covered = 0
        for top, left, bottom, right in self._sheet.merged:
            shown = self.rows[top][left] if top < len(self.rows) and left < len(self.rows[top]) else ""
            covered += (bottom - top + 1) * (right - left + 1)
            if not shown.strip() or bottom < self._start or covered > limits.MOST_ERRORS:
                continue
            last = min(bottom, len(self.rows) - 1) - self._start
            for place in range(left, min(right + 1, len(self._columns))):
                first = max(top + (place == left), self._start) - self._start
                marked = marks.setdefault(place, bytearray())
                marked.extend(bytes(max(0, last + 1 - len(marked))))
                marked[first : last + 1] = bytes([Mark.MERGED]) * max(0, last + 1 - first)

    def _hidden(self, header: list[str], body: list[list[str]]) -> list[Note]:
        """Tell the rows and columns that are read although nobody sees them."""
        rows = [
            row + 1
            for first, last in self._sheet.hidden_rows
            for row in range(max(first, self._start), min(last + 1, self._start + len(body)))
            if any(cell.strip() for cell in body[row - self._start])
        ]
        notes = []
        if rows:
            some = ", ".join(map(str, rows[:_SHOWN_ROWS])) + (", …" if len(rows) > _SHOWN_ROWS else "")
            message = f"{len(rows)} lignes masquées ou filtrées sont lues comme les autres (lignes {some})."
            if len(rows) == 1:
                message = f"Une ligne masquée ou filtrée est lue comme les autres (ligne {some})."
            notes.append(Note("lignes-masquees", message, row=rows[0]))
        for first, last in self._sheet.hidden_columns:
            for label in header[first : last + 1]:
                if label:
                    message = f"La colonne « {label} », masquée dans la feuille, est lue comme les autres."
                    notes.append(Note("colonnes-masquees", message, column=label))
        return notes


def _stored(value: Any) -> Any:
    """Return a cell as spreadsheets keep it: fifteen digits; a length of time where an ODS writes one."""
    if isinstance(value, float):
        return float(f"{value:.15g}")
    if isinstance(value, str) and value.startswith("PT") and (length := _DURATION.fullmatch(value)):
        return datetime.timedelta(hours=int(length[1]), minutes=int(length[2]), seconds=int(length[3]))
    return value


_PARTS = "xl/"  # a sheet that the workbook gives no name is known by its part
_EXAMPLES = "exemple"  # templates show right rows in such a sheet


def _choose_sheet(
    workbook: NativeWorkbook, layout: Layout, sheets: dict[str, Sheet], recognise: Recognise | None
) -> tuple[str, list[Note]]:
    """Return the name of the sheet to read (empty: the first one), and what must be told of that choice."""
    names = [name for name in sheets if not name.startswith(_PARTS) and len(name) <= limits.LONGEST_SHEET_NAME]
    if layout.sheet:
        if layout.sheet not in sheets or sheets[layout.sheet].visible:
            return layout.sheet, []
        return layout.sheet, [Note("feuille-lue", f"La feuille « {layout.sheet} » est lue alors qu'elle est masquée.")]
    seen = [name for name in names if sheets[name].visible] or names
    visible = [name for name in seen if not name.lower().startswith(_EXAMPLES)] or seen  # its rows are invented
    if not visible:
        return "", []
    columns = {visible[0]: 0}
    if len(visible) > 1 and recognise is not None:
        columns = _known_columns(workbook, layout, visible[: limits.MOST_SHEETS], recognise) or columns
    chosen = max(columns, key=lambda name: columns[name])
    notes = []
    if chosen == visible[0] != names[0]:
        message = f"La feuille « {names[0]} » est masquée : la feuille lue est « {chosen} », la première visible."
        notes.append(Note("feuille-lue", message))
    elif chosen != names[0]:
        notes.append(Note("feuille-lue", f"La feuille lue est « {chosen} », celle qui a les colonnes attendues."))
    alike = [name for name, count in columns.items() if name != chosen and count == columns[chosen] > 1]
    if alike:
        have = f"{first_few([f'« {name} »' for name in alike], 5)} {'ont' if len(alike) > 1 else 'a'}"
        message = f"Seule la feuille « {chosen} » est lue ; {have} les mêmes colonnes."
        notes.append(Note("feuilles-non-lues", message))
    return chosen, notes


def _known_columns(workbook: NativeWorkbook, layout: Layout, names: list[str], recognise: Recognise) -> dict[str, int]:
    """Count the expected columns of each sheet; none of one without any row, nor of lists beside the sheet to fill."""
    start = layout.skip_rows + layout.header_rows
    headed: dict[str, int] = {}
    with_rows: dict[str, int] = {}
    for name in names:
        if name not in workbook.names:
            continue
        rows = workbook.first_rows(name)
        texts = [[native_text(value, layout.decimal_char) for value in row] for row in rows[:start]]
        fields = recognise(compose_header(texts[layout.skip_rows :]))
        headed[name] = sum(field is not None for field in fields)
        with_rows[name] = headed[name] if len(rows) > start else 0
    most = max(headed.values(), default=0)
    filled = {name: count if 2 * count >= most else 0 for name, count in with_rows.items()}
    return filled if any(filled.values()) else headed
