"""A plan → calls, in its order, each safe to cut: a later plan takes up what is there. What to do is in ``plan``.

Each file is described in one call right after it is sent, and what the platform says that it holds (sha1, size) is
believed only when it is what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipelines.declarations import Catalogue
from pipelines.release.refusals import PublicationError
from pipelines.targets.plan import Action, Plan, alike, heading
from pipelines.targets.protocol import Progress
from pipelines.targets.udata.client import Udata
from pipelines.targets.udata.desired import DesiredDataset, written_document
from pipelines.targets.udata.remote import DATASET, KEY, OURS, SUPERSEDED, VERSION, RemoteDataset, RemoteResource
from pipelines.targets.udata.resources import LINKED, DesiredResource
from pipelines.targets.udata.server_state import RemoteState, carriers
from pipelines.targets.udata.udata_plan import described_extras, wanted_schema, wants_contact

RETIRED_TITLE = "[Ancien fichier] "
LONGEST_TITLE = 350
NO_SCHEMA = {"name": None, "version": None, "url": None}  # what is not told of a schema would stay from before
SENDINGS = 3  # times that a file is sent when the platform tells another sha1 than ours


@dataclass
class Application:
    """One application of a plan. ``held`` holds the files that are there by key, ``dataset`` is its id."""

    client: Udata
    catalogue: Catalogue
    desired: DesiredDataset
    state: RemoteState
    progress: Progress
    dataset: str = ""
    held: dict[str, RemoteResource] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def run(self, plan: Plan) -> None:
        """Do every step. Raises PublicationError at the first that can't be done; what was done stays."""
        if (remote := self.state.dataset) is not None:
            self.dataset, self.held = remote.id, remote.by_key
            self._seen = {resource.id for resource in remote.resources}
        marks = {group[0].key: heading(group) for group in alike(plan.actions) if group[0].kind == "mark"}
        for step in plan.actions:
            if step.kind != "mark":
                self.progress(step.sentence)
            elif step.key in marks:  # of many marks, one line
                self.progress(marks[step.key])
            self._do(step)

    def _do(self, step: Action) -> None:
        match step.kind:
            case "create":
                self.dataset = self._create()
            case "restore":
                self._put(deleted=None)
            case "update":
                self._put()
            case "open":
                self._put(private=False)
            case "seal":
                extras = {DATASET: self.desired.dataset, VERSION: self.desired.version}
                self.client.merge_extras(self.dataset, extras)
            case "order":
                self._order(step)
            case _:
                self._do_on_file(step)

    def _do_on_file(self, step: Action) -> None:
        match step.kind:
            case "upload":
                self._upload(self._file(step))
            case "replace":
                file = self._file(step)
                self._describe(file, self._right_file(file, self._sent(file, str(step.id))))
            case "adopt" | "describe":
                self._describe(self.desired.resource(step.key), self._resource(str(step.id)))
            case "mark":
                self._mark(step)
            case "supersede":
                self._supersede(step)
            case _:
                raise ValueError(step.kind)

    def _create(self) -> str:
        """Create the dataset as a draft, with its key; return its id."""
        owner, name = self.state.organization, self.desired.dataset
        body = {**self._fields(None), "private": True, "organization": owner, "extras": {DATASET: name}}

        def created() -> str | None:
            return next((listed.id for listed in carriers(self.client, owner, name)), None)

        return self.client.create_dataset(body, created)

    def _put(self, **changes: Any) -> None:
        remote = self._remote()
        self.client.put_dataset(remote.id, {**self._fields(remote), "private": remote.private, **changes})

    def _fields(self, remote: RemoteDataset | None) -> dict[str, Any]:
        """Return the whole set of managed fields: a PUT that leaves tags or coverage out would wipe them."""
        if remote is not None and not wants_contact(self.desired, remote):
            return {**self.desired.fields, "contact_points": list(remote.contact_ids)}
        return {**self.desired.fields, "contact_points": [self._contact()]}

    def _contact(self) -> str:
        """Return the id of the contact point, created when the organization has none of that name and address."""
        owner, (name, email) = self.state.organization, self.desired.contact

        def there() -> str | None:
            contacts = self.client.contacts(owner)
            return next((contact.id for contact in contacts if (contact.name, contact.email) == (name, email)), None)

        body = {"name": name, "email": email, "role": "contact", "organization": owner}
        return there() or self.client.create_contact(body, there)

    def _remote(self) -> RemoteDataset:
        """Return the dataset as it is now."""
        remote = self.client.dataset(self.dataset)
        if remote is None:
            raise PublicationError("Le jeu de données a disparu de la cible pendant la publication ; refaire le plan.")
        return remote

    def _file(self, step: Action) -> DesiredResource:
        """Return the file of a step; its links are written in it now that they are all known."""
        if step.key in LINKED:
            return written_document(self.desired, step.key, self.catalogue, self._remote())
        return self.desired.resource(step.key)

    def _upload(self, file: DesiredResource) -> None:
        def landed() -> RemoteResource | None:
            remote = self.client.dataset(self.dataset)
            fresh = [resource for resource in (remote.resources if remote else ()) if resource.id not in self._seen]
            return next((resource for resource in fresh if file.is_in(resource)), None)

        sent = self.client.upload(self.dataset, file.path, file.filename, landed)
        self._seen.add(sent.id)
        self._describe(file, self._right_file(file, sent))

    def _mark(self, step: Action) -> None:
        wanted = described_extras(self.desired.resource(step.key), self.held[step.key])
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
        there = self._remote().resources
        ids = {self._name(resource): resource.id for resource in there}
        wanted = [ids[name] for name in step.order if name in ids]
        rest = [resource.id for resource in there if resource.id not in wanted]  # added since the plan was made
        self.client.order(self.dataset, [*wanted, *rest])

    def _name(self, resource: RemoteResource) -> str:
        """Return how a plan names a resource: by our key when it is offered, else by its id."""
        ours = self.held.get(resource.key or "")
        offered = ours is not None and ours.id == resource.id and self.desired.holds(resource.key)
        return str(resource.key) if offered else resource.id

    def _sent(self, file: DesiredResource, resource: str) -> RemoteResource:
        def landed() -> RemoteResource | None:
            remote = self.client.resource(resource)
            return remote if remote is not None and file.is_in(remote) else None

        return self.client.replace(self.dataset, resource, file.path, file.filename, landed)

    def _right_file(self, file: DesiredResource, told: RemoteResource) -> RemoteResource:
        """Return the resource once it holds the bytes that were sent; they are sent again when it does not."""
        for sending in range(1, SENDINGS + 1):
            if file.is_in(told):
                return told
            told = self._resource(told.id)  # the answer may be wrong where the file is right
            if file.is_in(told):
                return told
            if sending < SENDINGS:
                self.client.transport.sleep(self.client.looks[0])  # two files of one name within a second are refused
                told = self._sent(file, told.id)
        raise PublicationError(
            f"« {file.title} » : la plateforme dit tenir un autre fichier que celui envoyé (sha1 {told.sha1} et non "
            f"{file.sha1}) ; relancer, et prévenir son support si cela se répète."
        )

    def _describe(self, file: DesiredResource, remote: RemoteResource) -> None:
        """Write all that is said of a resource in one call, so that it is never half described."""
        body: dict[str, Any] = {
            "title": file.title,
            "description": file.description,
            "type": file.type,
            "extras": described_extras(file, remote),
        }
        if schema := wanted_schema(file, {key: resource.latest for key, resource in self.held.items()}):
            body["schema"] = {**NO_SCHEMA, **schema}
        self.held[file.key] = self.client.put_resource(self.dataset, remote.id, body)

    def _resource(self, resource: str) -> RemoteResource:
        remote = self.client.resource(resource)
        if remote is None:
            message = f"Le fichier {resource} a disparu de la cible pendant la publication ; refaire le plan."
            raise PublicationError(message)
        return remote
