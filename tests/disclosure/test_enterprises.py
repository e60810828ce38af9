"""Data on enterprises: hidden under three of them, or when one makes more than 85 %; and what is beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.disclosure.audit import audit, refusals, secret_figures
from pipelines.disclosure.results_table import protected
from pipelines.disclosure.revised import unless_few

SUM = {
    "estimator": {"name": "sum"},
    "year": "sum",
    "enterprises": {"why": "essai"},
    "feed": {"inputs": {"value": "montant"}, "contributor": "siren"},
}


def _row(place: str, siren: str | None, amount: float, structure: str) -> dict[str, Any]:
    return {"territoire": place, "siren": siren, "montant": amount, "structure": structure}


def _spread(place: str, structure: str, amounts: list[float]) -> list[dict[str, Any]]:
    return [_row(place, f"{structure}-{number}", amount, structure) for number, amount in enumerate(amounts)]


def _export(labo: Any) -> Any:
    return labo.export({"montant": "number", "siren": "string"}, kind="operations")


def _published(labo: Any, declared: dict[str, Any], rows: list[dict[str, Any]]) -> pd.DataFrame:
    export = _export(labo)
    catalogue = labo.catalogue(declared, export)
    results = labo.run(declared, export, rows).results.assign(reseau="labo")
    found = protected(results, catalogue)
    assert refusals(audit(found, catalogue, secret_figures(results, found))).empty
    return found


@pytest.mark.parametrize(
    ("amounts", "shown"),
    [
        ([10.0, 10.0, 10.0], True),
        ([10.0, 10.0], False),
        ([85.0, 10.0, 5.0], True),
        ([85.5, 10.0, 4.5], False),
        ([10.0, 10.0, 0.0], False),
        ([-10.0, 10.0, 10.0], True),
    ],
)
def test_three_enterprises_none_above_85_percent(labo, levels, pick, amounts, shown):
    declared = {**SUM, "levels": levels("sum", "site")}
    rows = _spread("30", "B1", amounts)
    found = labo.run(declared, _export(labo), rows).results
    line = pick(found, structure_code="B1", periode="2024")
    assert line["statut_confidentialite"] == ("F" if shown else "C")
    assert (line["motif"] == "secret-statistique") != shown
    assert line["valeur"] == sum(amounts)  # kept inside, for what must be hidden beside it


@pytest.mark.parametrize("again", ["B1-0 ", "b1-0", "B1-0\u200b", "B1-0.0", "00B1-0"])
def test_an_enterprise_written_in_two_ways_is_one_enterprise(labo, levels, pick, again):
    declared = {**SUM, "levels": levels("sum", "site")}
    rows = [*_spread("30", "B1", [10.0, 10.0]), _row("30", again, 10.0, "B1")]
    line = pick(labo.run(declared, _export(labo), rows).results, structure_code="B1", periode="2024")
    assert line["statut_confidentialite"] == "C"


def test_one_enterprise_in_two_offices_counts_once_above(labo, levels, pick):
    declared = {**SUM, "levels": levels("sum", "national")}
    rows = [_row("30", siren, 10, office) for siren in ("A", "B") for office in ("B1", "B2")]
    line = pick(labo.run(declared, _export(labo), rows).results, maille="national", periode="2024")
    assert line["statut_confidentialite"] == "C"


def test_rows_without_an_enterprise_are_one(labo, levels, pick):
    declared = {**SUM, "levels": levels("sum", "site")}
    rows = [_row("30", None, 10, "B1") for _ in range(5)]
    line = pick(labo.run(declared, _export(labo), rows).results, structure_code="B1", periode="2024")
    assert line["statut_confidentialite"] == "C"


def test_a_rate_counts_who_makes_its_denominator(labo, levels, pick):
    declared = {
        **SUM, "estimator": {"name": "ratio"}, "year": "ratio_of_sums", "levels": levels("ratio_of_sums", "site"),
        "feed": {"inputs": {"numerator": "pris", "denominator": "montant"}, "contributor": "siren"},
    }  # fmt: skip
    export = labo.export({"montant": "number", "pris": "number", "siren": "string"}, kind="operations")
    rows = [{**row, "pris": 1.0} for row in _spread("30", "B1", [90.0, 5.0, 5.0])]
    line = pick(labo.run(declared, export, rows).results, structure_code="B1", periode="2024")
    assert line["statut_confidentialite"] == "C"


@settings(max_examples=40)
@given(data=st.data())
def test_no_hidden_amount_is_a_subtraction_away(labo, levels, data):
    """Whatever the amounts: a hidden office of a département is never alone under its total."""
    declared = {**SUM, "levels": levels("sum", "site", "departement", "national")}
    amounts = st.lists(st.integers(1, 1000).map(float), min_size=1, max_size=5)
    rows = []
    for place in ("30", "34"):
        for office in range(data.draw(st.integers(2, 4))):
            rows += _spread(place, f"{place}-{office}", data.draw(amounts))
    published = _published(labo, declared, rows)
    year = published[published["periode"] == "2024"]
    hidden = year["statut_confidentialite"].eq("C")
    assert year.loc[hidden, ["valeur", "effectif"]].isna().all().all()
    for place, offices in year[year["maille"] == "site"].groupby("territoire_code"):
        total = year[(year["maille"] == "departement") & (year["territoire_code"] == place)].iloc[0]
        assert not (pd.notna(total["valeur"]) and offices["valeur"].isna().sum() == 1), place
    places = year[year["maille"] == "departement"]["valeur"]
    whole = year[year["maille"] == "national"]["valeur"].iloc[0]
    assert np.isnan(whole) or places.isna().sum() != 1


def test_the_others_blur_what_the_largest_hidden_office_makes(labo, levels):
    """B1 is made by one enterprise: its 1 000 are hidden among offices that make at least 15 % of them together."""
    declared = {**SUM, "levels": levels("sum", "site", "departement")}
    rows = [
        *_spread("30", "B1", [1000.0]),
        *_spread("30", "B2", [20.0, 20.0, 20.0]),
        *_spread("30", "B3", [50.0, 50.0, 60.0]),
        *_spread("30", "B4", [400.0, 400.0, 400.0]),
    ]
    year = _published(labo, declared, rows)
    sites = year[(year["periode"] == "2024") & (year["maille"] == "site")].set_index("structure_code")
    assert sites["valeur"].isna().to_dict() == {"B1": True, "B2": False, "B3": True, "B4": False}


def _years(labo: Any, levels: Any, quarters: dict[str, dict[str, list[float]]]) -> tuple[Any, pd.DataFrame]:
    """The catalogue, and the results of amounts by quarter and office: four enterprises each."""
    declared = {**SUM, "levels": levels("sum", "site", "departement")}
    export = labo.export({"montant": "number", "siren": "string"}, kind="operations", frequency="quarter")
    rows = [
        {**row, "periode": period}
        for period, offices in quarters.items()
        for office, amounts in offices.items()
        for row in _spread("30", office, amounts)
    ]
    return labo.catalogue(declared, export), labo.run(declared, export, rows).results.assign(reseau="labo")


EVEN = {"B1": [10.0] * 4, "B2": [20.0] * 4, "B3": [30.0] * 4}
REVISIONS = {
    "none": ({"2024-T1": EVEN}, False),
    "one amount put right": ({"2024-T1": EVEN | {"B2": [20.0, 20.0, 20.0, 25.0]}}, True),
    "an enterprise more": ({"2024-T1": EVEN | {"B2": [20.0] * 5}}, True),
    "one amount moved to another office": ({"2024-T1": EVEN | {"B1": [10.0] * 5, "B2": [20.0] * 3 + [10.0]}}, True),
    "a quarter more": ({"2024-T1": EVEN, "2024-T2": EVEN}, False),
    "an office more": ({"2024-T1": EVEN | {"B4": [40.0] * 4}}, False),
    "an office more, of two enterprises": ({"2024-T1": EVEN | {"B4": [40.0] * 2}}, False),  # the total is hidden
    "an office gone": ({"2024-T1": {name: EVEN[name] for name in ("B1", "B2")}}, False),
    "a quarter more, and an amount put right": ({"2024-T1": EVEN | {"B1": [10.0] * 3 + [9.0]}, "2024-T2": EVEN}, True),
}


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_amount_moved_by_nobody_knows_how_many_waits(labo, levels, revision):
    """Today's total less yesterday's is what the enterprises in between declared: it may be one."""
    quarters, waits = REVISIONS[revision]
    catalogue, first = _years(labo, levels, {"2024-T1": EVEN})
    told = protected(first, catalogue).assign(version_publication="1.0.0")
    assert told["statut_confidentialite"].eq("F").all()
    _, later = _years(labo, levels, quarters)
    found = unless_few(protected(later, catalogue, [told]), catalogue, [told])
    assert refusals(audit(found, catalogue, secret_figures(later, found), [told])).empty
    assert set(found["version_conservee"].fillna("")) == ({"1.0.0"} if waits else {""})
    total = found[found["maille"].eq("departement") & found["periode"].eq("2024-T1")]["valeur"].item()
    assert (total == 240) == (waits or revision in ("none", "a quarter more"))
    accepted = unless_few(protected(later, catalogue, [told]), catalogue, [told], {("labo", 2024)})
    assert accepted["version_conservee"].isna().all()


def test_the_declaration_is_checked(labo, levels):
    export = _export(labo)
    with pytest.raises(ValueError, match="demande contributor"):
        labo.catalogue({**SUM, "levels": levels("sum"), "feed": {"inputs": {"value": "montant"}}}, export)
    with pytest.raises(ValueError, match="tient lieu de minimum_base"):
        minimum = {"minimum_base": {"answers": 11, "why": "essai"}}
        labo.catalogue({**SUM, **minimum, "levels": levels("sum")}, export)
