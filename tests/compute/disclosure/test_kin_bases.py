"""Two questions on the same rows: the base of one may not tell the hidden base of the other."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.compute.disclosure import audit, protected, refusals, secret_totals, without_counts
from pipelines.compute.disclosure.audit import ALREADY, COUNTED, TIGHT
from pipelines.compute.disclosure.kin import Guess
from pipelines.declarations import Catalogue

FIGURES = ["valeur", "borne_basse", "borne_haute", "effectif", "numerateur", "denominateur"]
PLACES = {"B1": "30", "B2": "30", "B3": "30", "B4": "34", "B5": "34", "B6": "75", "B7": "75", "B8": "34"}
COUNTS = {"B1": 6, "B2": 40, "B3": 25, "B4": 30, "B5": 50, "B6": 80, "B7": 35, "B8": 28}
ESTIMATOR = {"name": "share", "favourable": ["oui"], "among": ["oui", "non"]}


@pytest.fixture(scope="module")
def world(labo: Any, levels: Any) -> tuple[Catalogue, Any]:
    """Two questions of a survey, and a function that computes both from the number of answers of each office."""
    export = labo.export({"reponse": "string", "seconde": "string"}, kind="survey")
    asked = {
        name: {"estimator": ESTIMATOR, "year": "pooled", "decimals": 1, "levels": levels("pooled"),
               "feed": {"inputs": {"answer": field}}}
        for name, field in (("essai", "reponse"), ("autre", "seconde"))
    }  # fmt: skip
    alone = {name: labo.catalogue(indicator, export) for name, indicator in asked.items()}
    both = {name: made.indicators["essai"] for name, made in alone.items()}
    catalogue = dataclasses.replace(alone["essai"], indicators=MappingProxyType(both))

    def computed(first: dict[str, int], second: dict[str, int]) -> pd.DataFrame:
        rows = [
            {"structure": office, "territoire": PLACES[office],
             **{field: ("oui" if number % 2 else "non") if number < counts[office] else None
                for field, counts in (("reponse", first), ("seconde", second))}}
            for office in first
            for number in range(max(first[office], second[office]))
        ]  # fmt: skip
        made = [labo.run(asked[name], export, rows).results.assign(indicateur=name, reseau="labo") for name in asked]
        return pd.concat(made, ignore_index=True)

    return catalogue, computed


def at(frame: pd.DataFrame, indicator: str, office: str) -> pd.Series:
    return frame["indicateur"].eq(indicator) & frame["structure_code"].eq(office)


def status(frame: pd.DataFrame, indicator: str) -> dict[str, str]:
    rows = frame[frame["indicateur"].eq(indicator) & frame["maille"].eq("site")]
    return dict(zip(rows["structure_code"], rows["statut_confidentialite"], strict=True))


def shown(found: pd.DataFrame, results: pd.DataFrame, *places: tuple[str, str]) -> pd.DataFrame:
    """The protected results with some rows as they were computed."""
    holed = found.copy()
    for indicator, office in places:
        row = at(holed, indicator, office).to_numpy()
        holed.loc[row, FIGURES] = results.loc[row, FIGURES]
        holed.loc[row, "statut_confidentialite"] = "F"
    return holed


def blanked(found: pd.DataFrame, indicator: str, office: str) -> pd.DataFrame:
    holed = found.copy()
    row = at(holed, indicator, office).to_numpy()
    holed.loc[row, FIGURES] = np.nan
    holed.loc[row, "statut_confidentialite"] = "D"
    return holed


def test_equal_bases_hide_the_same_neighbour(world) -> None:
    catalogue, computed = world
    found = protected(computed(COUNTS, COUNTS), catalogue)
    assert status(found, "essai") == status(found, "autre")
    assert sorted(status(found, "essai").values()) == ["A", "D", *"FFFFFF"]
    assert audit(found, catalogue).empty


def test_a_neighbour_published_by_the_other_question_is_a_hole(world) -> None:
    """Each question alone is right: one hides B1 and B3, the other B1 and B2; together they tell all three."""
    catalogue, computed = world
    results = computed(COUNTS, COUNTS)
    holed = blanked(shown(protected(results, catalogue), results, ("autre", "B3")), "autre", "B2")
    for name in ("essai", "autre"):
        assert audit(holed[holed["indicateur"].eq(name)], catalogue).empty
    findings = audit(holed, catalogue)
    assert set(findings["constat"]) == {TIGHT}
    base = findings[findings["grandeur"].eq("base") & findings["structure_code"].eq("B1")].iloc[0]
    assert (base["borne_basse"], base["borne_haute"]) == pytest.approx((6, 6), abs=1e-3)
    assert len(refusals(findings)) == len(findings)


NEAR = {**COUNTS, "B1": 11, "B6": 82, "B5": 51}  # nearly all who answered one answered the other


def test_a_base_just_above_the_minimum_is_hidden_with_the_one_below(world) -> None:
    """Ten and eleven answers: the second base, published, would tell the first one to a person."""
    catalogue, computed = world
    results = computed({**COUNTS, "B1": 10}, NEAR)
    assert status(results, "autre")["B1"] == "F"
    found = protected(results, catalogue)
    assert status(found, "autre")["B1"] == status(found, "essai")["B1"] == "A"
    assert found.loc[at(found, "autre", "B1"), "motif"].item() == "secret-statistique"
    assert found.loc[at(found, "autre", "B1"), FIGURES].isna().all(axis=None)
    assert audit(found, catalogue).empty
    findings = audit(shown(found, results, ("autre", "B1")), catalogue)
    told = findings[findings["indicateur"].eq("essai") & findings["structure_code"].eq("B1")]
    assert set(told["constat"]) == {TIGHT}


def test_bases_that_really_differ_are_not_linked(world) -> None:
    """Half of those who answered one answered the other: its base says little, nothing is refused or hidden for it."""
    catalogue, computed = world
    double = {office: 2 * count for office, count in COUNTS.items()}
    results = computed(COUNTS, double)
    found = protected(results, catalogue)
    assert set(status(found, "autre").values()) == {"F"}
    assert status(found, "autre")["B1"] == "F"
    assert audit(found, catalogue).empty


def test_a_place_that_differs_from_all_others_is_not_linked(world) -> None:
    """Equal everywhere but in one office, where few were asked the first question: the rest says nothing of it."""
    catalogue, computed = world
    results = computed({**COUNTS, "B1": 6}, {**COUNTS, "B1": 60})
    found = protected(results, catalogue)
    assert status(found, "essai")["B1"] == "A"
    assert status(found, "autre")["B1"] == "F"
    assert audit(found, catalogue).empty


def test_what_an_earlier_release_told_of_the_other_base_is_not_refused_for_ever(world) -> None:
    """Made when each question was protected alone: the second one hid nothing."""
    catalogue, computed = world
    results = computed({**COUNTS, "B1": 10}, NEAR)
    alone = [results[results["indicateur"].eq(name)] for name in ("essai", "autre")]
    old = pd.concat([protected(rows, catalogue) for rows in alone], ignore_index=True)
    assert set(status(old, "autre").values()) == {"F"}
    again = protected(results, catalogue, [old])
    assert status(again, "autre")["B1"] == "F", "ce qui est public le reste"
    findings = audit(again, catalogue, [old])
    told = findings[findings["indicateur"].eq("essai") & findings["structure_code"].eq("B1")]
    assert set(findings["constat"]) == set(told["constat"]) == {ALREADY}
    assert refusals(findings).empty


def test_random_pairs_of_questions_leave_nothing_to_find(world) -> None:
    """The first question loses some answers at random: whatever is hidden, the audit of both finds nothing."""
    catalogue, computed = world
    random = np.random.default_rng(10)
    tied = 0
    for rate in (0.0, 0.04, 0.3):
        second = {office: int(count) for office, count in zip(COUNTS, random.integers(9, 16, 8), strict=True)}
        first = {office: count - int(random.binomial(count, rate)) for office, count in second.items()}
        results = computed(first, second)
        found = protected(results, catalogue)
        tied += int((found["statut_confidentialite"].eq("A") & results["statut_confidentialite"].eq("F")).sum())
        assert audit(found, catalogue).empty, rate
    assert tied


def test_a_guess_follows_nine_units_out_of_ten() -> None:
    large = np.arange(10.0, 110.0, 10.0)
    guess = Guess.of(np.append(large, 3.0), np.append(large, 90.0))
    assert (guess.ratio, guess.spread) == (1.0, 0.0)
    assert guess.close
    loose = Guess.of(large * 0.95, large)
    assert loose.ratio == pytest.approx(0.95)
    assert loose.spread == pytest.approx(1.645 * np.sqrt(0.95 * 0.05))
    assert not Guess.of(large / 2, large).close


# The number of rows of an export


def receipts(rows: int) -> pd.DataFrame:
    return pd.DataFrame({
        "reseau": ["labo"], "annee": [2024], "export": ["essai"], "etat": ["accepté"],
        "lignes_lues": [rows], "lignes_acceptees": [rows], "lignes_refusees": [0],
    })  # fmt: skip


def test_the_number_of_rows_is_withheld_where_the_total_is(world) -> None:
    """Without a national value, 294 rows less what the other offices publish would be the answers of B1."""
    catalogue, computed = world
    found = protected(computed(COUNTS, COUNTS), catalogue)
    assert secret_totals(found, catalogue) == set()
    assert without_counts(receipts(294), "receptions", set())["lignes_acceptees"].item() == 294
    finest = found[found["maille"].eq("site")]
    secret = secret_totals(finest, catalogue)
    assert secret == {("labo", 2024, "essai")}
    findings = audit(finest, catalogue, others={"receptions": receipts(294)})
    assert set(refusals(findings)["constat"]) == {COUNTED}
    blank = without_counts(receipts(294), "receptions", secret)
    assert blank[["lignes_lues", "lignes_acceptees"]].isna().all(axis=None)
    assert audit(finest, catalogue, others={"receptions": blank}).empty
