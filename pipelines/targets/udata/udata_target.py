"""A udata as a target, dataset by dataset: read, plan, apply, read back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.declarations import Catalogue
from pipelines.mechanics.french import fixed
from pipelines.release import history
from pipelines.release.gates import Gate, gates
from pipelines.release.integrity import check_intact
from pipelines.release.refusals import PublicationError
from pipelines.targets.plan import Plan
from pipelines.targets.protocol import Judge, Preview, Progress, Report, Secret, Source, TargetKind
from pipelines.targets.publication import judged
from pipelines.targets.udata.access import access
from pipelines.targets.udata.apply import Application
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


def gates_of(catalogue: Catalogue, dataset: str, before: Path | None, release: Path) -> tuple[Gate, ...]:
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
    judge: Judge = gates_of

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
        prepared = self.compare(part)
        if prepared is None or prepared.plan.empty:
            return prepared
        remote = prepared.state.dataset
        shown = {part: remote.version if remote else None}
        return replace(prepared, plan=judged(prepared.plan, self.source, self.judge, shown))

    def compare(self, part: str) -> PreparedDataset | None:
        """Read what the server holds of a dataset and what it lacks; what the release itself is worth is not judged."""
        source, rooms = self.source, self.source.rooms
        check_intact(rooms.releases, part, rooms.intact)
        last_page = page_last_published(rooms.record(self.address), self.address, part)
        state = read_state(self.client, self.organization, part, last_page)
        desired = desired_dataset(source.catalogue, part, rooms, state)
        if desired is None:
            return None
        cut = state.dataset is not None and any(resource.undescribed for resource in state.dataset.resources)
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
        client, catalogue = self.target.client, self.target.source.catalogue
        Application(client, catalogue, self.desired, self.state, progress).run(self.plan)
        again = self.target.compare(self.desired.dataset)
        remote = again.state.dataset if again else None
        if again is None or remote is None:
            raise PublicationError("Relu après publication, le jeu de données n'est pas sur la cible ; relancer.")
        left = [f"relu, il reste à : {step.sentence}" for step in again.plan.actions]
        return self._report(remote, [*left, *self._missing_quality(remote)])

    def _report(self, remote: RemoteDataset, problems: Iterable[str]) -> Report:
        """Return what came of the publication, once it is noted for people."""
        address = self.target.address
        note_published(self.target.source.rooms.record(address), address, self.desired.dataset, remote)
        quality = remote.quality.get("score")
        return Report(self.plan, True, self.plan.actions, tuple(problems), remote.page, quality)

    def _missing_quality(self, remote: RemoteDataset) -> list[str]:
        """Return what keeps the quality score from being full, unless the plan had told it and was accepted."""
        score = remote.quality.get("score")
        if self.desired.quality or score is None or score >= 1:
            return []
        missing = [name for criterion, name in CRITERIA.items() if remote.quality.get(criterion) is False]
        return [f"note de qualité {fixed(score, 2)} au lieu de 1 : {', '.join(missing) or 'critère inconnu'}"]


def _open(name: str, source: Source, secret: Secret) -> UdataTarget:
    way = access(name, secret)
    return UdataTarget(way.client, way.organization, source)


UDATA = TargetKind(open=_open, remote=True)
