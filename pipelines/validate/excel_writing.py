"""A file written otherwise than declared, where that leaves no doubt: it is read so, and told.

A CSV as a French spreadsheet writes the cells of a template: « ; » between them, 01/03/2024, 1,25 and VRAI. A column is
taken for such when a cell of it admits no other reading, and none contradicts that; else its cells are judged as they
are declared. A header two of whose names stand in one cell, where rows have a cell for each.
"""

from __future__ import annotations

import csv
import io
import re
from calendar import monthrange
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.compile.exports import field_descriptor, label_of
from pipelines.declarations.network import FieldOverride
from pipelines.mechanics.limits import LONGEST_CELL
from pipelines.mechanics.opened_files import Cells, DelimitedText, Note
from pipelines.mechanics.plain_text import one_line
from pipelines.mechanics.spelling import one_writing
from pipelines.tabular.record_pieces import open_bytes
from pipelines.validate.header import fields_by_label, first_records, match_header
from pipelines.validate.messages import title

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pipelines.declarations import Export, ExportField, Layout
    from pipelines.validate.findings import FileContext

UNDERSTOOD, GLUED = "ecriture-comprise", "en-tetes-colles"
_SEPARATOR = ";"
_LEAST_LABELS = 2


def as_separated(text: DelimitedText, export: Export, layout: Layout) -> DelimitedText:
    """Return a text cut at « ; » where its header is then the declared one, which it isn't as declared."""
    if text.delimiter == _SEPARATOR or layout.header_rows > 1 or match_header(text.header, export, layout).usable:
        return text
    records = first_records(text, _SEPARATOR)
    header = records[text.first_row - 2][1] if len(records) >= text.first_row - 1 else []
    if len(header) < _LEAST_LABELS or not match_header(header, export, layout).usable:
        return text
    note = Note(
        UNDERSTOOD, "Les cellules sont séparées par « ; », comme l'écrit Excel en français : elles sont lues ainsi."
    )
    return replace(text, header=header, delimiter=_SEPARATOR, notes=(*text.notes, note))


def unglued(opened: Cells | DelimitedText, export: Export, layout: Layout) -> Cells | DelimitedText:
    """Return the file with the names of a cell of its header apart, and a note; as it is when there are none.

    Each part must be a declared label, and the first row as wide as the header would then be.
    """
    labels = fields_by_label(export, layout)
    parts = [_parts(label, labels) for label in opened.header]
    header = [name for names in parts for name in names]
    if len(header) == len(opened.header) or _width(opened) != len(header):
        return opened
    note = Note(GLUED, title(GLUED), row=opened.first_row - 1)
    return replace(opened, header=header, notes=(*opened.notes, note))


def _parts(label: str, labels: Collection[str]) -> list[str]:
    """Return the two declared names that a label is made of, or the label."""
    words = one_writing(label).split(" ")
    pairs = ([" ".join(words[:cut]), " ".join(words[cut:])] for cut in range(1, len(words)))
    return next((pair for pair in pairs if pair[0] in labels and pair[1] in labels), [label])


def _width(opened: Cells | DelimitedText) -> int:
    """Count the cells of the first row after the header."""
    if isinstance(opened, Cells):
        return len(opened.rows[0]) if opened.rows else 0
    records = first_records(opened, opened.delimiter)
    return len(records[opened.first_row - 1][1]) if len(records) >= opened.first_row else 0


def as_written(opened: Cells | DelimitedText, context: FileContext) -> tuple[Cells | DelimitedText, FileContext]:
    """Return a CSV with what was understood of it told, and the context that says how its cells are written."""
    if context.layout.format != "csv":
        return opened, context
    if isinstance(opened, DelimitedText):
        opened = as_separated(opened, context.export, context.layout)
    places = match_header(opened.header, context.export, context.layout).places
    columns = [
        _Column(field, places[field.name], _WRITINGS[field.type])
        for field in context.export.fields
        if field.name in places and _is_otherwise(field, context.layout)
    ]
    if isinstance(opened, DelimitedText):
        content = open_bytes(opened.source)
        columns = columns if any(column.writing.trace.search(content) for column in columns) else []
    for row in _rows(opened) if columns else ():
        for column in columns:
            column.take(row)
    sure = [column for column in columns if column.proved and not column.refuted]
    notes = tuple(column.note(context.layout) for column in sure)
    return replace(opened, notes=(*opened.notes, *notes)), _read_so(context, [column.field for column in sure])


def _rows(opened: Cells | DelimitedText) -> Iterator[Sequence[str]]:
    if isinstance(opened, Cells):
        yield from opened.rows
        return
    binary = io.BytesIO(opened.source) if isinstance(opened.source, bytes) else opened.source.open("rb")
    with io.TextIOWrapper(binary, opened.encoding, errors="replace", newline="") as stream:
        before = csv.field_size_limit(LONGEST_CELL)
        try:
            yield from (
                row
                for rank, row in enumerate(csv.reader(stream, delimiter=opened.delimiter), start=1)
                if rank >= opened.first_row
            )
        except csv.Error:
            return  # whoever judges the rows says where
        finally:
            csv.field_size_limit(before)


def _is_otherwise(field: ExportField, layout: Layout) -> bool:
    """Tell whether a French spreadsheet writes a field otherwise than it is declared."""
    described = field_descriptor(field, layout)
    if field.type == "date":
        return described.get("format", "default") in ("default", "%Y-%m-%d")
    if field.type == "number":
        return described.get("decimalChar") == "." and described.get("groupChar") != ","
    return field.type == "boolean" and "trueValues" not in described and "falseValues" not in described


@dataclass(frozen=True)
class _Writing:
    """How a French spreadsheet writes a type: in French; what no file without it holds (most are not read for nothing).

    ``judge`` tells of a cell whether it proves that the column is written so, and whether it contradicts that;
    ``changes`` are those of the declared field.
    """

    told: str
    trace: re.Pattern[bytes]
    judge: Callable[[str], tuple[bool, bool]]
    changes: Mapping[str, object]


_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_YEAR_FIRST = re.compile(r"\d{4}-\d{1,2}-\d{1,2}.*", re.DOTALL)
_COMMA = re.compile(r"-?(\d+),(\d+)")
_POINT = re.compile(r"-?\d*\.\d+")


def _as_date(text: str) -> tuple[bool, bool]:
    """Only a number above 12 tells the day from the month."""
    day = _DAY.fullmatch(text)
    if day is None:
        return False, _YEAR_FIRST.fullmatch(text) is not None
    first, second, year = map(int, day.groups())
    return 12 < first <= monthrange(max(year, 1), min(max(second, 1), 12))[1], second > 12


def _as_number(text: str) -> tuple[bool, bool]:
    """1,250 may be one thousand two hundred and fifty; 0,250 and 1,25 may not."""
    figures = _COMMA.fullmatch(text)
    if figures is None:
        return False, _POINT.fullmatch(text) is not None or text.count(",") > 1
    return len(figures[2]) != 3 or len(figures[1]) > 3 or figures[1].startswith("0"), False


def _as_boolean(text: str) -> tuple[bool, bool]:
    return text.upper() in ("VRAI", "FAUX"), text.lower() in ("true", "false")


_WRITINGS = {
    "date": _Writing("Les dates sont écrites JJ/MM/AAAA", re.compile(rb"\d/\d\d?/\d{4}"), _as_date, {}),
    "number": _Writing(
        "Les décimales sont après une virgule", re.compile(rb"\d,\d"), _as_number, {"decimal_char": ","}
    ),
    "boolean": _Writing(
        "Les réponses sont écrites VRAI et FAUX", re.compile(rb"VRAI|FAUX", re.IGNORECASE), _as_boolean,
        {"true_values": ("VRAI", "Vrai", "vrai"), "false_values": ("FAUX", "Faux", "faux")},
    ),
}  # fmt: skip


@dataclass
class _Column:
    """A column that may be written so: whether a cell proves it, and whether one contradicts it."""

    field: ExportField
    place: int
    writing: _Writing
    proved: bool = False
    refuted: bool = False

    def take(self, row: Sequence[str]) -> None:
        """Look at the column's cell of a row."""
        text = row[self.place].strip() if self.place < len(row) else ""
        if text and not self.refuted:
            proves, self.refuted = self.writing.judge(text)
            self.proved |= proves

    def note(self, layout: Layout) -> Note:
        """Say how the column was read."""
        message = f"{self.writing.told}, comme l'écrit Excel en français : elles sont lues ainsi."
        return Note(UNDERSTOOD, message, column=one_line(label_of(self.field, layout)))


def _read_so(context: FileContext, fields: Sequence[ExportField]) -> FileContext:
    """Return the context whose export and layout say that those fields are written so."""
    if not fields:
        return context
    overrides = dict(context.layout.fields)
    for field in fields:
        if field.type == "date":
            override = overrides.get(field.name, FieldOverride())
            overrides[field.name] = override.model_copy(update={"format": "%d/%m/%Y"})
    declared = tuple(
        field.model_copy(update=dict(_WRITINGS[field.type].changes)) if field in fields else field
        for field in context.export.fields
    )
    return replace(
        context,
        export=context.export.model_copy(update={"fields": declared}),
        layout=context.layout.model_copy(update={"fields": overrides}),
    )
