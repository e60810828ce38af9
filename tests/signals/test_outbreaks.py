"""Outbreaks found, false alarms and delay on simulated series, beside those of R on the same series."""

from __future__ import annotations

import json
from pathlib import Path

import made_outbreaks as made
import numpy as np
import pytest

from pipelines.signals.farrington import Settings, expectation
from pipelines.signals.laws import counts_quantile

TOLD = json.loads((Path(__file__).parent / "oracle" / "outbreaks.json").read_text("utf-8"))["alarms"]


@pytest.fixture(scope="module")
def alarms():
    """Weeks judged × series: ours, R's, and the weeks of the outbreak."""
    counts, planted = made.series()
    settings = Settings(**made.SETTINGS)
    ours = []
    for week in range(made.WEEKS - made.JUDGED, made.WEEKS):
        law = expectation(counts, np.ones(counts.shape), week, settings)
        ours.append(counts[week] > counts_quantile(1 - made.ALPHA, law.mean, law.dispersion))
    theirs = np.array([[mark == "1" for mark in line] for line in TOLD]).T
    return np.array(ours), theirs, planted[-made.JUDGED :] > 0


def found(alarms, outbreak):
    """Return the share of outbreaks found, that of false alarms, and the mean delay in weeks of those found."""
    hits = alarms & outbreak
    seen = hits.any(axis=0)
    delay = hits.argmax(axis=0) - outbreak.argmax(axis=0)
    return seen.mean(), alarms[~outbreak].mean(), delay[seen].mean()


def test_every_scenario_is_judged_as_r_judges_it(alarms):
    ours, theirs, outbreak = alarms
    assert ours.shape == (made.JUDGED, len(made.SCENARIOS) * made.EACH)
    assert (ours == theirs).mean() > 0.9995
    for rank in range(len(made.SCENARIOS)):
        series = slice(rank * made.EACH, (rank + 1) * made.EACH)
        told = found(theirs[:, series], outbreak[:, series])
        assert found(ours[:, series], outbreak[:, series]) == pytest.approx(told, abs=0.02, nan_ok=True), rank


def test_large_outbreaks_are_found_and_false_alarms_are_those_asked_for(alarms):
    ours, _, outbreak = alarms
    sizes = np.array(made.SIZES * (ours.shape[1] // len(made.SIZES)))
    shares = [found(ours[:, sizes == size], outbreak[:, sizes == size])[0] for size in made.SIZES]
    assert shares == sorted(shares)
    assert shares[-1] > 0.8
    assert found(ours, outbreak)[1] == pytest.approx(made.ALPHA, abs=0.01)
