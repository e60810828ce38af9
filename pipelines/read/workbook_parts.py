"""The parts of a workbook (XLSX, ODS), judged by a streaming parser before the workbook is opened.

Finds bombs, entities and far cells, and what the reader of workbooks doesn't tell: errors (#N/A…), formulas without
a saved result, number formats that change what is seen, hidden rows and columns, merged cells, hidden sheets.
"""

from __future__ import annotations

import re
import zipfile
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from pipelines.mechanics import limits
from pipelines.mechanics.files import chunks
from pipelines.read.cells import UnusableFileError
from pipelines.read.number_formats import Look, look_of, look_of_builtin
from pipelines.read.zip_directory import open_checked

_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_DAMAGED = (
    "Le classeur est abîmé ou tronqué. Ouvrez-le dans le tableur, enregistrez-le de nouveau, et vérifiez que l'envoi "
    "va au bout."
)
_VALUES = {"office:value-type", "calcext:value-type"}
_TRUE = ("1", "true")


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


def check_workbook(content: bytes, form: str) -> dict[str, Sheet]:
    """Return the sheets by name, in their order; raises UnusableFileError on a bomb or an absurd sheet."""
    with open_checked(content, _DAMAGED) as (archive, members):
        sheets = _read_ods(archive, members) if form == "ods" else _read_xlsx(archive, members)
    for name, sheet in sheets.items():
        if sheet.absurd:
            raise UnusableFileError(
                "fichier-illisible",
                f"Feuille « {name} » : ses cellules s'étendent jusqu'à la ligne {sheet.rows} et la colonne "
                f"{sheet.columns} (limite : {limits.MOST_SHEET_CELLS} cellules). Supprimez ce qui est écrit loin du "
                "tableau, puis enregistrez de nouveau.",
            )
    return sheets


def _read_ods(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> dict[str, Sheet]:
    sheets: dict[str, Sheet] = {}
    for item in members:
        scan = _OdsScan(item.filename) if item.filename == "content.xml" else _Scan(item.filename)
        _feed(archive, item, scan)
        sheets |= scan.sheets
    return sheets


def _read_xlsx(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> dict[str, Sheet]:
    styles = _StylesScan("xl/styles.xml")
    for item in members:
        if item.filename.lower() == styles.part:  # before the cells that use them
            _feed(archive, item, styles)
    found: dict[str, Sheet] = {}
    for item in members:
        is_sheet = item.filename.startswith("xl/worksheets/")
        scan = _XlsxScan(item.filename, styles.looks) if is_sheet else _Scan(item.filename)
        _feed(archive, item, scan)
        found |= scan.sheets
    return _named(archive, found)


def _named(archive: zipfile.ZipFile, sheets: dict[str, Sheet]) -> dict[str, Sheet]:
    """Return the sheets by name and in order (ECMA-376 part 1, 18.2.19), those without a name last.

    A workbook that asks to be computed when it is opened (18.2.2) was saved by a tool that computes nothing: where all
    its saved results are 0, none is a result.
    """
    named: dict[str, Sheet] = {}
    try:
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # no entity: just checked
        workbook = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    except (KeyError, ElementTree.ParseError):
        return sheets  # its reader will say so
    parts = {item.get("Id"): item.get("Target", "") for item in relations}
    to_compute = False
    for element in workbook.iter():
        if element.tag.endswith("}calcPr"):
            to_compute = element.get("fullCalcOnLoad") in _TRUE
        if element.tag.endswith("}sheet"):
            key = next((value for name, value in element.items() if name.endswith("}id")), None)
            target = parts.get(key) or ""
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if part in sheets:
                named[element.get("name", "")] = sheets[part]
                sheets[part].visible = element.get("state", "visible") == "visible"
    known = {id(sheet) for sheet in named.values()}
    named |= {part: sheet for part, sheet in sheets.items() if id(sheet) not in known}
    for sheet in named.values():
        results = Look.NO_VALUE if to_compute and not sheet.computed else Look.PLAIN
        for looks in sheet.looks.values():
            looks[:] = looks.replace(bytes([Look.ZERO_RESULT]), bytes([results]))
    return named


def _feed(archive: zipfile.ZipFile, item: zipfile.ZipInfo, scan: _Scan) -> None:
    """Read a member whole, by pieces, so that its size and checksum are true; parse it if it is XML."""
    is_xml = item.filename.lower().endswith((".xml", ".rels")) and not item.filename.startswith("META-INF/")
    with archive.open(item) as stream:
        fed = 0
        for chunk in chunks(stream):
            fed += len(chunk)
            if is_xml:
                scan.feed(chunk, fed)


class _Scan:
    """A parser of one XML part that refuses document types, entities and endless tags."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.sheets: dict[str, Sheet] = {}
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._refuse_entities
        self._parser.EntityDeclHandler = self._refuse_entities
        self._parser.buffer_text = True
        self.listen(self._parser)

    def listen(self, parser: Any) -> None:
        """Ask the parser for what the part needs."""

    def feed(self, chunk: bytes, fed: int) -> None:
        """Parse one more piece; ``fed`` counts the bytes with it."""
        try:
            self._parser.Parse(chunk, False)
        except expat.ExpatError as error:
            raise UnusableFileError(
                "fichier-illisible",
                f"Classeur abîmé : la partie « {self.part} » n'est pas du XML correct (ligne {error.lineno}). Ouvrez "
                "le classeur puis enregistrez-le de nouveau.",
            ) from error
        if fed - max(self._parser.CurrentByteIndex, 0) > limits.LARGEST_TAG + len(chunk):
            raise self._refused("contient une balise démesurée")

    def _refuse_entities(self, *_: object) -> None:
        raise self._refused("contient une déclaration DOCTYPE ou des entités XML, qu'aucun tableur n'écrit")

    def _refused(self, reason: str) -> UnusableFileError:
        return UnusableFileError(
            "fichier-illisible",
            f"Classeur refusé : la partie « {self.part} » {reason}. Ouvrez le classeur puis enregistrez-le de nouveau.",
        )


class _StylesScan(_Scan):
    """The styles of an XLSX (18.8): ``looks`` gives the look of each cell format that has one, by its index as text."""

    def listen(self, parser: Any) -> None:
        self.looks: dict[str, int] = {}
        self._codes: dict[str, int] = {}
        self._formats: int | None = None
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "numFmt" and len(self._codes) < limits.MOST_STYLES:
            self._codes.setdefault(attributes.get("numFmtId", ""), look_of(attributes.get("formatCode", "")))
        elif name == "cellXfs":
            self._formats = 0
        elif name == "xf" and self._formats is not None and self._formats < limits.MOST_STYLES:
            identifier = attributes.get("numFmtId", "0")
            known = look_of_builtin(int(identifier)) if identifier.isdecimal() else Look.PLAIN
            look = self._codes.get(identifier, known)
            if look:
                self.looks[str(self._formats)] = look
            self._formats += 1

    def _end(self, tag: str) -> None:
        if tag.rpartition(":")[2] == "cellXfs":
            self._formats = None


class _XlsxScan(_Scan):
    """One worksheet of an XLSX (ECMA-376 part 1, 18.3.1): its cells say where they are, or follow each other."""

    def __init__(self, part: str, looks: dict[str, int]) -> None:
        self._looks = looks
        super().__init__(part)

    def listen(self, parser: Any) -> None:
        self.sheet = self.sheets.setdefault(self.part, Sheet())
        self._row = self._column = self._look = 0
        self._kind = ""
        self._is_formula = False
        self._text: list[str] | None = None
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "c":
            found = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _column(found[1]) if found else self._column + 1
            self._row = int(found[2]) if found else self._row
            self._kind = attributes.get("t", "n")
            self._look = self._looks.get(attributes.get("s", ""), 0) if self._kind == "n" else 0
        elif name in ("v", "is"):
            self._start_value(name)
        elif name == "f":
            self._is_formula = True
            self.sheet.look(self._row, self._column, Look.NO_VALUE)  # until one is found
        elif name == "row":
            number = attributes.get("r", "")
            self._row, self._column = int(number) if number.isdecimal() else self._row + 1, 0
            if attributes.get("hidden") in _TRUE:
                self.sheet.hide(self._row)
        else:
            self._start_shape(name, attributes)

    def _start_value(self, name: str) -> None:
        if self._look and not self._is_formula:
            self.sheet.look(self._row, self._column, self._look)
        elif name == "is" and self._is_formula:
            self.sheet.look(self._row, self._column, Look.PLAIN)
        else:
            self.sheet.hold(self._row, self._column)
        self._text = [] if name == "v" and (self._is_formula or self._kind == "e") else None

    def _start_shape(self, name: str, attributes: dict[str, str]) -> None:
        if name == "col" and attributes.get("hidden") in _TRUE:
            first, last = attributes.get("min", ""), attributes.get("max", "")
            if first.isdecimal() and last.isdecimal() and len(self.sheet.hidden_columns) < limits.MOST_COLUMNS:
                self.sheet.hidden_columns.append((int(first) - 1, int(last) - 1))
        elif name == "mergeCell":
            corners = [_REFERENCE.fullmatch(corner) for corner in attributes.get("ref", "").split(":")]
            places = [(int(found[2]), _column(found[1])) for found in corners if found]
            if len(places) == 2:
                self.sheet.merge(places[0], places[1])

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        if self._text is not None and tag.endswith("v"):
            text = "".join(self._text)[: limits.LONGEST_CELL]
            if self._kind == "e":
                self.sheet.hold(self._row, self._column, text)
            if self._is_formula and (text.strip() or self._kind == "str"):
                self._note_result(text.strip())
            self._text = None
        elif self._is_formula and tag.endswith("c"):
            self._is_formula = False

    def _note_result(self, text: str) -> None:
        """Note that a formula has a saved result: the cell is shown as its format says."""
        is_zero = self._kind == "n" and text == "0"
        self.sheet.computed = self.sheet.computed or not is_zero
        self.sheet.look(self._row, self._column, Look.ZERO_RESULT if is_zero else self._look)


class _OdsScan(_Scan):
    """The content of an ODS (OpenDocument 1.3 part 3, 9.1): rows and cells follow each other, some repeated."""

    def listen(self, parser: Any) -> None:
        self._sheet = Sheet()
        self._row = self._column = self._rows = self._cells = self._look = 0
        self._is_error = self._holds = False
        self._text: list[str] = []
        self._styles = _OdsStyles()
        self._hidden_columns = 0
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table:table":
            self._sheet = self.sheets.setdefault(attributes.get("table:name", ""), Sheet())
            self._sheet.visible = self._styles.shows(attributes.get("table:style-name", ""))
            self._row = self._column = 0
            self._styles.lasts, self._styles.defaults = [], []
        elif tag == "table:table-column":
            self._start_column(attributes)
        elif tag == "table:table-row":
            self._rows, self._column = _times(attributes, "table:number-rows-repeated"), 0
            if attributes.get("table:visibility") in ("collapse", "filter"):
                self._sheet.hide(self._row + 1, self._rows)
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self._start_cell(attributes)
        elif tag == "text:p":
            self._holds = True
        else:
            self._styles.start(tag, attributes)

    def _start_column(self, attributes: dict[str, str]) -> None:
        times = _times(attributes, "table:number-columns-repeated")
        if attributes.get("table:visibility") == "collapse" and len(self._sheet.hidden_columns) < limits.MOST_COLUMNS:
            self._sheet.hidden_columns.append((self._column, self._column + times - 1))
        self._column += times
        self._styles.lasts.append(self._column)
        self._styles.defaults.append(attributes.get("table:default-cell-style-name", ""))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self._cells = _times(attributes, "table:number-columns-repeated")
        self._is_error = attributes.get("calcext:value-type") == "error"
        self._holds = not _VALUES.isdisjoint(attributes)
        self._text = []
        kind = attributes.get("office:value-type", "")
        self._look = 0
        if "table:formula" in attributes and not self._is_error and not _has_result(attributes):
            self._look, self._holds = Look.NO_VALUE, True
        elif kind == "percentage":
            self._look = Look.PERCENT
        elif kind in ("float", "time"):
            self._look = self._styles.look(attributes.get("table:style-name"), self._column)
        down, right = (
            _times(attributes, "table:number-rows-spanned"),
            _times(attributes, "table:number-columns-spanned"),
        )
        if down > 1 or right > 1:
            self._sheet.merge((self._row + 1, self._column + 1), (self._row + down, self._column + right))

    def _characters(self, text: str) -> None:
        if self._is_error:
            self._text.append(text)
        self._styles.characters(text)

    def _end(self, tag: str) -> None:
        if tag == "table:table-row":
            self._row += self._rows
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            if self._holds:
                self._sheet.hold(self._row + self._rows, self._column + self._cells)
                if self._is_error and self._rows * self._cells <= limits.MOST_ERRORS:
                    self._hold_errors("".join(self._text)[: limits.LONGEST_CELL])
                elif self._look and self._rows * self._cells <= limits.MOST_ERRORS:
                    for row, column in self._places():
                        self._sheet.look(row, column, self._look)
            self._column += self._cells
            self._is_error = self._holds = False
        else:
            self._styles.end(tag)

    def _hold_errors(self, error: str) -> None:
        for row, column in self._places():
            self._sheet.hold(row, column, error)

    def _places(self) -> Iterator[tuple[int, int]]:
        """Yield the places of a repeated cell, from 1."""
        for row in range(self._row + 1, self._row + self._rows + 1):
            for column in range(self._column + 1, self._column + self._cells + 1):
                yield row, column


class _OdsStyles:
    """The styles of an ODS that change what is seen (16.27, 19): of cells, by name, and of hidden tables."""

    def __init__(self) -> None:
        self.lasts: list[int] = []  # of each run of columns, the number of the last one, from 1
        self.defaults: list[str] = []  # and its style
        self._data: dict[str, int] = {}
        self._cells: dict[str, int] = {}
        self._hidden: set[str] = set()
        self._style = self._format = ""
        self._parts: set[str] = set()
        self._in_text = False

    def shows(self, style: str) -> bool:
        """Tell whether a table of that style is shown."""
        return style not in self._hidden

    def look(self, style: str | None, column: int) -> int:
        """Return the look of a cell: that of its style, else of its column's."""
        if not self._cells:
            return Look.PLAIN
        if style is None:
            run = bisect_right(self.lasts, column)
            style = self.defaults[run] if run < len(self.defaults) else ""
        return self._cells.get(style, Look.PLAIN)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take what an element says of a style."""
        if tag == "style:style":
            self._style = attributes.get("style:name", "")
            look = self._data.get(attributes.get("style:data-style-name", ""))
            if look and len(self._cells) < limits.MOST_STYLES:
                self._cells[self._style] = look
        elif tag == "style:table-properties" and attributes.get("table:display") == "false":
            self._hidden.add(self._style)
        elif tag in ("number:number-style", "number:time-style"):
            self._format, self._parts = attributes.get("style:name", ""), set()
            if attributes.get("number:truncate-on-overflow") == "false":
                self._parts.add("elapsed")
        elif tag == "number:number" and self._format:
            self._start_number(attributes)
        elif tag in ("number:hours", "number:minutes", "number:seconds", "number:text"):
            self._parts.add(tag)
            self._in_text = tag == "number:text"

    def _start_number(self, attributes: dict[str, str]) -> None:
        digits, factor = attributes.get("number:min-integer-digits", ""), attributes.get("number:display-factor", "1")
        if factor not in ("1", "1.0"):
            self._data[self._format] = Look.SCALED
        elif digits.isdecimal() and 1 < int(digits[:4]) < 100 and attributes.get("number:decimal-places", "0") == "0":
            self._data[self._format] = Look.ZEROS + int(digits)

    def characters(self, text: str) -> None:
        """Take the signs that a format shows beside digits."""
        if self._in_text and text.strip():
            self._parts.add("signs")

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        self._in_text = self._in_text and tag != "number:text"
        if tag == "number:number-style" and "signs" in self._parts and self._data.get(self._format) != Look.SCALED:
            self._data[self._format] = Look.WORDED
        if tag == "number:time-style" and "elapsed" not in self._parts:
            if "number:seconds" not in self._parts and "number:hours" in self._parts:
                self._data[self._format] = Look.HOURS_MINUTES
            elif "number:hours" not in self._parts and "number:seconds" in self._parts:
                self._data[self._format] = Look.MINUTES_SECONDS
        if tag in ("number:number-style", "number:time-style"):
            self._format = ""


def _has_result(attributes: dict[str, str]) -> bool:
    """Tell whether an ODS cell holds the value of its type (19.385): a text may be in its paragraphs, or empty."""
    kind = attributes.get("office:value-type", "")
    place = {"date": "office:date-value", "time": "office:time-value", "boolean": "office:boolean-value"}
    return kind == "string" or (bool(kind) and place.get(kind, "office:value") in attributes)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _times(attributes: dict[str, str], name: str) -> int:
    """Return how often a row or a cell is repeated: once unless it says more."""
    written = attributes.get(name, "1")
    return int(written) if written.isdecimal() and len(written) < 10 else 1
