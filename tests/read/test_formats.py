"""Spreadsheets and Parquet to the same cells as CSV; and any bytes whatever are cells or a refusal, nothing else."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.declarations import Layout
from pipelines.mechanics.opened_files import Cells
from pipelines.read import UnusableFileError, read_cells


def layout(form, **more):
    return Layout(years="2024", path=f"x.{form}", format=form, **more)


def workbook(rows, sheet="Feuille"):
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet(**columns):
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


def rule_of(content, name, declared):
    with pytest.raises(UnusableFileError) as error:
        read_cells(content, name, declared)
    return error.value.rule, str(error.value)


# Spreadsheets


def test_native_cells_of_a_sheet():
    day = datetime.datetime(2024, 3, 1)
    content = workbook([["code", "mois", "taux", "vu"], ["01", day, 12.5, True], [7, None, 3.0, False]])
    cells = read_cells(content, "x.xlsx", layout("xlsx", decimalChar=","))
    assert cells.header == ["code", "mois", "taux", "vu"]
    assert cells.rows == [["01", "2024-03-01", "12,5", "true"], ["7", "", "3", "false"]]
    assert cells.first_row == 2


def test_merged_headers_below_a_title():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Dossiers")
        sheet.write("A1", "Titre")
        sheet.merge_range("A3:B3", "Caisse")
        sheet.merge_range("C3:C4", "Mois")
        sheet.write_row("A4", ["Code", "Nom"])
        sheet.write_row("A5", ["C1", "Ain", "01/2024"])
    cells = read_cells(stream.getvalue(), "x.xlsx", layout("xlsx", sheet="Dossiers", skipRows=2, headerRows=2))
    assert cells.header == ["Caisse / Code", "Caisse / Nom", "Mois"]
    assert cells.rows == [["C1", "Ain", "01/2024"]]
    assert cells.first_row == 5


def test_rows_keep_their_numbers_below_blank_ones():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write("B3", "a")
        sheet.write("B6", "x")
    cells = read_cells(stream.getvalue(), "x.xlsx", layout("xlsx", skipRows=2))
    assert cells.header == ["", "a"]
    assert cells.first_row + cells.rows.index(["", "x"]) == 6


def test_trailing_blank_rows_and_columns_are_dropped():
    cells = read_cells(workbook([["a", None, None], ["1", None, " "], [" ", None, None]]), "x.xlsx", layout("xlsx"))
    assert (cells.header, cells.rows) == (["a"], [["1"]])


def test_the_declared_sheet_must_be_there():
    rule, message = rule_of(workbook([["a"]], "Autre"), "x.xlsx", layout("xlsx", sheet="Dossiers"))
    assert rule == "feuille-absente"
    assert "« Dossiers » est absente ; feuilles trouvées : Autre" in message


@pytest.mark.parametrize("rows", [[], [[None, None]], [["", ""], ["1", "2"]]])
def test_a_sheet_without_header_is_told(rows):
    assert rule_of(workbook(rows), "x.xlsx", layout("xlsx"))[0] == "fichier-vide"


def test_a_sheet_shorter_than_its_header_is_told():
    assert rule_of(workbook([["a"]]), "x.xlsx", layout("xlsx", skipRows=3))[0] == "fichier-vide"


def test_the_shipped_ods(catalogue, samples):
    export = catalogue.networks["assurance-maladie"].export("activite")
    file = samples / "assurance-maladie" / "activite-2024.ods"
    cells = read_cells(file.read_bytes(), file.name, export.layout(2024))
    labels = {field.label or field.name for field in export.fields}
    assert labels & set(cells.header)
    assert cells.rows
    assert {len(row) for row in cells.rows} == {len(cells.header)}


# Parquet


def test_the_types_of_parquet():
    content = parquet(
        texte=["01", None],
        entier=pa.array([7, None], pa.int32()),
        nombre=[1.5, 2.0],
        exact=[Decimal("12.50"), Decimal("3.00")],
        oui=[True, False],
        jour=[datetime.date(2024, 3, 1), None],
        instant=pa.array([datetime.datetime(2024, 3, 1), None], pa.timestamp("ns")),
        octets=[b"ab", "é".encode()],
        liste=pa.array(["x", "y"]).dictionary_encode(),
    )
    cells = read_cells(content, "x.parquet", layout("parquet", decimalChar=","))
    assert cells.header == ["texte", "entier", "nombre", "exact", "oui", "jour", "instant", "octets", "liste"]
    assert cells.rows == [
        ["01", "7", "1,5", "12,5", "true", "2024-03-01", "2024-03-01", "ab", "x"],
        ["", "", "2", "3", "false", "", "", "é", "y"],
    ]
    assert cells.first_row == 1


@pytest.mark.parametrize(
    "column",
    [
        pa.array([2**62], pa.timestamp("us")),
        pa.array([10**9], pa.date32()),
        pa.array([0], pa.timestamp("us", tz="Mars/Olympus")),
        pa.array([b"\xff"]),
    ],
    ids=["instant", "date", "fuseau", "octets"],
)
def test_a_value_that_has_no_text_makes_the_file_unusable(column):
    assert rule_of(parquet(a=column), "x.parquet", layout("parquet"))[0] == "fichier-illisible"


# Any bytes

LAYOUTS = {
    "csv": layout("csv", delimiter=";"),
    "xlsx": layout("xlsx"),
    "ods": layout("ods"),
    "parquet": layout("parquet"),
}
NAMES = st.sampled_from(["x.csv", "x.csv.gz", "x.zip", "X.ZIP", "x"])


def cells_or_refusal(content, name, declared):
    """Read, and see that nothing but these two comes out."""
    try:
        cells = read_cells(content, name, declared)
    except UnusableFileError as error:
        assert error.rule
        assert str(error)
        return None
    assert isinstance(cells, Cells)
    assert all(isinstance(cell, str) for row in [cells.header, *cells.rows] for cell in row)
    assert cells.first_row >= 1
    return cells


@pytest.mark.parametrize("form", LAYOUTS)
@given(content=st.binary(max_size=300), name=NAMES)
@example(content=b"", name="x.csv")
@example(content=b"PK\x03\x04", name="x.zip")
@example(content=b"PAR1PAR1", name="x")
@example(content=b"\x1f\x8b", name="x.csv.gz")
def test_any_bytes_are_cells_or_a_refusal(form, content, name):
    cells_or_refusal(content, name, LAYOUTS[form])


SAMPLES = [
    ("csv", "caf/telephone-2022.csv"),
    ("xlsx", "caf/dossiers-2022.xlsx"),
    ("ods", "assurance-maladie/activite-2022.ods"),
    ("parquet", "france-travail/enquete-2022.parquet"),
    ("csv", "gendarmerie/resultats-2022.zip"),
]
# Where (a share of the file), and what.
MUTATIONS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6)


@pytest.mark.parametrize(("form", "file"), SAMPLES, ids=[file for _, file in SAMPLES])
@settings(max_examples=60)
@given(data=st.data(), keep=st.one_of(st.just(1.0), st.floats(0, 1)), ends=st.booleans())
def test_a_damaged_file_is_cells_or_a_refusal(samples, form, file, data, keep, ends):
    content = bytearray((samples / file).read_bytes())
    content = content[: int(len(content) * keep)]
    reach = min(len(content), 1500) if ends else len(content)
    for place, byte in data.draw(MUTATIONS):
        if content:
            content[len(content) - 1 - int(place * reach)] = byte
    cells_or_refusal(bytes(content), file, LAYOUTS[form])


@pytest.mark.parametrize(("form", "file"), SAMPLES, ids=[file for _, file in SAMPLES])
def test_the_whole_sample_is_read(samples, form, file):
    assert cells_or_refusal((samples / file).read_bytes(), file, LAYOUTS[form]).rows


@pytest.mark.parametrize(("form", "file"), [item for item in SAMPLES if item[0] != "csv"])
def test_a_file_cut_in_two_is_refused(samples, form, file):
    content = (samples / file).read_bytes()
    assert rule_of(content[: len(content) // 2], file, LAYOUTS[form])[0] == "fichier-illisible"
