"""The jobs and what names them: one per year for all networks, one for what they give together, those of people."""

import datetime
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.assets.job.asset_job import build_asset_job, get_asset_graph_for_job
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.tags import PARTITION_NAME_TAG
from pydantic import Field

from assets.metadata import TO_PASTE
from assets.step_failures import refusing, stage_key
from assets.workspace import Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.revisions import ACCEPT_JOB, RevisionError, accept_revision
from pipelines.operations.instance_runs import purge_older
from pipelines.operations.settings import retention_from_environment

NETWORKS_JOB = "reseaux"
NATIONAL_JOB = "national"
ACCEPT_OP = "accepter"  # what its configuration is written under
WATCH_JOB = "veille"
UPKEEP_JOB = "entretien"
SIGNALS_JOB = "signaux"
ZONE = "Europe/Paris"
PARIS = ZoneInfo(ZONE)
STAGES = ("recu", "observations", "resultats")
national_job = dg.define_asset_job(
    NATIONAL_JOB,
    selection=dg.AssetSelection.groups("national"),
    description="Tables nationales, versions publiées, catalogue local.",
)
upkeep_schedule = dg.ScheduleDefinition(
    name="dimanche",
    job_name=UPKEEP_JOB,
    cron_schedule="0 6 * * 0",
    execution_timezone=ZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Chaque dimanche matin, la nuit finie : supprimer les traitements anciens.",
)


class _JobOfManyYears(UnresolvedAssetJobDefinition):
    """A job of assets that don't all have the same years. Dagster makes one (of all assets), and lets no other be.

    A run says its year by ``year_tag``, and takes only networks that declare it.
    """

    def resolve(
        self,
        asset_graph: AssetGraph,
        default_executor_def: dg.ExecutorDefinition | None = None,
        resource_defs: Mapping[str, dg.ResourceDefinition] | None = None,
    ) -> dg.JobDefinition:
        """Return the job, of what ``selection`` finds in the graph."""
        return build_asset_job(
            self.name,
            get_asset_graph_for_job(asset_graph, self.selection, allow_different_partitions_defs=True),
            allow_different_partitions_defs=True,
            description=self.description,
            executor_def=default_executor_def,
            resource_defs=resource_defs,
        )


def year_tag(year: int) -> dict[str, str]:
    """Return the tag by which a run of the networks says its year."""
    return {PARTITION_NAME_TAG: str(year)}


def day_asked(context: dg.ScheduleEvaluationContext) -> str:
    """Return the day in Paris for which a schedule is evaluated (``2026-01-31``)."""
    return f"{context.scheduled_execution_time.astimezone(PARIS):%Y-%m-%d}"


def now() -> datetime.datetime:
    """Return the time in Paris."""
    return datetime.datetime.now(PARIS)


def networks_job(catalogue: Catalogue) -> Any:
    """Return the job that takes networks through reception, validation and computation for a year."""
    keys = [stage_key(network, stage) for network in catalogue.networks for stage in STAGES]
    return _JobOfManyYears(
        NETWORKS_JOB,
        selection=dg.AssetSelection.assets(*keys),
        description="Les réseaux, une année qu'ils déclarent : réception, validation, résultats.",
    )


class RevisionToAccept(dg.Config):
    """What to accept."""

    network: str = Field(description="Le réseau, par son identifiant (caf).")
    year: int = Field(description="L'année close dont les résultats changent.")
    revision: str = Field(description="Le début de l'empreinte de la révision, 8 signes au moins.")


@dg.op(name=ACCEPT_OP, description="Met une révision à la place des résultats d'une année close.")
def _accept(context: dg.OpExecutionContext, config: RevisionToAccept, workspace: Workspace) -> None:
    with refusing(RevisionError):
        accepted = accept_revision(workspace.store, config.network, config.year, config.revision)
    context.log.info(f"{config.network} {config.year} : révision {accepted.fingerprint[:12]} acceptée")


@dg.job(name=ACCEPT_JOB, description=f"Met la révision d'une année close à la place de ses résultats. {TO_PASTE}")
def accept_revision_job() -> None:
    """Put the revision of a closed year in the place of its results, for the data team."""
    _accept()


@dg.op(name="purger")
def _purge(context: dg.OpExecutionContext) -> None:
    days = retention_from_environment()
    gone = len(purge_older(context.instance, days))
    context.log.info(f"{gone} traitements de plus de {days} jours supprimés, avec leurs événements et journaux")


@dg.job(
    name=UPKEEP_JOB,
    executor_def=dg.in_process_executor,  # it touches no output: it waits for nobody
    description="Supprime les traitements anciens ; le dernier état de chaque année reste.",
)
def upkeep_job() -> None:
    """Purge the instance of runs older than RESULTATS_RETENTION_DAYS (90 by default)."""
    _purge()
