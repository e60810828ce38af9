"""The same cells as a CSV, a workbook or a Parquet file, opened and judged as the main job does."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from pipelines.declarations import Export, Layout
from pipelines.read import UnusableFileError, read_cells, read_export
from pipelines.validate import (
    FileContext,
    Finding,
    JudgedFile,
    Validated,
    Verdict,
    judge,
    protect,
    recognised,
    unusable,
    validate_file,
)
from pipelines.validate.grouped_findings import Problem, grouped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.declarations import Catalogue
    from pipelines.declarations.network import Acceptance

FORMATS = ("csv", "xlsx", "ods", "parquet")


def delimited(rows: Sequence[Sequence[str]], sign: str = ";") -> str:
    """Rows as delimited text."""
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=sign, lineterminator="\r\n").writerows(rows)
    return stream.getvalue()


def xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as the only sheet of a workbook, cells of text."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def ods(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as the only sheet of an OpenDocument workbook, cells of text."""
    document = OpenDocumentSpreadsheet()
    table = Table(name="Feuille")
    for row in rows:
        line = TableRow()
        for cell in row:
            held = TableCell(valuetype="string") if cell else TableCell()
            if cell:
                held.addElement(P(text=cell))
            line.addElement(held)
        table.addElement(line)
    document.spreadsheet.addElement(table)
    stream = io.BytesIO()
    document.write(stream)
    return stream.getvalue()


def parquet(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as a Parquet file of texts, the first one naming the columns."""
    stream = io.BytesIO()
    columns = zip(*rows[1:], strict=True)
    pq.write_table(pa.table({name: list(cells) for name, cells in zip(rows[0], columns, strict=True)}), stream)
    return stream.getvalue()


def written(rows: Sequence[Sequence[str]], form: str) -> bytes:
    """Rows in one of FORMATS; a CSV is UTF-8."""
    if form == "csv":
        return delimited(rows).encode()
    return {"xlsx": xlsx, "ods": ods, "parquet": parquet}[form](rows)


def judged_alone(content: bytes, export: Export, layout: Layout, catalogue: Catalogue) -> Validated:
    """The bytes of a file of 2024, all its cells read, and judged alone."""
    cells = read_cells(content, f"x.{layout.format}", layout, recognised(export, layout))
    return validate_file(cells, FileContext(export, layout, catalogue.territories, "x", 2024))


def judged(
    content: bytes,
    export: Export,
    layout: Layout,
    catalogue: Catalogue,
    acceptance: Acceptance,
    folder: Path,
    name: str | None = None,
) -> tuple[Verdict, list[Problem]]:
    """The verdict on the bytes of a file of 2024, and its problems."""
    name = name or f"essai-2024.{layout.format}"
    path = folder / "recu"
    path.write_bytes(content)
    try:
        opened = read_export(path, name, layout, folder / "texte")
        of_file = validate_file(opened, FileContext(export, layout, catalogue.territories, name, 2024))
    except UnusableFileError as error:
        of_file = unusable(export, [Finding(error.rule, str(error))])
    verdict = judge(export, 2024, acceptance, [JudgedFile(name, "0" * 64, protect(of_file, export, layout))])
    return verdict, grouped(verdict, export, layout, 2024)


def declared(export: dict[str, Any], form: str, **layout: Any) -> tuple[Export, Layout]:
    """An export of ``form`` and its only layout."""
    written_as = {"years": "2024", "path": f"essai-{{year}}.{form}", "format": form, "delimiter": ";", **layout}
    if form != "csv":
        written_as.pop("delimiter")
    found = Export.model_validate({**export, "layouts": [written_as]})
    return found, found.layouts[0]
