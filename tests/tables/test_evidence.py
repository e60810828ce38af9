"""Receipts, quality score and correlations: what stands behind the figures, and what varies with what."""

from __future__ import annotations

import datetime
import random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipelines.declarations import Catalogue
from pipelines.tables.correlations import correlations_table
from pipelines.tables.national_inputs import NationalInputs
from pipelines.tables.receptions import criteria_table, quality_table, receipts_table

ESSAI = {"estimator": {"name": "declared"}, "year": "last", "range": [0, 100], "feed": {"inputs": {"value": "valeur"}},
         "levels": {"departement": {"obtained": "declared"}, "national": {"obtained": "declared"}}}  # fmt: skip
EMPTY = pd.DataFrame()


def receipt(year: int, state: str = "accepté", read: int | None = 10, refused: int = 0) -> dict[str, Any]:
    motif = {"accepté": None, "rejeté": "rejete", "non transmis": "non-transmis"}[state]
    rows = {"lignes_lues": read, "lignes_acceptees": read - refused if read else None, "lignes_refusees": refused}
    return {"reseau": "labo", "annee": year, "export": "essai", "etat": state, "motif": motif, **rows}


def received(catalogue: Catalogue, *receipts: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(receipts, columns=list(receipt(2023)))
    return receipts_table(
        catalogue, NationalInputs(frame, EMPTY, EMPTY, EMPTY, EMPTY, frozenset(), frozenset())
    )  # fmt: skip


# Receipts


def test_each_file_owed_says_what_became_of_it(labo, pick) -> None:
    export = labo.export({"valeur": "number"}, kind="survey", solicited={2023: 400, 2024: 500})
    catalogue = labo.catalogue(ESSAI, export, due="03-31")
    made = received(catalogue, receipt(2023, read=210, refused=10), receipt(2024, "rejeté", 100, 50))
    first, second, third = (pick(made, annee=year) for year in (2023, 2024, 2025))
    assert (first["sollicites"], first["taux_reponse"], first["taux_refus"]) == (400, 50.0, 4.8)
    assert (first["echeance"], first["date_extraction"]) == (datetime.date(2024, 3, 31), datetime.date(2025, 2, 15))
    assert (second["etat"], second["motif_absence"], second["taux_refus"]) == ("rejeté", "rejeté", 50.0)
    assert pd.isna(second["taux_reponse"]), "answers of a refused file are no answers"
    assert (third["etat"], third["motif_absence"]) == ("non transmis", "non transmis")
    assert third[["lignes_lues", "sollicites", "taux_reponse"]].isna().all()


# Quality


def value(code: str, number: float | None, half: float | None = None, status: str = "A", secret: str = "F") -> dict:
    return {
        "reseau": "labo", "annee": 2024, "frequence": "annuelle", "indicateur": "essai", "valeur": number,
        "borne_basse": None if half is None else number - half, "borne_haute": None if half is None else number + half,
        "statut_observation": status, "statut_confidentialite": secret, "territoire_code": code,
        "version_conservee": None,
    }  # fmt: skip


def results_of(*values: dict[str, Any]) -> pd.DataFrame:
    kinds = {"valeur": "float64", "borne_basse": "float64", "borne_haute": "float64"}
    return pd.DataFrame(list(values), columns=list(value("", 1.0))).astype(kinds)


def test_each_criterion_counts_what_it_says(labo, pick) -> None:
    export = labo.export({"valeur": "number"}, layouts=[
        {"years": 2023, "path": "a", "extracted": "2024-06-01"},
        {"years": "2024-2025", "path": "a", "extracted": "2025-02-01"},
    ])  # fmt: skip
    catalogue = labo.catalogue(ESSAI, export, due="03-31")
    results = results_of(
        value("01", 50.0, 5.0), value("13", 50.0, 5.1), value("21", 50.0), value("29", None, status="O"),
        value("30", None, status="Q", secret="C"), value("31", None, status="Q", secret="C"),
        value("33", None, status="M"),
    )  # fmt: skip
    made = quality_table(catalogue, received(catalogue, receipt(2023), receipt(2024, read=80, refused=20)), results)
    found = pick(made, annee=2024)
    marks = {name: found[name] for name in catalogue.quality}
    assert marks == {"completude": 100, "validite": 75, "couverture": 75, "ponctualite": 100, "precision": 50}
    assert found["note"] == round((2 * 100 + 75 + 2 * 75 + 100 + 50) / 7, 1)
    late = pick(made, annee=2023)
    assert late["ponctualite"] == 0, "extracted after the day it was due"
    nothing = pick(made, annee=2025)
    assert (nothing["completude"], nothing["ponctualite"]) == (0, 0)
    assert nothing[["validite", "couverture", "precision"]].isna().all()
    assert nothing["note"] == 0


@settings(max_examples=25)
@given(data=st.data())
def test_the_score_is_a_mean_of_what_is_known(labo, data: st.DataObject) -> None:
    catalogue = labo.catalogue(ESSAI, labo.export({"valeur": "number"}), due="03-31")
    states = [data.draw(st.sampled_from(["accepté", "rejeté", "non transmis"])) for _ in range(3)]
    receipts = [receipt(2023 + rank, state, None if state == "non transmis" else data.draw(st.integers(1, 50)))
                for rank, state in enumerate(states)]  # fmt: skip
    numbers = st.none() | st.floats(0, 100)
    results = results_of(*(value(str(code), number, status="A" if number is not None else "O")
                           for code, number in enumerate(data.draw(st.lists(numbers, max_size=8)))))  # fmt: skip
    for found in quality_table(catalogue, received(catalogue, *receipts), results).to_dict("records"):
        known = {name: found[name] for name in catalogue.quality if not pd.isna(found[name])}
        weights = {name: catalogue.quality[name].weight for name in known}
        expected = sum(known[name] * weights[name] for name in known) / sum(weights.values())
        assert found["note"] == pytest.approx(expected, abs=0.051)
        assert all(0 <= mark <= 100 for mark in (*known.values(), found["note"]))


def test_a_hidden_value_changes_no_mark(labo) -> None:
    catalogue = labo.catalogue(ESSAI, labo.export({"valeur": "number"}))
    files = received(catalogue, receipt(2024))
    seen, hidden = value("01", 50.0, 5.0), value("30", None, status="Q", secret="C")
    alone, both = (quality_table(catalogue, files, results_of(*rows)) for rows in ((seen,), (seen, hidden)))
    pd.testing.assert_frame_equal(alone, both)


def test_the_criteria_are_published_as_declared(catalogue: Catalogue) -> None:
    found = criteria_table(catalogue).set_index("critere")
    assert found["poids"].to_dict() == {name: item.weight for name, item in catalogue.quality.items()}
    assert found["seuil"].dropna().to_dict() == {"precision": 0.05}
    assert set(found.index) == {"completude", "validite", "couverture", "ponctualite", "precision"}


# Correlations


def rows(network: str, indicator: str, values: dict[tuple[int, str], float | None], **other: Any) -> list[dict]:
    return [
        {"reseau": network, "indicateur": indicator, "annee": year, "frequence": "annuelle", "maille": "departement",
         "territoire_code": code, "structure_code": None, "valeur": number, "nature_donnees": "réelles", **other}
        for (year, code), number in values.items()
    ]  # fmt: skip


def drawn(seed: int, codes: int, link: float = 0.0, base: dict | None = None) -> dict[tuple[int, str], float]:
    draw = random.Random(seed)
    places = [(year, f"{code:02}") for year in (2023, 2024) for code in range(1, codes + 1)]
    return {place: draw.gauss(0, 1) + link * (base or {}).get(place, 0) for place in places}


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), codes=st.integers(4, 40), link=st.floats(-3, 3))
def test_a_coefficient_is_that_of_scipy_over_places_and_years(catalogue, seed: int, codes: int, link: float) -> None:
    nps = drawn(seed, codes)
    answered = drawn(seed + 1, codes, link, nps)
    answered.pop((2024, "01"))
    made = correlations_table(catalogue, pd.DataFrame(rows("caf", "nps", nps) + rows("caf", "taux-decroche", answered)))
    (found,) = made.to_dict("records")
    common = [place for place in nps if place in answered]
    expected = stats.spearmanr([nps[place] for place in common], [answered[place] for place in common])[0]
    assert found["rho"] == pytest.approx(expected, abs=5e-4 + 1e-9)
    assert (found["observations"], found["lieux"], found["annees"]) == (2 * codes - 1, codes, "2023-2024")
    established = found["borne_basse"] > 0 or found["borne_haute"] < 0
    assert ("pas de lien établi" in found["lecture"]) != established or abs(expected) == 1
    assert (found["avertissement"] is not None) == (codes < 30)


def test_a_sentence_reads_the_coefficient(catalogue: Catalogue) -> None:
    nps = drawn(1, 20)
    worse = {place: -number for place, number in drawn(2, 20, 3, nps).items()}
    frame = pd.DataFrame(rows("caf", "nps", nps) + rows("caf", "delai-moyen", worse, nature_donnees="synthétiques"))
    (found,) = correlations_table(catalogue, frame).to_dict("records")
    title = catalogue.indicators["delai-moyen"].title
    assert (
        f"là où « {title} » est plus élevé, « Indice de recommandation (NPS) » tend à être moins élevé"
        in found["lecture"]
    )
    assert "Un lien n'est pas une cause." in found["lecture"]
    assert found["avertissement"] == (
        "moins de 30 lieux : coefficient fragile ; données synthétiques : ne dit rien d'un service réel"
    )
    assert found["nature_donnees"] == "synthétiques"


def test_networks_are_put_together_without_mixing_their_levels(catalogue: Catalogue) -> None:
    """Two networks without any link inside, but of very different levels: mixing their rows would invent one."""
    lines: list[dict] = []
    for network, level, seed in (("caf", 0.0, 3), ("france-travail", 50.0, 5)):
        for indicator, shift in (("nps", seed), ("taux-decroche", seed + 1)):
            values = {place: number + level for place, number in drawn(shift, 25).items()}
            lines += rows(network, indicator, values)
    made = correlations_table(catalogue, pd.DataFrame(lines))
    together = made[made["reseau"].isna()].iloc[0]
    assert abs(together["rho"]) < 0.3
    assert together["lieux"] == 50
    assert together["lecture"].startswith("Tous réseaux réunis, 2023-2024 : pas de lien établi")
    ends = made[made["reseau"].notna()]["rho"]
    assert ends.min() <= together["rho"] <= ends.max()


def test_only_published_values_of_places_are_correlated(catalogue: Catalogue) -> None:
    nps, answered = drawn(7, 6), drawn(8, 6)
    known = rows("caf", "nps", nps) + rows("caf", "taux-decroche", answered)
    more = [
        *rows("caf", "nps", {(2023, "90"): 99.0}),
        *rows("caf", "taux-decroche", {(2023, "90"): None}, statut_confidentialite="C"),
        *rows("caf", "nps", {(2023, "FR"): 9.0}, maille="national"),
        *rows("caf", "taux-decroche", {(2023, "FR"): 9.0}, maille="national"),
        *rows("caf", "nps", {(2023, "01"): 9.0}, frequence="mensuelle"),
    ]
    expected = correlations_table(catalogue, pd.DataFrame(known))
    pd.testing.assert_frame_equal(correlations_table(catalogue, pd.DataFrame(known + more)), expected)


def test_a_neutral_count_or_too_few_places_are_not_correlated(catalogue: Catalogue) -> None:
    neutral = rows("caf", "nps", drawn(1, 10)) + rows("caf", "dossiers-traites", drawn(2, 10))
    few = rows("caf", "nps", drawn(1, 3)) + rows("caf", "taux-decroche", drawn(2, 3))
    assert correlations_table(catalogue, pd.DataFrame(neutral)).empty
    assert correlations_table(catalogue, pd.DataFrame(few)).empty


def test_what_never_varies_has_no_coefficient(catalogue: Catalogue) -> None:
    flat = rows("caf", "nps", drawn(1, 10)) + rows("caf", "taux-decroche", dict.fromkeys(drawn(2, 10), 80.0))
    (found,) = correlations_table(catalogue, pd.DataFrame(flat)).to_dict("records")
    assert pd.isna(found["rho"])
    assert "ne varie pas" in found["lecture"]
