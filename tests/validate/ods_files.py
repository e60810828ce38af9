"""ODS files made cell by cell, as LibreOffice writes them."""

from __future__ import annotations

import io
import zipfile

SPACES = {"office": "office", "table": "table", "text": "text", "style": "style", "number": "datastyle"}
NAMES = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{urn}:1.0"' for name, urn in SPACES.items())


def ods(rows, styles="", columns="", table=""):
    """An ODS of one sheet of ``rows`` (or of the sheets in ``table``)."""
    content = (
        f"<office:document-content {NAMES} xmlns:calcext='urn:org:documentfoundation:names:experimental:calc:xmlns:"
        f"calcext:1.0'><office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>"
        f"{table or ods_table('Feuille', columns, rows)}</office:spreadsheet></office:body></office:document-content>"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return stream.getvalue()


def ods_table(name, columns, rows, style=""):
    return f"<table:table table:name='{name}' {style}>{columns}{rows}</table:table>"


def ods_row(*cells, more=""):
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


def text(value):
    return f"<table:table-cell office:value-type='string'><text:p>{value}</text:p></table:table-cell>"


def number(value, kind="float", more=""):
    return f"<table:table-cell office:value-type='{kind}' office:value='{value}' {more}/>"


def length(value):
    return f"<table:table-cell office:value-type='time' office:time-value='{value}'/>"
