"""One dataset brought to one platform: read, plan, apply, read back. Targets that are folders are in ``local``.

This is what the command and Dagster call; clock, session and key come from them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pipelines.declarations import Catalogue
from pipelines.release.changelog import known_versions
from pipelines.release.errors import PublicationError
from pipelines.release.feed import news
from pipelines.release.intact import check_intact
from pipelines.targets import acceptance
from pipelines.targets.lock import one_writer
from pipelines.targets.plan import Judge, Plan, Verdict, make_plan
from pipelines.targets.report import Report
from pipelines.targets.rooms import Rooms
from pipelines.targets.target import RemoteDataset, RemoteState
from pipelines.targets.udata.apply import Application
from pipelines.targets.udata.client import Udata
from pipelines.targets.udata.desired import DesiredDataset, desired_dataset, earlier_files
from pipelines.targets.udata.known_ids import read_ids, write_ids
from pipelines.targets.udata.lease import check_free, new_lease
from pipelines.targets.udata.remote import read_state

CRITERIA = {
    "license": "licence",
    "temporal_coverage": "couverture temporelle",
    "spatial": "couverture spatiale",
    "update_frequency": "fréquence",
    "update_fulfilled_in_time": "fréquence respectée",
    "dataset_description_quality": "description",
    "has_resources": "fichiers",
    "has_open_format": "format ouvert",
    "all_resources_available": "fichiers disponibles",
    "resources_documentation": "documentation",
}


@dataclass(frozen=True)
class Platform:
    """A udata to publish to, by the name that people give it.

    ``publisher`` names this machine and folder, ``now`` is a clock with its time zone.
    """

    name: str
    client: Udata
    organization: str
    publisher: str
    now: Callable[[], datetime]


@dataclass(frozen=True)
class Prepared:
    """An offer, what the target held when it was read, and the plan between them."""

    offer: DesiredDataset
    state: RemoteState
    plan: Plan


def prepare(
    catalogue: Catalogue, dataset: str, platform: Platform, work: Rooms, judge: Judge | None = None
) -> Prepared | None:
    """Read the target and return the plan for a dataset, None when nothing of it was released.

    Raises PublicationError when the target can't be read or can't hold the dataset, or a release was altered.
    """
    check_intact(work.releases, dataset, work.intact)
    address = platform.client.base_url
    known = read_ids(work.ids(platform.client.base_url), address, dataset)
    state = read_state(platform.client, platform.organization, dataset, known.dataset)
    offer = desired_dataset(catalogue, dataset, work.releases, work.renditions, state)
    if offer is None:
        return None
    held = state.dataset
    orphans = held is not None and any(item.undescribed for item in held.resources)
    plan = make_plan(
        offer,
        state,
        earlier=earlier_files(work.releases, dataset, work.renditions) if orphans else (),
        published=known.resources if held is not None and held.id == known.dataset else {},
    )
    if not plan.empty:
        plan = plan.judged(_verdicts(judge, offer, held, work.releases / dataset))
        plan = replace(plan, why=tuple(news(known_versions(work.releases, dataset), held.version if held else None)))
    return Prepared(offer, state, plan)


def publish(
    catalogue: Catalogue,
    dataset: str,
    platform: Platform,
    work: Rooms,
    *,
    judge: Judge | None = None,
    agree: Callable[[Plan], bool] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report | None:
    """Bring a dataset of the target to the latest release; None when nothing of it was released.

    ``agree`` is asked with the plan, which must still be the same after the answer; without it nobody is asked. A
    blocked plan is applied only when its hash was accepted. Raises PublicationError when a step can't be done; what was
    done stays, and the next publication goes on from there.
    """
    with one_writer(work.lock(platform.client.base_url)):
        prepared = prepare(catalogue, dataset, platform, work, judge)
        if prepared is None:
            return None
        plan = prepared.plan
        if plan.empty and (held := prepared.state.dataset) is not None:
            write_ids(work.ids(plan.target), plan.target, dataset, held)
            return Report(plan, applied=True, page=held.page, quality=held.quality.get("score"))
        if plan.refusals and acceptance.accepted(work.acceptances, plan.hash) is None:
            return Report(plan, applied=False)
        if agree is not None:
            if not agree(plan):
                return Report(plan, applied=False)
            prepared = _unchanged(prepare(catalogue, dataset, platform, work, judge), plan)
        held = prepared.state.dataset
        now = platform.now()
        check_free(held.lease if held else None, platform.publisher, now)
        lease = new_lease(platform.publisher, now)
        application = Application(platform.client, prepared.offer, prepared.state, plan, lease, progress)
        try:
            application.run()
        except PublicationError:
            with contextlib.suppress(PublicationError):  # the first failure is the one to tell
                application.abandon()
            raise
        return _read_back(catalogue, dataset, platform, work, plan, application)


def _unchanged(again: Prepared | None, plan: Plan) -> Prepared:
    if again is None or again.plan.hash != plan.hash:
        raise PublicationError("La cible a changé depuis que le plan a été montré ; relire le plan et recommencer.")
    return again


def _read_back(
    catalogue: Catalogue, dataset: str, platform: Platform, work: Rooms, plan: Plan, application: Application
) -> Report:
    """Read all again and compare: bytes, size, every managed field, order, quality. What differs is a problem."""
    again = prepare(catalogue, dataset, platform, work)
    held = again.state.dataset if again else None
    if again is None or held is None:
        raise PublicationError("Relu après publication, le jeu de données n'est pas sur la cible ; relancer.")
    write_ids(work.ids(plan.target), plan.target, dataset, held)
    score = held.quality.get("score")
    differ = [] if application.warnings else [f"relu, il reste à : {step.sentence}" for step in again.plan.actions]
    return Report(
        plan,
        applied=True,
        done=tuple(application.done),
        problems=(*differ, *_quality_problems(held, application.offer)),
        warnings=tuple(application.warnings),
        page=held.page,
        quality=score,
    )


def _quality_problems(held: RemoteDataset, offer: DesiredDataset) -> list[str]:
    """Return what keeps the quality score from being full, unless the plan had told it and was accepted."""
    score = held.quality.get("score")
    if offer.quality or score is None or score >= 1:
        return []
    missing = [name for criterion, name in CRITERIA.items() if held.quality.get(criterion) is False]
    return [f"note de qualité {score:.2f} au lieu de 1 : {', '.join(missing) or 'critère inconnu'}"]


def _verdicts(
    judge: Judge | None, offer: DesiredDataset, held: RemoteDataset | None, home: Path
) -> tuple[Verdict, ...]:
    if judge is None:
        return ()
    there = held.version if held else None
    old = home / there if there in offer.versions else None
    return tuple(judge(offer.dataset, old, home / offer.version))
