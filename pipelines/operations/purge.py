"""Upkeep of the instance: runs older than the days declared go, with their events and logs.

Dagster itself only purges ticks. What the UI shows of the latest state of each network-year stays, whatever its age.
"""

import datetime
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

_STATES = (dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
_OVER = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_BATCH = 500


def purge_older(instance: dg.DagsterInstance, days: int) -> list[str]:
    """Delete the runs that are more than ``days`` old, as ``purge_runs`` does."""
    return purge_runs(instance, datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days))


def purge_runs(instance: dg.DagsterInstance, before: datetime.datetime) -> list[str]:
    """Delete the runs that ended and were created before a moment; return their ids.

    Kept: the runs that hold the latest attempt at, or the latest materialization of, an asset or one of its partitions.
    """
    kept = set(_latest_runs(instance))
    asked = dg.RunsFilter(statuses=_OVER, created_before=before)
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
