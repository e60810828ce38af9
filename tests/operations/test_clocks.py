"""A clock that was ahead for a night, then set right: the nights that follow are done; ``doctor`` tells it."""

from __future__ import annotations

import datetime
import os
import time
from pathlib import Path

import dagster as dg
import pytest
from fixtures.small_networks import NOW, Small, small

from assets.definitions import build_definitions
from assets.jobs import NATIONAL_JOB, NETWORKS_JOB, STAGES, year_tag
from assets.nights import NIGHT_TAG
from assets.step_failures import stage_key
from pipelines.operations import doctor
from pipelines.operations.doctor import diagnose
from pipelines.report.night import begin_night, keep_night, latest_night

AHEAD = 40 * 86400  # seconds
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def project(tmp_path) -> Small:
    return small(tmp_path)


def begin(project: Small, night: str, now: datetime.datetime = NOW) -> None:
    begin_night(project.store, night, project.look(), now)


def from_the_future(folder: Path) -> None:
    """Let all that was written there seem to be of a clock that was ahead."""
    moment = time.time() + AHEAD
    for path in folder.rglob("*"):
        os.utime(path, (moment, moment))


def requests_of(project: Small, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    repository = build_definitions(project.catalogue, project.workspace).get_repository_def()
    context = dg.build_sensor_context(instance=instance, repository_def=repository)
    return list(repository.get_sensor_def("suite").evaluate_tick(context).run_requests or ())


def execute(project: Small, instance: dg.DagsterInstance, job: str, night: str, year: int | None = None) -> None:
    chosen = [stage_key("alpha", stage) for stage in STAGES] if year else None
    made = build_definitions(project.catalogue, project.workspace).resolve_job_def(job).execute_in_process(
        tags={NIGHT_TAG: night} | (year_tag(year) if year else {}), asset_selection=chosen, instance=instance,
        run_config=QUIET,
    )  # fmt: skip
    assert made.success


def test_the_latest_night_is_the_one_begun_last_whatever_the_time_of_its_file(project):
    begin(project, "2026-02-11", NOW + datetime.timedelta(days=40))
    record = latest_night(project.store)
    record["terminee_le"] = "2026-02-11T03:00:00"
    keep_night(project.store, record)
    from_the_future(project.output / "work" / "nuits")
    begin(project, "2026-01-03")
    assert latest_night(project.store)["nuit"] == "2026-01-03"
    with dg.DagsterInstance.ephemeral() as instance:
        assert {request.partition_key for request in requests_of(project, instance)} == {"2023", "2024"}


def test_the_national_tables_follow_networks_done_after_a_clock_was_ahead(project):
    with dg.DagsterInstance.ephemeral() as instance:
        begin(project, "2026-02-11")
        for year in (2023, 2024):
            execute(project, instance, NETWORKS_JOB, "2026-02-11", year)
        execute(project, instance, NATIONAL_JOB, "2026-02-11")
        assert requests_of(project, instance) == []
        from_the_future(project.output / "work" / "networks")
        execute(project, instance, NATIONAL_JOB, "2026-02-11")  # that night's, by the clock that was ahead
        assert requests_of(project, instance) == []
        path = project.exports / "alpha" / "guichet-2024.csv"
        path.write_text(path.read_text(encoding="utf-8").replace(";content", ";mécontent", 1), encoding="utf-8")
        begin(project, "2026-01-03")
        execute(project, instance, NETWORKS_JOB, "2026-01-03", 2024)
        (asked,) = requests_of(project, instance)
        assert asked.job_name == NATIONAL_JOB
        execute(project, instance, NATIONAL_JOB, "2026-01-03")
        assert requests_of(project, instance) == []


@pytest.mark.parametrize(("ahead", "told"), [(7200.0, "avance de 7200 s"), (-7200.0, "retarde de 7200 s")])
def test_doctor_compares_the_clock_with_that_of_the_storage(tmp_path, monkeypatch, ahead, told):
    url = f"file://{tmp_path}/sortie"
    (found,) = [item for item in diagnose(url) if "stockage" in item.message and item.subject == "Horloge"]
    assert found.state == "bon"
    now = time.time() + ahead
    monkeypatch.setattr(doctor.time, "time", lambda: now)
    (found,) = [item for item in diagnose(url) if "stockage" in item.message and item.subject == "Horloge"]
    assert (found.state, f"la machine {told} sur celle du stockage") == ("panne", found.message)
