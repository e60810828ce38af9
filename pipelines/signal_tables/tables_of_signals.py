"""The five published tables of signals, made of what was found month by month and of what people wrote of it.

Nothing is tested here, and nothing of a text is known: cards tell tests, with what may explain them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.mechanics import french
from pipelines.signal_tables.card_figures import card_figures, curve_figures, has_curve
from pipelines.signal_tables.episodes import CARD, CELL, Episode, episodes
from pipelines.signal_tables.revised_cards import Released, with_revised
from pipelines.signal_tables.same_facts import with_same_facts
from pipelines.signal_tables.shown_voices import (
    ALL,
    FEELINGS,
    PUBLISHED,
    SECRET,
    Counts,
    counted_voices,
    share_with_a_theme,
    theme_label,
    voices_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from pipelines.declarations.references import SignalNote

SIGNAL_TABLES = ("signaux", "courbes_signaux", "tests_signaux", "puissance_signaux", "themes_voix")
CHECKS = {
    "volume": "volume", "campaign": "campagne", "delay": "moderation", "form": "formulaire", "label": "intitule",
}  # fmt: skip
_UNCHECKED = "non vérifié"


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


@dataclass(frozen=True)
class Words:
    """What is told beside: ``themes``, ``titles`` of indicators, yearly results by network (« csat 2024 »), notes.

    ``units``: of indicators; ``networks``: their titles; ``offices``: their names, by network and code.
    """

    themes: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    indicators: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: Iterable[SignalNote] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    offices: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def service(self, place: Mapping[str, str]) -> str:
        """Return the service that voices speak of, or the network whose indicator it is."""
        return place["service"] or self.networks.get(place["network"], place["network"])

    def office(self, place: Mapping[str, str]) -> str:
        """Return the name of the office, its code when it has none, empty when no office is meant."""
        return self.offices.get((place["network"], place["office"]), place["office"])


def signal_tables(
    voices: pa.Table, found: Findings, words: Words, before: Released | None = None
) -> dict[str, pd.DataFrame]:
    """Return the tables of SIGNAL_TABLES, in the columns that are declared.

    ``before``: what the release before told; a signal of it that is found no more is told as revised.
    """
    counts = counted_voices(voices)
    told, shown = Counts(counts), list(episodes(found.tests, found.ledger))
    notes: dict[str, list[SignalNote]] = {}
    for note in words.notes:
        notes.setdefault(note.signal, []).append(note)
    checks = _checks(found.checks)
    cards = [_card(one, told, words, notes.get(one.name, []), checks) for one in shown]
    tables = {
        "signaux": pd.DataFrame(with_same_facts(cards)),
        "courbes_signaux": pd.DataFrame([line for one in shown for line in _curve(one, found.tests, told)]),
        "tests_signaux": _tests(found.ledger, shown),
        "puissance_signaux": _power(_of_services(found.power, counts), found.ledger, voices),
        "themes_voix": voices_table(counts, words.themes),
    }
    return with_revised(tables, before, voices) if before else tables


def _card(
    one: Episode, told: Counts, words: Words, notes: Sequence[SignalNote], checks: Mapping[tuple[str, ...], str]
) -> dict[str, Any]:
    line, place = one.shown, one.place
    theme, feeling = place["theme"] or ALL, FEELINGS.get(place["feeling"], ALL)
    card: dict[str, Any] = {
        "signal": one.name, "reseau": place["network"], "service": words.service(place),
        "nature": "indicateur" if place["indicator"] else "mot" if place["term"] else "voix",
        "theme": theme, "theme_libelle": theme_label(theme, words.themes), "ressenti": feeling,
        "territoire_code": one.territory or None, "structure": words.office(place) or None,
        "mot": _word(place["term"]),
        "indicateur": place["indicator"] or None, "titre": _title(one, words),
        "depuis": one.since, "mois": one.months[-1], "periodes": len(one.months), "etat": one.state(notes),
        "detecteurs": ", ".join(one.detectors),
        **card_figures(place, line, told),
        "unite": words.units.get(place["indicator"], "valeur") if place["indicator"] else "voix",
        "valeur_q": line["q_value"], "valeur_q_dependance": line["q_dependent"],
        **{column: checks.get((*_key(line), name), _UNCHECKED) for name, column in CHECKS.items()},
        "note": " ; ".join(_said(note) for note in sorted(notes, key=lambda note: note.date)) or None,
        "indicateurs_du_reseau": " ; ".join(words.indicators.get(place["network"], ())) or None,
        "revision": None, "statut": PUBLISHED,
    }  # fmt: skip
    if place["indicator"]:
        return card
    if card["voix"] is None:
        return card | {**dict.fromkeys(CHECKS.values()), "statut": SECRET}
    return card


def _curve(one: Episode, tests: pd.DataFrame, told: Counts) -> Iterable[dict[str, Any]]:
    """Yield what was observed and expected of a signal in every month that its detector looked at, until its last.

    A month that may not be told has no figure of its own; a signal without figures month by month has no curve.
    """
    if not has_curve(one.place, one.shown):
        return
    both_ways = one.place["indicator"]  # its rises and its falls are one curve
    held = [name for name in (*CARD, "territory", "detector") if name != "feeling" or not both_ways]
    same = (tests[held] == [one.shown[name] for name in held]).all(axis=1)
    for line in tests[same].sort_values("month").to_dict("records"):
        figures = curve_figures(one.place, line, told)
        yield {
            "signal": one.name, "mois": line["month"], **figures, "vu": line["month"] in one.months,
            "statut": SECRET if figures["observe"] is None else PUBLISHED,
        }  # fmt: skip


def _title(one: Episode, words: Words) -> str:
    place = one.place
    what = [words.titles.get(place["indicator"], place["indicator"])] if place["indicator"] else []
    if not what:
        what = [f"« {_word(place['term'])} »"] if place["term"] else []
        what += [theme_label(place["theme"] or ALL, words.themes).lower()] if place["theme"] or not what else []
        what += [f"ressenti {FEELINGS[place['feeling']]}"] if place["feeling"] else []
    where = [words.office(place)] if place["office"] else []
    if place["indicator"]:
        where.append("en hausse" if one.shown["observed"] > one.shown["expected"] else "en baisse")
    return f"{words.service(place)} : {', '.join([*what, *where])}"


def _checks(checks: pd.DataFrame) -> dict[tuple[str, ...], str]:
    """Return in words what each counter-explanation gave, by signal and check."""
    return {
        (*_key(line), str(line["check"])): f"{'à examiner' if line['raised'] else 'écarté'} : {line['note']}"
        for line in checks[checks["number"].notna()].to_dict("records")  # others could not be checked
    }


def _key(line: Mapping[Any, Any]) -> tuple[str, ...]:
    return tuple(str(line[name]) for name in ("detector", "month", *CELL))


def _tests(ledger: pd.DataFrame, shown: Sequence[Episode]) -> pd.DataFrame:
    """Return the ledger, and how many of its signals have a card: the same for several, none for some words."""
    places = ["month", "family", "detector"]
    seen = Counter(tuple(line[name] for name in places) for one in shown for line in one.lines)
    shown_of = [seen[place] for place in ledger[places].itertuples(index=False, name=None)]
    told = ledger.assign(signaux_montres=shown_of).rename(columns={
        "month": "mois", "family": "famille", "detector": "methode", "signals": "signaux",
        "expected_false": "fausses_attendues",
    })  # fmt: skip
    return told[["mois", "famille", "methode", "tests", "signaux", "fausses_attendues", "signaux_montres"]]


def _of_services(power: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Leave out the services that are not told of."""
    told = set(counts[["reseau", "service"]].itertuples(index=False, name=None))
    places = zip(power["network"], power["service"], strict=True)
    return power.loc[[place in told for place in places]]


def _power(power: pd.DataFrame, ledger: pd.DataFrame, voices: pa.Table) -> pd.DataFrame:
    themed = share_with_a_theme(voices)
    places = zip(power["network"], power["service"], strict=True)
    return pd.DataFrame({
        "reseau": power["network"], "service": power["service"],
        "mois": str(ledger["month"].max()) if len(ledger) else "",
        "mois_d_histoire": power["months"], "voix_par_mois": power["voices"].map(_about),
        "plus_petite_hausse": power["smallest_rise"], "hausses_vues": power["found"] * 100,
        "fausses_alertes": power["false_alarms"] * 100,
        "part_avec_theme": [themed.get(place) for place in places],
    })  # fmt: skip


def _about(mean: float) -> str | None:
    return None if pd.isna(mean) else french.about(mean)


def _word(term: str) -> str | None:
    return term.replace("_", " ") or None


def _said(note: SignalNote) -> str:
    return f"{note.reason.rstrip('.')} ({note.date:%d/%m/%Y}, {note.by})."
