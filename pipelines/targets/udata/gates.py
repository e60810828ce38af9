"""What makes a publication wait for a person, seen from the target: quality, identity, reach. Pure verdicts.

Verdicts on the release itself (how much changed, why) come from elsewhere and join these in the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.release.version import parse
from pipelines.targets.actions import Action
from pipelines.targets.target import ADDRESSES, SUPERSEDED, RemoteState
from pipelines.targets.udata.desired import DesiredDataset
from pipelines.targets.udata.matching import Matching

# Retiring files is rare: beyond both bounds it looks like a fault of ours, not like a decision.
RETIRED_AT_ONCE = 3
RETIRED_SHARE = 0.25


@dataclass(frozen=True)
class TargetGate:
    """A gate that did not pass, and what to know before accepting."""

    name: str
    message_fr: str
    passed: bool = False
    details: tuple[str, ...] = ()


def platform_gates(
    offer: DesiredDataset, state: RemoteState, matching: Matching, steps: list[Action]
) -> Iterator[TargetGate]:
    """Yield every reason for a person to look before this offer goes to this target."""
    if offer.quality:
        missing = ", ".join(offer.quality)
        yield TargetGate("qualité", f"La note de qualité ne sera pas complète. Il manque : {missing}.")
    if offer.synthetic and state.address == ADDRESSES["www"]:
        yield TargetGate("synthétique", "Ces données sont inventées et iraient sur data.gouv.fr, en public.")
    yield from _identity(state)
    yield from _history(offer, state)
    yield from _reach(matching, steps)


def _identity(state: RemoteState) -> Iterator[TargetGate]:
    held = state.dataset
    if state.others:
        ids = ", ".join(state.others)
        yield TargetGate("doublon", f"D'autres jeux de données de la cible portent la même clé : {ids}.")
    if held is None:
        if state.expected is not None:
            yield TargetGate(
                "disparu",
                f"Le jeu publié sous {state.expected} n'est plus sur la cible ; un nouveau aurait d'autres liens.",
            )
        return
    if held.deleted:
        yield TargetGate("supprimé", f"Quelqu'un a supprimé ce jeu sur la cible le {held.deleted[:10]}.")
    elif held.private and held.version is not None and held.lease is None:
        yield TargetGate("masqué", "Quelqu'un a rendu ce jeu privé sur la cible ; publier l'ouvrirait de nouveau.")


def _history(offer: DesiredDataset, state: RemoteState) -> Iterator[TargetGate]:
    there = state.dataset.version if state.dataset else None
    if there is None or there in offer.versions:
        return
    if (parse(there) or (0, 0, 0)) > (parse(offer.version) or (0, 0, 0)):
        message = f"La cible porte la version {there}, plus récente que {offer.version} : ce dossier est-il le bon ?"
    else:
        message = f"La cible porte la version {there}, inconnue de ce dossier : ses versions ont une autre histoire."
    yield TargetGate("histoire", message)


def _reach(matching: Matching, steps: list[Action]) -> Iterator[TargetGate]:
    retired = [item for item in matching.retired if SUPERSEDED not in item.extras]
    ours = len(matching.paired) + len(retired)
    if len(retired) > RETIRED_AT_ONCE and len(retired) > RETIRED_SHARE * ours:
        yield TargetGate("portée", f"{len(retired)} fichiers sur {ours} seraient retirés d'un coup.")
    archives = [step.what for step in steps if step.kind == "replace" and step.key.startswith("archive:")]
    if archives:
        message = f"Des archives qui ne doivent jamais changer seraient remplacées : {', '.join(archives)}."
        yield TargetGate("archives", message)
