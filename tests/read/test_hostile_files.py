"""Bombs, unfit archives, absurd sheets, other kinds of files: refused by a message, within bounded memory."""

from __future__ import annotations

import gzip
import io
import os
import stat
import subprocess
import sys
import tracemalloc
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from pipelines.declarations import Layout
from pipelines.mechanics import files, limits
from pipelines.read import UnusableFileError, read_cells

MEGA = 1_000_000
ODS_NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"' for prefix in ("office", "table", "text")
)
ODS_CELL = '<table:table-cell office:value-type="string"><text:p>x</text:p></table:table-cell>'


def refused(content, form="csv", name=None, **declared):
    with pytest.raises(UnusableFileError) as error:
        read_cells(content, name or f"x.{form}", Layout(years="2024", path="x", format=form, **declared))
    return str(error.value)


def zipped(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def xlsx(*rows):
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Dossiers")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return stream.getvalue()


def altered(content, part, change):
    """Return a zip with one part changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            data = old.read(item)
            new.writestr(item.filename, change(data) if item.filename == part else data)
    return stream.getvalue()


def ods(rows):
    content = (
        f"<office:document-content {ODS_NAMES} xmlns:calcext='urn:org:documentfoundation:names:experimental:calc:"
        f"xmlns:calcext:1.0'><office:body><office:spreadsheet><table:table table:name='Feuille'>{rows}"
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return zipped([("mimetype", kind), ("META-INF/manifest.xml", "<manifest/>"), ("content.xml", content)])


SHEET = "xl/worksheets/sheet1.xml"

# Archives


def link():
    item = zipfile.ZipInfo("x.csv")
    item.external_attr = (stat.S_IFLNK | 0o777) << 16
    return item


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/etc/passwd", "hors de l'archive"),
        ("../../x.csv", "hors de l'archive"),
        ("C:/x.csv", "hors de l'archive"),
        ("dossier\\x.csv", "barre oblique inverse"),
        ("x\x07.csv", "caractère de contrôle"),
        (link(), "lien vers un autre fichier"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name, words):
    message = refused(zipped([(name, "a\n1\n")]), name="depot/x.zip")
    assert message.startswith("« x.zip » : Archive refusée")
    assert words in message
    assert "Recréez l'archive" in message


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_written_twice_is_refused():
    assert "figure deux fois" in refused(zipped([("x.csv", "a\n1\n"), ("x.csv", "a\n2\n")]), name="x.zip")


def test_members_that_share_bytes_are_refused():
    content = bytearray(zipped([("a.csv", os.urandom(500)), ("b.txt", b"2")]))
    second = content.rindex(b"PK\x01\x02")
    content[second + 42 : second + 46] = (100).to_bytes(4, "little")  # where its bytes are said to stand
    assert "se chevauchent" in refused(bytes(content), name="x.zip", member="a.csv")


def test_a_directory_of_a_million_files_is_refused_before_it_is_read():
    content = bytearray(zipped([("x.csv", "a\n")]))
    end = content.rindex(b"PK\x05\x06")
    content[end + 12 : end + 16] = (limits.LARGEST_DIRECTORY + 1).to_bytes(4, "little")
    assert "nombre démesuré de fichiers" in refused(bytes(content), name="x.zip")


def test_too_many_files_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "MOST_MEMBERS", 2)
    assert "contient 3 fichiers" in refused(zipped([("a", ""), ("b", ""), ("c", "")]), name="x.zip")


def test_an_archive_in_an_archive_is_not_unpacked():
    inner = zipped([("x.csv", "a\n1\n")])
    message = refused(zipped([("x.zip", inner)]), name="double.zip")
    assert message.startswith("« double.zip » › « x.zip » : Le fichier est une archive zip, alors qu'un CSV")
    assert "une archive gz" in refused(gzip.compress(gzip.compress(b"a\n1\n")), name="x.csv.gz")


# Half a gigabyte of zeros; reading may take half of that above what the program holds before.
BOMB = """
import gzip, io, pathlib, resource, sys, zipfile
from pipelines.declarations import Layout
from pipelines.read import UnusableFileError, read_cells
form, name, member = sys.argv[1:]
stream = io.BytesIO(gzip.compress(bytes(10_000_000)) * 50)
if member:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(member, "w") as out:
            for _ in range(500):
                out.write(bytes(1_000_000))
        archive.writestr("xl/workbook.xml", "")
        if member != "content.xml":
            archive.writestr("content.xml", "")
if form == "ods":
    stream = io.BytesIO(stream.getvalue().replace(b"xl/workbook.xml", b"xl/workbook.xm_"))
if name == "x.zip":
    layout = Layout(years="2024", path="x", member="x.csv")
else:
    layout = Layout(years="2024", path="x", format=form)
content = stream.getvalue()
pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 250_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    read_cells(content, name, layout)
except UnusableFileError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("form", "name", "member"),
    [
        ("csv", "x.zip", "x.csv"),
        ("csv", "x.csv.gz", ""),
        ("xlsx", "x.xlsx", "xl/sharedStrings.xml"),
        ("ods", "x.ods", "content.xml"),
    ],
)
def test_a_bomb_is_refused_within_bounded_memory(form, name, member):
    done = subprocess.run([sys.executable, "-c", BOMB, form, name, member], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.startswith(f"« {name} » : Archive refusée")
    assert "démesuré" in done.stdout
    assert member in done.stdout


def test_a_very_regular_csv_is_no_bomb():
    lines = "".join(f"{number};2024-01-01;D01;5;5;Très satisfait\n" for number in range(400_000)).encode()
    packed = gzip.compress(b"id;jour;lieu;a;b;c\n" + lines)
    assert len(lines) / len(packed) < limits.LARGEST_RATIO / 2
    assert len(read_cells(packed, "x.csv.gz", Layout(years="2024", path="x.csv.gz", delimiter=";")).rows) == 400_000


# Workbooks


def test_a_cell_in_the_last_corner_is_refused():
    far = altered(
        xlsx(["a"], [1]),
        SHEET,
        lambda xml: xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'),
    )
    message = refused(far, "xlsx")
    assert "Feuille « Dossiers »" in message
    assert "ligne 1048576 et la colonne 16384" in message
    assert "Supprimez ce qui est écrit loin" in message


def test_what_a_sheet_only_declares_costs_nothing():
    wide = altered(
        xlsx(["a"], [1]),
        SHEET,
        lambda xml: xml.replace(b'<dimension ref="A1:A2"/>', b'<dimension ref="A1:XFD1048576"/>'),
    )
    assert b"XFD1048576" in zipfile.ZipFile(io.BytesIO(wide)).read(SHEET)
    assert read_cells(wide, "x.xlsx", Layout(years="2024", path="x", format="xlsx")).rows == [["1"]]
    blank = (
        '<table:table-row table:number-rows-repeated="1048574">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    rows = f"<table:table-row>{ODS_CELL}</table:table-row>" * 2 + blank
    assert read_cells(ods(rows), "x.ods", Layout(years="2024", path="x", format="ods")).rows == [["x"]]


@pytest.mark.parametrize(
    "rows",
    [
        f'<table:table-row table:number-rows-repeated="1048576">{ODS_CELL * 30}</table:table-row>',
        '<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated='
        '"16384" office:value-type="float" office:value="1"/></table:table-row>',
    ],
)
def test_repeated_cells_are_refused(rows):
    message = refused(ods(rows), "ods")
    assert "Feuille « Feuille »" in message
    assert "ligne 1048576" in message


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/styles.xml"])
def test_entities_are_refused(part):
    entities = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    bomb = altered(xlsx(["a"], [1]), part, lambda xml: xml.replace(b"?>", b"?>" + entities, 1))
    message = refused(bomb, "xlsx")
    assert f"« {part} » contient une déclaration DOCTYPE ou des entités XML" in message


def test_a_tag_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(files, "CHUNK", 10_000)
    monkeypatch.setattr(limits, "LARGEST_TAG", 50_000)
    endless = altered(xlsx(["a"], [1]), SHEET, lambda xml: xml.replace(b"<c ", b"<c z='" + b"x" * 200_000 + b"' ", 1))
    assert "balise démesurée" in refused(endless, "xlsx")


def test_a_text_repeated_in_every_cell_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "MOST_CHARACTERS", MEGA)
    assert "texte démesuré" in refused(xlsx(["a"], *[["x" * 30_000]] * 50), "xlsx")


def test_a_cell_longer_than_excel_allows_is_refused():
    long = "x" * (limits.LONGEST_CELL + 1)
    for content, form in (
        (ods(f"<table:table-row>{ODS_CELL.replace('x<', long + '<')}</table:table-row>"), "ods"),
        (f"a\n{long}\n".encode(), "csv"),
    ):
        assert str(limits.LONGEST_CELL) in refused(content, form)
    kept = read_cells(f"a\n{long[1:]}\n".encode(), "x.csv", Layout(years="2024", path="x"))
    assert len(kept.rows[0][0]) == limits.LONGEST_CELL


# Text


def test_a_quote_never_closed_is_placed():
    message = refused(b'a,b\n1,2\n3,"x\n' + b"4,5\n" * 20_000)
    assert "commence à la ligne 3" in message
    assert "guillemet" in message


def test_a_million_columns_are_refused():
    assert "1000001 colonnes" in refused(b"a\n" + b"," * MEGA)


def test_a_line_without_end_is_refused_within_bounded_memory():
    content = b"a\n" + b"x" * (30 * MEGA)
    tracemalloc.start()
    message = refused(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "ligne 2 dépasse" in message
    assert peak < 3 * len(content)


def test_too_many_cells_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "MOST_CELLS", 10)
    assert "plus de 10 cellules" in refused(b"a,b\n" * 6)


# Other kinds


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods", "parquet"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7 ...", "un PDF"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 99, "ancien classeur Excel (.xls)"),
        (b"<!DOCTYPE html><title>404</title>", "page web"),
        ("<html>".encode("utf-16"), "page web"),
        (gzip.compress(b"a"), "une archive gz"),
        (zipped([("x.csv", "a")]), "une archive zip"),
    ],
)
def test_another_kind_of_file_is_named(form, content, words):
    message = refused(content, form)
    assert f"« x.{form} »" in message
    assert words in message


def test_the_right_kind_to_declare_is_told():
    """A producer can't declare: the letter names the kind, and asks the data team to expect it."""
    asked = "demandez à l'équipe données d'attendre ce format"
    for message in (refused(xlsx(["a"]), "csv"), refused(xlsx(["a"]), "ods")):
        assert "est un classeur XLSX" in message
        assert asked in message
    message = refused(ods(f"<table:table-row>{ODS_CELL}</table:table-row>"), "xlsx")
    assert "est un classeur ODS" in message
    assert asked in message
    stream = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), stream)
    message = refused(stream.getvalue(), "csv")
    assert "est un Parquet" in message
    assert asked in message


# Parquet


def parquet(table, **options):
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


def test_a_parquet_of_few_bytes_and_a_billion_cells_is_refused_on_its_footer(monkeypatch):
    content = parquet(pa.table({"a": pa.array(["x"] * 200_000)}))
    assert len(content) < 5_000
    monkeypatch.setattr(limits, "MOST_CELLS", 100_000)
    assert "annonce 200000 lignes et 1 colonnes" in refused(content, "parquet")


def test_a_long_text_stored_once_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "MOST_CHARACTERS", MEGA)
    content = parquet(pa.table({"a": pa.array(["x" * 30_000] * 1_000)}))
    assert "texte démesuré" in refused(content, "parquet")
    assert str(limits.LONGEST_CELL) in refused(parquet(pa.table({"a": ["x" * 40_000]})), "parquet")


@pytest.mark.parametrize("length", [0, 8, 2**31 - 1, 2**32 - 1])
def test_a_footer_that_lies_about_its_length_is_refused(length):
    content = bytearray(parquet(pa.table({"a": [1, 2]})))
    content[-8:-4] = length.to_bytes(4, "little")
    assert "Parquet lisible" in refused(bytes(content), "parquet")


# Native cells


def test_native_values_follow_the_written_rules():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        day, length = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_format({"num_format": "[h]:mm:ss"})
        time = book.add_format({"num_format": "hh:mm"})
        sheet.write_row("A1", list("abcdefghi"))
        sheet.write_row("A2", [2.0, 56.99999999999999, True])
        sheet.write("D2", 45352, day)
        sheet.write("E2", 45352.5, day)
        sheet.write("F2", 26.5 / 24, length)
        sheet.write("G2", 0.25, time)
        sheet.write_formula("H2", "=NA()", None, "#N/A")
        sheet.write("I2", 45352)  # a number in a column of dates stays a number, for validation to refuse
    cells = read_cells(stream.getvalue(), "x.xlsx", Layout(years="2024", path="x", format="xlsx", decimalChar=","))
    assert cells.rows == [
        ["2", "57", "true", "2024-03-01", "2024-03-01T12:00:00", "26:30:00", "06:00:00", "#N/A", "45352"]
    ]


def test_a_sum_of_decimals_is_written_as_it_is_shown():
    book = openpyxl.Workbook()  # writes the seventeen digits, as Excel does
    book.active.append(["a"])
    book.active.append([0.1 + 0.2])
    stream = io.BytesIO()
    book.save(stream)
    assert read_cells(stream.getvalue(), "x.xlsx", Layout(years="2024", path="x", format="xlsx")).rows == [["0.3"]]


def test_the_errors_and_long_durations_of_an_ods():
    error = (
        '<table:table-cell office:value-type="string" office:string-value="" calcext:value-type="error">'
        "<text:p>#N/A</text:p></table:table-cell>"
    )
    length = '<table:table-cell office:value-type="time" office:time-value="PT26H30M00S"/>'
    rows = f"<table:table-row>{ODS_CELL * 2}</table:table-row><table:table-row>{error}{length}</table:table-row>"
    cells = read_cells(ods(rows), "x.ods", Layout(years="2024", path="x", format="ods"))
    assert cells.rows == [["#N/A", "26:30:00"]]


def test_three_merged_header_rows():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.merge_range("A1:A3", "Mois")
        sheet.merge_range("B1:E1", "Dossiers")
        sheet.merge_range("B2:C2", "Reçus")
        sheet.merge_range("D2:E2", "Traités")
        sheet.write_row("B3", ["Papier", "Web", "Papier", "Web"])
        sheet.write_row("A4", ["01", 1, 2, 3, 4])
    cells = read_cells(stream.getvalue(), "x.xlsx", Layout(years="2024", path="x", format="xlsx", headerRows=3))
    assert cells.header == ["Mois", *(f"Dossiers / {a} / {b}" for a in ("Reçus", "Traités") for b in ("Papier", "Web"))]
    assert cells.rows == [["01", "1", "2", "3", "4"]]
