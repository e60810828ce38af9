"""What is wanted × what the target holds → the plan: every step in words, in an order that may be cut anywhere. Pure.

A target that already holds what is wanted gives a plan without steps, which writes nothing. Gates seen from the target
(quality, identity, reach) make it wait for a person; those on the release itself come from elsewhere and join these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pipelines.mechanics import french
from pipelines.release.difference import parse
from pipelines.release.gates import Gate
from pipelines.release.refusals import PublicationError
from pipelines.targets.plan import Action, Change, Plan
from pipelines.targets.udata.desired import DesiredDataset
from pipelines.targets.udata.matching import Matching, match
from pipelines.targets.udata.remote import (
    ARCHIVE,
    CONTENT,
    KEY,
    SHA1,
    SUPERSEDED,
    VERSION,
    RemoteDataset,
    RemoteResource,
)
from pipelines.targets.udata.resources import FEED_KEY, REUSE_KEY, DesiredResource
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
PUBLIC = "https://www.data.gouv.fr"
# Retiring files is rare: beyond both bounds it looks like a fault of ours, not like a decision.
RETIRED_AT_ONCE = 3
RETIRED_SHARE = 0.25
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
    matching = match(desired, remote, earlier)
    whole = remote is not None and remote.version == desired.version
    steps = [*_dataset_actions(desired, remote), *_resource_actions(desired, matching, whole=whole)]
    steps += _order_action(desired, matching, remote.resources if remote else (), steps)
    steps += _closing_actions(desired, remote, steps)
    return Plan(
        target=state.address,
        dataset=desired.dataset,
        version=desired.version,
        actions=tuple(steps),
        gates=tuple(_gates(desired, state, matching, steps)),
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
        changes.append(
            Change(NAMES["contact"], [list(contact) for contact in remote.contacts], [list(desired.contact)])
        )
    if remote.deleted:
        why = f"il a été supprimé sur la cible le {remote.deleted[:10]} ; le restaurer garde ses liens"
        yield Action("restore", title, why, id=remote.id, changes=tuple(changes))
    elif changes:
        why = f"diffère sur la cible : {', '.join(change.name for change in changes)}"
        yield Action("update", title, why, id=remote.id, changes=tuple(changes))


def _closing_actions(desired: DesiredDataset, remote: RemoteDataset | None, steps: list[Action]) -> Iterator[Action]:
    """Yield the last two steps: open a draft once all is there, then say which version is wholly there."""
    there = remote.id if remote else None
    opening = remote is None or remote.private
    if opening:
        yield Action("open", "le jeu de données", "tout y est, il devient public", id=there)
    if steps or opening or remote is None or remote.version != desired.version:
        yield Action("seal", "la publication", f"la version {desired.version} y est entière", id=there)


def _notes(matching: Matching) -> Iterator[str]:
    for resource in matching.foreign:
        yield f"« {resource.title} » ({resource.id}) n'est pas de nous : laissé tel quel, après les nôtres"
    for resource in matching.archives:
        yield f"« {resource.title} » est d'une version que ce dossier ne connaît pas : laissée telle quelle"


def _resource_actions(desired: DesiredDataset, matching: Matching, *, whole: bool) -> Iterator[Action]:
    """Yield a step for every resource that differs; ``whole``: the target once remote this version wholly.

    Schemas come first, since others link to them, then new archives, so that a release is kept before the files of
    the release before it are replaced; documents that hold links of the others come last, before the mere mark of the
    version on what did not change.
    """
    lost = "il n'est plus sur la cible, ou elle ne le prenait pas ; s'il y était, son lien permanent change"
    marks = []
    for file in sorted(desired.resources, key=_turn):
        remote = matching.paired.get(file.key)
        if remote is None:
            yield Action("upload", _shown(file), lost if whole else "nouveau fichier", file.key, sha1=file.sha1)
            continue
        for step in _differing(file, remote, matching):
            if step.kind == "mark":
                marks.append(step)
            else:
                yield step
    yield from marks
    for remote in matching.retired:
        if SUPERSEDED not in remote.extras:
            yield Action("supersede", f"« {remote.title} »", NO_LONGER, remote.key or "", remote.id)
    for remote in matching.doubles:
        yield Action("supersede", f"« {remote.title} »", SECOND_COPY, f"double:{remote.id}", remote.id)


def _order_action(
    desired: DesiredDataset, matching: Matching, held: tuple[RemoteResource, ...], steps: list[Action]
) -> Iterator[Action]:
    """Yield the step that puts resources in order, unless uploads will leave them so (each one comes first)."""
    keys = {resource.id: key for key, resource in matching.paired.items()}
    there = [keys.get(resource.id, resource.id) for resource in held]
    sent = [step.key for step in steps if step.kind == "upload"]
    left = (*matching.archives, *matching.retired, *matching.doubles, *matching.foreign)
    wanted = (*(offered.key for offered in desired.resources), *(resource.id for resource in left))
    if [*reversed(sent), *there] != list(wanted):
        why = "les nouveaux se placent en tête" if sent else "l'ordre a changé"
        yield Action("order", f"les {len(wanted)} fichiers", why, order=wanted)


def wanted_schema(file: DesiredResource, links: Mapping[str, str]) -> Mapping[str, str]:
    """Return the schema that a resource must have; ``links`` gives permalinks by key. Empty: we say nothing of it."""
    return {"url": links[file.schema_of]} if file.schema_of and file.schema_of in links else {}


def same_file(file: DesiredResource, remote: RemoteResource) -> bool:
    """Whether the target holds the file. An archive is judged by its content: another zlib gives it other bytes."""
    if file.immutable and remote.extras.get(CONTENT) == file.extras[CONTENT] and remote.sha1 is not None:
        return remote.sha1 == remote.extras.get(SHA1)
    return file.is_in(remote)


def described_extras(file: DesiredResource, remote: RemoteResource) -> dict[str, Any]:
    """Return the extras that a resource must have: others' are left, and an archive that stays keeps its facts."""
    others = {name: value for name, value in remote.extras.items() if name != SUPERSEDED}
    if file.immutable and same_file(file, remote) and CONTENT in remote.extras:
        return others | {name: file.extras[name] for name in (KEY, VERSION, CONTENT)}
    return others | dict(file.extras)


def _turn(file: DesiredResource) -> int:
    if file.key in (FEED_KEY, REUSE_KEY):
        return 3 if file.key == FEED_KEY else 4  # the page links to the feed
    return 0 if file.key.startswith("schema:") else 1 if file.immutable else 2


def _differing(file: DesiredResource, remote: RemoteResource, matching: Matching) -> Iterator[Action]:
    """Yield the step that a resource needs, if any."""
    changes, named = _changes(file, remote, matching), f"« {file.title} »"
    if not same_file(file, remote):
        why = "le contenu a changé, le lien permanent reste"
        yield Action("replace", _shown(file), why, file.key, remote.id, file.sha1, changes)
    elif file.key in matching.adopted:
        why = "envoyé par une publication interrompue"
        yield Action("adopt", _shown(file), why, file.key, remote.id, file.sha1, changes)
    elif changes:
        why = f"diffère sur la cible : {', '.join(change.name for change in changes)}"
        yield Action("describe", named, why, file.key, remote.id, file.sha1, changes)
    elif described_extras(file, remote) != dict(remote.extras):
        why = f"contenu inchangé, le même dans la version {file.extras[VERSION]}"
        yield Action("mark", named, why, file.key, remote.id, file.sha1)


def _changes(file: DesiredResource, remote: RemoteResource, matching: Matching) -> tuple[Change, ...]:
    links = {key: resource.latest for key, resource in matching.paired.items()}
    pairs: list[tuple[str, Any, Any]] = [
        ("titre", remote.title, file.title),
        ("description", remote.description, file.description),
        ("type", remote.type, file.type),
    ]
    schema = wanted_schema(file, links)
    if schema or (file.schema_of is not None and file.schema_of not in links):
        pairs.append(("schéma", dict(remote.schema), dict(schema) or {"url": f"lien permanent de {file.schema_of}"}))
    return tuple(Change(name, before, after) for name, before, after in pairs if before != after)


def _shown(file: DesiredResource) -> str:
    return f"« {file.title} » ({file.filename}, {french.size(file.size)})"


# What makes the plan wait for a person.


def _gates(desired: DesiredDataset, state: RemoteState, matching: Matching, steps: list[Action]) -> Iterator[Gate]:
    if desired.quality:
        missing = ", ".join(desired.quality)
        yield Gate("qualité", False, f"La note de qualité ne sera pas complète. Il manque : {missing}.")
    if desired.synthetic and state.address == PUBLIC:
        yield Gate("synthétique", False, "Ces données sont inventées et iraient sur data.gouv.fr, en public.")
    yield from _identity(state)
    yield from _history(desired, state)
    yield from _reach(matching, steps)


def _identity(state: RemoteState) -> Iterator[Gate]:
    remote = state.dataset
    if state.others:
        ids = ", ".join(state.others)
        yield Gate("doublon", False, f"D'autres jeux de données de la cible portent la même clé : {ids}.")
    if remote is None:
        if state.last_page:
            yield Gate(
                "disparu",
                False,
                f"Le jeu publié sous {state.last_page} n'y est plus, ou n'a plus notre clé ; un nouveau aurait "
                "d'autres liens.",
            )
    elif remote.deleted:
        yield Gate("supprimé", False, f"Quelqu'un a supprimé ce jeu sur la cible le {remote.deleted[:10]}.")
    elif remote.private and remote.version is not None:  # a draft in the making has none
        yield Gate("masqué", False, "Quelqu'un a rendu ce jeu privé sur la cible ; publier l'ouvrirait de nouveau.")


def _history(desired: DesiredDataset, state: RemoteState) -> Iterator[Gate]:
    there = state.dataset.version if state.dataset else None
    if there is None or there in desired.versions:
        return
    if (parse(there) or (0, 0, 0)) > (parse(desired.version) or (0, 0, 0)):
        message = f"La cible porte la version {there}, plus récente que {desired.version} : ce dossier est-il le bon ?"
    else:
        message = f"La cible porte la version {there}, inconnue de ce dossier : ses versions ont une autre histoire."
    yield Gate("histoire", False, message)


def _reach(matching: Matching, steps: list[Action]) -> Iterator[Gate]:
    retired = [resource for resource in matching.retired if SUPERSEDED not in resource.extras]
    ours = len(matching.paired) + len(retired)
    if len(retired) > RETIRED_AT_ONCE and len(retired) > RETIRED_SHARE * ours:
        yield Gate("portée", False, f"{len(retired)} fichiers sur {ours} seraient retirés d'un coup.")
    archives = [step.what for step in steps if step.kind == "replace" and step.key.startswith(ARCHIVE)]
    if archives:
        message = f"Des archives qui ne doivent jamais changer seraient remplacées : {', '.join(archives)}."
        yield Gate("archives", False, message)
