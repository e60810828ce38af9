"""The instance is that of DAGSTER_HOME wherever a command is typed; what is wrong with it is told, never traced."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.dagster_service import small_project

from pipelines.cli import main
from pipelines.operations.instance import instance_place

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A home with the shipped configuration, as the installation makes it; the current folder is elsewhere."""
    for name in ("RESULTATS_PG_URL", "RESULTATS_PG_URL_FILE", "RESULTATS_PG_PASSWORD", "RESULTATS_PG_PASSWORD_FILE"):
        monkeypatch.delenv(name, raising=False)
    folder, elsewhere = tmp_path / "home", tmp_path / "ailleurs"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "dagster.yaml").symlink_to(PROJECT / "dagster.yaml")
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    return folder


def run_command(folder: Path, output: str = "output") -> list[str]:
    if not (folder / "schemas").is_dir():
        small_project(folder, ["alpha"], range(2024, 2025))
    places = {"--exports": folder / "exports", "--output": folder / output, "--schemas": folder / "schemas"}
    return ["run", *(str(part) for pair in places.items() for part in pair)]


def test_every_command_finds_the_instance_of_its_home(home, tmp_path, capsys):
    assert main(["instance", "prepare"]) == 0
    assert main(run_command(tmp_path)) == 0
    assert instance_place().state == home / "data" / "state"
    assert {"instance/history/runs.db", "instance/schedules/schedules.db"} <= {
        f"instance/{path.relative_to(instance_place().state)}" for path in instance_place().databases
    }
    main(["doctor", "--output", str(tmp_path / "output"), "--schemas", str(tmp_path / "schemas")])
    assert "schéma à jour" in " ".join(capsys.readouterr().out.split())
    assert list((tmp_path / "ailleurs").iterdir()) == []


def test_the_option_names_another_home(home, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("DAGSTER_HOME")
    for action in ("prepare", "recover", "purge"):
        assert main(["instance", action, "--home", str(home)]) == 0
    assert (home / "data" / "state" / "history" / "runs.db").is_file()
    assert list((tmp_path / "ailleurs").iterdir()) == []
    assert "DAGSTER_HOME" not in os.environ


@pytest.mark.parametrize("damage", [b"ce n'est pas une base\n" * 100, None])
def test_a_damaged_sqlite_is_told_with_what_to_do(home, tmp_path, capsys, damage):
    assert main(run_command(tmp_path)) == 0
    database = home / "data" / "state" / "history" / "runs.db"
    content = database.read_bytes()
    for part in database.parent.glob("runs.db-*"):
        part.unlink()
    database.write_bytes(damage if damage is not None else content[: len(content) // 3])
    output = str(tmp_path / "output")
    capsys.readouterr()
    for command, code in (
        (run_command(tmp_path), 2), (["instance", "prepare"], 2), (["instance", "recover"], 2),
    ):  # fmt: skip
        assert main(command) == code
        told = capsys.readouterr().err
        assert "abîmée" in told
        assert "backup.sh restore --replace" in told
    main(["doctor", "--output", output, "--schemas", str(tmp_path / "schemas")])
    assert "abîmée" in capsys.readouterr().out


def test_a_postgresql_that_does_not_answer_is_told_without_its_password(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RESULTATS_PG_URL", "postgresql://compte:Secret-42@127.0.0.1:1/resultats")
    for command in (run_command(tmp_path), ["instance", "prepare"]):
        assert main(command) == 2
        told = capsys.readouterr()
        assert "PostgreSQL de l'instance ne répond pas, ou refuse la connexion (127.0.0.1, base resultats)" in told.err
        assert "Secret-42" not in told.out + told.err
    monkeypatch.setenv("RESULTATS_PG_URL", "mysql://compte:Secret-42@127.0.0.1/resultats")
    assert main(run_command(tmp_path)) == 2
    assert "Secret-42" not in (told := capsys.readouterr().err)
    assert "RESULTATS_PG_URL" in told


@pytest.mark.e2e
def test_two_first_runs_at_once_leave_an_instance_that_works(home, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", *run_command(tmp_path, f"output-{number}")],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(3)
    ]  # fmt: skip
    for process in running:
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, out + error
    assert main(run_command(tmp_path, "output-0")) == 0
