"""The shipped samples as R computes them: weighted shares, raking, Kish's size, intervals, tests, letters.

The numbers are those of ``oracle/barometers.R`` (``make oracles``); R is needed to make them again, not here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_waves import received

from pipelines.barometers.barometer_tables import barometer_tables

HERE = Path(__file__).parent / "oracle"
TOLD: dict[str, list[dict[str, Any]]] = json.loads((HERE / "barometers.json").read_text("utf-8"))["tables"]
REFUSED = "R2021-90001"  # its code of answer isn't on the scale


@pytest.fixture(scope="module")
def results(catalogue, samples, tmp_path_factory) -> pd.DataFrame:
    known = {}
    told = {name: catalogue.barometers[name] for name in {place.split()[0] for place in TOLD}}
    for name, barometer in told.items():
        folder = tmp_path_factory.mktemp(name)
        for wave in barometer.waves:
            file = samples / str(wave.path).replace("{year}", str(wave.year))
            in_sheet = wave.format == "xlsx"
            frame = (
                pd.read_excel(file, wave.sheet, dtype=str, engine="calamine")
                if in_sheet
                else pd.read_csv(file, sep=";", dtype=str)
            )
            frame = frame.rename(columns={label: column for column, label in wave.labels.items()})
            frame = frame[frame["repondant"] != REFUSED]
            if wave.weight:
                frame[wave.weight] = frame[wave.weight].str.replace(",", ".").astype(float)
            known[name, wave.id] = received(barometer, wave, frame, folder)
    made = barometer_tables(told, known)["resultats_barometres"]
    return made.set_index(["barometre", "vague", "question", "modalite", "coupe", "groupe"])


@pytest.mark.parametrize("wave", TOLD)
def test_figures_are_those_of_r(results, wave):
    name, vague = wave.split(" ")
    for line in TOLD[wave]:
        found = results.loc[(name, vague, line["question"], line["modalite"], line["coupe"], line["groupe"])]
        expected = {
            "valeur": 100 * line["part"],
            "borne_basse": 100 * line["bornes"][0],
            "borne_haute": 100 * line["bornes"][1],
            "base_efficace": line["taille"],
            "base": line["base"],
        }
        for column, value in expected.items():
            assert found[column] == pytest.approx(value, rel=1e-9, abs=1e-7), column
        if line["coupe"] != "ensemble":
            told = "" if pd.isna(found["superieur_a"]) else found["superieur_a"]
            assert told == line["superieur_a"], line
        for column in ("p_reste", "p_vague", "p_reste_corrigee", "p_vague_corrigee"):
            if column not in line:
                continue
            if line[column] is None:
                assert pd.isna(found[column]), (line, column)
            else:
                assert found[column] == pytest.approx(max(line[column], 1e-6), rel=1e-7), column


def test_the_recorded_numbers_are_those_of_the_samples_as_they_are(tmp_path):
    if shutil.which("Rscript") is None:
        pytest.skip("R n'est pas installé")
    there = tmp_path / "tests" / "barometers" / "oracle"
    there.mkdir(parents=True)
    shutil.copy(HERE / "barometers.R", there)
    shutil.copytree(HERE.parents[2] / "data" / "samples" / "barometres", tmp_path / "data" / "samples" / "barometres")
    ran = subprocess.run(["Rscript", "barometers.R"], cwd=there, capture_output=True, text=True, check=False)
    if "there is no package" in ran.stderr:
        pytest.skip("R n'a pas le paquet survey")
    assert ran.returncode == 0, ran.stderr
    again = json.loads((there / "barometers.json").read_text("utf-8"))["tables"]
    for wave, lines in TOLD.items():
        for line, other in zip(lines, again[wave], strict=True):
            assert line["part"] == pytest.approx(other["part"], rel=1e-9)
