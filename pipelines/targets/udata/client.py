"""The calls of udata that publication needs, one method each. What to send, and in which order, is decided elsewhere.

There is no call that deletes. A POST whose answer is lost is repeated only after a look at what is there. A large file
goes in parts, which can't be sent twice under one uuid (the server answers 500): a lost one starts the file again under
another, and parts that were never put together are swept by the server and show nowhere.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pipelines.targets.udata import remote
from pipelines.targets.udata.remote import Contact, Json, Listed, Organization, RemoteDataset, RemoteResource
from pipelines.targets.udata.transport import NotFoundError, NotUdataError, Transport, UnknownOutcomeError

T = TypeVar("T")
CHUNK = 8 * 1024 * 1024  # bytes; nothing larger is held in memory or sent at once
PAGE = 100
ATTEMPTS = 3
# Seconds before each look for what a lost answer may have done. Over one second: two files of one name within one
# second are refused. A server that may still be at work is looked at several times, and nothing is sent again to it.
LOOKS = (1.2, 3.0, 6.0)

_LISTED = "id,title,extras,created_at,deleted,private,organization{id}"


@dataclass(frozen=True)
class Udata:
    """A udata server, as one account sees it."""

    transport: Transport
    chunk: int = CHUNK
    looks: tuple[float, ...] = LOOKS

    @property
    def base_url(self) -> str:
        """Address of the server, without a final slash."""
        return self.transport.base_url

    def organizations(self) -> list[Organization]:
        """Return the organizations of the account of the key."""
        try:
            return self.transport.get("/api/1/me/", remote.account, fields="id,organizations{id,slug,name}")
        except NotFoundError:
            message = f"{self.base_url} n'a pas l'API d'udata ; vérifier l'adresse de la cible"
            raise NotUdataError(message) from None

    def has_organization(self, name: str) -> bool:
        """Whether there is an organization of that id or slug."""
        path = f"/api/1/organizations/{name}/"
        return self._there(lambda: self.transport.get(path, remote.identifier, fields="id,slug,name")) is not None

    def extensions(self) -> frozenset[str]:
        """Return the file extensions that the server accepts."""
        return self.transport.get("/api/1/datasets/extensions/", remote.SOME.validate_python)

    def licences(self) -> frozenset[str]:
        """Return the ids of the licences that the server knows; any other is silently lost."""
        return self.transport.get("/api/1/datasets/licenses/", remote.licences, fields="id")

    def datasets(self) -> list[Listed]:
        """Return a few fields of every dataset of the account and its organizations, drafts and deleted ones too.

        An empty list is asked for again: a dataset would be created beside one that a passing fault didn't show.
        """
        path = "/api/1/me/org_datasets/"
        first = self.transport.get(path, remote.listed, fields=_LISTED)
        return first or self.transport.get(path, remote.listed, fields=_LISTED)

    def dataset(self, dataset: str) -> RemoteDataset | None:
        """Return a dataset whole (``deleted`` says when it was), or None when it is not there for this account."""
        return self._there(lambda: self.transport.get(f"/api/1/datasets/{dataset}/", remote.dataset))

    def resource(self, resource: str) -> RemoteResource | None:
        """Return a resource by its id alone, None when it is not there."""
        path = f"/api/2/datasets/resources/{resource}/"
        return self._there(lambda: self.transport.get(path, lambda body: remote.resource(body["resource"])))

    def contacts(self, organization: str) -> list[Contact]:
        """Return every contact point of an organization."""
        path, every, page, more = f"/api/1/organizations/{organization}/contacts/", list[Contact](), 1, True
        while more:
            contacts, more = self.transport.get(path, remote.contacts, params={"page": page, "page_size": PAGE})
            every += contacts
            page += 1
        return every

    def create_contact(self, body: Json, look: Callable[[], str | None]) -> str:
        """Create a contact point, return its id; ``look`` finds one that a lost answer left."""
        return self._once(lambda: self.transport.post("/api/1/contacts/", remote.identifier, body), look)

    def create_dataset(self, body: Json, look: Callable[[], str | None]) -> str:
        """Create a dataset, return its id; ``look`` finds one that a lost answer left."""
        return self._once(lambda: self.transport.post("/api/1/datasets/", remote.identifier, body), look)

    def put_dataset(self, dataset: str, body: Json) -> None:
        """Replace the fields given. Trap: ``tags`` and ``temporal_coverage`` are wiped when they are not given."""
        self.transport.put(f"/api/1/datasets/{dataset}/", remote.identifier, body)

    def merge_extras(self, dataset: str, extras: Json) -> None:
        """Merge extras into those of a dataset; None removes a key. Dates of the dataset stay."""
        self.transport.put(f"/api/2/datasets/{dataset}/extras/", remote.extras_of_ours, extras)

    def upload(self, dataset: str, file: Path, name: str, look: Callable[[], RemoteResource | None]) -> RemoteResource:
        """Send a file, under a name, as a new resource; ``look`` finds the one that a lost answer left."""
        return self._once(lambda: self._send_file(f"/api/1/datasets/{dataset}/upload/", file, name), look)

    def replace(
        self, dataset: str, resource: str, file: Path, name: str, look: Callable[[], RemoteResource | None]
    ) -> RemoteResource:
        """Send a file in the place of a resource's. Trap: its title becomes the file name, its old URL is gone."""
        path = f"/api/1/datasets/{dataset}/resources/{resource}/upload/"
        return self._once(lambda: self._send_file(path, file, name), look)

    def put_resource(self, dataset: str, resource: str, body: Json) -> RemoteResource:
        """Replace the fields given of a resource (extras whole); moves its date of modification."""
        return self.transport.put(f"/api/1/datasets/{dataset}/resources/{resource}/", remote.resource, body)

    def merge_resource_extras(self, dataset: str, resource: str, extras: Json) -> None:
        """Merge extras into those of a resource; None removes a key. Its dates stay."""
        self.transport.put(f"/api/2/datasets/{dataset}/resources/{resource}/extras/", remote.extras, extras)

    def order(self, dataset: str, resources: Sequence[str]) -> None:
        """Give the order of resources; all ids are needed, the server refuses a partial list."""
        body = [{"id": resource} for resource in resources]
        self.transport.put(f"/api/1/datasets/{dataset}/resources/", remote.ordered, body)

    def _send_file(self, path: str, file: Path, name: str) -> RemoteResource:
        """Send a file to an upload address: in one request when it is small."""
        if file.stat().st_size <= self.chunk:
            return self.transport.post_form(path, remote.resource, {}, (name, file.read_bytes()))
        try:
            form = self._once(lambda: self._send_parts(path, file, name), lambda: None)
        except UnknownOutcomeError as error:
            error.working = True  # it was sent three times: the next publication begins anew
            raise
        return self.transport.post_form(path, remote.resource, form, None)

    def _send_parts(self, path: str, file: Path, name: str) -> dict[str, str]:
        """Send every part of a file; return the form that has the server put them together."""
        count = -(-file.stat().st_size // self.chunk)
        form = {"uuid": str(uuid.uuid4()), "filename": name, "totalparts": str(count)}
        try:
            with file.open("rb") as stream:
                for index in range(count):
                    content = stream.read(self.chunk)
                    described = {**form, "partindex": str(index), "chunksize": str(len(content))}
                    self.transport.post_form(path, remote.part, described, (name, content))
        except UnknownOutcomeError as error:
            error.working = False  # whatever becomes of parts alone, they make no file
            raise
        return form

    @staticmethod
    def _there(ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except NotFoundError:
            return None

    def _once(self, send: Callable[[], T], look: Callable[[], T | None]) -> T:
        """Send; when the outcome is unknown, look before sending again.

        Where the server may still be at work nothing is sent again: the next publication finds what came of it.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return send()
            except UnknownOutcomeError as error:
                for wait in self.looks if error.working else self.looks[:1]:
                    self.transport.sleep(wait)
                    if (landed := look()) is not None:
                        return landed
                if error.working or attempt == ATTEMPTS:
                    raise
        raise AssertionError("unreachable")
