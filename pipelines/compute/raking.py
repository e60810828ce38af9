"""Weights brought to known margins: raking ratio, or the logit method when the ratio of weights is bounded.

Deville and Särndal, « Calibration Estimators in Survey Sampling », JASA, 1992 (cases 2 and 6), and Deming and Stephan
(1940) for the iterations. Plain numpy on the table of combinations of categories; files and SQL are in ``calibration``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_BLANK = "(vide)"


class RakingError(ValueError):
    """The weights can't be brought to the margins; the message says why, in French."""


@dataclass(frozen=True)
class Raked:
    """``factors``: the ratio of the new weight to the old, for each combination.

    ``iterations``: how many were needed. ``discrepancy``: the largest difference left between a weighted total and its
    margin, as a share of the population.
    """

    factors: Floats
    iterations: int
    discrepancy: float


def rake(
    combinations: pd.DataFrame,
    weights: Floats,
    targets: Mapping[str, Mapping[str, float]],
    *,
    bounds: tuple[float, float] | None = None,
    iterations: int = 200,
    tolerance: float = 1e-9,
) -> Raked:
    """Return the factors that bring ``weights`` to ``targets`` (column → category → total).

    ``combinations``: one line per combination of categories, in columns named as in ``targets``; ``weights``: its
    summed weights before calibration. Raises RakingError when a category has no margin or no answer, when a margin is
    zero, or when the iterations end before every margin is met within ``tolerance`` of the population.
    """
    for column, margin in targets.items():
        _check(combinations[column], weights, column, margin)
    indicators = np.hstack([
        (combinations[column].to_numpy()[:, None] == np.array(list(margin), dtype=object)[None, :]).astype(float)
        for column, margin in targets.items()
    ])  # fmt: skip
    wanted = np.array([total for margin in targets.values() for total in margin.values()], dtype=float)
    kept = wanted > 0  # an empty category with a margin of zero asks for nothing
    method = _raking_ratio if bounds is None else _logit
    return method(
        indicators[:, kept], wanted[kept], weights, [len(m) for m in _kept(targets)], bounds, iterations, tolerance
    )


def _kept(targets: Mapping[str, Mapping[str, float]]) -> list[list[float]]:
    return [[total for total in margin.values() if total > 0] for margin in targets.values()]


def _check(categories: pd.Series[str], weights: Floats, column: str, margin: Mapping[str, float]) -> None:
    present = categories.astype("object").where(categories.notna(), _BLANK)
    counted = dict(
        zip(present.unique(), (weights[(present == name).to_numpy()].sum() for name in present.unique()), strict=True)
    )
    for name, weight in counted.items():
        if name not in margin:
            raise RakingError(f"calage sur {column} : la catégorie « {name} » des réponses n'a pas de marge")
        if weight > 0 and margin[name] == 0:
            raise RakingError(f"calage sur {column} : la marge de « {name} » est nulle, mais il y a des réponses")
    for name, total in margin.items():
        if total > 0 and not counted.get(name, 0.0) > 0:
            raise RakingError(
                f"calage sur {column} : aucune réponse de la catégorie « {name} », dont la marge est {total:g}"
            )


def _raking_ratio(
    indicators: Floats, wanted: Floats, weights: Floats, sizes: list[int], _: object, iterations: int, tolerance: float
) -> Raked:
    """Scale the weights to each margin in turn, until all hold."""
    ends = np.cumsum([0, *sizes])
    factors = np.ones(len(weights))
    left = np.inf
    for iteration in range(1, iterations + 1):
        for start, end in pairwise(ends):
            block = indicators[:, start:end]
            ratio = wanted[start:end] / (weights * factors @ block)
            factors = factors * (block @ ratio)
        left = _left(indicators, wanted, weights * factors, sizes)
        if left <= tolerance:
            return Raked(factors, iteration, left)
    raise RakingError(_not_reached(iterations, left))


def _logit(
    indicators: Floats, wanted: Floats, weights: Floats, sizes: list[int], bounds: tuple[float, float] | None,
    iterations: int, tolerance: float,
) -> Raked:  # fmt: skip
    """Solve the calibration equations by Newton's method, the factors held between the bounds by a logit."""
    assert bounds is not None  # the caller chose the bounded method
    low, high = bounds
    slope = (high - low) / ((1 - low) * (high - 1))
    unknowns = np.zeros(len(wanted))
    left = np.inf
    for iteration in range(1, iterations + 1):
        rise = np.exp(np.clip(slope * (indicators @ unknowns), -500, 500))
        factors = (low * (high - 1) + high * (1 - low) * rise) / (high - 1 + (1 - low) * rise)
        left = _left(indicators, wanted, weights * factors, sizes)
        if left <= tolerance:
            return Raked(factors, iteration, left)
        derivative = slope * (factors - low) * (high - factors) / (high - low)
        gradient = indicators.T @ (indicators * (weights * derivative)[:, None])
        unknowns = unknowns + np.linalg.lstsq(gradient, wanted - indicators.T @ (weights * factors), rcond=None)[0]
    raise RakingError(f"{_not_reached(iterations, left)} ; les bornes {low:g} et {high:g} sont peut-être trop serrées")


def _left(indicators: Floats, wanted: Floats, weights: Floats, sizes: list[int]) -> float:
    population = wanted[: sizes[0]].sum()
    return float(np.abs(weights @ indicators - wanted).max() / population)


def _not_reached(iterations: int, left: float) -> str:
    return f"calage : pas de convergence après {iterations} itérations (écart restant : {left:.2g} de la population)"
