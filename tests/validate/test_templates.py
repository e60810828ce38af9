"""Every shipped export has a template whose example rows, put in the sheet to fill, are accepted by the command."""

from __future__ import annotations

import io
import json
from pathlib import Path

import frictionless
import openpyxl
import pytest

from pipelines.cli import main
from pipelines.compile.template import template_schema, template_workbook
from pipelines.declarations import load

PROJECT = Path(__file__).resolve().parents[2]
SHIPPED = [
    pytest.param(name, export.id, index, id=f"{name}-{export.id}-{index}")
    for name, network in load(PROJECT / "schemas").networks.items()
    for export in network.exports
    for index in range(len(export.layouts))
]


def header_height(layout) -> int:
    return layout.skip_rows + layout.header_rows if layout.format in ("xlsx", "ods") else 1


def filled(content: bytes, height: int) -> openpyxl.Workbook:
    """Copy the example rows into the first sheet, as a producer would."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    first, example = book.worksheets[0], book["Exemple"]
    for row in example.iter_rows(min_row=height + 1):
        for cell in row:
            copy = first.cell(cell.row, cell.column, cell.value)
            copy.number_format = cell.number_format
    return book


@pytest.mark.parametrize(("network", "name", "index"), SHIPPED)
def test_a_filled_template_validates(catalogue, tmp_path, capsys, network, name, index):
    export = catalogue.networks[network].export(name)
    layout = export.layouts[index]
    year = layout.years.last
    content = template_workbook(catalogue, network, export, layout, year)
    assert content == template_workbook(catalogue, network, export, layout, year)
    path = tmp_path / f"rempli-{year}.xlsx"
    filled(content, header_height(layout)).save(path)
    code = main(["validate", str(path), "--network", network, "--export", name, "--year", str(year), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert code == 0, report["problemes"]
    assert report["lignes_acceptees"] == max(
        1, len(export.level.values) + bool(export.level.values and export.level.otherwise)
    )


@pytest.mark.parametrize(("network", "name", "index"), SHIPPED)
def test_the_schema_of_a_template_is_valid_and_names_the_headers(catalogue, network, name, index):
    export = catalogue.networks[network].export(name)
    layout = export.layouts[index]
    descriptor = template_schema(export, layout, layout.years.last)
    schema = frictionless.Schema.from_descriptor(descriptor)
    assert len(schema.fields) == len(export.fields)
    assert all(field.get("description") for field in descriptor["fields"])


def test_the_command_writes_both_files(tmp_path, capsys):
    assert main(["template", "caf", "enquete", "--year", "2024", "--output", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "modele-caf-enquete-2024.schema.json",
        "modele-caf-enquete-2024.xlsx",
    ]
    book = openpyxl.load_workbook(tmp_path / "modele-caf-enquete-2024.xlsx")
    assert book.sheetnames == ["Données", "Exemple", "Listes", "Lisez-moi"]
    sheet = book["Données"]
    assert [cell.value for cell in sheet[1]][:3] == ["id_reponse", "date", "code_departement"]
    assert "obligatoire" in sheet["A1"].comment.text
    assert "Exemple : R2022-00001" in sheet["A1"].comment.text
    lists = [rule for rule in sheet.data_validations.dataValidation if rule.type == "list"]
    assert {str(rule.sqref).split(":")[0] for rule in lists} == {"C2", "F2"}
    assert [cell.value for cell in book["Listes"]["A"]][1:3] == ["Très satisfait", "Plutôt satisfait"]
    assert sheet.column_dimensions["A"].width > 10


def test_a_template_of_a_workbook_takes_the_place_of_the_file(catalogue, tmp_path):
    """The sheet, the title rows and the merged header rows are those of the layout."""
    export = catalogue.networks["caf"].export("dossiers")
    content = template_workbook(catalogue, "caf", export, export.layouts[0], 2022)
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Dossiers"]
    assert (sheet["A4"].value, sheet["A5"].value) == ("Caisse", "Code")
    assert sheet["G4"].value == "Cumul des délais (jours)"


@pytest.mark.parametrize("arguments", [["caff", "enquete"], ["caf", "enquette"], ["caf", "enquete", "--year", "1999"]])
def test_usage(arguments, tmp_path, capsys):
    assert main(["template", *arguments, "--output", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("resultats : ")
    assert list(tmp_path.iterdir()) == []


def test_dates_typed_in_a_spreadsheet_or_as_text_are_both_read(catalogue, tmp_path, capsys):
    export = catalogue.networks["caf"].export("telephone")
    content = template_workbook(catalogue, "caf", export, export.layouts[0], 2022)
    book = filled(content, 1)
    sheet = book.worksheets[0]
    for column, value in enumerate(["04/2022", "CAF30", "30", 10, 5], start=1):
        sheet.cell(3, column, value)
    sheet.cell(4, 1, "avril")
    path = tmp_path / "a.xlsx"
    book.save(path)
    code = main(["validate", str(path), "--network", "caf", "--export", "telephone", "--year", "2022", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert code == 1
    assert report["lignes_acceptees"] == 2
    assert {(item["regle"], item["colonne"]) for item in report["problemes"]} >= {("type-error", "Mois")}
