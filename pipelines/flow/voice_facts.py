"""What was last made of users' voices, as whoever tells of it reads it: small, and without any table.

Of the texts themselves, numbers alone are told: anything may have been typed as the label of a service, and the labels
that nobody declared stay in a private file of the work folder.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pipelines.declarations import Catalogue
from pipelines.flow.store import Store
from pipelines.mechanics.french import counted, decimal, month_in_words, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.voice.voices import VoicesRead  # loads what reads texts

_FILE = "work/voix-signaux.json"
_LABELS_FILE = "work/voix-intitules.json"
_FOREIGN = "work/voix-langues.json"


@dataclass(frozen=True)
class SignalsMade:
    """What the tables of signals hold: how many of each state, and how many tests were made.

    ``open``: the signals that wait for an answer, or were revised, by ``signal``, ``titre``, ``etat`` and ``chiffres``;
    ``signals``: the names of all. ``synthetic``: the warning that the texts came with, when they are invented.
    ``measured``: whether it could be measured what would be found. ``left_out``: signals that no release would take.
    """

    states: dict[str, int]
    tests: int
    expected_false: float
    month: str
    open: tuple[dict[str, str], ...]
    signals: tuple[str, ...]
    synthetic: str | None = None
    measured: bool = True
    left_out: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Say it in French."""
        states = (f"{count} {_agreed(count, state)}" for state, count in self.states.items())
        alarms = plural(int(round(self.expected_false, 1)), "fausse alerte attendue")
        tests = f"{counted(self.tests, 'test')} en {month_in_words(self.month)}"
        left = ""
        if self.left_out:
            signals = counted(len(self.left_out), "signal", "signaux")
            left = f"{signals} hors de la version, un chiffre n'y convient pas : {', '.join(self.left_out)}"
        told = [
            ", ".join(states) or "aucun signal",
            f"{tests}, {decimal(self.expected_false, 1)} {alarms}",
            "" if self.measured else "ce qui pourrait être vu n'a pas pu être mesuré",
            left,
            self.synthetic or "",
        ]
        return " ; ".join(part for part in told if part)


def _agreed(count: int, state: str) -> str:
    return state if " " in state else plural(count, state)


def unmet_notes(catalogue: Catalogue, made: SignalsMade) -> list[str]:
    """Return the declared notes that speak of no signal that is known: their place, and what they name."""
    notes = [note for held in catalogue.signal_notes.values() for note in held]
    return [f"{note.place} : {note.signal}" for note in notes if note.signal not in made.signals]


def why_not_made(catalogue: Catalogue) -> str | None:
    """Say why signals are not made under these declarations, in French; None when nothing prevents it.

    Without what was left out they would be others: a theme unknown, a note unheard. What was published stays.
    """
    if not catalogue.left_out:
        return None
    told = " ; ".join(map(str, catalogue.left_out))
    return f"signaux non faits, ceux qui sont publiés restent : déclaration à corriger, {told}"


def keep_signals_made(store: Store, made: SignalsMade) -> None:
    """Keep what was just made."""
    store.keep(_FILE, asdict(made))


def signals_made(store: Store) -> SignalsMade | None:
    """Return what was last made, None before anything was."""
    return store.load(_FILE, SignalsMade)


def keep_texts_read(store: Store, read: Sequence[VoicesRead]) -> None:
    """Keep the labels that were just met, each with its number of texts, and how many voices aren't in French."""
    labels: Counter[str] = Counter()
    for one in read:
        labels.update(one.unmapped)
    store.keep(_LABELS_FILE, dict(sorted(labels.items())))
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
    return store.load(_LABELS_FILE, dict[str, int]) or {}


def unknown_services_sentence(store: Store) -> str | None:
    """Say it in French, where the labels are and what to do; None when all are declared."""
    labels = _labels(store)
    if not labels:
        return None
    texts = counted(sum(labels.values()), "texte")
    met = counted(len(labels), "intitulé non déclaré", "intitulés non déclarés")
    told = f"services : {met} ({texts}, sous « Autre service »)"
    return f"{told}, à lire dans {_LABELS_FILE} et à déclarer dans typologies.yml"
