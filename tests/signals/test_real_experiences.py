"""The real experiences of 2019 to 2022: what their months tell, and the burst that is a campaign."""

from __future__ import annotations

import csv
import datetime
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.signals.detection import Options, detect
from pipelines.voice.voices import AcceptedYear, read_voices

PROJECT = Path(__file__).resolve().parents[2]
REAL = PROJECT.parent / "shared" / "real" / "experiences-2022" / "spplus-experiences-2022-annotees.csv.gz"


@pytest.fixture(scope="module")
def voices(catalogue, tmp_path_factory):
    if not REAL.exists():
        pytest.skip("les textes réels ne sont pas ici")
    folder = tmp_path_factory.mktemp("real")
    with gzip.open(REAL, "rt", encoding="utf-8", newline="") as file:
        told = [line for line in csv.DictReader(file) if line["date"]]
    rows = [
        {"identifiant": str(rank), "publication": datetime.date.fromisoformat(line["date"]), "titre": line["titre"],
         "description": line["description"], "ressenti": "", "typologie_1": "Réseau consulaire", "_ligne": rank}
        for rank, line in enumerate(told)
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    years = [AcceptedYear(folder / "rows.parquet", "colonnes-2022")]
    return read_voices(catalogue, "services-publics-plus", years, folder / "kept").table


def signals(voices, year, month):
    found = detect(voices, datetime.date(year, month, 1), Options(power=False)).tests
    return found[found["signal"]]


def test_the_consular_burst_of_october_2021_is_no_signal(voices):
    assert signals(voices, 2021, 10).empty


def test_proxies_are_found_before_the_elections(voices):
    march, april = signals(voices, 2022, 3), signals(voices, 2022, 4)
    assert "nb_cusum" in set(march.loc[march["theme"] == "procuration", "detector"])
    assert "ears" in set(april.loc[april["theme"] == "procuration", "detector"])
    assert "procuration" in set(april["term"])


def test_the_outage_of_april_2022_is_found(voices):
    april = signals(voices, 2022, 4)
    line = april[april["term"] == "maintenance"].iloc[0]
    assert line["ratio_low"] > 1.5
    assert {"ameli", "connecter"} <= set(april["term"])
    assert signals(voices, 2022, 5).empty
