"""Offered and held resources → the steps that bring files, descriptions and order to what is offered. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.mechanics import french
from pipelines.targets.actions import Action, Change
from pipelines.targets.target import CONTENT, KEY, SHA1, SUPERSEDED, VERSION, RemoteResource
from pipelines.targets.udata.desired import DesiredDataset, DesiredResource
from pipelines.targets.udata.matching import Matching
from pipelines.targets.udata.resources import FEED_KEY

NO_LONGER = "ce fichier n'est plus publié"
SECOND_COPY = "second exemplaire d'un fichier, laissé par un envoi dont la réponse s'est perdue"


def resource_actions(offer: DesiredDataset, matching: Matching, published: Mapping[str, str]) -> Iterator[Action]:
    """Yield a step for every resource that differs; ``published`` is the id that each key was last seen under.

    Schemas come first, since others link to them, then new archives, so that a release is kept before the files of
    the release before it are replaced; documents that hold links of the others come last, before
    the mere mark of the version on what did not change.
    """
    marks = []
    for item in sorted(offer.resources, key=_turn):
        held = matching.paired.get(item.key)
        step = _missing(item, published) if held is None else _differing(item, held, matching)
        if step is not None and step.kind == "mark":
            marks.append(step)
        elif step is not None:
            yield step
    yield from marks
    for held in matching.retired:
        if SUPERSEDED not in held.extras:
            yield Action("supersede", f"« {held.title} »", NO_LONGER, held.key or "", held.id)
    for held in matching.doubles:
        yield Action("supersede", f"« {held.title} »", SECOND_COPY, f"double:{held.id}", held.id)


def order_action(
    offer: DesiredDataset, matching: Matching, held: tuple[RemoteResource, ...], steps: list[Action]
) -> Action | None:
    """Return the step that puts resources in order, None when uploads will leave them so (each one comes first)."""
    keys = {item.id: key for key, item in matching.paired.items()}
    there = [keys.get(item.id, item.id) for item in held]
    sent = [step.key for step in steps if step.kind == "upload"]
    left = (*matching.archives, *matching.retired, *matching.doubles, *matching.foreign)
    wanted = (*(item.key for item in offer.resources), *(item.id for item in left))
    if [*reversed(sent), *there] == list(wanted):
        return None
    why = "les nouveaux se placent en tête" if sent else "l'ordre a changé"
    return Action("order", f"les {len(wanted)} fichiers", why, order=wanted)


def wanted_schema(item: DesiredResource, links: Mapping[str, str]) -> Mapping[str, str]:
    """Return the schema that a resource must have; ``links`` gives permalinks by key. Empty: we say nothing of it."""
    if item.schema_of is not None:
        return {"url": links[item.schema_of]} if item.schema_of in links else {}
    return item.schema


def same_file(item: DesiredResource, held: RemoteResource) -> bool:
    """Whether the target holds the file. An archive is judged by its content: another zlib gives it other bytes."""
    if item.immutable and held.extras.get(CONTENT) == item.extras[CONTENT] and held.sha1 is not None:
        return held.sha1 == held.extras.get(SHA1)
    return (item.sha1, item.size) == (held.sha1, held.size)


def described_extras(item: DesiredResource, held: RemoteResource | None) -> dict[str, Any]:
    """Return the extras that a resource must have: others' are left, and an archive that stays keeps its facts."""
    others = {name: value for name, value in held.extras.items() if name != SUPERSEDED} if held else {}
    if held is not None and item.immutable and same_file(item, held) and CONTENT in held.extras:
        return others | {name: item.extras[name] for name in (KEY, VERSION, CONTENT)}
    return others | dict(item.extras)


def _turn(item: DesiredResource) -> int:
    if item.linked is not None:
        return 3 if item.key == FEED_KEY else 4  # the page links to the feed
    return 0 if item.key.startswith("schema:") else 1 if item.immutable else 2


def _missing(item: DesiredResource, published: Mapping[str, str]) -> Action:
    why = "nouveau fichier" if not item.pending else "nouveau fichier, écrit une fois connus les liens des autres"
    if item.key in published:
        why = f"il a été supprimé sur la cible (il y était sous {published[item.key]}) ; son lien permanent change"
    return Action("upload", _told(item), why, item.key, sha1=item.sha1 or None, draft=item.draft)


def _differing(item: DesiredResource, held: RemoteResource, matching: Matching) -> Action | None:
    changes = _changes(item, held, matching)
    if not same_file(item, held):
        why = "le contenu a changé, le lien permanent reste"
        if item.pending:
            why = "réécrit une fois connus les nouveaux liens, le sien reste"
        return Action("replace", _told(item), why, item.key, held.id, item.sha1 or None, changes, draft=item.draft)
    if item.key in matching.adopted:
        why = "envoyé par une publication interrompue"
        return Action("adopt", _told(item), why, item.key, held.id, item.sha1, changes)
    if changes:
        why = f"diffère sur la cible : {', '.join(change.name for change in changes)}"
        return Action("describe", f"« {item.title} »", why, item.key, held.id, item.sha1, changes)
    wanted = described_extras(item, held)
    if wanted != dict(held.extras):
        why = f"contenu inchangé, le même dans la version {item.extras[VERSION]}"
        return Action("mark", f"« {item.title} »", why, item.key, held.id, item.sha1)
    return None


def _changes(item: DesiredResource, held: RemoteResource, matching: Matching) -> tuple[Change, ...]:
    links = {key: found.latest for key, found in matching.paired.items()}
    pairs: list[tuple[str, Any, Any]] = [
        ("titre", held.title, item.title),
        ("description", held.description, item.description),
        ("type", held.type, item.type),
    ]
    schema = wanted_schema(item, links)
    if schema or (item.schema_of is not None and item.schema_of not in links):
        pairs.append(("schéma", dict(held.schema), dict(schema) or {"url": f"lien permanent de {item.schema_of}"}))
    return tuple(Change(name, before, after) for name, before, after in pairs if before != after)


def _told(item: DesiredResource) -> str:
    size = "" if item.pending else f", {french.size(item.size)}"
    return f"« {item.title} » ({item.filename}{size})"
