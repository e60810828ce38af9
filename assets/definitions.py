"""Definitions: the Catalogue once, everything else built from it. ``location`` loads them for Dagster."""

from pathlib import Path

import dagster as dg

from assets.alerts import alerts_sensor, calendar_check
from assets.jobs import accept_revision_job, national_job, networks_job
from assets.national import release_asset, tables_asset
from assets.networks import network_assets
from assets.nights import nightly_schedule, summary_asset, watch_asset, watch_job
from assets.publication import accept_plan_job, previews_sensor, publication_asset
from assets.resources import Workspace, workspace_from_environment
from assets.sensors import sensors
from assets.spread import executor_from_environment
from assets.upkeep import upkeep_job, upkeep_schedule
from pipelines.declarations import Catalogue, load
from pipelines.operations.settings import night_from_environment


def build_definitions(catalogue: Catalogue, workspace: Workspace, night: str = "02:00") -> dg.Definitions:
    """Return assets, jobs, schedules and sensors for a catalogue; ``night``: the hour of the look (HH:MM, Paris)."""
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [watch_asset(catalogue), summary_asset()]
    for network in catalogue.networks:
        assets += network_assets(catalogue, network)
    assets.append(tables_asset(catalogue))
    assets += [release_asset(catalogue, dataset) for dataset in catalogue.datasets]
    assets.append(publication_asset(catalogue))
    networks, national = networks_job(catalogue), national_job()
    return dg.Definitions(
        assets=assets,
        jobs=[networks, national, watch_job(), accept_plan_job(catalogue), accept_revision_job(), upkeep_job()],
        schedules=[nightly_schedule(night), upkeep_schedule()],
        sensors=[
            *sensors(catalogue, workspace, networks, national),
            previews_sensor(catalogue, workspace),
            alerts_sensor(catalogue, workspace),
        ],
        asset_checks=[calendar_check(catalogue)],
        resources={"workspace": workspace},
        executor=executor_from_environment(workspace.output),
    )


def definitions_from_environment() -> dg.Definitions:
    """Return the definitions of the workspace that the environment names."""
    workspace = workspace_from_environment()
    return build_definitions(load(Path(workspace.schemas)), workspace, night_from_environment())
