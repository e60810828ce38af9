"""What ``resultats`` says of the year before (tests, breaks, unusual jumps, progress), and ``comparabilite``."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fixtures.all_tables import national_tables
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from pipelines.compute.network_year import RESULT_COLUMNS
from pipelines.declarations import Catalogue
from pipelines.tables.national_inputs import NationalInputs

LEVELS = ("site", "departement", "region", "national")
SHARE = {
    "estimator": {"name": "share", "favourable": ["oui"], "among": ["oui", "non"]},
    "year": "pooled",
    "levels": {level: {"obtained": "pooled"} for level in LEVELS},
    "feed": {"inputs": {"answer": "reponse"}},
}
MARGIN = {"field": "sexe", "shares": {"F": 52, "H": 48}, "source": "essai", "date": "2024-01-01"}


@pytest.fixture(scope="module")
def declared(labo):
    """Declare the share, with what a test adds to the indicator, to its feed or to its export."""

    def made(indicator: dict[str, Any] | None = None, feed: dict[str, Any] | None = None, **export: Any) -> Catalogue:
        answers = {"constraints": {"enum": ["oui", "non"]}}
        survey = labo.export({"reponse": answers, "sexe": "string"}, kind="survey", **export)
        return labo.catalogue({**SHARE, **(indicator or {}), "feed": {**SHARE["feed"], **(feed or {})}}, survey)

    return made


def line(year: int, value: float | None, size: float = 400, **other: Any) -> dict[str, Any]:
    size = np.nan if value is None else size
    return {
        "reseau": "labo", "indicateur": "essai", "annee": year, "periode": str(year), "frequence": "annuelle",
        "maille": "national", "territoire_code": "FR", "valeur": value, "estimation": value, "effectif": size,
        "effectif_efficace": size, "statut_observation": "A", "statut_confidentialite": "F",
        "mode_obtention": "comme ça", "date_reference": datetime.date(year, 12, 31), "source": "labo/essai", **other,
    }  # fmt: skip


def tables(catalogue: Catalogue, results: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    kinds = {name: "object" if kind == "str" else kind for name, kind in RESULT_COLUMNS.items()}
    accepted = {"reseau": "labo", "export": "essai", "etat": "accepté", "motif": None}
    receipts = [{**accepted, "annee": year} for year in (2023, 2024, 2025)]
    frame = pd.DataFrame(results, columns=["reseau", *RESULT_COLUMNS]).astype(kinds)
    empty = pd.DataFrame()
    return national_tables(
        catalogue,
        NationalInputs(pd.DataFrame(receipts), frame, empty, empty, empty, frozenset(), frozenset()),
    )


def place(code: str, level: str = "departement") -> dict[str, str]:
    return {"maille": level, "territoire_code": code}


# Significance


@settings(max_examples=12)
@given(data=st.data())
def test_a_family_is_a_level_of_a_period(declared, data: st.DataObject) -> None:
    codes = ["01", "13", "21", "29", "30", "31"][: data.draw(st.integers(1, 6))]
    answers = {(year, code): data.draw(st.tuples(st.integers(1, 299), st.just(300))) for year in (2023, 2024)
               for code in (*codes, "FR")}  # fmt: skip
    results = [
        line(year, 100 * yes / size, size, **({} if code == "FR" else place(code)))
        for (year, code), (yes, size) in answers.items()
    ]
    found = tables(declared(), results)["resultats"]
    found = found[found["annee"] == 2024].set_index("territoire_code")
    raw = {code: proportions_ztest(*zip(answers[2024, code], answers[2023, code], strict=True))[1]
           for code in (*codes, "FR")}  # fmt: skip
    corrected = multipletests([raw[code] for code in codes], method="fdr_bh")[1].clip(min=1e-6)
    least = {code: max(p, 1e-6) for code, p in raw.items()}
    assert found["valeur_p"].to_dict() == pytest.approx(least, abs=1e-9)
    assert [found["valeur_p_corrigee"][code] for code in codes] == pytest.approx(list(corrected), abs=1e-9)
    assert found["valeur_p_corrigee"]["FR"] == found["valeur_p"]["FR"], "the only one of its level"
    assert (found["evolution_significative"] == (found["valeur_p_corrigee"] <= 0.05)).all()


def test_no_p_value_is_published_as_nothing(declared, pick) -> None:
    found = pick(tables(declared(), [line(2023, 1.0, 9000), line(2024, 99.0, 9000)])["resultats"], annee=2024)
    assert (found["valeur_p"], found["valeur_p_corrigee"]) == (1e-6, 1e-6)
    assert found["evolution_significative"] is True


def test_a_hidden_value_takes_part_in_nothing(declared, pick) -> None:
    """Whatever stands behind a hidden value, every published cell is the same: nothing can be told from them."""
    made = []
    for secret in (10.0, 90.0):
        hidden = line(2024, None, motif="secret-statistique", **place("31"))
        hidden |= {"estimation": secret, "effectif_efficace": 400.0, "erreur_type": 1.0}
        results = [line(2023, 50.0, **place(code)) for code in ("30", "31")]
        results += [line(2024, 60.0, **place("30")), hidden]
        made.append(tables(declared({"plausible_change": {"max": 5, "why": "essai"}}), results))
    for name, frame in made[0].items():
        pd.testing.assert_frame_equal(frame, made[1][name])
    row = pick(made[0]["resultats"], annee=2024, territoire_code="31")
    assert row[["valeur", "evolution", "valeur_p", "valeur_p_corrigee", "evolution_significative"]].isna().all()
    alone = pick(made[0]["resultats"], annee=2024, territoire_code="30")
    assert alone["valeur_p_corrigee"] == alone["valeur_p"], "it counts in no family either"


def test_what_is_kept_for_the_tests_is_not_published(declared) -> None:
    found = tables(declared(), [line(2024, 50.0)])["resultats"]
    assert not {"estimation", "effectif_efficace", "erreur_type"} & set(found.columns)


# What compares


OTHER_MARGINS = [
    {"years": 2023, "margins": [MARGIN]},
    {"years": "2024-2025", "margins": [MARGIN, {**MARGIN, "field": "bureau_nom"}]},
]


@pytest.mark.parametrize(
    ("indicator", "feed", "export", "told"),
    [
        ({"breaks": [{"year": 2024, "why": "nouvelle question"}]}, {}, {}, "rupture déclarée : nouvelle question"),
        ({}, {"breaks": [{"year": 2024, "why": "autre canal"}]}, {}, "rupture déclarée : autre canal"),
        ({}, {}, {"calibration": [{"years": "2024-2025", "margins": [MARGIN]}]},
         "calage de l'export essai commencé en 2024"),
        ({}, {}, {"calibration": [{"years": 2023, "margins": [MARGIN]}]}, "calage de l'export essai arrêté en 2024"),
        ({}, {}, {"calibration": OTHER_MARGINS},
         "calage de l'export essai sur d'autres marges ou par une autre méthode"),
        ({}, {}, {"layouts": [
            {"years": 2023, "path": "a"},
            {"years": "2024-2025", "path": "b", "incomparable": "autre requête"},
        ]}, "fichiers essai d'une autre extraction : autre requête"),
    ],
    ids=["indicator", "network", "calibration starts", "calibration ends", "other margins", "extraction"],
)  # fmt: skip
def test_a_declared_change_of_method_breaks_the_series(indicator, feed, export, told, declared, pick) -> None:
    made = tables(declared(indicator, feed, **export), [line(year, 50.0 + year - 2023) for year in (2023, 2024, 2025)])
    broken, whole = (pick(made["resultats"], annee=year) for year in (2024, 2025))
    assert (broken["comparable"], broken["motif_incomparabilite"], broken["valeur_precedente"]) == (False, told, 50)
    assert broken[["evolution", "valeur_p"]].isna().all()
    assert whole["comparable"] is True
    assert whole["evolution"] == 1
    compared = pick(made["comparabilite"], annee=2024)
    assert (compared["comparabilite"], compared["motifs"]) == ("non comparable", told)
    assert pick(made["comparabilite"], annee=2025)["comparabilite"] == "comparable"


def test_new_figures_of_the_same_margins_are_no_break(declared, pick) -> None:
    later = {**MARGIN, "shares": {"F": 51, "H": 49}, "date": "2025-01-01"}
    catalogue = declared(calibration=[{"years": 2023, "margins": [MARGIN]}, {"years": "2024-2025", "margins": [later]}])
    made = tables(catalogue, [line(2023, 50.0), line(2024, 51.0)])
    assert pick(made["resultats"], annee=2024)["comparable"] is True


def test_a_file_written_otherwise_is_told_and_compares(declared, pick) -> None:
    catalogue = declared(layouts=[{"years": 2023, "path": "a"}, {"years": "2024-2025", "path": "b", "delimiter": ";"}])
    made = tables(catalogue, [line(2023, 50.0), line(2024, 51.0)])
    compared = pick(made["comparabilite"], annee=2024)
    assert compared["comparabilite"] == "comparable"
    assert compared["changements_sans_rupture"] == "fichiers essai écrits autrement, colonnes de même sens"
    assert pd.isna(pick(made["comparabilite"], annee=2025)["changements_sans_rupture"])


def test_values_of_other_exports_do_not_compare(declared, pick) -> None:
    results = [line(2023, 50.0, **place("30")), line(2024, 51.0, source="labo/autre", **place("30"))]
    results += [line(year, 50.0, **place("31")) for year in (2023, 2024)]
    made = tables(declared(), results)
    row = pick(made["resultats"], annee=2024, territoire_code="30")
    assert (row["comparable"], row["motif_incomparabilite"]) == (False, "d'exports différents")
    compared = pick(made["comparabilite"], annee=2024)
    assert (compared["comparabilite"], compared["motifs"]) == ("en partie comparable", "d'exports différents")
    assert (compared["valeurs_appariees"], compared["valeurs_comparables"]) == (2, 1)


def test_comparability_counts_what_rises_and_falls(declared, pick) -> None:
    values = {"01": (20.0, 80.0), "13": (80.0, 20.0), "21": (50.0, 50.5), "29": (30.0, 90.0)}
    results = [
        line(2023 + rank, value, **place(code)) for code, pair in values.items() for rank, value in enumerate(pair)
    ]
    compared = pick(tables(declared(), results)["comparabilite"], annee=2024)
    counts = compared[["evolutions_testees", "hausses_significatives", "baisses_significatives"]]
    assert counts.tolist() == [4, 2, 1]


def test_what_has_no_year_before_says_why(declared, pick) -> None:
    made = tables(declared(), [line(2025, 50.0)])["comparabilite"]
    assert set(made["comparabilite"]) == {"sans objet"}
    assert pick(made, annee=2023)["motifs"] == "première année attendue"
    assert pick(made, annee=2024)["motifs"] == "2023 absente (non renseigné) ; 2024 absente (non renseigné)"
    assert pick(made, annee=2025)["motifs"] == "2024 absente (non renseigné)"


def test_a_change_is_provisional_as_soon_as_one_year_is(labo) -> None:
    catalogue = labo.catalogue(SHARE, labo.export({"reponse": "string"}, kind="survey"), provisional_years=[2024])
    made = tables(catalogue, [line(year, 50.0) for year in (2023, 2024, 2025)])["comparabilite"]
    assert made.set_index("annee")["statut"].to_dict() == {2023: "définitif", 2024: "provisoire", 2025: "provisoire"}


# Unusual jumps


@pytest.mark.parametrize(
    ("rule", "before", "after", "sizes", "unusual"),
    [
        ({"max": 10}, 50.0, 60.5, (100, 100), True),
        ({"max": 10}, 60.5, 50.0, (100, 100), True),
        ({"max": 10}, 50.0, 60.0, (100, 100), False),
        ({"max": 10, "relative": True}, 50.0, 56.0, (100, 100), True),
        ({"max": 10, "relative": True}, 0.0, 56.0, (100, 100), None),
        ({"max": 10, "base": 100}, 50.0, 90.0, (99, 100), None),
        ({"max": 10, "base": 100}, 50.0, 90.0, (100, 100), True),
        ({"max": 10, "levels": ["departement"]}, 50.0, 90.0, (100, 100), None),
    ],
)
def test_a_jump_beyond_the_threshold_is_published_and_told(rule, before, after, sizes, unusual, declared, pick) -> None:
    catalogue = declared({"plausible_change": {**rule, "why": "la raison du seuil"}})
    made = tables(catalogue, [line(2023, before, sizes[0]), line(2024, after, sizes[1])])
    row = pick(made["resultats"], annee=2024)
    assert row["valeur"] == after
    assert pd.isna(row["evolution_inhabituelle"]) if unusual is None else row["evolution_inhabituelle"] is unusual
    told = made["anomalies"]
    assert len(told) == int(unusual is True)
    if unusual:
        (found,) = told.to_dict("records")
        assert (found["regle"], found["severite"], found["consequence"]) == (
            "evolution-inhabituelle", "avertissement", "aucune",
        )  # fmt: skip
        assert "la raison du seuil" in found["message"]
        jump = 100 * (after - before) / before if rule.get("relative") else after - before
        assert f"France, {jump:+g}".replace(".", ",") in found["message"]
        assert pick(made["comparabilite"], annee=2024)["evolutions_inhabituelles"] == 1


def test_a_jump_across_a_break_is_explained_already(declared, pick) -> None:
    rules = {"plausible_change": {"max": 1, "why": "essai"}, "breaks": [{"year": 2024, "why": "essai"}]}
    made = tables(declared(rules), [line(2023, 10.0), line(2024, 90.0)])
    assert made["anomalies"].empty
    assert pd.isna(pick(made["resultats"], annee=2024)["evolution_inhabituelle"])


def test_jumps_of_a_network_year_are_one_anomaly(declared) -> None:
    results = [line(year, value, **place(code)) for code, jump in (("30", 20), ("31", 40), ("01", 1))
               for year, value in ((2023, 30.0), (2024, 30.0 + jump))]  # fmt: skip
    (found,) = tables(declared({"plausible_change": {"max": 5, "why": "x"}}), results)["anomalies"].to_dict("records")
    assert found["nombre"] == 2
    assert "Haute-Garonne, +40" in found["message"]


# Progress


@pytest.mark.parametrize(
    ("values", "target", "initial", "done"),
    [
        ((60.0, 70.0, 75.0), {"value": 80, "since": 2023}, 60, 75),
        ((60.0, 70.0, 85.0), {"value": 80, "since": 2023}, 60, 100),
        ((60.0, 70.0, 55.0), {"value": 80, "since": 2023}, 60, 0),
        ((60.0, 70.0, 50.0), {"value": 40, "since": 2023}, 60, 50),
        ((60.0, 70.0, 75.0), {"value": 80, "initial": 70}, 70, 50),
        ((80.0, 70.0, 75.0), {"value": 80, "since": 2023}, 80, None),
        ((60.0, 70.0, 75.0), {"value": 80}, None, None),
        ((None, 70.0, 75.0), {"value": 80, "since": 2023}, None, None),
        ((60.0, 70.0, None), {"value": 80, "initial": 60}, 60, None),
    ],
)
def test_progress_is_the_way_done(values, target, initial, done, declared, pick) -> None:
    catalogue = declared(feed={"targets": [{"year": 2025, **target}]})
    results = [line(2023 + rank, value, motif=None if value else "rejete") for rank, value in enumerate(values)]
    row = pick(tables(catalogue, results)["resultats"], annee=2025)
    assert row["valeur_cible"] == target["value"]
    for name, expected in (("valeur_initiale", initial), ("progression", done)):
        assert pd.isna(row[name]) if expected is None else row[name] == expected


def test_no_progress_across_a_break(declared, pick) -> None:
    feed = {"targets": [{"year": 2025, "value": 80, "since": 2023}], "breaks": [{"year": 2024, "why": "essai"}]}
    found = tables(declared(feed=feed), [line(year, 50.0 + year - 2023) for year in (2023, 2024, 2025)])["resultats"]
    assert pick(found, annee=2025)[["valeur_initiale", "progression"]].isna().all()
