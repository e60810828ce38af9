"""The folder catalogue as a target like the others: a plan of files to write and remove, applied, read back.

The pages themselves are made in ``local``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from pipelines.declarations import Catalogue
from pipelines.release import history
from pipelines.release.changelog import known_versions
from pipelines.release.feed import news
from pipelines.release.intact import check_intact
from pipelines.targets import acceptance
from pipelines.targets.actions import Action
from pipelines.targets.folder.catalogue import LocalCatalogue, publish_local
from pipelines.targets.lock import one_writer
from pipelines.targets.plan import Judge, Plan, Verdict
from pipelines.targets.report import Report
from pipelines.targets.rooms import Rooms
from pipelines.targets.target import LOCAL

NAME = "catalogue local"


def plan_local(catalogue: Catalogue, work: Rooms, *, synthetic: str | None, judge: Judge | None = None) -> Plan | None:
    """Return what would be written and removed in the local catalogue, None when nothing was released yet.

    Raises PublicationError when a release was altered.
    """
    versions = {name: history.versions(work.releases, name) for name in sorted(catalogue.datasets)}
    for name in versions:
        check_intact(work.releases, name, work.intact)
    latest = ", ".join(f"{name} {known[-1]}" for name, known in versions.items() if known)
    if not latest:
        return None
    wanted = publish_local(catalogue, work.releases, work.catalogue, synthetic=synthetic, dry=True)
    plan = Plan(target=LOCAL, dataset=NAME, version=latest, actions=tuple(_actions(wanted)))
    if plan.empty:
        return plan
    shown = {name: _published(work.catalogue / name / "dataset.json") for name, known in versions.items() if known}
    told = (line for name, there in shown.items() for line in news(known_versions(work.releases, name), there))
    plan = replace(plan, why=tuple(told))
    return plan.judged(
        verdict for name, known in versions.items() if known for verdict in _verdicts(judge, name, known, work)
    )


def publish_to_folder(
    catalogue: Catalogue,
    work: Rooms,
    *,
    synthetic: str | None,
    judge: Judge | None = None,
    agree: Callable[[Plan], bool] | None = None,
) -> Report | None:
    """Bring the local catalogue to the latest releases; a blocked plan is applied only when its hash was accepted."""
    with one_writer(work.lock(LOCAL)):
        for folder in (work.catalogue, *work.catalogue.glob("*/"), *work.catalogue.glob("*/*/")):
            history.sweep(folder)  # of publications that were killed: this one holds the lock
        plan = plan_local(catalogue, work, synthetic=synthetic, judge=judge)
        if plan is None:
            return None
        page = str(work.catalogue / "index.html")
        if plan.empty:
            return Report(plan, applied=True, page=page)
        waiting = plan.refusals and acceptance.accepted(work.acceptances, plan.hash) is None
        if waiting or (agree is not None and not agree(plan)):
            return Report(plan, applied=False)
        publish_local(catalogue, work.releases, work.catalogue, synthetic=synthetic)
        left = publish_local(catalogue, work.releases, work.catalogue, synthetic=synthetic, dry=True)
        problems = tuple(f"relu, il reste à : {action.sentence}" for action in _actions(left))
        return Report(plan, applied=True, done=plan.actions, problems=problems, page=page)


def _actions(wanted: LocalCatalogue) -> Iterator[Action]:
    for path in wanted.written:
        name = path.relative_to(wanted.folder).as_posix()
        why = "le contenu a changé" if path.is_file() else "nouveau"
        yield Action("write", name, why, key=name)
    for path in wanted.removed:
        name = path.relative_to(wanted.folder).as_posix()
        yield Action("remove", name, "plus dans la dernière version", key=name)


def _verdicts(judge: Judge | None, dataset: str, known: list[str], work: Rooms) -> tuple[Verdict, ...]:
    if judge is None:
        return ()
    home, there = work.releases / dataset, _published(work.catalogue / dataset / "dataset.json")
    return tuple(judge(dataset, home / there if there in known else None, home / known[-1]))


def _published(facts: Path) -> str | None:
    """Return the version that the catalogue shows."""
    try:
        found = json.loads(facts.read_text(encoding="utf-8")).get("version")
    except (OSError, ValueError):
        return None
    return str(found)
