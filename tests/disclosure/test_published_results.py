"""On rows of results: what is hidden with a small base, what the audit finds, and what never leaves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.compute.network_year import RESULT_COLUMNS
from pipelines.declarations import Catalogue
from pipelines.disclosure.audit import (
    ALREADY,
    PREVIOUS,
    TIGHT,
    UNMASKED,
    audit,
    known_of_year,
    refusals,
    secret_figures,
)
from pipelines.disclosure.results_table import coarsened, disclosure_summary, protected, without_secrets
from pipelines.disclosure.revised import unless_few

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


def findings_of(
    shown: pd.DataFrame, results: pd.DataFrame, catalogue: Catalogue, *earlier: pd.DataFrame
) -> pd.DataFrame:
    """What the audit finds in a table, made of those results."""
    hidden = results.assign(statut_confidentialite="C")
    return audit(shown, catalogue, secret_figures(results, hidden), earlier)


def test_neighbours_are_hidden_until_any_of_them_may_be_known(world) -> None:
    """B1 and B3 alone would do for a stranger; B3, who knows its 25, would read the 6 of B1: B2 is hidden too."""
    catalogue, computed = world
    results = computed(COUNTS)
    assert results["effectif"].notna().all(), "ce qui est calculé reste disponible en interne"
    found = protected(results, catalogue)
    told = status(found)
    assert {place for place, item in told.items() if item != "F"} == {("site", name) for name in ("B1", "B2", "B3")}
    hidden = found[found["statut_confidentialite"] != "F"]
    assert hidden[FIGURES].isna().all(axis=None)
    assert set(hidden["statut_confidentialite"]) == {"C"}, "rien ne dit lequel est sous le seuil"
    assert set(hidden["motif"]) == {"secret-statistique"}
    assert findings_of(found, results, catalogue).empty


def test_the_formula_says_what_a_reader_may_know(world) -> None:
    """71 answers in three offices, each of which has somebody: from 1 to 69 each."""
    catalogue, computed = world
    results = computed(COUNTS)
    found = protected(results, catalogue)
    known = known_of_year(found, secret_figures(results, found), catalogue).set_index("structure_code")
    assert set(known.index) == {"B1", "B2", "B3"}
    assert set(known["borne_basse"]) == {1.0}
    assert set(known["borne_haute"]) == {69.0}
    assert not known["trop_pres"].any()


def test_nothing_is_hidden_when_no_base_is_small(world) -> None:
    catalogue, computed = world
    results = computed({**COUNTS, "B1": 11})
    pd.testing.assert_frame_equal(protected(results, catalogue), results)


def test_the_order_of_rows_changes_nothing(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS)
    shuffled = results.sample(frac=1, random_state=3).reset_index(drop=True)
    assert status(protected(shuffled, catalogue)) == status(protected(results, catalogue))


def test_hidden_offices_whose_people_all_agree_would_be_known(world) -> None:
    """If all answers of a département are favourable, a hidden office has 100 %: the département is hidden too."""
    catalogue, computed = world
    results = computed(COUNTS, yes=1.0)
    assert status(protected(results, catalogue))["departement", "30"] == "C"
    assert status(protected(computed(COUNTS), catalogue))["departement", "30"] == "F"


def unhidden(found: pd.DataFrame, results: pd.DataFrame, office: str) -> pd.DataFrame:
    """The protected results with one office shown again."""
    holed = found.copy()
    row = holed["structure_code"].eq(office).to_numpy()
    holed.loc[row, FIGURES] = results.loc[row, FIGURES]
    holed.loc[row, "statut_confidentialite"] = "F"
    return holed


def test_a_planted_hole_is_found(world) -> None:
    catalogue, computed = world
    results = computed({**COUNTS, "B2": 14})
    found = protected(results, catalogue)
    assert findings_of(unhidden(found, results, "B2"), results, catalogue).empty, "B1 et B3 : de 1 à 30, c'est permis"
    holed = unhidden(unhidden(found, results, "B2"), results, "B3")
    findings = findings_of(holed, results, catalogue)
    assert set(findings["constat"]) == {TIGHT}
    assert findings["structure_code"].tolist() == ["B1"]
    assert len(refusals(findings)) == len(findings)


def test_a_hidden_row_with_a_figure_is_found(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS)
    found = protected(results, catalogue)
    found.loc[found["structure_code"].eq("B1"), "borne_haute"] = 81.2  # with the value, Wilson's bound tells the base
    assert UNMASKED in set(refusals(findings_of(found, results, catalogue))["constat"])


def test_a_hidden_value_given_as_the_previous_one_is_found(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS)
    found = protected(results, catalogue).assign(valeur_precedente=np.nan, evolution=np.nan)
    after = found.assign(annee=2025, periode="2025")
    after.loc[after["structure_code"].eq("B1"), "valeur_precedente"] = 50.0
    both = pd.concat([found, after], ignore_index=True)
    computed_both = pd.concat([results, results.assign(annee=2025, periode="2025")], ignore_index=True)
    assert set(refusals(findings_of(both, computed_both, catalogue))["constat"]) == {PREVIOUS}


def test_what_an_earlier_release_published_is_told_and_not_refused(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS)
    told = results.assign(statut_confidentialite="F")  # a release from before there was any control
    found = protected(results, catalogue, [told])
    findings = findings_of(found, results, catalogue, told)
    assert set(findings["constat"]) == {ALREADY}
    assert refusals(findings).empty


def test_the_same_figures_are_hidden_alike_in_the_next_release(world) -> None:
    catalogue, computed = world
    results = computed(COUNTS)
    first = protected(results, catalogue)
    pd.testing.assert_frame_equal(protected(results, catalogue, [first]), first)


def test_what_was_hidden_stays_hidden_when_it_no_longer_need_be(world) -> None:
    """B1 goes from 6 to 20: shown, it would tell what the fourteen late answers were, with yesterday's département."""
    catalogue, computed = world
    first = protected(computed(COUNTS), catalogue)
    again = protected(computed({**COUNTS, "B1": 20}), catalogue, [first])
    assert status(again) == status(first)
    whole = again["maille"].eq("departement") & again["territoire_code"].eq("30")
    assert again.loc[whole, "effectif"].item() == 85


def test_what_few_people_moved_waits(world) -> None:
    """B5 gets one answer more: kept everywhere, since the département less B4 would tell it; accepted, published."""
    catalogue, computed = world
    first = protected(computed(COUNTS), catalogue)
    later = computed({**COUNTS, "B5": 51})
    kept = unless_few(protected(later, catalogue, [first]), catalogue, [first])
    shown = first["statut_confidentialite"].eq("F")
    figures = [*FIGURES, "statut_confidentialite", "motif"]
    pd.testing.assert_frame_equal(
        kept.set_index(["maille", "territoire_code", "structure_code"])[figures].sort_index(),
        first.set_index(["maille", "territoire_code", "structure_code"])[figures].sort_index(),
    )
    assert kept["statut_observation"].value_counts().to_dict() == {"P": int(shown.sum()), "A": int((~shown).sum())}
    assert findings_of(kept, later, catalogue, first).empty
    accepted = unless_few(protected(later, catalogue, [first]), catalogue, [first], {("labo", 2024)})
    assert accepted.loc[accepted["structure_code"].eq("B5"), "effectif"].item() == 51
    assert accepted["statut_observation"].eq("A").all()


def test_weighted_figures_published_again_are_no_revision(world) -> None:
    """Their numerators are never published: none in the earlier release is no change."""
    catalogue, computed = world
    weighted = computed(COUNTS)
    weighted["effectif_pondere"] = weighted["effectif"] * 1.5
    first = coarsened(protected(weighted, catalogue))
    again = unless_few(protected(weighted, catalogue, [first]), catalogue, [first])
    assert again["statut_observation"].eq("A").all()


def test_an_answer_put_right_waits_too(world) -> None:
    """As many answers, one of which is another now."""
    catalogue, computed = world
    first = protected(computed(COUNTS), catalogue)
    later = computed(COUNTS)
    one = later["structure_code"].eq("B5")
    later.loc[one, "numerateur"] += 1
    later.loc[one, "valeur"] += 2
    assert unless_few(protected(later, catalogue, [first]), catalogue, [first])["statut_observation"].eq("P").any()


def test_what_was_shown_protects_nothing_any_more(world) -> None:
    """B5 was shown; when B4 falls under the threshold, its old figure beside the new total would tell B4."""
    catalogue, computed = world
    first = protected(computed(COUNTS), catalogue)
    results = computed({**COUNTS, "B4": 5})
    found = protected(results, catalogue, [first])
    told = status(found)
    assert (told["site", "B4"], told["departement", "34"]) == ("C", "C")
    assert status(protected(results, catalogue))["departement", "34"] == "F", "sans version antérieure, elle suffirait"
    findings = findings_of(found, results, catalogue, first)
    assert refusals(findings).empty


def test_a_hidden_place_whose_file_is_withdrawn_keeps_its_row(world) -> None:
    catalogue, computed = world
    first = protected(computed(COUNTS), catalogue)
    again = protected(computed({name: count for name, count in COUNTS.items() if name != "B2"}), catalogue, [first])
    row = again[again["structure_code"].eq("B2")].iloc[0]
    beside = again[again["structure_code"].eq("B1")].iloc[0]
    told = ["statut_confidentialite", "motif", "mode_obtention", "date_extraction", "source", "statut_observation"]
    assert row[told].tolist() == beside[told].tolist(), "rien ne dit que son fichier n'est plus là"
    assert pd.isna(row["date_reference"])
    assert pd.isna(beside["date_reference"])
    assert status(again)["site", "B1"] == status(again)["site", "B3"] == "C"


def test_releases_are_read_from_their_files_alike(world, tmp_path) -> None:
    catalogue, computed = world
    first = protected(computed(COUNTS), catalogue)
    first.to_parquet(tmp_path / "resultats.parquet")
    halves = [tmp_path / f"resultats-{at}.parquet" for at in range(2)]
    for at, path in enumerate(halves):
        first.iloc[at::2].to_parquet(path)
    results = computed({**COUNTS, "B4": 5})
    expected = protected(results, catalogue, [first])
    for files in (tmp_path / "resultats.parquet", halves):
        pd.testing.assert_frame_equal(protected(results, catalogue, [files]), expected)


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


@pytest.mark.parametrize(("count", "status"), [(10, "C"), (11, "F")])
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
    assert (line["statut_confidentialite"], pd.isna(line["effectif"])) == (status, status == "C")
    assert line["motif"] == ("secret-statistique" if status == "C" else "base-insuffisante")


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


def test_the_summary_counts_what_is_hidden(world) -> None:
    catalogue, computed = world
    summary = disclosure_summary(protected(computed(COUNTS), catalogue))
    line = summary.iloc[0]
    assert (len(summary), line["maille"], line["valeurs"], line["secret"], line["part_secret"]) == (1, "site", 3, 3, 50)


def test_blanking_alone_leaves_no_figure_of_a_secret_row(world) -> None:
    _, computed = world
    blank = without_secrets(computed(COUNTS))
    assert blank.loc[blank["statut_confidentialite"].eq("C"), FIGURES].isna().all(axis=None)
    assert set(RESULT_COLUMNS) <= set(blank.columns)
