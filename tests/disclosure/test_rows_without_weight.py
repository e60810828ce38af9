"""Rows that make no part of a value (weight or denominator of 0) are in no base: secrecy, intervals don't see them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.disclosure.audit import audit, refusals, secret_figures
from pipelines.disclosure.results_table import protected

FIELDS = {"reponse": "string", "note": "integer", "mesure": "number", "num": "integer", "den": "integer",
          "poids": "number", "sexe": "string", "siren": "string",
          **{name: {"type": "string", "constraints": {"required": True}} for name in ("strate", "grappe")}}  # fmt: skip
SHARE = {"name": "share", "favourable": ["oui"], "among": ["oui", "non"]}
RATIO = {"name": "ratio", "factor": 100}
CASES = [
    (SHARE, {"answer": "reponse"}), ({"name": "nps"}, {"rating": "note"}), ({"name": "mean"}, {"value": "mesure"}),
    ({"name": "median"}, {"value": "mesure"}), (RATIO, {"numerator": "num", "denominator": "den"}),
]  # fmt: skip
PLACES = [("B1", "30"), ("B2", "30"), ("B3", "75"), ("B4", "2A")]
FIGURES = ["valeur", "borne_basse", "borne_haute", "effectif", "effectif_pondere", "numerateur", "denominateur",
           "statut_confidentialite", "motif", "effectif_efficace", "erreur_type"]  # fmt: skip
KEY = ["periode", "frequence", "maille", "territoire_code", "structure_code"]


def _declared(estimator: dict[str, Any], inputs: dict[str, str], levels: Any, **more: Any) -> dict[str, Any]:
    way = {"ratio": "ratio_of_sums", "count": "sum"}.get(estimator["name"], "pooled")
    return {"estimator": estimator, "year": way, "levels": levels(way), "feed": {"inputs": inputs}, **more}


def _row(place: tuple[str, str], weight: float | None, **values: Any) -> dict[str, Any]:
    return {"structure": place[0], "territoire": place[1], "poids": weight, "reponse": "oui", "note": 10, "mesure": 1.0,
            "num": 1, "den": 2, "sexe": "F", "siren": "1", "strate": "s", "grappe": "g", **values}  # fmt: skip


def _answers(place: tuple[str, str], weights: list[float | None], **values: Any) -> list[dict[str, Any]]:
    varied = [{"reponse": "non" if rank % 3 else "oui", "note": rank % 11} for rank in range(len(weights))]
    return [_row(place, weight, **{**one, **values}) for one, weight in zip(varied, weights, strict=True)]


row_strategy = st.builds(
    lambda place, weight, answer, note, mesure, num, den: _row(
        place, weight, reponse=answer, note=note, mesure=mesure, num=num, den=den
    ),
    st.sampled_from(PLACES), st.sampled_from([0.0, None, 0.5, 1.0, 3.0]), st.sampled_from(["oui", "non", None]),
    st.one_of(st.none(), st.integers(0, 10)), st.one_of(st.none(), st.integers(-40, 40).map(float)),
    st.integers(0, 9), st.sampled_from([0, 1, 2, 9]),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0]["name"])
@settings(max_examples=8)
@given(rows=st.lists(row_strategy, min_size=1, max_size=40), weighted=st.booleans())
def test_without_them_every_figure_is_the_same(case, rows, weighted, labo, levels) -> None:
    declared = _declared(*case, levels)
    export = labo.export(FIELDS, kind="survey", weight="poids" if weighted else None)
    counting = [row for row in rows if (row["poids"] or not weighted) and (row["den"] or case[0] is not RATIO)]
    every, few = (labo.run(declared, export, part).results.set_index(KEY) for part in (rows, counting))
    assert few.index.isin(every.index).all()
    same, expected = (
        frame[FIGURES].fillna({"motif": ""}).reset_index(drop=True) for frame in (every.loc[few.index], few)
    )
    pd.testing.assert_frame_equal(same, expected, check_dtype=False)
    alone = every[~every.index.isin(few.index)]
    assert alone["valeur"].isna().all()
    assert (alone["effectif"] == 0).all()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0]["name"])
@settings(max_examples=8)
@given(rows=st.lists(row_strategy, min_size=1, max_size=60))
def test_a_place_counts_as_many_as_its_parts(case, rows, labo, levels) -> None:
    results = labo.run(_declared(*case, levels), labo.export(FIELDS, kind="survey", weight="poids"), rows).results
    for name in ("effectif", "effectif_pondere", "numerateur", "denominateur"):
        by_level = results.groupby("maille")[name].sum()
        assert by_level.to_numpy() == pytest.approx(np.full(len(by_level), by_level["national"]))


def test_the_only_answer_that_weighs_something_is_secret(labo, levels, pick) -> None:
    rows = _answers(PLACES[0], [1.0, *[0.0] * 11]) + _answers(PLACES[1], [1.0] * 12)
    declared = _declared({"name": "nps"}, {"rating": "note"}, levels)
    results = labo.run(declared, labo.export(FIELDS, kind="survey", weight="poids"), rows).results
    line = pick(results, structure_code="B1")
    assert (line["statut_confidentialite"], line["motif"], line["effectif"]) == ("C", "secret-statistique", 1)
    assert pick(results, structure_code="B2")["statut_confidentialite"] == "F"
    assert pick(results, maille="national")["effectif"] == 13


def test_a_threshold_of_reliability_counts_the_same_rows(labo, levels, pick) -> None:
    rows = _answers(PLACES[0], [1.0] * 29 + [0.0] * 10) + _answers(PLACES[1], [1.0] * 30)
    minimum = {"answers": 30, "reason": "base-insuffisante", "why": "essai"}
    declared = _declared(SHARE, {"answer": "reponse"}, levels, minimum_base=minimum)
    results = labo.run(declared, labo.export(FIELDS, kind="survey", weight="poids"), rows).results
    line = pick(results, structure_code="B1")
    assert (line["motif"], line["effectif"]) == ("base-insuffisante", 29)
    assert pd.notna(pick(results, structure_code="B2")["valeur"])


@pytest.mark.parametrize("estimator", ["mean", "ratio"])
def test_an_enterprise_without_weight_or_denominator_is_no_contributor(estimator, labo, levels, pick) -> None:
    case = next(case for case in CASES if case[0]["name"] == estimator)
    rows = [_row(PLACES[0], 1.0, siren=str(number)) for number in range(2)]
    rows += [_row(PLACES[0], 0.0, siren="2"), _row(PLACES[1], 0.0, siren="3")]
    rows += [_row(PLACES[1], 1.0, siren=str(number)) for number in range(3)]
    if estimator == "ratio":
        rows = [{**row, "poids": 1.0, "num": 0, "den": 0} if not row["poids"] else row for row in rows]
    declared = _declared(*case, levels, enterprises={"why": "essai"})
    declared["feed"] = {**declared["feed"], "contributor": "siren"}
    results = labo.run(declared, labo.export(FIELDS, kind="operations", weight="poids"), rows).results
    assert pick(results, structure_code="B1")["statut_confidentialite"] == "C"
    assert pick(results, structure_code="B2")["statut_confidentialite"] == "F"


def test_they_take_no_part_in_a_calibration(labo, levels, pick) -> None:
    margins = [{"field": "sexe", "shares": {"F": 50, "H": 50}, "source": "essai", "date": "2024-01-01"}]
    export = labo.export(FIELDS, kind="survey", weight="poids", calibration=[{"years": 2024, "margins": margins}])
    rows = _answers(PLACES[0], [1.0] * 12, sexe="F") + _answers(PLACES[0], [1.0] * 24, sexe="H")
    idle = [_row(PLACES[0], weight, sexe=sexe) for weight in (0.0, None) for sexe in ("F", "non demandé", None)]
    share = _declared(SHARE, {"answer": "reponse"}, levels)
    made, without = (labo.run(share, export, part) for part in (rows + idle, rows))
    assert made.failures == {}, "une ligne sans poids n'a pas besoin de marge"
    pd.testing.assert_frame_equal(made.results, without.results)
    pd.testing.assert_frame_equal(made.calibrations, without.calibrations)
    counted = labo.run(_declared({"name": "count"}, {}, levels), export, rows + idle).results
    assert pick(counted, maille="national")["valeur"] == len(rows + idle), "un dénombrement n'est jamais pondéré"


def test_a_cluster_that_weighs_nothing_leaves_no_interval_out(labo, levels, pick) -> None:
    export = labo.export(FIELDS, kind="survey", weight="poids", design={"strata": "strate", "clusters": "grappe"})
    rows = [row for cluster in "abc" for row in _answers(PLACES[0], [1.0] * 7, grappe=cluster)]
    idle = _answers(PLACES[0], [0.0] * 3, strate="seule", grappe="z")  # alone in its stratum: no variance, were it in
    for case in (CASES[0], CASES[2], CASES[4]):
        made = labo.run(_declared(*case, levels), export, rows + idle).results
        line, expected = (
            pick(found, maille="national") for found in (made, labo.run(_declared(*case, levels), export, rows).results)
        )
        assert line[["borne_basse", "borne_haute"]].notna().all()
        assert line[FIGURES[:7]].tolist() == pytest.approx(expected[FIGURES[:7]].tolist())


def test_an_office_that_weighs_nothing_stops_no_release(labo, levels, catalogue) -> None:
    rows = _answers(PLACES[0], [0.0] * 20) + _answers(PLACES[1], [1.0] * 20) + _answers(PLACES[2], [1.0] * 5)
    export = labo.export(FIELDS, kind="survey", weight="poids")
    declared = _declared({"name": "nps"}, {"rating": "note"}, levels)
    results = labo.run(declared, export, rows).results.assign(reseau="labo")
    alone = labo.catalogue(declared, export)
    published = protected(results, alone)
    assert refusals(audit(published, alone, secret_figures(results, published))).empty
    assert published.loc[published["structure_code"].eq("B1"), "effectif"].tolist() == [0]
