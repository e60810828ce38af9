"""Days on which a service is written to by campaign: far more voices than its days hold, or many copies of a text.

The number of voices a day is Poisson, of a mean that varies as a lognormal law; a day above all but one in a thousand
of such days is a campaign. A day is judged on those before its month: an old month never changes.
"""

from __future__ import annotations

from functools import cache
from math import exp, lgamma, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RARE = 0.001  # share of ordinary days above the limit
MANY_COPIES = 20  # near-duplicates of one text in a day, from which they are a campaign
HISTORY = 180  # days looked at before the month
LEAST_HISTORY = 28
LEAST_VOICES = 20  # a day of fewer is no campaign, whatever the days before it


def crowded_days(days: NDArray[np.int64], counts: NDArray[np.int64]) -> set[int]:
    """Return the days (of the epoch) of a service that are crowded; ``counts``: voices of each of ``days``, in order.

    Days that were found crowded are no part of the history of those after. A service is judged once it has written
    LEAST_HISTORY days before the month.
    """
    found: set[int] = set()
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    for month in np.unique(months):
        start = month.astype("datetime64[D]").astype(np.int64)
        since = max(start - HISTORY, int(days[0]))
        if start - since < LEAST_HISTORY:
            continue
        past = (days >= since) & (days < start) & ~np.isin(days, list(found))
        limit = max(limit_of(counts[past], int(start - since)), LEAST_VOICES - 1)
        found |= set(days[(months == month) & (counts > limit)].tolist())
    return found


def limit_of(counts: NDArray[np.int64], length: int) -> int:
    """Return what all but one ordinary day in a thousand hold at most; ``counts``: those of the days that hold any."""
    mean = counts.sum() / length
    if mean == 0:
        return 0
    variance = float((counts**2).sum() / length - mean**2)
    spread = log(1 + max(0.0, variance - mean) / mean**2)
    return _quantile(round(log(mean) - spread / 2, 3), round(sqrt(spread), 3))


@cache
def _quantile(centre: float, spread: float) -> int:
    """Return the least count whose probability to be passed is under RARE, by Gauss-Hermite's integration."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    means = np.exp(centre + spread * nodes)
    shares = weights / weights.sum()
    passed, count = 1.0, 0
    while True:
        passed -= float(shares @ np.exp(count * np.log(means) - means - lgamma(count + 1)))
        if passed < RARE or count > 40 * exp(centre + 4 * spread) + 100:
            return count
        count += 1
