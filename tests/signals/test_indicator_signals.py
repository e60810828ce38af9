"""Signals in the ordinary indicators of offices: shares counted over years, other values beside their own past."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

from pipelines.signals.indicator_signals import detect_in_indicators
from pipelines.signals.ledger import COLUMNS

DIRECTIONS = {"satisfaction": "higher", "delai": "lower", "dossiers": "neutral"}
MONTH = datetime.date(2024, 6, 1)


def results(indicator, offices, values, base=200, unit="%", frequency="mensuelle", counted=True):
    """Rows of the release for offices × periods of ``values`` (periods × offices), the last being June 2024."""
    rows = []
    for lag, line in enumerate(values[::-1]):
        for office, value in enumerate(line):
            period = pd.Period("2024-06", "M") - lag if frequency == "mensuelle" else pd.Period("2024Q2") - lag
            name = str(period) if frequency == "mensuelle" else f"{period.year}-T{period.quarter}"
            rows.append({"reseau": "caf", "structure_code": f"{office:03d}", "indicateur": indicator, "maille": "site",
                         "frequence": frequency, "periode": name, "unite": unit, "valeur": value, "effectif": base,
                         "numerateur": value * base / 100 if counted else np.nan,
                         "denominateur": base if counted else np.nan})  # fmt: skip
    return pd.DataFrame(rows)[: offices * len(values)]


def shares(periods, offices, seed, mean=0.8, base=200):
    return np.random.default_rng(seed).binomial(base, mean, (periods, offices)) / base * 100


def signals(found):
    return found.tests[found.tests["signal"]]


@pytest.mark.parametrize(("now", "feeling"), [(60.0, "negatif"), (97.0, "positif")])
@pytest.mark.parametrize(("frequency", "periods"), [("mensuelle", 60), ("trimestrielle", 24), ("mensuelle", 14)])
def test_an_office_that_changes_is_found_and_no_other(now, feeling, frequency, periods):
    values = shares(periods, 30, seed=1)
    values[-1, 7] = now
    found = detect_in_indicators(results("satisfaction", 30, values, frequency=frequency), MONTH, DIRECTIONS)
    assert list(found.tests) == COLUMNS
    line = signals(found).iloc[0]
    assert len(signals(found)) == 1
    assert (line["network"], line["office"], line["indicator"], line["feeling"]) == (
        "caf",
        "007",
        "satisfaction",
        feeling,
    )
    assert line["detector"] == ("ears" if periods == 14 else "farrington")
    assert found.ledger["tests"].sum() == 30


@pytest.mark.parametrize(("always", "now"), [(0.0, 4.0), (100.0, 96.0)])
def test_a_share_that_never_moved_has_no_law_to_be_held_against(always, now):
    values = np.full((60, 12), always)
    values[-1] = now
    found = detect_in_indicators(results("satisfaction", 12, values), MONTH, DIRECTIONS)
    assert len(found.tests) == 0


def test_values_that_are_no_counts_are_set_beside_their_own_past():
    values = np.random.default_rng(2).normal(20, 1, (24, 20))
    values[-1, 3] = 40
    found = detect_in_indicators(results("delai", 20, values, unit="jours", counted=False), MONTH, DIRECTIONS)
    line = signals(found).iloc[0]
    assert (line["office"], line["feeling"], line["detector"]) == ("003", "negatif", "ears")
    assert line["ratio"] == pytest.approx(2, abs=0.2)


def test_an_office_of_few_answers_or_without_a_published_value_is_not_tested():
    values = shares(60, 4, seed=3, base=9)
    values[-1] = 0
    assert len(detect_in_indicators(results("satisfaction", 4, values, base=9), MONTH, DIRECTIONS).tests) == 0
    values = shares(60, 4, seed=3)
    values[-1] = np.nan
    assert len(detect_in_indicators(results("satisfaction", 4, values), MONTH, DIRECTIONS).tests) == 0


def test_a_month_within_a_quarter_tests_no_quarter():
    table = results("satisfaction", 4, shares(24, 4, seed=3), frequency="trimestrielle")
    assert len(detect_in_indicators(table, datetime.date(2024, 5, 1), DIRECTIONS).tests) == 0
    assert len(detect_in_indicators(table, MONTH, DIRECTIONS).tests) == 4


@pytest.mark.parametrize("periods", [60, 14])
def test_when_nothing_changes_the_p_values_are_no_smaller_than_chance(periods):
    found = detect_in_indicators(results("satisfaction", 400, shares(periods, 400, seed=4)), MONTH, DIRECTIONS)
    for level in (0.01, 0.05, 0.2):
        assert (found.tests["p_value"] <= level).mean() <= level + 3 * np.sqrt(level / 400)
