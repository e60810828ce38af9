"""The same detectors of time on the ordinary indicators of offices: a weak signal is not only in texts.

Shares published with their numerator and base over three years are counts (Farrington); other values, and shares of a
shorter history, are set beside their own recent ones (the baseline of EARS's C2). Rises and falls are both tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.signals import ears, farrington
from pipelines.signals.detection import NO_POWER, Detection
from pipelines.signals.laws import student_beyond
from pipelines.signals.ledger import NO_TEST, Guards, entered, gathered, judged, ledger

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

PER_YEAR = {"mensuelle": 12, "trimestrielle": 4, "semestrielle": 2}
YEARS = 6  # of periods kept
LONG_YEARS, KNOWN = 3, 0.8  # of history for seasons, of which so many periods are known
_SETTINGS = {
    12: farrington.Settings(),
    4: farrington.Settings(per_year=4, half_window=0, left_out=2),
    2: farrington.Settings(per_year=2, half_window=0, seasons=2, left_out=1),
}
_SERIES = ["reseau", "structure_code", "indicateur"]
_NAMES = {"reseau": "network", "structure_code": "office", "indicateur": "indicator"}
_MATRICES = ("valeur", "numerateur", "denominateur", "effectif")
_BETTER = {("higher", 1): "positif", ("higher", -1): "negatif", ("lower", 1): "negatif", ("lower", -1): "positif"}
_Z, _ALERT = 1.96, 2.33  # standard deviations: of intervals, and of the limit drawn above what is expected


@dataclass(frozen=True, slots=True)
class _Periods:
    """Series of one frequency, ``keys`` by column: periods × series, the last judged; NaN: nothing published."""

    keys: pd.DataFrame
    values: Floats
    numerators: Floats
    bases: Floats


def detect_in_indicators(results: pd.DataFrame, month: datetime.date, directions: Mapping[str, str]) -> Detection:
    """Return every test of the offices' results of the periods that end with a month (no check, no power).

    ``results``: rows as the release's table ``resultats`` has them; ``directions``: of each indicator, ``higher`` or
    ``lower`` is better; a change for the better is told ``positif``, for the worse ``negatif``, others "". One test an
    office and indicator, both ways at once; no office whose base is under ten. ``voices``: the base; ``observed`` (the
    published value), ``expected`` and ``upper`` are in the unit of the indicator.
    """
    guards = Guards()
    offices = results[(results["maille"] == "site") & results["frequence"].isin(PER_YEAR)]
    frames = [entered("farrington", "", NO_TEST)]
    for frequency, per_year in PER_YEAR.items():
        of_frequency = offices[offices["frequence"] == frequency]
        if len(of_frequency) and month.month % (12 // per_year) == 0:
            frames += _tests(
                _periods(of_frequency, month, per_year), month, per_year, directions, guards.fewest_of_office
            )
    once = gathered(frames).drop_duplicates(
        ["network", "office", "indicator"], ignore_index=True
    )  # the shortest period
    tests = judged(once, guards)
    return Detection(tests, ledger(tests, guards), pd.DataFrame(), NO_POWER)


def _periods(results: pd.DataFrame, month: datetime.date, per_year: int) -> _Periods:
    """Return the series of results of one frequency, known at the end of the month."""
    numbers = results["periode"].str.extract(r"(\d{4})\D+(\d+)").astype(int)
    last = month.year * per_year + month.month * per_year // 12
    rows = YEARS * per_year - 1 - (last - numbers[0] * per_year - numbers[1])
    in_years = results.assign(row=rows)[(rows >= 0) & (rows < YEARS * per_year)]
    keys = in_years[_SERIES].drop_duplicates().sort_values(_SERIES).reset_index(drop=True)
    columns = pd.MultiIndex.from_frame(keys).get_indexer(pd.MultiIndex.from_frame(in_years[_SERIES]))
    matrices = {name: np.full((YEARS * per_year, len(keys)), np.nan) for name in _MATRICES}
    for name, matrix in matrices.items():
        matrix[in_years["row"].to_numpy(), columns] = in_years[name].to_numpy(np.float64, na_value=np.nan)
    share = np.ones(len(keys), dtype=np.bool_)
    share[columns[(in_years["unite"] != "%").to_numpy()]] = False
    counted = share & (matrices["numerateur"] >= 0) & (matrices["numerateur"] <= matrices["denominateur"])
    counted &= ~np.isnan(matrices["valeur"])
    numerators = np.where(counted, matrices["numerateur"], np.nan)
    return _Periods(
        keys, matrices["valeur"], numerators, np.where(counted, matrices["denominateur"], matrices["effectif"])
    )


def _tests(
    periods: _Periods, month: datetime.date, per_year: int, directions: Mapping[str, str], fewest: int
) -> list[pd.DataFrame]:
    named = periods.bases[-1] >= fewest
    known = (~np.isnan(periods.numerators[-1 - LONG_YEARS * per_year : -1])).mean(axis=0) >= KNOWN
    long = named & known & ~np.isnan(periods.numerators[-1])
    by_detector = {
        "farrington": _share_tests(periods, np.flatnonzero(long), per_year),
        "ears": _value_tests(periods, np.flatnonzero(named & ~long)),
    }
    name = month.strftime("%Y-%m")
    return [
        entered(detector, name, tests.assign(feeling=_felt(tests, directions), since=name), f"{detector}-indicateurs")
        for detector, tests in by_detector.items()
    ]


def _felt(tests: pd.DataFrame, directions: Mapping[str, str]) -> list[str]:
    """Return whether each change is for the better or for the worse."""
    ways = np.sign(tests["observed"] - tests["expected"])
    wished = tests["indicator"].map(lambda name: directions.get(name, ""))
    return [_BETTER.get(change, "") for change in zip(wished, ways, strict=True)]


def _share_tests(periods: _Periods, chosen: Integers, per_year: int) -> pd.DataFrame:
    """Return one test a share: how many are counted in the last base, by the law of the rarer, counted or not."""
    counts, bases = periods.numerators[:, chosen], periods.bases[:, chosen]
    rest = np.nansum(counts, axis=0) > np.nansum(np.where(np.isnan(counts), np.nan, bases), axis=0) / 2
    rare = np.where(rest, bases - counts, counts)
    volumes = np.where(np.isnan(rare), 0.0, bases)
    law = farrington.expectation(rare, volumes, len(rare) - 1, _SETTINGS[per_year])
    observed, expected = counts[-1], np.where(rest, bases[-1] - law.mean, law.mean)
    spread = np.sqrt(law.whole_dispersion * law.mean)
    above, below = law.p_values(rare[-1]), 1 - law.p_values(rare[-1] + 1)
    limit = np.where(rest, np.minimum(expected + _ALERT * spread, bases[-1]), expected + _ALERT * spread)
    hundredth = bases[-1] / 100
    return _lines(periods, chosen).assign(
        observed=periods.values[-1, chosen],
        expected=expected / hundredth,
        upper=limit / hundredth,
        **_interval(observed, expected, spread),
        p_value=np.where(law.known, np.minimum(2 * np.minimum(above, below), 1.0), np.nan),
        share=observed / bases[-1],
    )


def _value_tests(periods: _Periods, chosen: Integers) -> pd.DataFrame:
    """Return one test a value: its distance from the mean of EARS's C2 baseline, by Student's law."""
    values = periods.values[:, chosen]
    last = len(values) - 1
    expected, deviation = ears.baseline(values, last)
    spread = np.where(deviation > 0, deviation * np.sqrt(1 + 1 / ears.BASELINE), np.nan)
    chances = 2 * student_beyond(np.abs(values[last] - expected) / spread, float(ears.BASELINE - 1))
    return _lines(periods, chosen).assign(
        observed=values[last],
        expected=expected,
        **_interval(values[last], expected, spread),
        upper=expected + _ALERT * spread,
        p_value=chances,
    )


def _interval(observed: Floats, expected: Floats, spread: Floats) -> dict[str, Floats]:
    """Return ratio, ratio_low and ratio_high (95 %) of values whose distance has that standard deviation.

    A ratio to nothing, or to less, says nothing: NaN.
    """
    positive = np.where(expected > 0, expected, np.nan)
    sides = {"ratio": 0.0, "ratio_low": -_Z, "ratio_high": _Z}
    return {name: (observed + side * spread) / positive for name, side in sides.items()}


def _lines(periods: _Periods, chosen: Integers) -> pd.DataFrame:
    keys = periods.keys.iloc[chosen].reset_index(drop=True).rename(columns=_NAMES)
    return keys.assign(voices=np.nan_to_num(periods.bases[-1, chosen]))
