"""What makes a publication wait for a person, seen from the target: quality, identity, reach. Pure.

Gates on the release itself (how much changed, why) come from elsewhere and join these in the plan.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.release.gates import Gate
from pipelines.release.version import parse
from pipelines.targets.plan import Action
from pipelines.targets.udata.desired import DesiredDataset
from pipelines.targets.udata.matching import Matching
from pipelines.targets.udata.remote import ARCHIVE, SUPERSEDED
from pipelines.targets.udata.server_state import RemoteState

PUBLIC = "https://www.data.gouv.fr"
# Retiring files is rare: beyond both bounds it looks like a fault of ours, not like a decision.
RETIRED_AT_ONCE = 3
RETIRED_SHARE = 0.25


def platform_gates(
    desired: DesiredDataset, state: RemoteState, matching: Matching, steps: list[Action]
) -> Iterator[Gate]:
    """Yield every reason for a person to look before this dataset goes to this target."""
    if desired.quality:
        missing = ", ".join(desired.quality)
        yield _refused("qualité", f"La note de qualité ne sera pas complète. Il manque : {missing}.")
    if desired.synthetic and state.address == PUBLIC:
        yield _refused("synthétique", "Ces données sont inventées et iraient sur data.gouv.fr, en public.")
    yield from _identity(state)
    yield from _history(desired, state)
    yield from _reach(matching, steps)


def _refused(name: str, message: str) -> Gate:
    return Gate(name, False, message)


def _identity(state: RemoteState) -> Iterator[Gate]:
    remote = state.dataset
    if state.others:
        ids = ", ".join(state.others)
        yield _refused("doublon", f"D'autres jeux de données de la cible portent la même clé : {ids}.")
    if remote is None:
        if state.last_page:
            yield _refused(
                "disparu",
                f"Le jeu publié sous {state.last_page} n'y est plus, ou n'a plus notre clé ; un nouveau aurait "
                "d'autres liens.",
            )
    elif remote.deleted:
        yield _refused("supprimé", f"Quelqu'un a supprimé ce jeu sur la cible le {remote.deleted[:10]}.")
    elif remote.private and remote.version is not None:  # a draft in the making has none
        yield _refused("masqué", "Quelqu'un a rendu ce jeu privé sur la cible ; publier l'ouvrirait de nouveau.")


def _history(desired: DesiredDataset, state: RemoteState) -> Iterator[Gate]:
    there = state.dataset.version if state.dataset else None
    if there is None or there in desired.versions:
        return
    if (parse(there) or (0, 0, 0)) > (parse(desired.version) or (0, 0, 0)):
        message = f"La cible porte la version {there}, plus récente que {desired.version} : ce dossier est-il le bon ?"
    else:
        message = f"La cible porte la version {there}, inconnue de ce dossier : ses versions ont une autre histoire."
    yield _refused("histoire", message)


def _reach(matching: Matching, steps: list[Action]) -> Iterator[Gate]:
    retired = [item for item in matching.retired if SUPERSEDED not in item.extras]
    ours = len(matching.paired) + len(retired)
    if len(retired) > RETIRED_AT_ONCE and len(retired) > RETIRED_SHARE * ours:
        yield _refused("portée", f"{len(retired)} fichiers sur {ours} seraient retirés d'un coup.")
    archives = [step.what for step in steps if step.kind == "replace" and step.key.startswith(ARCHIVE)]
    if archives:
        message = f"Des archives qui ne doivent jamais changer seraient remplacées : {', '.join(archives)}."
        yield _refused("archives", message)
