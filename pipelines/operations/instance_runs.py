"""Upkeep of the runs of the instance: those whose process is gone are marked failed, old ones are deleted.

Dagster's run monitoring doesn't ask after the processes that its default launcher starts: killed with their code
server, or by a reboot, they would stay "started" for ever, and hold the next nights up. Of old things, it purges ticks
alone.
"""

import datetime
import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus

_S = dg.DagsterRunStatus
RUNNING = [_S.STARTED, _S.STARTING, _S.CANCELING]
WAITING = [_S.QUEUED, _S.NOT_STARTED]
OVER = [_S.SUCCESS, _S.FAILURE, _S.CANCELED]
RETRIED = "dagster/auto_retry_run_id"  # the run that Dagster started in its place
_TO_RETRY = "dagster/will_retry"
_RETRY_WITHIN = datetime.timedelta(minutes=10)  # a retry that hasn't started by then never will
HOST_TAG = "resultats/machine"  # of runs that no launcher started: the command line
_WORKER = re.compile(r"(Started process for run|Executing steps in process) \(pid: (\d+)\)")
_SLACK = 5  # seconds by which the clock may have been set meanwhile
LOST = "Le processus de ce traitement a disparu (arrêt brutal). Rien n'est perdu : il sera repris."
_STATES = (dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
_BATCH = 500


def fail_lost_runs(instance: dg.DagsterInstance, *, nothing_runs: bool = False) -> list[str]:
    """Mark failed the runs in progress whose process is gone; return their ids.

    ``nothing_runs``: the caller knows that no process of the service is alive (it starts now), hence all are lost.
    To be called where the processes of runs live: same machine, same container.
    """
    running = instance.get_runs(dg.RunsFilter(statuses=RUNNING))
    lost = [run for run in running if nothing_runs or _gone(instance, run)]
    for run in lost:
        if run.status == _S.CANCELING:
            instance.report_run_canceled(run, LOST)
        else:
            instance.report_run_failed(run, LOST)
    return [run.run_id for run in lost]


def busy(instance: dg.DagsterInstance, besides: frozenset[str] = frozenset()) -> bool:
    """Whether any run or backfill is in progress, waits or is to be taken up, but those of the jobs ``besides``."""
    if any(run.job_name not in besides for run in instance.get_runs(dg.RunsFilter(statuses=[*RUNNING, *WAITING]))):
        return True
    if any(run.job_name not in besides for run in to_be_retried(instance, datetime.datetime.now(datetime.UTC))):
        return True
    asked = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING])
    return bool(instance.get_backfills(filters=asked, limit=1))


def to_be_retried(instance: dg.DagsterInstance, now: datetime.datetime) -> list[dg.DagsterRun]:
    """Return the runs whose process died and that Dagster is to start again, but hasn't yet."""
    again = dg.RunsFilter(statuses=[_S.FAILURE], tags={_TO_RETRY: "true"}, updated_after=now - _RETRY_WITHIN)
    return [run for run in instance.get_runs(again) if RETRIED not in run.tags]


def _gone(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the process that took the run is no more.

    A process of that number that began after the run did is another one. A run whose process hasn't told its number yet
    is left to Dagster's start timeout; one of the command line is known by its machine only.
    """
    worker = _worker(instance, run)
    if worker is None:
        return False
    pid, moment = worker
    try:
        process = psutil.Process(pid)
        return process.status() == psutil.STATUS_ZOMBIE or process.create_time() > moment + _SLACK
    except psutil.NoSuchProcess:
        return True


def _worker(instance: dg.DagsterInstance, run: dg.DagsterRun) -> tuple[int, float] | None:
    """Return the number of the process of a run, and when it told it (epoch seconds)."""
    here = run.tags.get(HOST_TAG) == platform.node()
    for entry in reversed(instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)):
        found = _WORKER.search(entry.dagster_event.message or "") if entry.dagster_event else None
        if found and (here or found[1].startswith("Started")):
            return int(found[2]), entry.timestamp
    return None


def purge_older(instance: dg.DagsterInstance, days: int) -> list[str]:
    """Delete the runs that are more than ``days`` old, as ``purge_runs`` does."""
    return purge_runs(instance, datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days))


def purge_runs(instance: dg.DagsterInstance, before: datetime.datetime) -> list[str]:
    """Delete the runs that ended and were created before a moment; return their ids.

    Kept: the runs that hold the latest attempt at, or the latest materialization of, an asset or one of its partitions.
    """
    kept = set(_latest_runs(instance))
    asked = dg.RunsFilter(statuses=OVER, created_before=before)
    old = [run.run_id for run in instance.get_runs(asked) if run.run_id not in kept]
    for run_id in old:
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.delete_run(run_id)
        _remove_shard(instance, run_id)
    return old


def _latest_runs(instance: dg.DagsterInstance) -> Iterator[str]:
    storage = instance.event_log_storage
    for key in instance.get_asset_keys():
        for kind in _STATES:
            latest = sorted(storage.get_latest_storage_id_by_partition(key, kind).values())
            for start in range(0, len(latest), _BATCH):
                wanted = dg.EventRecordsFilter(kind, asset_key=key, storage_ids=latest[start : start + _BATCH])
                yield from (record.event_log_entry.run_id for record in storage.get_event_records(wanted))
            newest = storage.get_event_records(dg.EventRecordsFilter(kind, asset_key=key), limit=1)
            yield from (record.event_log_entry.run_id for record in newest)


def _remove_shard(instance: dg.DagsterInstance, run_id: str) -> None:
    """Remove the file that SQLite keeps of the run's events, which Dagster leaves empty."""
    storage = getattr(instance.event_log_storage, "_storage", instance.event_log_storage)
    if hasattr(storage, "path_for_shard"):  # SQLite's
        shard = Path(storage.path_for_shard(run_id))
        for path in shard.parent.glob(f"{shard.name}*"):
            path.unlink(missing_ok=True)
    logs = Path(instance.storage_directory()) / run_id
    shutil.rmtree(logs, ignore_errors=True)
