"""Results computed from rows (surveys, operations): sums once at the finest cell, rolled up to levels and periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.compute.estimates import estimate
from pipelines.compute.sums import cell_sums, medians
from pipelines.compute.units import UNIT, Geography, assign_units
from pipelines.declarations.periods import MONTHS_PER_PERIOD, last_day

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb

    from pipelines.declarations import Export, Feed, Frequency, Indicator, Level

_SUMS = ["n", "sw", "sw2", "swx", "swx2"]


def observed_results(
    connection: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    feed: Feed,
    exports: Mapping[Path, Export],
    levels: list[Level],
    geography: Geography,
) -> pd.DataFrame:
    """Return one line per unit (period × level × territory × structure): value, bounds, base, reason when absent."""
    cells = cell_sums(connection, indicator, feed, exports)
    finest: Frequency = next(iter(exports.values())).period.frequency
    published: list[Frequency] = list(dict.fromkeys([feed.frequency or finest, "year"]))
    frames = []
    for level in levels:
        for frequency in published:
            units = assign_units(cells, level, frequency, geography)
            if units.empty:
                continue
            if indicator.estimator.name == "median":
                frames.append(_medians(connection, indicator, feed, exports, units))
            else:
                frames.append(_rolled_up(units, indicator, finest, frequency))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _rolled_up(units: pd.DataFrame, indicator: Indicator, finest: Frequency, frequency: Frequency) -> pd.DataFrame:
    grouped = units.groupby(UNIT, dropna=False, sort=True)
    sums = grouped[_SUMS].sum()
    sums["structure"] = grouped["structure"].last()
    sums["date_reference"] = grouped["_periode"].max().map(last_day)
    found = estimate(sums.reset_index(), indicator.estimator)
    reasons = grouped["motif"].agg(_only_one).to_numpy()
    found["motif"] = np.where(found["valeur"].isna(), pd.Series(reasons).fillna("non-renseigne"), None)
    if indicator.estimator.name == "sum":
        found = _without_partial_sums(found, units, MONTHS_PER_PERIOD[frequency] // MONTHS_PER_PERIOD[finest])
    return found


def _only_one(reasons: pd.Series) -> str | None:
    """Return the reason that all the absent cells share; several reasons, or cells without one, say nothing."""
    known = reasons.unique()
    return str(known[0]) if len(known) == 1 and isinstance(known[0], str) else None


def _without_partial_sums(found: pd.DataFrame, units: pd.DataFrame, periods: int) -> pd.DataFrame:
    """Blank the sums to which a part (office, département) known in the year, or a period, is missing."""
    place = ["maille", "territoire_code", "structure_code"]
    parts = units.groupby(place, dropna=False).apply(
        lambda group: len(group[["_territoire", "_structure"]].drop_duplicates()), include_groups=False
    )
    filled = units[units["n"] > 0].groupby(UNIT, dropna=False).size().rename("filled")
    joined = found.merge(parts.rename("parts").reset_index(), on=place, how="left")
    joined = joined.merge(filled.reset_index(), on=UNIT, how="left")
    partial = joined["filled"].fillna(0) < joined["parts"] * periods
    joined.loc[partial, "valeur"] = np.nan
    joined.loc[partial, "motif"] = "donnees-incompletes"
    return joined.drop(columns=["parts", "filled"])


def _medians(
    connection: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    feed: Feed,
    exports: Mapping[Path, Export],
    units: pd.DataFrame,
) -> pd.DataFrame:
    grouped = units.groupby(UNIT, dropna=False, sort=True)
    numbered = units.assign(_unit=grouped.ngroup())
    described = numbered.groupby("_unit").agg(
        {**dict.fromkeys(UNIT, "first"), "structure": "last", "_periode": "max"}  # type: ignore[dict-item]
    )
    cells = numbered[["_periode", "_territoire", "_structure", "_unit"]]
    found = described.join(medians(connection, indicator, feed, exports, cells).set_index("_unit"))
    found["date_reference"] = found["_periode"].map(last_day)
    found["effectif"] = found["n"].fillna(0)
    found["motif"] = np.where(found["valeur"].isna(), "non-renseigne", None)
    blank = dict.fromkeys(["borne_basse", "borne_haute", "numerateur", "denominateur"], np.nan)
    return found.assign(**blank).reset_index(drop=True)
