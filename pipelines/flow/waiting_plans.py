"""Plans of publication that wait for a person, as the last night left them: kept for summaries and status.

What was accepted is kept elsewhere; a plan of revision is in ``revisions``.
"""

from collections.abc import Callable, Iterable
from typing import Any

from pipelines.flow.store import Store
from pipelines.targets.plan import Plan, plan_text

# Alone, not with the national tables: who publishes by hand must not put back those of before a run.
_FILE = "work/attente/publication.json"


def waiting_plans(store: Store) -> list[dict[str, Any]]:
    """Return what waits: ``target``, ``dataset``, ``hash``, ``blocked`` and ``text`` of each plan."""
    return store.load(_FILE, list[dict[str, Any]]) or []


def keep_waiting(store: Store, plans: Iterable[Plan], looked_at: Callable[[str], bool] = lambda _: True) -> None:
    """Keep the plans that wait; of those kept before, only those of data sets that weren't ``looked_at``."""
    others = [item for item in waiting_plans(store) if not looked_at(item["dataset"])]
    store.keep(
        _FILE,
        others
        + [
            {
                "target": plan.target,
                "dataset": plan.dataset,
                "hash": plan.hash,
                "blocked": bool(plan.refusals),
                "text": plan_text(plan),
            }
            for plan in plans
        ],
    )


def no_longer_waiting(store: Store, target: str, dataset: str) -> None:
    """Forget the plans of a dataset on a target that was just brought to its latest release."""
    waiting = waiting_plans(store)
    left = [plan for plan in waiting if (plan["target"], plan["dataset"]) != (target, dataset)]
    if left != waiting:
        store.keep(_FILE, left)
