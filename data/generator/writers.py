"""Rows to the bytes of a file, the same every time: CSV, XLSX, ODS, Parquet, zip. What the rows say is not here."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Cell = str | int | float | date | None
Row = list[Cell]
_WHEN = (2025, 3, 3, 0, 0, 0)
_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_ODS_NAMES = "urn:oasis:names:tc:opendocument:xmlns"
_ODS_CONTENT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<office:document-content xmlns:office="{_ODS_NAMES}:office:1.0" xmlns:table="{_ODS_NAMES}:table:1.0" '
    f'xmlns:text="{_ODS_NAMES}:text:1.0" office:version="1.2"><office:body><office:spreadsheet>{{table}}'
    "</office:spreadsheet></office:body></office:document-content>\n"
)
_ODS_MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<manifest:manifest xmlns:manifest="{_ODS_NAMES}:manifest:1.0" manifest:version="1.2">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_TYPE}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>\n'
)


@dataclass(frozen=True)
class Sample:
    """A generated file: where it goes, its bytes, what it shows (in French), and how many rows are to be refused."""

    path: str
    content: bytes
    shows: str
    refused: int = 0
    whole_file_refused: bool = False


def french(value: Cell) -> str:
    """Write a cell the French way: decimal comma, 31/12/2022, nothing for None."""
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return str(value).replace(".", ",") if isinstance(value, float) else plain(value)


def plain(value: Cell) -> str:
    """Write a cell the plain way: decimal point, 2022-12-31, nothing for None."""
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)


def csv_bytes(
    rows: Iterable[Row],
    *,
    french_cells: bool = False,
    delimiter: str = ";",
    encoding: str = "utf-8",
    newline: str = "\r\n",
    first_line: str = "",
) -> bytes:
    """Write rows as CSV; an empty row gives an empty line."""
    write = french if french_cells else plain
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline)
    writer.writerows([write(cell) for cell in row] for row in rows)
    return ((first_line + newline if first_line else "") + text.getvalue()).encode(encoding)


def zip_bytes(members: dict[str, bytes]) -> bytes:
    """Zip files with a fixed date; ODS wants its « mimetype » first and not compressed."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date_time=_WHEN)
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, compresslevel=9)
    return target.getvalue()


@dataclass(frozen=True)
class Merged:
    """A merged block of an XLSX header: first row and column, last row and column (from 0), and its text."""

    top: int
    left: int
    bottom: int
    right: int
    text: str


def xlsx_bytes(
    rows: Sequence[Row], *, sheet: str, merged: Sequence[Merged] = (), first: str = "", empty_rows: int = 0
) -> bytes:
    """Write one sheet of rows, with native dates and numbers; ``first`` adds a sheet of text before it.

    ``merged`` blocks are written over the blank cells at their place; ``empty_rows`` formatted rows end the sheet.
    """
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        book.set_properties({"created": datetime(*_WHEN), "title": "Données fictives"})
        if first:
            book.add_worksheet("À lire").write_string(0, 0, first)
        page = book.add_worksheet(sheet)
        for index, row in enumerate(rows):
            for column, cell in enumerate(row):
                _write_cell(page, index, column, cell)
        bold, frame = book.add_format({"bold": True, "align": "center"}), book.add_format({"border": 1})
        for block in merged:
            _write_block(page, block, bold)
        for index in range(len(rows), len(rows) + empty_rows):
            page.write_blank(index, 0, None, frame)
    return target.getvalue()


def _write_cell(page: xlsxwriter.worksheet.Worksheet, row: int, column: int, cell: Cell) -> None:
    if isinstance(cell, date):
        page.write_datetime(row, column, datetime(cell.year, cell.month, cell.day))
    elif isinstance(cell, str):
        page.write_string(row, column, cell)
    elif cell is not None:
        page.write_number(row, column, cell)


def _write_block(page: xlsxwriter.worksheet.Worksheet, block: Merged, style: xlsxwriter.format.Format) -> None:
    if (block.top, block.left) == (block.bottom, block.right):
        page.write_string(block.top, block.left, block.text, style)
    else:
        page.merge_range(block.top, block.left, block.bottom, block.right, block.text, style)


def ods_bytes(rows: Iterable[Row], *, sheet: str) -> bytes:
    """Write one sheet of rows as OpenDocument, with native dates and numbers.

    By hand: what odfpy writes depends on what the process has written before.
    """
    lines = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    table = f"<table:table table:name={quoteattr(sheet)}>{lines}</table:table>"
    members = {
        "mimetype": _ODS_TYPE,
        "content.xml": _ODS_CONTENT.format(table=table),
        "META-INF/manifest.xml": _ODS_MANIFEST,
    }
    return zip_bytes({name: text.encode() for name, text in members.items()})


def _ods_cell(cell: Cell) -> str:
    if cell is None:
        return "<table:table-cell/>"
    kind, value = "float", f' office:value="{cell}"'
    if isinstance(cell, date):
        kind, value = "date", f' office:date-value="{cell.isoformat()}"'
    elif isinstance(cell, str):
        kind, value = "string", ""
    shown = f"<text:p>{escape(french(cell))}</text:p>"
    return f'<table:table-cell office:value-type="{kind}"{value}>{shown}</table:table-cell>'


ParquetType = Literal["string", "int8", "int32", "double", "date32"]


def parquet_bytes(columns: dict[str, ParquetType], rows: Sequence[Row]) -> bytes:
    """Write typed columns as Parquet."""
    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in columns.items()])
    cells = zip(*rows, strict=True)
    table = pa.table(
        [pa.array(list(cell), field.type) for cell, field in zip(cells, schema, strict=True)], schema=schema
    )
    target = io.BytesIO()
    pq.write_table(table, target, compression="zstd")
    return target.getvalue()
