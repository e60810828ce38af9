"""Variance under a declared sampling design: strata and first-stage clusters. Plain pandas on sums of clusters.

Ultimate clusters, drawn with replacement in each stratum (Hansen, Hurwitz and Madow, 1953; Särndal, Swensson and
Wretman, 1992, § 5.6 for the linearisation): V = Σ_h n_h/(n_h-1) Σ_c (z_hc - z̄_h)², where z_hc adds up (a - R b) / B
over the cluster's rows of the domain. A published unit is a domain: clusters that have no row in it count, with zero.
Where the population of a stratum is declared, its part is multiplied by 1 - n_h/N_h (Cochran, 1977, § 5.6), as R's
``survey`` does. Checked against that package: ``tests/compute/oracles``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from typing import Any, Literal

    from numpy.typing import NDArray

ROUNDING = 1e-12  # of a sum of squares: what their difference may be from rounding alone, where all rows agree


def linearised_variance(
    parts: pd.DataFrame, strata: pd.DataFrame, clustered: bool, single: Literal["none", "certainty", "centred"]
) -> pd.Series[float]:
    """Return the variance of R = Σa/Σb, for each ``_unit`` of ``parts``.

    ``parts``: ``_unit``, ``_strate``, ``_grappe``, and the sums a, b, aa = Σa², ab, bb over rows of the stratum (and
    cluster) in the unit. ``strata``, by ``_strate``: ``taille``, the clusters (without clusters: rows) that the whole
    sample has there, and ``population``, how many there are to draw from (NaN: not declared). ``single``: see
    ``declarations.sampling.Design``; NaN where it gives no variance.
    """
    keys = ["_unit", "_strate", *(["_grappe"] if clustered else [])]
    sums = parts.groupby(keys, dropna=False, sort=True)[["a", "b", "aa", "ab", "bb"]].sum().reset_index()
    totals = sums.groupby("_unit")[["a", "b"]].sum()
    below = totals["b"].where(totals["b"] > 0)
    ratio = sums["_unit"].map(totals["a"] / below)
    part_total = sums["a"] - ratio * sums["b"]
    squared = part_total**2
    if not clustered:
        squared = sums["aa"] - 2 * ratio * sums["ab"] + ratio**2 * sums["bb"]
        squared = squared.mask(squared < ROUNDING * (sums["aa"] + ratio**2 * sums["bb"]), 0.0)
    by_stratum = (
        pd.DataFrame({"_unit": sums["_unit"], "_strate": sums["_strate"], "z": part_total, "zz": squared})
        .groupby(["_unit", "_strate"], dropna=False)[["z", "zz"]]
        .sum(min_count=1)
        .reset_index()
    )
    n, population = (_floats(by_stratum["_strate"].map(strata[name])) for name in ("taille", "population"))
    drawn = np.where(np.isnan(population), 0.0, n / population)
    added = _of_strata(_floats(by_stratum["z"]), _floats(by_stratum["zz"]), n, single) * (1 - drawn)
    added = np.where(drawn == 1, 0.0, added)  # a stratum taken whole has no sampling error, be it of one cluster
    summed = pd.Series(added, index=by_stratum["_unit"]).groupby(level=0).agg(lambda values: values.sum(skipna=False))
    return summed / below**2


def degrees_of_freedom(parts: pd.DataFrame, clustered: bool) -> pd.Series[float]:
    """Return clusters (without clusters: rows) less strata, of those that have rows in each ``_unit`` of ``parts``.

    ``parts``: as for ``linearised_variance``, with ``n``, the rows in the base: what R's ``degf`` counts of a domain.
    """
    counted = parts[parts["n"] > 0]
    units = counted.groupby("_unit")
    strata = units["_strate"].nunique()
    if not clustered:
        return (units["n"].sum() - strata).astype("float64")
    clusters = counted[["_unit", "_strate", "_grappe"]].drop_duplicates().groupby("_unit").size()
    return (clusters - strata).astype("float64")


def _floats(values: pd.Series[Any]) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)


def _of_strata(
    z: NDArray[np.float64], zz: NDArray[np.float64], n: NDArray[np.float64], single: str
) -> NDArray[np.float64]:
    """Return what each stratum adds, from the sum and the sum of squares of its clusters' totals."""
    several = n > 1
    added = n / np.where(several, n - 1, 1) * np.maximum(zz - z**2 / n, 0.0)
    alone = {"none": np.full(len(z), np.nan), "certainty": np.zeros(len(z)), "centred": zz}[single]
    found: NDArray[np.float64] = np.where(several, added, alone)
    return found
