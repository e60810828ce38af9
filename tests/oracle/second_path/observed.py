"""Second path of indicators computed from rows: one pandas group-by per level and frequency, on the rows themselves.

No cell is added up on the way: every level is computed from all its rows, as its definition reads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from oracle.second_path.intervals import NO_BOUNDS, interval
from oracle.second_path.places import KEY, Key, Regions, unit_keys
from oracle.second_path.recomputed import Line, Recomputed

from pipelines.declarations import estimators as declared
from pipelines.declarations.periods import MONTHS_PER_PERIOD, periods_of_year

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Frequency, Indicator, Level

_Placed = dict[tuple[str, bool], pd.DataFrame]  # KEY of each row, by level and whether the units are years
_TIE = 1e-12  # a cumulated weight this near to the share reached has reached it


@dataclass(frozen=True)
class Question:
    """What is asked of the rows: the indicator, levels, published frequencies (year last), the period of the rows.

    ``sampled``: whether values have an interval; ``designed``: under a sampling design, which is not recomputed.
    """

    indicator: Indicator
    levels: Sequence[Level]
    frequencies: Sequence[Frequency]
    finest: Frequency
    weighted: bool
    sampled: bool
    designed: bool


def recompute_observed(rows: pd.DataFrame, asked: Question, regions: Regions) -> Recomputed:
    """Return every unit of an indicator from its rows: coordinates, ``x``, ``y``, ``w`` and ``absence``."""
    counted = rows["x"].notna() & rows["y"].notna() & (rows["y"] != 0)
    if asked.weighted:
        counted &= rows["w"] > 0
    lines: dict[Key, Line] = {}
    placed: _Placed = {}
    for level in asked.levels:
        for frequency in asked.frequencies:
            keys = unit_keys(rows, level, frequency, regions)
            placed[level, frequency == "year"] = keys
            lines |= _lines(rows.loc[keys.index], counted[keys.index], keys, asked)
            if asked.indicator.estimator.name == "sum":
                for key in _partial(rows, counted, keys, asked.finest, frequency):
                    if not math.isnan(lines[key].value):
                        lines[key] = Line(base=lines[key].base, reason="donnees-incompletes")

    def inside(key: Key) -> pd.Series[bool]:
        keys = placed[key[1], _is_year(key[0])]
        return (keys == pd.Series(dict(zip(KEY, key, strict=True)))).all(axis=1).reindex(rows.index, fill_value=False)

    def counting(key: Key) -> pd.DataFrame:
        return rows[inside(key) & counted]

    return Recomputed(lines, rows, counting, partial(_lacking, rows, counted, placed, asked))


def _lines(rows: pd.DataFrame, counted: pd.Series[bool], keys: pd.DataFrame, asked: Question) -> dict[Key, Line]:
    estimator = asked.indicator.estimator
    base = rows[counted]
    units = [keys.loc[base.index, name] for name in KEY]
    weight = base["w"] if asked.weighted and estimator.family != "total" else pd.Series(1.0, index=base.index)
    wx, wy = weight * base["x"], weight * base["y"]
    parts = {"x": base["x"], "y": base["y"], "wx": wx, "wy": wy, "n": 1.0, "wxx": wx * base["x"], "wwxx": wx**2,
             "wwxy": wx * wy, "wwyy": wy**2}  # fmt: skip
    found: dict[Any, Any] = pd.DataFrame(parts, index=base.index).groupby(units, sort=False).sum().to_dict("index")
    quantiles = {}
    if estimator.family == "quantile":
        order = float(getattr(estimator, "order"))  # noqa: B009  (the quantile family alone comes here)
        pairs = pd.DataFrame({"x": base["x"], "w": weight})
        quantiles = {
            key: quantile(pairs.loc[index, "x"].to_numpy(float), pairs.loc[index, "w"].to_numpy(float), order)
            for key, index in pairs.groupby(units, sort=False).groups.items()
        }
    lines = {
        key: _bounded(
            _line(estimator, found.get(key), asked.weighted, quantiles.get(key, math.nan)), found.get(key), asked
        )
        for key in keys.drop_duplicates().itertuples(index=False, name=None)
    }
    absent = {key for key, line in lines.items() if math.isnan(line.value)}
    reasons = _reasons(rows, keys[pd.MultiIndex.from_frame(keys).isin(absent)]) if absent else {}
    return {
        key: Line(base=line.base, reason=reasons[key]) if key in absent else line for key, line in lines.items()
    }  # fmt: skip


def _line(estimator: declared.Estimator, unit: dict[str, float] | None, weighted: bool, ranked: float) -> Line:
    if isinstance(estimator, declared.Count):
        return Line(unit["n"] if unit else 0.0)
    if estimator.family == "total":
        return Line(unit["x"]) if unit else Line()
    if unit is None or not (unit["wy"] > 0 or estimator.family == "quantile"):
        return Line(base=0.0)
    pondered = unit["wy"] if weighted else math.nan
    if estimator.family == "quantile":
        return Line(ranked, unit["n"], pondered)
    mean = unit["wx"] / unit["wy"]
    if isinstance(estimator, declared.Ratio):
        return Line(estimator.factor * mean, np.rint(unit["y"]), pondered, unit["wx"], unit["wy"])
    scale = 100.0 if estimator.percent else 1.0
    return Line(mean, unit["n"], pondered, unit["wx"] / scale, unit["wy"])


def _bounded(line: Line, unit: dict[str, float] | None, asked: Question) -> Line:
    """Add the interval of a value: none to a census or a total, not recomputed for a quantile or under a design."""
    estimator = asked.indicator.estimator
    if math.isnan(line.value) or unit is None or not asked.sampled or estimator.family == "total":
        return replace(line, bounds=NO_BOUNDS)
    if estimator.family == "quantile" or asked.designed:
        return line
    return replace(line, bounds=interval(estimator, unit))


def quantile(values: Any, weights: Any, order: float) -> float:
    """Return the weighted quantile of Hyndman and Fan's type 2: the middle of two values where the share falls due."""
    ranked = np.argsort(values, kind="stable")
    values, reached = values[ranked], np.cumsum(weights[ranked])
    due = order * reached[-1]
    at, past = values[reached >= due * (1 - _TIE)], values[reached > due * (1 + _TIE)]
    return float((at[0] + past[0]) / 2) if len(at) and len(past) else math.nan


def _reasons(rows: pd.DataFrame, keys: pd.DataFrame) -> dict[Key, str]:
    """Return, for each unit, the reason of absence that all its cells share, else « non renseigné »."""
    cells: dict[Any, dict[Any, set[str]]] = {}
    told = rows.loc[keys.index]
    places = zip(told["_periode"], told["_territoire"], told["_structure"], strict=True)
    for key, place, reason in zip(keys.itertuples(index=False, name=None), places, told["absence"], strict=True):
        cells.setdefault(key, {}).setdefault(place, set()).update({reason} - {None})
    return {key: _only({_only(reasons) for reasons in inside.values()}) for key, inside in cells.items()}


def _only(reasons: set[str]) -> str:
    return next(iter(reasons)) if len(reasons) == 1 else "non-renseigne"


def _partial(
    rows: pd.DataFrame, counted: pd.Series[bool], keys: pd.DataFrame, finest: Frequency, frequency: Frequency
) -> list[Key]:
    """Return the units to which a part known in the year, or a period, is missing."""
    part = _parts(rows.loc[keys.index])
    known = keys.assign(part=part).groupby(list(KEY[1:]))["part"].nunique()
    periods = MONTHS_PER_PERIOD[frequency] // MONTHS_PER_PERIOD[finest]
    cells = keys.assign(part=part, cellule=rows["_periode"])[counted[keys.index]].drop_duplicates()
    filled = cells.groupby(list(KEY)).size()
    units = keys.drop_duplicates()
    return [
        key for key in units.itertuples(index=False, name=None)
        if filled.get(key, 0) < known[key[1:]] * periods
    ]  # fmt: skip


def _parts(rows: pd.DataFrame) -> pd.Series[str]:
    return rows["_territoire"].fillna("").astype(str) + "|" + rows["_structure"].fillna("").astype(str)


def _lacking(rows: pd.DataFrame, counted: pd.Series[bool], placed: _Placed, asked: Question, key: Key) -> list[str]:
    """Name the offices (or départements) and periods that a partial sum lacks, in French."""
    keys = placed[key[1], _is_year(key[0])]
    place = (keys[list(KEY[1:])] == pd.Series(dict(zip(KEY[1:], key[1:], strict=True)))).all(axis=1)
    inside = rows.loc[keys.index[place]]
    parts = sorted(set(_parts(inside)))
    now = inside[(keys.loc[inside.index, "periode"] == key[0]) & counted[inside.index]]
    there = set(zip(_parts(now), now["_periode"], strict=True))
    periods = _finer(key[0], asked.finest)
    return [
        f"{' '.join(filter(None, part.split('|')))} : {', '.join(lacking)}" for part in parts
        if (lacking := [period for period in periods if (part, period) not in there])
    ]  # fmt: skip


def _finer(period: str, finest: Frequency) -> list[str]:
    """Return the finest periods of which a period is made."""
    every = periods_of_year(int(period[:4]), finest)
    return every if _is_year(period) else [name for name in every if name == period]


def _is_year(period: str) -> bool:
    return len(period) == len("2024")
