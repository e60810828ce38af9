"""Publication as Dagster runs it: a plan shown, a night that publishes, a blocked plan accepted by a job."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from publishing_house import DATASET, House
from udata_server.server import Udata

from assets.publication_assets import accept_plan_job, previews_sensor, publication_asset
from assets.workspace import Workspace
from pipelines.flow.store import Store
from pipelines.flow.waiting_plans import waiting_plans
from pipelines.targets.protocol import Rooms
from pipelines.targets.udata.server_state import page_last_published

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


def test_a_night_shows_the_plan_and_publishes_only_where_it_may(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RESULTATS_API_KEY", house.key)
    monkeypatch.setenv("RESULTATS_ORGANIZATION", house.organization)
    shown = materialize(house)
    assert shown.success
    (made,) = shown.get_asset_materialization_events()
    assert "CRÉER" in str(made.materialization.metadata["plan"].value)
    assert house.call("GET", "/api/1/me/org_datasets/") == []
    assert (house.work.catalogue / DATASET / "dataset.json").is_file()
    assert materialize(house, publish=True).success
    assert house.held()["extras"]["resultats:version"] == "1.0.0"
    assert house.publish().plan.empty


def test_a_blocked_plan_waits_and_the_job_accepts_that_very_plan(access: House, shelves: tuple[Path, Path]):
    """A value that changed and that nothing explains."""
    access.shelve(shelves[1])
    night = materialize(access, publish=True)
    assert night.success
    (check,) = night.get_asset_check_evaluations()
    assert not check.passed
    assert access.held()["extras"]["resultats:version"] == "1.0.0"
    (plan,) = json.loads((access.output / "work" / "attente" / "publication.json").read_text("utf-8"))
    job, resources = accept_plan_job(access.catalogue), {"workspace": workspace(access)}

    def accept(plan: str) -> dg.ExecuteInProcessResult:
        config = {"ops": {"plan": {"config": {"hash": plan, "reason": "pour l'essai"}}}}
        return job.execute_in_process(run_config=config, resources=resources, raise_on_error=False)

    assert not accept("0" * 64).success
    assert access.held()["extras"]["resultats:version"] == "1.0.0"
    assert accept(plan["hash"]).success
    assert access.held()["extras"]["resultats:version"] == "1.0.1"
    assert waiting_plans(Store(str(access.output))) == []


def test_what_the_platform_made_of_the_files_is_told_once(access: House, udata: Udata):
    held = access.held()
    path = f"/api/2/datasets/{held['id']}/resources/{held['resources'][0]['id']}/extras/"
    found = {"check:available": False, "check:error": "trop gros"}  # as the crawler writes them
    replace(access, key=udata.admin_key).call("PUT", path, json=found)
    sensor = previews_sensor(access.catalogue, workspace(access))
    with dg.DagsterInstance.ephemeral() as instance:
        told = sensor(dg.build_sensor_context(instance=instance))
        assert isinstance(told, dg.SensorResult)
        (event,) = told.asset_events
        assert event.metadata["fichiers_sans_apercu"].value == 1
        again = sensor(dg.build_sensor_context(instance=instance, cursor=told.cursor))
        assert isinstance(again, dg.SkipReason)


def test_an_output_on_a_shared_storage_is_published_once(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Each machine finds there what another published, and where."""
    monkeypatch.setenv("RESULTATS_API_KEY", house.key)
    monkeypatch.setenv("RESULTATS_ORGANIZATION", house.organization)
    url = f"file://{tmp_path}/partage"
    store = Store(url)
    for folder in house.work.releases.glob("*/*"):
        with store.releasing(folder.parent.name) as releases:
            shutil.copytree(folder, releases / folder.parent.name / folder.name)
    shutil.rmtree(house.output)

    def publish() -> dict[str, Any]:
        shared = Workspace(exports="none", output=url, schemas="schemas", target=house.base_url, publish=True)
        made = dg.materialize([publication_asset(house.catalogue)], resources={"workspace": shared})
        (event,) = made.get_asset_materialization_events()
        return dict(event.materialization.metadata)

    publish()
    held = house.held()
    assert held["extras"]["resultats:version"] == "1.0.0"
    noted = store.room("targets") / Rooms(store.output).record(house.base_url).name
    assert page_last_published(noted, house.base_url, DATASET) == held["uri"]  # it has no page on this server
    assert publish()["fichiers_ecrits"].value == 0
    assert house.held()["last_modified"] == held["last_modified"]
