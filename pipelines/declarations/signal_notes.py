"""Models of ``schemas/signals``: what people wrote of a signal, dated and signed. Signals are found, never declared."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from pipelines.declarations.strict_model import Model, Text

# As ``pipelines.signal_tables.cards`` names them: a network, what is said there, and the month of the beginning.
SignalName = Annotated[str, Field(max_length=200, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*-\d{4}-\d{2}$")]


class SignalNote(Model):
    """What somebody says of a signal: that it is so, or what explains it."""

    signal: SignalName
    status: Literal["confirmed", "explained"]
    reason: Text
    by: Text
    date: datetime.date
    _place: str = PrivateAttr("signals/")

    @property
    def place(self) -> str:
        """Where the note is declared, ``signals/caf.yml:3``."""
        return self._place

    def at(self, place: str) -> SignalNote:
        """Return the note with the place where it is declared."""
        placed = self.model_copy()
        placed._place = place
        return placed


class SignalNotes(Model):
    """All the notes of one file."""

    notes: tuple[SignalNote, ...] = ()
