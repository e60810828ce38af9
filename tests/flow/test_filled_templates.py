"""A filled template lies in the exports folder in place of the declared CSV: the night receives and judges it."""

from __future__ import annotations

import datetime

import openpyxl
import pytest
from fixtures.small_networks import small

from pipelines.compile.template import template_workbook
from pipelines.declarations.statuses import Status


def fill(project, year, path):
    """Write the workbook of the template with 40 answers, as a producer fills it."""
    export = project.catalogue.networks["alpha"].export("guichet")
    content = template_workbook(project.catalogue, "alpha", export, export.layout(year), year)
    path.write_bytes(content)
    book = openpyxl.load_workbook(path)
    for row in range(40):
        cells = [datetime.date(year, 3, 1 + row % 28), "P0", "content" if row % 4 else "mécontent"]
        for column, value in enumerate(cells, start=1):
            book.worksheets[0].cell(2 + row, column, value)
    book.save(path)


@pytest.mark.parametrize("name", ["guichet-2023.xlsx", "Guichet-2023.XLSX"])
def test_a_filled_template_is_received_in_place_of_the_csv(tmp_path, name):
    project = small(tmp_path)
    (project.exports / "alpha" / "guichet-2023.csv").unlink()
    fill(project, 2023, project.exports / "alpha" / name)
    project.process("alpha", 2023)
    known = project.store.read("alpha", 2023)
    (file,) = known.reception.exports["guichet"]
    assert file.path == f"alpha/{name}"
    assert (known.verdict.exports["guichet"].status, known.verdict.exports["guichet"].read) == (Status.ACCEPTED, 40)
    assert known.results is not None
    assert ("alpha", 2023) not in project.seen()


def test_a_template_sent_back_empty_is_no_data(tmp_path):
    """The rows of its example are invented: they are never read in place of the sheet to fill."""
    project = small(tmp_path)
    (project.exports / "alpha" / "guichet-2023.csv").unlink()
    path = project.exports / "alpha" / "guichet-2023.xlsx"
    export = project.catalogue.networks["alpha"].export("guichet")
    path.write_bytes(template_workbook(project.catalogue, "alpha", export, export.layout(2023), 2023))
    assert len(list(openpyxl.load_workbook(path)["Exemple"].iter_rows())) > 1
    project.process("alpha", 2023)
    assert project.store.read("alpha", 2023).verdict.exports["guichet"].status == Status.NOT_HANDED_OVER


def test_the_declared_file_is_the_one_that_counts(tmp_path):
    project = small(tmp_path)
    fill(project, 2023, project.exports / "alpha" / "guichet-2023.xlsx")
    project.process("alpha", 2023)
    (file,) = project.store.read("alpha", 2023).reception.exports["guichet"]
    assert file.path == "alpha/guichet-2023.csv"


def test_a_file_of_another_export_is_no_template_of_this_one(tmp_path):
    project = small(tmp_path)
    path = project.schemas / "networks" / "alpha.yml"
    text = path.read_text(encoding="utf-8")
    start = text.index("  - id: guichet")
    other = text[start:].replace("id: guichet", "id: annexe").replace("guichet-{year}.csv", "guichet-{year}.xlsx")
    path.write_text(text + other.replace("delimiter: ", "format: xlsx, delimiter: "), encoding="utf-8")
    project.reload()
    (project.exports / "alpha" / "guichet-2023.csv").unlink()
    fill(project, 2023, project.exports / "alpha" / "guichet-2023.xlsx")
    project.receive("alpha", 2023)
    received = project.store.read("alpha", 2023).reception.exports
    assert {name: len(files) for name, files in received.items()} == {"guichet": 0, "annexe": 1}
