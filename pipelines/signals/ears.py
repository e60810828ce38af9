"""How far a week is above the seven before, for services whose history is too short for seasons.

The Early Aberration Reporting System's C1, C2 and C3: Hutwagner, Thompson, Seeman and Treadwell (2003), "The
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
GAP = 2  # moments between the baseline of C2, C3 and the moment judged


def c1_bound(counts: Floats, moment: int, alpha: float = 0.001, baseline: int = BASELINE) -> Floats:
    """Return the mean of the moments just before, and so many of their deviations; ``counts``: moments × series."""
    mean, deviation = _baseline(counts, moment, 0, baseline)
    return mean + normal_quantile(1 - alpha) * deviation


def c2_bound(counts: Floats, moment: int, alpha: float = 0.001, baseline: int = BASELINE) -> Floats:
    """Return the same with two moments left out between, so that a rise that starts does not hide itself."""
    mean, deviation = _baseline(counts, moment, GAP, baseline)
    return mean + normal_quantile(1 - alpha) * deviation


def c3_bound(counts: Floats, moment: int, alpha: float = 0.025, baseline: int = BASELINE) -> Floats:
    """Return the bound of C2 lowered by what the two moments before exceeded it by: 0 at least."""
    _, deviation = _baseline(counts, moment, GAP, baseline)
    with np.errstate(divide="ignore", invalid="ignore"):
        before = [np.maximum(0.0, _standardised(counts, moment - lag, baseline) - 1) for lag in (1, 2)]
        told: Floats = np.maximum(
            0.0, counts[moment] + deviation * (normal_quantile(1 - alpha) - before[0] - before[1])
        )
        return told


def expected(counts: Floats, volumes: Floats, moment: int) -> Floats:
    """Return the count expected at a moment from C2's baseline, for the volume of voices of that moment."""
    told: Floats = counts_per_voice(counts, volumes, moment) * volumes[moment]
    return told


def counts_per_voice(counts: Floats, volumes: Floats, moment: int) -> Floats:
    """Return the share of the baseline's voices that are of each series; NaN without any voice."""
    rows = slice(moment - GAP - BASELINE, moment - GAP)
    with np.errstate(divide="ignore", invalid="ignore"):
        told: Floats = counts[rows].sum(axis=0) / volumes[rows].sum(axis=0)
        return told


def p_values(counts: Floats, volumes: Floats, moment: int) -> Floats:
    """Return the probabilities of counts as high at a moment, given its volume and C2's baseline.

    The greater of two: Student's, of a deviation that seven moments estimate, and that of a negative binomial whose
    dispersion they estimate too, its mean's own error included: small counts have no normal law.
    """
    mean = expected(counts, volumes, moment)
    rows = slice(moment - GAP - BASELINE, moment - GAP)
    base = volumes[rows].sum(axis=0)
    fitted = counts_per_voice(counts, volumes, moment) * volumes[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        pearson = np.where(fitted > 0, (counts[rows] - fitted) ** 2 / fitted, 0.0).sum(axis=0)
        dispersion = np.maximum(pearson / (BASELINE - 1), 1.0)
        whole = dispersion * (1 + volumes[moment] / base)
        student = student_beyond((counts[moment] - mean - 0.5) / np.sqrt(whole * mean), np.float64(BASELINE - 1))
    told = np.fmax(student, counts_beyond(counts[moment], mean, whole))
    return np.where(mean > 0, told, np.nan)


def _standardised(counts: Floats, moment: int, baseline: int) -> Floats:
    mean, deviation = _baseline(counts, moment, GAP, baseline)
    told: Floats = (counts[moment] - mean) / deviation
    return told


def _baseline(counts: Floats, moment: int, gap: int, baseline: int) -> tuple[Floats, Floats]:
    past = counts[moment - gap - baseline : moment - gap]
    return past.mean(axis=0), past.std(axis=0, ddof=1)
