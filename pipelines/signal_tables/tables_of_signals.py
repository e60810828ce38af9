"""The five published tables of signals, made of what was found month by month and of what people wrote of it.

Nothing is tested here, and nothing of a text is known: cards tell tests, with what may explain them. Signals that may
tell the same fact name one another, and none is hidden behind another: a breakdown is a theme that rises, words that
come with it, an office far from its peers, an indicator that falls. As many tests, as many cards.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.mechanics import french
from pipelines.signal_tables.episodes import CELL, Episode, episodes
from pipelines.signal_tables.revised_cards import Released, with_revised
from pipelines.signal_tables.shown_voices import ALL, Counts, counted_voices, share_with_a_theme, voices_table
from pipelines.signal_tables.signal_cards import Words, checks_in_words, signal_card, signal_curve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from pipelines.declarations.references import SignalNote

SIGNAL_TABLES = ("signaux", "courbes_signaux", "tests_signaux", "puissance_signaux", "themes_voix")
MOST = 6  # cards named by a card: those of another nature first, then those that began at about the same time
INDICATOR = "indicateur"


@dataclass(frozen=True)
class Findings:
    """What detectors found in all months: the frames of ``pipelines.signals``, joined; power of the last month."""

    tests: pd.DataFrame
    ledger: pd.DataFrame
    checks: pd.DataFrame
    power: pd.DataFrame


NOTHING = Findings(
    pd.DataFrame(columns=["detector", "month", *CELL, "signal"]),
    pd.DataFrame(columns=["detector", "family", "month", "tests", "signals", "expected_false"]),
    pd.DataFrame(columns=["detector", "month", *CELL, "check", "raised", "number", "note"]),
    pd.DataFrame(columns=["network", "service", "smallest_rise", "found", "false_alarms", "months", "voices"]),
)


def signal_tables(
    voices: pa.Table, found: Findings, words: Words, before: Released | None = None
) -> dict[str, pd.DataFrame]:
    """Return the tables of SIGNAL_TABLES, in the columns that are declared.

    ``before``: what the release before told; a signal of it that is found no more is told as revised.
    """
    counts = counted_voices(voices)
    told_counts, shown = Counts(counts), list(episodes(found.tests, found.ledger))
    notes: dict[str, list[SignalNote]] = {}
    for note in words.notes:
        notes.setdefault(note.signal, []).append(note)
    checks = checks_in_words(found.checks)
    cards = [signal_card(one, told_counts, words, notes.get(one.name, []), checks) for one in shown]
    tables = {
        "signaux": pd.DataFrame(_with_same_facts(cards)),
        "courbes_signaux": pd.DataFrame(
            [line for one in shown for line in signal_curve(one, found.tests, told_counts)]
        ),
        "tests_signaux": _tests(found.ledger, shown),
        "puissance_signaux": _power(found, counts, voices),
        "themes_voix": voices_table(counts, words.themes),
    }
    return with_revised(tables, before, voices) if before else tables


def _tests(ledger: pd.DataFrame, shown: Sequence[Episode]) -> pd.DataFrame:
    """Return the ledger, and how many of its signals have a card: the same for several, none for some words."""
    places = ["month", "family", "detector"]
    times_shown = Counter(tuple(line[name] for name in places) for one in shown for line in one.lines)
    shown_of = [times_shown[place] for place in ledger[places].itertuples(index=False, name=None)]
    ledger_lines = ledger.assign(signaux_montres=shown_of).rename(
        columns={
            "month": "mois",
            "family": "famille",
            "detector": "methode",
            "signals": "signaux",
            "expected_false": "fausses_attendues",
        }
    )
    return ledger_lines[["mois", "famille", "methode", "tests", "signaux", "fausses_attendues", "signaux_montres"]]


def _power(found: Findings, counts: pd.DataFrame, voices: pa.Table) -> pd.DataFrame:
    """Return what would be found of each service, but of those that are not told of."""
    services = set(counts[["reseau", "service"]].itertuples(index=False, name=None))
    power = found.power.loc[[place in services for place in _places(found.power)]]
    themed = share_with_a_theme(voices)
    return pd.DataFrame(
        {
            "reseau": power["network"],
            "service": power["service"],
            "mois": str(found.ledger["month"].max()) if len(found.ledger) else "",
            "mois_d_histoire": power["months"],
            "voix_par_mois": [None if pd.isna(mean) else french.about(mean) for mean in power["voices"]],
            "plus_petite_hausse": power["smallest_rise"],
            "hausses_vues": power["found"] * 100,
            "fausses_alertes": power["false_alarms"] * 100,
            "part_avec_theme": [themed.get(place) for place in _places(power)],
        }
    )


def _places(power: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(power["network"], power["service"], strict=True))


def _with_same_facts(cards: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
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
    """Whether two signals are of one service or office, overlap in time and don't contradict one another."""
    overlap = one["depuis"] <= other["mois"] and other["depuis"] <= one["mois"]
    indicators = [card["structure"] for card in (one, other) if card["nature"] == INDICATOR]
    placed = one["service"] == other["service"] if not indicators else len(set(indicators)) == 1
    agree = all(one[name] == other[name] or ALL in (one[name], other[name]) for name in ("theme", "ressenti"))
    return overlap and placed and agree


def _months_apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    years, months = (int(one["depuis"][part]) - int(other["depuis"][part]) for part in (slice(4), slice(5, 7)))
    return abs(12 * years + months)
