"""The instance: where its storage is, first starts that race or are cut short, secrets that stay out of arguments."""

from __future__ import annotations

import datetime
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.ref import InstanceRef

from pipelines.cli import main
from pipelines.operations.instance import mend_sqlite, postgres_url, prepare_instance
from pipelines.operations.instance_runs import HOST_TAG, LOST, busy, fail_lost_runs, purge_runs, to_be_retried
from pipelines.operations.settings import night_from_environment, retention_from_environment

PROJECT = Path(__file__).resolve().parents[2]
S = dg.DagsterRunStatus


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    for name in ("RESULTATS_PG_URL", "RESULTATS_PG_URL_FILE", "RESULTATS_PG_PASSWORD", "RESULTATS_PG_PASSWORD_FILE"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    folder.mkdir()
    config = (PROJECT / "dagster.yaml").read_text(encoding="utf-8").replace("data/state", str(tmp_path / "state"))
    (folder / "dagster.yaml").write_text(config, encoding="utf-8")
    return folder


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2", "postgresql+psycopg"])
def test_the_environment_alone_names_postgresql(home, tmp_path, monkeypatch, scheme):
    assert postgres_url() is None
    monkeypatch.setenv("RESULTATS_PG_URL", f"{scheme}://compte:mot%40passe@machine:5433/base")
    url = postgres_url()
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg2://compte:mot%40passe@machine:5433/base"
    (tmp_path / "secret").write_text("a/b:c@d\n")
    monkeypatch.setenv("RESULTATS_PG_PASSWORD_FILE", str(tmp_path / "secret"))
    assert postgres_url().password == "a/b:c@d"
    monkeypatch.delenv("RESULTATS_PG_URL")
    (tmp_path / "url").write_text(f"{scheme}://autre@machine/base\n")
    monkeypatch.setenv("RESULTATS_PG_URL_FILE", str(tmp_path / "url"))
    assert (postgres_url().username, postgres_url().password) == ("autre", "a/b:c@d")


@pytest.mark.parametrize("wrong", ["mysql://compte:secret@machine/base", "secret"])
def test_another_address_is_refused_without_being_told(home, monkeypatch, wrong, capsys):
    monkeypatch.setenv("RESULTATS_PG_URL", wrong)
    assert main(["instance", "prepare", "--home", str(home)]) == 2
    assert "RESULTATS_PG_URL" in (told := capsys.readouterr().err)
    assert "secret" not in told


def test_what_dagster_hands_to_its_processes_holds_no_secret(home, monkeypatch):
    monkeypatch.setenv("RESULTATS_PG_URL", "postgresql://compte:motdepasse@machine/base")
    assert "motdepasse" not in str(InstanceRef.from_dir(str(home)).to_dict())


def test_a_home_that_isnt_one_is_told(tmp_path, capsys):
    assert main(["instance", "recover", "--home", str(tmp_path)]) == 2
    assert "dagster.yaml" in capsys.readouterr().err


def test_settings_of_the_shipped_instance(home):
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert not instance.get_settings("run_retries")["retry_on_asset_or_op_failure"]
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1


def test_a_storage_made_twice_or_cut_short_is_mended(home, tmp_path):
    prepare_instance(home)
    state = tmp_path / "state"
    runs, schedules = state / "history" / "runs.db", state / "schedules" / "schedules.db"
    with dg.DagsterInstance.from_config(str(home)) as instance:
        kept = instance.create_run_for_job(_job()).run_id
    with closing(sqlite3.connect(runs)) as database:  # what two creators at once leave
        database.execute("INSERT INTO alembic_version VALUES ('5771160a95ad')")
        database.commit()
    schedules.write_bytes(b"")  # killed before anything was written
    told = prepare_instance(home)
    assert [str(runs), str(schedules)] == [line.removeprefix("réparé : ") for line in told if "réparé" in line]
    assert mend_sqlite(state) == []
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_run_by_id(kept) is not None
        assert list(instance.all_instigator_state()) == []


@pytest.mark.e2e
def test_first_starts_at_once_all_go_well(home, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "pipelines.cli", "instance", "prepare", "--home", str(home)]
    started = [subprocess.Popen(command, env=environment, cwd=PROJECT) for _ in range(2)]
    assert [process.wait(300) for process in started] == [0, 0]
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_runs_count() == 0
    for path in (tmp_path / "state").rglob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def _job() -> dg.JobDefinition:
    @dg.op
    def nothing() -> None:
        pass

    @dg.job
    def empty() -> None:
        nothing()

    return empty


def _started(instance: dg.DagsterInstance, pid: int | None, tags: dict[str, str] | None = None) -> str:
    run = instance.create_run_for_job(_job(), status=S.STARTED, tags=tags)
    if pid is not None:
        instance.report_engine_event(f"Started process for run (pid: {pid}).", run)
    return run.run_id


def test_only_runs_whose_process_is_gone_are_lost(home):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        dead, alive, silent = _started(instance, gone.pid), _started(instance, os.getpid()), _started(instance, None)
        assert fail_lost_runs(instance) == [dead]
        assert instance.get_run_by_id(dead).status == S.FAILURE
        assert LOST in [entry.dagster_event.message for entry in instance.all_logs(dead) if entry.dagster_event]
        assert busy(instance)
        assert not busy(instance, besides=frozenset({"empty"}))
        assert set(fail_lost_runs(instance, nothing_runs=True)) == {alive, silent}
        now = datetime.datetime.now(datetime.UTC)
        assert {run.run_id for run in to_be_retried(instance, now)} == {dead, alive, silent}
        assert busy(instance)  # until Dagster has taken them up
        assert not to_be_retried(instance, now + datetime.timedelta(minutes=11))  # it never did


def test_a_younger_process_of_the_same_number_is_another_one(home, monkeypatch):
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run = _started(instance, os.getpid())
        monkeypatch.setattr("psutil.Process.create_time", lambda _: datetime.datetime.now().timestamp() + 60)
        assert fail_lost_runs(instance) == [run]


def test_a_run_of_the_command_line_is_judged_on_its_machine_only(home):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        here, elsewhere = (
            instance.create_run_for_job(_job(), status=S.STARTED, tags={HOST_TAG: host})
            for host in (os.uname().nodename, "ailleurs")
        )
        for run in (here, elsewhere):
            instance.report_engine_event(f"Executing steps in process (pid: {gone.pid})", run)
        assert fail_lost_runs(instance) == [here.run_id]


def test_old_runs_go_with_their_events_and_the_latest_state_stays(home, tmp_path):
    years = dg.StaticPartitionsDefinition(["2023", "2024"])

    @dg.asset(partitions_def=years, name="essai")
    def asset(context) -> None:
        print("un journal")
        if context.run.tags.get("echec"):
            raise dg.Failure("refusé")

    def run(instance: dg.DagsterInstance, year: str, **tags: str) -> str:
        done = dg.materialize([asset], partition_key=year, instance=instance, raise_on_error=False, tags=tags)
        return done.run_id

    with dg.DagsterInstance.from_config(str(home)) as instance:
        first, second = run(instance, "2023"), run(instance, "2023")
        made, refused = run(instance, "2024"), run(instance, "2024", echec="oui")
        shard = tmp_path / "state" / "history" / "runs" / f"{first}.db"
        assert shard.exists()
        now = datetime.datetime.now(datetime.UTC)
        assert purge_runs(instance, now - datetime.timedelta(days=1)) == []
        assert purge_runs(instance, now) == [first]
        assert {item.run_id for item in instance.get_runs()} == {second, made, refused}
        assert not shard.exists()
        assert not (tmp_path / "state" / "compute_logs" / first).exists()
        assert instance.get_materialized_partitions(dg.AssetKey("essai")) == {"2023", "2024"}
        newer = run(instance, "2024")
        assert set(purge_runs(instance, datetime.datetime.now(datetime.UTC))) == {made, refused}
        assert {item.run_id for item in instance.get_runs()} == {second, newer}


@pytest.mark.parametrize(("written", "read"), [("", "02:00"), ("04:30", "04:30"), ("23:59", "23:59")])
def test_the_hour_of_the_night(monkeypatch, written, read):
    monkeypatch.setenv("RESULTATS_NIGHT", written)
    assert night_from_environment() == read


@pytest.mark.parametrize("wrong", ["24:00", "4:30", "02:60", "minuit", "02:00\n"])
def test_an_hour_that_isnt_one_is_refused(monkeypatch, wrong):
    monkeypatch.setenv("RESULTATS_NIGHT", wrong)
    with pytest.raises(ValueError, match="n'est pas une heure"):
        night_from_environment()


@pytest.mark.parametrize("wrong", ["0", "-1", "³", "dix"])
def test_days_that_are_none_are_refused(monkeypatch, wrong):
    monkeypatch.setenv("RESULTATS_RETENTION_DAYS", wrong)
    with pytest.raises(ValueError, match="nombre de jours"):
        retention_from_environment()
