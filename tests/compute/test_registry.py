"""Every estimator documents itself, and the examples of its card give what they say, through the whole computation."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from pipelines.compute.accounts import accounts_of
from pipelines.declarations.estimators import ESTIMATORS, EstimatorModel, Worked, name_of

EXAMPLES = [
    pytest.param(estimator, worked, id=f"{name_of(estimator)}-{number}")
    for estimator in ESTIMATORS
    for number, worked in enumerate(estimator.card.examples)
]


def _read(kind: str, value: Any) -> Any:
    return date.fromisoformat(value) if kind == "date" and value else value


@pytest.mark.parametrize(("estimator", "worked"), EXAMPLES)
def test_the_example_of_the_card_is_true(estimator: type[EstimatorModel], worked: Worked, labo) -> None:
    name = name_of(estimator)
    inputs = sorted({key for row in worked.rows for key in row})
    typed = estimator.family == "typed"
    read = estimator.model_validate({"name": name, **worked.parameters})
    types = {key: read.example_type(key) for key in inputs}
    export = labo.export(
        {**types, "poids": "number"},
        level="national" if typed else "site",
        collection="sample" if worked.bounds else "census",
        weight="poids" if worked.weights else None,
    )
    place = {"maille": "national", "territoire": "FR"} if typed else {"territoire": "30", "structure": "B1"}
    weights = worked.weights or (1.0,) * len(worked.rows)
    rows = [
        {**{key: _read(types[key], value) for key, value in row.items()}, "poids": float(weight), **place}
        for row, weight in zip(worked.rows, weights, strict=True)
    ]
    declared = {
        "estimator": {"name": name, **worked.parameters},
        "year": estimator.year_methods[0],
        "levels": {"national": {"obtained": estimator.level_methods[0]}},
        "feed": {"inputs": {key: key for key in inputs}},
    }
    (account,) = accounts_of(labo.catalogue(declared, export), "labo", export, [2024], labo.write(export, rows))
    assert account.accepted == len(rows) == account.base + sum(account.outside.values())
    made = labo.run(declared, export, rows)
    assert not made.failures
    (line,) = made.results.to_dict("records")
    if worked.value is None:
        assert pd.isna(line["valeur"])
        assert line["motif"] == "non-renseigne"
        return
    assert line["valeur"] == pytest.approx(worked.value, abs=1e-6)
    if worked.bounds:
        published = {"Newcombe": 5e-3, "Fagerland": 5e-2}  # the decimals that their tables have
        tolerance = next((error for name, error in published.items() if name in worked.why), 1e-5)
        assert (line["borne_basse"], line["borne_haute"]) == pytest.approx(worked.bounds, abs=tolerance)
    if worked.weights:
        assert line["effectif_pondere"] == sum(worked.weights)
        assert line["effectif"] == len(worked.rows)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_every_card_is_complete(estimator: type[EstimatorModel]) -> None:
    card = estimator.card
    assert all([card.title, card.definition, card.source, card.unit, card.range, card.interval])
    assert card.examples, "un estimateur montre au moins un exemple"
    assert estimator.__doc__


def test_a_base_says_how_many_answers_and_how_much_they_weigh(labo, levels, pick) -> None:
    rows = [
        {"note": note, "poids": weight, "structure": "B1", "territoire": "30"}
        for note, weight in [(10, 2.5), (3, 1.5), (None, 4.0), (9, None)]
    ]
    declared = {"estimator": {"name": "nps"}, "year": "pooled", "levels": levels("pooled", "national"),
                "feed": {"inputs": {"rating": "note"}}}  # fmt: skip
    fields = {"note": "integer", "poids": "number"}
    line = labo.run(declared, labo.export(fields, weight="poids"), rows).results.iloc[0]
    assert (line["effectif"], line["effectif_pondere"]) == (2, 4)
    unweighted = labo.run(declared, labo.export(fields), rows).results.iloc[0]
    assert unweighted["effectif"] == 3
    assert pd.isna(unweighted["effectif_pondere"])
