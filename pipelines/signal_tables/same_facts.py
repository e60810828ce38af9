"""Signals that may tell the same fact: each card names the others, and none is hidden behind another.

A breakdown is a theme that rises, words that come with it, an office far from its peers, an indicator that falls: as
many tests, as many cards. Those of one network (and service) that overlap in time and don't contradict one another, in
theme nor in feeling, are named to whoever reads one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.signal_tables.shown_voices import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST = 6  # named by a card: those of another nature first, then those that began at about the same time
INDICATOR = "indicateur"


def with_same_facts(cards: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the cards, each with ``voir_aussi``: the identifiers of those that may tell the same, or None."""
    by_network: dict[str, list[dict[str, Any]]] = {}
    for card in cards:
        by_network.setdefault(card["reseau"], []).append(card)
    return [card | {"voir_aussi": _named(card, by_network[card["reseau"]])} for card in cards]


def _named(card: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str | None:
    near = [other for other in others if other["signal"] != card["signal"] and _may_be_one(card, other)]
    near.sort(key=lambda other: (other["nature"] == card["nature"], _months_apart(card, other), other["signal"]))
    return " ; ".join(other["signal"] for other in near[:MOST]) or None


def _may_be_one(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    overlap = one["depuis"] <= other["mois"] and other["depuis"] <= one["mois"]
    indicators = [card["structure"] for card in (one, other) if card["nature"] == INDICATOR]
    placed = one["service"] == other["service"] if not indicators else len(set(indicators)) == 1
    return overlap and placed and all(_agree(one[name], other[name]) for name in ("theme", "ressenti"))


def _agree(one: str, other: str) -> bool:
    return one == other or ALL in (one, other)


def _months_apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    years, months = (int(one["depuis"][part]) - int(other["depuis"][part]) for part in (slice(4), slice(5, 7)))
    return abs(12 * years + months)
