"""Variance under a declared sampling design: strata and first-stage clusters. Plain pandas on sums of clusters.

Ultimate clusters, drawn with replacement in each stratum (Hansen, Hurwitz and Madow, 1953; Särndal, Swensson and
Wretman, 1992, § 5.6 for the linearisation): V = Σ_h n_h/(n_h-1) Σ_c (z_hc - z̄_h)², where z_hc adds up (a - R b) / B
over the cluster's rows of the domain. A published unit is a domain: clusters that have no row in it count, with zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from typing import Any, Literal

    from numpy.typing import NDArray

SINGLE = ("none", "certainty", "centred")


def linearised_variance(
    parts: pd.DataFrame, sizes: pd.Series[int], clustered: bool, single: Literal["none", "certainty", "centred"]
) -> pd.Series[float]:
    """Return the variance of R = Σa/Σb, for each ``_unit`` of ``parts``.

    ``parts``: ``_unit``, ``_strate``, ``_grappe``, and the sums a, b, aa = Σa², ab, bb over rows of the stratum (and
    cluster) in the unit. ``sizes``: clusters (without clusters: rows) in each stratum of the whole sample. ``single``:
    see ``declarations.sampling.Design``; NaN where it gives no variance.
    """
    keys = ["_unit", "_strate", *(["_grappe"] if clustered else [])]
    sums = parts.groupby(keys, dropna=False, sort=True)[["a", "b", "aa", "ab", "bb"]].sum().reset_index()
    totals = sums.groupby("_unit")[["a", "b"]].sum()
    below = totals["b"].where(totals["b"] > 0)
    ratio = sums["_unit"].map(totals["a"] / below)
    part_total = sums["a"] - ratio * sums["b"]
    squared = part_total**2 if clustered else sums["aa"] - 2 * ratio * sums["ab"] + ratio**2 * sums["bb"]
    strata = (
        pd.DataFrame({"_unit": sums["_unit"], "_strate": sums["_strate"], "z": part_total, "zz": squared})
        .groupby(["_unit", "_strate"], dropna=False)[["z", "zz"]]
        .sum(min_count=1)
        .reset_index()
    )
    n = strata["_strate"].map(sizes)
    added = _of_strata(_floats(strata["z"]), _floats(strata["zz"]), _floats(n), single)
    summed = pd.Series(added, index=strata["_unit"]).groupby(level=0).agg(lambda values: values.sum(skipna=False))
    return summed / below**2


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
