"""What the producer sees in a sheet is what is read, or the verdict says so: XLSX, ODS and Parquet alike."""

from __future__ import annotations

import datetime
import io
import re
import zipfile

import frictionless
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from files_of_cells import judged_alone
from frictionless.resources import TableResource
from hypothesis import given, settings
from hypothesis import strategies as st
from ods_files import number, ods, ods_row, ods_table, text

from pipelines.compile.exports import field_descriptor
from pipelines.declarations import Export, Layout
from pipelines.read import read_cells
from pipelines.validate import recognised

FIELDS = [
    {"name": "code", "label": "Code", "constraints": {"required": True}},
    {"name": "dep", "label": "Département", "constraints": {"required": True}},
    {"name": "taux", "label": "Taux", "type": "number"},
]
HEAD = ["Code", "Département", "Taux"]


def export_of(fields=FIELDS, **more):
    return Export.model_validate({
        "id": "essai", "kind": "values", "title": "Essai", "level": "site", "structure": {"code": "code"},
        "territory": {"field": "dep", "codes": "departement"}, "fields": fields,
        "layouts": [{"years": 2024, "path": "x-{year}.xlsx", "format": "xlsx"}], **more,
    })  # fmt: skip


@pytest.fixture
def judged(catalogue):
    """Judge the bytes of a file as the main job does."""

    def judge(content, form="xlsx", fields=FIELDS, layout=None, **more):
        export = export_of(fields, **more)
        written = Layout.model_validate({"years": 2024, "path": "x", "format": form, **(layout or {})})
        return judged_alone(content, export, written, catalogue)

    return judge


def told(validated):
    return {(item.rule, item.row, item.column) for item in validated.findings}


def values(validated, name="taux"):
    return validated.observations.table().column(name).to_pylist()


def xlsx(write, **options):
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True, **options}) as book:
        write(book)
    return stream.getvalue()


def rated(cells, head=HEAD):
    """A sheet of rates: each one a value, or a value and its number format."""

    def write(book):
        sheet = book.add_worksheet("Données")
        sheet.write_row(0, 0, head)
        for row, cell in enumerate(cells, start=1):
            value, form = cell if isinstance(cell, tuple) else (cell, None)
            sheet.write_row(row, 0, [f"G{row}", "30"])
            sheet.write(row, 2, value, book.add_format({"num_format": form}) if form is not None else None)

    return xlsx(write)


ODS_HEAD = ods_row(*map(text, HEAD))

# Percentages


@pytest.mark.parametrize("form", ["0%", "0.00%", "0.0%", '0.0" "%', "[Red]0%;[Blue]-0%", "#,##0.0 %", "0.0_ %"])
def test_a_percentage_is_read_as_it_is_shown(judged, form):
    validated = judged(rated([(0.853, form), (1.0, form), (0.07, form)]))
    assert values(validated) == [85.3, 100.0, 7.0]
    (warning,) = validated.findings
    assert (warning.rule, warning.severity, warning.count, warning.row, warning.last) == (
        "pourcentage", "avertissement", 3, 2, 4,
    )  # fmt: skip


@pytest.mark.parametrize("form", ['0.0"%"', "0.0\\%", "0.00", "General", '0.0" % de"'])
def test_a_percent_sign_that_is_only_written_changes_nothing(judged, form):
    validated = judged(rated([(85.3, form)]))
    assert values(validated) == [85.3]
    assert not validated.findings


def test_a_percentage_of_an_ods_is_read_as_it_is_shown(judged):
    rows = ODS_HEAD + ods_row(text("G1"), text("30"), number(0.853, "percentage"))
    validated = judged(ods(rows), "ods")
    assert values(validated) == [85.3]
    assert told(validated) == {("pourcentage", 2, "Taux")}


@pytest.mark.parametrize("declared", [{"unit": "part"}, {"constraints": {"minimum": 0, "maximum": 1}}])
def test_a_share_of_one_is_read_as_it_is_stored(judged, declared):
    fields = [*FIELDS[:2], {**FIELDS[2], **declared}]
    validated = judged(rated([(0.853, "0.0%"), 0.5]), fields=fields)
    assert values(validated) == [0.853, 0.5]
    assert not validated.findings


def test_a_number_that_may_be_a_share_or_a_percentage_is_refused(judged):
    validated = judged(rated([(0.853, "0%"), 0.85, 1, 0, 84.2]))
    assert values(validated) == [85.3, 0.0, 84.2]
    assert told(validated) >= {("pourcentage-melange", 3, "Taux"), ("pourcentage-melange", 4, "Taux")}


def test_small_numbers_are_numbers_where_nothing_is_a_percentage(judged):
    assert values(judged(rated([0.85, 1, 0.5]))) == [0.85, 1.0, 0.5]


def test_a_whole_percentage_is_a_whole_number(judged):
    fields = [*FIELDS[:2], {**FIELDS[2], "type": "integer"}]
    assert values(judged(rated([(0.57, "0%"), (0.29, "0%")]), fields=fields)) == [57, 29]


@settings(max_examples=10)
@given(percents=st.lists(st.integers(0, 10_000).map(lambda value: value / 100), min_size=1, max_size=50))
def test_any_percentage_is_read_to_the_last_digit(percents):
    layout = export_of().layouts[0]
    content = rated([(percent / 100, "0.00%") for percent in percents])
    rows = read_cells(content, "x.xlsx", layout, recognised(export_of(), layout)).rows
    assert [float(row[2]) for row in rows] == percents


# Other formats of numbers


@pytest.mark.parametrize("form", ["0,", "#,##0.0,,", '0.0,"k€"', "0,.0", ";;;", '"oui"'])
def test_a_number_shown_in_thousands_is_refused(judged, form):
    validated = judged(rated([(12_000, form), 5]))
    assert told(validated) == {("format-en-milliers", 2, "Taux")}
    assert values(validated) == [5.0]


@pytest.mark.parametrize("form", ["#,##0", "#,##0.00", "0.00E+00", '#,##0" €"', "# ?/?", "[Red]", "@"])
def test_a_number_shown_in_another_way_is_itself(judged, form):
    assert values(judged(rated([(12_000, form)]))) == [12_000.0]


def test_the_leading_zeros_that_a_format_shows_are_read(judged):
    def write(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        sheet.write(1, 0, 1234, book.add_format({"num_format": "00000"}))
        sheet.write(1, 1, 1, book.add_format({"num_format": "00"}))
        sheet.write(1, 2, 12, book.add_format({"num_format": "0000"}))

    validated = judged(xlsx(write))
    assert (values(validated, "_structure"), values(validated)) == (["01234"], [12.0])
    styles = (
        "<number:number-style style:name='N5'><number:number number:min-integer-digits='5'/></number:number-style>"
        "<style:style style:name='c5' style:family='table-cell' style:data-style-name='N5'/>"
    )
    of_cell = ods_row(number(1234, more="table:style-name='c5'"), text("30"), number(1))
    of_column = ods_row(number(1234), text("30"), number(1))
    columns = "<table:table-column table:default-cell-style-name='c5'/>"
    assert values(judged(ods(ODS_HEAD + of_cell, styles), "ods"), "_structure") == ["01234"]
    assert values(judged(ods(ODS_HEAD + of_column, styles, columns), "ods"), "_structure") == ["01234"]


@pytest.mark.parametrize("form", ['"G"000', '"G"General', "00\\-00", "00-00", '[$-40C]000" bis"', "\\G0;0"])
def test_a_code_that_its_format_writes_otherwise_is_refused(judged, form):
    def write(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, [101, "30", 12], book.add_format({"num_format": form}))

    validated = judged(xlsx(write))
    assert told(validated) == {("code-abime", 2, "Code")}
    assert values(validated) == []


@pytest.mark.parametrize("form", ["00 000", "0#\\ ##", "_-* 0_-", '0;"G"0', "#,##0", "[Red]0", "0_);(0)"])
def test_a_code_shown_in_groups_or_with_blanks_is_itself(judged, form):
    def write(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        sheet.write(1, 0, 12345, book.add_format({"num_format": form}))
        sheet.write_row(1, 1, ["30", 12])

    assert values(judged(xlsx(write)), "_structure") == ["12345"]


def test_a_code_of_an_ods_that_its_format_writes_otherwise_is_refused(judged):
    def styled(sign):
        return (
            f"<number:number-style style:name='N5'><number:text>{sign}</number:text><number:number"
            " number:min-integer-digits='3'/></number:number-style>"
            "<style:style style:name='c5' style:family='table-cell' style:data-style-name='N5'/>"
        )

    row = ODS_HEAD + ods_row(number(101, more="table:style-name='c5'"), text("30"), number(1))
    assert told(judged(ods(row, styled("G")), "ods")) == {("code-abime", 2, "Code")}
    assert values(judged(ods(row, styled(" ")), "ods"), "_structure") == ["101"]


def test_a_boolean_is_no_code(judged):
    def write(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, [True, "30", 12])
        sheet.write_row(2, 0, ["G2", "30", 12])

    stream = io.BytesIO()
    pq.write_table(pa.table({"Code": [True], "Département": ["30"], "Taux": [12.0]}), stream)
    assert told(judged(xlsx(write))) == {("code-abime", 2, "Code")}
    assert told(judged(stream.getvalue(), "parquet")) == {("code-abime", 1, "Code")}


# Formulas


def test_a_formula_without_result_is_no_blank(judged):
    book = openpyxl.Workbook()
    book.active.append(HEAD)
    book.active.append(["G1", "30", "=50+30"])
    book.active.append(["G2", "30", 80])
    book.active.append(['="G"&3', "30", 80])
    stream = io.BytesIO()
    book.save(stream)
    validated = judged(stream.getvalue())
    assert told(validated) == {("formule-sans-valeur", 2, "Taux"), ("formule-sans-valeur", 4, "Code")}
    assert values(validated) == [80.0]


def test_a_shared_formula_without_result_is_no_blank_even_alone_in_its_column(judged):
    content = rated([("=1+1", None), ("=1+2", None)])
    shared = (
        b'<c r="C2"><f t="shared" ref="C2:C3" si="0">1+1</f></c>',
        b'<c r="C3"><f t="shared" si="0"/><v></v></c>',
    )
    changed = _altered(
        content, lambda xml: re.sub(rb'<c r="C([23])"[^/]*?<f>.*?</c>', lambda m: shared[int(m[1]) - 2], xml)
    )
    assert told(judged(changed)) == {("formule-sans-valeur", 2, "Taux"), ("formule-sans-valeur", 3, "Taux")}


def _altered(content, change, part="xl/worksheets/sheet1.xml"):
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(stream, "w") as after:
        for item in before.infolist():
            kept = before.read(item)
            after.writestr(item, change(kept) if item.filename == part else kept)
    return stream.getvalue()


def formulas(*results):
    """A sheet of formulas with saved results, by a tool that asks Excel to compute them when it opens the file."""

    def write(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        for row, result in enumerate(results, start=1):
            sheet.write_row(row, 0, [f"G{row}", "30"])
            sheet.write_formula(row, 2, "=A1", None, result)

    return xlsx(write)


def test_zeros_in_place_of_results_are_no_results(judged):
    validated = judged(formulas(0, 0))
    assert told(validated) == {("formule-sans-valeur", 2, "Taux"), ("formule-sans-valeur", 3, "Taux")}


def test_saved_results_are_read_zeros_among_them(judged):
    validated = judged(formulas(0, 12.5))
    assert (values(validated), told(validated)) == ([0.0, 12.5], set())


def test_an_empty_text_is_the_result_of_a_formula(judged):
    content = _altered(formulas("-", 1), lambda xml: xml.replace(b"<v>-</v>", b"<v></v>"))
    validated = judged(content)
    assert (values(validated), told(validated)) == ([None, 1.0], set())


def test_a_formula_of_an_ods_without_result_is_no_blank(judged):
    none = "<table:table-cell table:formula='of:=1+1'/>"
    empty = "<table:table-cell table:formula='of:=1+1' office:value-type='float'/>"
    good = number(2, more="table:formula='of:=1+1'")
    blank = "<table:table-cell table:formula='of:=&quot;&quot;' office:value-type='string' office:string-value=''/>"
    rows = ODS_HEAD + "".join(
        ods_row(text(f"G{place}"), text("30"), cell) for place, cell in enumerate([none, empty, good, blank])
    )
    validated = judged(ods(rows), "ods")
    assert told(validated) == {("formule-sans-valeur", 2, "Taux"), ("formule-sans-valeur", 3, "Taux")}
    assert values(validated) == [2.0, None]


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#DIV/0!", "Err:502"])
def test_an_error_is_no_code_and_no_answer(judged, error):
    fields = [*FIELDS, {"name": "avis", "label": "Avis"}]

    def write(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [*HEAD, "Avis"])
        sheet.write_row(1, 0, [error, "30", 1, "bien"])
        sheet.write_row(2, 0, ["G2", "30", 1, error])

    assert told(judged(xlsx(write), fields=fields)) == {
        ("erreur-tableur", 2, "Code"), ("erreur-tableur", 3, "Avis"),
    }  # fmt: skip


# Native values under a declared writing

NATIVE_FIELDS = [
    *FIELDS[:2],
    {"name": "jour", "label": "Jour", "type": "date", "format": "%d/%m/%Y"},
    {"name": "taux", "label": "Taux", "type": "number", "decimalChar": ",", "groupChar": " "},
    {"name": "ouvert", "label": "Ouvert", "type": "boolean", "trueValues": ["oui"], "falseValues": ["non"]},
]
NATIVE_HEAD = ["Code", "Département", "Jour", "Taux", "Ouvert"]
NATIVE = [["G1", "30", datetime.date(2024, 3, 15), 85.5, True], ["G2", "30", datetime.date(2024, 3, 16), 4.0, False]]


def native_xlsx():
    book = openpyxl.Workbook()
    for row in [NATIVE_HEAD, *NATIVE]:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def native_ods():
    cells = [
        [text(code), text(dep), f"<table:table-cell office:value-type='date' office:date-value='{day}'/>", number(rate),
         f"<table:table-cell office:value-type='boolean' office:boolean-value='{str(is_open).lower()}'/>"]
        for code, dep, day, rate, is_open in NATIVE
    ]  # fmt: skip
    return ods("".join([ods_row(*map(text, NATIVE_HEAD)), *(ods_row(*row) for row in cells)]))


def native_parquet():
    stream = io.BytesIO()
    pq.write_table(pa.table(dict(zip(NATIVE_HEAD, map(list, zip(*NATIVE, strict=True)), strict=True))), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("form", "content"), [("xlsx", native_xlsx()), ("ods", native_ods()), ("parquet", native_parquet())],
    ids=["xlsx", "ods", "parquet"],
)  # fmt: skip
def test_native_values_are_judged_as_frictionless_judges_them(judged, form, content):
    export = export_of(NATIVE_FIELDS)
    schema = {"fields": [field_descriptor(field, export.layouts[0]) for field in export.fields]}
    native = TableResource(
        data=[[field.name for field in export.fields], *NATIVE], schema=frictionless.Schema.from_descriptor(schema)
    )
    assert native.validate().valid
    validated = judged(content, form, NATIVE_FIELDS, {"decimalChar": "."})
    assert not validated.findings
    rows = validated.observations.table().select(["jour", "taux", "ouvert"]).to_pylist()
    assert [list(row.values()) for row in rows] == [row[2:] for row in NATIVE]


@pytest.mark.parametrize(
    ("pattern", "day", "read"),
    [
        ("%d/%m/%y", datetime.date(2024, 3, 15), datetime.date(2024, 3, 15)),
        ("%d/%m/%y", datetime.date(1950, 3, 15), None),  # written 50, it would be 2050
        ("%m/%Y", datetime.date(2024, 3, 15), datetime.date(2024, 3, 1)),
        ("%Y%m%d", datetime.date(2024, 3, 15), datetime.date(2024, 3, 15)),
    ],
)
def test_a_native_date_is_the_day_that_it_shows(judged, pattern, day, read):
    fields = [*FIELDS[:2], {"name": "jour", "label": "Jour", "type": "date", "format": pattern}]
    book = openpyxl.Workbook()
    book.active.append(["Code", "Département", "Jour"])
    book.active.append(["G1", "30", day])
    stream = io.BytesIO()
    book.save(stream)
    validated = judged(stream.getvalue(), fields=fields)
    assert values(validated, "jour") == ([read] if read else [])


def test_a_text_is_judged_by_its_writing_and_a_time_of_day_is_shown(judged):
    fields = [*FIELDS[:2], {"name": "jour", "label": "Jour", "type": "date", "format": "%d/%m/%Y"}]
    book = openpyxl.Workbook()
    for row in [
        ["Code", "Département", "Jour"], ["G1", "30", "15/03/2024"], ["G2", "30", "2024-03-15"],
        ["G3", "30", datetime.datetime(2024, 5, 1, 10, 30)],
    ]:  # fmt: skip
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    validated = judged(stream.getvalue(), fields=fields)
    assert values(validated, "jour") == [datetime.date(2024, 3, 15)]
    assert [item.value for item in validated.findings] == ["2024-03-15", "01/05/2024 10:30:00"]


# Rows, columns and sheets that nobody sees; merged cells


def several(*sheets):
    """A workbook of sheets, each its name, whether it is shown, and its rows."""

    def write(book):
        for name, shown, rows in sheets:
            sheet = book.add_worksheet(name)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
            if shown:
                sheet.activate()
            else:
                sheet.hide()

    return xlsx(write)


GOOD = [HEAD, ["G1", "30", 80]]
LIST = [["Libellé"], ["Oui"], ["Non"]]


@pytest.mark.parametrize(
    ("sheets", "read", "rules"),
    [
        ([("Données", True, GOOD)], "Données", set()),
        ([("Listes", False, LIST), ("Données", True, GOOD)], "Données", {"feuille-lue"}),
        ([("Données", True, GOOD), ("Listes", False, LIST)], "Données", set()),
        ([("Notice", True, LIST), ("Données", True, GOOD)], "Données", {"feuille-lue"}),
        ([("Données", True, GOOD), ("Notice", True, LIST)], "Données", set()),
        ([("Janvier", True, GOOD), ("Février", True, GOOD)], "Janvier", {"feuilles-non-lues"}),
        ([("Données", True, GOOD), ("Exemple", True, GOOD)], "Données", set()),
        ([("Données", True, GOOD), ("Vide", True, [HEAD])], "Données", set()),
    ],
)
def test_the_sheet_that_is_read_is_seen_and_said(judged, sheets, read, rules):
    validated = judged(several(*sheets))
    assert (validated.sheet, values(validated)) == (read, [80.0])
    assert {item.rule for item in validated.findings} == rules


def test_a_declared_sheet_is_read_even_hidden_and_it_is_said(judged):
    validated = judged(several(("Notice", True, LIST), ("Données", False, GOOD)), layout={"sheet": "Données"})
    assert (validated.sheet, {item.rule for item in validated.findings}) == ("Données", {"feuille-lue"})


def test_a_hidden_sheet_of_an_ods_is_not_read(judged):
    hidden = "<style:table-properties table:display='false'/>"
    styles = f"<style:style style:name='ta1' style:family='table'>{hidden}</style:style>"
    row = ods_row(text("G1"), text("30"), number(80))
    tables = ods_table("Listes", "", ods_row(text("Oui")), "table:style-name='ta1'")
    tables += ods_table("Données", "", ODS_HEAD + row)
    validated = judged(ods("", styles, table=tables), "ods")
    assert (validated.sheet, values(validated)) == ("Données", [80.0])


@pytest.mark.parametrize("name", ["", "x" * 300_000], ids=["none", "endless"])
def test_a_sheet_without_a_sensible_name_is_read_errors_and_all(judged, name):
    error = text("#N/A").replace("office:value-type", "calcext:value-type='error' office:value-type")
    rows = ODS_HEAD + ods_row(text("G1"), text("30"), number(80)) + ods_row(text("G2"), text("30"), error)
    validated = judged(ods("", table=ods_table(name, "", rows)), "ods")
    assert (values(validated), told(validated)) == ([80.0], {("type-error", 3, "Taux")})


def test_hidden_rows_and_columns_are_read_and_told(judged):
    def write(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        for row in range(1, 5):
            sheet.write_row(row, 0, [f"G{row}", "30", row])
        for row in (2, 3, 9):
            sheet.set_row(row, None, None, {"hidden": True})
        sheet.set_column(2, 2, None, None, {"hidden": True})

    validated = judged(xlsx(write))
    assert values(validated) == [1, 2, 3, 4]
    assert told(validated) == {("lignes-masquees", 3, ""), ("colonnes-masquees", None, "Taux")}
    (rows,) = (item.message for item in validated.findings if item.rule == "lignes-masquees")
    assert "2 lignes" in rows
    assert "3, 4" in rows
    hidden = ods_row(text("G1"), text("30"), number(1), more="table:visibility='filter'")
    columns = "<table:table-column/><table:table-column table:visibility='collapse' table:number-columns-repeated='2'/>"
    validated = judged(ods(ODS_HEAD + hidden, "", columns), "ods")
    assert told(validated) == {
        ("lignes-masquees", 2, ""), ("colonnes-masquees", None, "Taux"), ("colonnes-masquees", None, "Département"),
    }  # fmt: skip


def test_merged_cells_are_no_blanks(judged):
    def write(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        sheet.merge_range("A2:A3", "G1")
        sheet.write_column("B2", ["30"] * 3)
        sheet.write_column("C2", [1, 2])
        sheet.write("A4", "G3")
        sheet.merge_range("C3:C4", 2)

    validated = judged(xlsx(write))
    assert values(validated) == [1.0]
    assert told(validated) == {("cellule-fusionnee", 3, "Code"), ("cellule-fusionnee", 4, "Taux")}
    spanning = text("G1").replace("office:value-type", "table:number-rows-spanned='2' office:value-type")
    rows = ods_row(spanning, text("30"), number(1)) + ods_row("<table:covered-table-cell/>", text("30"), number(2))
    assert told(judged(ods(ODS_HEAD + rows), "ods")) == {("cellule-fusionnee", 3, "Code")}


def test_merged_cells_that_show_nothing_are_blanks(judged):
    def write(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, ["G1", "30"])
        sheet.write_row(2, 0, ["G2", "30"])
        sheet.merge_range("C2:C3", "")

    assert values(judged(xlsx(write))) == [None, None]
