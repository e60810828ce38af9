"""The XLSX rendition of a release, for people who open it in Excel. It adds nothing to the CSV and is never read back.

xlsxwriter makes the workbook with the headers of its tables alone; their rows, made by columns, are then let in, piece
by piece. A text cell is always text, never a formula, whatever it starts with. Same tables, same bytes.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import xlsxwriter
from pyarrow import compute as pc
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from pipelines.compile.workbook import CREATED
from pipelines.declarations import Table
from pipelines.mechanics.files import zip_member
from pipelines.mechanics.limits import LONGEST_CELL, MOST_SHEET_ROWS
from pipelines.release.column_texts import canonical, content, each_value, joined, plain_schema, slices
from pipelines.release.table_writers import in_reading_order

MOST_ROWS = MOST_SHEET_ROWS - 1  # below the header
FIRST_EXCEL_YEAR, _DAY_ZERO = 1900, date(1899, 12, 30)
_WIDTHS = {"string": 22, "integer": 12, "number": 14, "boolean": 11, "date32[day]": 12}
_ESCAPE = re.compile("(_x[0-9a-fA-F]{4}_)")  # what Excel would take for the code of a sign
_LARGE = 10_000_000  # cells of a sheet that may take more than 2 GB unpacked
_ROWS_END = b"</sheetData>"
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"/>')


@dataclass(frozen=True)
class Sheet:
    """One table to show: its name, its rows."""

    name: str
    table: pa.Table


def write_workbook(path: Path, title: str, introduction: Sequence[str], sheets: Sequence[Sheet]) -> None:
    """Write the workbook: « Lisez-moi », then one sheet per table; a table too long for Excel is told there."""
    shown = [sheet for sheet in sheets if sheet.table.num_rows <= MOST_ROWS]
    left_out = [sheet.name for sheet in sheets if sheet.table.num_rows > MOST_ROWS]
    notes = [f"La table {name} dépasse la taille d'une feuille Excel : voir {name}.csv." for name in left_out]
    headers = io.BytesIO()
    date_style = _write_headers(headers, path.parent, title, [*introduction, *notes], shown)
    parts = {f"xl/worksheets/sheet{at}.xml": sheet.table for at, sheet in enumerate(shown, start=2)}
    with zipfile.ZipFile(headers) as empty, zipfile.ZipFile(path, "w") as archive:
        for name in empty.namelist():
            table, part = parts.get(name), empty.read(name)
            large = table is not None and table.num_rows * table.num_columns > _LARGE
            with archive.open(zip_member(name), "w", force_zip64=large) as member:
                for piece in [part] if table is None else _with_rows(part, table, date_style):
                    member.write(piece)


def _write_headers(target: io.BytesIO, folder: Path, title: str, notes: Sequence[str], sheets: Sequence[Sheet]) -> int:
    """Write the workbook without the rows of its tables; return the number of its style of dates."""
    with xlsxwriter.Workbook(target, {"constant_memory": True, "tmpdir": str(folder)}) as book:
        book.set_properties({"title": title, "created": CREATED})
        formats = {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "wrapped": book.add_format({"text_wrap": True, "valign": "top"}),
            "header": book.add_format({"bold": True, "bg_color": "#000091", "font_color": "#FFFFFF"}),
            "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        first = book.add_worksheet("Lisez-moi")
        first.set_column(0, 0, 110)
        first.write_string(0, 0, title, formats["title"])
        for row, line in enumerate(notes, start=2):
            first.write_string(row, 0, line[:LONGEST_CELL], formats["wrapped"])
        for sheet in sheets:
            _header(book.add_worksheet(sheet.name), sheet.table, formats)
        # No public way to have a style that no cell of this part uses yet; styles are numbered as they are asked for.
        styles: list[int] = [formats[name]._get_xf_index() for name in ("header", "date")]
    return styles[-1]


def _header(sheet: Worksheet, table: pa.Table, formats: Mapping[str, Format]) -> None:
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(table.num_rows, 1), table.num_columns - 1)
    for index, field in enumerate(plain_schema(table.schema)):
        width = _WIDTHS.get(str(field.type), 14)
        sheet.set_column(index, index, max(width, len(field.name) + 4))
        sheet.write_string(0, index, field.name, formats["header"])


def _with_rows(part: bytes, table: pa.Table, date_style: int) -> Iterator[bytes | memoryview]:
    """Yield a sheet that has a header, with the rows of its table."""
    head, tail = part.split(_ROWS_END)
    last = f"{xl_col_to_name(table.num_columns - 1)}{table.num_rows + 1}".encode()
    yield _DIMENSION.sub(b'<dimension ref="A1:' + last + b'"/>', head)
    first = 2
    for piece in slices(in_reading_order(table)):
        numbers = pc.cast(pa.chunked_array([np.arange(first, first + piece.num_rows)]), pa.string())
        cells = [_cells(xl_col_to_name(at), numbers, column, date_style) for at, column in enumerate(piece.columns)]
        yield from content(joined([joined([numbers], "", '<row r="', '">'), *cells], "", after="</row>"))
        first += piece.num_rows
    yield _ROWS_END + tail


def _cells(letters: str, numbers: pa.ChunkedArray, column: pa.ChunkedArray, date_style: int) -> pa.ChunkedArray:
    """Return the XML of each cell of a column, nothing for an empty one."""
    texts = canonical(column)
    rest = each_value(texts, partial(_CELLS.get(str(column.type), _text), date_style))
    return pc.if_else(pc.equal(texts, ""), "", joined([numbers, rest], "", f'<c r="{letters}'))


def _text(_: int, text: str) -> str:
    shown = text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
    kept = ' xml:space="preserve"' if shown != shown.strip() else ""
    escaped = html.escape(_ESCAPE.sub(r"_x005F\1", shown), quote=False)
    return f'" t="inlineStr"><is><t{kept}>{escaped}</t></is></c>'


def _number(_: int, text: str) -> str:
    return f'"><v>{float(text or 0):.16G}</v></c>'


def _boolean(_: int, text: str) -> str:
    return f'" t="b"><v>{int(text == "true")}</v></c>'


def _day(style: int, text: str) -> str:
    if not text or date.fromisoformat(text).year <= FIRST_EXCEL_YEAR:
        return _text(style, text)
    return f'" s="{style}"><v>{(date.fromisoformat(text) - _DAY_ZERO).days}</v></c>'


_CELLS = {"int64": _number, "double": _number, "bool": _boolean, "date32[day]": _day}


# The workbook for people: the yearly results of the last years in words, beside the national value, and the lists.

LISTS = {"indicateurs": "Indicateurs", "reseaux": "Réseaux", "territoires": "Territoires", "structures": "Structures"}
NEEDED = ("resultats", "indicateurs", "reseaux")
# A count isn't compared: France has more of anything than a département. A difference within the interval is none.
_ROWS = """
SELECT s.titre AS "Réseau", i.titre AS "Indicateur", r.annee AS "Année", r.maille AS "Maille",
    r.territoire AS "Territoire", r.structure AS "Structure", r.valeur AS "Valeur", r.unite AS "Unité",
    r.effectif AS "Effectif", r.evolution AS "Évolution sur un an", n.valeur AS "Valeur nationale",
    CASE WHEN r.valeur IS NULL OR n.valeur IS NULL OR i.sens = 'neutre' THEN NULL
         WHEN r.valeur = n.valeur OR n.valeur BETWEEN r.borne_basse AND r.borne_haute THEN 'pas d''écart établi'
         WHEN (r.valeur > n.valeur) = (i.sens = 'hausse') THEN 'mieux' ELSE 'moins bien' END AS "Face au national",
    r.motif_absence AS "Pourquoi sans valeur"
FROM resultats AS r
JOIN reseaux AS s USING (reseau)
JOIN indicateurs AS i USING (indicateur)
LEFT JOIN resultats AS n ON n.reseau = r.reseau AND n.indicateur = r.indicateur AND n.periode = r.periode
    AND n.maille = 'national' AND r.maille <> 'national' AND i.famille_unite <> 'nombre'
WHERE r.frequence = 'annuelle' AND r.annee >= $first
ORDER BY s.titre, i.titre, r.annee DESC, list_position(['national', 'region', 'departement', 'site'], r.maille),
    r.territoire_code, r.structure_code
"""


def write_people_workbook(
    path: Path,
    tables: Mapping[str, pa.Table],
    declared: Mapping[str, Table],
    texts: tuple[str, Sequence[str]],
    more: Sequence[Sheet],
    *,
    years: int,
    most_bytes: float,
) -> None:
    """Write the workbook of the last ``years``, of fewer when it would be too large.

    ``declared``: the tables, whose columns have titles; ``texts``: title and introduction; ``more``: sheets that come
    after the lists.
    """
    lists = [
        Sheet(title, tables[name].rename_columns([column.title for column in declared[name].columns]))
        for name, title in LISTS.items()
        if name in tables
    ]
    title, introduction = texts
    last = pc.max(tables["resultats"]["annee"]).as_py()
    for kept in range(years, 0, -1):
        results = _results(tables, (last or 0) - kept + 1)
        if results.num_rows > MOST_ROWS and kept > 1:
            continue
        notes = [*introduction, *_notes(kept, years)]
        write_workbook(path, title, notes, [Sheet("Résultats", results), *lists, *more])
        if path.stat().st_size <= most_bytes:
            break


def _results(tables: Mapping[str, pa.Table], first: int) -> pa.Table:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        for name in NEEDED:
            connection.register(name, tables[name])
        return connection.sql(_ROWS, params={"first": first}).to_arrow_table()


def _notes(kept: int, years: int) -> Iterator[str]:
    yield (
        f"La feuille Résultats donne {f'les {kept} dernières années' if kept > 1 else 'la dernière année'} ; "
        "toutes les années, toutes les périodes et toutes les colonnes sont dans les fichiers CSV et Parquet."
    )
    yield (
        "« Face au national » dit mieux ou moins bien d'après le sens de l'indicateur. Un écart que l'intervalle de "
        "confiance couvre n'est pas établi ; un nombre (de dossiers, d'appels…) ne se compare pas à celui de la France."
    )
    if kept < years:
        yield f"Les {years} dernières années n'y tiendraient pas : Excel, ou l'aperçu en ligne, ne le montrerait pas."
