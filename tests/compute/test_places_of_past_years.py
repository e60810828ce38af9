"""The shipped list of territories over the years: what it holds, and how a place that changes is followed."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest

from pipelines.compute.network_year import compute_network_year
from pipelines.declarations import Catalogue
from pipelines.declarations.references import Geography
from pipelines.tables.results import with_changes
from pipelines.validate.coordinates import Gazetteer

SHARE = {"estimator": {"name": "share", "favourable": ["oui"], "among": ["oui", "non"]}, "year": "pooled",
         "feed": {"inputs": {"answer": "reponse"}}}  # fmt: skip
YEARS = range(2010, 2027)


@pytest.mark.parametrize("year", YEARS)
def test_each_year_has_the_places_it_had(catalogue: Catalogue, year: int) -> None:
    """22 régions of the mainland until 2015, 13 since; Mayotte is the fifth overseas, and the 101st département."""
    places = catalogue.territories.of_year(year).territories
    assert max(Counter((place.level, place.code) for place in places).values()) == 1, "one state a year"
    regions = {place.code for place in places if place.level == "region"}
    departements = [place for place in places if place.level == "departement" and place.kind == "département"]
    assert len(regions) == (22 if year <= 2015 else 13) + (4 if year == 2010 else 5)
    assert len(departements) == (100 if year == 2010 else 101)
    assert {place.region for place in departements} == regions, "each in a région of that year, none of them empty"


def test_a_departement_has_the_region_of_the_year(catalogue: Catalogue) -> None:
    def region(code: str | None, year: int | None) -> str | None:
        places = catalogue.territories
        return Geography(places.of_year(year) if year else places).region(code)

    assert [region("67", year) for year in (2010, 2015, 2016, 2026, None)] == ["42", "42", "44", "44", "44"]
    assert [region("976", year) for year in (2010, 2011, None)] == [None, "06", "06"]
    assert region("988", 2020) is region(None, 2020) is None


def test_no_place_is_lost_between_two_years(catalogue: Catalogue) -> None:
    for year in YEARS[1:]:
        before, now = (
            {place.code for place in catalogue.territories.of_year(one).territories if place.level == "departement"}
            for one in (year - 1, year)
        )
        assert before == now, "no département appeared, disappeared or changed its code since 2010"


@pytest.mark.parametrize(
    ("code", "kind", "years"),
    [
        ("R42", "pilote", range(2010, 2016)), ("R44", "pilote", range(2016, 2027)), ("R11", "pilote", YEARS),
        ("D67", "pilote", YEARS), ("976", "departement", YEARS), ("R06", "pilote", range(2011, 2027)),
    ],
)  # fmt: skip
def test_files_may_write_the_codes_of_their_year(catalogue: Catalogue, code: str, kind: str, years: range) -> None:
    gazetteer = Gazetteer(catalogue.territories)
    assert [year for year in YEARS if gazetteer.find(code, kind, year)] == list(years)


def test_a_departement_is_counted_in_the_region_of_the_year_and_keeps_its_own_series(labo, levels, pick) -> None:
    export = labo.export({"reponse": "string"}, kind="survey")
    declared = {**SHARE, "levels": levels("pooled", "departement", "region")}
    catalogue = labo.catalogue(declared, export, years="2015-2016")
    made = []
    for year, favourable in ((2015, 30), (2016, 60)):
        rows = [
            {"reponse": "oui" if rank < favourable else "non", "periode": str(year), "structure": "B", "territoire": at}
            for at in ("67", "54", "75") for rank in range(100)
        ]  # fmt: skip
        made.append(compute_network_year(catalogue, "labo", year, {export.id: labo.write(export, rows)}).results)
    found = with_changes(pd.concat(made, ignore_index=True).assign(reseau="labo"), catalogue)
    regions = found[found["maille"] == "region"].set_index(["annee", "territoire_code"])["effectif"]
    assert regions.to_dict() == {
        (2015, "42"): 100, (2015, "41"): 100, (2015, "11"): 100, (2016, "44"): 200, (2016, "11"): 100
    }  # fmt: skip
    for level, code in (("departement", "67"), ("region", "11")):
        line = pick(found, annee=2016, maille=level, territoire_code=code)
        assert (line["valeur_precedente"], line["evolution"], line["evolution_significative"]) == (30, 30, True)
    merged = pick(found, annee=2016, maille="region", territoire_code="44")
    assert merged[["valeur_precedente", "evolution"]].isna().all(), "a new région has no year before"
