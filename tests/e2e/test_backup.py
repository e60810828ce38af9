"""A machine is lost: what was backed up is put back, byte for byte, and the work goes on. On SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from assets.backup import BackupError, check
from pipelines.cli import main
from pipelines.operations.instance_place import instance_place

PROJECT = Path(__file__).resolve().parents[2]
CONFIG = """
telemetry: {{enabled: false}}
storage: {storage}
local_artifact_storage:
  module: dagster._core.storage.root
  class: LocalArtifactStorage
  config: {{base_dir: {state}}}
compute_logs:
  module: dagster._core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config: {{base_dir: {state}/compute_logs}}
"""

pytestmark = pytest.mark.e2e


def home(folder: Path, storage: str) -> Path:
    folder.mkdir()
    (folder / "dagster.yaml").write_text(CONFIG.format(storage=storage, state=folder / "state"))
    return folder


def work(output: Path, samples: Path) -> None:
    """Run a network of one small file; the runs go to the instance of DAGSTER_HOME."""
    code = main([
        "run", "--exports", str(samples), "--output", str(output), "--network", "securite", "--year", "2024",
    ])  # fmt: skip
    assert code == 0


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


@pytest.fixture(scope="module")
def worked(samples, tmp_path_factory) -> Path:
    """A folder that holds a SQLite instance (``home``) and an output (``output``) after a run, copied by each test."""
    folder = tmp_path_factory.mktemp("travail")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home(folder / "home", f"{{sqlite: {{base_dir: {folder}/home/state}}}}")))
        work(folder / "output", samples)
    return folder


@pytest.fixture
def place(worked, tmp_path, monkeypatch) -> Path:
    """A copy of that, at a place of its own."""
    folder = Path(shutil.copytree(worked, tmp_path / "ici"))
    config = folder / "home" / "dagster.yaml"
    config.write_text(config.read_text().replace(str(worked), str(folder)))
    monkeypatch.setenv("DAGSTER_HOME", str(folder / "home"))
    return folder


def test_what_was_destroyed_is_put_back(place, samples, tmp_path, capsys):
    output, state = place / "output", place / "home" / "state"
    before, runs = digests(output, "work/judged", "targets/."), known()
    assert runs
    (tmp_path / "sauvegardes").mkdir()
    assert main(["backup", str(tmp_path / "sauvegardes"), "--output", str(output), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    saved = Path(told["sauvegarde"])
    assert told["fichiers"] == len(check(saved)["fichiers"]) > 50
    assert not any("judged" in name or name.endswith(("-wal", "-shm")) for name in check(saved)["fichiers"])
    # A place that holds something is left alone.
    assert main(["restore", str(saved), "--output", str(output)]) == 1
    assert "n'est pas vide" in capsys.readouterr().err
    shutil.rmtree(output)
    shutil.rmtree(state)
    assert main(["restore", str(saved), "--output", str(output)]) == 0
    assert digests(output) == before
    assert known() == runs
    sealed = next((output / "releases").rglob("resultats.csv"))
    assert sealed.stat().st_mode & 0o222 == 0
    # Work goes on: nothing changed, so that no new version is made.
    work(output, samples)
    assert [path.name for path in sorted((output / "releases").glob("*/*"))] == ["1.0.0"]
    assert len(known()) == len(runs) + 2
    # And replacing keeps what was there aside.
    assert main(["restore", str(saved), "--output", str(output), "--replace"]) == 0
    assert known() == runs
    assert digests(output, ".avant-restauration") == before
    assert (output / ".avant-restauration" / "releases").is_dir()


def test_a_database_that_is_written_to_is_copied_whole(place, tmp_path):
    """The write-ahead log holds what the file itself doesn't yet."""
    runs = place / "home" / "state" / "history" / "runs.db"
    with sqlite3.connect(runs) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("create table marque (texte text)")
        writer.execute("insert into marque values ('écrit à l''instant')")
        writer.commit()
        assert Path(f"{runs}-wal").stat().st_size
        saved = tmp_path / "x.tar.zst"
        assert main(["backup", str(saved), "--output", str(place / "output")]) == 0
    writer.close()
    shutil.rmtree(place / "home" / "state")
    shutil.rmtree(place / "output")
    assert main(["restore", str(saved), "--output", str(place / "output")]) == 0
    assert sqlite3.connect(runs).execute("select texte from marque").fetchone() == ("écrit à l'instant",)
    assert sqlite3.connect(runs).execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_damaged_backup_changes_nothing(place, tmp_path, capsys):
    saved = tmp_path / "x.tar.zst"
    assert main(["backup", str(saved), "--output", str(place / "output")]) == 0
    with pa.CompressedInputStream(pa.OSFile(str(saved)), "zstd") as stream:
        tar = bytearray(stream.read())
    middle = tar.index(b"date_reference", len(tar) // 3)  # inside a CSV file
    tar[middle] ^= 1
    damaged = tmp_path / "abimee.tar.zst"
    with pa.CompressedOutputStream(pa.OSFile(str(damaged), "wb"), "zstd") as stream:
        stream.write(tar)
    with pytest.raises(BackupError, match="abîmée"):
        check(damaged)
    cut = tmp_path / "coupee.tar.zst"
    cut.write_bytes(saved.read_bytes()[:-1000])
    before = digests(place)
    for wrong in (damaged, cut):
        assert main(["restore", str(wrong), "--output", str(place / "output"), "--replace"]) == 1
        assert "rien n'a été restauré" in capsys.readouterr().err
        assert digests(place) == before


def test_no_backup_is_made_while_a_run_is_going(place, tmp_path, capsys):
    with dg.DagsterInstance.get() as instance:
        run = instance.get_runs(limit=1)[0]
        instance.add_run(run._replace(run_id="0" * 32, status=dg.DagsterRunStatus.STARTED))
    saved = tmp_path / "x.tar.zst"
    assert main(["backup", str(saved), "--output", str(place / "output")]) == 1
    assert "en cours" in capsys.readouterr().err
    assert list(tmp_path.glob("*.tar.zst")) == list(tmp_path.glob(".x*")) == []
    assert main(["backup", str(saved), "--output", str(place / "output"), "--running"]) == 0


def test_only_the_latest_are_kept(place, tmp_path, capsys):
    folder = tmp_path / "sauvegardes"
    folder.mkdir()
    for day in ("20200101", "20210101", "20220101"):
        (folder / f"resultats-{day}-000000.tar.zst").touch()
    (folder / "autre.tar.zst").touch()
    assert main(["backup", str(folder), "--output", str(place / "output"), "--keep", "2"]) == 0
    assert sorted(path.name for path in folder.iterdir())[:2] == ["autre.tar.zst", "resultats-20220101-000000.tar.zst"]
    assert len(list(folder.iterdir())) == 3
    assert main(["backup", str(place / "output"), "--output", str(place / "output")]) == 1
    assert "dans ce qu'elle sauvegarde" in capsys.readouterr().err


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a PostgreSQL server of this test's own, behind a socket in a folder of its own."""
    binaries = next(
        (path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None
    )
    if binaries is None or not shutil.which("pg_dump"):
        pytest.skip("PostgreSQL n'est pas installé (paquets postgresql et postgresql-client)")
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        if user:
            shutil.chown(folder, "postgres", "postgres")
        data = f"{folder}/data"

        def run(*command: str) -> None:
            subprocess.run([*user, *command], check=True, stdout=subprocess.DEVNULL, cwd=folder)

        run(f"{binaries}/initdb", "-D", data, "-U", "resultats", "--auth=trust", "--no-sync", "--encoding=UTF8")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run(f"{binaries}/pg_ctl", "-D", data, "-o", options, "-w", "-l", f"{folder}/log", "start")
        try:
            run(f"{binaries}/createdb", "-h", folder, "-U", "resultats", "dagster")
            yield folder
        finally:
            run(f"{binaries}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def test_clients_of_postgresql_have_the_password_and_tls_in_their_environment_only(tmp_path, monkeypatch):
    url = "postgresql://moi:chut@base.example:6432/dagster?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    monkeypatch.setenv("PG_URL", url)
    monkeypatch.setenv("DAGSTER_HOME", str(home(tmp_path / "home", "{postgres: {postgres_url: {env: PG_URL}}}")))
    database = instance_place().database
    assert database is not None
    assert "chut" not in repr(database)
    found = {name: text for name, text in database.environment.items() if name.startswith("PG")}
    assert found == {
        "PG_URL": url, "PGHOST": "base.example", "PGPORT": "6432", "PGUSER": "moi", "PGDATABASE": "dagster",
        "PGPASSWORD": "chut", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/etc/ca.pem",
    }  # fmt: skip


@dg.job
def nothing_much():
    @dg.op
    def one():
        pass

    one()


def test_the_same_on_postgresql(database, worked, tmp_path, monkeypatch, capsys):
    url = f"postgresql+psycopg2://resultats@/dagster?host={database}"
    folder = home(tmp_path / "home", f"{{postgres: {{postgres_url: '{url}'}}}}")
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    output = shutil.copytree(worked / "output", tmp_path / "output")
    with dg.DagsterInstance.get() as instance:
        assert all(nothing_much.execute_in_process(instance=instance).success for _ in range(2))
    before, runs = digests(output, "work/judged", "targets/."), known()
    assert len(runs) == 2
    saved = tmp_path / "x.tar.zst"
    assert main(["backup", str(saved), "--output", str(output)]) == 0
    assert "instance/postgresql.dump" in check(saved)["fichiers"]
    shutil.rmtree(output)
    shutil.rmtree(folder / "state")
    assert main(["restore", str(saved), "--output", str(output)]) == 1
    assert "base PostgreSQL n'est pas vide" in capsys.readouterr().err
    for command in ("drop schema public cascade", "create schema public"):
        subprocess.run(["psql", "-q", "-h", database, "-U", "resultats", "dagster", "-c", command], check=True)
    assert main(["restore", str(saved), "--output", str(output)]) == 0
    assert (known(), digests(output)) == (runs, before)
    with dg.DagsterInstance.get() as instance:
        instance.delete_run(instance.get_runs(limit=1)[0].run_id)
    assert main(["restore", str(saved), "--output", str(output), "--replace"]) == 0
    assert known() == runs
