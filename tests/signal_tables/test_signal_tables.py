"""What is published of signals: cards that last and fall, notes of people, what is hidden and what would tell it."""

from __future__ import annotations

import datetime
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fixtures.made_voices import COLUMNS
from hypothesis import given
from hypothesis import strategies as st
from signal_tables.made_signals import POWER, made_tables

from pipelines.cli import main
from pipelines.declarations.references import SignalNote
from pipelines.declarations.statuses import FigureStatus
from pipelines.flow.store import Store
from pipelines.flow.voice_facts import SignalsMade, keep_signals_made
from pipelines.signal_tables.revised_cards import Released
from pipelines.signal_tables.shown_voices import ALL, DAYS, VOICES, counted_voices, voices_table
from pipelines.signal_tables.signal_cards import Words
from pipelines.signal_tables.tables_of_signals import Findings, signal_tables
from pipelines.signals.counter_explanations import checks
from pipelines.signals.detection import Options, detect
from pipelines.signals.voice_series import known_voices
from pipelines.voice.voices import AcceptedYear, read_voices

CELL = {"network": "caf", "service": "CAF", "office": "", "theme": "panne", "feeling": "negatif", "territory": "",
        "term": "", "indicator": ""}  # fmt: skip
MONTHS = [f"2024-{month:02d}" for month in range(1, 9)]


def one_test(month: str, *, seen: bool, **other: Any) -> dict[str, Any]:
    return {
        **CELL, "detector": "farrington", "family": "farrington", "month": month, "observed": 20.0, "expected": 8.0,
        "ratio": 2.5, "ratio_low": 1.5, "ratio_high": 4.0, "upper": 15.0, "p_value": 0.001, "q_value": 0.01,
        "q_dependent": 0.03, "voices": 20, "days": 10, "share": 0.2, "signal": seen, "since": month if seen else "",
    } | other  # fmt: skip


def findings(rows: list[dict[str, Any]], checks: list[dict[str, Any]] | None = None) -> Findings:
    tests = pd.DataFrame(rows)
    counted = tests.groupby(["detector", "family", "month"], as_index=False).agg(
        tests=("signal", "size"), signals=("signal", "sum")
    )
    shown = pd.DataFrame(checks or [], columns=["detector", "month", *CELL, "check", "raised", "number", "note"])
    return Findings(tests, counted.assign(expected_false=counted["signals"] * 0.1), shown, POWER)


def voices(counts: dict[tuple[str, str], int], days: int = 9) -> pa.Table:
    """Return voices of August 2024 by theme and feeling, one a day in turn."""
    rows = [
        {"network": "caf", "service": "CAF", "office": "CAF 1", "day": datetime.date(2024, 8, 1 + rank % days),
         "department": "75", "feeling": feeling, "channels": [], "campaign": False, "themes": [theme] if theme else [],
         "terms": [], "delay_days": 3, "form": "2023", "label": "caf", "repeats": 1}
        for (theme, feeling), count in counts.items() for rank in range(count)
    ]  # fmt: skip
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in COLUMNS.items()})


ENOUGH = voices({("panne", "negatif"): 20, ("", "negatif"): 50, ("", "positif"): 40, ("", "neutre"): 10})


def cards(seen: str, *, notes: tuple[SignalNote, ...] = (), held: pa.Table = ENOUGH, **other: Any) -> pd.DataFrame:
    """Return the cards of a cell seen (« x ») or not (« . ») month by month, as of the last of them."""
    months = MONTHS[-len(seen) :]
    rows = [one_test(month, seen=sign == "x", **other) for month, sign in zip(months, seen, strict=True)]
    return signal_tables(held, findings(rows), Words(notes=notes))["signaux"]


def note(status: str, day: int = 1, signal: str = "caf-panne-negatif-2024-08") -> SignalNote:
    told = {"signal": signal, "status": status, "reason": "Panne du téléphone.", "by": "équipe données"}
    return SignalNote.model_validate({**told, "date": datetime.date(2024, 9, day)})


@pytest.mark.parametrize(
    ("seen", "states"),
    [
        ("...x", ["à confirmer"]),
        ("..xx", ["confirmé"]),
        (".x.x", ["confirmé"]),  # one quiet month doesn't end it
        ("xx..", ["retombé"]),
        ("x..x", ["retombé", "à confirmer"]),  # two signals
    ],
)
def test_a_signal_lasts_falls_and_comes_again(seen, states):
    assert list(cards(seen)["etat"]) == states


def test_a_signal_keeps_its_name_while_months_come():
    names = [cards(seen)["signal"].iloc[0] for seen in ("x", "xx", "xx.", "xx.x")]
    assert [name.rpartition("-2024-")[0] for name in names] == ["caf-panne-negatif"] * 4
    whole = signal_tables(ENOUGH, findings([one_test(MONTHS[3], seen=True), one_test(MONTHS[4], seen=False)]), Words())
    assert list(whole["signaux"]["signal"]) == ["caf-panne-negatif-2024-04"]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ((), "à confirmer"),
        (("confirmed",), "confirmé"),
        (("explained",), "expliqué"),
        (("explained", "confirmed"), "confirmé"),  # the latest counts
    ],
)
def test_what_people_write_of_a_signal_changes_its_state(said, state):
    notes = tuple(note(status, day) for day, status in enumerate(said, start=1))
    held = cards("...x", notes=notes)
    assert list(held["etat"]) == [state]
    assert (held["note"][0] or "").count("Panne du téléphone (0") == len(said)


def test_a_note_that_meets_no_signal_is_told(schemas, tmp_path, capsys, monkeypatch):
    """By ``resultats check``, which holds notes against the signals that the output knows."""
    (schemas / "signals").mkdir()
    known, lost = "caf-panne-negatif-2024-08", "caf-panne-negatif-2023-01"
    lines = [
        f"  - {{signal: {name}, status: explained, reason: P, by: É, date: 2024-09-01}}\n" for name in (known, lost)
    ]
    (schemas / "signals" / "caf.yml").write_text("".join(["notes:\n", *lines]), encoding="utf-8")
    monkeypatch.setenv("RESULTATS_OUTPUT", str(tmp_path))
    assert main(["check", "--schemas", str(schemas)]) == 0
    assert lost not in capsys.readouterr().out  # nothing was ever treated there
    keep_signals_made(Store(tmp_path), SignalsMade({}, 0, 0.0, "2024-08", (), (known,)))
    assert main(["check", "--schemas", str(schemas)]) == 0
    told = capsys.readouterr().out
    assert f"signals/caf.yml:3 : {lost}" in told
    assert known not in told


def test_the_figures_are_those_of_the_most_surprising_test_of_the_last_month():
    rows = [
        one_test(MONTHS[-1], seen=True),
        one_test(MONTHS[-1], seen=True, detector="ears", q_value=0.001, observed=2.0),  # a week of the month
    ]
    made = signal_tables(ENOUGH, findings(rows), Words())
    card = made["signaux"].iloc[0]
    assert (card["detecteurs"], card["voix"]) == ("ears, farrington", 20)
    assert pd.isna(card[["observe", "attendu", "rapport", "rapport_bas", "rapport_haut"]]).all()
    assert made["courbes_signaux"].empty


def test_counter_explanations_are_told_in_words():
    check = {**CELL, "detector": "farrington", "month": MONTHS[-1], "check": "campaign", "raised": True, "number": 12.0,
             "note": "12 textes presque pareils"}  # fmt: skip
    made = signal_tables(ENOUGH, findings([one_test(MONTHS[-1], seen=True)], [check]), Words())
    assert made["signaux"].iloc[0]["campagne"] == "à examiner : 12 textes presque pareils"
    assert made["signaux"].iloc[0]["volume"] == "non vérifié"


def test_what_could_not_be_checked_is_not_told_as_ruled_out():
    """By a burst of voices that don't say when they were written, in a form that is not told either."""
    unknown = voices({("panne", "negatif"): 20})
    for name in ("delay_days", "form"):
        place = unknown.column_names.index(name)
        unknown = unknown.set_column(place, name, pa.nulls(unknown.num_rows, COLUMNS[name]))
    seen = pd.DataFrame([one_test("2024-08", seen=True)])
    with known_voices(unknown, datetime.date(2024, 8, 1)) as connection:
        found = checks(connection, datetime.date(2024, 8, 1), seen).to_dict("records")
    card = signal_tables(unknown, findings(seen.to_dict("records"), found), Words())["signaux"].iloc[0]
    assert (card["moderation"], card["volume"]) == ("non vérifié",) * 2
    assert card["campagne"].startswith("écarté")
    assert "inconnu" not in set(card[CHECKS])


def test_the_ledger_counts_everything_tested_with_the_alarms_expected_by_chance():
    made = signal_tables(ENOUGH, findings([one_test(month, seen=False) for month in MONTHS]), Words())
    assert list(made["tests_signaux"]["tests"]) == [1] * 8
    assert made["signaux"].empty
    assert made["tests_signaux"]["fausses_attendues"].sum() == 0


def test_few_voices_or_days_are_hidden_and_the_total_that_would_tell_them():
    found = counted_voices(voices({("panne", "negatif"): 20, ("panne", "positif"): 3}))
    hidden = found[found["theme"] == "panne"].set_index("ressenti")["cache"].to_dict()
    assert hidden == {"négatif": False, "positif": True, ALL: True}
    assert counted_voices(voices({("panne", "negatif"): 20}, days=2))["cache"].all()


@given(st.lists(st.integers(0, 40), min_size=3, max_size=3), st.integers(1, 9))
def test_what_is_told_is_told_to_the_nearest_five(sizes, days):
    feelings = ("negatif", "neutre", "positif")
    found = counted_voices(voices({("panne", name): size for name, size in zip(feelings, sizes, strict=True)}, days))
    shown = found[~found["cache"]]
    assert not ((shown["voix"] < VOICES) | (shown["jours"] < DAYS)).any()
    told = voices_table(found, {})
    assert set(told["ressenti"]) <= {"négatif", "positif", ALL}
    numbers = told["voix"].dropna().to_numpy(dtype=int)
    assert (numbers % 5 == 0).all()
    assert (abs(numbers - shown["voix"].to_numpy()) <= 2).all()


LEAST_TOLD = 12  # voices of a month, of which every way to share them out is tried


def every_month() -> pd.DataFrame:
    """Every way to share out up to LEAST_TOLD voices: with the theme (t) or not (o), positive, negative or neither."""
    names = ["t_pos", "o_pos", "t_neg", "o_neg", "t_other", "o_other"]
    held = np.zeros((1, 0), dtype=int)
    for _ in names:
        left = LEAST_TOLD - held.sum(axis=1)
        last = np.concatenate([np.arange(size + 1) for size in left])
        held = np.column_stack([np.repeat(held, left + 1, axis=0), last])
    return pd.DataFrame(held, columns=names)


def voices_of(months: pd.DataFrame) -> pa.Table:
    """Return the voices of each way, as those of a service of its own; each of a day of its own."""
    sizes = months.to_numpy().ravel()
    cells = np.repeat(np.arange(len(sizes)), sizes)
    service, cell = np.divmod(cells, months.shape[1])
    first = np.concatenate([[0], np.cumsum(months.sum(axis=1))[:-1]])
    day = (np.arange(len(cells)) - first[service]).tolist()
    kinds = [(theme, feeling) for feeling in ("positif", "negatif", "neutre") for theme in (["panne"], [])]
    alike = {"network": "caf", "channels": [], "campaign": False, "terms": [], "form": "2023", "repeats": 1}
    told = {"service": list(map(str, service)), "day": [datetime.date(2024, 8, 1 + one) for one in day],
            "themes": [kinds[one][0] for one in cell], "feeling": [kinds[one][1] for one in cell]}  # fmt: skip
    held = {name: [value] * len(cells) for name, value in {**dict.fromkeys(COLUMNS), **alike}.items()} | told
    return pa.table({name: pa.array(held[name], kind) for name, kind in COLUMNS.items()})


def test_no_number_of_few_voices_follows_from_what_is_told():
    """Whoever knows every rule, and every month that may be behind what is told, is never sure of one to four."""
    months = every_month()
    told = voices_table(counted_voices(voices_of(months)), {})
    told["voix"] = told["voix"].fillna(-1)
    seen = told.pivot(index="service", columns=["theme", "ressenti"], values="voix").fillna(0)
    seen.index = seen.index.astype(int)
    assert len(seen) > 18_000
    months = months.loc[seen.index]
    whole = {"positives": ["t_pos", "o_pos"], "negatives": ["t_neg", "o_neg"], "others": ["t_other", "o_other"],
             "theme": ["t_pos", "t_neg", "t_other"], "no theme": ["o_pos", "o_neg", "o_other"]}  # fmt: skip
    possible = months.assign(**{name: months[parts].sum(axis=1) for name, parts in whole.items()})
    known = possible.groupby([seen[name] for name in seen]).agg(["min", "max"])
    complete = known[known.index.get_level_values(list(seen).index((ALL, ALL))) <= LEAST_TOLD - 2]
    for name in possible:
        least, most = complete[name, "min"], complete[name, "max"]
        assert not ((least == most) & (least > 0) & (least < VOICES)).any(), name


FIGURES = ["observe", "attendu", "rapport", "rapport_bas", "rapport_haut", "voix", "jours", "part"]
CHECKS = ["volume", "campagne", "moderation", "formulaire", "intitule"]


@pytest.mark.parametrize(
    "where",
    [
        {"detector": "funnel", "office": "CAF 1", "theme": "", "share": 14 / 15},
        {"detector": "ebgm", "territory": "75", "feeling": ""},
        {"detector": "scan", "territory": "75 92", "feeling": ""},
    ],
)
def test_offices_territories_and_windows_of_months_have_no_figure(where):
    check = {**CELL, "month": MONTHS[-1], "check": "campaign", "raised": True, "number": 2.0, "note": "2", **where}
    check.pop("share", None)
    made = signal_tables(ENOUGH, findings([one_test(MONTHS[-1], seen=True, **where)], [check]), Words())
    card = made["signaux"].iloc[0]
    assert (card["statut"], card["valeur_q"]) == (FigureStatus.SECRET, 0.01)
    assert pd.isna(card[FIGURES + CHECKS]).all()
    assert made["courbes_signaux"].empty


@pytest.mark.parametrize(
    ("said", "days", "told"), [(28, 9, 30), (115, 9, 115), (116, 9, 115), (4, 4, None), (28, 2, None)]
)
def test_a_word_has_its_voices_to_the_nearest_five_where_they_are_enough(said, days, told):
    card = cards("x", detector="terms", theme="", feeling="", term="panne", voices=said, days=days).iloc[0]
    assert card["signal"] == "caf-mot-panne-2024-08"
    assert card["voix"] == told
    assert pd.isna(card[["observe", "attendu", "rapport", "part"]]).all()


def test_a_word_has_one_card_of_all_feelings_and_another_name_than_the_theme():
    word = {"detector": "terms", "theme": "", "term": "panne"}
    rows = [one_test(MONTHS[-1], seen=True, feeling=feeling, **word) for feeling in ("", "negatif", "positif")]
    made = signal_tables(ENOUGH, findings([*rows, one_test(MONTHS[-1], seen=True, feeling="")]), Words())["signaux"]
    assert list(made["nature"]) == ["mot", "voix"]
    assert made["signal"].is_unique


def test_two_signals_of_one_name_are_told_apart():
    rows = [one_test(MONTHS[-1], seen=True, detector="terms", theme="", feeling="", term=term)
            for term in ("ete", "été")]  # fmt: skip
    names = signal_tables(ENOUGH, findings(rows), Words())["signaux"]["signal"]
    assert names.is_unique
    assert all(name.startswith("caf-mot-ete-") and name.endswith("-2024-08") for name in names)


def test_a_secret_card_has_no_expectation_nor_check():
    check = {**CELL, "detector": "farrington", "month": MONTHS[-1], "check": "campaign", "raised": True, "number": 2.0,
             "note": "2"}  # fmt: skip
    few = voices({("panne", "negatif"): 4, ("", "positif"): 40})
    row = one_test(MONTHS[-1], seen=True, observed=4.0, voices=4)
    card = signal_tables(few, findings([row], [check]), Words())["signaux"].iloc[0]
    assert card["statut"] == FigureStatus.SECRET
    assert pd.isna(card[FIGURES + CHECKS]).all()


def test_the_figures_of_a_card_say_no_more_than_the_number_of_voices_that_is_told():
    held = voices({("panne", "negatif"): 18, ("", "negatif"): 51, ("", "positif"): 40, ("", "neutre"): 3}, days=28)
    test = {"observed": 18.0, "voices": 18, "days": 18, "share": 18 / 112, "ratio": 18 / 8}
    made = signal_tables(held, findings([one_test(MONTHS[-1], seen=True, **test)]), Words())
    card = made["signaux"].iloc[0]
    assert (card["observe"], card["voix"], card["attendu"]) == (20, 20, 8)
    assert (card["rapport"], card["part"]) == (20 / 8, pytest.approx(100 * 20 / 110))
    assert card["jours"] == 18  # of more days, there would be more than 18 voices
    assert card["rapport_haut"] * card["rapport_bas"] == pytest.approx(4.0 * 1.5 * (20 / 18) ** 2)
    assert made["courbes_signaux"].iloc[0]["observe"] == 20


@pytest.mark.parametrize("feeling", ["negatif", "positif"])
def test_no_card_tells_a_rate_of_satisfaction(feeling):
    held = voices({("", "negatif"): 20, ("", "positif"): 20})
    made = signal_tables(held, findings([one_test(MONTHS[-1], seen=True, theme="", feeling=feeling)]), Words())
    card, line = made["signaux"].iloc[0], made["courbes_signaux"].iloc[0]
    assert (card["voix"], card["observe"], line["observe"]) == (20, 20, 20)
    assert pd.isna(card[["attendu", "rapport", "rapport_bas", "rapport_haut", "part"]]).all()
    assert pd.isna(line[["attendu", "limite"]]).all()


def test_the_ledger_says_which_signals_have_a_card():
    word = {"detector": "terms", "family": "terms", "theme": "", "term": "panne"}
    rows = [one_test(MONTHS[-1], seen=True, feeling=feeling, **word) for feeling in ("", "negatif", "positif")]
    told = signal_tables(ENOUGH, findings([*rows, one_test(MONTHS[-1], seen=True)]), Words())["tests_signaux"]
    shown = told.set_index("methode")[["signaux", "signaux_montres"]].to_dict("index")
    assert shown == {"terms": {"signaux": 3, "signaux_montres": 1}, "farrington": {"signaux": 1, "signaux_montres": 1}}


@pytest.mark.parametrize(
    ("observed", "counted", "status"),
    [(3, 0, FigureStatus.SECRET), (0, 0, "publié"), (3, 9, FigureStatus.SECRET), (20, 0, FigureStatus.SECRET)],
)
def test_a_month_of_a_curve_is_told_where_the_number_of_voices_is(observed, counted, status):
    rows = [one_test(MONTHS[-2], seen=False, observed=float(observed), voices=counted), one_test(MONTHS[-1], seen=True)]
    line = signal_tables(ENOUGH, findings(rows), Words())["courbes_signaux"].iloc[0]
    assert line["statut"] == status
    assert pd.isna(line["observe"]) == (status == FigureStatus.SECRET)


def test_a_service_of_few_voices_in_all_is_nowhere():
    made = signal_tables(voices({("panne", "negatif"): 4}), findings([one_test(MONTHS[-1], seen=False)]), Words())
    assert made["themes_voix"].empty
    assert made["puissance_signaux"].empty
    assert signal_tables(voices({("panne", "negatif"): 9}, days=2), made_nothing(), Words())["themes_voix"].empty


def made_nothing() -> Findings:
    return findings([one_test(MONTHS[-1], seen=False)])


def test_how_many_voices_a_month_has_is_told_in_classes():
    power = pd.concat([POWER[:1].assign(voices=mean) for mean in (1 / 3, 5.0, 19.9, 20.0, 499.0, 500.0, None)])
    found = made_nothing()
    made = signal_tables(ENOUGH, Findings(found.tests, found.ledger, found.checks, power), Words())
    about = list(made["puissance_signaux"]["voix_par_mois"])
    assert about[:6] == ["moins de 5", "5 à 20", "5 à 20", "20 à 100", "100 à 500", "plus de 500"]
    assert pd.isna(about[6])


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0"), (1, "moins de 5"), (4, "moins de 5"), (5, "5 à 20"), (30, "20 à 100")]
)
def test_voices_of_a_campaign_are_told_about(size, told):
    held = pa.concat_tables([ENOUGH, in_campaign(size)])
    seen = pd.DataFrame([one_test("2024-08", seen=True)])
    with known_voices(held, datetime.date(2024, 8, 1)) as connection:
        found = checks(connection, datetime.date(2024, 8, 1), seen).set_index("check")["note"]
    assert found["campaign"] == f"témoignages de campagne, comptés à part : {told}"


def in_campaign(size: int) -> pa.Table:
    held = voices({("panne", "negatif"): size})
    return held.set_column(held.column_names.index("campaign"), "campaign", pa.array([True] * size, pa.bool_()))


def saying(count: int, **said: Any) -> pa.Table:
    held = voices({("panne", "negatif"): count})
    for name, value in said.items():
        column = pa.array([value] * held.num_rows, COLUMNS[name])
        held = held.set_column(held.column_names.index(name), name, column)
    return held


@pytest.mark.parametrize(
    ("where", "said", "stays"),
    [
        ({"theme": "panne"}, {}, True),
        ({"detector": "terms", "theme": "", "feeling": "", "term": "pas_répondre"}, {"terms": ["pas_répondre"]}, True),
        ({"detector": "terms", "theme": "", "feeling": "", "term": "durand"}, {"terms": ["autre"]}, False),
        ({"detector": "funnel", "theme": "", "office": "CAF 1"}, {"office": "caf 1"}, True),
        ({"detector": "funnel", "theme": "", "office": "Mme Durand"}, {"office": "CAF 1"}, False),
    ],
)
def test_what_people_typed_is_not_told_again_once_voices_hold_it_no_more(where, said, stays):
    """A word or an office that is masked since leaves; any other signal that was published stays, without figures."""
    held = saying(20, **said)
    first = signal_tables(held, findings([one_test(MONTHS[-1], seen=True, **where)]), Words())
    before = Released("1.0.0", first["signaux"], first["courbes_signaux"])
    again = signal_tables(held, findings([one_test(MONTHS[-1], seen=False, **where)]), Words(), before)["signaux"]
    assert list(again["signal"] if len(again) else []) == (list(first["signaux"]["signal"]) if stays else [])
    assert not stays or set(again["etat"]) == {"révisé"}


def test_a_card_of_a_month_that_is_tested_no_more_stays_as_it_was_told():
    first = signal_tables(ENOUGH, findings([one_test(MONTHS[0], seen=True)]), Words())
    before = Released("1.0.0", first["signaux"], first["courbes_signaux"])
    again = signal_tables(ENOUGH, findings([one_test(MONTHS[-1], seen=False)]), Words(), before)
    for table in ("signaux", "courbes_signaux"):
        pd.testing.assert_frame_equal(again[table], first[table], check_dtype=False)


def test_cards_of_one_fact_name_one_another():
    month = MONTHS[-1]
    rows = [
        one_test(month, seen=True),
        one_test(month, seen=True, detector="funnel", theme="", office="CAF 1"),
        one_test(month, seen=True, detector="terms", theme="", feeling="", term="maintenance"),
        one_test(month, seen=True, theme="", feeling="negatif", indicator="taux-decroche", office="A3", service=""),
        one_test(month, seen=True, theme="accueil", feeling="positif"),
        one_test(MONTHS[0], seen=True, theme="panne", feeling=""),
        one_test(month, seen=True, network="msa", service="MSA"),
    ]
    made = signal_tables(ENOUGH, findings(rows), Words())["signaux"].set_index("signal")["voir_aussi"]
    named = {name: set(str(others).split(" ; ")) for name, others in made.dropna().items()}
    theme, office, word, indicator = (f"caf-{name}-2024-08" for name in (
        "panne-negatif", "caf-1-negatif", "mot-maintenance", "a3-negatif-taux-decroche"))  # fmt: skip
    assert named[theme] == {office, word, indicator}
    assert named[indicator] == {theme, office, word}
    assert named["caf-accueil-positif-2024-08"] == {word}  # neither the other theme, nor what is felt otherwise
    assert "msa-panne-negatif-2024-08" not in named
    assert "caf-panne-2024-01" not in named  # over for months


def test_a_campaign_is_in_no_count():
    held = ENOUGH.set_column(ENOUGH.column_names.index("campaign"), "campaign", pa.array([True] * ENOUGH.num_rows))
    assert counted_voices(held).empty


def test_a_rise_that_was_put_in_voices_has_its_card():
    made = made_tables()["signaux"].set_index("signal")
    card = made.loc["caf-panne-negatif-2023-10"]
    assert (card["etat"], card["service"], card["indicateurs_du_reseau"]) == ("confirmé", "CAF", "taux-decroche 2024")
    assert card["observe"] > 3 * card["attendu"]
    assert set(made["reseau"]) == {"caf"}


WORDS = (
    "dossier", "attente", "guichet", "téléphone", "papier", "bureau", "courrier", "agent", "accueil", "formulaire",
    "pension", "impôt", "délai", "mail", "site", "compte", "réponse", "permis",
)  # fmt: skip
SAID = (
    "Sandrine a été formidable, l'agent kervadec aussi, durand, martin, blanc, marie et rose de même, merci Boulanger"
)
TYPED = "Mme Camille Durand 06 12 34 56 78"
NAMES = ("sandrine", "kervadec", "durand", "martin", "blanc", "marie", "rose", "boulanger", "camille", "06 12")


def test_no_name_of_a_person_is_in_any_table(catalogue, tmp_path):
    """Fourteen voices of a month name people, in small letters too; ninety name one in the place of their office."""
    random, rows = Random(18), []
    for rank in range(14 * 60):
        month, said = rank // 60, rank >= 13 * 60 and rank % 60 < 14
        rows.append({
            "identifiant": str(rank), "publication": datetime.date(2023 + month // 12, month % 12 + 1, 1 + rank % 25),
            "titre": str(random.random()), "ressenti": "Positif" if rank % 2 else "Négatif", "typologie_1": "CAF",
            "description": " ".join(random.choices(WORDS, k=20)) + (f" {SAID}" if said else ""),
            "structure_1": f"CAF {rank % 13:02d}" if rank % 13 else TYPED,
        })  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    year = AcceptedYear(tmp_path / "rows.parquet", "colonnes-2023")
    read = read_voices(catalogue, "services-publics-plus", [year], tmp_path / "kept").table
    found = detect(read, datetime.date(2024, 2, 1), Options(power=False))
    tables = signal_tables(read, Findings(found.tests, found.ledger, found.checks, POWER), Words())
    assert list(tables["signaux"]["mot"]) == ["formidable"]
    held = [read.to_pandas(), found.tests, found.checks, *tables.values()]
    told = "\n".join(frame.to_csv() for frame in held).lower()
    assert "caf ain" in told
    assert [name for name in NAMES if name in told] == []
