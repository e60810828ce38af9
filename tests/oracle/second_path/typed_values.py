"""Second path of results typed by the network: the typed value itself, or what the declaration makes of the parts.

Dictionaries over the few typed rows, period by period; no frame is grouped here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
from oracle.second_path.places import Key, Regions
from oracle.second_path.recomputed import Line, Recomputed

from pipelines.declarations import estimators as declared
from pipelines.declarations.periods import periods_of_year
from pipelines.declarations.strict_model import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.declarations import Frequency, Indicator, Level, LevelRule

Place = tuple[str, str, str]


@dataclass(frozen=True)
class Typed:
    """A value of one place and period: typed (one row) or made of parts (``rows`` of all of them)."""

    value: float
    base: float
    reason: str | None
    rows: tuple[Any, ...]
    lacking: tuple[str, ...] = field(default=())

    def line(self) -> Line:
        """Return it as a recomputed line."""
        return Line(self.value, self.base, reason=self.reason if math.isnan(self.value) else None)


def typed_value(indicator: Indicator, inputs: Mapping[str, str], row: Mapping[Any, Any]) -> float:
    """Return the value that a row types; a progress rate is made of the three that it gives, between 0 and 100."""
    if not isinstance(indicator.estimator, declared.ProgressRate):
        value = row[inputs["value"]]
        return math.nan if value is None else float(value)
    current, initial, target = (row[inputs[name]] for name in ("current", "initial", "target"))
    if None in (current, initial, target) or target == initial:
        return math.nan
    return float(min(100.0, max(0.0, 100 * (current - initial) / (target - initial))))


def recompute_typed(
    rows: pd.DataFrame, indicator: Indicator, levels: Mapping[Level, LevelRule], inputs: Mapping[str, str],
    finest: Frequency, published: Frequency, regions: Regions, not_applicable: frozenset[str],
) -> Recomputed:  # fmt: skip
    """Return every unit of an indicator that the network types; ``rows`` have coordinates, inputs and ``absence``."""
    typed: dict[Place, dict[str, Typed]] = defaultdict(dict)
    for index, row in zip(rows.index, rows.to_dict("records"), strict=True):
        value = typed_value(indicator, inputs, row)
        base = row[inputs["base"]] if "base" in inputs else None
        reason = row["absence"] or "non-renseigne" if math.isnan(value) else None
        place = (row["_maille"], row["_territoire"] or "", row["_structure"] or "")
        typed[place][row["_periode"]] = Typed(value, math.nan if base is None else float(base), reason, (index,))
    found: dict[Key, Typed] = {}
    for level, rule in levels.items():
        if rule.obtained == "declared":
            places = {place: values for place, values in typed.items() if place[0] == level}
        else:
            places = _from_parts(typed, level, rule.obtained == "weighted_mean", regions, not_applicable)
        for place, values in places.items():
            if published != "year" or (finest == "year" and indicator.year != "weighted_mean"):
                found |= {(period, *place): item for period, item in values.items()}
            if finest != "year" or indicator.year == "weighted_mean":
                found |= {(year, *place): item for year, item in _years(values, indicator.year, finest)}
    lines = {key: item.line() for key, item in found.items()}

    def counting(key: Key) -> pd.DataFrame:
        return rows.loc[list(found[key].rows)]

    return Recomputed(lines, rows, counting, lambda key: list(found[key].lacking))


def _from_parts(
    typed: Mapping[Place, Mapping[str, Typed]], level: Level, weighted: bool, regions: Regions, idle: frozenset[str]
) -> dict[Place, dict[str, Typed]]:
    """Add the finest typed places below ``level``, or weigh them by their base; all must be there."""
    below = [name for name in LEVELS[: LEVELS.index(level)] if any(place[0] == name for place in typed)]
    members: dict[str, list[Place]] = defaultdict(list)
    for place in typed:
        parent = regions.above(place[1] or None, place[0], level) if below and place[0] == below[0] else None
        if parent:
            members[parent].append(place)
    found: dict[Place, dict[str, Typed]] = {}
    for parent, places in members.items():
        periods = sorted({period for place in places for period in typed[place]})
        made = {period: _added([(place, typed[place].get(period)) for place in places], weighted, idle)
                for period in periods}  # fmt: skip
        found[level, parent, ""] = {period: item for period, item in made.items() if item is not None}
    return found


def _added(parts: list[tuple[Place, Typed | None]], weighted: bool, idle: frozenset[str]) -> Typed | None:
    active = [(place, item) for place, item in parts if item is None or item.reason not in idle]
    present = [item for _, item in active if item is not None]
    if not present:
        return None
    rows = tuple(index for item in present for index in item.rows)

    def counts(item: Typed | None) -> bool:
        return item is not None and not math.isnan(item.value) and not (weighted and math.isnan(item.base))

    lacking = tuple(" ".join(filter(None, place[1:])) for place, item in active if not counts(item))
    if lacking:
        return Typed(math.nan, math.nan, "donnees-incompletes", rows, lacking)
    bases = [item.base for item in present if not math.isnan(item.base)]
    base = math.fsum(bases) if bases else math.nan
    if not weighted:
        return Typed(math.fsum(item.value for item in present), base, None, rows)
    value = math.fsum(item.value * item.base for item in present) / base if base else math.nan
    return Typed(value, base, None if base else "non-renseigne", rows)


def _years(values: Mapping[str, Typed], method: str, finest: Frequency) -> Iterable[tuple[str, Typed]]:
    for year in sorted({period[:4] for period in values}):
        inside = {period: values[period] for period in sorted(values) if period[:4] == year}
        yield year, _year(inside, method, periods_of_year(int(year), finest))


def _year(values: Mapping[str, Typed], method: str, periods: list[str]) -> Typed:
    known = [item for item in values.values() if not math.isnan(item.value)]
    if not known or method not in ("sum", "weighted_mean"):
        return (known or list(values.values()))[-1]
    rows = tuple(index for item in known for index in item.rows)
    bases = [item.base for item in known if not math.isnan(item.base)]
    if method == "sum":
        lacking = tuple(period for period in periods if period not in values or math.isnan(values[period].value))
        if lacking:
            return Typed(math.nan, math.nan, "donnees-incompletes", rows, lacking)
        return Typed(math.fsum(item.value for item in known), math.fsum(bases) if bases else math.nan, None, rows)
    if len(bases) < len(known):
        lacking = tuple(f"base de {period}" for period, item in values.items() if math.isnan(item.base))
        return Typed(math.nan, math.nan, "donnees-incompletes", rows, lacking)
    base = math.fsum(bases)
    value = math.fsum(item.value * item.base for item in known) / base if base else math.nan
    return Typed(value, base, None if base else "non-renseigne", rows)
