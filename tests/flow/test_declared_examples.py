"""The examples that indicators declare give the values that they declare, through the whole computation."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import MappingProxyType

from pipelines.declarations import load
from pipelines.flow.declared_examples import WrongExample, wrong_examples

SHIPPED = load(Path(__file__).resolve().parents[2] / "schemas")


def test_every_example_gives_its_value() -> None:
    assert wrong_examples(SHIPPED) == []


def test_every_other_value_is_told_and_a_value_where_none_is_declared() -> None:
    changed, expected = {}, []
    for name, indicator in SHIPPED.indicators.items():
        examples = []
        for number, example in enumerate(indicator.examples):
            wrong = 26.5 if example.value is None else None if number else example.value + 1
            examples.append(example.model_copy(update={"value": wrong}))
            expected.append(WrongExample(name, number, wrong, example.value))
        changed[name] = indicator.model_copy(update={"examples": tuple(examples)})
    assert wrong_examples(dataclasses.replace(SHIPPED, indicators=MappingProxyType(changed))) == expected


def test_most_indicators_declare_examples() -> None:
    without = {
        name for name, item in SHIPPED.indicators.items() if not item.examples and item.estimator.name != "declared"
    }
    assert not without, "un indicateur calculé déclare des exemples"
