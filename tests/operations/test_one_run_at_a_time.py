"""One run at a time on an output: the command is refused, Dagster's runs wait, and the dead hold nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dagster as dg
import pytest
from fixtures.dagster_service import small_project, wait_for

from pipelines.cli import main
from pipelines.operations.output_lock import LOCK_FILE, ROOM, OutputBusyError, alone_on
from pipelines.read import ObjectStore

PROJECT = Path(__file__).resolve().parents[2]
HOLDER = (
    "import sys, time\nfrom pipelines.operations.output_lock import alone_on\n"
    "with alone_on(sys.argv[1], 'essai'):\n    print('tenue', flush=True)\n    time.sleep(600)\n"
)
SINCE = re.compile(r"un traitement est en cours depuis le \d\d/\d\d/\d{4} à \d\d:\d\d:\d\d .*processus \d+.*attendre")


@contextmanager
def holder(output: str):
    """Hold an output from another process, which is killed at the end."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, output], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "tenue\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(params=["dossier", "stockage"])
def output(request, tmp_path) -> str:
    return str(tmp_path / "output") if request.param == "dossier" else f"file://{tmp_path}/output"


def test_a_second_run_is_refused_by_a_sentence_and_touches_nothing(output, tmp_path, capsys):
    schemas, exports = small_project(tmp_path, ["alpha"], range(2024, 2025))
    command = ["run", "--exports", str(exports), "--output", output, "--schemas", str(schemas)]
    with holder(output):
        before = sorted(path for path in tmp_path.rglob("*") if ROOM not in path.parts)
        assert main(command) == 2
        assert SINCE.search(told := capsys.readouterr().err), told
        assert main([*command, "--json"]) == 2
        assert "en cours depuis" in json.loads(capsys.readouterr().out)["erreur"]
        assert sorted(path for path in tmp_path.rglob("*") if ROOM not in path.parts) == before
    assert main(command) == 0  # the holder was killed: it holds nothing
    assert "120 lignes acceptées" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["revisions", "rollback"])
def test_commands_that_change_an_output_are_refused_too(command, tmp_path, capsys):
    schemas, exports = small_project(tmp_path, ["alpha"], range(2024, 2025))
    output = str(tmp_path / "output")
    assert main(["run", "--exports", str(exports), "--output", output, "--schemas", str(schemas)]) == 0
    asked = {
        "revisions": ["revisions", "--output", output, "--accept", "alpha", "2024", "0123456789"],
        "rollback": [
            "rollback", "--output", output, "--schemas", str(schemas), "--to", "1.0.0", "--reason", "essai",
        ],
    }[command]  # fmt: skip
    with holder(output):
        assert main(asked) == 2
    assert SINCE.search(capsys.readouterr().err)


def test_a_killed_holder_leaves_the_output_free_at_once(output):
    with holder(output) as process:
        with pytest.raises(OutputBusyError, match="en cours depuis"), alone_on(output, "moi"):
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with alone_on(output, "moi"):
            pass


def test_a_sign_of_another_machine_counts_until_it_is_no_longer_renewed(tmp_path, monkeypatch):
    storage, output = ObjectStore(f"file://{tmp_path}"), f"file://{tmp_path}"
    sign = {"depuis": "2026-01-02T02:00:00+01:00", "par": "resultats run", "machine": "ailleurs", "processus": 1}
    storage.write(f"{ROOM}/autre.json", json.dumps(sign).encode())
    with pytest.raises(OutputBusyError, match=r"02/01/2026 à 02:00:00.*machine ailleurs"), alone_on(output, "moi"):
        pass
    assert [path.name for path in (tmp_path / ROOM).iterdir()] == ["autre.json"]
    long_ago = time.time() - 3600
    os.utime(tmp_path / ROOM / "autre.json", (long_ago, long_ago))
    with alone_on(output, "moi"):
        assert len(list((tmp_path / ROOM).iterdir())) == 1  # mine alone: that of the dead is gone
    assert list((tmp_path / ROOM).iterdir()) == []


def test_a_sign_is_renewed_while_its_run_lasts(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.operations.output_lock.RENEWED", 0.05)
    with alone_on(f"file://{tmp_path}", "moi"):
        (mine,) = (tmp_path / ROOM).iterdir()
        os.utime(mine, (1.0, 1.0))
        wait_for(lambda: mine.stat().st_mtime > 1.0, 20)


def test_runs_that_one_instance_keeps_apart_may_work_together_on_a_storage(tmp_path):
    output = f"file://{tmp_path}/output"
    with ExitStack() as held:
        held.enter_context(alone_on(output, "un", among="service"))
        held.enter_context(alone_on(output, "deux", among="service"))
        for stranger in ("", "autre service"):
            with pytest.raises(OutputBusyError), alone_on(output, "trois", among=stranger):
                pass
    with alone_on(output, "trois"), pytest.raises(OutputBusyError), alone_on(output, "un", among="service"):
        pass


def test_whoever_comes_while_a_sign_is_being_written_is_refused_all_the_same(tmp_path):
    with alone_on(str(tmp_path), "moi"):
        (tmp_path / LOCK_FILE).write_text("{")
        with pytest.raises(OutputBusyError, match="un traitement est en cours sur cette sortie : attendre"):
            alone_on(str(tmp_path), "autre").__enter__()


@pytest.mark.e2e
def test_a_run_of_dagster_waits_for_the_command_line_and_says_so(tmp_path):
    schemas, exports = small_project(tmp_path, ["alpha"], range(2024, 2025))
    output, home = tmp_path / "output", tmp_path / "home"
    home.mkdir()
    environment = {
        **os.environ, "DAGSTER_HOME": str(home), "RESULTATS_EXPORTS": str(exports), "RESULTATS_OUTPUT": str(output),
        "RESULTATS_SCHEMAS": str(schemas),
    }  # fmt: skip
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "--select", "alpha/alpha_recu", "--partition",
               "2024", "-m", "assets.location"]  # fmt: skip
    with dg.DagsterInstance.from_config(str(home)) as instance:

        def waits() -> bool:
            told = [
                entry.dagster_event.message
                for run in instance.get_runs()
                for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
            ]
            return any(SINCE.search(message or "") for message in told)

        with alone_on(str(output), "resultats run"):
            with (tmp_path / "log").open("wb") as log:
                running = subprocess.Popen(command, env=environment, cwd=PROJECT, stdout=log, stderr=log)
            wait_for(waits, 120)
            assert not (output / "archive").exists()
        assert running.wait(120) == 0, (tmp_path / "log").read_text()[-2000:]
        assert (output / "archive").is_dir()
