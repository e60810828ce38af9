"""Values typed by the network: taken as they are, never remade; their years, absences, and parts."""

from __future__ import annotations

import datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

QUARTERS = [f"2024-T{number}" for number in range(1, 5)]
DECLARED = {"estimator": {"name": "declared"}, "feed": {"inputs": {"value": "valeur", "base": "reponses"}}}


def _dep(code: str, value: float | None, base: float | None = None, **row: Any) -> dict[str, Any]:
    typed = {"maille": "departement", "territoire": code, "valeur": value, "reponses": base}
    return {**typed, "_absence_valeur": "non-renseigne" if value is None else None, **row}


def _national(value: float | None, **row: Any) -> dict[str, Any]:
    return {"maille": "national", "territoire": "FR", "valeur": value, **row}


def _region(code: str, value: float | None, **row: Any) -> dict[str, Any]:
    return {"maille": "region", "territoire": code, "valeur": value, **row}


def _declared(year: str, **levels: str | dict[str, str]) -> dict[str, Any]:
    rules = {name: rule if isinstance(rule, dict) else {"obtained": rule} for name, rule in levels.items()}
    return {**DECLARED, "year": year, "levels": rules}


@settings(max_examples=6)
@given(values=st.lists(st.integers(0, 10**6).map(lambda value: value / 100), min_size=1, max_size=4))
def test_typed_values_are_published_as_they_are(values: list[float], labo) -> None:
    rows = [_dep(code, value) for code, value in zip(["30", "2A", "971", "988"], values, strict=False)]
    results = labo.run(_declared("declared", departement="declared"), labo.typed_export(), rows).results
    assert sorted(results["valeur"]) == sorted(values)
    assert set(results["mode_obtention"]) == {"valeur déclarée par le réseau ; valeur déclarée pour l'année"}


def test_a_national_value_is_the_typed_one_whatever_its_parts(labo, pick) -> None:
    rows = [_dep("30", 90.0), _dep("75", 97.0), _national(95.17)]
    declared = _declared("declared", departement="declared", national="declared")
    assert pick(labo.run(declared, labo.typed_export(), rows).results, maille="national")["valeur"] == 95.17


def test_a_level_that_the_network_did_not_type_is_not_invented(labo) -> None:
    declared = _declared("declared", departement="declared", region="declared", national="declared")
    results = labo.run(declared, labo.typed_export(), [_dep("30", 1.0), _dep("75", 2.0)]).results
    assert set(results["maille"]) == {"departement"}


@pytest.mark.parametrize("reason", ["non-renseigne", "non-significatif", "non-disponible", "sans-objet"])
def test_an_absence_has_the_reason_of_the_source(reason: str, labo) -> None:
    rows = [_dep("30", None, 8, _absence_valeur=reason)]
    results = labo.run(_declared("declared", departement="declared"), labo.typed_export(), rows).results
    assert results["motif"].tolist() == [reason]
    assert results["valeur"].isna().all()


def test_two_values_for_one_place_and_period_are_refused(labo) -> None:
    declared = _declared("declared", departement="declared")
    made = labo.run(declared, labo.typed_export(), [_dep("30", 1.0), _dep("30", 1.0)])
    assert made.results.empty  # that indicator only; the others of the network go on
    (message,) = made.failures.values()
    assert "deux valeurs pour 2024, departement 30" in message
    assert "where" in message


def test_sites_of_one_departement_are_not_duplicates(labo) -> None:
    rows = [{"maille": "site", "territoire": "30", "structure": code, "valeur": 1.0} for code in ("U1", "U2")]
    results = labo.run(_declared("declared", site="declared"), labo.typed_export(), rows).results
    assert results["structure_code"].tolist() == ["U1", "U2"]


# The year


def _quarters(*values: float | None, bases: tuple[float | None, ...] = (None,) * 4) -> list[dict[str, Any]]:
    typed = zip(QUARTERS, values, bases, strict=False)
    return [_dep("30", value, base, periode=period) for period, value, base in typed]


def _year_of(labo, method: str, rows: list[dict[str, Any]]) -> pd.Series:
    declared = _declared(method, departement="declared")
    results = labo.run(declared, labo.typed_export(frequency="quarter"), rows).results
    (line,) = [line for _, line in results[results["frequence"] == "annuelle"].iterrows()]
    return line


def test_last_is_the_last_value_known_and_says_its_date(labo) -> None:
    line = _year_of(labo, "last", _quarters(1.0, 2.0, 3.0, None))
    assert line["valeur"] == 3
    assert line["date_reference"] == datetime.date(2024, 9, 30)
    assert pd.isna(line["motif"])


def test_last_of_nothing_known_has_a_reason(labo) -> None:
    line = _year_of(labo, "last", _quarters(None, None))
    assert pd.isna(line["valeur"])
    assert line["motif"] == "non-renseigne"


def test_sum_of_all_quarters(labo) -> None:
    line = _year_of(labo, "sum", _quarters(1.0, 2.0, 3.0, 0.0, bases=(10, 10, 10, 10)))
    assert (line["valeur"], line["effectif"]) == (6, 40)
    assert line["date_reference"] == datetime.date(2024, 12, 31)


@pytest.mark.parametrize("values", [(1.0, 2.0, 3.0), (1.0, 2.0, 3.0, None)])
def test_sum_without_a_quarter_is_incomplete(values: tuple[float | None, ...], labo) -> None:
    line = _year_of(labo, "sum", _quarters(*values))
    assert pd.isna(line["valeur"])
    assert line["motif"] == "donnees-incompletes"


@given(pairs=st.lists(st.tuples(st.floats(0, 100), st.integers(1, 500)), min_size=1, max_size=4))
@settings(max_examples=6)
def test_the_mean_of_quarters_is_weighted_by_their_bases(pairs: list[tuple[float, int]], labo) -> None:
    values, bases = zip(*pairs, strict=True)
    line = _year_of(labo, "weighted_mean", _quarters(*values, bases=bases))
    expected = sum(value * base for value, base in pairs) / sum(bases)
    assert line["valeur"] == pytest.approx(expected, abs=1e-5)
    assert line["effectif"] == sum(bases)


def test_a_mean_without_a_base_is_not_made(labo) -> None:
    line = _year_of(labo, "weighted_mean", _quarters(80.0, 90.0, bases=(50, None)))
    assert pd.isna(line["valeur"])
    assert line["motif"] == "donnees-incompletes"


def test_a_mean_on_bases_of_zero_has_no_value_and_says_why(labo) -> None:
    line = _year_of(labo, "weighted_mean", _quarters(80.0, 90.0, bases=(0, 0)))
    assert pd.isna(line["valeur"])
    assert line["motif"] == "non-renseigne"


def test_only_the_year_is_published_when_the_feed_says_so(labo) -> None:
    declared = _declared("last", departement="declared")
    declared["feed"] = {**declared["feed"], "frequency": "year"}
    results = labo.run(declared, labo.typed_export(frequency="quarter"), _quarters(1.0, 2.0)).results
    assert results[["periode", "valeur"]].to_numpy().tolist() == [["2024", 2.0]]


# Levels made from typed parts


def test_a_sum_of_parts(labo, pick) -> None:
    rows = [_dep("30", 1.0, 5), _dep("34", 2.0, 5), _dep("988", 4.0, 5)]
    declared = _declared("sum", departement="declared", region="sum", national="sum")
    results = labo.run(declared, labo.typed_export(), rows).results
    assert pick(results, maille="region")["valeur"] == 3, "une collectivité n'a pas de région"
    national = pick(results, maille="national")
    assert (national["valeur"], national["effectif"]) == (7, 15)
    assert national["mode_obtention"] == "somme ; somme des périodes de l'année"


def test_a_mean_of_parts_is_weighted_by_their_bases(labo, pick) -> None:
    rows = [_dep("30", 90.0, 100), _dep("34", 50.0, 300)]
    declared = _declared("weighted_mean", departement="declared", region="weighted_mean")
    line = pick(labo.run(declared, labo.typed_export(), rows).results, maille="region")
    assert (line["valeur"], line["effectif"]) == (60, 400)


@pytest.mark.parametrize("method", ["sum", "weighted_mean"])
@pytest.mark.parametrize("reason", ["non-significatif", "non-disponible", "non-renseigne"])
def test_one_absent_part_makes_the_whole_incomplete(method: str, reason: str, labo, pick) -> None:
    rows = [_dep("30", 1.0, 5), _dep("34", None, 5, _absence_valeur=reason), _dep("75", 3.0, 5)]
    results = labo.run(_declared(method, region=method, national=method), labo.typed_export(), rows).results
    for coordinates in ({"territoire_code": "76"}, {"maille": "national"}):
        line = pick(results, **coordinates)
        assert pd.isna(line["valeur"])
        assert pd.isna(line["effectif"])
        assert line["motif"] == "donnees-incompletes"
    assert pick(results, territoire_code="11")["valeur"] == 3


@pytest.mark.parametrize("method", ["sum", "weighted_mean"])
def test_a_part_without_a_row_is_missing_too(method: str, labo, pick) -> None:
    rows = [_dep("30", 1.0, 5, periode=period) for period in QUARTERS]
    rows += [_dep("34", 1.0, 5, periode=period) for period in QUARTERS[1:]]
    export = labo.typed_export(frequency="quarter")
    results = labo.run(_declared(method, region=method), export, rows).results
    assert pick(results, periode="2024-T1")["motif"] == "donnees-incompletes"
    assert pick(results, periode="2024-T2")["valeur"] == (2 if method == "sum" else 1)
    if method == "sum":
        assert pick(results, periode="2024")["motif"] == "donnees-incompletes"


@pytest.mark.parametrize("method", ["sum", "weighted_mean"])
def test_a_part_that_has_nothing_to_give_is_left_out(method: str, labo, pick) -> None:
    rows = [_dep("30", 2.0, 5), _dep("34", None, None, _absence_valeur="sans-objet")]
    line = pick(labo.run(_declared(method, region=method), labo.typed_export(), rows).results, maille="region")
    assert (line["valeur"], line["effectif"]) == (2, 5)


def test_a_mean_of_parts_without_bases_is_not_made(labo, pick) -> None:
    rows = [_dep("30", 90.0, 100), _dep("34", 50.0, None)]
    declared = _declared("weighted_mean", region="weighted_mean")
    line = pick(labo.run(declared, labo.typed_export(), rows).results, maille="region")
    assert pd.isna(line["valeur"])
    assert line["motif"] == "donnees-incompletes"


def test_parts_on_bases_of_zero_give_no_value_and_a_reason(labo, pick) -> None:
    declared = _declared("weighted_mean", region="weighted_mean")
    line = pick(labo.run(declared, labo.typed_export(), [_dep("30", 90.0, 0)]).results, maille="region")
    assert pd.isna(line["valeur"])
    assert line["motif"] == "non-renseigne"


def test_sites_make_departements(labo, pick) -> None:
    rows = [
        {"maille": "site", "territoire": "30", "structure": code, "valeur": value, "reponses": 1}
        for code, value in [("U1", 1.0), ("U2", 3.0)]
    ]
    declared = _declared("sum", departement="sum", region="sum", national="sum")
    results = labo.run(declared, labo.typed_export(), rows).results
    assert pick(results, maille="departement", territoire_code="30")["valeur"] == 4
    assert pick(results, maille="national")["valeur"] == 4


# Discrepancies


COMPARED = {"obtained": "declared", "compare": "sum"}


def _differences(labo, rows: list[dict[str, Any]], decimals: int = 0) -> pd.DataFrame:
    declared = {**_declared("last", departement="declared", region=COMPARED, national=COMPARED), "decimals": decimals}
    return labo.run(declared, labo.typed_export(), rows).discrepancies


def test_a_difference_is_told_with_its_parts(labo, pick) -> None:
    rows = [
        _dep("30", 10.0),
        _dep("34", 5.0),
        _dep("75", 1.0),
        _region("76", 15.0),
        _region("11", 3.0),
        _national(20.0),
    ]
    rows += [_dep("2A", 4.0), _dep("2B", 6.0), _region("94", 13.0)]
    found = _differences(labo, rows)
    line = pick(found, maille="region", territoire_code="94")
    assert (line["valeur_declaree"], line["valeur_calculee"], line["ecart"]) == (13, 10, 3)
    assert (line["parties_presentes"], line["parties_attendues"], line["comparaison"]) == (2, 2, "complète")
    counts = ["valeur_declaree", "valeur_calculee", "parties_presentes", "parties_attendues"]
    partial = {("national", "departement"): [20, 26, 5, 101], ("national", "region"): [20, 31, 3, 18],
               ("region", "departement"): [3, 1, 1, 8]}  # fmt: skip
    for (level, parts), expected in partial.items():
        code = "FR" if level == "national" else "11"
        line = pick(found, maille=level, maille_des_parties=parts, territoire_code=code)
        assert line[counts].tolist() == expected
        assert (line["comparaison"], pd.isna(line["ecart"])) == ("incomplète", True), "some parts are no total"
    assert len(found) == 4


def test_a_total_of_every_part_is_compared_whatever_the_network_adds(labo, catalogue, pick) -> None:
    regions = [place.code for place in catalogue.territories.of_year(2024).territories if place.level == "region"]
    line = pick(_differences(labo, [*(_region(code, 2.0) for code in regions), _national(37.0)]), maille="national")
    assert (line["ecart"], line["comparaison"]) == (37 - 2 * len(regions), "complète")
    departements = [place.code for place in catalogue.territories.of_year(2024).territories if place.region]
    more = _differences(labo, [*(_dep(code, 1.0) for code in (*departements, "975")), _national(105.0)])
    line = pick(more, maille="national", maille_des_parties="departement")
    assert line[["ecart", "parties_presentes", "parties_attendues"]].tolist() == [3, 102, 102]


@pytest.mark.parametrize(
    ("gap", "decimals", "told"), [(0.4, 0, False), (0.6, 0, True), (0.04, 1, False), (-0.06, 1, True)]
)
def test_only_differences_beyond_rounding_are_told(gap: float, decimals: int, told: bool, labo) -> None:
    found = _differences(labo, [_dep("2A", 6.0), _dep("2B", 4.0), _region("94", 10 + gap)], decimals)
    assert len(found) == told
    if told:
        assert found["ecart"].tolist() == [gap]


def test_parts_without_a_value_are_not_present(labo) -> None:
    found = _differences(labo, [_dep("30", 10.0), _dep("34", None), _national(12.0)])
    assert found["parties_presentes"].tolist() == [1]


def test_what_is_not_compared_is_not_told(labo) -> None:
    declared = _declared("last", departement="declared", national="declared")
    made = labo.run(declared, labo.typed_export(), [_dep("30", 10.0), _national(12.0)])
    assert made.discrepancies.empty
