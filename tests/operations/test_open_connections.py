"""The SQLite of the instance: connections stay open, what a killed process wrote is there, few files are held."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from pipelines.operations.instance import opened, prepare_instance

PROJECT = Path(__file__).resolve().parents[2]
WRITER = """
import os, sys
from pathlib import Path
import dagster as dg
from pipelines.operations.instance import opened

with opened(Path(sys.argv[1])) as instance:
    run = dg.DagsterRun("travail", run_id=sys.argv[2])
    instance.add_run(run)
    for number in range(int(sys.argv[3])):
        instance.report_engine_event(f"fait {number}", run)
    print("dit", flush=True)
    if sys.argv[4] == "tué":
        os.kill(os.getpid(), 9)
"""


@pytest.fixture
def home(tmp_path) -> Path:
    (tmp_path / "dagster.yaml").symlink_to(PROJECT / "dagster.yaml")
    prepare_instance(tmp_path)
    return tmp_path


def written(home: Path, run: str, events: int, end: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(home), run, str(events), end]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)


def told(home: Path, run: str) -> list[str]:
    """Return the events of a run, as Dagster's own storage reads them."""
    storage = DagsterSqliteStorage.from_local(str(home / "data" / "state"))
    found = [entry.message for entry in storage.event_log_storage.get_logs_for_run(run)]
    storage.dispose()
    return found


def test_what_a_killed_process_wrote_is_there_and_whole(home):
    process = written(home, "r1", 40, "tué")
    assert process.communicate()[0] == "dit\n"
    assert process.returncode == -signal.SIGKILL
    assert told(home, "r1") == [f"fait {number}" for number in range(40)]
    for path in (home / "data" / "state").rglob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with opened(home) as instance:
        instance.report_engine_event("repris", instance.get_run_by_id("r1"))
    assert told(home, "r1")[-1] == "repris"


def test_several_processes_write_at_once(home):
    processes = [written(home, f"r{number}", 30) for number in range(3)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    for number in range(3):
        assert len(told(home, f"r{number}")) == 30


def test_preparing_what_is_ready_opens_the_file_of_no_run(home, connections):
    identifier = str(uuid.uuid4())
    with opened(home) as instance:
        run = dg.DagsterRun("travail", run_id=identifier)
        instance.add_run(run)
        instance.report_engine_event("fait", run)
    connections.clear()
    prepare_instance(home, alone=False)
    assert [place for place in connections if place.endswith("index.db")]
    assert not [place for place in connections if place.endswith(f"{identifier}.db")]


def shape(path: Path) -> list[object]:
    """Return what a file of SQLite is made of, whatever its events."""
    with closing(sqlite3.connect(path)) as database:
        return [
            database.execute(question).fetchall()
            for question in ("SELECT sql FROM sqlite_master ORDER BY 1", "SELECT * FROM alembic_version",
                             "PRAGMA journal_mode", "PRAGMA integrity_check")
        ]  # fmt: skip


def test_the_files_of_later_runs_are_made_as_dagster_makes_them(home):
    with opened(home) as instance:
        for name in ("r0", "r1", "r2"):
            run = dg.DagsterRun("travail", run_id=name)
            instance.add_run(run)
            instance.report_engine_event("fait", run)
    folder = home / "data" / "state" / "history" / "runs"
    DagsterSqliteStorage.from_local(str(home / "seul"))  # Dagster's own, of which only the index is made
    first, *later = (shape(folder / f"{name}.db") for name in ("r0", "r1", "r2"))
    assert later == [first, first]
    assert first[:3] == shape(next((home / "seul").rglob("index.db")))[:3]
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def held(home: Path) -> set[Path]:
    """Return the databases of an instance that this process has open."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return {place for link in links if (place := link.readlink()).suffix == ".db" and place.is_relative_to(home)}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are told by Linux")
def test_connections_stay_open_and_few_files_are_held(home, connections):
    with opened(home) as instance:
        runs = [dg.DagsterRun("travail", run_id=f"r{number}") for number in range(12)]
        for run in runs:
            instance.add_run(run)
        connections.clear()
        for number in range(20):
            instance.report_engine_event(f"fait {number}", runs[0])
        assert len(connections) <= 4  # its file made, then opened
        for run in runs:
            instance.report_engine_event("fait", run)
        assert len([place for place in held(home) if place.stem in {run.run_id for run in runs}]) <= 2
    assert not held(home)


@pytest.fixture
def connections() -> list[str]:
    """Hear of every connection to SQLite that this process opens."""
    sys.addaudithook(lambda name, about: _HEARD.append(str(about[0])) if name == "sqlite3.connect" else None)
    return _HEARD


_HEARD: list[str] = []  # no audit hook can be taken away
