"""The jobs and their hours: one job per year for all networks, one for what they give together."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.national import stale_years
from assets.resources import Workspace
from pipelines.declarations import Catalogue

NETWORKS_JOB = "reseaux"
NATIONAL_JOB = "national"
NIGHT = "0 2 * * *"
OPEN_YEARS = 2  # the night looks at the latest years, and at those whose declarations changed since they were computed
_RUNNING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def networks_job(catalogue: Catalogue) -> Any:
    """Return the job that takes every network through reception, validation and computation for a year."""
    keys = [
        dg.AssetKey([network, stage]) for network in catalogue.networks for stage in ("raw", "observations", "results")
    ]
    return dg.define_asset_job(
        NETWORKS_JOB,
        selection=dg.AssetSelection.assets(*keys),
        description="Tous les réseaux, une année : réception, validation, résultats.",
    )


def national_job() -> Any:
    """Return the job that makes tables, releases and the local catalogue."""
    return dg.define_asset_job(
        NATIONAL_JOB,
        selection=dg.AssetSelection.groups("national"),
        description="Tables nationales, versions publiées, catalogue local.",
    )


def nightly_schedule(catalogue: Catalogue, workspace: Workspace) -> dg.ScheduleDefinition:
    """Return the schedule of the night: the latest years, all networks that owe them."""

    @dg.schedule(
        name="nuit",
        job_name=NETWORKS_JOB,
        cron_schedule=NIGHT,
        execution_timezone="Europe/Paris",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Chaque nuit : les deux dernières années, tous les réseaux.",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        for year in sorted({*catalogue.years[-OPEN_YEARS:], *stale_years(catalogue, workspace.store)}):
            owing = [key for key, network in catalogue.networks.items() if year in network.years]
            yield dg.RunRequest(
                run_key=f"{context.scheduled_execution_time:%Y-%m-%d}-{year}",
                partition_key=str(year),
                asset_selection=[
                    dg.AssetKey([key, stage]) for key in owing for stage in ("raw", "observations", "results")
                ],
            )

    return nightly


def national_sensors(national: Any) -> list[dg.SensorDefinition]:
    """Return the sensors that start the national job when the networks are done, whether all went well or not."""
    return [
        _sensor("apres_reussite", dg.DagsterRunStatus.SUCCESS, national),
        _sensor("apres_echec", dg.DagsterRunStatus.FAILURE, national),
    ]


def _sensor(name: str, status: dg.DagsterRunStatus, national: Any) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name=name,
        run_status=status,
        monitor_all_code_locations=False,
        default_status=dg.DefaultSensorStatus.RUNNING,
        request_job=national,
        description="Refait les tables nationales quand les réseaux ont été traités.",
    )
    def sensor(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        if context.dagster_run.job_name != NETWORKS_JOB:
            return dg.SkipReason("ce n'est pas le traitement des réseaux")
        waiting = context.instance.get_runs(dg.RunsFilter(job_name=NETWORKS_JOB, statuses=_RUNNING), limit=1)
        if waiting:
            return dg.SkipReason("d'autres années sont en cours")
        return dg.RunRequest(run_key=context.dagster_run.run_id)

    return sensor
