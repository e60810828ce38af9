"""Signals of the published results of offices: from a release to the cards, with nothing that isn't in the release."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from fixtures.made_release import DATASET as RESULTS
from fixtures.made_release import made_release, row, site
from fixtures.made_voices import made_voices
from signal_tables.made_signals import DATASET, released
from signal_tables.test_signal_pages import told

from pipelines.declarations import Catalogue
from pipelines.flow.signal_release import make_signal_tables, release_signals
from pipelines.flow.store import Store
from pipelines.flow.voice import judge_months
from pipelines.portal.site import build_site
from pipelines.release.gates import gates
from pipelines.release.inputs import Inputs
from pipelines.signal_tables.tables_of_signals import SIGNAL_TABLES

MONTHS = ["2021-11", "2021-12"]  # the last two of the voices
FALLEN, HIDDEN = 3, 5  # offices
Change = Callable[[int, str, dict[str, Any]], None]


def results(change: Change = lambda *_: None) -> list[dict[str, Any]]:
    """Rows of a release: eight offices whose share of calls answered is 80 %, month by month until December 2021."""
    random, rows = np.random.default_rng(7), []
    for month in map(str, pd.period_range(end="2021-12", periods=48, freq="M")):
        for office in range(8):
            count = int(random.binomial(200, 0.8))
            line = site(f"A{office}", int(month[:4]), count / 2, periode=month, frequence="mensuelle", effectif=200,
                        numerateur=float(count), denominateur=200.0)  # fmt: skip
            change(office, month, line)
            rows.append(line)
    return [*rows, row(2021, 80.0)]


def fall(office: int, month: str, line: dict[str, Any]) -> None:
    if (office, month) == (FALLEN, "2021-12"):
        line |= {"valeur": 60.5, "numerateur": 121.0}


def fall_in_secret(office: int, month: str, line: dict[str, Any]) -> None:
    """Hide what an office had in a month, as releases do: nothing is left of its value, and the rest stays."""
    if (office, month) == (HIDDEN, "2021-12"):
        line |= {"valeur": None, "numerateur": None, "denominateur": None, "statut_confidentialite": "C",
                 "statut_observation": "Q", "motif_absence": "secret statistique"}  # fmt: skip


def published(output: Path, rows: list[dict[str, Any]], version: str = "1.0.0", **made: Any) -> Store:
    """Publish results, beside two years of voices in which nothing rises."""
    home = made_release(output, rows, version=version, **made)
    (home / "SHA256SUMS").write_text(f"{version}\n", encoding="utf-8")
    manifest = output / "catalogue" / RESULTS / "dataset.json"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps({"version": version}), encoding="utf-8")
    voices = output / "work" / "voix" / "voix.parquet"
    voices.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(made_voices({"caf": 0.3}, 731), voices)
    return Store(output)


def tables(catalogue: Catalogue, store: Store) -> dict[str, pd.DataFrame]:
    judge_months(catalogue, store, MONTHS)
    make_signal_tables(catalogue, store)
    return {name: pd.read_parquet(store.output / "work" / "voix" / f"{name}.parquet") for name in SIGNAL_TABLES}


def counted(held: dict[str, pd.DataFrame]) -> dict[str, int]:
    """Tests of indicators by month."""
    lines = held["tests_signaux"]
    lines = lines[lines["famille"].str.endswith("-indicateurs")]
    return {month: int(tests) for month, tests in zip(lines["mois"], lines["tests"], strict=True)}


def test_a_fall_of_one_office_is_one_card_in_the_unit_of_its_indicator(catalogue, tmp_path):
    held = tables(catalogue, published(tmp_path, results(fall)))
    card = held["signaux"].set_index("nature").loc["indicateur"]
    assert (card["reseau"], card["structure"], card["indicateur"]) == ("caf", "Guichet A3", "taux-decroche")
    assert (card["observe"], card["unite"], card["mois"], card["ressenti"]) == (60.5, "%", "2021-12", "négatif")
    assert card["attendu"] == pytest.approx(80, abs=3)
    assert card["rapport"] < 1
    assert card["etat"] == "à confirmer"
    assert card[["voix", "jours", "part"]].isna().all()
    assert set(card[["volume", "campagne", "moderation", "formulaire", "intitule"]]) == {"non vérifié"}
    assert card["service"] == catalogue.networks["caf"].title
    assert card["titre"].endswith("Guichet A3, en baisse")
    assert counted(held) == {"2021-11": 8, "2021-12": 8}


def test_when_no_office_changes_there_is_no_card(catalogue, tmp_path):
    held = tables(catalogue, published(tmp_path, results()))
    assert "indicateur" not in set(held["signaux"].get("nature", ()))
    assert counted(held) == {"2021-11": 8, "2021-12": 8}


def test_what_is_hidden_is_never_tested(catalogue, tmp_path):
    held = tables(catalogue, published(tmp_path, results(fall_in_secret)))
    assert counted(held) == {"2021-11": 8, "2021-12": 7}
    kept = pd.concat(map(pd.read_parquet, (tmp_path / "work" / "voix").glob("2021-12*tests.parquet")))
    assert f"A{HIDDEN}" not in set(kept[kept["indicator"] != ""]["office"])


def test_an_indicator_without_any_published_value_is_not_told_beside(catalogue, tmp_path):
    nothing = {"valeur": None, "motif_absence": "secret statistique", "statut_observation": "Q"}
    later = row(2022, 80.0) | nothing
    held = published(tmp_path, [*results(fall), later, later | {"indicateur": "csat"}])
    assert set(tables(catalogue, held)["signaux"]["indicateurs_du_reseau"]) == {"taux-decroche 2021"}


def test_another_release_tests_the_indicators_again_and_nothing_else(catalogue, tmp_path):
    store = published(tmp_path, results())
    assert judge_months(catalogue, store, MONTHS) == MONTHS
    assert judge_months(catalogue, store, MONTHS) == []
    room = tmp_path / "work" / "voix"
    before = {path: path.stat().st_mtime_ns for path in room.glob("2021-*.parquet")}
    store = published(tmp_path, results(fall), version="1.1.0")
    assert judge_months(catalogue, store, MONTHS) == MONTHS
    again = {path.name for path, moment in before.items() if path.stat().st_mtime_ns != moment}
    assert again == {f"{month}-indicateurs-{part}.parquet" for month in MONTHS for part in ("tests", "ledger")}


def test_a_quarter_seen_is_not_over_in_the_months_that_end_no_quarter(catalogue, tmp_path):
    """The voices go on in the months after it: none of these is a sign that the indicator is as before."""
    names = list(map(str, pd.period_range(end="2021Q3", periods=15, freq="Q")))
    rows = [
        site(f"A{office}", int(name[:4]), value, periode=f"{name[:4]}-T{name[5]}", frequence="trimestrielle",
             effectif=200, numerateur=value * 2, denominateur=200.0)
        for rank, name in enumerate(names) for office in range(8)
        for value in [60.0 if (office, rank) == (FALLEN, 14) else 80.0 + (rank * 7 + office * 3) % 5 - 2]
    ]  # fmt: skip
    store = published(tmp_path, [*rows, row(2021, 80.0)])
    months = ["2021-09", "2021-10", *MONTHS]
    judge_months(catalogue, store, months)
    make_signal_tables(catalogue, store)
    cards = pd.read_parquet(tmp_path / "work" / "voix" / "signaux.parquet")
    card = cards[cards["nature"] == "indicateur"]
    assert list(card["etat"]) == ["à confirmer"]
    assert list(card["mois"]) == ["2021-09"]


def test_a_signal_that_a_revision_takes_away_stays_and_says_so(catalogue, tmp_path):
    """Results revised test past months again: what was published of the signal is answered for, by no figure."""
    store = published(tmp_path, results(fall))
    tables(catalogue, store)
    first = release_signals(catalogue, store, Inputs())
    store = published(tmp_path, results(), version="1.1.0")
    held = tables(catalogue, store)
    (card,) = held["signaux"][held["signaux"]["nature"] == "indicateur"].to_dict("records")
    assert (card["etat"], card["statut"], card["indicateur"]) == ("révisé", "révisé", "taux-decroche")
    assert "dit en dernier par la version 1.0.0" in card["revision"]
    assert pd.isna([card[name] for name in ("observe", "attendu", "rapport", "valeur_q", "volume")]).all()
    assert set(held["courbes_signaux"]["statut"]) == {"révisé"}
    made = release_signals(catalogue, store, Inputs())
    assert (first.version, made.version) == ("1.0.0", "1.0.1")
    removed = next(
        gate for gate in gates(catalogue, DATASET, first.folder, made.folder) if gate.name == "lignes_retirees"
    )
    assert removed.passed
    home = build_site(store.release(RESULTS, "1.1.0"), tmp_path / "site-2", signals=made.folder).folder
    page = (home / "signaux" / f"{card['signal']}.html").read_text(encoding="utf-8")
    assert "Révisé" in page
    assert "version 1.0.0" in page
    assert "<svg" not in page
    again = tables(catalogue, store)["signaux"]
    assert (
        again["revision"].tolist() == held["signaux"]["revision"].tolist()
    )  # the next release says it in the same words
    back = tables(catalogue, published(tmp_path, results(fall), version="1.2.0"))["signaux"]
    assert list(back["etat"]) == ["à confirmer"]


def test_pages_tell_the_figures_of_the_card_with_its_unit(catalogue, tmp_path):
    store = published(tmp_path / "output", results(fall))
    held = tables(catalogue, store)
    release = released(catalogue, held, tmp_path / "releases")
    lines = pq.read_table(release.folder / "signaux.parquet").to_pylist()
    card = next(line for line in lines if line["nature"] == "indicateur")
    home = build_site(store.release(RESULTS, "1.0.0"), tmp_path / "site", signals=release.folder).folder
    facts = [line for line in told(home) if line.get("signal") == card["signal"] and "etat-signal" in line]
    assert facts
    for line in facts:
        assert (line["observe"], line["attendu"]) == (repr(card["observe"]), repr(card["attendu"]))
    page = (home / "signaux" / f"{card['signal']}.html").read_text(encoding="utf-8")
    assert "60,5 % en décembre 2021" in page
    assert "voix par mois" not in page
    assert "reseaux/caf" in page


def test_signals_of_invented_results_say_so(catalogue, tmp_path):
    store = published(tmp_path, results(fall), synthetic="Tout est inventé.")
    tables(catalogue, store)
    made = release_signals(catalogue, store, Inputs())
    assert made is not None
    assert json.loads((made.folder / "datapackage.json").read_text(encoding="utf-8"))["synthetic"] is True
