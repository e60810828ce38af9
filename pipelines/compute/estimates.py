"""Sums of coded values → estimate, 95 % interval, base. Plain numpy on the small table of sums; no data is read here.

Intervals: Wilson (1927) for proportions, on Kish's (1965) effective size (Σw)²/Σw² when weighted; for means and NPS the
normal interval on the variance of the coded values with the same effective size. None for ratios, sums and medians.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.declarations import estimators as declared

if TYPE_CHECKING:
    from numpy.typing import NDArray

Z95 = 1.959963984540054

_PERCENT = (declared.Share, declared.TopBox, declared.Nps, declared.NetSatisfaction)


def estimate(sums: pd.DataFrame, estimator: declared.Estimator) -> pd.DataFrame:
    """Add valeur, borne_basse, borne_haute, effectif, numerateur, denominateur to a frame of sums.

    ``sums`` has n (rows in the base), sw = Σw, sw2 = Σw², swx = Σwx, swx2 = Σwx² with x coded as in ``coding``
    (percentages as 0/100). For a ratio: swx = Σ numerators and sw = Σ denominators. A base of zero gives no value,
    never 0.
    """
    sw, swx = sums["sw"].to_numpy(float), sums["swx"].to_numpy(float)
    has_base = sw > 0
    safe = np.where(has_base, sw, 1.0)
    lower = upper = np.full(len(sums), np.nan)
    scale = 100.0 if isinstance(estimator, _PERCENT) else 1.0
    if isinstance(estimator, declared.Sum):
        has_base = sums["n"].to_numpy() > 0
        value, numerator, denominator = swx, np.full(len(sums), np.nan), np.full(len(sums), np.nan)
        base = np.full(len(sums), np.nan)
    elif isinstance(estimator, declared.Ratio):
        value, numerator, denominator, base = estimator.factor * swx / safe, swx, sw, np.rint(sw)
    else:
        value, numerator, denominator, base = swx / safe, swx / scale, sw, sums["n"].to_numpy(float)
        effective = safe**2 / np.where(has_base, sums["sw2"].to_numpy(float), 1.0)
        if isinstance(estimator, declared.Share | declared.TopBox):
            lower, upper = (100 * bound for bound in wilson(value / 100, effective))
        else:
            variance = np.maximum(sums["swx2"].to_numpy(float) / safe - value**2, 0.0)
            lower, upper = normal(value, variance, effective)
    columns = {"valeur": value, "borne_basse": lower, "borne_haute": upper, "numerateur": numerator,
               "denominateur": denominator}  # fmt: skip
    found = sums.assign(**{name: np.where(has_base, values, np.nan) for name, values in columns.items()})
    return found.assign(effectif=np.where(has_base, base, 0.0 if not np.isnan(base).all() else np.nan))


def wilson(p: NDArray[np.float64], n: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 95 % Wilson bounds of proportions ``p`` (0 to 1) observed on ``n`` (effective) answers."""
    centre = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * np.sqrt(np.maximum(p * (1 - p), 0.0) / n + Z95**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def normal(
    mean: NDArray[np.float64], variance: NDArray[np.float64], n: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 95 % normal bounds of means whose values have that (population) variance; none under two answers."""
    known = n > 1
    corrected = variance / np.where(known, n - 1, 1.0)
    half = np.where(known, Z95 * np.sqrt(corrected), np.nan)
    return mean - half, mean + half
