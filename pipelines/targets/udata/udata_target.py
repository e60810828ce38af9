"""A udata as a target, dataset by dataset: read, plan, apply, read back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.declarations import Catalogue
from pipelines.release import history
from pipelines.release.changelog import known_versions
from pipelines.release.feed import news
from pipelines.release.gates import Gate, gates
from pipelines.release.integrity import check_intact
from pipelines.release.refusals import PublicationError
from pipelines.targets.plan import Plan
from pipelines.targets.protocol import Judge, Preview, Progress, Secret, Source, TargetKind
from pipelines.targets.publication_report import Report
from pipelines.targets.udata.access import access
from pipelines.targets.udata.apply import Application, ResourceSteps
from pipelines.targets.udata.client import Udata
from pipelines.targets.udata.desired import DesiredDataset, desired_dataset, earlier_files
from pipelines.targets.udata.rehearsal import rehearse
from pipelines.targets.udata.remote import RemoteDataset
from pipelines.targets.udata.server_state import RemoteState, note_published, page_last_published, previews, read_state
from pipelines.targets.udata.udata_plan import make_plan

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


def judged(catalogue: Catalogue, dataset: str, before: Path | None, release: Path) -> tuple[Gate, ...]:
    """Return the gates of a release, and whether the platform will show its files as it should."""
    main = history.columnar_files(release, catalogue.datasets[dataset].main_table)
    files = [*sorted(release.glob("*.csv")), *main, *release.glob("*.xlsx")]
    return (*gates(catalogue, dataset, before, release), *rehearse(files, before))


@dataclass(frozen=True)
class UdataTarget:
    """A udata, as one account sees it, and the organization that publishes there."""

    client: Udata
    organization: str
    source: Source
    judge: Judge = judged

    @property
    def address(self) -> str:
        """The address of the server."""
        return self.client.base_url

    @property
    def parts(self) -> tuple[str, ...]:
        """Every declared dataset."""
        return tuple(sorted(self.source.catalogue.datasets))

    def prepare(self, part: str) -> PreparedDataset | None:
        """Compare a dataset with the latest release; a plan that does something is judged."""
        found = self.compare(part)
        if found is None or found.plan.empty:
            return found
        remote, desired = found.state.dataset, found.desired
        there = remote.version if remote else None
        why = news(known_versions(self.source.rooms.releases, part), there)
        before = desired.release.parent / there if there in desired.versions else None
        found_gates = self.judge(self.source.catalogue, part, before, desired.release)
        return replace(found, plan=replace(found.plan.judged(found_gates), why=tuple(why)))

    def compare(self, part: str) -> PreparedDataset | None:
        """Read what the server holds of a dataset and what it lacks; what the release itself is worth is not judged."""
        source, rooms = self.source, self.source.rooms
        check_intact(rooms.releases, part, rooms.intact)
        last_page = page_last_published(rooms.record(self.address), self.address, part)
        state = read_state(self.client, self.organization, part, last_page)
        desired = desired_dataset(source.catalogue, part, rooms, state)
        if desired is None:
            return None
        cut = state.dataset is not None and any(item.undescribed for item in state.dataset.resources)
        plan = make_plan(desired, state, earlier=earlier_files(rooms, part) if cut else ())
        return PreparedDataset(self, desired, state, plan)

    def previews(self, part: str) -> list[Preview]:
        """Return what the crawler of the platform made of the files of a dataset."""
        remote = read_state(self.client, self.organization, part).dataset
        return previews(remote.resources) if remote is not None else []


@dataclass(frozen=True)
class PreparedDataset:
    """What is wanted of a dataset, what the server held when it was read, and the plan between them."""

    target: UdataTarget
    desired: DesiredDataset
    state: RemoteState
    plan: Plan

    def apply(self, progress: Progress) -> Report:
        """Do every step, then read all again and compare: bytes, size, every managed field, order, quality."""
        if self.plan.empty and self.state.dataset is not None:
            return self._report(self.state.dataset, ())
        files = ResourceSteps(self.target.client, self.target.source.catalogue, self.desired)
        Application(self.target.client, self.desired, self.state, files, progress).run(self.plan)
        again = self.target.compare(self.desired.dataset)
        remote = again.state.dataset if again else None
        if again is None or remote is None:
            raise PublicationError("Relu après publication, le jeu de données n'est pas sur la cible ; relancer.")
        left = [f"relu, il reste à : {step.sentence}" for step in again.plan.actions]
        return self._report(remote, [*left, *self._missing_quality(remote)])

    def _report(self, remote: RemoteDataset, problems: Iterable[str]) -> Report:
        """Return what came of the publication, once it is noted for people."""
        place, address = self.target.source.rooms.record(self.target.address), self.target.address
        note_published(place, address, self.desired.dataset, remote)
        return Report(
            self.plan,
            applied=True,
            done=self.plan.actions,
            problems=tuple(problems),
            page=remote.page,
            quality=remote.quality.get("score"),
        )

    def _missing_quality(self, remote: RemoteDataset) -> list[str]:
        """Return what keeps the quality score from being full, unless the plan had told it and was accepted."""
        score = remote.quality.get("score")
        if self.desired.quality or score is None or score >= 1:
            return []
        missing = [name for criterion, name in CRITERIA.items() if remote.quality.get(criterion) is False]
        return [f"note de qualité {score:.2f} au lieu de 1 : {', '.join(missing) or 'critère inconnu'}"]


def _open(name: str, source: Source, secret: Secret) -> UdataTarget:
    there = access(name, secret)
    return UdataTarget(there.client, there.organization, source)


UDATA = TargetKind(open=_open, remote=True)
