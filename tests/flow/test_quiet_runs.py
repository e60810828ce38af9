"""A run makes only what is new: nothing new leaves nothing behind, and every earlier release isn't read again."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import pytest
from fixtures.dagster_service import small_project, write_export

from pipelines.cli import main
from pipelines.release import integrity

PROJECT = Path(__file__).resolve().parents[2]


def prepared(folder: Path) -> Path:
    """Prepare two small networks and an instance that knows nothing."""
    home = folder / "home"
    home.mkdir(parents=True)
    (home / "dagster.yaml").symlink_to(PROJECT / "dagster.yaml")
    small_project(folder, ["alpha", "beta"], range(2023, 2025))
    return folder


@pytest.fixture
def fresh(tmp_path, monkeypatch) -> Path:
    """Small networks that were never treated."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    return prepared(tmp_path)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory) -> tuple[Path, Path]:
    """Where small networks were treated once, and a copy of all that was there then: a first run takes seconds."""
    folder = prepared(tmp_path_factory.mktemp("quiet") / "project")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DAGSTER_HOME", str(folder / "home"))
        assert run(folder) == 0
    return folder, Path(shutil.copytree(folder, folder.with_name("kept"), symlinks=True))


@pytest.fixture
def project(first_run, monkeypatch) -> Path:
    """Small networks treated once, in the place where they were: everything as it was just after."""
    folder, copy = first_run
    shutil.rmtree(folder)
    shutil.copytree(copy, folder, symlinks=True)
    monkeypatch.setenv("DAGSTER_HOME", str(folder / "home"))
    return folder


def run(project: Path, *more: str) -> int:
    places = {"--exports": project / "exports", "--output": project / "output", "--schemas": project / "schemas"}
    return main(["run", *(str(part) for pair in places.items() for part in pair), *more])


def kept(project: Path) -> tuple[list[str], set[Path]]:
    with dg.DagsterInstance.get() as instance:
        ids = [run.run_id for run in instance.get_runs()]
    return ids, {path for path in (project / "home").rglob("*") if path.suffix not in (".db-wal", ".db-shm")}


def test_quiet_runs_leave_nothing_behind_and_the_others_are_kept(project, capsys):
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
    assert len(kept(project)[0]) == 5  # the year of the news, and the national tables
    path = project / "schemas" / "networks" / "beta.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("Réseau d'exemple.", "Autre texte."), encoding="utf-8")
    assert run(project) == 0
    assert len(kept(project)[0]) == 8


def written(project: Path, folder: str) -> dict[Path, int]:
    """Return when each file below a folder of the output was written."""
    return {path: path.stat().st_mtime_ns for path in (project / "output" / folder).rglob("*") if path.is_file()}


def test_what_is_not_new_is_not_written_again(project):
    before = written(project, "")
    assert run(project) == 0
    again = {path for path, when in written(project, "").items() if before.get(path) != when}
    assert not {path for path in again if path.suffix in (".parquet", ".csv", ".xlsx", ".html")}
    assert not {path for path in again if "networks" in path.parts or "releases" in path.parts}
    write_export(project / "exports", "alpha", 2024, unhappy=2)
    assert run(project) == 0
    again = {path for path, when in written(project, "work/networks").items() if before.get(path) != when}
    assert {path.relative_to(project / "output" / "work" / "networks").parts[:2] for path in again} == {
        ("alpha", "2024")
    }


@pytest.mark.parametrize("lost", ["catalogue", "work/national/couverture.parquet", "work/versions"])
def test_what_was_lost_is_made_again_by_the_next_run(project, lost):
    place = project / "output" / lost
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    assert run(project) == 0
    assert place.exists()
    assert len(list((project / "output" / "releases").glob("*/*"))) == 1


def test_a_release_that_was_refused_is_tried_again_though_nothing_is_new(fresh, monkeypatch, capsys):
    with monkeypatch.context() as broken:
        broken.setattr("pipelines.release.release_folder.release_findings", lambda *_: ["contrôle impossible"])
        assert run(fresh) == 1
    assert "contrôle impossible" in capsys.readouterr().out
    assert run(fresh) == 0
    assert len(list((fresh / "output" / "releases").glob("*/*"))) == 1


def test_an_instance_that_knows_nothing_is_shown_the_run_even_if_nothing_is_new(fresh, monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME")
    assert run(fresh) == 0
    monkeypatch.setenv("DAGSTER_HOME", str(fresh / "home"))
    assert run(fresh) == 0
    assert len(kept(fresh)[0]) == 3


def test_what_failed_is_traced_each_time(project):
    (project / "schemas" / "networks" / "beta.yml").touch()
    blocked = project / "output" / "work" / "networks" / "alpha" / "2024" / "report.json"
    blocked.unlink()
    assert run(project) == 0  # a year that was left unfinished is news
    assert len(kept(project)[0]) == 5


def test_earlier_releases_are_not_read_again_unless_something_touched_them(project, monkeypatch, capsys):
    write_export(project / "exports", "alpha", 2024, unhappy=2)
    assert run(project) == 0
    (home,) = (project / "output" / "releases").iterdir()
    assert len(list(home.iterdir())) == 2
    read: list[str] = []
    whole = integrity.checksum_findings
    monkeypatch.setattr(integrity, "checksum_findings", lambda folder: read.append(folder.name) or whole(folder))
    assert run(project) == 0
    assert read == []
    first = sorted(home.iterdir())[0]
    file = first / "resultats-annuels.csv"
    content = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(content.replace(b"alpha", b"alphb", 1))  # the same size
    assert run(project) == 1
    assert read == [first.name]
    assert (
        f"{first.name}, SHA256SUMS : l'empreinte de resultats-annuels.csv ne correspond pas" in capsys.readouterr().out
    )
