"""What rests on too few answers is hidden, and how much of it; statuses of provisional years and of breaks."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pipelines.disclosure.results_table import without_secrets

HIDDEN = ["valeur", "borne_basse", "borne_haute", "numerateur", "denominateur"]
SHARE = {
    "estimator": {"name": "share", "favourable": ["oui"], "among": ["oui", "non"]},
    "year": "pooled",
    "feed": {"inputs": {"answer": "reponse"}},
}


def _answers(structure: str, count: int, territory: str = "30") -> list[dict[str, Any]]:
    return [
        {"structure": structure, "territoire": territory, "reponse": "oui" if number % 2 else "non"}
        for number in range(count)
    ]


def _minimum(answers: int, reason: str) -> dict[str, Any]:
    return {"minimum_base": {"answers": answers, "reason": reason, "why": "essai"}}


def test_statistical_secrecy_hides_the_base_too(labo, levels, pick) -> None:
    declared = {**SHARE, "levels": levels("pooled"), **_minimum(11, "secret-statistique")}
    rows = _answers("B1", 10) + _answers("B2", 11, "75")
    results = without_secrets(labo.run(declared, labo.export({"reponse": "string"}, kind="survey"), rows).results)
    hidden = pick(results, structure_code="B1")
    assert hidden[[*HIDDEN, "effectif"]].isna().all()
    assert hidden["motif"] == "secret-statistique"
    shown = pick(results, structure_code="B2")
    assert shown[[*HIDDEN, "effectif"]].notna().all()
    assert shown["effectif"] == 11
    assert pd.isna(shown["motif"])
    assert pick(results, maille="national")["effectif"] == 21


def test_an_insufficient_base_is_shown_but_not_its_value(labo, levels, pick) -> None:
    declared = {**SHARE, "levels": levels("pooled", "national"), **_minimum(100, "base-insuffisante")}
    line = pick(
        without_secrets(labo.run(declared, labo.export({"reponse": "string"}), _answers("B1", 99)).results),
        maille="national",
    )
    assert line[HIDDEN].isna().all()
    assert line["effectif"] == 99
    assert line["motif"] == "base-insuffisante"


@pytest.mark.parametrize(("kind", "shown"), [("survey", False), ("operations", True), ("values", True)])
def test_surveys_have_a_minimum_of_eleven_by_default(kind: str, shown: bool, labo, levels, pick) -> None:
    declared = {**SHARE, "levels": levels("pooled", "site")}
    rows = _answers("B1", 10) + _answers("B2", 11)
    results = without_secrets(labo.run(declared, labo.export({"reponse": "string"}, kind=kind), rows).results)
    assert pd.notna(pick(results, structure_code="B1")["valeur"]) == shown
    assert pd.notna(pick(results, structure_code="B2")["valeur"])


def test_the_minimum_counts_people_not_weights(labo, levels, pick) -> None:
    rows = [{**row, "poids": 50.0} for row in _answers("B1", 10)]
    declared = {**SHARE, "levels": levels("pooled", "site"), **_minimum(11, "secret-statistique")}
    export = labo.export({"reponse": "string", "poids": "number"}, weight="poids")
    assert pd.isna(pick(without_secrets(labo.run(declared, export, rows).results), structure_code="B1")["valeur"])


def test_answers_out_of_the_base_do_not_count_towards_the_minimum(labo, levels, pick) -> None:
    rows = _answers("B1", 10) + [{"structure": "B1", "territoire": "30", "reponse": answer} for answer in ("nsp", None)]
    declared = {**SHARE, "levels": levels("pooled", "site"), **_minimum(11, "secret-statistique")}
    line = without_secrets(labo.run(declared, labo.export({"reponse": "string"}), rows).results).iloc[0]
    assert line["motif"] == "secret-statistique"


@pytest.mark.parametrize(("calls", "shown"), [(10, False), (11, True)])
def test_the_base_of_a_rate_is_its_denominator(calls: int, shown: bool, labo, levels) -> None:
    declared = {
        "estimator": {"name": "ratio"}, "year": "ratio_of_sums", "levels": levels("ratio_of_sums", "national"),
        "feed": {"inputs": {"numerator": "a", "denominator": "b"}}, **_minimum(11, "secret-statistique"),
    }  # fmt: skip
    rows = [{"a": 3, "b": calls, "structure": "B1", "territoire": "30"}]
    line = without_secrets(labo.run(declared, labo.export({"a": "integer", "b": "integer"}), rows).results).iloc[0]
    assert pd.notna(line["valeur"]) == shown
    assert pd.notna(line["effectif"]) == shown


def test_the_minimum_holds_for_typed_values_with_their_base(labo, pick) -> None:
    declared = {
        "estimator": {"name": "declared"}, "year": "declared", "levels": {"departement": {"obtained": "declared"}},
        "feed": {"inputs": {"value": "valeur", "base": "reponses"}}, **_minimum(11, "secret-statistique"),
    }  # fmt: skip
    rows = [
        {"maille": "departement", "territoire": "30", "valeur": 50.0, "reponses": 10},
        {"maille": "departement", "territoire": "34", "valeur": 50.0, "reponses": 11},
    ]
    results = without_secrets(labo.run(declared, labo.typed_export(), rows).results)
    hidden = pick(results, territoire_code="30")
    assert hidden[["valeur", "effectif"]].isna().all()
    assert hidden["motif"] == "secret-statistique"
    assert pick(results, territoire_code="34")["valeur"] == 50


def test_an_empty_base_is_not_secret(labo, levels) -> None:
    declared = {**SHARE, "levels": levels("pooled", "site"), **_minimum(11, "secret-statistique")}
    rows = [{"structure": "B1", "territoire": "30", "reponse": "nsp"}]
    line = without_secrets(labo.run(declared, labo.export({"reponse": "string"}), rows).results).iloc[0]
    assert pd.isna(line["valeur"])
    assert (line["motif"], line["effectif"]) == ("non-renseigne", 0)


@pytest.mark.parametrize(
    ("provisional", "breaks", "status"),
    [([], [], "A"), ([2024], [], "P"), ([2023], [], "A"), ([], [2024], "B"), ([], [2023], "A"), ([2024], [2024], "P")],
)
def test_the_status_of_a_value(provisional: list[int], breaks: list[int], status: str, labo, levels) -> None:
    declared = {
        **SHARE,
        "levels": levels("pooled", "national"),
        "breaks": [{"year": y, "why": "essai"} for y in breaks],
    }
    made = labo.run(declared, labo.export({"reponse": "string"}), _answers("B1", 20), provisional_years=provisional)
    assert made.results["statut_observation"].tolist() == [status]
    assert made.results["statut_confidentialite"].tolist() == ["F"]
