"""Publication as Dagster runs it: a plan shown, a night that publishes, a blocked plan accepted by a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from publishing_house import House

from assets.publication import accept_job, previews_sensor, publication_asset
from assets.resources import Workspace

pytestmark = pytest.mark.e2e


def workspace(house: House, **properties: Any) -> Workspace:
    return Workspace(exports="none", output=str(house.output), schemas="schemas", target=house.base_url, **properties)


def materialize(house: House, **properties: Any) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [publication_asset(house.catalogue)],
        resources={"workspace": workspace(house, **properties)},
        raise_on_error=False,
    )


@pytest.fixture
def access(published: House, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("RESULTATS_API_KEY", published.key)
    monkeypatch.setenv("RESULTATS_ORGANIZATION", published.organization)
    return published


def test_a_night_shows_the_plan_and_publishes_only_where_it_may(access: House, shelves: tuple[Path, Path]):
    access.shelve(shelves[1])
    shown = materialize(access)
    assert shown.success
    (made,) = shown.get_asset_materialization_events()
    plan = str(made.materialization.metadata["plan"].value)
    assert "REMPLACER" in plan
    assert access.held()["extras"]["resultats:version"] == "1.0.0"
    assert (access.work.catalogue / "index.html").is_file()
    assert materialize(access, publish=True).success
    assert access.held()["extras"]["resultats:version"] == "1.0.1"
    assert access.publish().plan.empty


def test_a_blocked_plan_waits_and_the_job_accepts_that_very_plan(access: House):
    held = access.held()
    kept = {name: held[name] for name in ("tags", "temporal_coverage")}
    access.call("PUT", f"/api/1/datasets/{held['id']}/", json={**kept, "private": True})
    night = materialize(access, publish=True)
    assert night.success
    (check,) = night.get_asset_check_evaluations()
    assert not check.passed
    assert access.held()["private"]
    job, resources = accept_job(access.catalogue), {"workspace": workspace(access)}

    def accept(plan: str) -> dg.ExecuteInProcessResult:
        config = {"ops": {"accepter": {"config": {"hash": plan, "reason": "pour l'essai"}}}}
        return job.execute_in_process(run_config=config, resources=resources, raise_on_error=False)

    assert not accept("0" * 64).success
    assert access.held()["private"]
    assert accept(access.plan().hash).success
    assert not access.held()["private"]


def test_what_the_platform_made_of_the_files_is_told_once(access: House):
    held = access.held()
    path = f"/api/2/datasets/{held['id']}/resources/{held['resources'][0]['id']}/extras/"
    access.call("PUT", path, json={"check:available": False, "check:error": "trop gros"})
    sensor = previews_sensor(access.catalogue, workspace(access))
    with dg.DagsterInstance.ephemeral() as instance:
        told = sensor(dg.build_sensor_context(instance=instance))
        assert isinstance(told, dg.SensorResult)
        (event,) = told.asset_events
        assert event.metadata["fichiers_sans_apercu"].value == 1
        again = sensor(dg.build_sensor_context(instance=instance, cursor=told.cursor))
        assert isinstance(again, dg.SkipReason)
