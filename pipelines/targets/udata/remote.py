"""What a udata holds of one of our datasets, as plain data in our names, and how it is read.

A dataset and its resources are known by our own keys in their extras, never by title or slug.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pipelines.release.errors import PublicationError
from pipelines.targets.udata.client import Json, Udata

MANAGED = ("title", "description", "description_short", "tags", "license", "frequency", "temporal_coverage", "spatial")

# Keys of extras. Everything of ours starts alike, so that it can be told from what others write.
OURS = "resultats:"
DATASET = "resultats:dataset"  # dataset: which of our datasets it is
VERSION = "resultats:version"  # dataset: version wholly published; resource: version that it holds
KEY = "resultats:key"  # resource: which of our resources it is
SHA256 = "resultats:sha256"  # resource: of the file sent
SHA1 = "resultats:sha1"  # archive: of the file sent, whose bytes another machine may compress otherwise
CONTENT = "resultats:content"  # archive: sha256 of its SHA256SUMS, which decides whether it changed
SUPERSEDED = "resultats:superseded"  # resource: why it is no longer kept up to date

ARCHIVE = "archive:"  # how the keys of archives start


@dataclass(frozen=True)
class RemoteResource:
    """A resource as the target tells it; ``filename`` is the last part of its address."""

    id: str
    title: str
    description: str
    type: str
    filename: str
    filetype: str
    sha1: str | None
    size: int | None
    schema: Mapping[str, str]
    extras: Mapping[str, Any]
    latest: str
    created_at: str

    @property
    def key(self) -> str | None:
        """Our key, None for a resource that is not ours or not described yet."""
        found = self.extras.get(KEY)
        return str(found) if found else None

    @property
    def undescribed(self) -> bool:
        """Whether it is as an upload leaves it: titled with its file name, without our key."""
        return self.filetype == "file" and self.key is None and self.title == self.filename


@dataclass(frozen=True)
class RemoteDataset:
    """A dataset as the target tells it; ``fields`` are those that we manage, in our names and normal form."""

    id: str
    page: str
    fields: Mapping[str, Any]
    private: bool
    deleted: str | None
    extras: Mapping[str, Any]
    contacts: tuple[tuple[str, str], ...]  # name, e-mail
    contact_ids: tuple[str, ...]
    resources: tuple[RemoteResource, ...]
    quality: Mapping[str, Any] = field(default_factory=dict)

    @property
    def permalink(self) -> str:
        """Its page by its id: unlike ``page``, which has its title, it never changes."""
        start, _, _ = self.page.rstrip("/").rpartition("/")
        ending = "/" if self.page.endswith("/") else ""
        return f"{start}/{self.id}{ending}"

    @property
    def version(self) -> str | None:
        """The version that was last published wholly."""
        found = self.extras.get(VERSION)
        return str(found) if found else None

    @property
    def by_key(self) -> dict[str, RemoteResource]:
        """Our files by their keys; of two of one key the oldest counts."""
        files = [item for item in self.resources if item.filetype == "file"]
        oldest_last = sorted(files, key=lambda item: (item.created_at, item.id), reverse=True)
        return {item.key: item for item in oldest_last if item.key}


@dataclass(frozen=True)
class RemoteState:
    """What a udata holds of one of our datasets, and what it accepts.

    ``last_page`` is that of the last publication, empty when there was none; ``others`` the ids of datasets of the same
    key.
    """

    address: str
    organization: str
    extensions: frozenset[str]
    licences: frozenset[str]
    dataset: RemoteDataset | None = None
    last_page: str = ""
    others: tuple[str, ...] = ()


def read_state(client: Udata, organization: str, dataset: str, last_page: str = "") -> RemoteState:
    """Return what the target holds of our ``dataset``.

    Raises PublicationError when the organization is not there or the account is not one of its members.
    """
    owner = member_of(client, organization)
    found = carriers(client, owner, dataset)
    body = client.dataset(found[0]["id"]) if found else None
    return RemoteState(
        address=client.base_url,
        organization=owner,
        extensions=client.extensions(),
        licences=client.licences(),
        dataset=remote_dataset(body) if body is not None else None,
        last_page=last_page,
        others=tuple(item["id"] for item in found[1:] if not item["deleted"]),
    )


def carriers(client: Udata, organization: str, dataset: str) -> list[Json]:
    """Return the datasets of an organization that carry our key: those in use first, then the oldest."""
    found = [
        item
        for item in client.datasets()
        if item["extras"].get(DATASET) == dataset and (item.get("organization") or {}).get("id") == organization
    ]
    return sorted(found, key=lambda item: (item["deleted"] is not None, item["created_at"], item["id"]))


def member_of(client: Udata, wanted: str) -> str:
    """Return the id of an organization of the account; raises PublicationError when it isn't one of its members."""
    for item in client.me()["organizations"]:
        if wanted in (item["id"], item["slug"]):
            return str(item["id"])
    if client.organization(wanted) is None:
        raise PublicationError(
            f"L'organisation « {wanted} » n'existe pas sur {client.base_url} ; corriger RESULTATS_ORGANIZATION "
            "(identifiant ou nom court de l'organisation, lu dans l'adresse de sa page)."
        )
    raise PublicationError(
        f"Le compte de la clé d'API n'est pas membre de l'organisation « {wanted} » ; "
        "demander à un administrateur de l'organisation de l'inviter comme éditeur."
    )


def remote_dataset(body: Json) -> RemoteDataset:
    """Return a dataset of the API in our form."""
    contacts = body.get("contact_points") or []
    return RemoteDataset(
        id=body["id"],
        page=body.get("page") or f"{body['uri']}",
        fields=_managed(body),
        private=bool(body["private"]),
        deleted=body.get("deleted"),
        extras=body.get("extras") or {},
        contacts=tuple((item["name"], item.get("email") or "") for item in contacts),
        contact_ids=tuple(item["id"] for item in contacts),
        resources=tuple(remote_resource(item) for item in body["resources"]),
        quality=body.get("quality") or {},
    )


def remote_resource(body: Json) -> RemoteResource:
    """Return a resource of the API in our form."""
    checksum, schema = body.get("checksum") or {}, body.get("schema") or {}
    return RemoteResource(
        id=body["id"],
        title=body["title"],
        description=body.get("description") or "",
        type=body["type"],
        filename=urlsplit(body.get("url") or "").path.rpartition("/")[2],
        filetype=body["filetype"],
        sha1=checksum.get("value") if checksum.get("type") == "sha1" else None,
        size=body.get("filesize"),
        schema={name: value for name, value in schema.items() if value},
        extras=body.get("extras") or {},
        latest=body["latest"],
        created_at=body["created_at"],
    )


def _managed(body: Json) -> dict[str, Any]:
    """Return the fields of a dataset that we manage, in a form that compares."""
    coverage, spatial = body.get("temporal_coverage"), body.get("spatial") or {}
    zones = [zone if isinstance(zone, str) else zone["id"] for zone in spatial.get("zones") or ()]
    return {
        **{name: body.get(name) for name in MANAGED},
        "tags": sorted(body.get("tags") or ()),
        "temporal_coverage": {name: (coverage.get(name) or "")[:10] for name in ("start", "end")} if coverage else None,
        "spatial": {"zones": sorted(zones), "granularity": spatial.get("granularity")},
    }
