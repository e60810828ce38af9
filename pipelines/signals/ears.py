"""How far a week is above the seven before the last two, for services whose history is too short for seasons.

The Early Aberration Reporting System's C2: Hutwagner, Thompson, Seeman and Treadwell (2003), "The
bioterrorism preparedness and response EARS", Journal of Urban Health 80; formulas of Salmon, Schumacher and Höhle
(2016), Journal of Statistical Software 70(10), § 3.1, as `earsC` of R's `surveillance` computes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.signals.laws import counts_beyond, normal_quantile, student_beyond

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BASELINE = 7  # moments
GAP = 2  # moments between the baseline and the moment judged: a rise that starts does not hide itself


def baseline(values: Floats, moment: int) -> tuple[Floats, Floats]:
    """Return the mean and the standard deviation of C2's baseline; ``values``: moments × series."""
    past = values[moment - GAP - BASELINE : moment - GAP]
    return past.mean(axis=0), past.std(axis=0, ddof=1)


def c2_bound(counts: Floats, moment: int, alpha: float) -> Floats:
    """Return the mean of the baseline, and so many of its deviations."""
    mean, deviation = baseline(counts, moment)
    return mean + normal_quantile(1 - alpha) * deviation


def expected(counts: Floats, volumes: Floats, moment: int) -> Floats:
    """Return the count expected at a moment for the volume of voices of that moment; NaN without any voice before."""
    means: Floats = _shares(counts, volumes, moment) * volumes[moment]
    return means


def _shares(counts: Floats, volumes: Floats, moment: int) -> Floats:
    """Return the share of the baseline's voices that are of each series."""
    rows = slice(moment - GAP - BASELINE, moment - GAP)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares: Floats = counts[rows].sum(axis=0) / volumes[rows].sum(axis=0)
        return shares


def p_values(counts: Floats, volumes: Floats, moment: int) -> Floats:
    """Return the probabilities of counts as high at a moment, given its volume and C2's baseline.

    The greater of two: Student's, of a deviation that seven moments estimate, and that of a negative binomial whose
    dispersion they estimate too, its mean's own error included: small counts have no normal law.
    """
    mean = expected(counts, volumes, moment)
    rows = slice(moment - GAP - BASELINE, moment - GAP)
    base = volumes[rows].sum(axis=0)
    fitted = _shares(counts, volumes, moment) * volumes[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        pearson = np.where(fitted > 0, (counts[rows] - fitted) ** 2 / fitted, 0.0).sum(axis=0)
        dispersion = np.maximum(pearson / (BASELINE - 1), 1.0)
        whole = dispersion * (1 + volumes[moment] / base)
        student = student_beyond((counts[moment] - mean - 0.5) / np.sqrt(whole * mean), np.float64(BASELINE - 1))
    told = np.fmax(student, counts_beyond(counts[moment], mean, whole))
    return np.where(mean > 0, told, np.nan)
