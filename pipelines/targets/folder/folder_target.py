"""The folder ``catalogue`` of an output, as a target: the latest files of every dataset, under paths that stay.

``<dataset>/latest/`` holds the files of the latest release, ``<dataset>/dataset.json`` what programs read of it. Pages
for people are those of the public site, which follows the version told here. Only what differs is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.declarations import Catalogue
from pipelines.mechanics.files import replacing
from pipelines.release import history, written_files
from pipelines.release.gates import gates
from pipelines.release.integrity import check_intact
from pipelines.release.written_files import CHECKSUMS
from pipelines.targets.plan import Action, Plan
from pipelines.targets.protocol import Judge, Preview, Progress, Report, Source, TargetKind
from pipelines.targets.publication import judged

NAME, EVERYTHING = "local", "catalogue local"
LATEST, MANIFEST = "latest", "dataset.json"
FORMER_PAGES = ("index.html", "reutiliser.md", "versions.atom")  # of versions of the code before the public site


@dataclass(frozen=True)
class FolderTarget:
    """The folder ``catalogue`` of an output."""

    source: Source
    judge: Judge = gates
    address: str = NAME

    @property
    def parts(self) -> tuple[str, ...]:
        """The data sets together, then that of signals, which may hold back none of them."""
        catalogue = self.source.catalogue
        together = [EVERYTHING] if catalogue.without_signals.datasets else []
        return (*together, catalogue.signals) if catalogue.signals else tuple(together)

    def prepare(self, part: str) -> PreparedFolder | None:
        """Plan what would be written and removed; raises PublicationError when a release was altered."""
        catalogue, rooms = self.source.catalogue, self.source.rooms
        names = [part] if part == catalogue.signals else sorted(catalogue.without_signals.datasets)
        for name in names:
            check_intact(rooms.releases, name, rooms.intact)
        versions = {name: history.versions(rooms.releases, name) for name in names}
        released = {name: known for name, known in versions.items() if known}
        if not released:
            return None
        latest = ", ".join(f"{name} {known[-1]}" for name, known in released.items())
        plan = Plan(NAME, part, latest, tuple(_differences(self.source, released, dry=True)))
        if not plan.empty:
            plan = judged(plan, self.source, self.judge, {name: self._shown(name) for name in released})
        return PreparedFolder(self.source, released, plan)

    def previews(self, _part: str) -> list[Preview]:
        """Return nothing: files in a folder are shown as they are."""
        return []

    def _shown(self, dataset: str) -> str | None:
        """Return the version of a dataset that the folder shows."""
        manifest = self.source.rooms.catalogue / dataset / MANIFEST
        try:
            return str(json.loads(manifest.read_text(encoding="utf-8")).get("version"))
        except (OSError, ValueError):
            return None


@dataclass(frozen=True)
class PreparedFolder:
    """The plan of the folder, and its application."""

    source: Source
    released: dict[str, list[str]]
    plan: Plan

    def apply(self, _progress: Progress) -> Report:
        """Write what differs, then look again for what does."""
        folder, left = self.source.rooms.catalogue, list[Action]()
        for place in (folder, *folder.glob("*/"), *folder.glob("*/*/")):
            history.sweep(place)  # of publications that were killed: this one holds the lock
        if not self.plan.empty:
            list(_differences(self.source, self.released, dry=False))
            left = list(_differences(self.source, self.released, dry=True))
        problems = tuple(f"relu, il reste à : {action.sentence}" for action in left)
        return Report(self.plan, applied=True, done=self.plan.actions, problems=problems, page=str(folder))


FOLDER = TargetKind(open=lambda _name, source, _secret: FolderTarget(source), remote=False)


def _differences(source: Source, released: dict[str, list[str]], *, dry: bool) -> Iterator[Action]:
    """Yield what differs from the latest releases, written or removed at once unless ``dry``; the manifest comes last.

    Whoever reads the manifest of a dataset then finds the files that it tells.
    """
    root = source.rooms.catalogue
    yield from _removed(root, (root / name for name in FORMER_PAGES), "le site public la remplace", dry=dry)
    for name, versions in released.items():
        home, release = root / name, source.rooms.releases / name / versions[-1]
        latest = history.stable_names(release)
        for file, path in latest.items():
            yield from _written(root, home / LATEST / file, path.read_bytes(), dry=dry)
        others = (path for path in sorted((home / LATEST).glob("*")) if path.name not in latest)
        yield from _removed(root, others, "plus dans la dernière version", dry=dry)
        yield from _removed(root, (home / page for page in FORMER_PAGES), "le site public la remplace", dry=dry)
        manifest = _manifest(source.catalogue, name, release, versions, synthetic=bool(source.synthetic))
        text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
        yield from _written(root, home / MANIFEST, text.encode("utf-8"), dry=dry)


def _written(root: Path, path: Path, content: bytes, *, dry: bool) -> Iterator[Action]:
    if path.is_file() and path.read_bytes() == content:
        return
    name, why = path.relative_to(root).as_posix(), "le contenu a changé" if path.is_file() else "nouveau"
    if not dry:
        written_files.public_folder(path.parent, root)
        with replacing(path, f"{history.IN_PROGRESS}{path.name}") as draft:
            draft.write_bytes(content)
            draft.chmod(written_files.PUBLIC_FILE)
    yield Action("write", name, why, key=name)


def _removed(root: Path, paths: Iterator[Path], why: str, *, dry: bool) -> Iterator[Action]:
    """Remove the files that are there; a draft is of a publication at work, or killed: the next one sweeps it."""
    for path in paths:
        if path.is_file() and not path.name.startswith(history.IN_PROGRESS):
            if not dry:
                path.unlink()
            name = path.relative_to(root).as_posix()
            yield Action("remove", name, why, key=name)


def _manifest(
    catalogue: Catalogue, name: str, release: Path, versions: list[str], *, synthetic: bool
) -> dict[str, Any]:
    """Return what programs read of a dataset; paths are relative to the manifest."""
    dataset, descriptor, rows = catalogue.datasets[name], history.descriptor(release), history.row_counts(release)
    tables = [table for table in dataset.tables if table in rows]
    digests = written_files.told_digests(release) | {CHECKSUMS: history.release_hash(release)}
    return {
        "id": name,
        "title": descriptor["title"],
        "description": descriptor["description"],
        "version": release.name,
        "versions": versions[::-1],
        "synthetic": synthetic or bool(descriptor.get("synthetic", False)),
        "licence": "etalab-2.0",
        "tags": list(dataset.tags),
        "frequency": dataset.frequency,
        "spatial": dataset.spatial.model_dump(mode="json"),
        "contact": dataset.contact.model_dump(mode="json"),
        "tables": [{"name": table, "title": catalogue.tables[table].title, "rows": rows[table]} for table in tables],
        "files": [
            {
                "name": file,
                "path": f"{LATEST}/{file}",
                "bytes": (release / file).stat().st_size,
                "sha256": digests[file],
            }
            for file in sorted(digests)
        ],
    }
