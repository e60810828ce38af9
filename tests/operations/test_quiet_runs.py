"""A run that finds nothing new leaves nothing behind, and doesn't read every earlier release again."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dagster_service import small_project, write_export

from pipelines.cli import main
from pipelines.release import intact

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").symlink_to(PROJECT / "dagster.yaml")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    small_project(tmp_path, ["alpha", "beta"], range(2023, 2025))
    return tmp_path


def run(project: Path, *more: str) -> int:
    places = {"--exports": project / "exports", "--output": project / "output", "--schemas": project / "schemas"}
    return main(["run", *(str(part) for pair in places.items() for part in pair), *more])


def kept(project: Path) -> tuple[list[str], set[Path]]:
    with dg.DagsterInstance.get() as instance:
        ids = [run.run_id for run in instance.get_runs()]
    return ids, {path for path in (project / "home").rglob("*") if path.suffix not in (".db-wal", ".db-shm")}


def test_quiet_runs_leave_nothing_behind_and_the_others_are_kept(project, capsys):
    assert run(project) == 0
    first = kept(project)
    assert len(first[0]) == 3  # a year each, and the national tables
    for more in ((), ("--year", "2024")):
        assert run(project, *more) == 0
        assert "120 lignes acceptées" in capsys.readouterr().out  # told all the same
        assert kept(project) == first
    write_export(project / "exports", "alpha", 2024, unhappy=2)
    assert run(project, "--network", "beta") == 0  # the news is of another network: it waits
    assert kept(project) == first
    assert run(project) == 0
    assert len(kept(project)[0]) == 6
    path = project / "schemas" / "networks" / "beta.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("Réseau d'exemple.", "Autre texte."), encoding="utf-8")
    assert run(project) == 0
    assert len(kept(project)[0]) == 9


def test_an_instance_that_knows_nothing_is_shown_the_run_even_if_nothing_is_new(project, monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME")
    assert run(project) == 0
    monkeypatch.setenv("DAGSTER_HOME", str(project / "home"))
    assert run(project) == 0
    assert len(kept(project)[0]) == 3


def test_what_failed_is_traced_each_time(project, monkeypatch):
    assert run(project) == 0
    (project / "schemas" / "networks" / "beta.yml").touch()
    blocked = project / "output" / "work" / "networks" / "alpha" / "2024" / "report.json"
    blocked.unlink()
    assert run(project) == 0  # a year that was left unfinished is news
    assert len(kept(project)[0]) == 6


def test_earlier_releases_are_not_read_again_unless_something_touched_them(project, monkeypatch, capsys):
    for unhappy in (4, 2):
        write_export(project / "exports", "alpha", 2024, unhappy=unhappy)
        assert run(project) == 0
    (home,) = (project / "output" / "releases").iterdir()
    assert len(list(home.iterdir())) == 2
    read: list[str] = []
    whole = intact.checksum_findings
    monkeypatch.setattr(intact, "checksum_findings", lambda folder: read.append(folder.name) or whole(folder))
    assert run(project) == 0
    assert read == []
    first = sorted(home.iterdir())[0]
    file = first / "resultats.csv"
    content = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(content.replace(b"alpha", b"alphb", 1))  # the same size
    assert run(project) == 1
    assert read == [first.name]
    assert f"{first.name}, SHA256SUMS : l'empreinte de resultats.csv ne correspond pas" in capsys.readouterr().out
