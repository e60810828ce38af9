"""Results computed from rows (surveys, operations): sums at the finest cell, rolled up to levels and periods.

Then sums of coded values → estimate, 95 % interval, base, in plain numpy. Intervals are of samples only: Wilson for
shares and Tango for net scores, on Kish's effective size; normal for means, on the variance of the coded values and the
same size; Taylor's linearisation for ratios. With a sampling design, the variance is that of its clusters, the law
Student's on its degrees of freedom, and the effective size of a share or net score what the design effect leaves.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.compute.export_rows import Fed
from pipelines.compute.intervals import (
    ROUNDING,
    Z95,
    Floats,
    around,
    critical,
    degrees_of_freedom,
    kish,
    linearised_variance,
    normal,
    tango,
    wilson,
)
from pipelines.compute.quantiles import quantiles
from pipelines.compute.sums import SUMMED, Sums, strata_of
from pipelines.compute.units import UNIT, reason_where
from pipelines.declarations import Level
from pipelines.declarations import estimators as declared
from pipelines.declarations.periods import MONTHS_PER_PERIOD
from pipelines.declarations.references import Geography


def observed_results(
    connection: duckdb.DuckDBPyConnection, fed: Fed, sums: Sums, levels: list[Level], geography: Geography
) -> pd.DataFrame:
    """Return one line per unit (period × level × territory × structure): value, bounds, base, reason when absent."""
    units = _with_sums(sums.cells.units(levels, fed.published, geography), sums)
    if units.empty:
        return units
    year = int(units["_periode"].iloc[0][:4])
    strata = strata_of(connection, fed.sources, year) if sums.parts is not None else None
    if fed.indicator.estimator.family == "quantile":
        results = _quantiles(units, quantiles(connection, fed, units, strata), fed.weighted)
    else:
        results = _rolled_up(units, fed, sums, strata)
    if fed.indicator.estimator.name == "sum":
        results = _without_partial_sums(results, units, MONTHS_PER_PERIOD[fed.finest])
    return results.drop(columns=["_unit"])


def _with_sums(units: pd.DataFrame, sums: Sums) -> pd.DataFrame:
    """Return the lines of the cells of which there are sums, with these."""
    cells = sums.sums["_cell"].to_numpy()
    row_of = np.full(len(sums.cells.keys), -1)
    row_of[cells] = np.arange(len(cells))
    row = row_of[units["_cell"].to_numpy()]
    summed = row >= 0
    columns = {name: sums.sums[name].to_numpy()[row[summed]] for name in ("n", "motif", *SUMMED)}
    summed_units: pd.DataFrame = units[summed].reset_index(drop=True).assign(**columns)
    return summed_units


def _rolled_up(units: pd.DataFrame, fed: Fed, sums: Sums, strata: pd.DataFrame | None) -> pd.DataFrame:
    estimator = fed.indicator.estimator
    totals = _described(units).join(units.groupby("_unit")[["n", *SUMMED]].sum())
    variance = freedom = None
    drawn = 0.0  # the part of the population that the sample is, where it is declared of every stratum
    if strata is not None and estimator.family in ("mean", "ratio"):
        variance, freedom = (
            np.asarray(by_unit.reindex(totals.index), dtype=np.float64)
            for by_unit in _of_design(units, fed, sums, strata)
        )
        if strata["population"].notna().all():
            drawn = float(strata["taille"].sum() / strata["population"].sum())
    results = estimate(
        totals.reset_index(),
        estimator,
        sampled=fed.sampled,
        weighted=fed.weighted,
        variance=variance,
        freedom=freedom,
        drawn=drawn,
    )
    return _with_reasons(results, units)


def _of_design(
    units: pd.DataFrame, fed: Fed, sums: Sums, strata: pd.DataFrame
) -> tuple[pd.Series[float], pd.Series[float]]:
    """Bring the sums of strata and clusters to the published units; return their variance and degrees of freedom."""
    assert sums.parts is not None  # a design is declared
    assert fed.design is not None
    names = {"swx": "a", "sw": "b", "saa": "aa", "sab": "ab", "sw2": "bb"}
    parts = sums.parts[sums.parts["n"] > 0]  # a cluster none of whose rows is in the base says nothing
    parts = parts.rename(columns=names)[["_cell", "_strate", "_grappe", "n", *names.values()]]
    placed, clustered = parts.merge(units[["_cell", "_unit"]], on="_cell"), bool(fed.design.clusters)
    return linearised_variance(placed, strata, clustered, fed.design.single), degrees_of_freedom(placed, clustered)


def _with_reasons(results: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Tell the reason that all cells of an absent value share; several reasons, or a cell without one, say nothing."""
    absent = results["valeur"].isna()
    if not absent.any():
        return results.assign(motif=np.full(len(results), None))
    parts = units[units["_unit"].isin(results.loc[absent, "_unit"])]
    reasons = parts.assign(motif=parts["motif"].fillna("non-renseigne")).groupby("_unit")["motif"].agg(["min", "max"])
    shared = reasons["min"].where(reasons["min"] == reasons["max"], "non-renseigne")
    return results.assign(motif=reason_where(absent, results["_unit"].map(shared)))


def _described(units: pd.DataFrame) -> pd.DataFrame:
    """Return the coordinates of each unit, by ``_unit``, and the last day of the last period observed.

    Cells are in order of period: the last one of a unit tells its day, and the name that its office has then.
    """
    last = units.drop_duplicates("_unit", keep="last").set_index("_unit").sort_index()
    described = last[[*UNIT, "structure", "date_reference"]]
    if (described["structure"].isna() & described["structure_code"].notna()).any():  # the last name that there is
        described = described.assign(structure=units.groupby("_unit")["structure"].last())
    return described


def _without_partial_sums(results: pd.DataFrame, units: pd.DataFrame, months_per_cell: int) -> pd.DataFrame:
    """Blank the sums to which a part (office, département) known in the year, or a period, is missing."""
    part = units["_territoire"].fillna("") + "|" + units["_structure"].fillna("")
    place = units[["frequence", "maille", "territoire_code", "structure_code"]]
    parts = units.assign(part=part).groupby([place[name].fillna("") for name in place])["part"].transform("nunique")
    periods = units["frequence"].map(MONTHS_PER_PERIOD) // months_per_cell
    expected = (parts * periods).groupby(units["_unit"]).first()
    filled = (units["n"] > 0).groupby(units["_unit"]).sum()
    partial = (
        results["_unit"].map(filled < expected) & results["valeur"].notna()
    )  # absent as a whole: its reason stands
    return results.assign(
        valeur=results["valeur"].mask(partial), motif=results["motif"].mask(partial, "donnees-incompletes")
    )


def _quantiles(units: pd.DataFrame, computed: pd.DataFrame, weighted: bool) -> pd.DataFrame:
    found = _described(units).join(computed).reset_index()
    base = found["sw"] if weighted else np.nan
    found = found.assign(effectif=found["n"].fillna(0), effectif_pondere=base, numerateur=np.nan, denominateur=np.nan)
    return _with_reasons(found, units)


_NOISE = 1e-8  # under it, a variance of values coded from -100 to 100 is what rounding leaves where all agree


def estimate(
    sums: pd.DataFrame,
    estimator: declared.Estimator,
    *,
    sampled: bool = True,
    weighted: bool = False,
    variance: Floats | None = None,
    freedom: Floats | None = None,
    drawn: float = 0.0,
) -> pd.DataFrame:
    """Add valeur, borne_basse, borne_haute, effectif, effectif_pondere, numerateur, denominateur to a frame of sums.

    And, for sampled shares and net scores, effectif_efficace; for the latter, erreur_type: √(variance / that size).

    ``sums`` is as ``sums.Sums`` says, with x coded as in ``export_rows`` (percentages as 0/100). ``variance``: of each
    value over its factor, when a design gives it, with its degrees of ``freedom`` (kept as degres_liberte). ``drawn``:
    the part of the declared population that the sample is. A base of zero gives no value, never 0 (but a count).
    """
    sw, swx, answers = (sums[name].to_numpy(float) for name in ("sw", "swx", "n"))
    none = np.full(len(sums), np.nan)
    if estimator.family == "total":
        counted = np.full(len(sums), True) if isinstance(estimator, declared.Count) else answers > 0
        return _with_figures(sums, counted, none, {"valeur": swx})
    has_base = sw > 0
    value = swx / np.where(has_base, sw, 1.0)
    base, scale, factor = answers, 100.0 if estimator.percent else 1.0, 1.0
    if isinstance(estimator, declared.Ratio):
        base, scale, factor = np.rint(sums["base"].to_numpy(float) if weighted else sw), 1.0, estimator.factor
    spread = _spread(sums, value)
    sized = sampled and (estimator.proportion or estimator.net)
    size = _effective_size(sums, spread, variance, drawn) if sized else none
    z = Z95 if freedom is None else critical(freedom)
    low, high = _bounds(sums, estimator, value, spread, size, variance, z) if sampled else (none, none)
    sums = sums.assign(
        effectif_efficace=np.where(has_base, size, np.nan), degres_liberte=none if freedom is None else freedom
    )
    if estimator.net:
        sums = sums.assign(erreur_type=np.where(has_base, np.sqrt(spread / size), np.nan))
    figures = {
        "valeur": factor * value,
        "borne_basse": factor * low,
        "borne_haute": factor * high,
        "numerateur": swx / scale,
        "denominateur": sw,
        "effectif_pondere": sw if weighted else none,
    }
    return _with_figures(sums, has_base, base, figures)


def _with_figures(
    sums: pd.DataFrame, has_base: NDArray[np.bool_], base: Floats, figures: Mapping[str, Floats]
) -> pd.DataFrame:
    """Add the figures where there is a base, NaN elsewhere and for those that are not given; 0 for a base of nobody."""
    names = ("valeur", "borne_basse", "borne_haute", "numerateur", "denominateur", "effectif_pondere")
    found = sums.assign(**{name: np.where(has_base, figures.get(name, np.nan), np.nan) for name in names})
    return found.assign(effectif=np.where(has_base, base, 0.0 if not np.isnan(base).all() else np.nan))


def _bounds(
    sums: pd.DataFrame,
    estimator: declared.Estimator,
    value: Floats,
    spread: Floats,
    size: Floats,
    variance: Floats | None,
    z: Floats | float,
) -> tuple[Floats, Floats]:
    """Return the bounds of the value before any factor; ``size`` is the effective one, of shares and net scores.

    ``z``: the critical value of the law, Student's under a design.
    """
    if isinstance(estimator, declared.Ratio):
        return around(value, _ratio_variance(sums, value) if variance is None else variance, z)
    if estimator.proportion:
        low, high = wilson(value / 100, size, z)
        return 100 * low, 100 * high
    if estimator.net:
        low, high = tango(value / 100, (spread + value**2) / 100**2, size, z)
        return 100 * low, 100 * high
    if variance is not None:
        return around(value, variance, z)
    return normal(value, spread, kish(sums["sw"].to_numpy(float), sums["sw2"].to_numpy(float)))


def _spread(sums: pd.DataFrame, value: Floats) -> Floats:
    """Return the (weighted, population) variance of the coded values; for shares, p(1-p) x 100²."""
    sw = sums["sw"].to_numpy(float)
    squares = sums["swx2"].to_numpy(float) / np.where(sw > 0, sw, 1.0)
    spread = np.maximum(squares - value**2, 0.0)
    return np.where(spread < ROUNDING * squares, 0.0, spread)


def _effective_size(sums: pd.DataFrame, spread: Floats, variance: Floats | None, drawn: float) -> Floats:
    """Return the effective size: Kish's or, with a design, spread/V, at most the answers (Korn and Graubard, 1998).

    The cap is the answers, over 1 - n/N where a population is declared. A design is never taken to tell more than as
    many answers drawn at random, however lucky its clusters; a small V is often that of few clusters which happen to
    agree. Kish's where everybody agrees, since V = 0 then says nothing; NaN where V is unknown.
    """
    effective = kish(sums["sw"].to_numpy(float), sums["sw2"].to_numpy(float))
    if variance is None:
        return effective
    with np.errstate(divide="ignore"):  # a population drawn whole is worth an endless sample
        most = sums["n"].to_numpy(float) / np.array(1 - drawn)
    agreed = np.where(np.isnan(variance), np.nan, np.where(np.isinf(most), most, effective))
    varied = (variance > 0) & (spread > _NOISE)
    return np.where(varied, np.minimum(spread / np.where(varied, variance, 1.0), most), agreed)


def _ratio_variance(sums: pd.DataFrame, value: Floats) -> Floats:
    """Return Taylor's variance of Σa/Σb over n independent rows: n/(n-1) Σ(a - R b)² / (Σb)²."""
    n, below = sums["n"].to_numpy(float), sums["sw"].to_numpy(float)
    squares = sums["saa"] - 2 * value * sums["sab"] + value**2 * sums["sw2"]
    noise = ROUNDING * (sums["saa"] + value**2 * sums["sw2"])
    computable = (n > 1) & (below > 0)
    residuals = n / np.where(computable, n - 1, 1) * np.where(squares > noise, squares, 0.0)
    return np.where(computable, residuals / np.where(computable, below, 1) ** 2, np.nan)
