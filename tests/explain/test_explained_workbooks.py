"""From native cells of a workbook to published figures, and back: percentages, durations, dates, codes with spaces."""

from __future__ import annotations

import datetime

import pytest
import xlsxwriter
from fixtures.explained_run import YEAR, House, export, levels

from pipelines.explain import explanation, find_row

FIELDS = {
    "taux": {"type": "number", "unit": "%"},
    "attente": {"type": "duration", "unit": "minutes", "format": "mm:ss"},
}
# Offices, rates and waits in seconds; the third code has a space that no one sees.
ROWS = [("B1", 0.853, 155), ("B1", 0.9, 245), ("B2", 0.125, 3605), ("B2\u00a0", 0.25, 0)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("workbooks"))
    layouts = [{"years": YEAR, "path": "attente-{year}.xlsx", "format": "xlsx"}]
    house.network("accueil", export("attente", FIELDS, kind="operations", layouts=layouts))
    for name, unit in (("taux", "%"), ("attente", "minutes")):
        house.indicator(
            f"moyenne-{name}", unit=unit, estimator={"name": "mean"}, year="pooled", levels=levels("pooled"),
            networks={"accueil": {"export": "attente", "inputs": {"value": name}}},
        )  # fmt: skip
    house.exports.mkdir(parents=True)
    with xlsxwriter.Workbook(house.exports / "attente-2024.xlsx") as book:
        forms = {form: book.add_format({"num_format": form}) for form in ("dd/mm/yyyy", "0.0%", "[mm]:ss")}
        book.add_worksheet("Listes").hide()
        sheet = book.add_worksheet("Données")
        sheet.activate()
        sheet.write_row(0, 0, ["jour", "lieu", "bureau", "taux", "attente"])
        for row, (office, rate, wait) in enumerate(ROWS, start=1):
            sheet.write_datetime(row, 0, datetime.datetime(YEAR, 3, row), forms["dd/mm/yyyy"])
            sheet.write_row(row, 1, ["30", office])
            sheet.write_number(row, 3, rate, forms["0.0%"])
            sheet.write_number(row, 4, wait / 86_400, forms["[mm]:ss"])
    house.run()
    return house


@pytest.mark.parametrize(
    ("indicator", "office", "value"),
    [
        ("moyenne-taux", "B1", 87.65),
        ("moyenne-taux", "B2", 18.75),
        ("moyenne-attente", "B1", 3.333),
        ("moyenne-attente", "B2", 30.042),
    ],
)
def test_what_the_sheet_shows_is_published_and_explained(house, indicator, office, value):
    explainer = house.explainer()
    row = find_row(explainer.release.results, indicator, "accueil", YEAR, level="site", structure=office)
    told = explanation(explainer, row, house.schemas)
    assert told["resultat"]["valeur"] == pytest.approx(value, abs=0.001)
    assert told["resultat"]["effectif"] == 2
    assert told["recalcul"]["accord"] is True
