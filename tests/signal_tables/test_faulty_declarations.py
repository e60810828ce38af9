"""A faulty declaration of users' voices is left out and told: nothing of it stops what the law asks for."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.declarations import DeclarationError, load
from pipelines.flow.store import Store
from pipelines.report.alerts import Places, alerts_of
from pipelines.report.status import status, status_lines

DAY = datetime.date(2024, 9, 1)


def write_notes(schemas: Path, *signals: str) -> Path:
    """Write notes of one day in the file of the caf."""
    (schemas / "signals").mkdir(exist_ok=True)
    told = "status: explained, reason: Panne, by: équipe, date: 2024-09-01"
    path = schemas / "signals" / "caf.yml"
    path.write_text("".join(["notes:\n", *(f"  - {{signal: {name}, {told}}}\n" for name in signals)]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("signals", "line", "told"),
    [
        (("panne",), 2, "notes[n° 1].signal"),
        (("msa-panne-2024-08",), 2, "n'est pas du réseau caf"),
        (("caf-panne-2024-08", "caf-panne-2024-08"), 1, "2 notes du 01/09/2024"),
    ],
)
def test_notes_badly_written_are_left_out_and_told_at_their_line(schemas, capsys, signals, line, told):
    """They are left out, and no longer refused with all the rest: no result is made of them."""
    write_notes(schemas, *signals)
    catalogue = load(schemas)
    assert catalogue.signal_notes == {}
    (problem,) = catalogue.left_out
    assert (problem.file, problem.line) == ("signals/caf.yml", line)
    assert told in str(problem)
    assert main(["check", "--schemas", str(schemas)]) == 1
    assert f"signals/caf.yml:{line}" in capsys.readouterr().err


def typo(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "\nlabl: [\n", encoding="utf-8")


@pytest.mark.parametrize(
    "file",
    [
        "themes/relation.yml", "references/typologies.yml", "signals/caf.yml", "experiences/services-publics-plus.yml",
        "corrections/services-publics-plus.yml",
    ],
)  # fmt: skip
def test_a_faulty_file_of_voices_is_left_out_alone(schemas, tmp_path, capsys, file):
    write_notes(schemas, "caf-panne-2024-08")
    whole, path = load(schemas), schemas / file
    path.parent.mkdir(exist_ok=True)
    path.touch()
    typo(path)
    left = load(schemas)
    assert {problem.file for problem in left.left_out} == {file}
    legal = set(whole.of_results.networks)
    assert set(left.of_results.networks) == legal
    assert (left.indicators, left.datasets, left.tables) == (whole.indicators, whole.datasets, whole.tables)
    held = {"themes": left.themes, "signals": left.signal_notes, "references": left.typologies}.get(path.parent.name)
    assert path.stem not in (left.networks if held is None else held)
    assert main(["check", "--schemas", str(schemas)]) == 1
    assert f"{file}:" in capsys.readouterr().err
    (tmp_path / "work").mkdir()
    found = status(left, tmp_path, DAY)
    assert "signaux non faits" in found["voix_des_usagers"]["arret"]
    assert any(file in line for line in status_lines(found))
    alerts = alerts_of(left, Store(tmp_path), [], Places("exports", "sortie"), DAY)
    (alert,) = [one for one in alerts if one.title.startswith("Voix")]
    assert file in alert.details[0]


def test_a_faulty_file_of_results_is_refused_with_all_that_is_wrong(schemas):
    typo(schemas / "networks" / "caf.yml")
    typo(schemas / "themes" / "relation.yml")
    with pytest.raises(DeclarationError) as error:
        load(schemas)
    assert {problem.file for problem in error.value.problems} >= {"networks/caf.yml", "themes/relation.yml"}
