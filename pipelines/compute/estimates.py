"""Sums of coded values → estimate, 95 % interval, base. Plain numpy on the small table of sums; no data is read here.

Intervals are of samples only: Wilson for shares and Tango for net scores, on Kish's effective size; normal for means,
on the variance of the coded values and the same size; Taylor's linearisation for ratios. With a sampling design, the
variance is that of ``design``, the law Student's on its degrees of freedom, and the effective size of a share or net
score what its design effect leaves, never more than the answers. None for totals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.compute.design import ROUNDING
from pipelines.compute.intervals import Z95, around, critical, kish, normal, tango, wilson
from pipelines.declarations import estimators as declared

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

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

    ``sums`` is as ``sums.Sums`` says, with x coded as in ``coding`` (percentages as 0/100). ``variance``: of each value
    over its factor, when a design gives it, with its degrees of ``freedom`` (kept as degres_liberte). ``drawn``: the
    part of the declared population that the sample is. A base of zero gives no value, never 0 (but a count).
    """
    sw, swx = sums["sw"].to_numpy(float), sums["swx"].to_numpy(float)
    none = np.full(len(sums), np.nan)
    answers = sums["n"].to_numpy(float)
    if estimator.family == "total":
        has_base = np.full(len(sums), True) if isinstance(estimator, declared.Count) else answers > 0
        return _columns(sums, has_base, swx, (none, none), none, none, none, none)
    has_base = sw > 0
    value = swx / np.where(has_base, sw, 1.0)
    if isinstance(estimator, declared.Ratio):
        base, scale, factor = np.rint(sums["base"].to_numpy(float) if weighted else sw), 1.0, estimator.factor
    else:
        base, scale, factor = answers, 100.0 if estimator.percent else 1.0, 1.0
    spread = _spread(sums, value)
    sized = sampled and (estimator.proportion or estimator.net)
    size = _effective_size(sums, spread, variance, drawn) if sized else none
    z = Z95 if freedom is None else critical(freedom)
    bounds = _bounds(sums, estimator, value, size, variance, z) if sampled else (none, none)
    bounds = (factor * bounds[0], factor * bounds[1])
    sums = sums.assign(effectif_efficace=np.where(has_base, size, np.nan))
    sums = sums.assign(degres_liberte=none if freedom is None else freedom)
    if estimator.net:
        sums = sums.assign(erreur_type=np.where(has_base, np.sqrt(spread / size), np.nan))
    return _columns(sums, has_base, factor * value, bounds, base, sw if weighted else none, swx / scale, sw)


def _columns(
    sums: pd.DataFrame, has_base: NDArray[np.bool_], value: Floats, bounds: tuple[Floats, Floats], base: Floats,
    weighted_base: Floats, numerator: Floats, denominator: Floats,
) -> pd.DataFrame:  # fmt: skip
    columns = {"valeur": value, "borne_basse": bounds[0], "borne_haute": bounds[1], "numerateur": numerator,
               "denominateur": denominator, "effectif_pondere": weighted_base}  # fmt: skip
    found = sums.assign(**{name: np.where(has_base, values, np.nan) for name, values in columns.items()})
    return found.assign(effectif=np.where(has_base, base, 0.0 if not np.isnan(base).all() else np.nan))


def _bounds(
    sums: pd.DataFrame,
    estimator: declared.Estimator,
    value: Floats,
    size: Floats,
    variance: Floats | None,
    z: Floats | float,
) -> tuple[Floats, Floats]:
    """Return the bounds of the value before any factor; ``size`` is the effective one, of shares and net scores.

    ``z``: the critical value of the law, Student's under a design.
    """
    sw = sums["sw"].to_numpy(float)
    if isinstance(estimator, declared.Ratio):
        return around(value, _ratio_variance(sums, value) if variance is None else variance, z)
    if estimator.proportion:
        low, high = wilson(value / 100, size, z)
        return 100 * low, 100 * high
    if estimator.net:
        low, high = tango(value / 100, (_spread(sums, value) + value**2) / 100**2, size, z)
        return 100 * low, 100 * high
    if variance is not None:
        return around(value, variance, z)
    return normal(value, _spread(sums, value), kish(sw, sums["sw2"].to_numpy(float)))


def _spread(sums: pd.DataFrame, value: Floats) -> Floats:
    """Return the (weighted, population) variance of the coded values; for shares, p(1-p) x 100²."""
    sw = sums["sw"].to_numpy(float)
    squares = sums["swx2"].to_numpy(float) / np.where(sw > 0, sw, 1.0)
    found: Floats = np.maximum(squares - value**2, 0.0)
    return np.where(found < ROUNDING * squares, 0.0, found)


def _effective_size(sums: pd.DataFrame, spread: Floats, variance: Floats | None, drawn: float) -> Floats:
    """Return the effective size: Kish's or, with a design, what its design effect leaves."""
    effective = kish(sums["sw"].to_numpy(float), sums["sw2"].to_numpy(float))
    if variance is None:
        return effective
    with np.errstate(divide="ignore"):  # a population drawn whole is worth an endless sample
        most = sums["n"].to_numpy(float) / np.array(1 - drawn)
    return design_size(spread, variance, np.where(np.isinf(most), most, effective), most)


def design_size(spread: Floats, variance: Floats, effective: Floats, most: Floats) -> Floats:
    """Return the effective size spread/V, at most the answers (Korn and Graubard, 1998, for shares).

    ``most``, the cap: the answers, over 1 - n/N where a population is declared. A design is never taken to tell more
    than as many answers drawn at random, however lucky its clusters; a small V is often that of few clusters which
    happen to agree. ``effective`` (Kish's) where everybody agrees, since V = 0 then says nothing; NaN where V is
    unknown.
    """
    known = np.where(np.isnan(variance), np.nan, effective)
    varied = (variance > 0) & (spread > _NOISE)
    found: Floats = np.where(varied, np.minimum(spread / np.where(varied, variance, 1.0), most), known)
    return found


def _ratio_variance(sums: pd.DataFrame, value: Floats) -> Floats:
    """Return Taylor's variance of Σa/Σb over n independent rows: n/(n-1) Σ(a - R b)² / (Σb)²."""
    n, below = sums["n"].to_numpy(float), sums["sw"].to_numpy(float)
    squares = sums["saa"] - 2 * value * sums["sab"] + value**2 * sums["sw2"]
    noise = ROUNDING * (sums["saa"] + value**2 * sums["sw2"])
    known = (n > 1) & (below > 0)
    found: Floats = np.where(
        known,
        n / np.where(known, n - 1, 1) * np.where(squares > noise, squares, 0.0) / np.where(known, below, 1) ** 2,
        np.nan,
    )
    return found
