"""Releases → what we want a platform to hold: fields of the dataset, resources in order. No target is read here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.declarations import Catalogue, Dataset
from pipelines.release import history
from pipelines.release.renditions import content_hash, put
from pipelines.targets.target import ARCHIVE, CONTENT, KEY, SHA1, SHA256, VERSION, RemoteState, file_name
from pipelines.targets.udata.documents import Linked, Links, links_of
from pipelines.targets.udata.resources import Placed, ResourceType, archives, latest_files

CLOSED_FORMATS = frozenset({"pdf", "doc", "docx", "word", "xls", "excel", "xlsx"})
SHORTEST_DESCRIPTION = 100  # characters; more are needed for the point of quality
_BLOCK = 1 << 20


@dataclass(frozen=True)
class DesiredResource:
    """A file that the platform must hold, and what it must say of it.

    ``schema`` is udata's {name, version} or {url}; ``schema_of`` the key of our resource whose permalink is its URL. A
    ``linked`` document holds the links of the keys that it ``needs``.
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
    schema: Mapping[str, str]
    schema_of: str | None = None
    linked: Linked | None = None
    needs: frozenset[str] = frozenset()

    @property
    def pending(self) -> bool:
        """Whether it waits for links that the target has yet to give; its content is known only then."""
        return not self.sha1

    @property
    def draft(self) -> str | None:
        """The sha256 of a pending document with our keys in the place of links: what is agreed to before it is sent."""
        if self.linked is None or not self.pending:
            return None
        return hashlib.sha256(self.linked.write(Links("", {key: key for key in self.needs}))).hexdigest()

    def written(self, links: Links) -> DesiredResource:
        """Return a document written with these links, or as it is while one that it needs is missing."""
        if self.linked is None or not self.needs <= links.files.keys():
            return self
        put(self.path, self.linked.write(Links(links.page, {key: links.files[key] for key in self.needs})))
        sha1, sha256 = _digests(self.path)
        extras = {**self.extras, SHA256: sha256}
        return replace(self, size=self.path.stat().st_size, sha1=sha1, extras=extras)

    @property
    def immutable(self) -> bool:
        """Whether the file never changes once sent."""
        return self.key.startswith(ARCHIVE)


@dataclass(frozen=True)
class DesiredDataset:
    """What we want of one dataset. ``kept`` names the fields that, once there, people change on the platform.

    ``omitted`` says in French what the target can't take; ``quality`` what would miss for the full score of udata.
    """

    dataset: str
    version: str
    versions: tuple[str, ...]
    fields: Mapping[str, Any]
    contact: tuple[str, str]
    resources: tuple[DesiredResource, ...]
    kept: frozenset[str] = frozenset()
    omitted: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    synthetic: bool = False

    def resource(self, key: str) -> DesiredResource:
        """Return the resource of that key."""
        return next(item for item in self.resources if item.key == key)

    def offers(self, key: str | None) -> bool:
        """Whether a resource of that key is offered."""
        return any(item.key == key for item in self.resources)


def desired_dataset(
    catalogue: Catalogue, dataset_id: str, releases: Path, made: Path, state: RemoteState
) -> DesiredDataset | None:
    """Return what a target in that state should hold, None when nothing was released yet.

    The state says which extensions are accepted, and which links are known. Archives, yearly files and documents with
    links are written below ``made``.
    """
    versions = history.versions(releases, dataset_id)
    if not versions:
        return None
    folders = [releases / dataset_id / version for version in versions]
    dataset, descriptor = catalogue.datasets[dataset_id], history.descriptor(folders[-1])
    home = made / dataset_id
    links = home / versions[-1] / file_name(state.address)
    placed = [*latest_files(catalogue, dataset_id, folders[-1], home, links), *archives(dataset_id, folders, home)]
    resources, omitted = _accepted(placed, state.extensions, dataset, versions[-1], releases / dataset_id)
    resources = _linked(resources, links_of(state.dataset) if state.dataset else None)
    fields = _fields(dataset, descriptor, resources)
    return DesiredDataset(
        dataset=dataset_id,
        version=versions[-1],
        versions=tuple(versions),
        fields=fields,
        contact=(dataset.contact.name, dataset.contact.email),
        resources=resources,
        kept=frozenset(dataset.kept),
        omitted=omitted,
        quality=missing_quality(fields, resources),
        synthetic=bool(descriptor.get("synthetic")),
    )


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


def earlier_files(releases: Path, dataset: str, made: Path) -> frozenset[str]:
    """Return the sha1 of every file of every release and of what was made of it: what a lost upload may have left."""
    folders = [place / version for place in (releases / dataset, made / dataset)
               for version in history.versions(releases, dataset)]  # fmt: skip
    return frozenset(_digests(path)[0] for folder in folders for path in folder.rglob("*") if path.is_file())


def _accepted(
    placed: Iterable[Placed], extensions: frozenset[str], dataset: Dataset, version: str, home: Path
) -> tuple[tuple[DesiredResource, ...], tuple[str, ...]]:
    """Return what the target accepts, under another extension where one is known, and a sentence for the rest."""
    offered, omitted = [], []
    found = list(placed)
    schemas = {item.key for item in found if item.key.startswith("schema:") and "json" in extensions}
    for item in found:
        filename = item.filename
        if _extension(filename) not in extensions and item.fallback:
            filename = str(Path(filename).with_suffix(item.fallback))
        if _extension(filename) not in extensions:
            omitted.append(f"« {item.title} » n'est pas envoyé : la cible n'accepte pas .{_extension(filename)}")
            continue
        offered.append(_resource(item, filename, dataset, version, home, schemas))
    return tuple(offered), tuple(omitted)


def _resource(
    item: Placed, filename: str, dataset: Dataset, version: str, home: Path, schemas: set[str]
) -> DesiredResource:
    sha1, sha256 = _digests(item.path) if item.linked is None else ("", "")
    extras = {KEY: item.key, SHA256: sha256}
    if item.immutable:
        held = item.key.removeprefix(ARCHIVE)
        extras |= {VERSION: held, SHA1: sha1, CONTENT: content_hash(home / held)}
    else:
        extras |= {VERSION: version}
    declared = dataset.schemas.get(item.table or "")
    own = f"schema:{item.table}"
    return DesiredResource(
        key=item.key,
        path=item.path,
        filename=filename,
        size=item.path.stat().st_size if item.linked is None else 0,
        sha1=sha1,
        title=item.title,
        description=item.description,
        type=item.type,
        extras=extras,
        schema={"name": declared.name, "version": declared.version} if declared else {},
        schema_of=own if item.table and not declared and own in schemas else None,
        linked=item.linked,
    )


def _linked(resources: tuple[DesiredResource, ...], links: Links | None) -> tuple[DesiredResource, ...]:
    """Return the resources, documents with links written where all the links that they need are known."""
    offered = frozenset(item.key for item in resources)

    def document(item: DesiredResource, linked: Linked) -> DesiredResource:
        needing = replace(item, needs=linked.keys & offered)
        return needing.written(links) if links is not None else needing

    return tuple(document(item, item.linked) if item.linked is not None else item for item in resources)


def _fields(dataset: Dataset, descriptor: Mapping[str, Any], resources: Iterable[DesiredResource]) -> dict[str, Any]:
    years = sorted(item.key.removeprefix("annee:") for item in resources if item.key.startswith("annee:"))
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


def _digests(path: Path) -> tuple[str, str]:
    sha1, sha256 = hashlib.sha1(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            sha1.update(block)
            sha256.update(block)
    return sha1.hexdigest(), sha256.hexdigest()
