"""Releases → what we want a udata to hold: fields of the dataset, resources in order. No target is read here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.declarations import Catalogue, Dataset
from pipelines.release import history
from pipelines.release.changelog import known_versions
from pipelines.release.feed import atom
from pipelines.release.renditions import content_hash, put
from pipelines.release.reuse import reuse_page
from pipelines.targets.protocol import Rooms, file_name
from pipelines.targets.udata.file_digests import FileDigests, digests
from pipelines.targets.udata.remote import ARCHIVE, CONTENT, KEY, SHA1, SHA256, VERSION, RemoteDataset, RemoteResource
from pipelines.targets.udata.resources import LINKED, REUSE_KEY, YEARLY, Placed, ResourceType, archives, latest_files
from pipelines.targets.udata.server_state import RemoteState

CLOSED_FORMATS = frozenset({"pdf", "doc", "docx", "word", "xls", "excel", "xlsx"})
SHORTEST_DESCRIPTION = 100  # characters; more are needed for the point of quality


@dataclass(frozen=True)
class DesiredResource:
    """A file that the platform must hold, and what it must say of it.

    ``schema_of`` is the key of our resource whose permalink is the URL of its schema. A document with links is written
    by ``written_document`` before it is sent.
    """

    key: str
    path: Path
    filename: str
    size: int
    sha1: str
    title: str
    description: str
    type: ResourceType
    extras: Mapping[str, str]
    schema_of: str | None = None

    @property
    def immutable(self) -> bool:
        """Whether the file never changes once sent."""
        return self.key.startswith(ARCHIVE)

    def is_in(self, remote: RemoteResource) -> bool:
        """Whether a resource of the target holds these very bytes."""
        return (self.sha1, self.size) == (remote.sha1, remote.size)


@dataclass(frozen=True)
class DesiredDataset:
    """What we want of one dataset.

    ``omitted`` says in French what the target can't take; ``quality`` what would miss for the full score of udata.
    """

    dataset: str
    release: Path
    versions: tuple[str, ...]
    fields: Mapping[str, Any]
    contact: tuple[str, str]
    resources: tuple[DesiredResource, ...]
    omitted: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    synthetic: bool = False

    @property
    def version(self) -> str:
        """The version to publish: the latest."""
        return self.versions[-1]

    def resource(self, key: str) -> DesiredResource:
        """Return the resource of that key."""
        return next(item for item in self.resources if item.key == key)

    def holds(self, key: str | None) -> bool:
        """Whether a resource of that key is wanted."""
        return any(item.key == key for item in self.resources)


def desired_dataset(catalogue: Catalogue, dataset_id: str, rooms: Rooms, state: RemoteState) -> DesiredDataset | None:
    """Return what a target in that state should hold, None when nothing was released yet.

    The state says which extensions are accepted, and which links are known. Archives and yearly files are made in the
    room of renditions.
    """
    versions = history.versions(rooms.releases, dataset_id)
    if not versions:
        return None
    folders = [rooms.releases / dataset_id / version for version in versions]
    dataset, release, made = catalogue.datasets[dataset_id], folders[-1], rooms.renditions / dataset_id
    documents = made / versions[-1] / file_name(state.address)
    remembered = FileDigests(rooms.digests)
    placed = [
        *latest_files(catalogue, release, made, documents, remembered.untouched),
        *archives(dataset_id, folders, made),
    ]
    accepted, omitted = _accepted(placed, state.extensions)
    resources = tuple(_resources(catalogue, release, accepted, state.dataset, remembered))
    remembered.keep()
    descriptor = history.descriptor(release)
    fields = _fields(dataset, descriptor, resources)
    return DesiredDataset(
        dataset=dataset_id,
        release=release,
        versions=tuple(versions),
        fields=fields,
        contact=(dataset.contact.name, dataset.contact.email),
        resources=resources,
        omitted=omitted,
        quality=missing_quality(fields, resources),
        synthetic=bool(descriptor.get("synthetic")),
    )


def written_document(desired: DesiredDataset, key: str, catalogue: Catalogue, remote: RemoteDataset) -> DesiredResource:
    """Return a document with links once it is written with those that the target gave by now."""
    item, keys = desired.resource(key), {item.path.name: item.key for item in desired.resources}
    content = document(key, catalogue, desired.release, links_to(keys.values(), remote), keys)
    put(item.path, content)
    size, sha1, sha256 = digests([content])
    return replace(item, size=size, sha1=sha1, extras={**item.extras, SHA256: sha256})


def missing_quality(fields: Mapping[str, Any], resources: Iterable[DesiredResource]) -> tuple[str, ...]:
    """Return the criteria of udata's quality score (17.18, nine points) that would not be met, in French.

    Its time criterion holds right after an upload, and its criterion on remote files as we have none.
    """
    found = tuple(resources)
    open_format = any(item.filename.rpartition(".")[2] not in CLOSED_FORMATS for item in found)
    criteria = {
        "licence": fields["license"] and fields["license"] != "notspecified",
        "couverture temporelle": fields["temporal_coverage"],
        "couverture spatiale": fields["spatial"]["zones"],
        "fréquence de mise à jour": fields["frequency"] and fields["frequency"] != "unknown",
        "description de plus de 100 caractères": len(fields["description"]) > SHORTEST_DESCRIPTION,
        "fichiers": found,
        "format ouvert": open_format,
        "documentation": any(item.type == "documentation" or item.description for item in found),
    }
    return tuple(name for name, met in criteria.items() if not met)


def earlier_files(rooms: Rooms, dataset: str) -> frozenset[str]:
    """Return the sha1 of every file of every release and of what was made of it: what a lost upload may have left."""
    versions = history.versions(rooms.releases, dataset)
    folders = [room / dataset / version for room in (rooms.releases, rooms.renditions) for version in versions]
    remembered = FileDigests(rooms.digests)
    found = frozenset(remembered.of(path).sha1 for folder in folders for path in folder.rglob("*") if path.is_file())
    remembered.keep()
    return found


def _accepted(placed: Iterable[Placed], extensions: frozenset[str]) -> tuple[dict[str, Placed], tuple[str, ...]]:
    """Return what the target accepts by name, under another extension if need be, and a sentence for the rest."""
    accepted, omitted = {}, []
    for item in placed:
        filename = item.filename
        if _extension(filename) not in extensions and item.fallback:
            filename = str(Path(filename).with_suffix(item.fallback))
        if _extension(filename) in extensions:
            accepted[filename] = item
        else:
            omitted.append(f"« {item.title} » n'est pas envoyé : la cible n'accepte pas .{_extension(filename)}")
    return accepted, tuple(omitted)


def _resources(
    catalogue: Catalogue, release: Path, accepted: Mapping[str, Placed], remote: RemoteDataset | None,
    remembered: FileDigests,
) -> Iterator[DesiredResource]:  # fmt: skip
    keys = {item.path.name: item.key for item in accepted.values()}
    links = links_to(keys.values(), remote)
    for filename, item in accepted.items():
        if item.key in LINKED:
            content = document(item.key, catalogue, release, links, keys)
            size, sha1, sha256 = digests([content])
        else:
            size, sha1, sha256 = remembered.of(item.path)
        own = f"schema:{item.table}"
        yield DesiredResource(
            key=item.key,
            path=item.path,
            filename=filename,
            size=size,
            sha1=sha1,
            title=item.title,
            description=item.description,
            type=item.type,
            extras=_extras(item, release, sha1, sha256),
            schema_of=own if item.table and own in keys.values() else None,
        )


def _extras(item: Placed, release: Path, sha1: str, sha256: str) -> dict[str, str]:
    extras = {KEY: item.key, SHA256: sha256}
    if not item.immutable:
        return extras | {VERSION: release.name}
    version = item.key.removeprefix(ARCHIVE)
    return extras | {VERSION: version, SHA1: sha1, CONTENT: content_hash(release.parent / version)}


def _fields(dataset: Dataset, descriptor: Mapping[str, Any], resources: Iterable[DesiredResource]) -> dict[str, Any]:
    years = sorted(item.key.removeprefix(YEARLY) for item in resources if item.key.startswith(YEARLY))
    return {
        "title": descriptor["title"].strip(),
        "description": descriptor["description"].strip(),
        "description_short": dataset.short_description.strip(),
        "tags": sorted(dataset.tags),
        "license": dataset.licence,
        "frequency": dataset.frequency,
        "temporal_coverage": {"start": f"{years[0]}-01-01", "end": f"{years[-1]}-12-31"} if years else None,
        "spatial": {"zones": sorted(dataset.spatial.zones), "granularity": dataset.spatial.granularity},
    }


def _extension(filename: str) -> str:
    return filename.rpartition(".")[2]


# Documents that hold links of the platform that shows them: the reuse page, the feed of versions.


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
