"""The sensor that tells people when the night is over.

What is worth telling, and its words, are in ``pipelines.report``; how it leaves is in ``channels``.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_START_TAG, PARTITION_NAME_TAG

from assets.jobs import NATIONAL_JOB, PARIS, SIGNALS_JOB
from assets.nights import OVER
from assets.step_failures import causes_of_run, end_of_run, failures_of_run, step_name
from assets.workspace import Workspace
from pipelines.declarations import Catalogue
from pipelines.operations.channels import channels_from_environment, send_news
from pipelines.operations.instance_runs import RETRIED, busy
from pipelines.operations.settings import setting
from pipelines.report.alerts import Alert, Places, alerts_of, broken_step, nothing_published, signals_stopped
from pipelines.report.facts import known_years

MORNING = 6  # hour of Paris before which nothing is sent: the night makes one message, not one per failed step
PATIENCE = timedelta(hours=4)  # a failure is told after that, even if other runs are still going
EVERY = 120  # seconds between two looks
_FAILURE = [dg.DagsterRunStatus.FAILURE]


def alerts_sensor(catalogue: Catalogue, workspace: Workspace) -> dg.SensorDefinition:
    """Return the sensor ``alertes``."""

    @dg.sensor(
        name="alertes",
        minimum_interval_seconds=EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Au matin, un seul message : ce qui a échoué, ce qui est refusé, ce qui est en retard, que faire.",
    )
    def alertes(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return tell_morning(catalogue, workspace, context, datetime.now(UTC))

    return alertes


def tell_morning(
    catalogue: Catalogue, workspace: Workspace, context: dg.SensorEvaluationContext, now: datetime
) -> dg.SkipReason:
    """Tell what is new at ``now``, if the time has come; raises Failure when a channel can't be reached.

    The cursor (until when the runs were looked at, and the last day when the calendar was) moves only when all was
    told, so that a channel that failed is tried again at the next look.
    """
    channels, here = channels_from_environment(), now.astimezone(PARIS)
    if not channels:
        return dg.SkipReason("personne à prévenir : voir RESULTATS_SMTP_HOST et RESULTATS_WEBHOOK_URL")
    if here.hour < _morning():
        return dg.SkipReason(f"la nuit n'est pas finie : rien n'est envoyé avant {_morning()} h")
    instance, day, cursor = context.instance, here.date(), json.loads(context.cursor or "{}")
    since = datetime.fromisoformat(cursor["until"]) if cursor else now - timedelta(days=1)
    ended = dg.RunsFilter(statuses=OVER, updated_after=since)
    if cursor.get("day") == day.isoformat() and not instance.get_runs_count(ended):
        return dg.SkipReason("rien de nouveau")
    waited = dg.RunsFilter(statuses=_FAILURE, updated_after=since, updated_before=now - PATIENCE)
    if busy(instance) and not instance.get_runs_count(waited):
        return dg.SkipReason("des traitements sont en cours : un seul message à la fin")
    store, places = workspace.store, places_of(workspace)
    alerts = _alerts_of_runs(catalogue, instance, since, places)
    alerts += alerts_of(catalogue, store, known_years(store, catalogue), places, day)
    if failures := send_news(store, alerts, channels, day):
        raise dg.Failure(f"Alertes non envoyées, nouvel essai bientôt. {' ; '.join(failures)}")
    context.update_cursor(json.dumps({"until": now.isoformat(), "day": day.isoformat()}))
    return dg.SkipReason(f"{len(alerts)} faits connus, les nouveaux ont été dits")


def _morning() -> int:
    """Return the hour before which nothing is sent (RESULTATS_ALERT_HOUR, 0 to 23)."""
    value = setting("RESULTATS_ALERT_HOUR")
    return int(value) if value.isdecimal() and int(value) < 24 else MORNING


def places_of(workspace: Workspace) -> Places:
    """Return where things are, for the sentences that say how to launch again."""
    return Places(workspace.exports, workspace.output, setting("RESULTATS_UI_URL") or None)


def _alerts_of_runs(catalogue: Catalogue, instance: dg.DagsterInstance, since: datetime, places: Places) -> list[Alert]:
    """Return what stopped the runs that failed since then; refused files are found in the store instead."""
    failed = instance.get_runs(dg.RunsFilter(statuses=_FAILURE, updated_after=since), ascending=True)
    alerts: dict[str, Alert] = {}
    for run in failed:
        if RETRIED not in run.tags:  # a run started in its place tells its own outcome
            alerts |= {alert.key: alert for alert in _alerts_of_run(catalogue, instance, run, places)}
    return list(alerts.values())


def _alerts_of_run(
    catalogue: Catalogue, instance: dg.DagsterInstance, run: dg.DagsterRun, places: Places
) -> Iterator[Alert]:
    if run.job_name in (NATIONAL_JOB, SIGNALS_JOB):
        told = nothing_published if run.job_name == NATIONAL_JOB else signals_stopped
        cause = causes_of_run(instance, run.run_id) or end_of_run(instance, run.run_id)
        yield told(cause, run.run_id, places)
        return
    failures = failures_of_run(instance, run.run_id)
    tags = (run.tags.get(tag, "") for tag in (PARTITION_NAME_TAG, ASSET_PARTITION_RANGE_START_TAG))
    year = next((int(tag) for tag in tags if tag.isdecimal()), None)
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
