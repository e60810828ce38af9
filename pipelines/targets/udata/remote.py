"""What a udata holds, as plain data in our names, read of its answers.

A dataset and its resources are known by our own keys in their extras, never by title or slug. An answer of another
shape (``{}``, ``null``, ``[]``, a text) can't be read: KeyError, TypeError or ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

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

Json = Mapping[str, Any]
Contacts = tuple[tuple[str, str], ...]  # name, e-mail
SOME = TypeAdapter(Annotated[frozenset[str], Field(min_length=1)])  # a list of names that is never empty


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
        return str(self.extras[KEY]) if self.extras.get(KEY) else None

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
    contacts: Contacts
    contact_ids: tuple[str, ...]
    resources: tuple[RemoteResource, ...]
    quality: Mapping[str, Any] = field(default_factory=dict)

    @property
    def permalink(self) -> str:
        """Its page by its id: unlike ``page``, which has its title, it never changes."""
        start, _, _ = self.page.rstrip("/").rpartition("/")
        return f"{start}/{self.id}/" if self.page.endswith("/") else f"{start}/{self.id}"

    @property
    def version(self) -> str | None:
        """The version that was last published wholly."""
        return str(self.extras[VERSION]) if self.extras.get(VERSION) else None

    @property
    def by_key(self) -> dict[str, RemoteResource]:
        """Our files by their keys; of two of one key the oldest counts."""
        oldest_last = sorted(self.resources, key=lambda resource: (resource.created_at, resource.id), reverse=True)
        return {resource.key: resource for resource in oldest_last if resource.key and resource.filetype == "file"}


@dataclass(frozen=True)
class Listed:
    """A dataset in the list of those of an account, drafts and deleted ones too; ``owner`` is its organization."""

    id: str
    extras: Mapping[str, Any]
    created_at: str
    deleted: str | None
    owner: str | None


@dataclass(frozen=True)
class Contact:
    """A contact point of an organization."""

    id: str
    name: str
    email: str


@dataclass(frozen=True)
class Organization:
    """An organization of the account."""

    id: str
    slug: str


def identifier(body: Any) -> str:
    """Return the id of something made or changed, of which nothing else is read."""
    if not isinstance(body["id"], str):
        raise TypeError(body["id"])
    return str(body["id"])


def extras(body: Any) -> Json:
    """Return the extras of a resource, of which any may be there."""
    if not isinstance(body, Mapping):
        raise TypeError(body)
    return body


def extras_of_ours(body: Any) -> Json:
    """Return the extras of a dataset of ours, which has our key."""
    if not body:
        raise ValueError(body)
    return extras(body)


def account(body: Any) -> list[Organization]:
    """Return the organizations of the account of a key."""
    return [Organization(each["id"], each["slug"]) for each in body["organizations"]]


def licences(body: Any) -> frozenset[str]:
    """Return the ids of the licences that a server knows: there is always one."""
    return SOME.validate_python([identifier(licence) for licence in body])


def listed(body: Any) -> list[Listed]:
    """Return the datasets of an account, of which there may be none."""
    if not isinstance(body, list):
        raise TypeError(body)
    return [
        Listed(each["id"], each["extras"], each["created_at"], each["deleted"], (each["organization"] or {}).get("id"))
        for each in body
    ]


def contact(body: Any) -> Contact:
    """Return a contact point."""
    return Contact(body["id"], body["name"], body.get("email") or "")


def contacts(body: Any) -> tuple[list[Contact], bool]:
    """Return a page of contact points, and whether there is another."""
    return [contact(each) for each in body["data"]], bool(body.get("next_page"))


def ordered(body: Any) -> int:
    """Return how many resources were put in order."""
    return len(SOME.validate_python([identifier(resource) for resource in body]))


def part(body: Any) -> None:
    """Read that a part of a file arrived."""
    if body["success"] is not True:
        raise ValueError(body)


def dataset(body: Any) -> RemoteDataset:
    """Return a whole dataset."""
    contacts = [contact(point) for point in body.get("contact_points") or ()]
    return RemoteDataset(
        id=body["id"],
        page=body.get("page") or body["uri"],
        fields=_managed(body),
        private=body["private"],
        deleted=body.get("deleted"),
        extras=body.get("extras") or {},
        contacts=tuple((point.name, point.email) for point in contacts),
        contact_ids=tuple(point.id for point in contacts),
        resources=tuple(resource(held) for held in body["resources"]),
        quality=body.get("quality") or {},
    )


def resource(body: Any) -> RemoteResource:
    """Return a resource."""
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
        **{name: body.get(name) for name in ("title", "description", "description_short", "license", "frequency")},
        "tags": sorted(body.get("tags") or ()),
        "temporal_coverage": {name: (coverage.get(name) or "")[:10] for name in ("start", "end")} if coverage else None,
        "spatial": {"zones": sorted(zones), "granularity": spatial.get("granularity")},
    }
