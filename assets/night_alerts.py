"""The sensor that tells people when the night is over, and the check that holds the calendar against receptions.

What is worth telling, and its words, are in ``pipelines.report``; how it leaves is in ``channels``.
"""

import datetime
import json
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import dagster as dg

from assets.jobs import NATIONAL_JOB, SIGNALS_JOB, ZONE
from assets.metadata import rows_shown, warning
from assets.national_assets import TABLES
from assets.step_failures import end_of_run, failures_of_run, step_name
from assets.workspace import Workspace
from pipelines.declarations import Catalogue
from pipelines.operations.channels import channels_from_environment, send_news
from pipelines.operations.instance_runs import RETRIED, busy
from pipelines.operations.settings import setting
from pipelines.report.alerts import Alert, Places, alerts_of, broken_step, nothing_published, signals_stopped
from pipelines.report.facts import known_years, late_files

MORNING = 6  # hour of Paris before which nothing is sent: the night makes one message, not one per failed step
PATIENCE = datetime.timedelta(hours=4)  # a failure is told after that, even if other runs are still going
EVERY = 120  # seconds between two looks
_S = dg.DagsterRunStatus
_ENDED = [_S.SUCCESS, _S.FAILURE, _S.CANCELED]
_PARTITION = ("dagster/partition", "dagster/asset_partition_range_start")


def alerts_sensor(catalogue: Catalogue, workspace: Workspace) -> dg.SensorDefinition:
    """Return the sensor ``alertes``."""

    @dg.sensor(
        name="alertes",
        minimum_interval_seconds=EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Au matin, un seul message : ce qui a échoué, ce qui est refusé, ce qui est en retard, que faire.",
    )
    def alertes(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return tell_morning(catalogue, workspace, context, datetime.datetime.now(datetime.UTC))

    return alertes


def tell_morning(
    catalogue: Catalogue, workspace: Workspace, context: dg.SensorEvaluationContext, now: datetime.datetime
) -> dg.SkipReason:
    """Tell what is new at ``now``, if the time has come; raises Failure when a channel can't be reached.

    The cursor (until when the runs were looked at, and the last day when the calendar was) moves only when all was
    told, so that a channel that failed is tried again at the next look.
    """
    day, hour = now.astimezone(ZoneInfo(ZONE)).date(), now.astimezone(ZoneInfo(ZONE)).hour
    channels = channels_from_environment()
    if not channels:
        return dg.SkipReason("personne à prévenir : voir RESULTATS_SMTP_HOST et RESULTATS_WEBHOOK_URL")
    if hour < morning():
        return dg.SkipReason(f"la nuit n'est pas finie : rien n'est envoyé avant {morning()} h")
    instance, cursor = context.instance, json.loads(context.cursor or "{}")
    since = datetime.datetime.fromisoformat(cursor["until"]) if cursor else now - datetime.timedelta(days=1)
    ended = dg.RunsFilter(statuses=_ENDED, updated_after=since)
    if cursor.get("day") == day.isoformat() and not instance.get_runs_count(ended):
        return dg.SkipReason("rien de nouveau")
    if busy(instance) and not _waited(instance, since, now):
        return dg.SkipReason("des traitements sont en cours : un seul message à la fin")
    store, places = workspace.store, places_of(workspace)
    alerts = alerts_of_runs(catalogue, instance, since, places)
    alerts += alerts_of(catalogue, store, known_years(store, catalogue), places, day)
    if failures := send_news(store, alerts, channels, day):
        raise dg.Failure(f"Alertes non envoyées, nouvel essai bientôt. {' ; '.join(failures)}")
    context.update_cursor(json.dumps({"until": now.isoformat(), "day": day.isoformat()}))
    return dg.SkipReason(f"{len(alerts)} faits connus, les nouveaux ont été dits")


def _waited(instance: dg.DagsterInstance, since: datetime.datetime, now: datetime.datetime) -> bool:
    old = dg.RunsFilter(statuses=[_S.FAILURE], updated_after=since, updated_before=now - PATIENCE)
    return instance.get_runs_count(old) > 0


def morning() -> int:
    """Return the hour before which nothing is sent (RESULTATS_ALERT_HOUR, 0 to 23)."""
    value = setting("RESULTATS_ALERT_HOUR")
    return int(value) if value.isdecimal() and int(value) < 24 else MORNING


def places_of(workspace: Workspace) -> Places:
    """Return where things are, for the sentences that say how to launch again."""
    return Places(workspace.exports, workspace.output, setting("RESULTATS_UI_URL") or None)


def alerts_of_runs(
    catalogue: Catalogue, instance: dg.DagsterInstance, since: datetime.datetime, places: Places
) -> list[Alert]:
    """Return what stopped the runs that failed since then; refused files are found in the store instead."""
    failed = dg.RunsFilter(statuses=[_S.FAILURE], updated_after=since)
    alerts = {
        alert.key: alert
        for run in instance.get_runs(failed, ascending=True)
        if RETRIED not in run.tags  # a run started in its place tells its own outcome
        for alert in _alerts_of_run(catalogue, instance, run, places)
    }
    return list(alerts.values())


def _alerts_of_run(
    catalogue: Catalogue, instance: dg.DagsterInstance, run: dg.DagsterRun, places: Places
) -> Iterator[Alert]:
    failures = failures_of_run(instance, run.run_id)
    if run.job_name == NATIONAL_JOB:
        causes = " ; ".join(failure.cause for failure in failures)
        yield nothing_published(causes or end_of_run(instance, run.run_id), run.run_id, places)
        return
    if run.job_name == SIGNALS_JOB:
        causes = " ; ".join(failure.cause for failure in failures)
        yield signals_stopped(causes or end_of_run(instance, run.run_id), run.run_id, places)
        return
    year = next((int(run.tags[tag]) for tag in _PARTITION if run.tags.get(tag, "").isdecimal()), None)
    networks = {step_name(network): network for network in catalogue.networks}
    for failure in failures:
        network = networks.get(failure.network)
        if network is None:
            yield broken_step(failure.step, None, year, failure.cause, run.run_id, places)
        elif not failure.refusal:
            what = f"{catalogue.networks[network].title}, étape « {failure.stage} »"
            yield broken_step(what, network, year, failure.cause, run.run_id, places)
    if not failures:
        end = end_of_run(instance, run.run_id)
        yield broken_step(f"Traitement « {run.job_name} »", None, year, end, run.run_id, places)


def calendar_check(catalogue: Catalogue) -> dg.AssetChecksDefinition:
    """Return the check of the declared calendar, made each time that the national tables are."""

    @dg.asset_check(
        asset=TABLES, name="calendrier", description="Tous les réseaux ont remis leurs fichiers à la date déclarée"
    )
    def calendrier(workspace: Workspace) -> dg.AssetCheckResult:
        today = datetime.datetime.now(ZoneInfo(ZONE)).date()
        late = late_files(catalogue, known_years(workspace.store, catalogue), today)
        rows = [
            {
                "réseau": item.network,
                "année": item.year,
                "attendu le": f"{item.due:%d/%m/%Y}",
                "jours": item.days,
                "fichiers": ", ".join(item.files),
            }
            for item in late
        ]
        return warning(None, not late, {"en_retard": len(late), "detail": rows_shown(rows)})

    return calendrier
