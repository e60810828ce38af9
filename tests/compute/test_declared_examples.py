"""The examples that indicators declare give the values that they declare, through the whole computation."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipelines.declarations import Indicator, load
from pipelines.declarations.estimators import Example

SHIPPED = load(Path(__file__).resolve().parents[2] / "schemas").indicators
EXAMPLES = [
    pytest.param(indicator, example, id=f"{name}-{number}")
    for name, indicator in SHIPPED.items()
    for number, example in enumerate(indicator.examples)
]


def _field_type(name: str) -> str:
    return "string" if name == "answer" else "number"


@pytest.mark.parametrize(("indicator", "example"), EXAMPLES)
def test_the_example_gives_its_value(indicator: Indicator, example: Example, labo) -> None:
    inputs = sorted({name for row in example.rows for name in row})
    typed = indicator.estimator.name == "declared"
    export = labo.export(
        {**{name: _field_type(name) for name in inputs}, "poids": "number"},
        level="national" if typed else "site",
        weight="poids" if example.weights else None,
    )
    weights = example.weights or [None] * len(example.rows)
    rows = [
        {**row, "poids": weight, "maille": "national" if typed else "site", "territoire": "FR" if typed else "30",
         "structure": None if typed else "B1"}
        for row, weight in zip(example.rows, weights, strict=True)
    ]  # fmt: skip
    obtained = {"declared": "declared", "ratio": "ratio_of_sums", "sum": "sum"}.get(indicator.estimator.name, "pooled")
    declared = {
        "estimator": indicator.estimator.model_dump(),
        "decimals": indicator.decimals,
        "range": indicator.range,
        "year": indicator.year,
        "levels": {"national": {"obtained": obtained}},
        "feed": {"inputs": {name: name for name in inputs}},
    }
    results = labo.run(declared, export, rows).results
    assert len(results) == 1
    found = results["valeur"].iloc[0]
    if example.value is None:
        assert pd.isna(found)
        assert results["motif"].iloc[0] == "non-renseigne"
    else:
        assert found == example.value


def test_most_indicators_declare_examples() -> None:
    without = {name for name, item in SHIPPED.items() if not item.examples and item.estimator.name != "declared"}
    assert not without, "un indicateur calculé déclare des exemples"
