"""What follows runs by itself: those that a night asks for, the national tables, the summary, the morning's message.

Each evaluation starts from facts (records, runs, files) and remembers next to nothing: whatever was killed meanwhile,
the next one goes on from there. What is worth telling, and its words, are in ``pipelines.report``.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_START_TAG, PARTITION_NAME_TAG, RUN_KEY_TAG

from assets.jobs import NATIONAL_JOB, NETWORKS_JOB, PARIS, SIGNALS_JOB, STAGES, UPKEEP_JOB, WATCH_JOB, now, year_tag
from assets.nights import NIGHT_TAG, conclude, conclude_overtaken, night_of, runs_of
from assets.step_failures import causes_of_run, end_of_run, failures_of_run, stage_key, step_name
from assets.workspace import Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.changes import Look
from pipelines.flow.fingerprints import tables_declared
from pipelines.flow.gather import gathered, national_state
from pipelines.flow.store import Store
from pipelines.operations.channels import channels_from_environment, send_news
from pipelines.operations.instance_runs import OVER, RETRIED, busy, fail_lost_runs
from pipelines.operations.settings import setting
from pipelines.report.alerts import Alert, Places, alerts_of, broken_step, nothing_published, signals_stopped
from pipelines.report.facts import known_years
from pipelines.report.night import begin_night, cells_of, latest_night, night_record

EVERY = 15  # seconds between two evaluations
MORNING = 6  # hour of Paris before which nothing is sent: the night makes one message, not one per failed step
PATIENCE = timedelta(hours=4)  # a failure is told after that, even if other runs are still going
BETWEEN_ALERTS = 120  # seconds
_ASIDE = frozenset({WATCH_JOB, UPKEEP_JOB, SIGNALS_JOB})  # what nothing waits for
_FAILURE = [dg.DagsterRunStatus.FAILURE]


def following_sensor(catalogue: Catalogue, workspace: Workspace, jobs: list[Any]) -> dg.SensorDefinition:
    """Return the sensor ``suite``, which asks for runs of ``jobs``: those of networks and the national one."""
    declared = tables_declared(catalogue)

    @dg.sensor(
        name="suite",
        jobs=jobs,
        minimum_interval_seconds=EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Lance ce que la veille demande, puis les tables nationales, puis écrit le bilan.",
    )
    def following(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        store = workspace.store  # anew: what a store has seen doesn't change
        night = _current_night(context.instance, store)
        if night:
            conclude_overtaken(context.instance, catalogue, store, night)
        asked = list(_missing_runs(context.instance, catalogue, night)) if night else []
        if asked:
            yield from asked
            return
        if busy(context.instance, besides=_ASIDE):
            yield dg.SkipReason("des traitements sont en cours ou attendent")
            return
        due = _national_due(context, catalogue, store, declared, night)
        if due is not None:
            context.update_cursor(declared)
            yield due
            return
        if context.cursor is None:
            context.update_cursor(declared)
        if night and not night["terminee_le"]:
            conclude(context.instance, catalogue, store, night)
        yield dg.SkipReason("rien ne reste à faire")

    return following


def _current_night(instance: dg.DagsterInstance, store: Store) -> dict[str, Any] | None:
    """Return the record of the latest look; one that failed is given a record, which says so."""
    for last in instance.get_runs(dg.RunsFilter(job_name=WATCH_JOB), limit=1):
        if last.status == dg.DagsterRunStatus.FAILURE and night_record(store, night_of(last)) is None:
            return begin_night(store, night_of(last), Look(), now(), causes_of_run(instance, last.run_id))
    return latest_night(store)


def _missing_runs(instance: dg.DagsterInstance, catalogue: Catalogue, night: dict[str, Any]) -> Iterator[dg.RunRequest]:
    """Yield a run per year that the night asks for and that isn't there yet: the latest years first."""
    if night["terminee_le"]:
        return
    years: dict[int, list[str]] = defaultdict(list)
    for cell in cells_of(night):
        if cell.network in catalogue.networks and cell.year in catalogue.networks[cell.network].years:
            years[cell.year].append(cell.network)
    there = {run.tags.get(PARTITION_NAME_TAG) for run in runs_of(instance, night["nuit"], NETWORKS_JOB)}
    for year in sorted(years, reverse=True):
        if str(year) not in there:
            yield dg.RunRequest(
                run_key=f"{night['nuit']}-{year}",
                job_name=NETWORKS_JOB,
                partition_key=str(year),  # beside its tag: Dagster looks for it in the years of a whole job
                asset_selection=[stage_key(network, stage) for network in years[year] for stage in STAGES],
                tags={NIGHT_TAG: night["nuit"]} | year_tag(year),
            )


def _national_due(
    context: dg.SensorEvaluationContext, catalogue: Catalogue, store: Store, declared: str, night: dict[str, Any] | None
) -> dg.RunRequest | None:
    """Return the national run when a network-year, a declaration or the code changed since the last that went well.

    One that fails isn't asked for again until something changes or another night comes.
    """
    state = national_state(catalogue, store)["etat"]
    last = context.instance.get_runs(dg.RunsFilter(job_name=NATIONAL_JOB, statuses=OVER), limit=1)
    went_well = bool(last) and last[0].status == dg.DagsterRunStatus.SUCCESS
    if not state or (went_well and gathered(store).get("etat") == state and context.cursor in (None, declared)):
        return None
    name = night["nuit"] if night else ""
    key = f"{state[:12]}-{declared[:12]}-{name}"
    if context.instance.get_runs(dg.RunsFilter(job_name=NATIONAL_JOB, tags={RUN_KEY_TAG: key}), limit=1):
        return None
    return dg.RunRequest(run_key=key, job_name=NATIONAL_JOB, tags={NIGHT_TAG: name} if name else {})


@dg.sensor(
    name="executions_perdues",
    minimum_interval_seconds=EVERY,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Marque en échec les traitements dont le processus a disparu, pour que rien ne les attende.",
)
def lost_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Fail the runs whose process is gone."""
    lost_runs = fail_lost_runs(context.instance)
    return dg.SkipReason(f"perdus : {', '.join(lost_runs)}" if lost_runs else "aucun traitement perdu")


def alerts_sensor(catalogue: Catalogue, workspace: Workspace) -> dg.SensorDefinition:
    """Return the sensor ``alertes``."""

    @dg.sensor(
        name="alertes",
        minimum_interval_seconds=BETWEEN_ALERTS,
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
        alert_of = nothing_published if run.job_name == NATIONAL_JOB else signals_stopped
        cause = causes_of_run(instance, run.run_id) or end_of_run(instance, run.run_id)
        yield alert_of(cause, run.run_id, places)
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
