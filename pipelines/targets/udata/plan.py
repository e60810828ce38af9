"""What is wanted × what the target holds → the plan: every step in words, in an order that may be cut anywhere. Pure.

A target that already holds what is wanted gives a plan without steps, which writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pipelines.release.errors import PublicationError
from pipelines.targets.plan import Action, Change, Plan
from pipelines.targets.udata.desired import DesiredDataset
from pipelines.targets.udata.gates import platform_gates
from pipelines.targets.udata.matching import Matching, match
from pipelines.targets.udata.plan_resources import order_action, resource_actions
from pipelines.targets.udata.remote import RemoteDataset
from pipelines.targets.udata.server_state import RemoteState

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


def make_plan(desired: DesiredDataset, state: RemoteState, *, earlier: Collection[str] = ()) -> Plan:
    """Return what must be done for the target to hold what is wanted.

    ``earlier`` holds the sha1 of every file that we ever released, to know as ours what an interrupted upload left.
    Raises PublicationError when the target can't hold the dataset at all.
    """
    if desired.fields["license"] not in state.licences:
        raise PublicationError(
            f"La licence « {desired.fields['license']} » est inconnue de {state.address}, qui la perdrait sans le "
            "dire ; corriger « licence » dans la déclaration du jeu de données."
        )
    remote = state.dataset
    there = remote.resources if remote else ()
    matching = match(desired, there, earlier)
    whole = remote is not None and remote.version == desired.version
    steps = [*_dataset_actions(desired, remote), *resource_actions(desired, matching, whole=whole)]
    if ordering := order_action(desired, matching, there, steps):
        steps.append(ordering)
    steps += _closing_actions(desired, remote, steps)
    return Plan(
        target=state.address,
        dataset=desired.dataset,
        version=desired.version,
        actions=tuple(steps),
        gates=tuple(platform_gates(desired, state, matching, steps)),
        notes=(*desired.omitted, *_notes(matching)),
    )


def wants_contact(desired: DesiredDataset, remote: RemoteDataset | None) -> bool:
    """Whether the contact must be set."""
    return remote is None or remote.contacts != (desired.contact,)


def _dataset_actions(desired: DesiredDataset, remote: RemoteDataset | None) -> Iterator[Action]:
    title = f"le jeu de données « {desired.fields['title']} »"
    if remote is None:
        yield Action("create", title, "il n'est pas sur la cible ; il reste en brouillon jusqu'à ce que tout y soit")
        return
    wanted = desired.fields
    differ = [name for name, value in wanted.items() if remote.fields[name] != value]
    changes = [Change(NAMES[name], remote.fields[name], wanted[name]) for name in differ]
    if wants_contact(desired, remote):
        changes.append(Change(NAMES["contact"], [list(item) for item in remote.contacts], [list(desired.contact)]))
    if remote.deleted:
        why = f"il a été supprimé sur la cible le {remote.deleted[:10]} ; le restaurer garde ses liens"
        yield Action("restore", title, why, id=remote.id, changes=tuple(changes))
    elif changes:
        why = f"diffère sur la cible : {', '.join(change.name for change in changes)}"
        yield Action("update", title, why, id=remote.id, changes=tuple(changes))


def _closing_actions(desired: DesiredDataset, remote: RemoteDataset | None, steps: list[Action]) -> Iterator[Action]:
    """Yield the last two steps: open a draft once all is there, then say which version is wholly there."""
    known = remote.id if remote else None
    opening = remote is None or remote.private
    if opening:
        yield Action("open", "le jeu de données", "tout y est, il devient public", id=known)
    if steps or opening or remote is None or remote.version != desired.version:
        yield Action("seal", "la publication", f"la version {desired.version} y est entière", id=known)


def _notes(matching: Matching) -> Iterator[str]:
    for item in matching.foreign:
        yield f"« {item.title} » ({item.id}) n'est pas de nous : laissé tel quel, après les nôtres"
    for item in matching.archives:
        yield f"« {item.title} » est d'une version que ce dossier ne connaît pas : laissée telle quelle"
