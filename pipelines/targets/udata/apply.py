"""A plan → calls, in its order, each safe to cut: a later plan takes up what is there. What to do is in ``plan``.

Steps on files are in ``apply_resources``. Before every step the sign of this publication is read again on the target,
so that two publishers never interleave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.release.errors import ConcurrentPublicationError
from pipelines.targets.actions import Action, alike, heading
from pipelines.targets.plan import Plan, wanted_fields, wants_contact
from pipelines.targets.target import DATASET, LEASE, SPARE, VERSION, RemoteDataset, RemoteState
from pipelines.targets.udata.apply_resources import ResourceSteps
from pipelines.targets.udata.client import Json, Udata
from pipelines.targets.udata.desired import DesiredDataset
from pipelines.targets.udata.lease import Lease
from pipelines.targets.udata.remote import carriers, spare_draft

SPARE_TITLE = "[Brouillon vide]"
SPARE_TEXT = "Fait par deux publications au même instant ; la prochaine création d'un jeu de données s'en servira."


@dataclass
class Application:
    """One application of a plan. ``done`` holds the steps made, ``warnings`` what is left for a later publication."""

    client: Udata
    offer: DesiredDataset
    state: RemoteState
    plan: Plan
    lease: Lease
    progress: Callable[[str], None]
    done: list[Action] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _dataset: str = ""

    def run(self) -> None:
        """Do every step. Raises PublicationError at the first that can't be done; what was done stays."""
        held = self.state.dataset
        files = ResourceSteps(self.client, self.offer, self.warnings)
        if held is not None:
            files.take_up(held)
            self._take(held)
        told = {group[0].key: heading(group) for group in alike(self.plan.actions) if group[0].kind == "mark"}
        for step in self.plan.actions:
            if step.kind != "mark":
                self.progress(step.sentence)
            elif step.key in told:  # of many marks, one line
                self.progress(told[step.key])
            if step.kind == "create":
                files.dataset = self._create()
            elif step.kind != "restore":  # done when the dataset was taken
                self._still_ours()
                _DATASET_STEPS[step.kind](self, files.held()) if step.kind in _DATASET_STEPS else files.do(step)
            self.done.append(step)

    def _take(self, held: RemoteDataset) -> None:
        """Put the sign of this publication on the dataset; a deleted one takes none until it is restored."""
        sign = {LEASE: str(self.lease), DATASET: self.offer.dataset}
        if held.deleted:
            body = {**self._fields(held), "private": held.private, "deleted": None, "extras": {**held.extras, **sign}}
            self.client.put_dataset(held.id, body)
        else:
            self.client.merge_extras(held.id, sign)
        self._dataset = held.id

    def abandon(self) -> None:
        """Take the sign away after a failure, so that another machine need not wait for it to grow old."""
        if self._dataset and self.client.extras(self._dataset).get(LEASE) == str(self.lease):
            self.client.merge_extras(self._dataset, {LEASE: None})

    def _still_ours(self) -> None:
        if self.client.extras(self._dataset).get(LEASE) != str(self.lease):
            raise ConcurrentPublicationError(
                "Une autre publication a commencé sur ce jeu de données pendant celle-ci, qui s'arrête ; "
                "relancer quand l'autre sera finie."
            )

    def _create(self) -> str:
        """Create the dataset as a draft, with its key and the sign of this publication; return its id."""
        organization = self.state.organization
        body = {
            **self._fields(None),
            "private": True,
            "organization": organization,
            "extras": {DATASET: self.offer.dataset, LEASE: str(self.lease)},
        }
        spare = spare_draft(self.client, organization)
        if spare is not None:
            made: Json = self.client.put_dataset(spare["id"], body)
        else:
            made = self.client.create_dataset(body, self._created)
        self._dataset = str(made["id"])
        self._elect(self._dataset)
        return self._dataset

    def _created(self) -> Json | None:
        mine = [item for item in self._carriers() if item["extras"].get(LEASE) == str(self.lease)]
        return mine[0] if mine else None

    def _elect(self, made: str) -> None:
        """Where two publications created the dataset at once, the oldest stays and the other becomes a spare draft."""
        alive = [item["id"] for item in self._carriers() if not item["deleted"]]
        if made not in alive[1:]:
            return
        body = {"title": SPARE_TITLE, "description": SPARE_TEXT, "private": True, "tags": [], "extras": {SPARE: "oui"}}
        self.client.put_dataset(made, body)
        raise ConcurrentPublicationError(
            f"Une autre publication a créé ce jeu de données au même instant ({alive[0]}) ; relancer après sa fin."
        )

    def _carriers(self) -> list[Json]:
        return carriers(self.client, self.state.organization, DATASET, self.offer.dataset)

    def _update(self, held: RemoteDataset) -> None:
        self.client.put_dataset(held.id, {**self._fields(held), "private": held.private})

    def _open(self, held: RemoteDataset) -> None:
        self.client.put_dataset(held.id, {**self._fields(held), "private": False})

    def _seal(self, held: RemoteDataset) -> None:
        extras = {DATASET: self.offer.dataset, VERSION: self.offer.version, LEASE: None, SPARE: None}
        self.client.merge_extras(held.id, extras)

    def _fields(self, held: RemoteDataset | None) -> dict[str, Any]:
        """Return the whole set of managed fields: a PUT that leaves tags or coverage out would wipe them."""
        contacts = [self._contact()] if wants_contact(self.offer, held) else list(held.contact_ids if held else ())
        return {**wanted_fields(self.offer, held), "contact_points": contacts}

    def _contact(self) -> str:
        name, email = self.offer.contact
        body = {"name": name, "email": email, "role": "contact", "organization": self.state.organization}
        found = self._known_contact() or self.client.create_contact(body, self._known_contact)
        return str(found["id"])

    def _known_contact(self) -> Json | None:
        known = self.client.contacts(self.state.organization)
        return next((item for item in known if (item["name"], item.get("email") or "") == self.offer.contact), None)


_DATASET_STEPS: Mapping[str, Callable[[Application, RemoteDataset], None]] = {
    "update": Application._update,
    "open": Application._open,
    "seal": Application._seal,
}
