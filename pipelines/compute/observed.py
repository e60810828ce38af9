"""Results computed from rows (surveys, operations): sums at the finest cell, rolled up to levels and periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.compute.design import degrees_of_freedom, linearised_variance
from pipelines.compute.estimates import estimate
from pipelines.compute.quantiles import quantiles
from pipelines.compute.reasons import reason_where
from pipelines.compute.sums import SUMMED, Sums, strata_of
from pipelines.compute.units import UNIT, Geography
from pipelines.declarations.periods import MONTHS_PER_PERIOD

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from pipelines.compute.source import Source
    from pipelines.declarations import Feed, Frequency, Indicator, Level


def observed_results(
    connection: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    feed: Feed,
    sources: Sequence[Source],
    sums: Sums,
    levels: list[Level],
    geography: Geography,
) -> pd.DataFrame:
    """Return one line per unit (period × level × territory × structure): value, bounds, base, reason when absent."""
    finest: Frequency = sources[0].export.period.frequency
    published: list[Frequency] = list(dict.fromkeys([feed.frequency or finest, "year"]))
    units = _with_sums(sums.cells.units(levels, published, geography), sums)
    if units.empty:
        return units
    year = int(units["_periode"].iloc[0][:4])
    strata = strata_of(connection, sources, year) if sums.parts is not None else None
    if indicator.estimator.family == "quantile":
        found = _quantiles(units, quantiles(connection, indicator, feed, sources, units, strata), sources)
    else:
        found = _rolled_up(units, indicator, sources, sums, strata)
    if indicator.estimator.name == "sum":
        found = _without_partial_sums(found, units, MONTHS_PER_PERIOD[finest])
    return found.drop(columns=["_unit"])


def _with_sums(units: pd.DataFrame, sums: Sums) -> pd.DataFrame:
    """Return the lines of the cells of which there are sums, with these."""
    known = sums.sums["_cell"].to_numpy()
    rank = np.full(len(sums.cells.keys), -1)
    rank[known] = np.arange(len(known))
    row = rank[units["_cell"].to_numpy()]
    held = row >= 0
    told = {name: sums.sums[name].to_numpy()[row[held]] for name in ("n", "motif", *SUMMED)}
    found: pd.DataFrame = units[held].reset_index(drop=True).assign(**told)
    return found


def _rolled_up(
    units: pd.DataFrame, indicator: Indicator, sources: Sequence[Source], sums: Sums, strata: pd.DataFrame | None
) -> pd.DataFrame:
    totals = _described(units).join(units.groupby("_unit")[["n", *SUMMED]].sum())
    variance = freedom = None
    if strata is not None and indicator.estimator.family in ("mean", "ratio"):
        variance, freedom = (
            np.asarray(by_unit.reindex(totals.index), dtype=np.float64)
            for by_unit in _of_design(units, sources, sums, strata)
        )
    sampled = any(source.export.sampled for source in sources)
    weighted = any(source.weight for source in sources)
    found = estimate(
        totals.reset_index(), indicator.estimator, sampled=sampled, weighted=weighted, variance=variance,
        freedom=freedom, drawn=_drawn(strata),
    )  # fmt: skip
    return _with_reasons(found, units)


def _of_design(
    units: pd.DataFrame, sources: Sequence[Source], sums: Sums, strata: pd.DataFrame
) -> tuple[pd.Series[float], pd.Series[float]]:
    """Bring the sums of strata and clusters to the published units; return their variance and degrees of freedom."""
    assert sums.parts is not None  # a design is declared
    names = {"swx": "a", "sw": "b", "saa": "aa", "sab": "ab", "sw2": "bb"}
    parts = sums.parts[sums.parts["n"] > 0]  # a cluster none of whose rows is in the base says nothing
    parts = parts.rename(columns=names)[["_cell", "_strate", "_grappe", "n", *names.values()]]
    placed = parts.merge(units[["_cell", "_unit"]], on="_cell")
    design = next(source.export.design for source in sources if source.export.design)
    clustered = bool(design.clusters)
    variance = linearised_variance(placed, strata, clustered, design.single)
    return variance, degrees_of_freedom(placed, clustered)


def _drawn(strata: pd.DataFrame | None) -> float:
    """Return which part of the population the sample is, 0 where it is not declared of every stratum."""
    if strata is None or strata["population"].isna().any():
        return 0.0
    return float(strata["taille"].sum() / strata["population"].sum())


def _with_reasons(found: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Tell the reason that all cells of an absent value share; several reasons, or a cell without one, say nothing."""
    absent = found["valeur"].isna()
    if not absent.any():
        return found.assign(motif=np.full(len(found), None))
    told = units[units["_unit"].isin(found.loc[absent, "_unit"])]
    reasons = told.assign(motif=told["motif"].fillna("non-renseigne")).groupby("_unit")["motif"].agg(["min", "max"])
    shared = reasons["min"].where(reasons["min"] == reasons["max"], "non-renseigne")
    return found.assign(motif=reason_where(absent, found["_unit"].map(shared)))


def _described(units: pd.DataFrame) -> pd.DataFrame:
    """Return the coordinates of each unit, by ``_unit``, and the last day of the last period observed.

    Cells are in order of period: the last one of a unit tells its day, and the name that its office has then.
    """
    last = units.drop_duplicates("_unit", keep="last").set_index("_unit").sort_index()
    described = last[[*UNIT, "structure", "date_reference"]]
    if (described["structure"].isna() & described["structure_code"].notna()).any():  # the last name that there is
        described = described.assign(structure=units.groupby("_unit")["structure"].last())
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


def _quantiles(units: pd.DataFrame, computed: pd.DataFrame, sources: Sequence[Source]) -> pd.DataFrame:
    found = _described(units).join(computed).reset_index()
    weighted = any(source.weight for source in sources)
    found = found.assign(
        effectif=found["n"].fillna(0),
        effectif_pondere=found["sw"] if weighted else np.nan,
        numerateur=np.nan,
        denominateur=np.nan,
    )
    return _with_reasons(found, units)
