"""On rows of results: what is hidden with a small base, what the audit finds, and what never leaves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.compute.disclosure import audit, coarsened, disclosure_summary, protected, refusals, without_secrets
from pipelines.compute.disclosure.audit import ALREADY, PREVIOUS, TIGHT, TIGHT_EARLIER, UNMASKED
from pipelines.compute.network_year import RESULT_COLUMNS
from pipelines.declarations import Catalogue

FIGURES = ["valeur", "borne_basse", "borne_haute", "effectif", "numerateur", "denominateur"]
SHARE = {
    "estimator": {"name": "share", "favourable": ["oui"], "among": ["oui", "non"]},
    "year": "pooled",
    "feed": {"inputs": {"answer": "reponse"}},
    "decimals": 1,
}
PLACES = {"B1": "30", "B2": "30", "B3": "30", "B4": "34", "B5": "34", "B6": "75"}


@pytest.fixture(scope="module")
def world(labo: Any, levels: Any) -> tuple[Catalogue, Any]:
    """A survey of six offices, and a function that computes it for the number of answers of each."""
    export = labo.export({"reponse": "string"}, kind="survey")
    indicator = {**SHARE, "levels": levels("pooled")}
    catalogue = labo.catalogue(indicator, export)

    def computed(counts: dict[str, int], yes: float = 0.5) -> pd.DataFrame:
        rows = [
            {"structure": office, "territoire": PLACES[office], "reponse": "oui" if number < yes * count else "non"}
            for office, count in counts.items()
            for number in range(count)
        ]
        return labo.run(indicator, export, rows).results.assign(reseau="labo")

    return catalogue, computed


COUNTS = {"B1": 6, "B2": 40, "B3": 25, "B4": 30, "B5": 50, "B6": 80}


def status(frame: pd.DataFrame) -> dict[tuple[str, str], str]:
    names = frame["structure_code"].fillna(frame["territoire_code"])
    return dict(zip(zip(frame["maille"], names, strict=True), frame["statut_confidentialite"], strict=True))


def test_the_smallest_neighbour_is_hidden_with_a_small_office(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS)
    assert results["effectif"].notna().all(), "ce qui est calculé reste disponible en interne"
    found = protected(results, catalogue)
    told = status(found)
    assert (told["site", "B1"], told["site", "B3"]) == ("A", "D")
    assert sum(item != "F" for item in told.values()) == 2
    hidden = found[found["statut_confidentialite"] != "F"]
    assert hidden[FIGURES].isna().all(axis=None)
    assert dict(zip(hidden["structure_code"], hidden["motif"], strict=True)) == {
        "B1": "secret-statistique",
        "B3": "secret-secondaire",
    }
    assert audit(found, catalogue).empty


def test_nothing_is_hidden_when_no_base_is_small(world) -> None:
    catalogue, computed = world
    results = computed({**COUNTS, "B1": 11})
    pd.testing.assert_frame_equal(protected(results, catalogue), results)


def test_the_order_of_rows_changes_nothing(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS)
    shuffled = results.sample(frac=1, random_state=3).reset_index(drop=True)
    assert status(protected(shuffled, catalogue)) == status(protected(results, catalogue))


def test_all_favourable_answers_need_more_than_one_neighbour(world) -> None:
    """Two hidden offices that have only favourable answers have 100 % each: a third, which has others, is hidden."""
    catalogue, computed = world
    results = computed(COUNTS, yes=1.0)
    mixed = computed(COUNTS, yes=0.5)
    offices = results["structure_code"].isin(["B1", "B3"])
    results.loc[~offices, FIGURES] = mixed.loc[~offices, FIGURES]
    both = results[results["maille"].ne("site")].index
    for row in both:
        level, code = results.loc[row, ["maille", "territoire_code"]]
        below = results[results["maille"].eq("site")]
        if level == "departement":
            below = below[below["territoire_code"] == code]
        elif level == "region":
            region = {"30": "76", "34": "76", "75": "11"}
            below = below[below["territoire_code"].map(region) == code]
        results.loc[row, ["numerateur", "denominateur"]] = below[["numerateur", "denominateur"]].sum()
    found = protected(results, catalogue)
    assert status(found)["site", "B2"] == "D"
    assert audit(found, catalogue).empty


def unhidden(found: pd.DataFrame, results: pd.DataFrame, office: str) -> pd.DataFrame:
    """The protected results with one office shown again."""
    holed = found.copy()
    row = holed["structure_code"].eq(office).to_numpy()
    holed.loc[row, [*FIGURES, "statut_confidentialite"]] = results.loc[row, [*FIGURES, "statut_confidentialite"]]
    return holed


def test_a_planted_hole_is_found(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS)
    holed = unhidden(protected(results, catalogue), results, "B3")
    findings = audit(holed, catalogue)
    assert set(findings["constat"]) == {TIGHT}
    base = findings[findings["grandeur"] == "base"].iloc[0]
    assert base["structure_code"] == "B1"
    assert (base["borne_basse"], base["borne_haute"]) == pytest.approx((6, 6), abs=1e-3)
    assert len(refusals(findings)) == len(findings)


def test_a_hidden_row_with_a_figure_is_found(world) -> None:
    catalogue, computed = world
    found = protected(computed(COUNTS), catalogue)
    found.loc[found["structure_code"].eq("B1"), "borne_haute"] = 81.2  # with the value, Wilson's bound tells the base
    assert UNMASKED in set(refusals(audit(found, catalogue))["constat"])


def test_a_hidden_value_given_as_the_previous_one_is_found(world) -> None:
    catalogue, computed = world
    found = protected(computed(COUNTS), catalogue).assign(valeur_precedente=np.nan, evolution=np.nan)
    after = found.assign(annee=2025, periode="2025")
    after.loc[after["structure_code"].eq("B1"), "valeur_precedente"] = 50.0
    both = pd.concat([found, after], ignore_index=True)
    assert set(refusals(audit(both, catalogue))["constat"]) == {PREVIOUS}


def test_what_an_earlier_release_published_is_told_and_not_refused(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS)
    found = protected(results, catalogue)
    findings = audit(found, catalogue, [without_rule(results)])
    assert set(findings["constat"]) == {ALREADY}
    assert refusals(findings).empty


def without_rule(results: pd.DataFrame) -> pd.DataFrame:
    """The results as a release without disclosure control would have told them."""
    return results.assign(statut_confidentialite="F")


def test_two_releases_that_hide_different_neighbours_are_refused(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS)
    found = protected(results, catalogue)
    other = unhidden(found, results, "B3")  # an earlier release hid B2 in its place
    other.loc[other["structure_code"].eq("B2"), FIGURES] = np.nan
    other.loc[other["structure_code"].eq("B2"), "statut_confidentialite"] = "D"
    findings = audit(found, catalogue, [other])
    assert TIGHT_EARLIER in set(refusals(findings)["constat"])


def test_neighbours_already_public_are_not_chosen(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS)
    other = unhidden(protected(results, catalogue), results, "B3")
    other.loc[other["structure_code"].eq("B2"), FIGURES] = np.nan
    other.loc[other["structure_code"].eq("B2"), "statut_confidentialite"] = "D"
    found = protected(results, catalogue, [other])
    assert (status(found)["site", "B3"], status(found)["site", "B2"]) == ("F", "D")
    assert refusals(audit(found, catalogue, [other])).empty


def test_the_same_figures_are_hidden_alike_in_the_next_release(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS)
    first = protected(results, catalogue)
    pd.testing.assert_frame_equal(protected(results, catalogue, [first]), first)


def test_a_reliability_minimum_hides_nothing_beside(labo, levels) -> None:
    rule = {"answers": 30, "reason": "base-insuffisante", "why": "essai"}
    indicator = {**SHARE, "levels": levels("pooled"), "minimum_base": rule}
    export = labo.export({"reponse": "string"}, kind="survey")
    rows = [
        {"structure": o, "territoire": "30", "reponse": "oui"} for o, n in (("B1", 12), ("B2", 60)) for _ in range(n)
    ]
    results = labo.run(indicator, export, rows).results.assign(reseau="labo")
    found = protected(results, labo.catalogue(indicator, export))
    small = found[found["structure_code"] == "B1"].iloc[0]
    assert (small["effectif"], small["statut_confidentialite"]) == (12, "F")
    assert pd.isna(small["valeur"])
    assert found["statut_confidentialite"].eq("F").all()


@pytest.mark.parametrize(("count", "status"), [(10, "A"), (11, "F")])
def test_a_reliability_minimum_lifts_no_secret(labo, levels, count, status) -> None:
    """Under eleven persons the base is hidden too: it would tell those of the other questions."""
    rule = {"answers": 30, "reason": "base-insuffisante", "why": "essai"}
    indicator = {**SHARE, "levels": levels("pooled", "site"), "minimum_base": rule}
    export = labo.export({"reponse": "string"}, kind="survey")
    rows = [{"structure": "B1", "territoire": "30", "reponse": "oui"} for _ in range(count)]
    found = protected(
        labo.run(indicator, export, rows).results.assign(reseau="labo"), labo.catalogue(indicator, export)
    )
    line = found.iloc[0]
    assert (line["statut_confidentialite"], pd.isna(line["effectif"])) == (status, status == "A")
    assert line["motif"] == ("secret-statistique" if status == "A" else "base-insuffisante")


def test_weighted_values_have_no_numerator_to_decode() -> None:
    lines = pd.DataFrame({
        "valeur": [37.3, 50.0], "effectif_pondere": [10.195588, None], "numerateur": [3.807482, 5.0],
        "denominateur": [10.195588, 10.0],
    })  # fmt: skip
    found = coarsened(lines)
    assert found.loc[0, ["numerateur", "denominateur"]].isna().all()
    assert found.loc[0, "effectif_pondere"] == 10
    assert found.loc[1, ["numerateur", "denominateur"]].tolist() == [5.0, 10.0]
    assert found["valeur"].tolist() == [37.3, 50.0]


def test_the_summary_counts_what_is_hidden_and_why(world) -> None:
    catalogue, computed = world
    summary = disclosure_summary(protected(computed(COUNTS), catalogue))
    line = summary.iloc[0]
    assert (line["maille"], line["valeurs"], line["secret_primaire"], line["secret_secondaire"]) == ("site", 4, 1, 1)
    assert (len(summary), line["part_primaire"], line["part_secondaire"]) == (1, 16.7, 16.7)


def test_blanking_alone_leaves_no_figure_of_a_secret_row(world) -> None:
    _, computed = world
    blank = without_secrets(computed(COUNTS))
    assert blank.loc[blank["statut_confidentialite"].eq("A"), FIGURES].isna().all(axis=None)
    assert set(RESULT_COLUMNS) <= set(blank.columns)
