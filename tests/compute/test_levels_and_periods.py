"""From sites to France and from months to the year, for results computed from rows."""

from __future__ import annotations

import datetime
from typing import Any

import pandas as pd
import pytest

from pipelines.compute.network_year import RESULT_COLUMNS, compute_network_year

RATE = {
    "estimator": {"name": "ratio"},
    "year": "ratio_of_sums",
    "feed": {"inputs": {"numerator": "pris", "denominator": "appels"}},
}
TOTAL = {"estimator": {"name": "sum"}, "year": "sum", "feed": {"inputs": {"value": "n"}}}
CALLS = {"pris": "integer", "appels": "integer"}
MONTHS = [f"2024-{month:02d}" for month in range(1, 13)]


def _calls(structure: str, territory: str | None, taken: int, calls: int, period: str = "2024") -> dict[str, Any]:
    return {"structure": structure, "territoire": territory, "pris": taken, "appels": calls, "periode": period}


def _counts(structure: str, territory: str, periods: list[str], value: int | None = 10) -> list[dict[str, Any]]:
    return [{"structure": structure, "territoire": territory, "periode": period, "n": value} for period in periods]


def test_a_rate_is_pooled_at_every_level_never_averaged(labo, levels, pick) -> None:
    rows = [
        _calls("B1", "30", 90, 100),
        _calls("B2", "30", 150, 300),
        _calls("B3", "34", 10, 100),
        _calls("B4", "75", 0, 500),
    ]
    results = labo.run({**RATE, "levels": levels("ratio_of_sums")}, labo.export(CALLS), rows).results
    assert pick(results, structure_code="B2")["valeur"] == 50
    assert pick(results, maille="departement", territoire_code="30")["valeur"] == 60  # the mean of rates: 70
    assert pick(results, maille="region", territoire_code="76")["valeur"] == 50  # 250 / 500
    assert pick(results, maille="region", territoire_code="11")["valeur"] == 0
    assert pick(results, maille="national")["valeur"] == 25  # 250 / 1000
    assert set(results.columns) == set(RESULT_COLUMNS)


def test_an_office_without_a_territory_counts_for_itself_and_for_france_only(labo, levels, pick) -> None:
    rows = [_calls("B1", "30", 50, 100), _calls("CONSULAT", None, 100, 100)]
    results = labo.run({**RATE, "levels": levels("ratio_of_sums")}, labo.export(CALLS), rows).results
    assert pick(results, maille="national")["valeur"] == 75
    assert pick(results, structure_code="CONSULAT")["valeur"] == 100
    assert pick(results, maille="departement")["territoire_code"] == "30"
    assert pick(results, maille="region")["valeur"] == 50


@pytest.mark.parametrize("estimator", ["mean", "median"])
def test_so_does_it_for_values_of_each_request(estimator: str, labo, levels, pick) -> None:
    declared = {"estimator": {"name": estimator}, "year": "pooled", "levels": levels("pooled"),
                "feed": {"inputs": {"value": "n"}}}  # fmt: skip
    rows = [{"structure": "B1", "territoire": "30", "n": 10}, {"structure": "CONSULAT", "territoire": None, "n": 30}]
    results = labo.run(declared, labo.export({"n": "integer"}), rows).results
    assert pick(results, maille="national")["valeur"] == 20
    assert pick(results, structure_code="CONSULAT")["valeur"] == 30
    assert pick(results, maille="region")["valeur"] == 10


def test_an_overseas_collectivity_has_no_region(labo, levels, pick) -> None:
    rows = [_calls("B1", "988", 40, 100), _calls("B2", "971", 60, 100)]
    results = labo.run({**RATE, "levels": levels("ratio_of_sums")}, labo.export(CALLS), rows).results
    assert pick(results, maille="departement", territoire_code="988")["valeur"] == 40
    assert pick(results, maille="region")["territoire_code"] == "01"
    assert pick(results, maille="national")["valeur"] == 50


def test_only_the_finest_level_of_a_file_is_added_up(labo, levels, pick) -> None:
    values = {"DEP": "departement", "REG": "region", "NAT": "national"}
    export = labo.export(CALLS, level={"field": "niveau", "values": values}, structure=None)
    rows = [
        {**_calls("", "30", 50, 100), "structure": None, "maille": "departement"},
        {**_calls("", "34", 30, 100), "structure": None, "maille": "departement"},
        {**_calls("", "76", 999, 1000), "structure": None, "maille": "region"},
        {**_calls("", "FR", 999, 1000), "structure": None, "maille": "national"},
    ]
    declared = {**RATE, "levels": levels("ratio_of_sums", "departement", "region", "national")}
    results = labo.run(declared, export, rows).results
    assert pick(results, maille="region")["valeur"] == 40
    assert pick(results, maille="national")["valeur"] == 40


@pytest.mark.parametrize("estimator", ["ratio", "median"])
def test_regions_that_are_the_finest_level_stay_where_they_are(estimator: str, labo, levels, pick) -> None:
    """Région 84 is not département 84 (Vaucluse, in région 93)."""
    export = labo.export(CALLS, level="region", territory={"field": "lieu", "codes": "region"}, structure=None)
    rows = [
        {**_calls("", code, taken, 100), "structure": None, "maille": "region"}
        for code, taken in [("84", 80), ("11", 40)]
    ]
    median = {"estimator": {"name": "median"}, "year": "pooled", "feed": {"inputs": {"value": "pris"}}}
    declared = RATE if estimator == "ratio" else median
    obtained = "ratio_of_sums" if estimator == "ratio" else "pooled"
    results = labo.run({**declared, "levels": levels(obtained, "region", "national")}, export, rows).results
    assert pick(results, maille="region", territoire_code="84")["valeur"] == 80
    assert pick(results, maille="region", territoire_code="11")["valeur"] == 40
    assert pick(results, maille="national")["valeur"] == 60
    assert len(results) == 3


@pytest.mark.parametrize(
    ("frequency", "periods", "french"),
    [
        ("month", {"2024-01", "2024-02", "2024-11"}, "mensuelle"),
        ("quarter", {"2024-T1", "2024-T4"}, "trimestrielle"),
        ("semester", {"2024-S1", "2024-S2"}, "semestrielle"),
        ("year", {"2024"}, "annuelle"),
    ],
)
def test_the_feed_says_the_finest_period_published(
    frequency: str, periods: set[str], french: str, labo, levels
) -> None:
    rows = [
        _calls("B1", "30", 1, 4, "2024-01"),
        _calls("B1", "30", 3, 4, "2024-02"),
        _calls("B1", "30", 8, 8, "2024-11"),
    ]
    declared = {**RATE, "levels": levels("ratio_of_sums", "national")}
    declared["feed"] = {**RATE["feed"], "frequency": frequency}
    results = labo.run(declared, labo.export(CALLS, frequency="month"), rows).results
    finer = results[results["periode"] != "2024"] if frequency != "year" else results
    assert set(finer["periode"]) == periods
    assert set(finer["frequence"]) == {french}
    year = results[results["periode"] == "2024"]
    assert year["valeur"].tolist() == [75.0]
    assert year["date_reference"].tolist() == [datetime.date(2024, 11, 30)]
    assert set(results["date_extraction"]) == {datetime.date(2025, 2, 15)}
    assert set(results["source"]) == {"labo/essai"}


def test_a_quarter_pools_its_months(labo, levels, pick) -> None:
    rows = [
        _calls("B1", "30", 1, 10, "2024-01"),
        _calls("B1", "30", 9, 30, "2024-03"),
        _calls("B1", "30", 5, 5, "2024-04"),
    ]
    declared = {**RATE, "levels": levels("ratio_of_sums", "site")}
    declared["feed"] = {**RATE["feed"], "frequency": "quarter"}
    results = labo.run(declared, labo.export(CALLS, frequency="month"), rows).results
    assert pick(results, periode="2024-T1")["valeur"] == 25
    assert pick(results, periode="2024-T2")["valeur"] == 100


def test_a_year_of_all_its_months_is_summed(labo, levels, pick) -> None:
    rows = _counts("B1", "30", MONTHS) + _counts("B2", "34", MONTHS, 5)
    results = labo.run(
        {**TOTAL, "levels": levels("sum")}, labo.export({"n": "integer"}, frequency="month"), rows
    ).results
    assert pick(results, maille="national", periode="2024")["valeur"] == 180
    assert pick(results, maille="departement", territoire_code="34", periode="2024")["valeur"] == 60
    assert pick(results, maille="region", periode="2024-05")["valeur"] == 15


@pytest.mark.parametrize("missing", ["no row", "blank"])
def test_a_missing_month_makes_the_year_and_what_holds_it_incomplete(missing: str, labo, levels, pick) -> None:
    rows = _counts("B1", "30", MONTHS) + _counts("B2", "34", MONTHS[:7] + MONTHS[8:]) + _counts("B3", "75", MONTHS)
    if missing == "blank":
        rows += _counts("B2", "34", [MONTHS[7]], None)
    results = labo.run(
        {**TOTAL, "levels": levels("sum")}, labo.export({"n": "integer"}, frequency="month"), rows
    ).results
    year = results[results["periode"] == "2024"]
    for coordinates in ({"structure_code": "B2"}, {"maille": "departement", "territoire_code": "34"},
                        {"maille": "region", "territoire_code": "76"}, {"maille": "national"}):  # fmt: skip
        line = pick(year, **coordinates)
        assert pd.isna(line["valeur"])
        assert line["motif"] == "donnees-incompletes"
    assert pick(year, structure_code="B1")["valeur"] == 120
    assert pick(year, maille="region", territoire_code="11")["valeur"] == 120
    august = results[results["periode"] == "2024-08"]
    assert pd.isna(pick(august, maille="national")["valeur"])
    assert pick(august, structure_code="B1")["valeur"] == 10
    assert pick(results, maille="national", periode="2024-09")["valeur"] == 30


def test_a_year_with_a_missing_month_still_has_its_rate(labo, levels, pick) -> None:
    rows = [_calls("B1", "30", 1, 2, "2024-01"), _calls("B1", "30", 1, 2, "2024-12")]
    declared = {**RATE, "levels": levels("ratio_of_sums", "national")}
    results = labo.run(declared, labo.export(CALLS, frequency="month"), rows).results
    assert pick(results, periode="2024")["valeur"] == 50


ABSENCES = {
    "type": "integer",
    "missingValues": ["", "ns", "nd", "so"],
    "absences": {"": "non-renseigne", "ns": "non-significatif", "nd": "non-disponible", "so": "sans-objet"},
}


@pytest.mark.parametrize("reason", ["non-renseigne", "non-significatif", "non-disponible", "sans-objet"])
@pytest.mark.parametrize("estimator", ["ratio", "sum", "mean", "median"])
def test_the_reason_that_the_source_gives_is_told(estimator: str, reason: str, labo, levels, pick) -> None:
    rows = [
        {"structure": "B1", "territoire": "30", "n": None, "m": 50, "_absence_n": reason},
        {"structure": "B2", "territoire": "75", "n": 20, "m": 50},
    ]
    obtained = {"ratio": "ratio_of_sums", "sum": "sum"}.get(estimator, "pooled")
    inputs = {"numerator": "n", "denominator": "m"} if estimator == "ratio" else {"value": "n"}
    declared = {
        "estimator": {"name": estimator},
        "year": obtained,
        "levels": levels(obtained),
        "feed": {"inputs": inputs},
    }
    results = labo.run(declared, labo.export({"n": ABSENCES, "m": "integer"}), rows).results
    for coordinates in ({"structure_code": "B1"}, {"maille": "region", "territoire_code": "76"}):
        line = pick(results, **coordinates)
        assert pd.isna(line["valeur"])
        assert line["motif"] == reason
    known = pick(results, structure_code="B2")
    assert known["valeur"] == (40 if estimator == "ratio" else 20)
    assert pd.isna(known["motif"])


def test_reasons_that_differ_are_not_chosen_between(labo, levels, pick) -> None:
    rows = [
        {"structure": "B1", "territoire": "30", "n": None, "_absence_n": "non-significatif"},
        {"structure": "B2", "territoire": "30", "n": None, "_absence_n": "non-disponible"},
    ]
    declared = {
        "estimator": {"name": "mean"},
        "year": "pooled",
        "levels": levels("pooled"),
        "feed": {"inputs": {"value": "n"}},
    }
    results = labo.run(declared, labo.export({"n": ABSENCES}), rows).results
    assert pick(results, maille="departement")["motif"] == "non-renseigne"
    assert pick(results, structure_code="B2")["motif"] == "non-disponible"


def test_where_keeps_only_the_rows_it_names(labo, levels, pick) -> None:
    rows = [{**_calls("B1", "30", 1, 2), "canal": "tel"}, {**_calls("B1", "30", 2, 2), "canal": "web"}]
    declared = {**RATE, "levels": levels("ratio_of_sums", "national")}
    declared["feed"] = {**RATE["feed"], "where": {"canal": "tel"}}
    results = labo.run(declared, labo.export({**CALLS, "canal": "string"}), rows).results
    assert pick(results, maille="national")["valeur"] == 50


def test_an_indicator_whose_export_was_not_accepted_is_left_out(labo, levels) -> None:
    catalogue = labo.catalogue({**RATE, "levels": levels("ratio_of_sums", "national")}, labo.export(CALLS))
    made = compute_network_year(catalogue, "labo", 2024, {})
    assert made.results.empty
    assert list(made.results.columns) == list(RESULT_COLUMNS)
    assert made.structures.empty


def test_the_offices_seen_are_told_with_their_names(labo, levels) -> None:
    rows = [{**_calls("B1", "30", 1, 2), "structure_nom": "Bureau du Gard"}, _calls("B2", None, 1, 2)]
    made = labo.run({**RATE, "levels": levels("ratio_of_sums", "national")}, labo.export(CALLS), rows)
    offices = made.structures.set_index("structure_code")
    assert offices.loc["B1", ["structure", "territoire_code", "maille"]].tolist() == ["Bureau du Gard", "30", "site"]
    assert pd.isna(offices.loc["B2", "territoire_code"])
