"""What each answer is worth to an estimator, in plain pandas: percentages as 0 or 100, net scores as -100, 0 or 100."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from oracle.second_path.numbers_of_rows import numbers

from pipelines.declarations import estimators as declared

if TYPE_CHECKING:
    from collections.abc import Mapping


def coded(estimator: declared.Estimator, inputs: Mapping[str, str], rows: pd.DataFrame) -> pd.DataFrame:
    """Return ``x`` (and ``y``, the denominator of a ratio, else 1): NaN where the row is out of the base."""
    if isinstance(estimator, declared.Ratio):
        above, below = numbers(rows[inputs["numerator"]]), numbers(rows[inputs["denominator"]])
        both = above.notna() & below.notna()
        return pd.DataFrame({"x": above.where(both), "y": below.where(both)})
    if isinstance(estimator, declared.Count):
        kept = rows[inputs["value"]].notna() if inputs else pd.Series(True, index=rows.index)
        worth = kept.map({True: 1.0, False: None}).astype("float64")
    elif isinstance(estimator, declared.WithinDeadline):
        worth = _within(estimator, inputs, rows)
    else:
        answers = rows[next(iter(inputs.values()))]
        worth = _by_word(estimator, answers)
    return pd.DataFrame({"x": worth, "y": 1.0})


def _within(estimator: declared.WithinDeadline, inputs: Mapping[str, str], rows: pd.DataFrame) -> pd.Series[float]:
    if "delay" in inputs:
        days = numbers(rows[inputs["delay"]])
    else:
        start, end = (pd.to_datetime(rows[inputs[name]]) for name in ("start", "end"))
        days = (end - start).dt.days.astype("float64")
    days = days.where(days >= 0)
    return (days <= estimator.within).map({True: 100.0, False: 0.0}).where(days.notna())


def _by_word(estimator: declared.Estimator, answers: pd.Series[Any]) -> pd.Series[float]:
    points = _points(estimator)
    if points is not None:
        return answers.map(points).astype("float64")
    notes = numbers(answers)
    if isinstance(estimator, declared.TopBox):
        low, high = estimator.scale
        return (notes >= high - estimator.top + 1).map({True: 100.0, False: 0.0}).where(notes.between(low, high))
    if isinstance(estimator, declared.Nps):
        worth = notes.between(9, 10) * 100.0 - notes.between(0, 6) * 100.0
        return worth.where(notes.between(0, 6) | notes.between(7, 8) | notes.between(9, 10))
    if isinstance(estimator, declared.Ces):
        return notes.where(notes.between(*estimator.scale))
    return notes


def _points(estimator: declared.Estimator) -> dict[Any, float] | None:
    """Return what each answer in words is worth; None for notes and amounts."""
    if isinstance(estimator, declared.Share):
        return {answer: 100.0 if answer in estimator.favourable else 0.0 for answer in estimator.among}
    if isinstance(estimator, declared.NetSatisfaction):
        worth = {100.0: estimator.satisfied, 0.0: estimator.neutral, -100.0: estimator.dissatisfied}
        return {answer: points for points, answers in worth.items() for answer in answers}
    if isinstance(estimator, declared.Score):
        return {item.answer: float(item.points) for item in estimator.points}
    return None
