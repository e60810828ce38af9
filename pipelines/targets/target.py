"""What a target holds, as plain data, and the names of targets. How it is read from a server is in ``udata.reading``.

A dataset and its resources are known by our own keys in their extras, never by title, slug or a local file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

LOCAL = "local"
ADDRESSES = {"demo": "https://demo.data.gouv.fr", "www": "https://www.data.gouv.fr"}

# Keys of extras. Everything of ours starts alike, so that it can be told from what others write.
OURS = "resultats:"
DATASET = "resultats:dataset"  # dataset: which of our datasets it is
VERSION = "resultats:version"  # dataset: version wholly published; resource: version that it holds
LEASE = "resultats:publication"  # dataset: who is publishing now; gone when the publication is complete
SPARE = "resultats:libre"  # dataset: an empty draft left by two publications at once, used before another is made
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
        return f"{start}/{self.id}{'/' * self.page.endswith('/')}"

    @property
    def version(self) -> str | None:
        """The version that was last published wholly."""
        found = self.extras.get(VERSION)
        return str(found) if found else None

    @property
    def lease(self) -> str | None:
        """Who is publishing, or was when it died."""
        found = self.extras.get(LEASE)
        return str(found) if found else None


@dataclass(frozen=True)
class RemoteState:
    """What a target holds of one of our datasets, and what it accepts.

    ``expected`` is the id under which the dataset was last seen, ``others`` the ids of datasets of the same key.
    """

    address: str
    organization: str
    extensions: frozenset[str]
    licences: frozenset[str]
    dataset: RemoteDataset | None = None
    expected: str | None = None
    others: tuple[str, ...] = ()


def address(target: str) -> str | None:
    """Return the base URL of a named target or of one given by its URL, None when it is neither."""
    found = ADDRESSES.get(target, target)
    return found.rstrip("/") if found.startswith(("https://", "http://")) else None


def safe_for_a_key(url: str) -> bool:
    """Whether a key may be sent to that address: over TLS, or without leaving this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or _loopback(parts.hostname or "")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def file_name(target: str) -> str:
    """Return a file name for a target: letters, digits and dashes."""
    kept = [character if character.isalnum() else "-" for character in target.rpartition("://")[2].rstrip("/").lower()]
    return "".join(kept)
