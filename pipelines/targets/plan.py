"""DesiredDataset × what the target holds → the plan: every action in words, what blocks it, and a hash. Pure.

Nothing is read or sent here; a target that already holds the offer gives a plan without actions, which writes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pipelines.release.errors import PublicationError
from pipelines.targets.actions import Action, Change
from pipelines.targets.target import DATASET, RemoteDataset, RemoteState
from pipelines.targets.udata.desired import DesiredDataset
from pipelines.targets.udata.gates import platform_gates
from pipelines.targets.udata.matching import Matching, match
from pipelines.targets.udata.plan_resources import order_action, resource_actions

NAMES = {
    "title": "titre",
    "description": "description",
    "description_short": "description courte",
    "tags": "mots-clés",
    "license": "licence",
    "frequency": "fréquence",
    "temporal_coverage": "couverture temporelle",
    "spatial": "couverture spatiale",
    "contact": "contact",
}


class Verdict(Protocol):
    """What a gate found; one that did not pass blocks the plan until a person accepts it."""

    @property
    def name(self) -> str:
        """Which gate it is."""

    @property
    def passed(self) -> bool:
        """Whether it lets the plan go."""

    @property
    def message_fr(self) -> str:
        """What to know before accepting."""

    @property
    def details(self) -> tuple[str, ...]:
        """What it was found in."""


# Verdicts on a release before it leaves: dataset, release that the target holds (None: unknown), release to publish.
Judge = Callable[[str, Path | None, Path], Iterable[Verdict]]


@dataclass(frozen=True)
class Plan:
    """What publishing would do to a target. ``why`` tells the versions that it lacks; ``notes`` block nothing."""

    target: str
    dataset: str
    version: str
    actions: tuple[Action, ...]
    gates: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()
    why: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.actions

    @property
    def refusals(self) -> tuple[Verdict, ...]:
        """The gates that block it; none when there is nothing to do."""
        return () if self.empty else tuple(gate for gate in self.gates if not gate.passed)

    @property
    def hash(self) -> str:
        """Sha256 of what would be done and of what blocks it: an acceptance is of this very plan."""
        content = {name: value for name, value in self._content().items() if name not in ("notes", "why")}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def judged(self, verdicts: Iterable[Verdict]) -> Plan:
        """Return the plan with verdicts on the release itself; what those that passed have to say becomes notes."""
        found = tuple(verdicts)
        told = [f"{gate.message_fr} {' ; '.join(gate.details)}" for gate in found if gate.passed and gate.details]
        return replace(self, gates=(*found, *self.gates), notes=(*self.notes, *told))

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data, with its hash."""
        return {"hash": self.hash, **self._content()}

    def _content(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "dataset": self.dataset,
            "version": self.version,
            "why": list(self.why),
            "actions": [action.to_json() for action in self.actions],
            "blocked_by": [
                {"gate": gate.name, "message": gate.message_fr, "details": list(gate.details)} for gate in self.refusals
            ],
            "notes": list(self.notes),
        }


def make_plan(
    offer: DesiredDataset,
    state: RemoteState,
    *,
    earlier: Collection[str] = (),
    published: Mapping[str, str] | None = None,
) -> Plan:
    """Return what must be done for the target to hold the offer.

    ``earlier`` holds the sha1 of every file that we ever released, to
    know as ours what an interrupted upload left. ``published`` gives the id that each of our keys was last seen under.
    Raises PublicationError when the target can't hold the offer at all.
    """
    if offer.fields["license"] not in state.licences:
        raise PublicationError(
            f"La licence « {offer.fields['license']} » est inconnue de {state.address}, qui la perdrait sans le dire ; "
            "corriger « licence » dans la déclaration du jeu de données."
        )
    held = state.dataset
    matching = match(offer, held.resources if held else (), earlier)
    steps = [*_dataset_actions(offer, held), *resource_actions(offer, matching, published or {})]
    if ordering := order_action(offer, matching, held.resources if held else (), steps):
        steps.append(ordering)
    steps += _closing_actions(offer, held, steps)
    return Plan(
        target=state.address,
        dataset=offer.dataset,
        version=offer.version,
        actions=tuple(steps),
        gates=tuple(platform_gates(offer, state, matching, steps)),
        notes=(*offer.omitted, *_notes(matching)),
    )


def wanted_fields(offer: DesiredDataset, held: RemoteDataset | None) -> dict[str, Any]:
    """Return the fields that a dataset must have: those that people keep on the platform stay as they are there."""
    if held is None:
        return dict(offer.fields)
    return {name: held.fields[name] if name in offer.kept else value for name, value in offer.fields.items()}


def wants_contact(offer: DesiredDataset, held: RemoteDataset | None) -> bool:
    """Whether the contact must be set."""
    return held is None or ("contact" not in offer.kept and held.contacts != (offer.contact,))


def _dataset_actions(offer: DesiredDataset, held: RemoteDataset | None) -> Iterator[Action]:
    title = f"le jeu de données « {offer.fields['title']} »"
    if held is None:
        yield Action("create", title, "il n'est pas sur la cible ; il reste en brouillon jusqu'à ce que tout y soit")
        return
    wanted = wanted_fields(offer, held)
    differ = [name for name, value in wanted.items() if held.fields[name] != value]
    changes = [Change(NAMES[name], held.fields[name], wanted[name]) for name in differ]
    if wants_contact(offer, held):
        changes.append(Change(NAMES["contact"], [list(item) for item in held.contacts], [list(offer.contact)]))
    if held.deleted:
        why = f"il a été supprimé sur la cible le {held.deleted[:10]} ; le restaurer garde ses liens"
        yield Action("restore", title, why, id=held.id, changes=tuple(changes))
    elif changes:
        why = f"diffère sur la cible : {', '.join(change.name for change in changes)}"
        yield Action("update", title, why, id=held.id, changes=tuple(changes))


def _closing_actions(offer: DesiredDataset, held: RemoteDataset | None, steps: list[Action]) -> Iterator[Action]:
    """Yield the last two steps: open a draft once all is there, then say which version is wholly there."""
    opening = held is None or held.private
    if opening:
        yield Action("open", "le jeu de données", "tout y est, il devient public", id=held.id if held else None)
    sealed = held is not None and held.version == offer.version and held.extras.get(DATASET) == offer.dataset
    if steps or opening or not sealed:
        why = f"la version {offer.version} y est entière"
    elif held is not None and held.lease is not None:
        why = "une publication interrompue ne l'avait pas fait"
    else:
        return
    yield Action("seal", "la publication", why, id=held.id if held else None)


def _notes(matching: Matching) -> Iterator[str]:
    for item in matching.foreign:
        yield f"« {item.title} » ({item.id}) n'est pas de nous : laissé tel quel, après les nôtres"
    for item in matching.archives:
        yield f"« {item.title} » est d'une version que ce dossier ne connaît pas : laissée telle quelle"
