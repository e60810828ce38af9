"""A place counts in the reference years in which it existed, and in no other."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.declarations import Territories
from pipelines.declarations.references import Geography
from pipelines.validate.coordinates import Gazetteer

LISTED = Territories.model_validate({
    "vintage": date(2026, 1, 1), "source": "essai",
    "territories": [
        ["national", "FR", "France", "pays"],
        ["region", "42", "Alsace", "région", None, None, 2015],
        ["region", "44", "Grand Est", "région", None, 2016],
        ["departement", "67", "Bas-Rhin", "département", "44"],
        ["departement", "976", "Mayotte", "département", None, 2011],
    ],
})  # fmt: skip


@pytest.mark.parametrize(
    ("code", "codes", "year", "found"),
    [
        ("R42", "pilote", 2015, ("region", "42")),
        ("R42", "pilote", 2016, None),
        ("R44", "pilote", 2015, None),
        ("R44", "pilote", 2024, ("region", "44")),
        ("976", "departement", 2010, None),
        ("976", "departement", 2011, ("departement", "976")),
        ("67", "departement", None, ("departement", "67")),
    ],
)
def test_codes_are_those_of_the_year(code, codes, year, found):
    assert Gazetteer(LISTED).find(code, codes, year) == found


def test_levels_are_those_of_the_year():
    assert [place.code for place in LISTED.of_year(2010).territories] == ["FR", "42", "67"]
    assert Geography(LISTED.of_year(2010)).parts_of("national", "FR", "departement") == {"67"}


def test_a_row_is_judged_in_its_own_year(essai, catalogue):
    places = tuple(
        place.model_copy(update={"until": 2023}) if place.code == "01" and place.level == "departement" else place
        for place in catalogue.territories.territories
    )
    from pipelines.mechanics.opened_files import Cells
    from pipelines.validate import FileContext, validate_file

    rows = [essai.row(Code=f"S{year}", Jour=f"01/01/{year}") for year in (2023, 2024)]
    territories = catalogue.territories.model_copy(update={"territories": places})
    context = FileContext(essai.export, essai.export.layouts[0], territories, "x", None)
    found = validate_file(Cells(essai.header, rows, 2), context)
    assert [(item.rule, item.row) for item in found.findings] == [("territoire-inconnu", 3)]
