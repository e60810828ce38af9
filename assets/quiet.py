"""Whether a run of the command line would find nothing new: it is then made without a trace in the instance.

A cron that runs several times a day would otherwise leave events for ever that say nothing. Whatever is new, or may be
(a file, a declaration, the code, a plan that waits, a year that never came to its end), is traced.
"""

from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from assets.jobs import NATIONAL_JOB
from assets.resources import Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.changes import look
from pipelines.flow.gather import gathered, national_state
from pipelines.flow.store import Store
from pipelines.flow.waiting_plans import waiting_plans
from pipelines.operations.instance import opened


def nothing_new(catalogue: Catalogue, workspace: Workspace, places: Iterable[tuple[str, int]], home: Path) -> bool:
    """Say whether these network-years and the national tables are as the last traced runs left them."""
    store = workspace.store
    if waiting_plans(store) or gathered(store) != national_state(catalogue, store) or not _traced(home):
        return False
    return not _to_do(catalogue, workspace, store, set(places))


def _to_do(catalogue: Catalogue, workspace: Workspace, store: Store, places: set[tuple[str, int]]) -> bool:
    try:
        found = look(catalogue, store, workspace.root)
    except Exception:  # whatever the storage of the exports raises: the run meets it too, and tells it
        return True
    return any((cell.network, cell.year) in places for cell in found.cells)


def _traced(home: Path) -> bool:
    """Say whether the instance knows of national tables that went well: else its UI would have nothing to show."""
    wanted = dg.RunsFilter(job_name=NATIONAL_JOB, statuses=[dg.DagsterRunStatus.SUCCESS])
    with opened(home) as instance:
        return bool(instance.get_runs(wanted, limit=1))
