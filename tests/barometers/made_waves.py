"""Waves of barometers made in tests: answers as a frame in, the published tables out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.barometers.barometer_tables import ReceivedWave, barometer_tables
from pipelines.barometers.microdata import read_answers
from pipelines.declarations.barometer import Barometer, Wave, as_network

SCALE = [
    {"code": "1", "label": "Très satisfait", "polarity": "positive", "points": 10},
    {"code": "2", "label": "Plutôt satisfait", "polarity": "positive", "points": 7.5},
    {"code": "3", "label": "Neutre", "polarity": "neutral", "points": 5},
    {"code": "4", "label": "Insatisfait", "polarity": "negative", "points": 0},
]
ASIDE = [{"code": "9", "label": "(Ne sait pas)", "kind": "nsp"}]
SEX = {
    "id": "sexe",
    "title": "Sexe",
    "column": "sexe",
    "groups": [{"code": "1", "label": "H"}, {"code": "2", "label": "F"}],
}


def question(identifier: str = "avis", waves: tuple[str, ...] = ("v1", "v2"), **told: Any) -> dict[str, Any]:
    """Return a declared question; a scale of four levels unless told otherwise."""
    asked = {"id": identifier, "title": "Avis", "wordings": [{"waves": list(waves), "text": "Quel est votre avis ?"}]}
    if "items" not in told:
        asked["column"] = identifier.replace("-", "_")
    if "answers" not in told:
        asked |= {"scale": SCALE, "set_aside": ASIDE}
    return asked | told


def barometer(questions: list[dict[str, Any]] | None = None, **told: Any) -> dict[str, Any]:
    """Return a declared barometer of two waves, weighted, the second comparable with the first."""
    waves = [
        {
            "id": f"v{rank}", "title": f"Vague {rank}",
            "fieldwork": {"start": f"202{rank}-03-01", "end": f"202{rank}-03-20"},
            "mode": "en ligne", "institute": "Institut fictif", "universe": "adultes", "sample_size": 1000,
            "quotas": ["sexe"], "weight": "poids", "path": "b/{year}.csv",
        }
        for rank in (1, 2)
    ]  # fmt: skip
    waves[1]["comparable_with"] = "v1"
    indicators = [{"id": "satisfaits", "title": "Satisfaits", "question": "avis", "measure": "share"}]
    return {
        "title": "Baromètre", "producer": "Essai", "description": "Essai.",
        "acceptance": {"max_refused_share": 0.1, "why": "essai"}, "waves": waves,
        "questions": questions or [question()], "cuts": [SEX], "indicators": indicators,
    } | told  # fmt: skip


def received(declared: Barometer, wave: Wave, answers: pd.DataFrame, folder: Path) -> ReceivedWave:
    """Return what the flow knows of a wave whose answers were all accepted."""
    network = as_network(declared)
    assert network is not None
    export = network.export(wave.id)
    assert export is not None
    path = folder / f"{wave.id}.parquet"
    answers.assign(_maille="national").to_parquet(path)
    held = read_answers(path, export, wave.year, declared.columns_of(wave))
    return ReceivedWave("accepté", None, len(answers), 0, held, synthetic=True)


def tables(told: dict[str, Any], waves: dict[str, pd.DataFrame], folder: Path) -> dict[str, pd.DataFrame]:
    """Return the tables of one barometer (« b »); a wave without answers was not handed over."""
    declared = Barometer.model_validate(told)
    known = {
        ("b", wave.id): received(declared, wave, waves[wave.id], folder) if wave.id in waves
        else ReceivedWave("non transmis", "fichier absent")
        for wave in declared.waves
    }  # fmt: skip
    return barometer_tables({"b": declared}, known)


def answers(counts: dict[str, int], **columns: Any) -> pd.DataFrame:
    """Return as many rows of each answer as told, of weight 1, men and women in turn."""
    given = [code for code, count in counts.items() for _ in range(count)]
    frame = pd.DataFrame({"avis": given, "poids": 1.0})
    frame["sexe"] = ["1" if rank % 2 else "2" for rank in range(len(frame))]
    return frame.assign(**columns)


def line(results: pd.DataFrame, **where: str) -> pd.Series[Any]:
    """Return the only line of those coordinates, of everybody unless told otherwise."""
    for name, value in ({"coupe": "ensemble"} | where).items():
        results = results[results[name] == value]
    assert len(results) == 1
    return results.iloc[0]
