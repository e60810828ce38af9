"""Asset ``[nuit, veille]``, its job and its schedule: every night, a look at all networks says what must run.

``[nuit, bilan]`` is declared here too: it is told by a sensor once the night is over, without a run of its own.
"""

import datetime
import time
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from assets.nights import NIGHT_TAG, begin_night
from assets.resources import Workspace
from assets.transient import retrying_transient_failures
from pipelines.declarations import Catalogue
from pipelines.flow.changes import Look, look
from pipelines.flow.exports_folder import folder_lines, note_folder

WATCH_JOB = "veille"
ZONE = "Europe/Paris"
SUMMARY = dg.AssetKey(["nuit", "bilan"])
_WATCH = dg.AssetKey(["nuit", "veille"])


def watch_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    """Return the asset that looks at every network and writes what the night has to run."""

    @dg.asset(
        key=_WATCH,
        group_name="nuit",
        description="Ce qui a changé depuis le dernier traitement : fichiers, déclarations, programme.",
        kinds={"file"},
    )
    def veille(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
        began = time.monotonic()
        with retrying_transient_failures():
            found = look(catalogue, workspace.store, workspace.root)
            folder = note_folder(catalogue, workspace.store, workspace.root)
        now = datetime.datetime.now(ZoneInfo(ZONE))
        begin_night(workspace.store, catalogue, night_of(context.run), found, now)
        context.log.info(f"{found.network_years} années de réseau regardées, {len(found.cells)} à traiter")
        return dg.MaterializeResult(
            metadata={
                "reseaux": found.networks,
                "annees_de_reseau": found.network_years,
                "a_traiter": len(found.cells),
                "secondes": round(time.monotonic() - began, 2),
                "pourquoi": dg.MetadataValue.md(_table(found)),
                "dossier_d_exports": dg.MetadataValue.md(
                    "\n".join(f"- {line}" for line in folder_lines(folder)) or "*rien d'inattendu*"
                ),
            }
        )

    return veille


def summary_asset() -> dg.AssetSpec:
    """Return the asset whose materializations are the summaries of the nights."""
    return dg.AssetSpec(
        SUMMARY,
        deps=[_WATCH],
        group_name="nuit",
        description="Ce que la nuit a donné, réseau par réseau (aussi dans work/nuits/).",
    )


def watch_job() -> Any:
    """Return the job of the look alone."""
    return dg.define_asset_job(
        WATCH_JOB,
        selection=dg.AssetSelection.assets(_WATCH),
        description="Regarde tous les réseaux ; ce qui a changé est ensuite traité, année par année.",
    )


def nightly_schedule(hour: str) -> dg.ScheduleDefinition:
    """Return the schedule of the night, at ``hour`` (HH:MM, Paris)."""
    hours, minutes = (int(part) for part in hour.split(":"))

    @dg.schedule(
        name="nuit",
        job_name=WATCH_JOB,
        cron_schedule=f"{minutes} {hours} * * *",
        execution_timezone=ZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Chaque nuit : regarder tous les réseaux et toutes leurs années, traiter ce qui a changé.",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        night = f"{context.scheduled_execution_time.astimezone(ZoneInfo(ZONE)):%Y-%m-%d}"
        return dg.RunRequest(run_key=night, tags={NIGHT_TAG: night})

    return nightly


def night_of(run: dg.DagsterRun) -> str:
    """Name the night of a look: its date, or the run's own id when somebody started it by hand."""
    return run.tags.get(NIGHT_TAG, run.run_id[:8])


def _table(found: Look) -> str:
    if not found.cells:
        return "*rien de nouveau*"
    lines = ["| réseau | année | pourquoi |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {cell.network} | {cell.year} | {cell.why} |" for cell in found.cells)])
