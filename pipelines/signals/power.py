"""What would be found: rises injected into the own past of each service, and alarms raised there when nothing is.

A rise of a theme is found when one of its first two months is an alert, at the level that the ledger of the month asks
for. Themes counted: those that the service usually hears about once a month (once a week in a short history).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.signals import ears, farrington
from pipelines.signals.time_tests import LONG, MONTHLY, WEEKS_OF_MONTH, is_long, is_short
from pipelines.signals.voice_series import ALL, SERVICE, VoiceSeries

if TYPE_CHECKING:
    import datetime

    from numpy.typing import NDArray

    from pipelines.signals.ledger import Guards

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

COLUMNS = [*SERVICE, "smallest_rise", "found", "false_alarms", "months", "voices"]
RISES = (1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0)
ENOUGH = 0.8  # four times out of five
_TRIED = (1.0, *RISES)
_STARTS = 12  # months of the past in which a rise is made to begin
_YEAR = 12


def power(series: VoiceSeries, ledger: pd.DataFrame, guards: Guards, month: datetime.date) -> pd.DataFrame:
    """Return a row a service: the smallest rise found four times out of five, NaN when none is; false alarms measured.

    ``found``: the share of the injections of that rise (or of the greatest tried) that are found; ``months``:
    length of the history; ``voices``: mean a month over the year before.
    """
    random = np.random.default_rng(int(month.strftime("%Y%m")))
    long, short = (
        np.flatnonzero(chosen & (series.keys["theme"] != ALL) & (series.keys["feeling"] == ALL))
        for chosen in (is_long(series), is_short(series))
    )
    tried = pd.concat(
        [
            _monthly_trials(series, long, _level(ledger, "farrington", guards), guards.fewest_voices, random),
            _weekly_trials(series, short, _level(ledger, "ears", guards), random),
        ]
    )
    services = series.keys.drop_duplicates(SERVICE).index
    histories = series.keys.loc[services, SERVICE].assign(
        months=series.history[services], voices=series.monthly.volumes[-1 - _YEAR : -1, services].mean(axis=0)
    )
    tried_there = tried.dropna()  # nothing could be tried where every history is too short
    with_power = histories.merge(_by_service(tried_there), on=SERVICE, how="left") if len(tried_there) else histories
    return with_power.reindex(columns=COLUMNS).sort_values(SERVICE, ignore_index=True)


def _level(ledger: pd.DataFrame, detector: str, guards: Guards) -> float:
    """Return the p-value that made a signal in the ledger of the month: that of one signal where there is none."""
    of_detector = ledger[ledger["detector"] == detector]
    return guards.false_discovery * max(1, int(of_detector["signals"].sum())) / max(1, int(of_detector["tests"].sum()))


def _monthly_trials(
    series: VoiceSeries, chosen: Integers, level: float, fewest: int, random: np.random.Generator
) -> pd.DataFrame:
    """Return whether each rise that begins at each month is found, by Farrington's expectation of that month."""
    counts, volumes = series.monthly.counts[:, chosen], series.monthly.volumes[:, chosen]
    last = len(counts) - 1
    alerts = []
    for moment in range(last - _STARTS - 1, last):
        law = farrington.expectation(counts, volumes, moment, MONTHLY)
        limit = np.fmax(law.limit(level) + 1, fewest)
        extra = random.poisson(np.nan_to_num((np.array(_TRIED)[:, None] - 1) * law.mean))
        judged = law.known & (series.history[chosen] - (last - moment) >= LONG)
        alerts.append(np.where(judged, counts[moment] + extra >= limit, np.nan))
    return _found(series, chosen, np.array(alerts[:-1]), np.array(alerts[1:]))


def _weekly_trials(series: VoiceSeries, chosen: Integers, level: float, random: np.random.Generator) -> pd.DataFrame:
    """Return the same in short histories: rises last eight weeks, and spoil the baseline of EARS as true ones would."""
    counts, volumes = series.weekly.counts[:, chosen], series.weekly.volumes[:, chosen]
    needed = ears.BASELINE + ears.GAP + 2 * WEEKS_OF_MONTH
    usable = np.minimum(series.history[chosen] * WEEKS_OF_MONTH, len(counts))
    alerts = []
    for end in range(len(counts), needed, -WEEKS_OF_MONTH):
        alerts_at_end = np.array([_weekly_alerts(counts, volumes, end, rise, level, random) for rise in _TRIED])
        judged = usable >= len(counts) - end + needed
        alerts.append(np.where(judged, alerts_at_end.swapaxes(0, 1), np.nan))
    first, second = np.array(alerts).swapaxes(0, 1)
    return _found(series, chosen, first, second)


def _weekly_alerts(
    counts: Floats, volumes: Floats, end: int, rise: float, level: float, random: np.random.Generator
) -> Booleans:
    """Return whether the first and the second four of the eight weeks before ``end`` are alerts, under a rise."""
    weeks = np.arange(end - 2 * WEEKS_OF_MONTH, end)
    usual = np.nan_to_num(ears.expected(counts, volumes, int(weeks[0])))
    risen = counts.copy()
    risen[weeks] += random.poisson((rise - 1) * usual, (len(weeks), len(usual)))
    chances = np.array([ears.p_values(risen, volumes, int(week)) for week in weeks])
    least = np.where(np.isnan(chances), 1.0, chances).reshape(2, WEEKS_OF_MONTH, -1).min(axis=1)
    alerts: Booleans = WEEKS_OF_MONTH * least <= level
    return alerts


def _found(series: VoiceSeries, chosen: Integers, first: Floats, second: Floats) -> pd.DataFrame:
    """Return a row a series and rise: the share of trials whose first or second month is an alert.

    ``first``, ``second``: trials × rises × series, NaN where nothing could be judged; the rise of 1 is none: its
    alerts, month by month, are false.
    """
    services = series.keys.iloc[chosen][SERVICE].reset_index(drop=True)
    either = np.where(np.array(_TRIED)[:, None] > 1, np.maximum(first, second), (first + second) / 2)
    lines = [
        services.assign(rise=rise, found=pd.DataFrame(either[:, rank]).mean().to_numpy())
        for rank, rise in enumerate(_TRIED)
    ]
    return pd.concat(lines, ignore_index=True)


def _by_service(tried: pd.DataFrame) -> pd.DataFrame:
    """Return smallest_rise, found and false_alarms of each service, over its themes."""
    shares = tried.groupby([*SERVICE, "rise"], as_index=False)["found"].mean()
    injected = shares[shares["rise"] > 1]
    enough = injected[injected["found"] >= ENOUGH].drop_duplicates(SERVICE)
    most = injected.drop_duplicates(SERVICE, keep="last").assign(rise=np.nan)
    best = pd.concat([enough, most]).drop_duplicates(SERVICE).rename(columns={"rise": "smallest_rise"})
    false = shares[shares["rise"] == 1].rename(columns={"found": "false_alarms"})
    return pd.merge(best, false[[*SERVICE, "false_alarms"]], on=SERVICE, how="outer")
