"""Estimator → how each row is coded in SQL.

Every estimator but the median is a weighted mean of a coded value, or a ratio of sums. Only the closed list of
``declarations.estimators`` is translated; nothing from the YAML is ever run as an expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.declarations import estimators as declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.declarations.base import Scalar


@dataclass(frozen=True)
class Coded:
    """SQL of a row's coded value ``x`` and base weight ``w``; the row is in the base when ``x`` is not null."""

    x: str
    w: str


def code(estimator: declared.Estimator, inputs: Mapping[str, str], weight: str | None) -> Coded:
    """Return the coding of ``estimator`` over the input columns. ``weight`` is the survey weight's column, if any."""
    w = f"CAST({column(weight)} AS DOUBLE)" if weight else "CAST(1 AS DOUBLE)"
    if isinstance(estimator, declared.Ratio):
        return Coded(column(inputs["numerator"]), column(inputs["denominator"]))
    return Coded(_value(estimator, inputs), w)


def _value(estimator: declared.Estimator, inputs: Mapping[str, str]) -> str:
    answer = column(next(iter(inputs.values())))
    match estimator:
        case declared.Share():
            branches = [_among(answer, estimator.favourable, 100), _among(answer, estimator.among, 0)]
        case declared.TopBox():
            low, high = estimator.scale
            branches = [_between(answer, high - estimator.top + 1, high, "100"), _between(answer, low, high, "0")]
        case declared.Nps():
            branches = [
                _between(answer, 9, 10, "100"),
                _between(answer, 7, 8, "0"),
                _between(answer, 0, 6, "-100"),
            ]
        case declared.NetSatisfaction():
            branches = [_among(answer, estimator.satisfied, 100), _among(answer, estimator.dissatisfied, -100)]
            if estimator.neutral:
                branches.append(_among(answer, estimator.neutral, 0))
        case declared.Score():
            branches = [f"WHEN {answer} = {literal(item.answer)} THEN {item.points!r}" for item in estimator.points]
        case declared.Ces():
            branches = [_between(answer, *estimator.scale, answer)]
        case _:
            return answer
    return f"CASE {' '.join(branches)} END"


def _among(answer: str, values: Iterable[Scalar], points: int) -> str:
    return f"WHEN {answer} IN ({', '.join(literal(value) for value in values)}) THEN {points}"


def _between(answer: str, low: int, high: int, coded: str) -> str:
    return f"WHEN {answer} BETWEEN {low} AND {high} THEN {coded}"


def column(name: str) -> str:
    """Quote a column name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Scalar) -> str:
    """Write a declared value as an SQL literal."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + value.replace("'", "''") + "'"
