"""What an indicator may say of its series: thresholds of change, starts of targets; and of the quality criteria."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.declarations.indicator import Indicator, PlausibleChange, Target
from pipelines.declarations.network import Export
from pipelines.declarations.references import QualityCriteria

CRITERION = {"title": "x", "definition": "x", "weight": 1, "why": "x"}


@pytest.mark.parametrize(
    ("model", "declared", "message"),
    [
        (PlausibleChange, {"max": 0, "why": "x"}, "greater than 0"),
        (PlausibleChange, {"max": 5}, "Field required"),
        (Target, {"year": 2024, "value": 80, "since": 2024}, "2024 ne précède pas l'année de la cible"),
        (Target, {"year": 2024, "value": 80, "since": 2022, "initial": 70}, "initial ou since, pas les deux"),
        (QualityCriteria, {"criteria": {"precision": CRITERION}}, "threshold est pour precision"),
        (QualityCriteria, {"criteria": {"validite": {**CRITERION, "threshold": 0.1}}}, "threshold est pour precision"),
        (QualityCriteria, {"criteria": {"beaute": CRITERION}}, "Input should be"),
        (QualityCriteria, {"criteria": {"validite": {**CRITERION, "weight": 0}}}, "greater than 0"),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(model: Any, declared: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        model.model_validate(declared)


def test_changes_are_judged_at_published_levels(catalogue) -> None:
    declared = catalogue.indicators["taux-transparence"].model_dump(mode="json")
    declared["plausible_change"] = {"max": 5, "why": "x", "levels": ["site"]}
    with pytest.raises(ValidationError, match="maille non publiée, site"):
        Indicator.model_validate(declared)


def test_somebody_was_asked(catalogue) -> None:
    declared = catalogue.networks["caf"].export("enquete").model_dump(by_alias=True)
    with pytest.raises(ValidationError, match="0 personne sollicitée en 2022"):
        Export.model_validate({**declared, "solicited": {2022: 0}})


def test_every_threshold_of_the_shipped_indicators_has_its_reason(catalogue) -> None:
    rules = [item.plausible_change for item in catalogue.indicators.values() if item.plausible_change]
    assert len(rules) >= 5
    assert all(len(rule.why) > 20 for rule in rules)
