"""A machine is lost: what ``deploy/backup`` saved by restic is put back, byte for byte, and the work goes on."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import dagster as dg
import pytest
from fixtures.dagster_service import small_project, wait_for

from pipelines.cli import main

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = PROJECT / "deploy" / "backup" / "backup.sh"
HOLDER = (
    "import sys, time\nfrom pipelines.operations.output_lock import alone_on\n"
    "with alone_on(sys.argv[1], 'essai'):\n    print('tenue', flush=True)\n    time.sleep(600)\n"
)
SETTINGS = ("RESULTATS_PG_URL", "RESULTATS_PG_URL_FILE", "RESULTATS_PG_PASSWORD", "RESULTATS_PG_PASSWORD_FILE")

pytestmark = pytest.mark.e2e


def needed(program: str, package: str) -> str:
    """Return a program; without it the test is skipped on a machine, and fails in CI, which installs it."""
    found = shutil.which(program)
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{program} n'est pas installé (paquet {package})")
    return found


def work(place: Path) -> None:
    """Run a network of one small file; the run goes to the instance of DAGSTER_HOME."""
    exports, output, schemas = place / "exports", place / "output", place / "schemas"
    assert main(["run", "--exports", str(exports), "--output", str(output), "--schemas", str(schemas)]) == 0


def digests(folder: Path, *without: str) -> dict[str, str]:
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip
    return {name: digest for name, digest in found.items() if not name.startswith(without)}


def known() -> list[tuple[str, str, int]]:
    """What the instance knows: each run, its state, and how many events it has."""
    with dg.DagsterInstance.get() as instance:
        return sorted((run.run_id, run.status.value, len(instance.all_logs(run.run_id))) for run in instance.get_runs())


def backup(*words: str, code: int = 0) -> str:
    """Run the script as its service does; return what it says."""
    done = subprocess.run([str(SCRIPT), *words], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def restic(*words: str) -> str:
    return subprocess.run(["restic", *words], capture_output=True, text=True, check=True).stdout


def snapshots() -> int:
    return len(json.loads(restic("snapshots", "--json")))


@pytest.fixture(scope="module")
def worked(tmp_path_factory) -> Path:
    """A folder that holds a SQLite instance (``home``) and an output (``output``) after a run, copied by each test."""
    folder = tmp_path_factory.mktemp("travail")
    (folder / "home").mkdir()
    shutil.copy(PROJECT / "dagster.yaml", folder / "home")
    small_project(folder, ["alpha"], range(2024, 2025))
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(name, raising=False)
        patch.setenv("DAGSTER_HOME", str(folder / "home"))
        work(folder)
    return folder


@pytest.fixture
def place(worked, tmp_path, monkeypatch) -> Path:
    """A copy of that, at a place of its own, and an empty repository of restic."""
    needed("restic", "restic")
    needed("sqlite3", "sqlite3")
    folder = Path(shutil.copytree(worked, tmp_path / "ici"))
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DAGSTER_HOME", str(folder / "home"))
    monkeypatch.setenv("RESULTATS_OUTPUT", str(folder / "output"))
    monkeypatch.setenv("RESTIC_REPOSITORY", str(tmp_path / "depot"))
    monkeypatch.setenv("RESTIC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("RESTIC_PASSWORD", "mot de passe")
    restic("init")
    return folder


def test_what_was_destroyed_is_put_back(place, tmp_path):
    output, state = place / "output", place / "home" / "data" / "state"
    before, runs = digests(output, "work/judged", "targets/."), known()
    assert len(before) > 50
    assert runs
    assert "sauvegardé et vérifié" in backup("save")
    assert digests(output, "work/judged", "targets/.") == before, "saving leaves nothing in the output"
    listed = restic("ls", "latest").splitlines()
    assert "/.instance/state/history/runs.db" in listed
    assert [name for name in listed if "judged/" in name or name.endswith(("-wal", "-shm"))] == []
    # A place that holds something is left alone.
    assert "n'est pas vide" in backup("restore", code=1)
    shutil.rmtree(output)
    shutil.rmtree(state)
    backup("restore")
    assert digests(output) == before
    assert known() == runs
    sealed = next((output / "releases").rglob("resultats-annuels.csv"))
    assert sealed.stat().st_mode & 0o222 == 0
    # Work goes on: nothing changed, so that no new version is made.
    work(place)
    assert [path.name for path in sorted((output / "releases").glob("*/*"))] == ["1.0.0"]
    assert len(known()) > len(runs)
    # And replacing keeps what was there aside.
    backup("restore", "latest", "--replace")
    assert known() == runs
    assert digests(output, ".avant-restauration") == before
    assert (output / ".avant-restauration" / "releases").is_dir()


def test_a_database_that_is_written_to_is_saved_whole(place):
    """The write-ahead log holds what the file itself doesn't yet."""
    runs = place / "home" / "data" / "state" / "history" / "runs.db"
    with sqlite3.connect(runs) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("create table marque (texte text)")
        writer.execute("insert into marque values ('écrit à l''instant')")
        writer.commit()
        assert Path(f"{runs}-wal").stat().st_size
        backup("save")
    writer.close()
    backup("restore", "--replace")
    assert sqlite3.connect(runs).execute("select texte from marque").fetchone() == ("écrit à l'instant",)
    assert sqlite3.connect(runs).execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_backup_that_is_damaged_or_not_there_changes_nothing(place, tmp_path, monkeypatch):
    backup("save")
    before = digests(place)
    assert "rien n'a été restauré" in backup("restore", "0123abcd", "--replace", code=1)
    with monkeypatch.context() as wrong:
        wrong.setenv("RESTIC_PASSWORD", "autre")
        assert "rien n'a été restauré" in backup("restore", "--replace", code=1)
    for pack in (tmp_path / "depot" / "data").rglob("*"):
        if pack.is_file():
            content = bytearray(pack.read_bytes())
            content[len(content) // 3] ^= 1
            pack.chmod(0o600)
            pack.write_bytes(content)
    assert "rien n'a été restauré" in backup("restore", "--replace", code=1)
    assert digests(place) == before


def test_nothing_is_saved_nor_restored_under_a_run(place):
    backup("save")
    before = digests(place, "output/.traitement")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(place / "output")], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "tenue\n"
        for words in (["save"], ["restore", "--replace"]):
            assert "un traitement est en cours" in backup(*words, code=1)
        assert snapshots() == 1
        assert digests(place, "output/.traitement") == before
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    backup("restore", "--replace")


def slowed(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Let a program wait before it begins: return the file by which it says so, and the one that it waits for."""
    begun, go = folder / "commence", folder / "continue"
    real = shutil.which(program)
    (folder / "bin").mkdir()
    (folder / "bin" / program).write_text(
        f'#!/bin/sh\ntouch {begun}\nwhile [ ! -e {go} ]; do sleep 0.1; done\nexec {real} "$@"\n'
    )
    (folder / "bin" / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    return begun, go


def test_no_run_begins_while_the_output_is_saved(place, tmp_path, monkeypatch, capsys):
    begun, go = slowed("restic", tmp_path, monkeypatch)
    saving = subprocess.Popen([str(SCRIPT), "save"], stdout=subprocess.DEVNULL)
    wait_for(begun.exists, 60)
    places = ["--exports", str(place / "exports"), "--schemas", str(place / "schemas")]
    assert main(["run", *places, "--output", str(place / "output")]) == 2
    assert "un traitement est en cours depuis" in (told := capsys.readouterr().err)
    assert "resultats, sauvegarde" in told
    go.touch()
    assert saving.wait(120) == 0
    work(place)


def test_without_an_instance_that_can_be_read_nothing_is_saved(place, monkeypatch):
    runs = place / "home" / "data" / "state" / "history" / "runs.db"
    content = runs.read_bytes()
    runs.write_bytes(b"ce n'est pas une base\n" * 100)
    assert "not a database" in backup("save", code=1)
    runs.unlink()
    assert f"aucune instance dans {place}/home/data/state" in backup("save", code=1)
    runs.write_bytes(content)
    monkeypatch.setenv("DAGSTER_HOME", str(place))
    assert "dagster.yaml" in backup("save", code=2)
    assert snapshots() == 0
    assert not (place / "output" / ".instance").exists()


def test_a_repository_that_no_longer_reads_is_told_by_the_next_backup(place, tmp_path):
    backup("save")
    for index in (tmp_path / "depot" / "index").iterdir():
        index.chmod(0o600)
        index.write_bytes(index.read_bytes()[:-10])
    assert "sauvegardé et vérifié" not in backup("save", code=1)


def test_without_restic_its_package_is_named(place, tmp_path, monkeypatch):
    (tmp_path / "vide").mkdir()
    (tmp_path / "vide" / "bash").symlink_to("/bin/bash")
    monkeypatch.setenv("PATH", str(tmp_path / "vide"))
    assert "restic n'est pas installé" in backup("save", code=1)


def test_a_backup_is_not_put_in_what_it_saves(place, monkeypatch):
    monkeypatch.setenv("RESTIC_REPOSITORY", str(place / "output" / "depot"))
    assert "dans ce qu'elle sauvegarde" in backup("save", code=2)


def test_a_file_that_cannot_be_read_leaves_no_backup(worked, monkeypatch):
    needed("restic", "restic")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(worked, f"{name}/ici"))
        for path in (Path(name), *Path(name).rglob("*")):
            os.chown(path, 65534, 65534)
        next(path for path in (folder / "output" / "archive").rglob("*") if path.is_file()).chmod(0)
        environment = {
            "PATH": os.environ["PATH"], "HOME": name, "DAGSTER_HOME": f"{folder}/home",
            "RESULTATS_OUTPUT": f"{folder}/output", "RESTIC_REPOSITORY": f"{name}/depot", "RESTIC_PASSWORD": "x",
        }  # fmt: skip
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []

        def run(*command: object) -> subprocess.CompletedProcess[str]:
            words = [*as_nobody, *map(str, command)]
            return subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd=name)

        assert run("restic", "init").returncode == 0
        done = run(SCRIPT, "save")
        assert (done.returncode, "rien n'est sauvegardé" in done.stderr) == (1, True), done.stderr
        assert "/ici" not in run("restic", "snapshots").stdout


def test_a_backup_is_readable_by_nobody_else_and_opens_nothing(place, tmp_path):
    """An archive of before, whose files everybody could read, is closed when it is put back."""
    for path in (place / "output").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    backup("save")
    kept = [path for path in (tmp_path / "depot").rglob("*") if path.is_file()]
    assert kept
    assert [path for path in kept if path.stat().st_mode & 0o077] == []
    assert [path for path in kept if b"dagster" in path.read_bytes() or b"guichet" in path.read_bytes()] == []
    shutil.rmtree(place / "output")
    backup("restore", "--replace")
    assert (place / "output").stat().st_mode & 0o777 == 0o755
    files = [path for path in (place / "output").rglob("*") if path.is_file()]
    opened = {path.relative_to(place / "output").parts[0] for path in files if path.stat().st_mode & 0o007}
    assert opened == {"releases", "catalogue", "site"}


def test_only_the_latest_are_kept_and_what_is_not_ours_is_left(place, tmp_path):
    (tmp_path / "autre").mkdir()
    restic("backup", "--tag", "autre", "--time", "2019-01-01 07:00:00", str(tmp_path / "autre"))
    for hour in range(10, 16):
        day = f"2020-01-01 {hour}:00:00"
        restic("backup", "--host", "resultats", "--tag", "resultats", "--time", day, str(tmp_path / "autre"))
    backup("save")
    assert len(restic("snapshots", "--tag", "resultats", "--compact").split("2020-01-01")) == 1 + 4
    assert "2019-01-01" in restic("snapshots", "--tag", "autre")


def test_an_output_on_a_storage_is_saved_by_the_storage_and_the_instance_here(place, monkeypatch):
    state, runs = place / "home" / "data" / "state", known()
    backup("save")
    monkeypatch.setenv("RESULTATS_OUTPUT", "s3://resultats/production")
    assert "celle d'une sortie en dossier" in backup("restore", "--replace", code=1)
    assert "s3://resultats/production est un stockage" in backup("save")
    shutil.rmtree(state)
    assert "l'instance seule" in backup("restore")
    assert known() == runs
    monkeypatch.setenv("RESULTATS_OUTPUT", str(place / "output"))
    assert "celle d'une sortie en stockage" in backup("restore", "--replace", code=1)
    assert (place / "output" / "archive").is_dir()


@dg.job
def nothing_much():
    @dg.op
    def one():
        pass

    one()


def test_the_same_on_postgresql(database, place, monkeypatch):
    backup("save")  # of the instance in SQLite
    monkeypatch.setenv("RESULTATS_PG_URL", database)
    assert main(["instance", "prepare"]) == 0
    assert "une instance en SQLite ; il y a ici" in backup("restore", "--replace", code=1)
    output = place / "output"
    with dg.DagsterInstance.get() as instance:
        assert all(nothing_much.execute_in_process(instance=instance).success for _ in range(2))
    before, runs = digests(output, "work/judged", "targets/."), known()
    assert len(runs) == 2
    backup("save")
    shutil.rmtree(output)
    shutil.rmtree(place / "home" / "data" / "state")
    assert "base PostgreSQL n'est pas vide" in backup("restore", code=1)
    for command in ("drop schema public cascade", "create schema public"):
        subprocess.run(["psql", "-q", "-d", database.replace("+psycopg2", ""), "-c", command], check=True)
    backup("restore")
    assert (known(), digests(output)) == (runs, before)
    with dg.DagsterInstance.get() as instance:
        instance.delete_run(instance.get_runs(limit=1)[0].run_id)
    backup("restore", "--replace")
    assert known() == runs


@pytest.mark.parametrize("setting", ["adresse", "variable", "fichier"])
def test_clients_of_postgresql_have_the_password_in_their_environment_only(place, tmp_path, monkeypatch, setting):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pg_dump").write_text(f'#!/bin/sh\necho "$PGPASSWORD" "$@" >{tmp_path}/appel\nexit 1\n')
    (tmp_path / "bin" / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    account = "moi:a%40b%2Fc%25" if setting == "adresse" else "moi"
    monkeypatch.setenv("RESULTATS_PG_URL", f"postgresql+psycopg2://{account}@base:6432/dagster?sslmode=verify-full")
    if setting == "variable":
        monkeypatch.setenv("RESULTATS_PG_PASSWORD", "a@b/c%")
    if setting == "fichier":
        (tmp_path / "secret").write_text("a@b/c%\n")
        monkeypatch.setenv("RESULTATS_PG_PASSWORD_FILE", str(tmp_path / "secret"))
    backup("save", code=1)
    password, *words = (tmp_path / "appel").read_text().split()
    assert password == "a@b/c%"
    assert "--dbname=postgresql://moi@base:6432/dagster?sslmode=verify-full" in words
    assert "a@b" not in " ".join(words) and "a%40b" not in " ".join(words)
