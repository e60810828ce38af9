"""Definitions: the Catalogue once, everything else built from it. ``location`` loads them for Dagster."""

from pathlib import Path

import dagster as dg

from assets.exports import raw_asset
from assets.jobs import national_job, national_sensors, networks_job, nightly_schedule
from assets.releases import publication_asset, release_asset, tables_asset
from assets.resources import Workspace, workspace_from_environment
from assets.responses import observations_asset
from assets.results import results_asset
from assets.spread import executor_from_environment
from pipelines.declarations import Catalogue, load


def build_definitions(catalogue: Catalogue, workspace: Workspace) -> dg.Definitions:
    """Return all assets, jobs, the schedule and the sensors for a catalogue."""
    assets: list[dg.AssetsDefinition] = []
    for network in catalogue.networks:
        assets += [
            raw_asset(catalogue, network),
            observations_asset(catalogue, network),
            results_asset(catalogue, network),
        ]
    assets.append(tables_asset(catalogue))
    assets += [release_asset(catalogue, dataset) for dataset in catalogue.datasets]
    assets.append(publication_asset(catalogue))
    national = national_job()
    return dg.Definitions(
        assets=assets,
        jobs=[networks_job(catalogue), national],
        schedules=[nightly_schedule(catalogue, workspace)],
        sensors=national_sensors(national),
        resources={"workspace": workspace},
        executor=executor_from_environment(),
    )


def definitions_from_environment() -> dg.Definitions:
    """Return the definitions of the workspace that the environment names."""
    workspace = workspace_from_environment()
    return build_definitions(load(Path(workspace.schemas)), workspace)
