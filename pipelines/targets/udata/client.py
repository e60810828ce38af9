"""The calls of udata that publication needs, one method each. What to send, and in which order, is decided elsewhere.

There is no call that deletes. A POST whose answer is lost is repeated only after a look at what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.targets.udata import shapes
from pipelines.targets.udata.errors import NotFoundError, NotUdataError, UnknownOutcomeError
from pipelines.targets.udata.shapes import Shape
from pipelines.targets.udata.transport import Transport
from pipelines.targets.udata.uploads import CHUNK, Upload, send_file

Json = Mapping[str, Any]
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

    def me(self) -> Json:
        """Return the account of the key, with its organizations."""
        try:
            return self._mapping("/api/1/me/", shapes.account, "id,organizations{id,slug,name}")
        except NotFoundError:
            message = f"{self.base_url} n'a pas l'API d'udata ; vérifier l'adresse de la cible"
            raise NotUdataError(message) from None

    def organization(self, name: str) -> Json | None:
        """Return an organization by id or slug, None when there is none."""
        try:
            return self._mapping(f"/api/1/organizations/{name}/", shapes.identified, "id,slug,name")
        except NotFoundError:
            return None

    def extensions(self) -> frozenset[str]:
        """Return the file extensions that the server accepts."""
        return frozenset(self.transport.get("/api/1/datasets/extensions/", shapes.texts))

    def licences(self) -> frozenset[str]:
        """Return the ids of the licences that the server knows; any other is silently lost."""
        found = self.transport.get("/api/1/datasets/licenses/", shapes.licences, fields="id")
        return frozenset(item["id"] for item in found)

    def datasets(self) -> Sequence[Json]:
        """Return a few fields of every dataset of the account and its organizations, drafts and deleted ones too.

        An empty list is asked for again: a dataset would be created beside one that a passing fault didn't show.
        """
        path = "/api/1/me/org_datasets/"
        found: Sequence[Json] = self.transport.get(path, shapes.listed, fields=_LISTED)
        return found or self.transport.get(path, shapes.listed, fields=_LISTED)

    def dataset(self, dataset: str) -> Json | None:
        """Return a dataset whole (``deleted`` says when it was), or None when it is not there for this account."""
        try:
            return self._mapping(f"/api/1/datasets/{dataset}/", shapes.dataset)
        except NotFoundError:
            return None

    def resource(self, resource: str) -> Json | None:
        """Return a resource by its id alone, None when it is not there."""
        try:
            body: Json = self.transport.get(f"/api/2/datasets/resources/{resource}/", shapes.held)["resource"]
        except NotFoundError:
            return None
        return body

    def contacts(self, organization: str) -> list[Json]:
        """Return every contact point of an organization."""
        return self._pages(f"/api/1/organizations/{organization}/contacts/")

    def create_contact(self, body: Json, look: Callable[[], Json | None]) -> Json:
        """Create a contact point; ``look`` finds one that a lost answer left."""
        return self._once(lambda: self.transport.post("/api/1/contacts/", shapes.identified, body), look)

    def create_dataset(self, body: Json, look: Callable[[], Json | None]) -> Json:
        """Create a dataset; ``look`` finds one that a lost answer left."""
        return self._once(lambda: self.transport.post("/api/1/datasets/", shapes.identified, body), look)

    def put_dataset(self, dataset: str, body: Json) -> Json:
        """Replace the fields given. Trap: ``tags`` and ``temporal_coverage`` are wiped when they are not given."""
        return self._put(f"/api/1/datasets/{dataset}/", shapes.identified, body)

    def merge_extras(self, dataset: str, extras: Json) -> Json:
        """Merge extras into those of a dataset; None removes a key. Dates of the dataset stay."""
        return self._put(f"/api/2/datasets/{dataset}/extras/", shapes.marked, extras)

    def upload(self, dataset: str, upload: Upload, look: Callable[[], Json | None]) -> Json:
        """Send a file as a new resource; ``look`` finds the one that a lost answer left."""
        path = f"/api/1/datasets/{dataset}/upload/"
        return self._once(lambda: send_file(self.transport, path, upload, self.chunk), look)

    def replace(self, dataset: str, resource: str, upload: Upload, look: Callable[[], Json | None]) -> Json:
        """Send a file in the place of a resource's. Trap: its title becomes the file name, its old URL is gone."""
        path = f"/api/1/datasets/{dataset}/resources/{resource}/upload/"
        return self._once(lambda: send_file(self.transport, path, upload, self.chunk), look)

    def put_resource(self, dataset: str, resource: str, body: Json) -> Json:
        """Replace the fields given of a resource (extras whole); moves its date of modification."""
        return self._put(f"/api/1/datasets/{dataset}/resources/{resource}/", shapes.identified, body)

    def merge_resource_extras(self, dataset: str, resource: str, extras: Json) -> Json:
        """Merge extras into those of a resource; None removes a key. Its dates stay."""
        return self._put(f"/api/2/datasets/{dataset}/resources/{resource}/extras/", shapes.mapping, extras)

    def order(self, dataset: str, resources: Sequence[str]) -> None:
        """Give the order of resources; all ids are needed, the server refuses a partial list."""
        self.transport.put(
            f"/api/1/datasets/{dataset}/resources/", shapes.sequence, [{"id": item} for item in resources]
        )

    def _put(self, path: str, shape: Shape, body: Json) -> Json:
        answer: Json = self.transport.put(path, shape, body)
        return answer

    def _mapping(self, path: str, shape: Shape, fields: str | None = None) -> Json:
        answer: Json = self.transport.get(path, shape, fields=fields)
        return answer

    def _pages(self, path: str) -> list[Json]:
        found: list[Json] = []
        page = 1
        while True:
            answer = self.transport.get(path, shapes.contacts, params={"page": page, "page_size": PAGE})
            found += answer["data"]
            if not answer.get("next_page"):
                return found
            page += 1

    def _once(self, send: Callable[[], Json], look: Callable[[], Json | None]) -> Json:
        """Send; when the outcome is unknown, look before sending again.

        Where the server may still be at work nothing is sent again: the next publication finds what came of it.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return send()
            except UnknownOutcomeError as error:
                for wait in self.looks if error.working else self.looks[:1]:
                    self.transport.sleep(wait)
                    if (found := look()) is not None:
                        return found
                if error.working or attempt == ATTEMPTS:
                    raise
        raise AssertionError("unreachable")
