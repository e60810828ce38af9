"""The examples that indicators declare give the values that they declare, through the whole computation."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fixtures.explained_run import House, export, levels

from pipelines.cli import main
from pipelines.declarations import load
from pipelines.declarations.estimators import ESTIMATORS, EstimatorModel, Example, Worked, name_of
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


TYPES = {"answer": "string", "network": "string", "start": "date", "end": "date"}


class ExampleHouse(House):
    """Declarations of a network that has a column for every input of every estimator."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        inputs = {name for estimator in ESTIMATORS for name in estimator.input_names()}
        columns = {name: TYPES.get(name, "number") for name in sorted(inputs)}
        self.network("essai", export("lignes", columns), export("valeurs", columns, level="national", kind="values"))

    def example(self, name: str, estimator: type[EstimatorModel], parameters: Any, example: dict[str, Any]) -> None:
        """Declare an indicator of ``estimator`` with one example."""
        given = {name for row in example["rows"] for name in row} & set(estimator.input_names())
        inputs = {input_name: input_name for input_name in given or estimator.inputs}
        self.indicator(
            name, estimator={"name": name_of(estimator), **parameters}, year=estimator.year_methods[0],
            levels=levels(estimator.level_methods[0], "national"), examples=[{"why": "essai", **example}],
            networks={"essai": {"export": "valeurs" if estimator.family == "typed" else "lignes", "inputs": inputs}},
            **({"direction": "higher"} if name_of(estimator) == "ces" else {}),
        )  # fmt: skip


def _of_card(worked: Worked) -> dict[str, Any]:
    weights = {"weights": list(worked.weights)} if worked.weights else {}
    value = None if worked.value is None else round(worked.value, 3)
    return {"rows": [dict(row) for row in worked.rows], "value": value, **weights}


def test_the_examples_of_every_card_may_be_declared(tmp_path, capsys) -> None:
    house = ExampleHouse(tmp_path)
    for estimator in ESTIMATORS:
        for number, worked in enumerate(estimator.card.examples):
            name = f"{name_of(estimator)}-{number}".replace("_", "-")
            house.example(name, estimator, worked.parameters, _of_card(worked))
    code = main(["check", "--schemas", str(house.schemas)])
    assert (code, capsys.readouterr().err) == (0, "")


NUMBERED = {"favourable": [1, 2], "among": [1, 2, 3]}
TICKED = {"favourable": [True], "among": [True, False]}


VALUES_THAT_SUIT = [
    ("share", NUMBERED, [{"answer": 1}, {"answer": 3}, {"answer": None}, {"answer": 9}], 50),
    ("share", TICKED, [{"answer": True}, {"answer": False}, {"answer": None}], 50),
    ("count", {}, [{"value": 5}, {"value": None}, {"value": True}, {"value": "a"}], 3),
    ("count", {}, [{}, {}], 2),
    ("mean", {}, [{"value": True}, {"value": False}], 0.5),
    ("transparency_rate", {}, [{"network": 1, "published": 1}, {"network": 2, "published": 0}], 50),
    ("declared", {}, [{"value": 12, "base": 40}], 12),
]


def test_values_of_any_type_that_suits_are_computed() -> None:
    by_name = {name_of(estimator): estimator for estimator in ESTIMATORS}
    indicators = {}
    for number, (name, parameters, rows, value) in enumerate(VALUES_THAT_SUIT):
        changed = {
            "estimator": by_name[name].model_validate({"name": name, **parameters}),
            "year": by_name[name].year_methods[0],
            "range": None,
            "examples": (Example(rows=rows, value=value, why="essai"),),
            "decimals": 3,
        }
        indicators[f"essai-{number}"] = SHIPPED.indicators["nps"].model_copy(update=changed)
    assert wrong_examples(dataclasses.replace(SHIPPED, indicators=MappingProxyType(indicators))) == []


IMPOSSIBLE = [
    ("mean", {}, {"rows": [{"value": "douze"}]}, "« douze » ne convient pas à l'entrée value : il faut un nombre"),
    ("mean", {}, {"rows": [{"valeur": 12}]}, "entrée inconnue, valeur ; permises : value"),
    ("ratio", {}, {"rows": [{"numerator": 12}]}, "il y manque l'entrée « denominator »"),
    ("mean", {}, {"rows": [{"value": 12}], "weights": [1, 2]}, "autant de poids (weights) que de lignes (rows)"),
    ("within_deadline", {"within": 2}, {"rows": [{"start": "2024-02-30", "end": None}]}, "il faut un jour"),
    ("share", NUMBERED, {"rows": [{"answer": "oui"}]}, "il faut un nombre"),
    ("share", TICKED, {"rows": [{"answer": "oui"}]}, "il faut true ou false"),
]


def test_an_example_that_cannot_be_computed_is_told(tmp_path, capsys) -> None:
    house = ExampleHouse(tmp_path)
    for number, (name, parameters, example, _) in enumerate(IMPOSSIBLE):
        estimator = next(item for item in ESTIMATORS if name_of(item) == name)
        house.example(f"essai-{number}", estimator, parameters, {"value": 1, **example})
    assert main(["check", "--schemas", str(house.schemas)]) == 1
    shown = capsys.readouterr().err.splitlines()
    for number, (*_, told) in enumerate(IMPOSSIBLE):
        assert [line for line in shown if f"essai-{number}.yml" in line and "examples[n° 1]" in line and told in line]
