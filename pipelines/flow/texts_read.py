"""What was met in users' texts, for the data team: labels of services that nobody declared, texts in other languages.

Anything may have been typed as a label: they stay in a private file of the work folder, what is told is numbers.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.flow.store import Store
    from pipelines.voice.voices import VoicesRead

_FILE = "work/voix-intitules.json"
_FOREIGN = "work/voix-langues.json"


def keep_texts_read(store: Store, read: Sequence[VoicesRead]) -> None:
    """Keep the labels that were just met, each with its number of texts, and how many voices aren't in French."""
    labels: Counter[str] = Counter()
    for one in read:
        labels.update(one.unmapped)
    store.keep(_FILE, dict(sorted(labels.items())))
    store.keep(_FOREIGN, sum(one.foreign for one in read))


def foreign_voices(store: Store) -> int:
    """Return how many voices are in another language than French, or in none that is known."""
    return store.load(_FOREIGN, int) or 0


def foreign_voices_sentence(store: Store) -> str | None:
    """Say it in French; None when there is none."""
    count = foreign_voices(store)
    return f"langues : {counted(count, 'voix', 'voix')} sans français reconnu, sans thème" if count else None


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
