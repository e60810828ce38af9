"""What is private may be read by nobody else whatever the umask; what is public by all; dead writers leave nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from fixtures.dagster_service import small_project

from pipelines.cli import main
from pipelines.flow.output_folder import tidy
from pipelines.flow.store import Store
from pipelines.mechanics.files import private_files
from pipelines.operations.doctor import diagnose
from pipelines.operations.output_lock import alone_on

PROJECT = Path(__file__).resolve().parents[2]
DEAD = 4_194_303  # no machine here gives this number to a process


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=["000", "022", "077"])
def umask(request):
    before = os.umask(request.param)
    yield request.param
    assert os.umask(before) == request.param  # a command leaves the process as it was


def run(folder: Path, *more: str) -> int:
    if not (folder / "schemas").is_dir():
        _, exports = small_project(folder, ["alpha"], range(2024, 2025))
        (exports / "alpha" / "guichet-2024.csv").open("a", encoding="utf-8").write("99/99/2024;P1;content\n")
    places = {"--exports": folder / "exports", "--output": folder / "output", "--schemas": folder / "schemas"}
    return main(["run", *(str(part) for pair in places.items() for part in pair), *more])


def modes(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777 for path in sorted(folder.rglob("*"))}


def test_private_rooms_are_closed_and_public_ones_open_whatever_the_umask(umask, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / "dagster.yaml").symlink_to(PROJECT / "dagster.yaml")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    assert run(tmp_path) == 0
    found = modes(tmp_path / "output")
    assert any(name.endswith("-lignes-refusees.xlsx") for name in found)
    assert (tmp_path / "output").stat().st_mode & 0o777 == 0o755
    for name, mode in found.items():
        is_folder = (tmp_path / "output" / name).is_dir()
        public = name.split("/")[0] in ("releases", "catalogue", "site")
        if public:
            assert mode & 0o005 == (0o005 if is_folder else 0o004), name
        else:
            assert mode in ((0o750,) if is_folder else (0o640, 0o440)), name


def test_a_new_output_can_be_entered_whoever_makes_it(umask, tmp_path):
    with private_files(), alone_on(str(tmp_path / "output"), "un traitement de Dagster"):
        assert (tmp_path / "output").stat().st_mode & 0o777 == 0o755
    with private_files():
        diagnose(tmp_path / "looked-at")
    assert (tmp_path / "looked-at").stat().st_mode & 0o777 == 0o755


def test_letters_written_for_a_producer_are_private(umask, tmp_path):
    schemas, exports = small_project(tmp_path, ["alpha"], range(2024, 2025))
    file = exports / "alpha" / "guichet-2024.csv"
    file.write_text(file.read_text(encoding="utf-8") + "99/99/2024;P1;content\n", encoding="utf-8")
    main(["validate", str(file), "--schemas", str(schemas), "--network", "alpha", "--export", "guichet",
          "--letter", str(tmp_path / "lettres")])  # fmt: skip
    written = modes(tmp_path / "lettres")
    assert written
    assert set(written.values()) == {0o640}


def test_rooms_that_an_earlier_version_left_open_are_closed(tmp_path):
    assert run(tmp_path) == 0
    for room in ("archive", "work"):
        (tmp_path / "output" / room).chmod(0o755)
    assert run(tmp_path) == 0
    assert {(tmp_path / "output" / room).stat().st_mode & 0o777 for room in ("archive", "work")} == {0o750}


def test_drafts_of_dead_writers_are_swept_and_those_of_the_living_left(tmp_path):
    assert run(tmp_path) == 0
    output = tmp_path / "output"
    (dataset,) = (output / "releases").iterdir()
    dead = [
        output / "archive" / f".arrivant.{DEAD}", output / "archive" / "vus" / f".x.json.{DEAD}",
        output / "work" / "networks" / "alpha" / "2024" / f".report.json.{DEAD}",
        output / "work" / "judged" / f".abc.parquet.{DEAD}", output / "work" / "judged" / ".abc.parquet.texte",
        output / "targets" / f".x.json.{DEAD}", output / "catalogue" / ".en-cours-index.html",
        output / "catalogue" / dataset.name / "latest" / ".en-cours-resultats.csv", dataset / ".en-cours-1.0.9",
    ]  # fmt: skip
    alive = [output / "work" / "nuits" / f".2026-01-02.json.{os.getpid()}"]
    for path in dead + alive:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (output / "catalogue" / ".en-cours-dossier").mkdir()
    assert run(tmp_path) == 0
    assert [path for path in dead if path.exists()] == []
    assert not (output / "catalogue" / ".en-cours-dossier").exists()
    assert [path for path in alive if not path.exists()] == []


def test_drafts_on_a_storage_go_once_they_are_old(tmp_path):
    fresh, old = tmp_path / "sets" / ".brouillon-x.json.1", tmp_path / "contents" / "aa" / ".brouillon-x.json.2"
    for path in (fresh, old):
        path.parent.mkdir(parents=True)
        path.touch()
    os.utime(old, (1.0, 1.0))
    tidy(f"file://{tmp_path}")
    assert (fresh.exists(), old.exists()) == (True, False)


def test_a_scratch_folder_goes_with_its_process_or_with_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = (
        "import os, signal\nfrom pipelines.flow.store import Store\n"
        "store = Store('memory://essai')\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    (left,) = tmp_path.glob("resultats-*")
    (tmp_path / "resultats-d-un-autre").mkdir()
    store, other = Store("memory://essai"), Store("memory://essai")
    assert not left.exists()
    assert len(list(tmp_path.glob("resultats-*"))) == 3  # both of the living, and what isn't ours
    store.close()
    other.close()
    assert [path.name for path in tmp_path.glob("resultats-*")] == ["resultats-d-un-autre"]


def test_what_isn_t_ours_in_an_output_is_told_and_left(tmp_path, capsys):
    (tmp_path / "output" / "photos").mkdir(parents=True)
    (tmp_path / "output" / "budget.ods").write_bytes(b"x")
    assert run(tmp_path) == 0
    assert "ce qui n'est pas de nous, et que rien ne touche : budget.ods, photos" in capsys.readouterr().out
    main(["doctor", "--output", str(tmp_path / "output")])
    assert "n'est pas de nous : budget.ods, photos" in " ".join(capsys.readouterr().out.split())
    assert (tmp_path / "output" / "budget.ods").read_bytes() == b"x"
    shutil.rmtree(tmp_path / "output" / "photos")
    (tmp_path / "output" / "budget.ods").unlink()
    assert run(tmp_path) == 0
    assert "n'est pas de nous" not in capsys.readouterr().out


def test_a_folder_put_among_the_latest_files_stops_no_publication(tmp_path, capsys):
    assert run(tmp_path) == 0
    (latest,) = (tmp_path / "output" / "catalogue").glob("*/latest")
    (latest / "dossier").mkdir()
    assert run(tmp_path) == 0
    assert (latest / "dossier").is_dir()
