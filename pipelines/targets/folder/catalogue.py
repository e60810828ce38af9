"""The local target: releases → folders and HTML pages that open without a server. Publishing anywhere else is not here.

It reads releases, never tables, and writes only what differs: a second run over the same releases touches nothing.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.mechanics import french
from pipelines.release import feed, files, history, reuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.declarations import Catalogue

TEMPLATES = Path(__file__).parent / "templates"
LATEST = "latest"


@dataclass(frozen=True)
class LocalCatalogue:
    """The local target as it stands: ``written`` and ``removed`` are what this call had to change."""

    folder: Path
    index: Path
    datasets: tuple[str, ...]
    written: tuple[Path, ...]
    removed: tuple[Path, ...]


@dataclass
class _Target:
    """A folder brought to a wanted content, file by file; ``dry`` only tells what would be done."""

    root: Path
    dry: bool = False
    written: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)

    def put(self, path: Path, content: bytes) -> None:
        if path.is_file() and path.read_bytes() == content:
            return
        self.written.append(path)
        if self.dry:
            return
        files.public_folder(path.parent, self.root)
        draft = path.with_name(f"{history.IN_PROGRESS}{path.name}")
        draft.write_bytes(content)
        draft.chmod(files.PUBLIC_FILE)
        draft.replace(path)

    def keep_only(self, folder: Path, names: set[str]) -> None:
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if path.name.startswith(history.IN_PROGRESS):
                continue  # of a publication at work, or killed: the next one sweeps it
            if path.name not in names and not path.is_dir():  # a folder is nothing that we put there
                self.removed.append(path)
                if not self.dry:
                    path.unlink()


def publish_local(
    catalogue: Catalogue, releases: Path, target: Path, *, synthetic: str | None, dry: bool = False
) -> LocalCatalogue:
    """Bring ``target`` to the latest releases: pages, copies of the latest files, links to every version.

    ``dry``: nothing is touched, and what would be written and removed is returned.
    """
    work, pages = _Target(target, dry), _pages()
    shown = []
    for name in sorted(catalogue.datasets):
        versions = history.versions(releases, name)
        if not versions:
            continue
        home, latest = target / name, releases / name / versions[-1]
        links = [_version_links(releases / name / version, home) for version in versions[::-1]]
        entry = _entry(catalogue, name, latest, links, synthetic)
        shown.append(entry)
        for path in sorted(latest.iterdir()):
            work.put(home / LATEST / path.name, path.read_bytes())
        work.keep_only(home / LATEST, {path.name for path in latest.iterdir()})
        work.put(home / "dataset.json", _json(entry["facts"]))
        text = reuse.reuse_text(entry, lambda file: file if file == feed.FEED else f"{LATEST}/{file}")
        work.put(home / reuse.REUSE, text.encode("utf-8"))
        work.put(home / feed.FEED, _feed(name, entry))
        work.put(home / "index.html", pages.get_template("dataset.html").render(entry).encode("utf-8"))
    index = target / "index.html"
    text = pages.get_template("index.html").render(datasets=shown, synthetic=_warning(shown, synthetic))
    work.put(index, text.encode("utf-8"))
    names = tuple(entry["name"] for entry in shown)
    return LocalCatalogue(target, index, names, tuple(work.written), tuple(work.removed))


def _pages() -> Environment:
    pages = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters |= {"size": french.size, "grouped": french.number}
    return pages


def _entry(
    catalogue: Catalogue, name: str, release: Path, versions: list[dict[str, Any]], synthetic: str | None
) -> dict[str, Any]:
    """Return all that the page of a dataset shows."""
    told = reuse.facts(catalogue, name, release, synthetic)
    dataset, declared = told["dataset"], told["tables"]
    facts = {
        "id": name,
        "title": told["title"],
        "description": history.descriptor(release)["description"],
        "version": release.name,
        "versions": [item["version"] for item in versions],
        "synthetic": told["synthetic"] is not None,
        "licence": "etalab-2.0",
        "tags": list(dataset.tags),
        "frequency": dataset.frequency,
        "spatial": dataset.spatial.model_dump(mode="json"),
        "contact": dataset.contact.model_dump(mode="json"),
        "tables": [{"name": table, "title": declared[table].title, "rows": told["rows"][table]} for table in declared],
        "files": [_file_facts(path) for path in sorted(release.iterdir())],
    }
    paragraphs = [part for part in dataset.description.split("\n\n") if part.strip()]
    return {**told, "name": name, "facts": facts, "versions": versions, "paragraphs": paragraphs}


def _feed(name: str, entry: Mapping[str, Any]) -> bytes:
    return feed.atom(
        name,
        entry["dataset"],
        entry["history"][::-1],
        title=entry["title"],
        address="index.html",
        link=lambda version: f"index.html#version-{version}",
        own=feed.FEED,
    )


def _file_facts(path: Path) -> dict[str, Any]:
    found = files.facts(path)
    return {"name": found.name, "path": f"{LATEST}/{found.name}", "bytes": found.bytes, "sha256": found.sha256}


def _version_links(release: Path, home: Path) -> dict[str, Any]:
    """Return a version with links to its files, relative to the page of the dataset."""
    folder = Path(os.path.relpath(release, home)).as_posix()
    names = sorted(path.name for path in release.iterdir())
    return {"version": release.name, "folder": folder, "files": names}


def _warning(shown: list[dict[str, Any]], synthetic: str | None) -> str | None:
    return synthetic or next((entry["synthetic"] for entry in shown if entry["synthetic"]), None)


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode("utf-8")
