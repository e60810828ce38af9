"""One signal → its card and its curve: what is told of it, and which of its figures.

No figure of few voices is told, and none from which a number of few voices would follow. Voices are counted for a whole
service in one month, where ``themes_voix`` tells that number too, or for a word of it: to the nearest five, as there.
Territories, offices and windows of several months have no number: their cards would subtract from one another. No share
of all that is positive or negative: it would be a rate of satisfaction. An indicator is published already, by other
rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.declarations.statuses import FigureStatus
from pipelines.mechanics.french import day_text
from pipelines.signal_tables.episodes import CARD, CELL
from pipelines.signal_tables.shown_voices import (
    ALL,
    DAYS,
    FEELINGS,
    VOICES,
    Counts,
    about,
    fewest,
    theme_label,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from pipelines.declarations.references import SignalNote
    from pipelines.signal_tables.episodes import Episode

FIGURES = ("observe", "attendu", "rapport", "rapport_bas", "rapport_haut", "voix", "jours", "part")
_MONTHLY = "farrington"  # the only detector that tests the voices of a month against those expected in it
_OF_A_MONTH = (_MONTHLY, "ears", "nb_cusum")  # whose ``voices`` are those of the month, of the whole service
CHECKS = {
    "volume": "volume", "campaign": "campagne", "delay": "moderation", "form": "formulaire", "label": "intitule",
}  # fmt: skip
_UNCHECKED = "non vérifié"


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


def signal_card(
    one: Episode, counts: Counts, words: Words, notes: Sequence[SignalNote], checks: Mapping[tuple[str, ...], str]
) -> dict[str, Any]:
    """Return the row of ``signaux`` of a signal; ``checks``: those of ``checks_in_words``."""
    line, place = one.shown, one.place
    theme, feeling = place["theme"] or ALL, FEELINGS.get(place["feeling"], ALL)
    card: dict[str, Any] = {
        "signal": one.name,
        "reseau": place["network"],
        "service": words.service(place),
        "nature": "indicateur" if place["indicator"] else "mot" if place["term"] else "voix",
        "theme": theme,
        "theme_libelle": theme_label(theme, words.themes),
        "ressenti": feeling,
        "territoire_code": one.territory or None,
        "structure": words.office(place) or None,
        "mot": _word(place["term"]) or None,
        "indicateur": place["indicator"] or None,
        "titre": _title(one, words),
        "depuis": one.since,
        "mois": one.months[-1],
        "periodes": len(one.months),
        "etat": one.state(notes).value,
        "detecteurs": ", ".join(one.detectors),
        **_figures(place, line, counts),
        "unite": words.units.get(place["indicator"], "valeur") if place["indicator"] else "voix",
        "valeur_q": line["q_value"],
        "valeur_q_dependance": line["q_dependent"],
        **{column: checks.get((*_key(line), name), _UNCHECKED) for name, column in CHECKS.items()},
        "note": " ; ".join(_said(note) for note in sorted(notes, key=lambda note: note.date)) or None,
        "indicateurs_du_reseau": " ; ".join(words.indicators.get(place["network"], ())) or None,
        "revision": None,
        "statut": FigureStatus.PUBLISHED.value,
    }
    if card["voix"] is None and not place["indicator"]:
        card |= {**dict.fromkeys(CHECKS.values()), "statut": FigureStatus.SECRET.value}
    return card


def _figures(place: Mapping[str, str], line: Mapping[Any, Any], counts: Counts) -> dict[str, Any]:
    """Return FIGURES, from the test that is told; None where they are not."""
    figures: dict[str, Any] = dict.fromkeys(FIGURES)
    if place["indicator"]:
        return figures | _tested(line)
    if not _tells(place, line, counts):
        return figures
    voices, monthly = about(line["voices"]), line["detector"] == _MONTHLY
    figures |= {
        "voix": voices,
        "jours": min(int(line["days"]), fewest(voices)),
    }  # of more days, it would be told how many
    if place["term"]:
        return figures
    if _is_rate(place):
        return figures | ({"observe": float(voices)} if monthly else {})
    if whole := counts.total((place["network"], place["service"], str(line["month"]), ALL, ALL)):
        figures["part"] = 100 * voices / about(whole)
    return figures | (_tested(line, voices / line["voices"]) if monthly else {})


def _curve_figures(place: Mapping[str, str], line: Mapping[Any, Any], counts: Counts) -> dict[str, Any]:
    """Return the figures of a month of a curve, None where they are not told."""
    observed, expected, limit = line["observed"], line["expected"], line["upper"]
    if place["indicator"]:
        limit = None  # judged both ways, it has none on one side
    elif _tells(place, line, counts):
        observed = float(about(observed))
        expected, limit = (None, None) if _is_rate(place) else (expected, limit)
    else:
        observed = expected = limit = None
    return {"observe": observed, "attendu": expected, "limite": limit}


def _is_rate(place: Mapping[str, str]) -> bool:
    """Whether a share of the service's voices would be a rate of satisfaction or of dissatisfaction."""
    return bool(place["feeling"]) and not place["theme"] and not place["term"]


def _tells(place: Mapping[str, str], line: Mapping[Any, Any], counts: Counts) -> bool:
    """Whether the number of voices of a test may be told."""
    if place["office"] or line["territory"]:
        return False
    service = (place["network"], place["service"], str(line["month"]))
    if place["term"]:
        enough = line["days"] >= DAYS and line["voices"] >= VOICES
        return enough and not place["feeling"] and counts.total((*service, ALL, ALL)) is not None
    if line["detector"] not in _OF_A_MONTH:
        return False
    total = counts.total((*service, place["theme"] or ALL, FEELINGS.get(place["feeling"], ALL)))
    return total is not None and total == line["voices"] and (line["detector"] != _MONTHLY or total == line["observed"])


def _tested(line: Mapping[Any, Any], factor: float = 1.0) -> dict[str, Any]:
    """Return what is observed beside what is expected; ``factor``: by how much what is observed is told for more."""
    return {
        "observe": line["observed"] * factor,
        "attendu": line["expected"],
        "rapport": line["ratio"] * factor,
        "rapport_bas": line["ratio_low"] * factor,
        "rapport_haut": line["ratio_high"] * factor,
    }


def signal_curve(one: Episode, tests: pd.DataFrame, counts: Counts) -> Iterable[dict[str, Any]]:
    """Yield what was observed and expected of a signal in every month that its detector looked at, until its last.

    A month that may not be told has no figure of its own; a signal without figures month by month has no curve.
    """
    if not one.place["indicator"] and one.shown["detector"] != _MONTHLY:
        return
    both_ways = one.place["indicator"]  # its rises and its falls are one curve
    columns = [name for name in (*CARD, "territory", "detector") if name != "feeling" or not both_ways]
    same = (tests[columns] == [one.shown[name] for name in columns]).all(axis=1)
    for line in tests[same].sort_values("month").to_dict("records"):
        figures = _curve_figures(one.place, line, counts)
        yield {
            "signal": one.name,
            "mois": line["month"],
            **figures,
            "vu": line["month"] in one.months,
            "statut": (FigureStatus.SECRET if figures["observe"] is None else FigureStatus.PUBLISHED).value,
        }


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


def checks_in_words(checks: pd.DataFrame) -> dict[tuple[str, ...], str]:
    """Return in words what each counter-explanation gave, by signal and check."""
    return {
        (*_key(line), str(line["check"])): f"{'à examiner' if line['raised'] else 'écarté'} : {line['note']}"
        for line in checks[checks["number"].notna()].to_dict("records")  # others could not be checked
    }


def _key(line: Mapping[Any, Any]) -> tuple[str, ...]:
    return tuple(str(line[name]) for name in ("detector", "month", *CELL))


def _word(term: str) -> str:
    return term.replace("_", " ")


def _said(note: SignalNote) -> str:
    return f"{note.reason.rstrip('.')} ({day_text(note.date)}, {note.by})."
