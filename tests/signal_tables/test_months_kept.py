"""Months of voices, from what is received to what is told of them: those that are over, each kept once it is judged."""

from __future__ import annotations

import datetime
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from fixtures.made_voices import FIRST, made_voices
from signal_tables.made_signals import made_tables

from pipelines.flow import signal_release, voice
from pipelines.flow.gather import declared_table
from pipelines.flow.replay import run_network_year
from pipelines.flow.signal_release import lines_that_fit
from pipelines.flow.store import Store
from pipelines.flow.voice_facts import SignalsMade, keep_signals_made, unknown_services_sentence
from pipelines.read import ExportsRoot
from pipelines.report.alerts import signals
from pipelines.signals.detection import detect

DAYS = 366 + 120  # sixteen months: four of them are judged
SPOKEN = {"caf": 1.5, "msa": 0.5}


def store_of(voices: pa.Table, place: Path) -> Store:
    store = Store(place)
    with store.writing(voice.ROOM) as (folder,):
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(voices, folder / "voix.parquet")
    return store


def test_a_month_judged_is_kept_when_the_next_one_stops(tmp_path, monkeypatch, catalogue):
    store, made = store_of(made_voices(SPOKEN, DAYS), tmp_path), []

    def failing(voices, month, options):
        if len(made) == 2:
            raise OSError("disque plein")
        made.append(f"{month:%Y-%m}")
        return detect(voices, month, options)

    monkeypatch.setattr(voice, "detect", failing)
    with pytest.raises(OSError, match="disque plein"):
        voice.judge_months(catalogue, store)
    monkeypatch.undo()
    first, second = made
    assert voice.judge_months(catalogue, store) == ["2021-03", "2021-04"]
    assert (first, second) == ("2021-01", "2021-02")
    assert voice.judge_months(catalogue, store) == []


def test_a_failure_of_power_alone_is_told_and_stops_nothing(tmp_path, monkeypatch, catalogue):
    store = store_of(made_voices(SPOKEN, DAYS), tmp_path)
    monkeypatch.setattr("pipelines.signals.detection.power", lambda *_: 1 / 0)
    assert voice.judge_months(catalogue, store)[-1] == "2021-04"
    told = signal_release.make_signal_tables(catalogue, store)
    assert told.tests > 0
    assert "ce qui pourrait être vu n'a pas pu être mesuré" in told.sentence
    monkeypatch.undo()
    assert voice.judge_months(catalogue, store) == ["2021-04"]  # what was not measured is due
    assert "mesuré" not in signal_release.make_signal_tables(catalogue, store).sentence


@pytest.mark.parametrize("themes", [(), ("attente",)])
def test_no_theme_of_a_usual_volume_is_no_power_and_no_obstacle(tmp_path, catalogue, themes):
    voices = made_voices({"caf": 0.2, "msa": 0.1}, DAYS, themes=themes, share=0.02)
    store = store_of(voices, tmp_path)
    assert voice.judge_months(catalogue, store)[-1] == "2021-04"
    told = signal_release.make_signal_tables(catalogue, store)
    assert told.measured
    held = pq.read_table(tmp_path / "work" / "voix" / "puissance_signaux.parquet").to_pandas()
    assert len(held)
    assert held["plus_petite_hausse"].isna().all()


def test_the_month_of_the_clock_is_left_for_its_end():
    voices = made_voices(SPOKEN, DAYS)
    months = pc.strftime(voices["day"], "%Y-%m")
    before = voices.filter(pc.less(months, "2021-04"))
    assert voice.past_voices(voices, "2021-04").equals(before)
    assert voice.past_voices(voices, "2026-11").equals(voices)
    assert voice.past_voices(voices, "2020-01").num_rows == 0


def test_voices_of_a_month_that_is_not_over_are_in_no_table(tmp_path, catalogue, monkeypatch):
    """From the door: the last month is measured, tested and told, and is the one before the clock's."""
    today = datetime.date.today()
    shift = today - (FIRST + datetime.timedelta(days=DAYS - 1))
    made = made_voices(SPOKEN, DAYS)
    days = pa.array([day + shift for day in made["day"].to_pylist()], pa.date32())
    monkeypatch.setattr(voice, "gather_voices", lambda *_: made.set_column(3, "day", days))
    store = Store(tmp_path)
    last = str(np.datetime64(today, "M") - 1)
    assert voice.note_voices(catalogue, store).last == last
    voice.judge_months(catalogue, store)
    told = signal_release.make_signal_tables(catalogue, store)
    assert (told.month, told.measured) == (last, True)
    assert told.tests > 0
    tables = {name: pq.read_table(tmp_path / "work" / "voix" / f"{name}.parquet") for name in
              ("themes_voix", "puissance_signaux", "tests_signaux")}  # fmt: skip
    assert {name: max(table["mois"].to_pylist()) for name, table in tables.items()} == dict.fromkeys(tables, last)


def test_signals_are_asked_for_again_once_the_month_that_was_left_is_over(tmp_path, catalogue, samples, monkeypatch):
    store, source = Store(tmp_path), "services-publics-plus"
    run_network_year(catalogue, source, 2024, store, ExportsRoot(samples), datetime.datetime(2025, 1, 2))

    def at(month: str) -> bool:
        monkeypatch.setattr(voice, "_this_month", lambda: month)
        return voice.signals_due(catalogue, store)

    def made() -> str:
        last = voice.note_voices(catalogue, store).last
        voice.note_done(catalogue, store)
        return last

    assert at("2024-06")
    assert made() == "2024-05"
    assert not at("2024-06")  # June is left for its end
    assert at("2024-07")
    assert made() == "2024-06"
    assert not at("2024-07")
    assert at("2025-03")
    assert made() == "2024-12"
    assert not at("2025-03")
    assert not at("2025-04")  # nothing was left


DAMAGES = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "lost": Path.unlink,
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory, catalogue) -> Path:
    place = tmp_path_factory.mktemp("judged")
    voice.judge_months(catalogue, store_of(made_voices({"caf": 0.7}, DAYS), place))
    return place


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("asked", [None, ["2021-04"]])
def test_a_month_whose_file_was_damaged_is_judged_again(tmp_path, catalogue, judged, damage, asked):
    store = Store(shutil.copytree(judged, tmp_path / "output"))
    room = tmp_path / "output" / "work" / "voix"
    files = [room / f"2021-02-{part}.parquet" for part in ("tests", "ledger", "checks")] + [room / "puissance.parquet"]
    before = [pq.read_table(file) for file in files]
    for file in files:
        damage(file)
    assert set(voice.judge_months(catalogue, store, asked)) == {"2021-04", *(["2021-02"] if asked is None else [])}
    assert signal_release.make_signal_tables(catalogue, store).tests > 0
    assert [pq.read_table(file) for file in files] == before
    assert voice.judge_months(catalogue, store) == []


def test_a_signal_that_no_release_would_take_is_left_out_alone_and_told(catalogue):
    """As an infinite ratio would be: the others don't wait for it."""
    made = made_tables(2)
    card = made["signaux"]["signal"].iloc[0]
    made["signaux"].loc[0, "rapport_haut"] = np.inf
    tables = {name: declared_table(name, catalogue.tables[name], frame) for name, frame in made.items()}
    found, left = lines_that_fit(tables, catalogue.tables)
    assert left == [card]
    assert found["signaux"].num_rows == len(made["signaux"]) - 1 > 0
    assert card not in found["courbes_signaux"]["signal"].to_pylist()
    assert found["themes_voix"].equals(tables["themes_voix"])
    told = SignalsMade({}, 2, 0.2, "2024-08", (), (), left_out=(card,)).sentence
    assert told.endswith(f"attendue ; 1 signal hors de la version, un chiffre n'y convient pas : {card}")


CARD = {"signal": "caf-panne-2024-03", "titre": "CAF : panne", "etat": "confirmé", "chiffres": "14 en mars 2024"}
INVENTED = "Toutes les données de ce dossier sont synthétiques."


@pytest.mark.parametrize("synthetic", [None, INVENTED])
def test_invented_texts_are_told_in_the_morning_and_in_the_summary(tmp_path, synthetic):
    made = SignalsMade({"confirmé": 2, "à confirmer": 3}, 1, 12.04, "2024-03", (CARD,), (), synthetic)
    store = Store(tmp_path)
    keep_signals_made(store, made)
    (alert,) = signals(store)
    assert (INVENTED in " ".join(alert.details)) is bool(synthetic)
    said = "2 confirmés, 3 à confirmer ; 1 test en mars 2024, 12 fausses alertes attendues"
    assert made.sentence == (f"{said} ; {synthetic}" if synthetic else said)
    assert SignalsMade({}, 2, 1.9, "2024-08", (), ()).sentence == (
        "aucun signal ; 2 tests en août 2024, 1,9 fausse alerte attendue"
    )


def test_what_was_kept_before_is_read(tmp_path):
    old = {"states": {}, "tests": 3, "expected_false": 0.0, "month": "2024-08", "open": [], "signals": []}
    path = tmp_path / "work" / "voix-signaux.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(old), encoding="utf-8")
    assert list(signals(Store(tmp_path))) == []


@pytest.mark.parametrize("content", ["[]", "{}", '{"states": "x"}', '"texte"', "{", ""])
def test_what_another_version_kept_or_a_hand_damaged_is_as_if_never_made(tmp_path, content):
    for name in ("voix-signaux", "voix-intitules", "voix-mois", "voix-fait", "voix-en-attente"):
        (tmp_path / "work").mkdir(exist_ok=True)
        (tmp_path / "work" / f"{name}.json").write_text(content, encoding="utf-8")
    store = Store(tmp_path)
    assert list(signals(store)) == []
    assert unknown_services_sentence(store) is None
