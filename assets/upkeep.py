"""The job and the schedule that purge the instance of old runs, as ``pipelines.operations.purge`` does."""

import dagster as dg

from assets.jobs import UPKEEP_JOB, ZONE
from pipelines.operations.purge import purge_older
from pipelines.operations.settings import retention_from_environment


def upkeep_job() -> dg.JobDefinition:
    """Return the job that purges, with the days of the environment (RESULTATS_RETENTION_DAYS, 90 by default)."""

    @dg.op(name="purger")
    def purge(context: dg.OpExecutionContext) -> None:
        days = retention_from_environment()
        gone = purge_older(context.instance, days)
        context.log.info(
            f"{len(gone)} traitements de plus de {days} jours supprimés, avec leurs événements et journaux"
        )

    @dg.job(
        name=UPKEEP_JOB,
        executor_def=dg.in_process_executor,  # it touches no output: it waits for nobody
        description="Supprime les traitements anciens ; le dernier état de chaque année reste.",
    )
    def upkeep() -> None:
        purge()

    return upkeep


def upkeep_schedule() -> dg.ScheduleDefinition:
    """Return the schedule of the upkeep: Sunday mornings, when the night is over."""
    return dg.ScheduleDefinition(
        name="dimanche",
        job_name=UPKEEP_JOB,
        cron_schedule="0 6 * * 0",
        execution_timezone=ZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Chaque dimanche matin, la nuit finie : supprimer les traitements anciens.",
    )
