"""Steps spread over workers that are killed: Celery on Redis, PostgreSQL, an S3 API. Same bytes as on one machine."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from assets.jobs import STAGES
from assets.step_failures import stage_key
from pipelines.cli import main
from pipelines.read import ObjectStore

PROJECT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
NETWORKS = ("gendarmerie", "france-travail")  # of the same years: a command takes one partition of all
LONGEST_STEP = 4  # seconds after which Redis gives the step of a lost worker to another; celery asks every 100 seconds…

pytestmark = pytest.mark.e2e


def _needed(found: object, what: str) -> None:
    if not found:
        assert not os.environ.get("CI"), f"{what} : attendu en intégration continue (.ci/run)"
        pytest.skip(f"{what} : pas installé (voir deploy/spread)")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(reached: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


@contextlib.contextmanager
def _process(command: list[object], log: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a process group of its own, which is ended with the block."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [str(part) for part in command], env=environment, cwd=PROJECT, stdout=stream, stderr=stream,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def broker(tmp_path) -> Iterator[str]:
    server, port = shutil.which("redis-server"), _free_port()
    _needed(server, "Redis")
    options = ["--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", tmp_path]
    with _process([server, *options], tmp_path / "redis.log", dict(os.environ)):
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def environment(
    samples, few_networks, s3_environment, bucket, database, broker, tmp_path, monkeypatch
) -> dict[str, str]:
    """The environment of every machine, as ``deploy/spread`` tells it."""
    (tmp_path / "home").mkdir()
    shutil.copy(PROJECT / "deploy" / "spread" / "dagster.yaml", tmp_path / "home")
    said = {
        **s3_environment,
        "DAGSTER_HOME": str(tmp_path / "home"),
        "RESULTATS_PG_URL": database,
        "RESULTATS_BROKER": broker,
        "RESULTATS_LONGEST_STEP": str(LONGEST_STEP),
        "RESULTATS_EXPORTS": str(samples),
        "RESULTATS_SCHEMAS": str(few_networks(*NETWORKS)),
        "RESULTATS_OUTPUT": f"s3://{bucket}/sortie",
        "PYTHONPATH": str(PROJECT),
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    return dict(os.environ)


def _worker(name: str, tmp_path: Path, environment: dict[str, str]):
    command = [BIN / "celery", "--app", "assets.workers", "worker", "--queues", "dagster", "--concurrency", 1]
    log = tmp_path / f"{name}.log"
    return _process([*command, "--hostname", f"{name}@%h", "--loglevel", "INFO"], log, environment)


def _steps_taken(name: str, tmp_path: Path) -> int:
    log = tmp_path / f"{name}.log"
    return log.read_text(encoding="utf-8", errors="replace").count("received") if log.exists() else 0


def _digests(storage: ObjectStore) -> dict[str, str]:
    names = [name for room in ("releases", "catalogue") for name in storage.names(room)]
    return {name: hashlib.sha256(content).hexdigest() for name, content in storage.read_many(names).items()}


def test_a_killed_worker_loses_nothing_and_bytes_are_those_of_one_machine(environment, samples, tmp_path):
    _needed(importlib.util.find_spec("dagster_celery"), "l'option « spread » (pip install 'resultats[spread]')")
    chosen = [f'key:"{stage_key(network, stage).to_user_string()}"' for network in NETWORKS for stage in STAGES]
    selection = " or ".join([*chosen, 'group:"national"'])
    command = [BIN / "dagster", "asset", "materialize", "-m", "assets.location", "--select", selection]
    with contextlib.ExitStack() as machines:
        lost = machines.enter_context(_worker("perdue", tmp_path, environment))
        run = machines.enter_context(_process([*command, "--partition", "2024"], tmp_path / "run.log", environment))
        _wait(lambda: _steps_taken("perdue", tmp_path) > 0, 120, "no step was taken")
        os.killpg(lost.pid, signal.SIGKILL)
        time.sleep(LONGEST_STEP)  # … and when a worker starts
        for name in ("une", "autre"):
            machines.enter_context(_worker(name, tmp_path, environment))
        _wait(lambda: run.poll() is not None, 600, "the run doesn't end")
        assert run.returncode == 0, (tmp_path / "run.log").read_text()[-3000:]
    assert "succeeded" not in (tmp_path / "perdue.log").read_text(), "it was killed too late"
    assert all(_steps_taken(name, tmp_path) for name in ("une", "autre")), "steps weren't spread"
    with dg.DagsterInstance.get() as instance:
        (record,) = instance.get_run_records()
        assert record.dagster_run.is_success
        for network in NETWORKS:
            for stage in STAGES:
                assert instance.get_materialized_partitions(stage_key(network, stage)) == {"2024"}
    alone = tmp_path / "seule"
    command = ["run", "--exports", str(samples), "--output", str(alone), "--year", "2024"]
    with contextlib.redirect_stdout(None), pytest.MonkeyPatch.context() as patched:
        patched.delenv("DAGSTER_HOME")
        patched.delenv("RESULTATS_BROKER")
        assert main([*command, "--schemas", environment["RESULTATS_SCHEMAS"]]) == 0
    found = _digests(ObjectStore(environment["RESULTATS_OUTPUT"]))
    assert found == _digests(ObjectStore(f"file://{alone}"))
    assert "catalogue/resultats-services-publics/dataset.json" in found
