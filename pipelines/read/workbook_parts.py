"""The parts of a workbook (XLSX, ODS), judged by a streaming parser before the workbook is opened.

Finds bombs, entities and far cells, and what the reader of workbooks doesn't tell: errors (#N/A…), formulas without
a saved result, number formats that change what is seen, hidden rows and columns, merged cells, hidden sheets.
"""

from __future__ import annotations

import zipfile
from xml.etree import ElementTree

from pipelines.mechanics import limits
from pipelines.mechanics.files import chunks
from pipelines.read.cells import UnusableFileError
from pipelines.read.number_formats import Look
from pipelines.read.ods_content import OdsContent
from pipelines.read.xlsx_parts import TRUE, XlsxSheet, XlsxStyles
from pipelines.read.xml_part import Sheet, XmlPart
from pipelines.read.zip_directory import open_checked

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
    for item in members:
        scan = OdsContent(item.filename) if item.filename == "content.xml" else XmlPart(item.filename)
        _feed(archive, item, scan)
        sheets |= scan.sheets
    return sheets


def _read_xlsx(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> dict[str, Sheet]:
    styles = XlsxStyles("xl/styles.xml")
    for item in members:
        if item.filename.lower() == styles.part:  # before the cells that use them
            _feed(archive, item, styles)
    found: dict[str, Sheet] = {}
    for item in members:
        is_sheet = item.filename.startswith("xl/worksheets/")
        scan = XlsxSheet(item.filename, styles.looks) if is_sheet else XmlPart(item.filename)
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
            to_compute = element.get("fullCalcOnLoad") in TRUE
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


def _feed(archive: zipfile.ZipFile, item: zipfile.ZipInfo, scan: XmlPart) -> None:
    """Read a member whole, by pieces, so that its size and checksum are true; parse it if it is XML."""
    is_xml = item.filename.lower().endswith((".xml", ".rels")) and not item.filename.startswith("META-INF/")
    with archive.open(item) as stream:
        fed = 0
        for chunk in chunks(stream):
            fed += len(chunk)
            if is_xml:
                scan.feed(chunk, fed)
