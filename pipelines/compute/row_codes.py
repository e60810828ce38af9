"""Estimator → how each row is coded in SQL.

Only the closed registry of ``declarations.estimators`` is translated; nothing from the YAML is ever run as an
expression. What is done with the coded rows is in ``sums`` and ``quantiles``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.declarations import estimators as declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.declarations.strict_model import Scalar


@dataclass(frozen=True)
class Coded:
    """SQL of a row's coded value ``x`` and, for a ratio, of its denominator ``y``.

    A ratio's row whose denominator is 0 makes no part of it: neither its numerator nor the row itself is in the base.
    """

    x: str
    y: str | None = None

    @property
    def in_base(self) -> str:
        """SQL condition of the rows that can make the value, whatever their weight."""
        return f"({self.x}) IS NOT NULL" + (f" AND ({self.y}) <> 0" if self.y else "")


def code(estimator: declared.Estimator, inputs: Mapping[str, str]) -> Coded:
    """Return the coding of ``estimator`` over the input columns: percentages as 0/100, net scores as -100/0/100."""
    if isinstance(estimator, declared.Ratio):
        return Coded(column(inputs["numerator"]), column(inputs["denominator"]))
    if isinstance(estimator, declared.Count):
        return Coded(f"CASE WHEN {column(inputs['value'])} IS NOT NULL THEN 1 END" if inputs else "1")
    if isinstance(estimator, declared.WithinDeadline):
        delay = column(inputs["delay"]) if "delay" in inputs else _days(inputs["start"], inputs["end"])
        return Coded(f"CASE WHEN {delay} < 0 THEN NULL WHEN {delay} <= {estimator.within!r} THEN 100 "
                     f"WHEN {delay} IS NOT NULL THEN 0 END")  # fmt: skip
    return Coded(_answered(estimator, column(next(iter(inputs.values())))))


def _days(start: str, end: str) -> str:
    """Return the calendar days between two dates."""
    return f"date_diff('day', {column(start)}, {column(end)})"


def _answered(estimator: declared.Estimator, answer: str) -> str:
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


def typed_value(estimator: declared.Estimator, inputs: Mapping[str, str]) -> str:
    """Return the SQL of a typed value; for ``progress_rate``, made of the three that the row gives."""
    if not isinstance(estimator, declared.ProgressRate):
        return f"CAST({column(inputs['value'])} AS DOUBLE)"
    current, initial, target = (f"CAST({column(inputs[name])} AS DOUBLE)" for name in ("current", "initial", "target"))
    done = f"100 * ({current} - {initial}) / nullif({target} - {initial}, 0)"
    return f"CASE WHEN {done} < 0 THEN 0 WHEN {done} > 100 THEN 100 ELSE {done} END"


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
