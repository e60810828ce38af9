"""Definitions: the Catalogue once, everything else built from it. ``location`` loads them for Dagster."""

from pathlib import Path

import dagster as dg

from assets.jobs import accept_revision_job, national_job, networks_job, upkeep_job, upkeep_schedule
from assets.national_assets import calendar_check, release_asset, tables_asset
from assets.network_assets import network_assets
from assets.nights import nightly_schedule, summary_asset, watch_asset, watch_job
from assets.publication_assets import accept_plan_job, previews_sensor, publication_asset, site_asset
from assets.sensors import alerts_sensor, following_sensor, lost_sensor
from assets.spread import executor_from_environment
from assets.voice_assets import signals_assets, signals_job, signals_schedule
from assets.workspace import Workspace
from pipelines.declarations import Catalogue


def build_definitions(catalogue: Catalogue, workspace: Workspace, night: str = "02:00") -> dg.Definitions:
    """Return assets, jobs, schedules and sensors for a catalogue; ``night``: the hour of the look (HH:MM, Paris)."""
    networks, of_voice = networks_job(catalogue), signals_assets(catalogue)
    owners = sorted({dataset.contact.email for dataset in catalogue.datasets.values()})
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
        watch_asset(catalogue),
        summary_asset,
        *network_assets(catalogue, Path(workspace.schemas)),
        *national_assets(catalogue),
        *of_voice,
    ]
    return dg.Definitions(
        assets=dg.map_asset_specs(lambda spec: spec.replace_attributes(owners=owners), assets),
        jobs=[
            *(networks, national_job, watch_job, accept_plan_job(catalogue), accept_revision_job, upkeep_job),
            *([signals_job] if of_voice else []),
        ],
        schedules=[nightly_schedule(night), upkeep_schedule, *([signals_schedule(catalogue)] if of_voice else [])],
        sensors=[
            following_sensor(catalogue, workspace, [networks, national_job]),
            lost_sensor,
            previews_sensor(catalogue, workspace),
            alerts_sensor(catalogue, workspace),
        ],
        asset_checks=[calendar_check(catalogue)],
        resources={"workspace": workspace},
        executor=executor_from_environment(workspace.output),
    )


def national_assets(catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """Return the national tables, the release of every dataset, their publication, and the public site."""
    releases = [release_asset(catalogue, dataset) for dataset in catalogue.without_signals.datasets]
    return [tables_asset(catalogue), *releases, publication_asset(catalogue), site_asset(catalogue)]
