"""Results computed from rows (surveys, operations): sums once at the finest cell, rolled up to levels and periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.compute.estimates import estimate
from pipelines.compute.reasons import reason_where
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
    units = pd.concat(
        [assign_units(cells, level, frequency, geography) for level in levels for frequency in published],
        ignore_index=True,
    )
    if units.empty:
        return units
    units["_unit"] = units.groupby(UNIT, dropna=False, sort=True).ngroup()
    if indicator.estimator.name == "median":
        found = _medians(connection, indicator, feed, exports, units)
    else:
        found = _rolled_up(units, indicator)
    if indicator.estimator.name == "sum":
        found = _without_partial_sums(found, units, MONTHS_PER_PERIOD[finest])
    return found.drop(columns=["_unit"])


def _rolled_up(units: pd.DataFrame, indicator: Indicator) -> pd.DataFrame:
    found = estimate(_described(units).join(units.groupby("_unit")[_SUMS].sum()).reset_index(), indicator.estimator)
    return _with_reasons(found, units)


def _with_reasons(found: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Tell the reason that all cells of an absent value share; several reasons, or a cell without one, say nothing."""
    reasons = units.assign(motif=units["motif"].fillna("non-renseigne")).groupby("_unit")["motif"].agg(["min", "max"])
    reason = reasons["min"].where(reasons["min"] == reasons["max"], "non-renseigne").to_numpy()
    return found.assign(motif=reason_where(found["valeur"].isna(), reason))


def _described(units: pd.DataFrame) -> pd.DataFrame:
    """Return the coordinates of each unit, by ``_unit``, and the last day of the last period observed."""
    grouped = units.groupby("_unit")
    described = grouped[[*UNIT, "structure"]].last()
    described["date_reference"] = grouped["_periode"].max().map(last_day)
    return described


def _without_partial_sums(found: pd.DataFrame, units: pd.DataFrame, months_per_cell: int) -> pd.DataFrame:
    """Blank the sums to which a part (office, département) known in the year, or a period, is missing."""
    part = units["_territoire"].fillna("") + "|" + units["_structure"].fillna("")
    place = units[["frequence", "maille", "territoire_code", "structure_code"]]
    parts = units.assign(part=part).groupby([place[name].fillna("") for name in place])["part"].transform("nunique")
    periods = units["frequence"].map(MONTHS_PER_PERIOD) // months_per_cell
    expected = (parts * periods).groupby(units["_unit"]).first()
    filled = (units["n"] > 0).groupby(units["_unit"]).sum()
    partial = found["_unit"].map(filled < expected) & found["valeur"].notna()  # absent as a whole: its reason stands
    return found.assign(
        valeur=found["valeur"].mask(partial),
        motif=found["motif"].mask(partial, "donnees-incompletes"),
    )


def _medians(
    connection: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    feed: Feed,
    exports: Mapping[Path, Export],
    units: pd.DataFrame,
) -> pd.DataFrame:
    cells = units[["_periode", "_maille", "_territoire", "_structure", "_unit"]]
    computed = medians(connection, indicator, feed, exports, cells).set_index("_unit")
    found = _described(units).join(computed).reset_index()
    blank = dict.fromkeys(["borne_basse", "borne_haute", "numerateur", "denominateur"], np.nan)
    return _with_reasons(found.assign(effectif=found["n"].fillna(0), **blank), units)
