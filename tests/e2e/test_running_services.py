"""Nights on real services whose processes are killed: everything is found, resumed and told, on both storages.

`make test` loses a machine in the first night on each; `make test-long` loses each process in turn as well.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest
from fixtures.dagster_service import Service, small_project, wait_for, write_export

from assets.jobs import STAGES
from assets.step_failures import stage_key
from pipelines.flow.store import Store
from pipelines.flow.stored_files import read_frame, read_shaped
from pipelines.operations.instance_runs import fail_lost_runs
from pipelines.release import history

pytestmark = pytest.mark.e2e

DATASET = "resultats-services-publics"
SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
LONG = 300  # seconds: the machine may be shared
POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A PostgreSQL of our own, in a folder of its own; its address, without the password."""
    if POSTGRES is None:
        assert not os.environ.get("CI"), "PostgreSQL est attendu en intégration continue (.ci/run)"
        pytest.skip("PostgreSQL n'est pas installé (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # not pytest's: nobody else may enter those
    owner = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] if os.geteuid() == 0 else []
    (folder / "secret").write_text("s3cret-de-base", encoding="utf-8")
    if owner:
        shutil.chown(folder, "postgres")
        shutil.chown(folder / "secret", "postgres")
    port = _free_port()

    def run(program: str, *arguments: str) -> None:
        command = [*owner, str(POSTGRES / program), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    run("initdb", "-D", f"{folder}/data", "-U", "dagster", "-A", "scram-sha-256", "--pwfile", f"{folder}/secret",
        "--no-sync", "-E", "UTF8")  # fmt: skip
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    run("pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/data/log", "-o", options, "start")
    try:
        yield f"postgresql://dagster@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def runs(instance: dg.DagsterInstance, job: str) -> list[dg.DagsterRun]:
    return list(instance.get_runs(dg.RunsFilter(job_name=job)))


def worker(instance: dg.DagsterInstance, run_id: str) -> int:
    """Wait for the process of a run, and return its number."""

    def told() -> int | None:
        for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
            found = re.search(r"Started process for run \(pid: (\d+)\)", entry.dagster_event.message or "")
            if found:
                return int(found[1])
        return None

    return wait_for(told, LONG)


def begun(instance: dg.DagsterInstance, job: str, besides: set[str] = frozenset()) -> dg.DagsterRun:
    """Wait until a run of ``job`` is started, stop its process where it is, and return the run."""

    def started() -> dg.DagsterRun | None:
        known = instance.get_runs(dg.RunsFilter(job_name=job))
        return next((run for run in known if run.run_id not in besides and not run.is_finished), None)

    run = wait_for(started, LONG)
    os.kill(worker(instance, run.run_id), signal.SIGSTOP)
    return run


def ended(service: Service, night: str) -> dict:
    """Wait for the summary of a night, and return its record."""
    place = service.output / "work" / "nuits" / f"{night}.json"
    return wait_for(lambda: (found := read_shaped(place, dict)) and found["terminee_le"] and found, LONG)


def outcomes(record: dict) -> dict[tuple[str, int], str]:
    return {(item["network"], item["year"]): item["resultat"] for item in record["a_traiter"]}


def versions(service: Service) -> list[str]:
    return history.versions(service.output / "releases", DATASET)


def kill_the_machine(service: Service, instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Kill daemon, code server and the run's process, as a loss of power does."""
    pid = worker(instance, run.run_id)
    service.kill("daemon")
    service.kill("code")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(pid), 30)
    assert not instance.get_run_by_id(run.run_id).is_finished  # what Dagster alone never finds out


def test_nights_on_sqlite(tmp_path):
    schemas, exports = small_project(tmp_path, ["alpha", "beta"], range(2023, 2025))
    (exports / "beta" / "guichet-2024.csv").write_bytes(b"rien de tel\n")
    service = Service(tmp_path, schemas, exports)
    service.run("pipelines.cli", "instance", "prepare")
    service.start()
    try:
        with service.instance() as instance:
            _machine_lost_in_the_first_night(service, instance)
            if os.environ.get("RESULTATS_LONG"):
                _one_refused_cell_is_mended_alone(service, instance, exports)
                _daemon_then_worker_then_code_server_lost(service, instance, exports)
            _nothing_new(service, instance)
    finally:
        service.stop()


def _machine_lost_in_the_first_night(service: Service, instance: dg.DagsterInstance) -> None:
    night = service.launch(instance, "veille")[:8]
    lost = begun(instance, "reseaux")
    kill_the_machine(service, instance, lost)
    service.start()
    record = ended(service, night)
    assert instance.get_run_by_id(lost.run_id).status == FAILURE
    again = instance.get_runs(dg.RunsFilter(tags={"dagster/parent_run_id": lost.run_id}))
    assert len(again) == 1  # Dagster took it up where it was
    assert outcomes(record) == {
        ("alpha", 2023): "nouveaux résultats", ("alpha", 2024): "nouveaux résultats",
        ("beta", 2023): "nouveaux résultats", ("beta", 2024): "REJETÉ : voir la lettre",
    }  # fmt: skip
    assert versions(service) == ["1.0.0"]
    told = (service.output / "work" / "nuits" / f"{night}.md").read_text(encoding="utf-8")
    assert "| beta | 2024 | jamais traité | REJETÉ : voir la lettre |" in told
    shown = wait_for(lambda: instance.get_latest_materialization_event(dg.AssetKey(["nuit", "bilan"])), 30)
    assert shown.asset_materialization.metadata["bilan"].value == told


def _one_refused_cell_is_mended_alone(service: Service, instance: dg.DagsterInstance, exports: Path) -> None:
    write_export(exports, "beta", 2024)
    cells = [stage_key("beta", stage).path for stage in STAGES]
    before = {run.run_id for run in runs(instance, "national")}
    run = service.launch(instance, "__ASSET_JOB", cells, "2024")
    wait_for(lambda: instance.get_run_by_id(run).is_finished, LONG)
    assert instance.get_run_by_id(run).status == SUCCESS
    made = instance.get_materialized_partitions(stage_key("beta", "resultats"))
    assert made == {"2023", "2024"}
    follows = wait_for(lambda: [item for item in runs(instance, "national") if item.run_id not in before], LONG)
    wait_for(lambda: instance.get_run_by_id(follows[0].run_id).is_finished, LONG)
    assert len(versions(service)) == 2


def _daemon_then_worker_then_code_server_lost(service: Service, instance: dg.DagsterInstance, exports: Path) -> None:
    write_export(exports, "alpha", 2024, unhappy=2)
    known = {run.run_id for run in runs(instance, "reseaux")}
    night = service.launch(instance, "veille")[:8]
    lost = begun(instance, "reseaux", known)
    service.kill("daemon")
    os.kill(worker(instance, lost.run_id), signal.SIGKILL)
    wait_for(lambda: instance.get_run_by_id(lost.run_id).status == FAILURE, 60)  # the code server alone tells it
    service.start("daemon")
    again = begun(instance, "reseaux", {*known, lost.run_id})
    pid = worker(instance, again.run_id)
    service.kill("code")
    assert fail_lost_runs(instance) == []  # a process that outlives its code server is alive
    os.kill(pid, signal.SIGCONT)
    wait_for(lambda: instance.get_run_by_id(again.run_id).is_finished, LONG)
    assert instance.get_run_by_id(again.run_id).status == SUCCESS
    service.start("code")
    assert outcomes(ended(service, night)) == {("alpha", 2024): "nouveaux résultats"}
    assert len(versions(service)) == 3


def _nothing_new(service: Service, instance: dg.DagsterInstance) -> None:
    count = instance.get_runs_count()
    record = ended(service, service.launch(instance, "veille")[:8])
    assert record["a_traiter"] == []
    assert record["national"] == "rien n'a changé."
    assert instance.get_runs_count() == count + 1  # the look, and nothing else


def test_a_machine_lost_on_postgresql(tmp_path, postgres, monkeypatch):
    schemas, exports = small_project(tmp_path, ["alpha"], range(2024, 2025))
    secret = tmp_path / "motdepasse"
    secret.write_text("s3cret-de-base\n", encoding="utf-8")
    environment = {"RESULTATS_PG_URL": postgres, "RESULTATS_PG_PASSWORD_FILE": str(secret)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    service = Service(tmp_path, schemas, exports, environment)
    makers = [
        subprocess.Popen([sys.executable, "-m", "pipelines.cli", "instance", "prepare"], env=service.environment)
        for _ in range(2)
    ]
    assert [maker.wait(LONG) for maker in makers] == [0, 0]
    service.start()
    try:
        with service.instance() as instance:
            assert "Postgres" in type(instance.run_storage).__name__
            night = service.launch(instance, "veille")[:8]
            lost = begun(instance, "reseaux")
            kill_the_machine(service, instance, lost)
            service.run("pipelines.cli", "instance", "recover")
            assert instance.get_run_by_id(lost.run_id).status == FAILURE
            service.start()
            assert outcomes(ended(service, night)) == {("alpha", 2024): "nouveaux résultats"}
            assert versions(service) == ["1.0.0"]
            _old_runs_are_purged(service, instance, lost)
    finally:
        service.stop()
    assert not list((tmp_path / "state").rglob("*.db"))
    told = [path for path in tmp_path.rglob("*") if path.is_file() and path != secret]
    assert not [path for path in told if b"s3cret-de-base" in path.read_bytes()]


def _old_runs_are_purged(service: Service, instance: dg.DagsterInstance, lost: dg.DagsterRun) -> None:
    """What shows the latest state stays; what is older goes, with its events."""
    service.run("pipelines.cli", "instance", "purge", "--days", "0")
    left = {run.run_id for run in instance.get_runs()}
    assert lost.run_id not in left
    assert {run.job_name for run in instance.get_runs()} == {"veille", "reseaux", "national"}
    assert instance.all_logs(lost.run_id) == []
    assert instance.get_materialized_partitions(stage_key("alpha", "resultats")) == {"2024"}
    assert read_frame(Store(service.output).network_year("alpha", 2024) / "results.parquet") is not None
