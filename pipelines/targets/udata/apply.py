"""A plan → calls, in its order, each safe to cut: a later plan takes up what is there. What to do is in ``plan``.

Steps on the dataset, then steps on its files: each is described in one call right after it is sent, and what the
platform says that it holds (sha1, size) is believed only when it is what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipelines.declarations import Catalogue
from pipelines.release.refusals import PublicationError
from pipelines.targets.plan import Action, Plan, alike, heading
from pipelines.targets.protocol import Progress
from pipelines.targets.udata.client import Udata
from pipelines.targets.udata.desired import DesiredDataset, DesiredResource, written_document
from pipelines.targets.udata.remote import DATASET, KEY, OURS, SUPERSEDED, VERSION, RemoteDataset, RemoteResource
from pipelines.targets.udata.resources import LINKED
from pipelines.targets.udata.server_state import RemoteState, carriers
from pipelines.targets.udata.udata_plan import described_extras, wanted_schema, wants_contact
from pipelines.targets.udata.uploads import Upload

RETIRED_TITLE = "[Ancien fichier] "
LONGEST_TITLE = 350
NO_SCHEMA = {"name": None, "version": None, "url": None}  # what is not told of a schema would stay from before
SENDINGS = 3  # times that a file is sent when the platform tells another sha1 than ours


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


@dataclass
class ResourceSteps:
    """Steps on the files of one dataset. ``known`` holds what is there by key."""

    client: Udata
    catalogue: Catalogue
    desired: DesiredDataset
    dataset: str = ""
    known: dict[str, RemoteResource] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def take_up(self, remote: RemoteDataset) -> None:
        """Start from what a dataset holds."""
        self.dataset, self.known = remote.id, remote.by_key
        self._seen = {item.id for item in remote.resources}

    def do(self, step: Action) -> None:
        """Do one step."""
        match step.kind:
            case "upload":
                self._upload(step)
            case "replace":
                self._replace(step)
            case "adopt" | "describe":
                self._describe(self.desired.resource(step.key), self._resource(str(step.id)))
            case "mark":
                self._mark(step)
            case "supersede":
                self._supersede(step)
            case "order":
                self._order(step)
            case _:
                raise ValueError(step.kind)

    def remote(self) -> RemoteDataset:
        """Return the dataset as it is now."""
        found = self.client.dataset(self.dataset)
        if found is None:
            raise PublicationError("Le jeu de données a disparu de la cible pendant la publication ; refaire le plan.")
        return found

    def _file(self, step: Action) -> DesiredResource:
        """Return the file of a step; its links are written in it now that they are all known."""
        if step.key in LINKED:
            return written_document(self.desired, step.key, self.catalogue, self.remote())
        return self.desired.resource(step.key)

    def _upload(self, step: Action) -> None:
        item = self._file(step)

        def landed() -> RemoteResource | None:
            remote = self.client.dataset(self.dataset)
            fresh = [found for found in (remote.resources if remote else ()) if found.id not in self._seen]
            return next((found for found in fresh if item.is_in(found)), None)

        made = self.client.upload(self.dataset, _upload_of(item), landed)
        self._seen.add(made.id)
        self._describe(item, self._right_file(item, made))

    def _replace(self, step: Action) -> None:
        item = self._file(step)
        self._describe(item, self._right_file(item, self._sent(item, str(step.id))))

    def _mark(self, step: Action) -> None:
        wanted = described_extras(self.desired.resource(step.key), self.known[step.key])
        mine = {name: value for name, value in wanted.items() if name.startswith(OURS)}
        self.client.merge_resource_extras(self.dataset, str(step.id), {SUPERSEDED: None, **mine})

    def _supersede(self, step: Action) -> None:
        remote = self._resource(str(step.id))
        body = {
            "title": f"{RETIRED_TITLE}{remote.title.removeprefix(RETIRED_TITLE)}"[:LONGEST_TITLE],
            "description": f"Ce fichier n'est plus tenu à jour : {step.why}.",
            "type": "other",
            "extras": {**remote.extras, KEY: step.key, SUPERSEDED: step.why},
        }
        self.client.put_resource(self.dataset, remote.id, body)

    def _order(self, step: Action) -> None:
        there = self.remote().resources
        ids = {self._ref(item): item.id for item in there}
        wanted = [ids[ref] for ref in step.order if ref in ids]
        rest = [item.id for item in there if item.id not in wanted]  # somebody added it since the plan was made
        self.client.order(self.dataset, [*wanted, *rest])

    def _ref(self, item: RemoteResource) -> str:
        """Return how a plan names a resource: by our key when it is offered, else by its id."""
        mine = self.known.get(item.key or "")
        return str(item.key) if mine is not None and mine.id == item.id and self.desired.holds(item.key) else item.id

    def _sent(self, item: DesiredResource, resource: str) -> RemoteResource:
        def landed() -> RemoteResource | None:
            found = self.client.resource(resource)
            return found if found is not None and item.is_in(found) else None

        return self.client.replace(self.dataset, resource, _upload_of(item), landed)

    def _right_file(self, item: DesiredResource, made: RemoteResource) -> RemoteResource:
        """Return the resource once it holds the bytes that were sent; they are sent again when it does not."""
        for sending in range(1, SENDINGS + 1):
            if item.is_in(made):
                return made
            made = self._resource(made.id)  # the answer may be wrong where the file is right
            if item.is_in(made):
                return made
            if sending < SENDINGS:
                self.client.transport.sleep(self.client.looks[0])  # two files of one name within a second are refused
                made = self._sent(item, made.id)
        raise PublicationError(
            f"« {item.title} » : la plateforme dit tenir un autre fichier que celui envoyé (sha1 {made.sha1} et non "
            f"{item.sha1}) ; relancer, et prévenir son support si cela se répète."
        )

    def _describe(self, item: DesiredResource, remote: RemoteResource) -> None:
        """Write all that is said of a resource in one call, so that it is never half described."""
        body: dict[str, Any] = {
            "title": item.title,
            "description": item.description,
            "type": item.type,
            "extras": described_extras(item, remote),
        }
        schema = wanted_schema(item, {key: found.latest for key, found in self.known.items()})
        if schema:
            body["schema"] = {**NO_SCHEMA, **schema}
        self.known[item.key] = self.client.put_resource(self.dataset, remote.id, body)

    def _resource(self, resource: str) -> RemoteResource:
        found = self.client.resource(resource)
        if found is None:
            message = f"Le fichier {resource} a disparu de la cible pendant la publication ; refaire le plan."
            raise PublicationError(message)
        return found


def _upload_of(item: DesiredResource) -> Upload:
    return Upload(item.path, item.filename, item.size, item.sha1)
