"""The copy of the refused rows: what a spreadsheet reads back."""

from __future__ import annotations

import io
from dataclasses import replace

import openpyxl

from pipelines.validate import RefusedRow, annotated_copy
from pipelines.validate.verdict import SetAside

CONTENT = (
    "1;01/02/2024;30;9;=1+1;\n"
    "2;01/02/2024;30;4;bien;ok\n"
    "3;01/02/2024\n"
    "4;01/02/2024;30;4;x;y;en trop\n"
    ";;;;;\n"
    "2;01/02/2024;99;4;MARQUEUR@example.org;ok\n"
)


def book(lab) -> openpyxl.Workbook:
    content = annotated_copy(lab.judged(lab.header + CONTENT), lab.export, lab.layout, "Essai")
    assert content is not None
    return openpyxl.load_workbook(io.BytesIO(content))


def bad(cell) -> bool:
    return cell.fill.fgColor.rgb == "FFFFC7CE" and cell.font.bold and cell.border.left.style is not None


def test_rows_with_their_numbers_and_their_cells_as_text(lab):
    sheet = book(lab)["Lignes refusées"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:7] == ("Ligne du fichier", "N°", "Jour", "departement", "Note", "Avis", "Remarque")
    assert rows[0][-1] == "Problèmes"
    assert [row[0] for row in rows[1:]] == [2, 4, 5, 6, 7]
    assert rows[1][1:6] == ("1", "01/02/2024", "30", "9", "=1+1")
    assert sheet["F2"].data_type == "s"
    assert sheet["F2"].number_format == "@"


def test_bad_cells_are_coloured_marked_and_commented(lab):
    sheet = book(lab)["Lignes refusées"]
    assert bad(sheet["E2"])
    assert "trop grande (au plus 5)" in sheet["E2"].comment.text
    assert not bad(sheet["D2"]) and sheet["D2"].comment is None
    assert "Note : La valeur est trop grande" in [cell.value for cell in sheet[2]][-1]
    assert bad(sheet["H4"]) and sheet["H4"].value == "en trop"
    commented = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.comment]
    assert all(bad(cell) for cell in commented)
    numbers = {cell.row for cell in commented}
    assert numbers == {2, 3, 4, 5, 6}


def test_problems_are_told_once_a_row(lab):
    text = lab.header + "1;01/02/2024;30;4;;;x;y;z\n2;01/02/2024\n3;01/02/2024;30;4;;\n3;01/02/2024;30;4;;\n"
    content = annotated_copy(lab.judged(text), lab.export, lab.layout, "Essai")
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Lignes refusées"]
    assert [row[-1] for row in sheet.iter_rows(min_row=2, values_only=True)] == [
        "La ligne a plus de cellules que l'en-tête.",
        "La ligne a moins de cellules que l'en-tête.",
        "N° : La clé figure déjà dans le fichier (comme à la ligne 4).",
    ]
    assert [cell.column_letter for cell in sheet[2] if bad(cell)] == ["H", "I", "J"]
    assert [cell.column_letter for cell in sheet[3] if bad(cell)] == ["D", "E", "F", "G"]
    assert [cell.column_letter for cell in sheet[4] if bad(cell)] == ["B"]


def test_one_refused_row_is_no_plural(lab):
    content = annotated_copy(lab.judged(lab.header + "1;01/02/2024;30;9;;\n"), lab.export, lab.layout, "Essai")
    told = [str(row[0]) for row in openpyxl.load_workbook(io.BytesIO(content))["Lisez-moi"].iter_rows(values_only=True)]
    assert any("1 ligne refusée." in line for line in told)


def test_the_producer_finds_its_own_values_and_a_warning_not_to_spread_them(lab):
    found = book(lab)
    assert "MARQUEUR@example.org" in [cell.value for cell in found["Lignes refusées"][6]]
    assert any("ne le diffusez pas" in str(row[0]) for row in found["Lisez-moi"].iter_rows(values_only=True))


def test_same_bytes_twice_and_none_when_nothing_is_refused(lab):
    verdict = lab.judged(lab.header + CONTENT)
    first = annotated_copy(verdict, lab.export, lab.layout, "Essai")
    assert first == annotated_copy(verdict, lab.export, lab.layout, "Essai")
    clean = lab.judged(lab.header + "1;01/02/2024;30;4;;\n")
    assert clean.clean
    assert annotated_copy(clean, lab.export, lab.layout, "Essai") is None


def test_it_says_when_more_rows_were_refused_than_kept(lab):
    verdict = lab.judged(lab.header + CONTENT)
    (part,) = verdict.set_aside
    verdict.set_aside = [replace(part, refused=12_000), SetAside("autre.csv", part.header, part.rows[:1], 1)]
    content = annotated_copy(verdict, lab.export, lab.layout, "Essai")
    found = openpyxl.load_workbook(io.BytesIO(content))
    assert found.sheetnames == ["Lignes refusées 1", "Lignes refusées 2", "Lisez-moi"]
    told = " ".join(str(row[0]) for row in found["Lisez-moi"].iter_rows(values_only=True))
    assert "12\u202f000 lignes refusées. Seules les 5 premières" in told


def test_formulas_control_characters_and_huge_rows_stay_harmless(lab):
    verdict = lab.judged(lab.header + CONTENT)
    cells = ["=cmd|'/c calc'!A1", "@SUM(1)", "+1", "-1", "a\x07b\n\tc", "x" * 40_000, *["y"] * 20_000]
    verdict.set_aside = [SetAside("f.csv", ["=HYPERLINK(1)", "http://x"], [RefusedRow(2, 2024, cells)], 1)]
    content = annotated_copy(verdict, lab.export, lab.layout, "=Essai")
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Lignes refusées"]
    assert sheet.max_column == 16_384
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert sheet["B2"].value == "=cmd|'/c calc'!A1"
    assert sheet["B1"].hyperlink is None
