"""Every shipped export has a template whose example rows, put in the sheet to fill, are accepted by the command."""

from __future__ import annotations

import io
import json
from pathlib import Path

import frictionless
import openpyxl
import pytest
from files_of_cells import declared, judged, written

from pipelines.cli import main
from pipelines.compile.expected_cells import example_rows, territory_codes
from pipelines.compile.template import template_schema, template_workbook
from pipelines.declarations import load
from pipelines.declarations.network import Acceptance
from pipelines.declarations.roles import row_rules
from pipelines.declarations.strict_model import Constraints

PROJECT = Path(__file__).resolve().parents[2]
SHIPPED = [
    pytest.param(name, export.id, index, id=f"{name}-{export.id}-{index}")
    for name, network in load(PROJECT / "schemas").networks.items()
    for export in network.exports
    for index in range(len(export.layouts))
]


def header_height(layout) -> int:
    return layout.skip_rows + layout.header_rows


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
    assert main(["template", "caf", "enquete", "--year", "2024", "--folder", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "modele-caf-enquete-2024.schema.json",
        "modele-caf-enquete-2024.xlsx",
    ]
    book = openpyxl.load_workbook(tmp_path / "modele-caf-enquete-2024.xlsx")
    assert book.sheetnames == ["Données", "Lisez-moi", "Colonnes", "Exemple", "Listes"]
    sheet = book["Données"]
    assert [cell.value for cell in sheet[1]][:3] == ["id_reponse", "date", "code_departement"]
    assert "obligatoire" in sheet["A1"].comment.text
    assert "Exemple : R2024-00001" in sheet["A1"].comment.text  # of the year of the template
    assert (sheet.column_dimensions["B"].width, book["Exemple"]["B2"].number_format) == (14.7109375, "yyyy-mm-dd")
    lists = [rule for rule in sheet.data_validations.dataValidation if rule.type == "list"]
    assert {str(rule.sqref).split(":")[0] for rule in lists} == {"C2", "F2"}
    assert all("choisissez une valeur de la liste" in rule.error for rule in lists)
    assert [cell.value for cell in book["Listes"]["A"]][1:3] == ["Très satisfait", "Plutôt satisfait"]
    assert "30 : Gard" in {cell.value for cell in book["Listes"]["D"]}
    asked = {row[0].value: [cell.value for cell in row[1:]] for row in book["Colonnes"].iter_rows(min_row=2)}
    assert asked["q2_effort"][0] == "Facilité (1 à 7). 1 : très difficile, 7 : très facile"
    assert "CAF suivi du département" in asked["code_caf"][1] and "[0-9" not in asked["code_caf"][1]
    told = " ".join(str(cell.value) for cell in book["Lisez-moi"]["A"])
    assert "enquete-2024.xlsx" in told and "enquete-2024.csv" in told
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
    assert main(["template", *arguments, "--folder", str(tmp_path)]) == 2
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


def bare(codes, levels, **more):
    """An export none of whose columns declares an example."""
    by_level = {"level": levels} if isinstance(levels, str) else {"level": {"field": "maille", "values": levels}}
    return {
        "id": "essai",
        "kind": "values",
        "title": "Essai",
        "fields": [
            {"name": "code", "label": "Code", "constraints": {"required": True}},
            {"name": "nom", "label": "Guichet"},
            {"name": "maille", "label": "Maille", "constraints": {"required": True}},
            {"name": "zone", "label": "Zone", "constraints": {"required": True, **more}},
            {"name": "valeur", "label": "Valeur", "type": "number"},
        ],
        "territory": {"field": "zone", "codes": codes},
        "structure": {"code": "code", "name": "nom"},
        **by_level,
    }


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
@pytest.mark.parametrize(
    ("export", "rows"),
    [
        (bare("departement", "site"), 1),
        (bare("departement", "departement"), 1),
        (bare("region", "region"), 1),
        (bare("departement", "site", pattern="97[1-6]"), 1),
        (bare("pilote", {"S": "site", "D": "departement", "R": "region", "N": "national"}), 4),
        (bare("pilote", {"R": "region"}), 1),
        (bare("departement", {"D": "departement", "R": "region"}), 1),  # no code of that column is a région
        (bare("departement", "site", pattern="X+"), 0),
    ],
)
def test_examples_of_places_are_places(catalogue, tmp_path, form, export, rows):
    declared_export, layout = declared(export, form)
    territories = catalogue.territories.of_year(2024)
    made = example_rows(declared_export, layout, territories, 2024)
    assert len(made) == rows
    assert "texte" not in {row["zone"] for row in made}
    if rows:
        cells = [[field.label for field in declared_export.fields], *(list(row.values()) for row in made)]
        verdict, problems = judged(
            written(cells, form),
            declared_export,
            layout,
            catalogue,
            Acceptance(max_refused_share=0, why="essai"),
            tmp_path,
        )
        assert (verdict.state, verdict.accepted, problems) == ("accepté", rows, [])


@pytest.mark.parametrize(
    "export", [bare("departement", "site"), bare("region", "region"), bare("pilote", {"D": "departement"})]
)
def test_producers_are_never_told_a_text_for_a_place(catalogue, tmp_path, export):
    declared_export, layout = declared(export, "csv")
    level = "x" if isinstance(export["level"], str) else next(iter(export["level"]["values"]))
    cells = [["Code", "Guichet", "Maille", "Zone", "Valeur"], *(["S1", "", level, zone, "1"] for zone in ("Ain", ""))]
    acceptance = Acceptance(max_refused_share=1, why="essai")
    _, problems = judged(written(cells, "csv"), declared_export, layout, catalogue, acceptance, tmp_path)
    told = {item.rule: item.example for item in problems if item.column == "Zone"}
    assert set(told) == {"territoire-inconnu", "constraint-error"}
    gazetteer = set(territory_codes(declared_export, catalogue.territories.of_year(2024)))
    assert set(told.values()) <= gazetteer


def test_an_example_follows_the_roles_of_columns(catalogue, tmp_path, capsys):
    """Answers are those of the indicators, weights count: what the template shows is accepted by the command."""
    export = catalogue.networks["caf"].export("enquete")
    fields = [
        field.model_copy(update={"example": None, "constraints": Constraints(required=field.constraints.required)})
        for field in export.fields
    ]
    plain = export.model_copy(update={"fields": tuple(fields)})
    rules = row_rules(catalogue, "caf", export, [2024])
    (row,) = example_rows(plain, plain.layouts[0], catalogue.territories.of_year(2024), 2024, rules)
    listed = [rule for rule in rules if rule.check == "listed" and rule.refuses]
    assert listed
    for rule in listed:
        assert row[rule.columns[0]] in {str(value) for value in rule.values}


def test_no_row_is_shown_where_none_is_known_to_be_right(catalogue):
    export = {**bare("departement", "site"), "fields": [
        {"name": "code", "label": "Code", "constraints": {"required": True, "pattern": "XYZ[0-9]{7}"}},
        {"name": "zone", "label": "Zone"},
        {"name": "nom", "label": "Nom"},
        {"name": "valeur", "label": "Valeur", "type": "number"},
    ]}  # fmt: skip
    declared_export, layout = declared(export, "xlsx")
    content = template_workbook(catalogue, "caf", declared_export, layout, 2024)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book["Exemple"].max_row == 1
    notice = " ".join(str(cell.value) for cell in book["Lisez-moi"]["A"])
    assert "aucun exemple juste n'est déclaré" in notice
