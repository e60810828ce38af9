"""Estimator → how each row is coded in SQL. Every estimator but the median is a weighted mean of a coded value, or a ratio of sums.

Only the closed list of ``declarations.estimators`` is translated; nothing from the YAML is ever run as an expression.
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
    """SQL of the coded value ``x`` and of the base weight ``w`` of a row; a row is in the base when ``x`` is not null."""

    x: str
    w: str


def code(estimator: declared.Estimator, inputs: Mapping[str, str], weight: str | None) -> Coded:
    """Return the coding of ``estimator`` over the input columns. ``weight`` is the survey weight's column, if any."""
    w = f"CAST({column(weight)} AS DOUBLE)" if weight else "CAST(1 AS DOUBLE)"
    if isinstance(estimator, declared.Ratio):
        return Coded(column(inputs["numerator"]), column(inputs["denominator"]))
    return Coded(_value(estimator, inputs), w)


def _value(estimator: declared.Estimator, inputs: Mapping[str, str]) -> str:  # noqa: PLR0911  (one case per estimator)
    answer = column(next(iter(inputs.values())))
    match estimator:
        case declared.Share():
            return f"CASE WHEN {answer} IN ({_list(estimator.favourable)}) THEN 100 WHEN {answer} IN ({_list(estimator.among)}) THEN 0 END"
        case declared.TopBox():
            low, high = estimator.scale
            return f"CASE WHEN {answer} BETWEEN {high - estimator.top + 1} AND {high} THEN 100 WHEN {answer} BETWEEN {low} AND {high} THEN 0 END"
        case declared.Nps():
            return f"CASE WHEN {answer} BETWEEN 9 AND 10 THEN 100 WHEN {answer} BETWEEN 7 AND 8 THEN 0 WHEN {answer} BETWEEN 0 AND 6 THEN -100 END"
        case declared.NetSatisfaction():
            neutral = f" WHEN {answer} IN ({_list(estimator.neutral)}) THEN 0" if estimator.neutral else ""
            return (
                f"CASE WHEN {answer} IN ({_list(estimator.satisfied)}) THEN 100 "
                f"WHEN {answer} IN ({_list(estimator.dissatisfied)}) THEN -100{neutral} END"
            )
        case declared.Score():
            cases = " ".join(
                f"WHEN {answer} = {literal(item.answer)} THEN {item.points!r}" for item in estimator.points
            )
            return f"CASE {cases} END"
        case declared.Ces():
            return f"CASE WHEN {answer} BETWEEN {estimator.scale[0]} AND {estimator.scale[1]} THEN {answer} END"
        case _:
            return answer


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


def _list(values: Iterable[Scalar]) -> str:
    return ", ".join(literal(value) for value in values)
