"""What is wanted × what the target holds → the plan: every step in words, in an order that may be cut anywhere. Pure.

A target that already holds what is wanted gives a plan without steps, which writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pipelines.mechanics import french
from pipelines.release.refusals import PublicationError
from pipelines.targets.plan import Action, Change, Plan
from pipelines.targets.udata.desired import DesiredDataset, DesiredResource
from pipelines.targets.udata.matching import Matching, match
from pipelines.targets.udata.remote import CONTENT, KEY, SHA1, SUPERSEDED, VERSION, RemoteDataset, RemoteResource
from pipelines.targets.udata.resources import FEED_KEY, REUSE_KEY
from pipelines.targets.udata.server_state import RemoteState
from pipelines.targets.udata.target_gates import platform_gates

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


NO_LONGER = "ce fichier n'est plus publié"
SECOND_COPY = "second exemplaire d'un fichier, laissé par un envoi dont la réponse s'est perdue"


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


def resource_actions(desired: DesiredDataset, matching: Matching, *, whole: bool) -> Iterator[Action]:
    """Yield a step for every resource that differs; ``whole``: the target once remote this version wholly.

    Schemas come first, since others link to them, then new archives, so that a release is kept before the files of
    the release before it are replaced; documents that hold links of the others come last, before the mere mark of the
    version on what did not change.
    """
    marks = []
    for item in sorted(desired.resources, key=_turn):
        remote = matching.paired.get(item.key)
        step = _missing(item, whole=whole) if remote is None else _differing(item, remote, matching)
        if step is not None and step.kind == "mark":
            marks.append(step)
        elif step is not None:
            yield step
    yield from marks
    for remote in matching.retired:
        if SUPERSEDED not in remote.extras:
            yield Action("supersede", f"« {remote.title} »", NO_LONGER, remote.key or "", remote.id)
    for remote in matching.doubles:
        yield Action("supersede", f"« {remote.title} »", SECOND_COPY, f"double:{remote.id}", remote.id)


def order_action(
    desired: DesiredDataset, matching: Matching, remote: tuple[RemoteResource, ...], steps: list[Action]
) -> Action | None:
    """Return the step that puts resources in order, None when uploads will leave them so (each one comes first)."""
    keys = {item.id: key for key, item in matching.paired.items()}
    there = [keys.get(item.id, item.id) for item in remote]
    sent = [step.key for step in steps if step.kind == "upload"]
    left = (*matching.archives, *matching.retired, *matching.doubles, *matching.foreign)
    wanted = (*(item.key for item in desired.resources), *(item.id for item in left))
    if [*reversed(sent), *there] == list(wanted):
        return None
    why = "les nouveaux se placent en tête" if sent else "l'ordre a changé"
    return Action("order", f"les {len(wanted)} fichiers", why, order=wanted)


def wanted_schema(item: DesiredResource, links: Mapping[str, str]) -> Mapping[str, str]:
    """Return the schema that a resource must have; ``links`` gives permalinks by key. Empty: we say nothing of it."""
    return {"url": links[item.schema_of]} if item.schema_of and item.schema_of in links else {}


def same_file(item: DesiredResource, remote: RemoteResource) -> bool:
    """Whether the target holds the file. An archive is judged by its content: another zlib gives it other bytes."""
    if item.immutable and remote.extras.get(CONTENT) == item.extras[CONTENT] and remote.sha1 is not None:
        return remote.sha1 == remote.extras.get(SHA1)
    return item.is_in(remote)


def described_extras(item: DesiredResource, remote: RemoteResource | None) -> dict[str, Any]:
    """Return the extras that a resource must have: others' are left, and an archive that stays keeps its facts."""
    others = {name: value for name, value in remote.extras.items() if name != SUPERSEDED} if remote else {}
    if remote is not None and item.immutable and same_file(item, remote) and CONTENT in remote.extras:
        return others | {name: item.extras[name] for name in (KEY, VERSION, CONTENT)}
    return others | dict(item.extras)


def _turn(item: DesiredResource) -> int:
    if item.key in (FEED_KEY, REUSE_KEY):
        return 3 if item.key == FEED_KEY else 4  # the page links to the feed
    return 0 if item.key.startswith("schema:") else 1 if item.immutable else 2


def _missing(item: DesiredResource, *, whole: bool) -> Action:
    lost = "il n'est plus sur la cible, ou elle ne le prenait pas ; s'il y était, son lien permanent change"
    return Action("upload", _shown(item), lost if whole else "nouveau fichier", item.key, sha1=item.sha1)


def _differing(item: DesiredResource, remote: RemoteResource, matching: Matching) -> Action | None:
    changes = _changes(item, remote, matching)
    if not same_file(item, remote):
        why = "le contenu a changé, le lien permanent reste"
        return Action("replace", _shown(item), why, item.key, remote.id, item.sha1, changes)
    if item.key in matching.adopted:
        why = "envoyé par une publication interrompue"
        return Action("adopt", _shown(item), why, item.key, remote.id, item.sha1, changes)
    if changes:
        why = f"diffère sur la cible : {', '.join(change.name for change in changes)}"
        return Action("describe", f"« {item.title} »", why, item.key, remote.id, item.sha1, changes)
    if described_extras(item, remote) != dict(remote.extras):
        why = f"contenu inchangé, le même dans la version {item.extras[VERSION]}"
        return Action("mark", f"« {item.title} »", why, item.key, remote.id, item.sha1)
    return None


def _changes(item: DesiredResource, remote: RemoteResource, matching: Matching) -> tuple[Change, ...]:
    links = {key: found.latest for key, found in matching.paired.items()}
    pairs: list[tuple[str, Any, Any]] = [
        ("titre", remote.title, item.title),
        ("description", remote.description, item.description),
        ("type", remote.type, item.type),
    ]
    schema = wanted_schema(item, links)
    if schema or (item.schema_of is not None and item.schema_of not in links):
        pairs.append(("schéma", dict(remote.schema), dict(schema) or {"url": f"lien permanent de {item.schema_of}"}))
    return tuple(Change(name, before, after) for name, before, after in pairs if before != after)


def _shown(item: DesiredResource) -> str:
    return f"« {item.title} » ({item.filename}, {french.size(item.size)})"
