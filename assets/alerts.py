"""The sensor that tells people when the night is over, and the check that holds the calendar against receptions.

What is found is in ``findings``, what is told in ``pipelines.report``, how it is sent in ``channels``.
"""

import datetime
import json
import os
from dataclasses import dataclass
from typing import Any, Self
from zoneinfo import ZoneInfo

import dagster as dg

from assets.channels import channels_from_environment
from assets.findings import facts_of_runs, facts_of_store, lateness
from assets.previews import preview_rows
from assets.releases import TABLES
from assets.resources import Workspace
from assets.told import tell
from pipelines.declarations import Catalogue
from pipelines.operations.lost_runs import to_be_retried
from pipelines.report import Places

MORNING = 6  # hour of Paris before which nothing is sent: the night makes one message, not one per failed step
ZONE = ZoneInfo("Europe/Paris")
PATIENCE = datetime.timedelta(hours=4)  # a failure is told after that, even if other runs are still going
EVERY = 120  # seconds between two looks
_GOING = [
    dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING,
]  # fmt: skip
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dataclass(frozen=True)
class Looked:
    """The cursor of the sensor: until when the runs were looked at, and the last day when the calendar was."""

    until: datetime.datetime
    day: datetime.date | None

    @classmethod
    def read(cls, cursor: str | None, now: datetime.datetime) -> Self:
        """Read the cursor; a first look goes back one day."""
        if not cursor:
            return cls(now - datetime.timedelta(days=1), None)
        held = json.loads(cursor)
        return cls(datetime.datetime.fromisoformat(held["until"]), datetime.date.fromisoformat(held["day"]))

    @staticmethod
    def write(now: datetime.datetime, day: datetime.date) -> str:
        """Write the cursor."""
        return json.dumps({"until": now.isoformat(), "day": day.isoformat()})


def alerts_sensor(catalogue: Catalogue, workspace: Workspace) -> dg.SensorDefinition:
    """Return the sensor ``alertes``."""

    @dg.sensor(
        name="alertes",
        minimum_interval_seconds=EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Au matin, un seul message : ce qui a échoué, ce qui est refusé, ce qui est en retard, que faire.",
    )
    def alertes(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return look(catalogue, workspace, context, datetime.datetime.now(datetime.UTC))

    return alertes


def look(
    catalogue: Catalogue, workspace: Workspace, context: dg.SensorEvaluationContext, now: datetime.datetime
) -> dg.SkipReason:
    """Tell what is new at ``now``, if the time has come; raises Failure when a channel can't be reached.

    The cursor moves only when all was told, so that a channel that failed is tried again at the next look.
    """
    local = now.astimezone(ZONE)
    channels = channels_from_environment()
    if not channels:
        return dg.SkipReason("personne à prévenir : voir RESULTATS_SMTP_HOST et RESULTATS_WEBHOOK_URL")
    if local.hour < morning():
        return dg.SkipReason(f"la nuit n'est pas finie : rien n'est envoyé avant {morning()} h")
    instance, looked = context.instance, Looked.read(context.cursor, now)
    ended = dg.RunsFilter(statuses=_ENDED, updated_after=looked.until)
    if looked.day == local.date() and not instance.get_runs_count(ended):
        return dg.SkipReason("rien de nouveau")
    if _going_on(instance, now) and not _waited(instance, looked, now):
        return dg.SkipReason("des traitements sont en cours : un seul message à la fin")
    places = places_of(workspace)
    store = workspace.store
    store.bring((network, year) for network, declared in catalogue.networks.items() for year in declared.years)
    facts = facts_of_runs(catalogue, instance, looked.until, places)
    facts += facts_of_store(catalogue, store, places, local.date())
    memory = store.file("work/alertes.json")
    try:
        failures = tell(facts, channels, memory, local.date())
    finally:
        if memory.exists():
            store.save_file(memory)
    if failures:
        raise dg.Failure(f"Alertes non envoyées, nouvel essai bientôt. {' ; '.join(failures)}")
    context.update_cursor(Looked.write(now, local.date()))
    return dg.SkipReason(f"{len(facts)} faits connus, les nouveaux ont été dits")


def _going_on(instance: dg.DagsterInstance, now: datetime.datetime) -> bool:
    """Tell whether runs are going, or about to be: a run that died, and that Dagster is to start again."""
    if instance.get_runs_count(dg.RunsFilter(statuses=_GOING)):
        return True
    return bool(to_be_retried(instance, now))


def _waited(instance: dg.DagsterInstance, looked: Looked, now: datetime.datetime) -> bool:
    old = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE], updated_after=looked.until, updated_before=now - PATIENCE
    )
    return instance.get_runs_count(old) > 0


def morning() -> int:
    """Return the hour before which nothing is sent (RESULTATS_ALERT_HOUR, 0 to 23)."""
    value = os.environ.get("RESULTATS_ALERT_HOUR", "")
    return int(value) if value.isdecimal() and int(value) < 24 else MORNING


def places_of(workspace: Workspace) -> Places:
    """Return where things are, for the sentences that say how to launch again."""
    return Places(workspace.exports, workspace.output, os.environ.get("RESULTATS_UI_URL") or None)


def calendar_check(catalogue: Catalogue) -> dg.AssetChecksDefinition:
    """Return the check of the declared calendar, made each time that the national tables are."""

    @dg.asset_check(
        asset=TABLES, name="calendrier", description="Tous les réseaux ont remis leurs fichiers à la date déclarée"
    )
    def calendrier(workspace: Workspace) -> dg.AssetCheckResult:
        today = datetime.datetime.now(ZONE).date()
        late = lateness(catalogue, workspace.store, today)
        rows: list[dict[str, Any]] = [
            {"réseau": item.network, "année": item.year, "attendu le": f"{item.due:%d/%m/%Y}", "jours": item.days,
             "fichiers": ", ".join(item.files)}
            for item in late
        ]  # fmt: skip
        return dg.AssetCheckResult(
            passed=not late,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"en_retard": len(late), "detail": preview_rows(rows)},
        )

    return calendrier
