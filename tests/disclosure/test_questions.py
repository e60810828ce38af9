"""Several questions of one survey: one pattern for those that as many people answered, a wider one for the others."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest

from pipelines.declarations import Catalogue
from pipelines.disclosure.audit import COUNTED, TIGHT, audit, refusals, secret_figures
from pipelines.disclosure.results_table import protected, secret_totals, without_bounds, without_counts

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


def hidden_offices(frame: pd.DataFrame, indicator: str) -> set[str]:
    rows = frame[frame["indicateur"].eq(indicator) & frame["maille"].eq("site")]
    return set(rows.loc[rows["statut_confidentialite"].eq("C"), "structure_code"])


def findings_of(found: pd.DataFrame, results: pd.DataFrame, catalogue: Catalogue, **others: Any) -> pd.DataFrame:
    secrets = secret_figures(results, results.assign(statut_confidentialite="C"))
    return audit(found, catalogue, secrets, **others)


def test_questions_that_as_many_answered_are_hidden_together(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS, COUNTS)
    found = protected(results, catalogue)
    assert hidden_offices(found, "essai") == hidden_offices(found, "autre") == {"B1", "B2", "B3"}
    assert findings_of(found, results, catalogue).empty


def test_a_neighbour_published_by_the_other_question_is_a_hole(world) -> None:
    """One question shows B3 and B2, the other hides them: together they tell B1."""
    catalogue, computed = world
    results = computed(COUNTS, COUNTS)
    holed = protected(results, catalogue)
    for office in ("B2", "B3"):
        row = at(holed, "autre", office).to_numpy()
        holed.loc[row, FIGURES] = results.loc[row, FIGURES]
        holed.loc[row, "statut_confidentialite"] = "F"
    findings = findings_of(holed, results, catalogue)
    assert TIGHT in set(refusals(findings)["constat"])
    assert "B1" in set(refusals(findings)["structure_code"])


def test_a_base_just_above_the_minimum_is_hidden_with_the_one_below(world) -> None:
    """Ten and eleven answers: the second base, published, would tell the first one to a person."""
    catalogue, computed = world
    results = computed({**COUNTS, "B1": 10}, {**COUNTS, "B1": 11, "B6": 82, "B5": 51})
    found = protected(results, catalogue)
    assert "B1" in hidden_offices(found, "autre") & hidden_offices(found, "essai")
    assert found.loc[at(found, "autre", "B1"), FIGURES].isna().all(axis=None)
    assert findings_of(found, results, catalogue).empty


def test_a_question_asked_of_half_hides_nothing_of_the_other(world) -> None:
    """Half of those who answered one answered the other: the first one's bases are far above the second's."""
    catalogue, computed = world
    results = computed(COUNTS, {office: 3 * count for office, count in COUNTS.items()})
    found = protected(results, catalogue)
    assert hidden_offices(found, "autre") == set()
    assert "B1" in hidden_offices(found, "essai")
    assert findings_of(found, results, catalogue).empty


def test_who_did_not_get_the_question_are_a_base_too(world) -> None:
    """Of the 30 of B4, 25 got the second question: the five others would be a subtraction away."""
    catalogue, computed = world
    second = {office: count // 3 for office, count in COUNTS.items()}
    results = computed({**COUNTS, "B1": 60}, {**second, "B1": 20, "B4": 25})
    found = protected(results, catalogue)
    assert "B4" in hidden_offices(found, "autre")
    assert "B4" not in hidden_offices(found, "essai")
    assert findings_of(found, results, catalogue).empty


def receipts(rows: int) -> pd.DataFrame:
    return pd.DataFrame({
        "reseau": ["labo"], "annee": [2024], "export": ["essai"], "etat": ["accepté"],
        "lignes_lues": [rows], "lignes_acceptees": [rows], "lignes_refusees": [0],
    })  # fmt: skip


def test_the_number_of_rows_is_withheld_where_the_total_is(world) -> None:
    """Without a national value, 294 rows less what the other offices publish would be the answers of B1."""
    catalogue, computed = world
    results = computed(COUNTS, COUNTS)
    found = protected(results, catalogue)
    assert secret_totals(found, catalogue) == set()
    assert without_counts(receipts(294), "receptions", set())["lignes_acceptees"].item() == 294
    finest = found[found["maille"].eq("site")]
    secret = secret_totals(finest, catalogue)
    assert secret == {("labo", 2024, "essai")}
    findings = findings_of(finest, results, catalogue, others={"receptions": receipts(294)})
    assert set(refusals(findings)["constat"]) == {COUNTED}
    blank = without_counts(receipts(294), "receptions", secret)
    assert blank[["lignes_lues", "lignes_acceptees"]].isna().all(axis=None)
    assert findings_of(finest, results, catalogue, others={"receptions": blank}).empty


def found_in_files() -> pd.DataFrame:
    places = {"reseau": "labo", "annee": 2024, "export": ["essai", "essai", "essai", "autre"]}
    return pd.DataFrame(places | {
        "severite": ["erreur", "avertissement", "erreur", "avertissement"], "nombre": [4, 290, 1, 12],
        "premiere_ligne": [17.0, 2.0, None, 3.0], "derniere_ligne": [294.0, 291.0, None, 14.0],
    })  # fmt: skip


def test_nothing_found_in_a_file_says_how_many_rows_it_has_where_the_total_is_secret(world) -> None:
    """A line number is a row; 290 warnings are 290 rows that stay in the results."""
    catalogue, computed = world
    results = computed(COUNTS, COUNTS)
    finest = protected(results, catalogue).loc[lambda rows: rows["maille"].eq("site")]
    findings = findings_of(finest, results, catalogue, others={"anomalies": found_in_files()})
    assert set(refusals(findings)["constat"]) == {COUNTED}
    safe = without_bounds(found_in_files(), secret_totals(finest, catalogue))
    assert safe["nombre"].tolist() == [4, 1, 12], "of errors, which no result counts, and of another export"
    assert safe["derniere_ligne"].dropna().tolist() == [14.0]
    assert findings_of(finest, results, catalogue, others={"anomalies": safe}).empty
    pd.testing.assert_frame_equal(without_bounds(found_in_files(), set()), found_in_files())
