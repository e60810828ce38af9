"""A plan → calls, in its order, each safe to cut: a later plan takes up what is there. What to do is in ``plan``.

Steps on files are in ``apply_resources``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipelines.targets.plan import Action, Plan, alike, heading
from pipelines.targets.protocol import Progress
from pipelines.targets.udata.apply_resources import ResourceSteps
from pipelines.targets.udata.client import Udata
from pipelines.targets.udata.desired import DesiredDataset
from pipelines.targets.udata.plan import wants_contact
from pipelines.targets.udata.remote import DATASET, VERSION, RemoteDataset
from pipelines.targets.udata.server_state import RemoteState, carriers


@dataclass
class Application:
    """One application of a plan. ``done`` holds the steps made."""

    client: Udata
    desired: DesiredDataset
    state: RemoteState
    files: ResourceSteps
    progress: Progress
    done: list[Action] = field(default_factory=list)

    def run(self, plan: Plan) -> None:
        """Do every step. Raises PublicationError at the first that can't be done; what was done stays."""
        if self.state.dataset is not None:
            self.files.take_up(self.state.dataset)
        marks = {group[0].key: heading(group) for group in alike(plan.actions) if group[0].kind == "mark"}
        for step in plan.actions:
            if step.kind != "mark":
                self.progress(step.sentence)
            elif step.key in marks:  # of many marks, one line
                self.progress(marks[step.key])
            self._do(step)
            self.done.append(step)

    def _do(self, step: Action) -> None:
        match step.kind:
            case "create":
                self.files.dataset = self._create()
            case "restore":
                self._put(deleted=None)
            case "update":
                self._put()
            case "open":
                self._put(private=False)
            case "seal":
                extras = {DATASET: self.desired.dataset, VERSION: self.desired.version}
                self.client.merge_extras(self.files.dataset, extras)
            case _:
                self.files.do(step)

    def _create(self) -> str:
        """Create the dataset as a draft, with its key; return its id."""
        owner = self.state.organization
        extras = {DATASET: self.desired.dataset}
        body = {**self._fields(None), "private": True, "organization": owner, "extras": extras}
        return self.client.create_dataset(body, self._created)

    def _created(self) -> str | None:
        return next((item.id for item in carriers(self.client, self.state.organization, self.desired.dataset)), None)

    def _put(self, **changes: Any) -> None:
        remote = self.files.remote()
        self.client.put_dataset(remote.id, {**self._fields(remote), "private": remote.private, **changes})

    def _fields(self, remote: RemoteDataset | None) -> dict[str, Any]:
        """Return the whole set of managed fields: a PUT that leaves tags or coverage out would wipe them."""
        known = list(remote.contact_ids if remote else ())
        contacts = [self._contact()] if wants_contact(self.desired, remote) else known
        return {**self.desired.fields, "contact_points": contacts}

    def _contact(self) -> str:
        name, email = self.desired.contact
        body = {"name": name, "email": email, "role": "contact", "organization": self.state.organization}
        return self._known_contact() or self.client.create_contact(body, self._known_contact)

    def _known_contact(self) -> str | None:
        known = self.client.contacts(self.state.organization)
        return next((item.id for item in known if (item.name, item.email) == self.desired.contact), None)
