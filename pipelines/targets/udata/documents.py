"""Documents that hold links of the platform that shows them: the reuse page, the feed of versions.

Links that the target has yet to give are written as our keys in the plan's copy of a document, and for good when it is
sent, after the files that it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.declarations import Catalogue
from pipelines.release import history
from pipelines.release.changelog import known_versions
from pipelines.release.feed import atom
from pipelines.release.reuse import reuse_page
from pipelines.targets.udata.remote import ARCHIVE, RemoteDataset
from pipelines.targets.udata.resources import REUSE_KEY


@dataclass(frozen=True)
class Links:
    """Permalinks of the dataset's page, and of its files by our keys."""

    page: str
    files: Mapping[str, str]


def links_to(keys: Iterable[str], remote: RemoteDataset | None) -> Links:
    """Return the links to the files of these keys that a target gave; where it has yet to, the keys themselves."""
    known = remote.by_key if remote is not None else {}
    files = {key: known[key].latest if key in known else key for key in keys}
    return Links(remote.permalink if remote is not None else "", files)


def document(key: str, catalogue: Catalogue, release: Path, links: Links, keys: Mapping[str, str]) -> bytes:
    """Return the document of that key, of a release; ``keys`` gives our key of each file that is offered, by name."""
    dataset = release.parent.name
    if key == REUSE_KEY:
        text = reuse_page(catalogue, dataset, release, address=lambda name: links.files.get(keys.get(name, ""), ""))
        return text.encode("utf-8")
    # The feed doesn't name its own address, which a platform gives only once it holds it.
    return atom(
        known_versions(release.parent.parent, dataset),
        history.descriptor(release),
        address=links.page,
        link=lambda version: links.files.get(f"{ARCHIVE}{version}", links.page),
    )
