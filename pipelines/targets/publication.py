"""One part of a target brought to the latest release: planned, agreed to, applied. The same for every target.

One publisher at a time is the rule: Dagster's pool keeps it among runs, a lock on the machine among processes. Whether
a plan needs a person is said by its gates; what a person agreed to is kept by the hash of the plan: who, when, why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.mechanics.files import write_whole
from pipelines.mechanics.french import fixed
from pipelines.release.changelog import known_versions, news
from pipelines.release.gates import Gate
from pipelines.release.refusals import ConcurrentPublicationError, PublicationError
from pipelines.targets.plan import Plan
from pipelines.targets.protocol import Judge, Progress, Report, Rooms, Source, Target

_HASH = re.compile(r"[0-9a-f]{64}")


def publish(
    target: Target,
    part: str,
    rooms: Rooms,
    *,
    agree: Callable[[Plan], bool] | None = None,
    progress: Progress = lambda _: None,
) -> Report | None:
    """Bring a part of a target to the latest release; None when nothing of it was released.

    ``agree`` is asked with the plan, which must still be the same after the answer; without it nobody is asked. A
    blocked plan is applied only when its hash was accepted. Raises PublicationError when a step can't be done.
    """
    with one_publisher(rooms.lock(target.address)):
        prepared = target.prepare(part)
        if prepared is None:
            return None
        plan = prepared.plan
        if plan.empty:
            return prepared.apply(progress)
        if plan.refusals and accepted(rooms.acceptances, plan.hash) is None:
            return Report(plan, applied=False)
        if agree is not None:
            if not agree(plan):
                return Report(plan, applied=False)
            prepared = target.prepare(part)
            if prepared is None or prepared.plan.hash != plan.hash:
                hint = "relire le plan et recommencer"
                raise PublicationError(f"La cible a changé depuis que le plan a été montré ; {hint}.")
        return prepared.apply(progress)


def judged(plan: Plan, source: Source, judge: Judge, shown: Mapping[str, str | None]) -> Plan:
    """Return a plan with its reasons and the gates on what it brings; ``shown``: the version of each dataset there."""
    why, gates = list[str](), list[Gate]()
    for dataset, there in shown.items():
        home, versions = source.rooms.releases / dataset, known_versions(source.rooms.releases, dataset)
        why += news(versions, there)
        before = home / there if there in [version.version for version in versions] else None
        gates += judge(source.catalogue, dataset, before, home / versions[-1].version)
    return replace(plan.judged(gates), why=tuple(why))


@contextmanager
def one_publisher(lock: Path) -> Iterator[None]:
    """Hold the lock file while the body runs; ConcurrentPublicationError when another process of the machine does."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        alone = FileLock(lock).acquire(timeout=0)
    except Timeout:
        message = "Une autre publication vers cette cible est en cours sur cette machine ; attendre sa fin."
        raise ConcurrentPublicationError(message) from None
    with alone:
        yield


@dataclass(frozen=True)
class Acceptance:
    """The agreement of a person to one plan; ``when`` is ISO 8601."""

    plan: str
    who: str
    when: str
    reason: str


def accept(folder: Path, plan: str, who: str, when: datetime, reason: str) -> Acceptance:
    """Keep an acceptance in ``folder``; the first one of a plan stays. Raises PublicationError on a malformed hash."""
    if not _HASH.fullmatch(plan):
        raise PublicationError(f"« {plan} » n'est pas l'empreinte d'un plan : la recopier entière depuis le plan.")
    if (first := accepted(folder, plan)) is not None:
        return first
    acceptance = Acceptance(plan, who, when.isoformat(timespec="seconds"), reason)
    write_whole(folder / f"{plan}.json", (json.dumps(asdict(acceptance), ensure_ascii=False, indent=1) + "\n").encode())
    return acceptance


def accepted(folder: Path, plan: str) -> Acceptance | None:
    """Return the acceptance of a plan, None when nobody accepted it."""
    path = folder / f"{plan}.json"
    return Acceptance(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def report_text(report: Report) -> str:
    """Return what was done in French, without the steps, which were told as they went."""
    return "\n".join(_report_lines(report))


def _report_lines(report: Report) -> Iterator[str]:
    plan = report.plan
    if not report.applied:
        yield f"{plan.dataset} {plan.version} : rien n'a été publié"
        return
    done = "déjà à jour, rien n'a été écrit" if plan.empty else f"publié et relu ({len(report.done)} étapes)"
    yield f"{plan.dataset} {plan.version} : {done}"
    if report.page:
        quality = "" if report.quality is None else f", note de qualité {fixed(report.quality, 2)}"
        yield f"  {report.page}{quality}"
    yield from (f"  PROBLÈME : {problem}" for problem in report.problems)
