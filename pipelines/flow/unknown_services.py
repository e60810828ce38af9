"""The labels of services that users' texts name and nobody declared: how many there are, for whoever declares them.

Anything may have been typed there. The labels stay in a private file of the work folder; what is told is a number.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.flow.store import Store
    from pipelines.voice.voices import VoicesRead

_FILE = "work/voix-intitules.json"


def keep_unknown_services(store: Store, read: Iterable[VoicesRead]) -> None:
    """Keep the labels that were just met, each with its number of texts."""
    labels: Counter[str] = Counter()
    for one in read:
        labels.update(one.unmapped)
    store.keep(_FILE, dict(sorted(labels.items())))


def unknown_services(store: Store) -> int:
    """Return how many labels of services are not declared, in the texts last read."""
    return len(_labels(store))


def _labels(store: Store) -> dict[str, int]:
    return store.load(_FILE, dict[str, int]) or {}


def unknown_services_sentence(store: Store) -> str | None:
    """Say it in French, where the labels are and what to do; None when all are declared."""
    labels = _labels(store)
    if not labels:
        return None
    texts = counted(sum(labels.values()), "texte")
    met = counted(len(labels), "intitulé non déclaré", "intitulés non déclarés")
    return f"services : {met} ({texts}, sous « Autre service »), à lire dans {_FILE} et à déclarer dans typologies.yml"
