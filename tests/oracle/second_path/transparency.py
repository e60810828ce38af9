"""Second path of the transparency of networks: which of them publish, counted one by one in each place."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from oracle.second_path.recomputed import Line, Recomputed

from pipelines.declarations import estimators as declared
from pipelines.declarations.periods import last_day, period_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from oracle.second_path.places import Key, Regions

    from pipelines.declarations import Frequency, Indicator, Level, LevelRule

Counts = dict[str, list[float]]  # network → sites that publish, sites


def recompute_transparency(
    rows: pd.DataFrame, indicator: Indicator, levels: Mapping[Level, LevelRule], inputs: Mapping[str, str],
    frequencies: Sequence[Frequency], regions: Regions,
) -> Recomputed:  # fmt: skip
    """Return every unit of a transparency rate; a period is described by the last finest period that it holds."""
    lines: dict[Key, Line] = {}
    used: dict[Key, list[Any]] = {}
    observed = [
        (index, row, float(row[inputs["published"]]), float(row[inputs["sites"]]) if "sites" in inputs else 1.0)
        for index, row in zip(rows.index, rows.to_dict("records"), strict=True)
        if row[inputs["published"]] is not None and ("sites" not in inputs or (row[inputs["sites"]] or 0) > 0)
    ]
    for frequency in frequencies:
        spans: dict[str, list[str]] = defaultdict(list)
        for _, row, _, _ in observed:
            spans[period_of(last_day(row["_periode"]), frequency)].append(row["_periode"])
        for period, finest in spans.items():
            now = [item for item in observed if item[1]["_periode"] == max(finest)]
            for level, rule in levels.items():
                for place, members in _places(now, level, rule, regions).items():
                    key = (period, level, place, "")
                    used[key] = [index for index, *_ in members]
                    lines[key] = _line(members, rule, indicator.estimator, inputs["network"])
    return Recomputed(lines, rows, lambda key: rows.loc[used[key]])


def _places(now: list[Any], level: Level, rule: LevelRule, regions: Regions) -> dict[str, list[Any]]:
    if rule.obtained == "network_share":
        return {"FR": now} if now else {}
    places: dict[str, list[Any]] = defaultdict(list)
    for item in now:
        parent = regions.above(item[1]["_territoire"], item[1]["_maille"], level)
        if item[1]["_maille"] != "national" and parent:
            places[parent].append(item)
    everywhere = [item for item in now if item[1]["_maille"] == "national"]
    return {place: [*members, *everywhere] for place, members in places.items()}


def _line(members: list[Any], rule: LevelRule, estimator: declared.Estimator, network: str) -> Line:
    counts: Counts = {}
    for _, row, published, sites in members:
        one = counts.setdefault(str(row[network]), [0.0, 0.0])
        one[0], one[1] = one[0] + published, one[1] + sites
    if rule.obtained == "network_share":
        threshold = estimator.threshold if isinstance(estimator, declared.TransparencyRate) else math.nan
        reached = math.fsum(published > threshold * sites * (1 + 1e-12) for published, sites in counts.values())
    else:
        reached = math.fsum(published / sites for published, sites in counts.values())
    total = float(len(counts))
    return Line(100 * reached / total, total, numerator=reached, denominator=total)
