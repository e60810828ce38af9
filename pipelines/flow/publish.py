"""Releases → targets: what each would change, then changing it.

Which steps a target needs is said below ``pipelines.targets``; keys are read by whoever calls.
"""

import getpass
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.declarations import Catalogue
from pipelines.flow.store import Store
from pipelines.flow.waiting_plans import no_longer_waiting
from pipelines.targets.folder.folder_target import FOLDER, NAME
from pipelines.targets.plan import Plan
from pipelines.targets.protocol import Preview, Progress, Report, Rooms, Secret, Source, Target, TargetKind
from pipelines.targets.publication import accept, accepted, publish
from pipelines.targets.udata.udata_target import UDATA

KINDS: Mapping[str, TargetKind] = {NAME: FOLDER}  # by the name of a target; any other name is that of a udata
ACCEPTANCES = "acceptances"
_ROOMS = ("targets", ACCEPTANCES)  # what publications keep of their own, in the output


def kind_of(target: str) -> TargetKind:
    """Return the kind of the target of that name or address."""
    return KINDS.get(target, UDATA)


@dataclass(frozen=True)
class Publisher:
    """The releases of an output, and the target of a name to which they go.

    Every method raises TargetError, or what ``secret`` raises, when the target or the way to it is not given right, and
    PublicationError when the target can't be read or changed.
    """

    catalogue: Catalogue
    store: Store
    name: str
    secret: Secret

    @property
    def remote(self) -> bool:
        """Whether it is published to at night only where somebody allowed it."""
        return kind_of(self.name).remote

    def plans(self) -> Iterator[Plan]:
        """Yield the plan of everything released; nothing is changed."""
        target = self._opened()
        for part in target.parts:
            if prepared := target.prepare(part):
                yield prepared.plan

    def publish(
        self, agree: Callable[[Plan], bool] | None = None, progress: Progress = lambda _: None
    ) -> Iterator[Report]:
        """Bring everything released to the target, part by part; ``agree`` is asked with each plan that isn't empty."""
        target = self._opened()
        for part in target.parts:
            with self.store.writing(*self._written, even_cut_short=True):
                report = publish(target, part, self._rooms, agree=agree, progress=progress)
            if report is not None:
                if report.applied:
                    no_longer_waiting(self.store, report.plan.target, report.plan.dataset)
                yield report

    def impose(self) -> None:
        """Bring everything released to the target whatever gates say: whoever asks has decided."""
        target = self._opened()
        for part in target.parts:
            with self.store.writing(*self._written, even_cut_short=True):
                if prepared := target.prepare(part):
                    prepared.apply(lambda _: None)
                    no_longer_waiting(self.store, prepared.plan.target, part)

    def awaits(self, plan: Plan) -> bool:
        """Whether a plan still needs the agreement of a person."""
        return bool(plan.refusals) and accepted(self._rooms.acceptances, plan.hash) is None

    def accept(self, plan: str, reason: str) -> bool:
        """Keep the agreement of whoever runs this to a plan of that hash; False when no plan of the target has it."""
        if plan not in {found.hash for found in self.plans()}:
            return False
        with self.store.writing(ACCEPTANCES):
            accept(self._rooms.acceptances, plan, getpass.getuser(), datetime.now(UTC), reason)
        return True

    def previews(self) -> dict[str, list[Preview]]:
        """Return, by part, what the target made of the files last published there."""
        target = self._open()
        return {part: target.previews(part) for part in target.parts}

    @property
    def _rooms(self) -> Rooms:
        return Rooms(self.store.output)

    def _open(self) -> Target:
        source = Source(self.catalogue, self._rooms, self.store.tables_made().synthetic)
        return kind_of(self.name).open(self.name, source, self.secret)

    def _opened(self) -> Target:
        """Return the target once the folders that publication uses are brought; RootError where nothing ever ran."""
        target = self._open()
        self.store.must_have_begun()
        for room in (*self._written, "releases"):  # all of them: each is checked before anything is published
            self.store.room(room)
        return target

    @property
    def _written(self) -> tuple[str, ...]:
        """The rooms of the output where a publication writes."""
        return _ROOMS if self.remote else (*_ROOMS, "catalogue")


@dataclass(frozen=True)
class Night:
    """What a night made of targets: what came of each publication, and the plans that may only be shown."""

    reports: tuple[Report, ...]
    shown: tuple[Plan, ...]

    @property
    def waiting(self) -> tuple[Plan, ...]:
        """The plans that wait for a person."""
        return (*(report.plan for report in self.reports if not report.applied), *self.shown)


def publish_night(publishers: Iterable[Publisher], *, allowed: bool, progress: Progress) -> Night:
    """Publish to each target, or show its plan where it is remote and that isn't ``allowed``. Raises as they do."""
    reports, shown = list[Report](), list[Plan]()
    for publisher in publishers:
        if publisher.remote and not allowed:
            shown += [plan for plan in publisher.plans() if not plan.empty]
        else:
            reports += publisher.publish(progress=progress)
    return Night(tuple(reports), tuple(shown))


def publish_accepted(publishers: Iterable[Publisher], plan: str, reason: str, progress: Progress) -> list[Report]:
    """Accept the plan of that hash where a target has it, and apply it alone; empty when none does."""
    for publisher in publishers:
        if publisher.accept(plan, reason):
            agreed = publisher.publish(lambda found: found.hash == plan, progress)
            return [report for report in agreed if report.plan.hash == plan]
    return []
