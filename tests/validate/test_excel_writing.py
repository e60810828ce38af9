"""A filled template, as it is or saved as CSV by a French spreadsheet: accepted where nothing is ambiguous, and told.

LibreOffice stands in for Excel: it writes a CSV as cells are shown, in the encoding and language that it is asked for.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
from files_of_cells import declared, delimited, judged
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.cli import main
from pipelines.compile.template import template_workbook
from pipelines.declarations.network import Acceptance

STRICT = Acceptance(max_refused_share=0, why="essai")
UNDERSTOOD = "ecriture-comprise"
FRENCH_CSV = "csv:Text - txt - csv (StarCalc):59,34,1252,1,,1036,false,true"  # « ; », cp1252, French, as shown
EXPORT = {
    "id": "essai",
    "kind": "values",
    "title": "Essai",
    "fields": [
        {"name": "code", "label": "Code", "constraints": {"required": True}},
        {"name": "jour", "label": "Jour d'été", "type": "date", "constraints": {"required": True}},
        {"name": "vu", "label": "Vu", "type": "boolean"},
        {"name": "valeur", "label": "Valeur", "type": "number"},
    ],
    "key": ["code"],
    "period": {"field": "jour", "frequency": "day"},
    "structure": {"code": "code"},
    "level": "national",
}
HEADER = ["Code", "Jour d'été", "Vu", "Valeur"]


def tried(catalogue, tmp_path, rows, encoding="cp1252", sign=";", **layout):
    export, declared_layout = declared({**EXPORT, "period": {"field": "jour"}}, "csv", encoding="utf-8", **layout)
    content = delimited([HEADER, *rows], sign).encode(encoding)
    return judged(content, export, declared_layout, catalogue, STRICT, tmp_path)


def understood(problems) -> set[str]:
    return {item.column for item in problems if item.rule == UNDERSTOOD}


@pytest.mark.parametrize("sign", [",", "\t", ";"])
def test_what_admits_one_reading_is_read_so_and_told(catalogue, tmp_path, sign):
    rows = [["A", "31/03/2024", "VRAI", "1,25"], ["B", "01/04/2024", "FAUX", "1,250"], ["C", "02/04/2024", "", "3"]]
    verdict, problems = tried(catalogue, tmp_path, rows, delimiter=sign)
    assert (verdict.state, verdict.accepted) == ("accepté", 3), problems
    assert understood(problems) >= {"Jour d'été", "Vu", "Valeur", ""}
    assert not verdict.clean  # the producer is written to
    table = verdict.observations.table()
    assert [str(day) for day in table["jour"].to_pylist()] == ["2024-03-31", "2024-04-01", "2024-04-02"]
    assert table["valeur"].to_pylist() == [1.25, 1.25, 3.0]
    assert table["vu"].to_pylist() == [True, False, None]


@pytest.mark.parametrize(
    ("rows", "column", "says"),
    [
        ([["A", "03/04/2024", "", "1"], ["B", "05/06/2024", "", "1"]], "Jour d'été", "qui ne se distinguent pas"),
        ([["A", "31/04/2024", "", "1"], ["B", "04/13/2024", "", "1"]], "Jour d'été", "avril 2024 n'existe pas"),
        ([["A", "31/03/2024", "", "1"], ["B", "2024-04-01", "", "1"]], "Jour d'été", "date d'une autre forme"),
        ([["A", "2024-04-01", "", "1,250"], ["B", "2024-04-02", "", "12,500"]], "Valeur", ""),
        ([["A", "2024-04-01", "", "1,25"], ["B", "2024-04-02", "", "1.5"]], "Valeur", "virgule au lieu du point"),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused(catalogue, tmp_path, rows, column, says):
    verdict, problems = tried(catalogue, tmp_path, rows, delimiter=";")
    assert verdict.state == "rejeté"
    assert column not in understood(problems)
    assert says in " ".join(cause for item in problems if item.column == column for cause in item.causes)


def test_a_file_written_as_declared_is_told_nothing(catalogue, tmp_path):
    rows = [["A", "2024-03-31", "true", "1.25"], ["B", "2024-04-01", "false", "3"]]
    verdict, problems = tried(catalogue, tmp_path, rows, "utf-8", sign=",", delimiter=",")
    assert (verdict.state, problems) == ("accepté", [])


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850"])
def test_another_encoding_is_not_taken_for_that_of_excel(catalogue, tmp_path, encoding):
    rows = [["é", "2024-03-31", "", "1"], ["è", "2024-04-01", "", "3"]]
    verdict, problems = tried(catalogue, tmp_path, rows, encoding, delimiter=";")
    assert verdict.state == "rejeté"
    assert "encodage" in {item.rule for item in problems}


DAYS = st.dates(min_value=__import__("datetime").date(2024, 1, 1), max_value=__import__("datetime").date(2024, 12, 31))


@settings(max_examples=60, deadline=None)
@given(days=st.lists(DAYS, min_size=1, max_size=6), form=st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d"]))
def test_no_day_is_ever_read_for_another(catalogue, tmp_path_factory, days, form):
    """Whatever the order in which days were written, those accepted are those that were meant."""
    rows = [[f"C{rank}", day.strftime(form), "", "1"] for rank, day in enumerate(days)]
    verdict, _ = tried(catalogue, tmp_path_factory.mktemp("jours"), rows, delimiter=";")
    if verdict.state == "accepté":
        assert verdict.observations.table()["jour"].to_pylist() == days


def filled(content: bytes, path: Path, height: int) -> Path:
    """Put the example rows in the sheet to fill."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for row in book["Exemple"].iter_rows(min_row=height + 1):
        for cell in row:
            copy = book.worksheets[0].cell(cell.row, cell.column, cell.value)
            copy.number_format = cell.number_format
    book.save(path)
    return path


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice n'est pas installé")
@pytest.mark.parametrize(("name", "year"), [("enquete", 2024), ("enquete", 2022), ("telephone", 2024)])
def test_a_template_saved_as_csv_by_a_french_spreadsheet_is_accepted(catalogue, tmp_path, capsys, name, year):
    export = catalogue.networks["caf"].export(name)
    content = template_workbook(catalogue, "caf", export, export.layout(year), year)
    book = filled(content, tmp_path / f"{name}-{year}.xlsx", 1)
    profile = f"-env:UserInstallation=file://{tmp_path}/profil"
    command = ["soffice", profile, "--headless", "--convert-to", FRENCH_CSV, "--outdir", str(tmp_path), str(book)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    for path in (book, book.with_suffix(".csv")):
        arguments = ["validate", str(path), "--network", "caf", "--export", name, "--year", str(year)]
        assert main(arguments) == 0, capsys.readouterr().out
