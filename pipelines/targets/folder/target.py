"""The catalogue of releases in a folder, as a target: all datasets at once, files to write and remove, read back.

The pages themselves are made in ``catalogue``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipelines.release import history
from pipelines.release.changelog import known_versions
from pipelines.release.feed import news
from pipelines.release.gates import Gate, gates
from pipelines.release.integrity import check_intact
from pipelines.targets.folder.catalogue import LocalCatalogue, publish_local
from pipelines.targets.plan import Action, Plan
from pipelines.targets.protocol import Judge, Preview, Progress, Source, TargetKind
from pipelines.targets.publication_report import Report

NAME, EVERYTHING = "local", "catalogue local"


@dataclass(frozen=True)
class FolderTarget:
    """The folder ``catalogue`` of an output."""

    source: Source
    judge: Judge = gates
    address: str = NAME
    parts: tuple[str, ...] = (EVERYTHING,)

    def prepare(self, part: str) -> PreparedFolder | None:
        """Plan what would be written and removed; raises PublicationError when a release was altered."""
        source, rooms = self.source, self.source.rooms
        versions = {name: history.versions(rooms.releases, name) for name in sorted(source.catalogue.datasets)}
        for name in versions:
            check_intact(rooms.releases, name, rooms.intact)
        released = {name: known for name, known in versions.items() if known}
        if not released:
            return None
        latest = ", ".join(f"{name} {known[-1]}" for name, known in released.items())
        plan = Plan(NAME, part, latest, tuple(_actions(_written(source, dry=True))))
        if not plan.empty:
            plan = replace(plan, why=tuple(self._news(released))).judged(self._gates(released))
        return PreparedFolder(source, plan)

    def previews(self, _part: str) -> list[Preview]:
        """Return nothing: files in a folder are shown as they are."""
        return []

    def _news(self, released: dict[str, list[str]]) -> Iterator[str]:
        for name in released:
            yield from news(known_versions(self.source.rooms.releases, name), self._shown(name))

    def _gates(self, released: dict[str, list[str]]) -> Iterator[Gate]:
        for name, known in released.items():
            home, shown = self.source.rooms.releases / name, self._shown(name)
            before = home / shown if shown in known else None
            yield from self.judge(self.source.catalogue, name, before, home / known[-1])

    def _shown(self, dataset: str) -> str | None:
        """Return the version of a dataset that the folder shows."""
        facts = self.source.rooms.catalogue / dataset / "dataset.json"
        try:
            return str(json.loads(facts.read_text(encoding="utf-8")).get("version"))
        except (OSError, ValueError):
            return None


@dataclass(frozen=True)
class PreparedFolder:
    """The plan of the folder, and its application."""

    source: Source
    plan: Plan

    def apply(self, _progress: Progress) -> Report:
        """Write what differs, then look again for what does."""
        folder = self.source.rooms.catalogue
        for place in (folder, *folder.glob("*/"), *folder.glob("*/*/")):
            history.sweep(place)  # of publications that were killed: this one holds the lock
        page, left = str(folder / "index.html"), list[Action]()
        if not self.plan.empty:
            _written(self.source)
            left = list(_actions(_written(self.source, dry=True)))
        problems = tuple(f"relu, il reste à : {action.sentence}" for action in left)
        return Report(self.plan, applied=True, done=self.plan.actions, problems=problems, page=page)


FOLDER = TargetKind(open=lambda _name, source, _secret: FolderTarget(source), remote=False)


def _written(source: Source, *, dry: bool = False) -> LocalCatalogue:
    rooms = source.rooms
    return publish_local(source.catalogue, rooms.releases, rooms.catalogue, synthetic=source.synthetic, dry=dry)


def _actions(wanted: LocalCatalogue) -> Iterator[Action]:
    for path in wanted.written:
        name = path.relative_to(wanted.folder).as_posix()
        why = "le contenu a changé" if path.is_file() else "nouveau"
        yield Action("write", name, why, key=name)
    for path in wanted.removed:
        name = path.relative_to(wanted.folder).as_posix()
        yield Action("remove", name, "plus dans la dernière version", key=name)
