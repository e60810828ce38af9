"""The detectors of time on series of counts: which one judges which series, and what each says of the last moment.

Farrington Flexible where three years are known and a voice a month is usual; EARS where the history is shorter and a
voice a week is usual; the cumulative sum of rare counts elsewhere. A series is tested once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.signals import ears, farrington, nb_cusum
from pipelines.signals.voice_series import Counts, VoiceSeries, month_end

if TYPE_CHECKING:
    import datetime

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

LONG = 36  # months of history: what seasons ask for
LEAST = 4  # months before which there is nothing to compare with
USUAL = 1.0  # voices a month (long histories) or a week (short ones): below, the law is that of rare counts
MONTHLY = farrington.Settings()
ALERT = 0.01  # of the limit drawn above what is expected
WEEKS_OF_MONTH = 4
_RECENT = 6  # months among which the start of a rise is sought
_Z = 1.96


def farrington_tests(series: VoiceSeries, month: datetime.date) -> pd.DataFrame:
    """Return one test a series of long history: the count of the month against its seasons, trend and volume.

    Where too little was seen of the season to expect anything, the p-value is NaN: that is no test.
    """
    chosen = np.flatnonzero(is_long(series))
    monthly = _columns(series.monthly, chosen)
    last = len(monthly.counts) - 1
    expected = farrington.expectation(monthly.counts, monthly.volumes, last, MONTHLY)
    observed = monthly.counts[last]
    recent = slice(last + 1 - _RECENT, None)
    per_voice = np.divide(expected.mean, monthly.volumes[last], where=monthly.volumes[last] > 0, out=0 * observed)
    starts = likely_starts(monthly.counts[recent], per_voice * monthly.volumes[recent])
    names = np.array([str(pd.Period(month, "M") - lag) for lag in range(_RECENT)])
    return _lines(series, chosen).assign(
        observed=observed,
        expected=expected.mean,
        **interval(observed, expected.mean, expected.dispersion, expected.error),
        upper=expected.limit(ALERT),
        p_value=np.where(expected.known, expected.p_values(observed), np.nan),
        since=names[starts],
    )


def ears_tests(series: VoiceSeries, month: datetime.date) -> pd.DataFrame:
    """Return one test a series of short history: its most surprising week of the month, paid for as four tests."""
    chosen = np.flatnonzero(is_short(series))
    weekly = _columns(series.weekly, chosen)
    last = len(weekly.counts) - 1
    moments = [last - lag for lag in range(WEEKS_OF_MONTH)]
    chances = np.array([ears.p_values(weekly.counts, weekly.volumes, moment) for moment in moments])
    least = np.where(np.isnan(chances), 2.0, chances).argmin(axis=0)
    expected = np.array([ears.expected(weekly.counts, weekly.volumes, moment) for moment in moments])
    bounds = np.array([ears.c2_bound(weekly.counts, moment, ALERT) for moment in moments])
    at = (least, np.arange(len(chosen)))
    observed = weekly.counts[moments][at]
    first_days = [month_end(month) - pd.Timedelta(days=7 * lag + 6) for lag in range(WEEKS_OF_MONTH)]
    return _lines(series, chosen).assign(
        observed=observed,
        expected=expected[at],
        **interval(observed, expected[at], np.ones(len(chosen)), np.zeros(len(chosen))),
        upper=bounds[at],
        p_value=np.minimum(WEEKS_OF_MONTH * chances[at], 1.0),
        since=np.array([str(day) for day in first_days])[least],
    )


def nb_cusum_tests(series: VoiceSeries, month: datetime.date) -> pd.DataFrame:
    """Return one test a series of rare counts: what has been adding up over two months, and since which week."""
    chosen = np.flatnonzero(~is_long(series) & ~is_short(series) & (series.history > LEAST))
    weekly = _columns(series.weekly, chosen)
    chances, means = nb_cusum.p_values(weekly.counts, weekly.volumes)
    starts = likely_starts(weekly.counts[-nb_cusum.SUMMED :], means)
    rows = np.arange(nb_cusum.SUMMED)[::-1, None] <= starts
    observed = (weekly.counts[-nb_cusum.SUMMED :] * rows).sum(axis=0)
    expected = (means * rows).sum(axis=0)
    first_days = [month_end(month) - pd.Timedelta(days=7 * lag + 6) for lag in range(nb_cusum.SUMMED)]
    return _lines(series, chosen).assign(
        observed=observed,
        expected=expected,
        **interval(observed, expected, np.ones(len(chosen)), np.zeros(len(chosen))),
        p_value=chances,
        since=np.array([str(day) for day in first_days])[starts],
    )


def interval(observed: Floats, expected: Floats, dispersion: Floats, error: Floats) -> dict[str, Floats]:
    """Return ratio, ratio_low and ratio_high (95 %): the count's own error, and that of what is expected."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = observed / expected
        spread = np.exp(_Z * np.sqrt(dispersion / observed + error**2))
        return {"ratio": ratio, "ratio_low": np.where(observed > 0, ratio / spread, 0.0), "ratio_high": ratio * spread}


def likely_starts(counts: Floats, expected: Floats) -> Integers:
    """Return how many moments ago each rise most likely began, 0 for now: the window of greatest likelihood ratio.

    ``counts``, ``expected``: the same last moments × series, the oldest first.
    """
    seen, usual = np.cumsum(counts[::-1], axis=0), np.cumsum(expected[::-1], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(seen > usual, seen * np.log(seen / usual) - (seen - usual), 0.0)
    starts: Integers = np.where(np.isnan(gain), 0.0, gain).argmax(axis=0)
    return starts


def is_long(series: VoiceSeries) -> Booleans:
    """Tell the series that Farrington's regression judges."""
    return (series.history >= LONG) & (_usual(series.monthly) >= USUAL)


def is_short(series: VoiceSeries) -> Booleans:
    """Tell the series that EARS judges."""
    return (series.history > LEAST) & (series.history < LONG) & (_usual_week(series.weekly) >= USUAL)


def _usual(monthly: Counts) -> Floats:
    """Return the mean of a month over the three years before, without the months that the regression leaves out.

    What is judged has no part in the choice of its judge; a theme that is new has no usual month.
    """
    usual: Floats = monthly.counts[-LONG - 1 : -1 - MONTHLY.left_out].mean(axis=0)
    return usual


def _usual_week(weekly: Counts) -> Floats:
    """Return the mean of a week over the baseline before the month judged."""
    end = len(weekly.counts) - WEEKS_OF_MONTH
    usual: Floats = weekly.counts[end - ears.BASELINE - ears.GAP : end].mean(axis=0)
    return usual


def _columns(counts: Counts, chosen: Integers) -> Counts:
    return Counts(counts.counts[:, chosen], counts.volumes[:, chosen])


def _lines(series: VoiceSeries, chosen: Integers) -> pd.DataFrame:
    volume = series.monthly.volumes[-1, chosen]
    voices = series.voices[chosen]
    share = np.divide(voices, volume, out=np.full(len(chosen), np.nan), where=volume > 0)
    lines = series.keys.iloc[chosen].reset_index(drop=True)
    return lines.assign(voices=voices, days=series.days[chosen], share=share)
