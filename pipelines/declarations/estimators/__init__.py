"""The closed registry of estimators that an indicator may name: parameters, inputs, and a card that documents each.

How they are computed is in compute. The cards' examples are run by the tests, and the manual is made from them.
"""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from pipelines.declarations.estimators.amounts import (
    Count,
    Declared,
    Mean,
    Median,
    ProgressRate,
    Quantile,
    Ratio,
    Sum,
    TransparencyRate,
    WithinDeadline,
)
from pipelines.declarations.estimators.estimator import (
    AnswerModel,
    Card,
    EstimatorModel,
    Example,
    LevelMethod,
    Worked,
    YearMethod,
)
from pipelines.declarations.estimators.opinions import Ces, NetSatisfaction, Nps, Score, Share, TopBox

Estimator = Annotated[
    Share
    | TopBox
    | Nps
    | NetSatisfaction
    | Score
    | Ces
    | Mean
    | Median
    | Quantile
    | Sum
    | Count
    | Ratio
    | WithinDeadline
    | TransparencyRate
    | ProgressRate
    | Declared,
    Field(discriminator="name"),
]
ESTIMATORS: tuple[type[EstimatorModel], ...] = get_args(get_args(Estimator)[0])


def name_of(estimator: type[EstimatorModel]) -> str:
    """Return the name under which the YAML knows an estimator."""
    return str(get_args(estimator.model_fields["name"].annotation)[0])


__all__ = [
    "ESTIMATORS", "AnswerModel", "Card", "Ces", "Count", "Declared", "Estimator", "EstimatorModel", "Example",
    "LevelMethod", "Mean", "Median", "NetSatisfaction", "Nps", "ProgressRate", "Quantile", "Ratio", "Score", "Share",
    "Sum", "TopBox", "TransparencyRate", "WithinDeadline", "Worked", "YearMethod", "name_of",
]  # fmt: skip
