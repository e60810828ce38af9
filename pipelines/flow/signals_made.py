"""What the tables of signals last made hold, as whoever tells of it reads it: small, and without any table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pipelines.mechanics.french import counted, decimal

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue
    from pipelines.flow.store import Store

_FILE = "work/voix-signaux.json"


@dataclass(frozen=True)
class SignalsMade:
    """What the tables of signals hold: how many of each state, and how many tests were made.

    ``open``: the signals that wait for an answer, by ``signal``, ``titre``, ``etat`` and ``chiffres``; ``signals``: the
    names of all.
    """

    states: dict[str, int]
    tests: int
    expected_false: float
    month: str
    open: tuple[dict[str, str], ...]
    signals: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Say it in French."""
        told = ", ".join(f"{count} {state}" for state, count in self.states.items()) or "aucun signal"
        alarms = decimal(self.expected_false, 1)
        return f"{told} ; {counted(self.tests, 'test')} en {self.month}, {alarms} fausse alerte attendue"


def unmet_notes(catalogue: Catalogue, made: SignalsMade) -> list[str]:
    """Return the declared notes that speak of no signal that is known: their place, and what they name."""
    notes = [note for held in catalogue.signal_notes.values() for note in held]
    return [f"{note.place} : {note.signal}" for note in notes if note.signal not in made.signals]


def keep_signals_made(store: Store, made: SignalsMade) -> None:
    """Keep what was just made."""
    store.keep(_FILE, asdict(made))


def signals_made(store: Store) -> SignalsMade | None:
    """Return what was last made, None before anything was."""
    known = store.load(_FILE)
    return SignalsMade(**known) if known else None
