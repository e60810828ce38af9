"""The parts of a workbook (XLSX, ODS), judged by a streaming parser before the workbook is opened.

Finds bombs, entities and far cells, and what the reader of workbooks doesn't tell: errors (#N/A…), formulas without
a saved result, number formats that change what is seen, hidden rows and columns, merged cells, hidden sheets.
"""

from __future__ import annotations

import re
import zipfile
from typing import Any
from xml.etree import ElementTree

from pipelines.mechanics import limits
from pipelines.mechanics.files import chunks
from pipelines.read.cells import UnusableFileError
from pipelines.read.containers import open_checked
from pipelines.read.native_cells import BUILTIN_LOOKS, Look, look_of
from pipelines.read.ods_content import OdsContent
from pipelines.read.xml_part import Sheet, XmlPart

_DAMAGED = (
    "Le classeur est abîmé ou tronqué. Ouvrez-le dans le tableur, enregistrez-le de nouveau, et vérifiez que l'envoi "
    "va au bout."
)


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
    for member in members:
        part = OdsContent(member.filename) if member.filename == "content.xml" else XmlPart(member.filename)
        _feed(archive, member, part)
        sheets |= part.sheets
    return sheets


def _read_xlsx(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> dict[str, Sheet]:
    styles = _XlsxStyles("xl/styles.xml")
    for member in members:
        if member.filename.lower() == styles.part:  # before the cells that use them
            _feed(archive, member, styles)
    sheets: dict[str, Sheet] = {}
    for member in members:
        is_sheet = member.filename.startswith("xl/worksheets/")
        part = _XlsxSheet(member.filename, styles.looks) if is_sheet else XmlPart(member.filename)
        _feed(archive, member, part)
        sheets |= part.sheets
    return _named(archive, sheets)


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
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    to_compute = False
    for element in workbook.iter():
        if element.tag.endswith("}calcPr"):
            to_compute = element.get("fullCalcOnLoad") in _TRUE
        if element.tag.endswith("}sheet"):
            key = next((value for name, value in element.items() if name.endswith("}id")), None)
            target = targets.get(key) or ""
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if part in sheets:
                named[element.get("name", "")] = sheets[part]
                sheets[part].visible = element.get("state", "visible") == "visible"
    with_name = {id(sheet) for sheet in named.values()}
    named |= {part: sheet for part, sheet in sheets.items() if id(sheet) not in with_name}
    for sheet in named.values():
        results = Look.NO_VALUE if to_compute and not sheet.computed else Look.PLAIN
        for looks in sheet.looks.values():
            looks[:] = looks.replace(bytes([Look.ZERO_RESULT]), bytes([results]))
    return named


def _feed(archive: zipfile.ZipFile, member: zipfile.ZipInfo, part: XmlPart) -> None:
    """Read a member whole, by pieces, so that its size and checksum are true; parse it if it is XML."""
    is_xml = member.filename.lower().endswith((".xml", ".rels")) and not member.filename.startswith("META-INF/")
    with archive.open(member) as stream:
        for chunk in chunks(stream):
            if is_xml:
                part.feed(chunk)


# The parts of an XLSX that say what is seen: the styles of cells, and the cells of a sheet (ECMA-376 part 1).

_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_TRUE = ("1", "true")


class _XlsxStyles(XmlPart):
    """The styles of an XLSX (18.8): ``looks`` gives the look of each cell format that has one, by its index as text."""

    def listen(self, parser: Any) -> None:
        """Ask for elements."""
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
            look = self._codes.get(identifier, BUILTIN_LOOKS.get(identifier))
            if look:
                self.looks[str(self._formats)] = look
            self._formats += 1

    def _end(self, tag: str) -> None:
        if tag.rpartition(":")[2] == "cellXfs":
            self._formats = None


class _XlsxSheet(XmlPart):
    """One worksheet of an XLSX (ECMA-376 part 1, 18.3.1): its cells say where they are, or follow each other."""

    def __init__(self, part: str, looks: dict[str, int]) -> None:
        self._looks = looks
        super().__init__(part)

    def listen(self, parser: Any) -> None:
        """Ask for elements and texts."""
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
            self._row, self._column = _place(attributes.get("r", "")) or (self._row, self._column + 1)
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
            corners = [place for corner in attributes.get("ref", "").split(":") if (place := _place(corner))]
            if len(corners) == 2:
                self.sheet.merge(corners[0], corners[1])

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        if self._text is not None and tag.endswith("v"):
            text = "".join(self._text)[: limits.LONGEST_CELL]
            if self._kind == "e":
                self.sheet.hold(self._row, self._column, text)
            if self._is_formula and (text.strip() or self._kind == "str"):  # its result was saved
                is_zero = self._kind == "n" and text.strip() == "0"
                self.sheet.computed = self.sheet.computed or not is_zero
                self.sheet.look(self._row, self._column, Look.ZERO_RESULT if is_zero else self._look)
            self._text = None
        elif self._is_formula and tag.endswith("c"):
            self._is_formula = False


def _place(reference: str) -> tuple[int, int] | None:
    """Return the row and the column, from 1, of a reference such as B7; None where it is none."""
    parts = _REFERENCE.fullmatch(reference)
    if parts is None:
        return None
    column = 0
    for letter in parts[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(parts[2]), column
