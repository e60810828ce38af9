"""Documents that hold links of the platform that shows them: the reuse page, the feed of versions.

What they say follows from the release and from these links alone; which of them are known is said by ``offer``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.declarations import Catalogue
from pipelines.release import history
from pipelines.release.changelog import known_versions
from pipelines.release.feed import atom
from pipelines.release.reuse import reuse_page
from pipelines.targets.target import ARCHIVE, RemoteDataset


@dataclass(frozen=True)
class Links:
    """Permalinks that a target gave: of the dataset's page, and of files by our keys."""

    page: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Linked:
    """How a document is written from links, and the keys of the files that it links to where they are offered."""

    write: Callable[[Links], bytes]
    keys: frozenset[str]


def links_of(held: RemoteDataset) -> Links:
    """Return the links of what a dataset holds of ours; of two files of one key the oldest counts."""
    files = [item for item in held.resources if item.filetype == "file"]
    oldest_last = sorted(files, key=lambda item: (item.created_at, item.id), reverse=True)
    return Links(held.permalink, {item.key: item.latest for item in oldest_last if item.key})


def linked_page(catalogue: Catalogue, dataset: str, release: Path, keys: Mapping[str, str]) -> Linked:
    """Return the reuse page of a release; ``keys`` gives our key of each file that it names."""

    def write(links: Links) -> bytes:
        return reuse_page(
            catalogue, dataset, release, address=lambda name: links.files.get(keys.get(name, ""), "")
        ).encode("utf-8")

    return Linked(write, frozenset(keys.values()))


def linked_feed(catalogue: Catalogue, dataset: str, release: Path) -> Linked:
    """Return the feed of versions up to a release; an entry without an archive there links to the page.

    It doesn't name its own address, which a platform gives only once it holds the feed.
    """

    def write(links: Links) -> bytes:
        return atom(
            dataset,
            catalogue.datasets[dataset],
            known_versions(release.parent.parent, dataset),
            title=history.descriptor(release)["title"],
            address=links.page,
            link=lambda version: links.files.get(f"{ARCHIVE}{version}", links.page),
        )

    versions = history.versions(release.parent.parent, dataset)
    return Linked(write, frozenset(f"{ARCHIVE}{version}" for version in versions))
