"""Signals that a release told and that the tests no longer find, what they were made of having changed since.

A revision of results, a text that comes late, another list of services or themes, another method: past months are
tested again, and a signal may go. It stays in the data set, without any figure, and says so: whoever was asked a
question about it must find what became of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.declarations.statuses import FigureStatus, SignalState
from pipelines.signal_tables.episodes import slug
from pipelines.signal_tables.shown_voices import VOICES
from pipelines.signal_tables.signal_cards import FIGURES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

_UNTOLD = (*FIGURES, "valeur_q", "valeur_q_dependance", "volume", "campagne", "moderation", "formulaire", "intitule",
           "voir_aussi")  # fmt: skip
_CURVE = ("observe", "attendu", "limite")
_WHY = (
    "dit en dernier par la version {} ; ce dont il était fait a changé depuis (textes, résultats, déclarations ou "
    "méthode), et les mêmes tests ne le voient plus"
)


@dataclass(frozen=True)
class Released:
    """The tables of signals of the release before: its ``version``, its cards and their curves."""

    version: str
    cards: pd.DataFrame
    curves: pd.DataFrame


def with_revised(tables: dict[str, pd.DataFrame], before: Released, voices: pa.Table) -> dict[str, pd.DataFrame]:
    """Return the tables with the cards of ``before`` that they have no more, and the months of their curves.

    What somebody typed (a word, the name of an office) isn't told again when too few voices still hold it: it may have
    been masked since. Where the month of a card was not tested again (what was kept of it is lost), nothing says that
    it changed: the card stays as it was told.
    """
    if before.cards.empty:
        return tables
    signals = set(tables["signaux"]["signal"]) if len(tables["signaux"]) else set()
    gone = before.cards[~before.cards["signal"].isin(signals)]
    still_said = _Typed(voices)
    still_told = [card for card in gone.to_dict("records") if still_said.holds(card)]
    tested = set(tables["tests_signaux"]["mois"])
    cards = {card["signal"]: _revised(card, before.version) if card["mois"] in tested else card for card in still_told}
    lines = [line for line in before.curves.to_dict("records") if line["signal"] in cards]
    curves = [_untold(line) if cards[line["signal"]]["etat"] == SignalState.REVISED else line for line in lines]
    return tables | {
        "signaux": _joined(tables["signaux"], [*cards.values()]),
        "courbes_signaux": _joined(tables["courbes_signaux"], curves),
    }


def _revised(card: dict[Any, Any], version: str) -> dict[Any, Any]:
    why = card.get("revision") if card["etat"] == SignalState.REVISED else None
    state = {"etat": SignalState.REVISED.value, "statut": FigureStatus.REVISED.value}
    return card | dict.fromkeys(_UNTOLD) | state | {"revision": why or _WHY.format(version)}


def _untold(line: dict[Any, Any]) -> dict[Any, Any]:
    return line | dict.fromkeys(_CURVE) | {"vu": False, "statut": FigureStatus.REVISED.value}


def _joined(table: pd.DataFrame, rows: list[dict[Any, Any]]) -> pd.DataFrame:
    return pd.DataFrame([*table.to_dict("records"), *rows]) if rows else table


@dataclass(frozen=True)
class _Typed:
    """How many voices hold what people typed: words, and names of offices."""

    voices: pa.Table

    def holds(self, card: Mapping[Any, Any]) -> bool:
        if card["nature"] == "mot":
            return self._words[slug(card["mot"])] >= VOICES
        if card["nature"] == "voix" and isinstance(card["structure"], str):
            return self._offices[slug(card["structure"])] >= VOICES
        return True

    @cached_property
    def _words(self) -> Counter[str]:
        return _counted(self.voices["terms"].combine_chunks().flatten())

    @cached_property
    def _offices(self) -> Counter[str]:
        return _counted(self.voices["office"].drop_null())


def _counted(values: pa.Array | pa.ChunkedArray) -> Counter[str]:
    counts: Counter[str] = Counter()
    for pair in values.value_counts().to_pylist():
        counts[slug(pair["values"])] += pair["counts"]
    return counts
