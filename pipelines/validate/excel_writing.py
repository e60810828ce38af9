"""A CSV as a French spreadsheet writes the cells of a template: what of it leaves no doubt is read so, and told.

« ; » between the cells, 01/03/2024, 1,25 and VRAI, where the declaration says otherwise. A column is taken for such
when a cell of it admits no other reading, and none contradicts that; else its cells are judged as they are declared.
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
from pipelines.tabular.record_pieces import open_bytes
from pipelines.validate.header import match_header
from pipelines.validate.unrecognised import first_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from mmap import mmap

    from pipelines.declarations import Export, ExportField, Layout
    from pipelines.validate.file_context import FileContext

UNDERSTOOD = "ecriture-comprise"
_SEPARATOR, _DATE = ";", "%d/%m/%Y"
_ISO = ("default", "%Y-%m-%d")
_LEAST_LABELS = 2
# What no file without such cells holds: most files are not read for nothing.
_TRACES = {
    "date": re.compile(rb"\d/\d\d?/\d{4}"),
    "number": re.compile(rb"\d,\d"),
    "boolean": re.compile(rb"VRAI|FAUX", re.IGNORECASE),
}


def as_separated(text: DelimitedText, export: Export, layout: Layout) -> DelimitedText:
    """Return a text cut at « ; » where its header is then the declared one, which it isn't as declared."""
    if text.delimiter == _SEPARATOR or layout.header_rows > 1 or match_header(text.header, export, layout).usable:
        return text
    records = csv.reader(first_lines(open_bytes(text.source), text.encoding), delimiter=_SEPARATOR)
    try:
        header = next(record for rank, record in enumerate(records, start=2) if rank == text.first_row)
    except (csv.Error, StopIteration):
        return text
    if len(header) < _LEAST_LABELS or not match_header(header, export, layout).usable:
        return text
    note = Note(
        UNDERSTOOD, "Les cellules sont séparées par « ; », comme l'écrit Excel en français : elles sont lues ainsi."
    )
    return replace(text, header=header, delimiter=_SEPARATOR, notes=(*text.notes, note))


def as_written(opened: Cells | DelimitedText, context: FileContext) -> tuple[Cells | DelimitedText, FileContext]:
    """Return a CSV with what was understood of it told, and the context that says how its cells are written."""
    if context.layout.format != "csv":
        return opened, context
    if isinstance(opened, DelimitedText):
        opened = as_separated(opened, context.export, context.layout)
    places = match_header(opened.header, context.export, context.layout).places
    columns = [
        _Column(field, places[field.name], kind)
        for field in context.export.fields
        if field.name in places and (kind := _kind(field, context.layout))
    ]
    wanted = {column.kind for column in columns}
    if not wanted or (isinstance(opened, DelimitedText) and not _traces(opened, wanted)):
        return opened, context
    for row in _rows(opened):
        for column in columns:
            column.take(row)
    found = [column for column in columns if column.is_sure]
    notes = tuple(column.note(context.layout) for column in found)
    return replace(opened, notes=(*opened.notes, *notes)), _context(context, found)


def _kind(field: ExportField, layout: Layout) -> str:
    """Return what kind of cells a French spreadsheet writes otherwise than they are declared; nothing if it doesn't."""
    described = field_descriptor(field, layout)
    declared_otherwise = {
        "date": described.get("format", "default") in _ISO,
        "number": described.get("decimalChar") == "." and described.get("groupChar") != ",",
        "boolean": "trueValues" not in described and "falseValues" not in described,
    }
    return field.type if declared_otherwise.get(field.type) else ""


def _traces(text: DelimitedText, wanted: Iterable[str]) -> bool:
    content: bytes | mmap = open_bytes(text.source)
    return any(_TRACES[kind].search(content) for kind in wanted)


def _rows(opened: Cells | DelimitedText) -> Iterator[Sequence[str]]:
    if isinstance(opened, Cells):
        yield from opened.rows
        return
    binary = io.BytesIO(opened.source) if isinstance(opened.source, bytes) else opened.source.open("rb")
    with io.TextIOWrapper(binary, opened.encoding, errors="replace", newline="") as stream:
        before = csv.field_size_limit(LONGEST_CELL)
        try:
            yield from (row for rank, row in enumerate(csv.reader(stream, delimiter=opened.delimiter), start=1)
                        if rank >= opened.first_row)  # fmt: skip
        except csv.Error:
            return  # whoever judges the rows says where
        finally:
            csv.field_size_limit(before)


_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_COMMA = re.compile(r"-?(\d+),(\d+)")
_POINT = re.compile(r"-?\d*\.\d+")
_WORDS = ("VRAI", "FAUX")
_YEAR_FIRST = re.compile(r"\d{4}-\d{1,2}-\d{1,2}.*", re.DOTALL)


@dataclass
class _Column:
    """A column that may be written so: what proves it, and what contradicts it."""

    field: ExportField
    place: int
    kind: str
    proved: bool = False
    refuted: bool = False

    @property
    def is_sure(self) -> bool:
        return self.proved and not self.refuted

    def take(self, row: Sequence[str]) -> None:
        """Look at the column's cell of a row."""
        text = row[self.place].strip() if self.place < len(row) else ""
        if text and not self.refuted:
            {"date": self._date, "number": self._number, "boolean": self._truth}[self.kind](text)

    def _date(self, text: str) -> None:
        """Only a number above 12 tells the day from the month."""
        if day := _DAY.fullmatch(text):
            first, second, year = map(int, day.groups())
            self.proved |= 12 < first <= monthrange(max(year, 1), min(max(second, 1), 12))[1]
            self.refuted |= second > 12
        else:
            self.refuted |= _YEAR_FIRST.fullmatch(text) is not None

    def _number(self, text: str) -> None:
        """1,250 may be one thousand two hundred and fifty; 0,250 and 1,25 may not."""
        if found := _COMMA.fullmatch(text):
            self.proved |= len(found[2]) != 3 or len(found[1]) > 3 or found[1].startswith("0")
        else:
            self.refuted |= _POINT.fullmatch(text) is not None or text.count(",") > 1

    def _truth(self, text: str) -> None:
        self.proved |= text.upper() in _WORDS
        self.refuted |= text.lower() in ("true", "false")

    def note(self, layout: Layout) -> Note:
        """Say how the column was read."""
        label = one_line(label_of(self.field, layout))
        told = {
            "date": "les dates sont écrites JJ/MM/AAAA",
            "number": "les décimales sont après une virgule",
            "boolean": "les réponses sont écrites VRAI et FAUX",
        }[self.kind]
        message = f"{told[0].upper()}{told[1:]}, comme l'écrit Excel en français : elles sont lues ainsi."
        return Note(UNDERSTOOD, message, column=label)


def _context(context: FileContext, columns: Sequence[_Column]) -> FileContext:
    """Return the context whose export and layout say how those columns are written."""
    if not columns:
        return context
    kinds = {column.field.name: column.kind for column in columns}
    overrides = dict(context.layout.fields)
    for name in (name for name, kind in kinds.items() if kind == "date"):
        overrides[name] = overrides.get(name, FieldOverride()).model_copy(update={"format": _DATE})
    changes: dict[str, dict[str, object]] = {
        "number": {"decimal_char": ","},
        "boolean": {"true_values": ("VRAI", "Vrai", "vrai"), "false_values": ("FAUX", "Faux", "faux")},
    }
    fields = tuple(
        field.model_copy(update=changes.get(kinds.get(field.name, ""), {})) for field in context.export.fields
    )
    return replace(
        context,
        export=context.export.model_copy(update={"fields": fields}),
        layout=context.layout.model_copy(update={"fields": overrides}),
    )
