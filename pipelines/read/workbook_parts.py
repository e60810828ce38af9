"""The parts of a workbook (XLSX, ODS), judged by a streaming parser before the workbook is opened.

Finds bombs, entities and far cells, and the errors (#N/A…) that the reader of workbooks would silently leave blank.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from pipelines.read import limits
from pipelines.read.cells import UnusableFileError
from pipelines.read.zip_directory import open_checked

_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_NO_VALUE = {"office:value-type", "calcext:value-type"}


@dataclass
class Sheet:
    """What is written in a sheet: its farthest row and column (from 1), and its errors by place (from 0)."""

    rows: int = 0
    columns: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)

    def hold(self, row: int, column: int, error: str | None = None) -> None:
        """Note a cell that holds something, by its row and column from 1."""
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)
        if error and len(self.errors) < limits.MOST_ERRORS:
            self.errors[row - 1, column - 1] = error


def check_workbook(content: bytes, form: str) -> dict[str, Sheet]:
    """Return the sheets by name; raises UnusableFileError on a bomb or an absurd sheet."""
    sheets: dict[str, Sheet] = {}
    names: dict[str, str] = {}
    with open_checked(content) as (archive, members):
        for item in members:
            is_ods = form == "ods" and item.filename == "content.xml"
            if is_ods:
                scan: _Scan = _OdsScan(item.filename)
            elif item.filename.startswith("xl/worksheets/"):
                scan = _XlsxScan(item.filename)
            else:
                scan = _Scan(item.filename)
            _feed(archive, item, scan)
            sheets.update(scan.sheets)
        if form == "xlsx":
            names = _names_of_parts(archive)
    sheets = {names.get(part, part): sheet for part, sheet in sheets.items()}
    for name, sheet in sheets.items():
        if sheet.rows * sheet.columns > limits.MOST_SHEET_CELLS:
            raise UnusableFileError(
                "fichier-illisible",
                f"Feuille « {name} » : ses cellules s'étendent jusqu'à la ligne {sheet.rows} et la colonne "
                f"{sheet.columns} (limite : {limits.MOST_SHEET_CELLS} cellules). Supprimez ce qui est écrit loin du "
                "tableau, puis enregistrez de nouveau.",
            )
    return sheets


def _names_of_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the names of the sheets by part (ECMA-376 part 1, 18.2.19), where the workbook gives them."""
    found: dict[str, str] = {}
    try:
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # no entity: just checked
        workbook = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    except (KeyError, ElementTree.ParseError):
        return found  # its reader will say so
    parts = {item.get("Id"): item.get("Target", "") for item in relations}
    for element in workbook.iter():
        if element.tag.endswith("}sheet"):
            key = next((value for name, value in element.items() if name.endswith("}id")), None)
            target = parts.get(key) or ""
            found[target.lstrip("/") if target.startswith("/") else f"xl/{target}"] = element.get("name", "")
    return found


def _feed(archive: zipfile.ZipFile, item: zipfile.ZipInfo, scan: _Scan) -> None:
    """Read a member whole, by pieces, so that its size and checksum are true; parse it if it is XML."""
    is_xml = item.filename.lower().endswith((".xml", ".rels")) and not item.filename.startswith("META-INF/")
    with archive.open(item) as stream:
        fed = 0
        while chunk := stream.read(limits.CHUNK):
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


class _XlsxScan(_Scan):
    """One worksheet of an XLSX (ECMA-376 part 1, 18.3.1): its cells say where they are, or follow each other."""

    def listen(self, parser: Any) -> None:
        self.sheet = self.sheets.setdefault(self.part, Sheet())
        self._row = self._column = 0
        self._is_error = False
        self._text: list[str] | None = None
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "c":
            found = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _column(found[1]) if found else self._column + 1
            self._row = int(found[2]) if found else self._row
            self._is_error = attributes.get("t") == "e"
        elif name in ("v", "is"):
            self.sheet.hold(self._row, self._column)
            self._text = [] if self._is_error else None
        elif name == "row":
            number = attributes.get("r", "")
            self._row, self._column = int(number) if number.isdecimal() else self._row + 1, 0

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, _: str) -> None:
        if self._text is not None:
            self.sheet.hold(self._row, self._column, "".join(self._text)[: limits.LONGEST_CELL])
            self._text = None


class _OdsScan(_Scan):
    """The content of an ODS (OpenDocument 1.3 part 3, 9.1): rows and cells follow each other, some repeated."""

    def listen(self, parser: Any) -> None:
        self._sheet = Sheet()
        self._row = self._column = self._rows = self._cells = 0
        self._is_error = self._holds = False
        self._text: list[str] = []
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table:table":
            self._sheet = self.sheets.setdefault(attributes.get("table:name", ""), Sheet())
            self._row = 0
        elif tag == "table:table-row":
            self._rows, self._column = _times(attributes, "table:number-rows-repeated"), 0
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self._cells = _times(attributes, "table:number-columns-repeated")
            self._is_error = attributes.get("calcext:value-type") == "error"
            self._holds = not _NO_VALUE.isdisjoint(attributes)
            self._text = []
        elif tag == "text:p":
            self._holds = True

    def _characters(self, text: str) -> None:
        if self._is_error:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        if tag == "table:table-row":
            self._row += self._rows
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            if self._holds:
                self._sheet.hold(self._row + self._rows, self._column + self._cells)
                if self._is_error and self._rows * self._cells <= limits.MOST_ERRORS:
                    self._hold_errors("".join(self._text)[: limits.LONGEST_CELL])
            self._column += self._cells
            self._is_error = self._holds = False

    def _hold_errors(self, error: str) -> None:
        for row in range(self._row + 1, self._row + self._rows + 1):
            for column in range(self._column + 1, self._column + self._cells + 1):
                self._sheet.hold(row, column, error)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _times(attributes: dict[str, str], name: str) -> int:
    """Return how often a row or a cell is repeated: once unless it says more."""
    written = attributes.get(name, "1")
    return int(written) if written.isdecimal() and len(written) < 10 else 1
