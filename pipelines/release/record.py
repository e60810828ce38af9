"""What a release tells of its place among the others: journal, versions, changelog, links. Nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.release import history
from pipelines.release.changelog import (
    Version,
    changelog,
    data_date,
    kind,
    known_versions,
    row_counts,
    section,
    summary,
)
from pipelines.release.data_package import release_title
from pipelines.release.inputs import Inputs, inputs_of
from pipelines.release.journal import journal
from pipelines.release.reasons import Reason, Reasons

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from pipelines.declarations import Catalogue
    from pipelines.release.difference import ReleaseDifference, TableState

States = Mapping[str, "TableState"]


@dataclass(frozen=True)
class Origin:
    """Where the tables of a release come from; ``because`` and ``rollback`` when a person went back to a version."""

    synthetic: str | None
    inputs: Inputs | None = None
    because: Reason | None = None
    rollback: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Record:
    """What a release tells of its place among the others.

    ``versions`` ends with this one; ``origin`` are our own properties of the descriptor; ``earlier`` the folder of
    the release before.
    """

    journal: pa.Table
    versions: Sequence[Version]
    changelog: str
    origin: Mapping[str, Any] = field(default_factory=dict)
    earlier: Path | None = None


@dataclass(frozen=True)
class Following:
    """A version about to be made after the release in the folder ``earlier``, if any."""

    catalogue: Catalogue
    dataset: str
    releases: Path
    version: str
    earlier: Path | None

    def record(
        self, difference: ReleaseDifference, states: tuple[States, States], origin: Origin, content: str
    ) -> Record:
        """Return the record of the version; ``states`` are the tables before and after, ``content`` their hash."""
        old, new = states
        lines = journal(difference, old, new, self._reasons(old, new, origin))
        known = known_versions(self.releases, self.dataset)
        first = self.earlier is None
        counts = row_counts(difference, {name: state.count for name, state in new.items()})
        version = Version(
            len(known) + 1, self.version, self.earlier.name if self.earlier else None, kind(self.version, first=first),
            summary(lines, first=first), counts["added"], counts["removed"], counts["changed"],
            data_date(new.values()), content,
        )  # fmt: skip
        title = release_title(self.catalogue.datasets[self.dataset], origin.synthetic)
        text = changelog(title, section(version, difference, lines), self.earlier)
        return Record(lines, [*known, version], text, self._properties(origin, content), self.earlier)

    def _reasons(self, old: States, new: States, origin: Origin) -> Reasons:
        before = inputs_of(history.descriptor(self.earlier)) if self.earlier else None
        return Reasons(
            self.catalogue,
            self.dataset,
            after=self.earlier.name if self.earlier else None,
            inputs=(before, origin.inputs),
            corrections=(old.get("corrections"), new.get("corrections")),
            results=new.get("resultats"),
            because=origin.because,
        )

    def _properties(self, origin: Origin, content: str) -> dict[str, Any]:
        ours: dict[str, Any] = {"contentHash": content}
        if self.earlier:
            ours["previous"] = history.previous_of(self.earlier)
        if origin.rollback:
            ours["rollback"] = dict(origin.rollback)
        if origin.inputs:
            ours["inputs"] = origin.inputs.descriptor()
        return ours
