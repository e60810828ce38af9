"""How an export was collected: what a design, a margin and a calibration may say; and its faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.declarations import DeclarationError, load
from pipelines.declarations.network import Export
from pipelines.declarations.sampling import Calibration, Design, Margin

SOURCE = {"source": "essai", "date": "2024-01-01"}
WOMEN = {"field": "sexe", "shares": {"F": 52, "H": 48}, **SOURCE}


@pytest.mark.parametrize(
    ("model", "declared", "message"),
    [
        (Design, {}, "indiquer strata, clusters, ou les deux"),
        (Design, {"strata": "a", "single": "parfois"}, "Input should be"),
        (Margin, {"field": "sexe", **SOURCE}, "soit totals, soit shares"),
        (Margin, {**WOMEN, "totals": {"F": 1}}, "soit totals, soit shares"),
        (Margin, {**WOMEN, "shares": {"F": 52, "H": 40}}, "la somme est 92, ni 1 ni 100"),
        (Margin, {**WOMEN, "shares": {"F": 152, "H": -52}}, "négative"),
        (Margin, {"field": "sexe", "totals": {"F": 0}, **SOURCE}, "la somme est nulle"),
        (Calibration, {"years": 2024, "margins": [WOMEN, WOMEN]}, "deux marges portent sur la même colonne"),
        (Calibration, {"years": 2024, "margins": [WOMEN], "bounds": [1.2, 3]}, "une borne sous 1"),
        (Calibration, {"years": 2024, "margins": [{"field": "a", "totals": {"x": 10}, **SOURCE},
                                                  {"field": "b", "totals": {"y": 11}, **SOURCE}]}, "même population"),
    ],
)  # fmt: skip
def test_what_says_nothing_or_too_much_is_refused(model: Any, declared: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        model.model_validate(declared)


def test_rounded_shares_are_a_distribution() -> None:
    margin = Margin.model_validate({**WOMEN, "shares": {"F": 51.6, "H": 48.5}})
    assert sum(margin.fractions.values()) == pytest.approx(1)
    assert Margin.model_validate({**WOMEN, "shares": {"F": 0.52, "H": 0.48}}).fractions == {"F": 0.52, "H": 0.48}


def _export(**settings: Any) -> Export:
    return Export.model_validate({
        "id": "e", "kind": "survey", "title": "E", "fields": [{"name": "sexe"}], "level": "national",
        "layouts": [{"years": 2024, "path": "{year}.csv"}], **settings,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "collection", "sampled"),
    [("survey", None, True), ("survey", "census", False), ("operations", None, False), ("values", "sample", True)],
)
def test_a_survey_is_a_sample_unless_said_otherwise(kind: str, collection: str | None, sampled: bool) -> None:
    assert _export(kind=kind, collection=collection).sampled == sampled


def test_each_year_has_its_own_margins() -> None:
    export = _export(calibration=[{"years": "2022-2023", "margins": [WOMEN]}])
    assert export.calibration_of(2023) is export.calibration[0]
    assert export.calibration_of(2024) is None


CAF = "networks/caf.yml"
FAULTS = [
    ("    weight: poids\n", "    weight: poids\n    design: {strata: caf_nom}\n", "design", "doit être « required »"),
    ("    weight: poids\n", "    weight: poids\n    design: {clusters: ici}\n", "design.clusters", "« ici » inconnu"),
    ("    weight: poids\n", "    weight: poids\n    collection: census\n    design: {strata: departement}\n", "design",
     "n'a de sens que pour un échantillon"),
    ("    weight: poids\n", "    calibration:\n      - years: 2022-2024\n        margins:\n          - {field: "
     "satisfaction, shares: {Très satisfait: 100}, source: essai, date: 2024-01-01}\n", "calibration.0.margins.0",
     "la catégorie « Plutôt satisfait » n'a pas de marge"),
    ("    weight: poids\n", "    calibration:\n" + 2 * ("      - years: 2023\n        margins: [{field: caf_nom, "
     "shares: {a: 1}, source: essai, date: 2024-01-01}]\n"), "calibration", "2 calages se disputent l'année 2023"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "key", "message"), FAULTS)
def test_faults_of_sampling_are_told_where_they_are(
    schemas: Path, before: str, after: str, key: str, message: str
) -> None:
    path = schemas / CAF
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(DeclarationError) as refused:
        load(schemas)
    told = [(item.key, item.message) for item in refused.value.problems]
    assert any(at == f"exports.0.{key}" and message in words for at, words in told), told


@pytest.mark.parametrize(
    ("file", "before", "after", "message"),
    [
        ("satisfaction-globale.yml", "  excluded: [Ne se prononce pas]\n", "", "n'est ni dans la base"),
        ("satisfaction-globale.yml", "[Ne se prononce pas]", "[Très satisfait]", "compte déjà dans la base"),
        ("ces.yml", "direction: higher", "direction: lower", "contredit best: high"),
        ("delai-median.yml", "estimator: {name: median}", "estimator: {name: within_deadline, within: 15}",
         "demande l'entrée « delay »"),
        ("delai-median.yml", "estimator: {name: median}", "estimator: {name: quantile, order: 1.5}", "estimator.order"),
    ],
)  # fmt: skip
def test_faults_of_estimators_are_told(schemas: Path, file: str, before: str, after: str, message: str) -> None:
    path = schemas / "indicators" / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(DeclarationError, match=message):
        load(schemas)
