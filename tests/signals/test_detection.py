"""The door of signals: what a month of voices tells, under which guards, and that later months change nothing of it."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from fixtures.made_voices import FIRST, made_voices
from scipy import stats

from pipelines.signals.detection import Options, detect
from pipelines.signals.ledger import COLUMNS, Guards

DAYS = 1400
MONTH = datetime.date(2023, 9, 1)
QUIET = Options(power=False)


def risen(theme, feeling, start, every, **told):
    """Give every so many voices of that service a theme (and a feeling), from a day on."""

    def change(rows):
        there = [row for row in rows if row["service"] == "CAF" and row["day"] >= start]
        for row in there[::every]:
            row["themes"] = sorted({*row["themes"], theme})
            row["feeling"] = feeling
            row.update(told)

    return change


def signals(detection):
    return detection.tests[detection.tests["signal"]]


def test_a_rise_of_dissatisfaction_is_found_after_years_and_told_with_its_interval():
    voices = made_voices({"caf": 3, "cpam": 2}, DAYS, change=risen("panne", "negatif", MONTH, 3))
    found = detect(voices, MONTH, QUIET)
    line = signals(found).set_index(["detector", "theme", "feeling"]).loc[("farrington", "panne", "negatif")]
    assert line["service"] == "CAF"
    assert line["month"] == line["since"] == "2023-09"
    assert line["ratio"] == pytest.approx(line["observed"] / line["expected"])
    assert line["ratio_low"] < line["ratio"] < line["ratio_high"]
    assert line["observed"] == line["voices"] > line["upper"] > line["expected"]
    assert line["q_dependent"] >= line["q_value"] >= line["p_value"]
    assert set(signals(found)["service"]) == {"CAF"}


def test_a_rise_of_satisfaction_is_found_by_the_same_tests():
    voices = made_voices({"caf": 3, "cpam": 2}, DAYS, change=risen("accueil", "positif", MONTH, 3))
    found = signals(detect(voices, MONTH, QUIET))
    assert ("accueil", "positif") in set(zip(found["theme"], found["feeling"], strict=True))


def test_a_burst_is_found_in_a_short_history_with_its_week():
    start = FIRST + datetime.timedelta(days=290)
    voices = made_voices({"caf": 6, "cpam": 5}, 300, change=risen("panne", "negatif", start, 2))
    found = signals(detect(voices, start, QUIET))
    line = found[(found["theme"] == "panne") & (found["detector"] == "ears")].iloc[0]
    assert abs((datetime.date.fromisoformat(line["since"]) - start).days) < 7


def test_later_voices_change_nothing():
    whole = made_voices({"caf": 3, "cpam": 1}, DAYS)
    end = pd.Timestamp(2023, 7, 31)
    known = whole.filter(pd.Series(whole["day"].to_pandas() <= end.date()).to_numpy())
    month = datetime.date(2023, 7, 1)
    of_whole, of_known = detect(whole, month, QUIET), detect(known, month, QUIET)
    for frame in ("tests", "ledger", "checks"):
        pd.testing.assert_frame_equal(getattr(of_whole, frame), getattr(of_known, frame))


def test_voices_read_from_their_file_are_tested_as_the_table_is(tmp_path):
    """Of months before and after the one tested, campaigns and voices without words among them."""
    voices = made_voices({"caf": 3, "cpam": 2}, DAYS, change=risen("panne", "negatif", MONTH, 3, campaign=True))
    pq.write_table(voices, tmp_path / "voix.parquet", row_group_size=500)
    of_table, of_file = (detect(held, MONTH) for held in (voices, tmp_path / "voix.parquet"))
    assert set(of_table.tests["detector"]) >= {"farrington", "ebgm", "scan", "terms"}
    for frame in ("tests", "ledger", "checks", "power"):
        pd.testing.assert_frame_equal(getattr(of_table, frame), getattr(of_file, frame), check_exact=True)


def test_everything_tested_is_in_the_ledger():
    found = detect(made_voices({"caf": 3, "cpam": 1, "petit": 0.05}, DAYS), MONTH, QUIET)
    assert list(found.tests) == COLUMNS
    assert found.ledger["tests"].sum() == len(found.tests)
    assert found.ledger["signals"].sum() == found.tests["signal"].sum()
    assert found.tests[["p_value", "q_value"]].notna().all().all()
    key = ["detector", "month", "network", "service", "office", "theme", "feeling", "territory", "term", "indicator"]
    assert not found.tests.duplicated(key).any()


def test_voices_of_a_campaign_are_no_signal_but_are_told():
    day = MONTH + datetime.timedelta(days=10)
    voices = made_voices({"caf": 3, "cpam": 2}, DAYS, change=risen("panne", "negatif", day, 1, campaign=True))
    assert "panne" not in set(signals(detect(voices, MONTH, QUIET))["theme"])


@pytest.mark.parametrize(("copies", "there"), [(300, False), (5, True)])
def test_a_campaign_counts_its_texts_and_not_its_voices(copies, there):
    """One text sent 300 times is one voice, and more than what all the others say."""
    rise = risen("panne", "negatif", MONTH, 3)

    def change(rows):
        rise(rows)
        like = next(row for row in rows if row["service"] == "CAF" and row["day"] >= MONTH)
        rows.append({**like, "themes": ["panne"], "feeling": "negatif", "campaign": True, "repeats": copies})

    found = detect(made_voices({"caf": 3, "cpam": 2}, DAYS, change=change), MONTH, QUIET)
    assert ("panne" in set(signals(found)["theme"])) == there
    if there:
        notes = found.checks.set_index("check").loc["campaign", "note"]
        assert "témoignages de campagne, comptés à part : 5 à 20" in set(notes)


def test_a_signal_is_told_with_what_could_explain_it():
    late = risen("panne", "negatif", MONTH, 3, delay_days=90, form="2024", label="nouveau")
    found = detect(made_voices({"caf": 3, "cpam": 2}, DAYS, change=late), MONTH, QUIET)
    told = found.checks.set_index(["detector", "theme", "feeling", "check"]).loc[("farrington", "panne", "negatif")]
    assert set(told.index) == {"volume", "campaign", "delay", "form", "label"}
    raised = {"volume": False, "campaign": False, "delay": False, "form": True, "label": True}
    assert told["raised"].to_dict() == raised
    assert list(told.loc[["form", "label"], "number"]) == pytest.approx([1 / 3, 1 / 3], abs=0.05)


@pytest.mark.parametrize(("changed", "raised"), [(None, False), ("tous", True), ("ancien", True)])
def test_another_list_of_services_is_a_possible_explanation(changed, raised):
    """A label that comes, or one that held a third of the voices and is gone."""

    def change(rows):
        risen("panne", "negatif", MONTH, 3)(rows)
        for rank, one in enumerate(rows):
            before = one["day"] < MONTH
            if changed == "tous":
                one["label"] = "caf" if before else "la caf"
            elif changed == "ancien":
                one["label"] = "allocations" if before and rank % 3 == 0 else "caf"

    found = detect(made_voices({"caf": 3, "cpam": 2}, DAYS, change=change), MONTH, QUIET).checks
    told = found[(found["check"] == "label") & (found["network"] == "caf") & (found["theme"] == "panne")]
    assert len(told)
    assert set(told["raised"]) == {raised}
    assert (
        told["note"].str.startswith("5\N{NO-BREAK SPACE}% ou plus" if raised else "moins de 5\N{NO-BREAK SPACE}%").all()
    )


@pytest.mark.parametrize("guards", [Guards(fewest_voices=1000), Guards(fewest_days=31)])
def test_few_voices_or_few_days_are_no_signal(guards):
    voices = made_voices({"caf": 3, "cpam": 2}, DAYS, change=risen("panne", "negatif", MONTH, 3))
    found = detect(voices, MONTH, Options(guards, power=False))
    assert len(found.tests)
    assert not found.tests["signal"].any()
    assert len(found.checks) == 0


def test_no_voice_at_all_is_no_test():
    found = detect(made_voices({}, 1), MONTH, QUIET)
    assert [len(frame) for frame in (found.tests, found.ledger, found.checks)] == [0, 0, 0]
    assert list(found.tests) == COLUMNS


def test_power_tells_the_smallest_rise_that_would_be_found():
    voices = made_voices({"caf": 12, "cpam": 2, "petit": 0.05}, DAYS)
    told = detect(voices, MONTH).power.set_index("network")
    assert list(told.columns) == ["service", "smallest_rise", "found", "false_alarms", "months", "voices"]
    assert told.loc["caf", "smallest_rise"] < told.loc["cpam", "smallest_rise"]
    assert told.loc["caf", "found"] >= 0.8
    assert told["false_alarms"].max() < 0.03
    assert pd.isna(told.loc["petit", "smallest_rise"])
    assert told.loc["caf", "months"] == 45
    assert told.loc["caf", "voices"] == pytest.approx(12 * 30.4, rel=0.05)


def test_power_of_a_short_history_is_told_too():
    told = detect(made_voices({"caf": 12}, 300), FIRST + datetime.timedelta(days=290)).power.iloc[0]
    assert 1 < told["smallest_rise"] <= 10
    assert told["months"] == 10


def test_when_nothing_rises_false_signals_are_as_rare_as_promised():
    families = false = tests = 0
    for seed in range(8):
        voices = made_voices({"caf": 3, "cpam": 1.2, "ants": 0.5}, 1150, seed=100 + seed, share=0.12)
        for month in (datetime.date(2023, 2, 1), datetime.date(2021, 2, 1)):
            told = detect(voices, month, QUIET).ledger
            families, false, tests = (
                families + len(told),
                false + (told["signals"] > 0).sum(),
                tests + told["tests"].sum(),
            )
    assert tests > 10_000
    assert false <= stats.binom.ppf(0.999, families, Guards().false_discovery)


def in_months(chosen):
    """Give every fourth voice of the caf a theme that nobody else has, in the months where ``chosen(day)``."""

    def change(rows):
        for row in [row for row in rows if row["service"] == "CAF" and chosen(row["day"])][::4]:
            row["themes"] = [*row["themes"], "nouveau"]

    return change


@pytest.mark.parametrize(
    "chosen",
    [
        lambda day: day >= datetime.date(2023, 4, 1),  # new, within the months that the regression leaves out
        lambda day: day >= MONTH,
        lambda day: day.month in (1, 2, 3) or day >= MONTH,  # of winter until now
    ],
)
def test_what_was_never_seen_at_that_season_expects_nothing_and_is_no_test_of_it(chosen):
    found = detect(made_voices({"caf": 5}, DAYS, change=in_months(chosen)), MONTH)
    assert not len(found.tests[(found.tests["detector"] == "farrington") & (found.tests["theme"] == "nouveau")])
    numbers = found.tests[["observed", "expected", "ratio", "ratio_low", "ratio_high", "upper"]].to_numpy(float)
    assert not np.isinf(numbers).any()
    assert numbers[found.tests["detector"] == "farrington", 2].max() < 100
    assert found.power["false_alarms"].iloc[0] < 0.03
    assert found.power["smallest_rise"].notna().all()


def test_a_new_theme_is_found_by_those_that_need_no_season():
    found = signals(detect(made_voices({"caf": 5}, DAYS, change=in_months(lambda day: day >= MONTH)), MONTH, QUIET))
    assert "nb_cusum" in set(found[found["theme"] == "nouveau"]["detector"])


def test_what_a_voice_does_not_say_is_no_obstacle():
    def bare(rows):
        for row in rows[::2]:
            row.update(office=None, department=None, themes=None, terms=None, delay_days=None, form=None, feeling="")

    found = detect(made_voices({"caf": 3, "cpam": 2}, 1200, change=bare), datetime.date(2023, 3, 1))
    assert {"farrington", "terms", "scan"} <= set(found.tests["detector"])
    assert not found.tests[["service", "office", "theme", "feeling", "territory", "term"]].isna().any().any()
    assert set(found.tests["feeling"]) == {"", "positif", "negatif"}
