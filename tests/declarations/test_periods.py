"""Periods: written in one way, ordered, and covering the year exactly."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.declarations.periods import FRENCH, MONTHS_PER_PERIOD, last_day, period_of, periods_of_year

DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 12, 31))
FREQUENCIES = st.sampled_from(list(MONTHS_PER_PERIOD))


@pytest.mark.parametrize(
    ("frequency", "period", "last"),
    [
        ("month", "2024-02", "2024-02-29"),
        ("quarter", "2024-T1", "2024-03-31"),
        ("semester", "2024-S1", "2024-06-30"),
        ("year", "2024", "2024-12-31"),
    ],
)
def test_periods_as_they_are_published(frequency, period, last):
    assert period_of(datetime.date(2024, 2, 29), frequency) == period
    assert last_day(period).isoformat() == last


@given(DAYS, FREQUENCIES)
def test_a_day_is_in_one_period_of_its_year(day, frequency):
    period = period_of(day, frequency)
    assert periods_of_year(day.year, frequency).count(period) == 1
    assert last_day(period) >= day
    assert period_of(last_day(period), frequency) == period


@given(st.integers(1900, 2200), FREQUENCIES)
def test_the_periods_of_a_year_follow_one_another(year, frequency):
    periods = periods_of_year(year, frequency)
    assert len(periods) * MONTHS_PER_PERIOD[frequency] == 12
    assert periods == sorted(periods)
    ends = [last_day(period) for period in periods]
    assert ends == sorted(ends)
    assert ends[-1] == datetime.date(year, 12, 31)
    after = [end + datetime.timedelta(days=1) for end in ends[:-1]]
    assert [period_of(day, frequency) for day in after] == periods[1:]


@pytest.mark.parametrize("text", ["", "24", "2024-", "2024-1", "2024-13", "2024-00", "2024-T", "2024-S12", "2024-Q1"])
def test_what_is_no_period_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        last_day(text)


def test_every_frequency_has_a_french_name():
    assert set(FRENCH) == set(MONTHS_PER_PERIOD)
