"""Releases → what we want a udata to hold: fields of the dataset, resources in order. No target is read here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.declarations import Catalogue, Dataset
from pipelines.mechanics.files import chunks, disk_signs, saved_facts
from pipelines.release import history
from pipelines.release.changelog import atom, known_versions
from pipelines.release.reuse import reuse_page
from pipelines.release.written_files import put
from pipelines.targets.protocol import Rooms, file_name
from pipelines.targets.udata.remote import ARCHIVE, CONTENT, KEY, SHA1, SHA256, VERSION, RemoteDataset
from pipelines.targets.udata.resources import LINKED, REUSE_KEY, YEARLY, DesiredResource, archives, latest_files
from pipelines.targets.udata.server_state import RemoteState

CLOSED_FORMATS = frozenset({"pdf", "doc", "docx", "word", "xls", "excel", "xlsx"})
SHORTEST_DESCRIPTION = 100  # characters; more are needed for the point of quality


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
        return next(file for file in self.resources if file.key == key)

    def holds(self, key: str | None) -> bool:
        """Whether a resource of that key is wanted."""
        return any(file.key == key for file in self.resources)


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
    latest = latest_files(catalogue, release, made, documents, remembered.untouched)
    accepted, omitted = _accepted([*latest, *archives(dataset_id, folders, made)], state.extensions)
    resources = tuple(_weighed(catalogue, release, accepted, state.dataset, remembered))
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
    file, keys = desired.resource(key), {file.path.name: file.key for file in desired.resources}
    content = _document(key, catalogue, desired.release, remote, keys)
    put(file.path, content)
    size, sha1, sha256 = digests([content])
    return replace(file, size=size, sha1=sha1, extras={**file.extras, SHA256: sha256})


def missing_quality(fields: Mapping[str, Any], resources: Iterable[DesiredResource]) -> tuple[str, ...]:
    """Return the criteria of udata's quality score (17.18, nine points) that would not be met, in French.

    Its time criterion holds right after an upload, and its criterion on remote files as we have none.
    """
    files = tuple(resources)
    criteria = {
        "licence": fields["license"] and fields["license"] != "notspecified",
        "couverture temporelle": fields["temporal_coverage"],
        "couverture spatiale": fields["spatial"]["zones"],
        "fréquence de mise à jour": fields["frequency"] and fields["frequency"] != "unknown",
        "description de plus de 100 caractères": len(fields["description"]) > SHORTEST_DESCRIPTION,
        "fichiers": files,
        "format ouvert": any(file.filename.rpartition(".")[2] not in CLOSED_FORMATS for file in files),
        "documentation": any(file.type == "documentation" or file.description for file in files),
    }
    return tuple(name for name, met in criteria.items() if not met)


def earlier_files(rooms: Rooms, dataset: str) -> frozenset[str]:
    """Return the sha1 of every file of every release and of what was made of it: what a lost upload may have left."""
    versions = history.versions(rooms.releases, dataset)
    folders = [room / dataset / version for room in (rooms.releases, rooms.renditions) for version in versions]
    remembered = FileDigests(rooms.digests)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    digests_of_files = [remembered.of(path) for path in files]
    remembered.keep()
    return frozenset(sha1 for _, sha1, _ in digests_of_files)


def _accepted(
    placed: Iterable[DesiredResource], extensions: frozenset[str]
) -> tuple[list[DesiredResource], tuple[str, ...]]:
    """Return what the target accepts, under another extension if need be, and a sentence for the rest.

    Names are as udata writes them: a file must be known again when it is read back.
    """
    accepted, omitted = [], []
    for file in placed:
        name = Path(file.path.name.lower().replace("_", "-"))
        if name.suffix[1:] not in extensions and file.fallback:
            name = name.with_suffix(file.fallback)
        if name.suffix[1:] in extensions:
            accepted.append(replace(file, filename=name.name))
        else:
            omitted.append(f"« {file.title} » n'est pas envoyé : la cible n'accepte pas {name.suffix}")
    return accepted, tuple(omitted)


def _weighed(
    catalogue: Catalogue,
    release: Path,
    accepted: list[DesiredResource],
    remote: RemoteDataset | None,
    remembered: FileDigests,
) -> Iterator[DesiredResource]:
    """Yield the resources with what their files are known by."""
    keys = {file.path.name: file.key for file in accepted}
    for file in accepted:
        if file.key in LINKED:
            size, sha1, sha256 = digests([_document(file.key, catalogue, release, remote, keys)])
        else:
            size, sha1, sha256 = remembered.of(file.path)
        schema = file.schema_of if file.schema_of in keys.values() else None
        yield replace(file, size=size, sha1=sha1, extras=_extras(file, release, sha1, sha256), schema_of=schema)


def _extras(file: DesiredResource, release: Path, sha1: str, sha256: str) -> dict[str, str]:
    extras = {KEY: file.key, SHA256: sha256}
    if not file.immutable:
        return extras | {VERSION: release.name}
    version = file.key.removeprefix(ARCHIVE)
    return extras | {VERSION: version, SHA1: sha1, CONTENT: history.release_hash(release.parent / version)}


def _fields(dataset: Dataset, descriptor: Mapping[str, Any], resources: Iterable[DesiredResource]) -> dict[str, Any]:
    years = sorted(file.key.removeprefix(YEARLY) for file in resources if file.key.startswith(YEARLY))
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


def _document(
    key: str, catalogue: Catalogue, release: Path, remote: RemoteDataset | None, keys: Mapping[str, str]
) -> bytes:
    """Return the reuse page or the feed of a release, with the permalinks that the target gave, else our keys.

    ``keys`` gives our key of each file that is offered, by name.
    """
    dataset, page = release.parent.name, remote.permalink if remote is not None else ""
    permalinks = {held: resource.latest for held, resource in remote.by_key.items()} if remote is not None else {}
    links = {offered: permalinks.get(offered, offered) for offered in keys.values()}
    if key == REUSE_KEY:
        text = reuse_page(catalogue, dataset, release, address=lambda name: links.get(keys.get(name, ""), ""))
        return text.encode("utf-8")
    # The feed doesn't name its own address, which a platform gives only once it holds it.
    return atom(
        known_versions(release.parent.parent, dataset),
        history.descriptor(release),
        address=page,
        link=lambda version: links.get(f"{ARCHIVE}{version}", page),
    )


# The sha1 and sha256 of files to send, worked out again only where the disk says that a file was touched.


class FileDigests:
    """The digests of files, remembered in a file of the output: plans don't cost more as releases add up.

    ``keep`` writes what was learnt; a memory that is lost or damaged costs one reading of each file.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._before = saved_facts(memory)
        self._known = dict(self._before)

    def of(self, path: Path) -> tuple[int, str, str]:
        """Return the bytes, sha1 and sha256 of a file."""
        if not self.untouched(path):
            signs = disk_signs(path)  # before it is read: what is written meanwhile is seen next time
            with path.open("rb") as stream:
                self._known[str(path.absolute())] = [signs, *digests(chunks(stream))]
        _, size, sha1, sha256 = self._known[str(path.absolute())]
        return size, sha1, sha256

    def untouched(self, path: Path) -> bool:
        """Say whether a file is as it was when its digests were worked out."""
        facts = self._known.get(str(path.absolute()))
        return facts is not None and path.is_file() and facts[0] == disk_signs(path)

    def keep(self) -> None:
        """Write the digests of the files that are still there."""
        there = {place: facts for place, facts in self._known.items() if Path(place).is_file()}
        if there != self._before:
            put(self._memory, json.dumps(there, indent=0, sort_keys=True).encode())


def digests(blocks: Iterable[bytes]) -> tuple[int, str, str]:
    """Return the bytes, sha1 and sha256 of a content."""
    sha1, sha256, size = hashlib.sha1(usedforsecurity=False), hashlib.sha256(), 0
    for block in blocks:
        sha1.update(block)
        sha256.update(block)
        size += len(block)
    return size, sha1.hexdigest(), sha256.hexdigest()
