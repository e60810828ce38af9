"""Which figures of a signal are told: none of few voices, and none from which a number of few voices would follow.

Voices are counted for a whole service in one month, where ``themes_voix`` tells that number too, or for a word of it:
to the nearest five, as there. Territories, offices and windows of several months have no number: their cards would
subtract from one another. No share of all that is positive or negative: it would be a rate of satisfaction. An
indicator is published already, by other rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.signal_tables.shown_voices import ALL, DAYS, FEELINGS, VOICES, Counts, about, fewest

if TYPE_CHECKING:
    from collections.abc import Mapping

FIGURES = ("observe", "attendu", "rapport", "rapport_bas", "rapport_haut", "voix", "jours", "part")
_MONTHLY = "farrington"  # the only detector that tests the voices of a month against those expected in it
_OF_A_MONTH = (_MONTHLY, "ears", "nb_cusum")  # whose ``voices`` are those of the month, of the whole service


def card_figures(place: Mapping[str, str], line: Mapping[Any, Any], told: Counts) -> dict[str, Any]:
    """Return the columns FIGURES of a signal, from the test that is told; None where they are not."""
    held: dict[str, Any] = dict.fromkeys(FIGURES)
    if place["indicator"]:
        return held | _tested(line)
    if not _tells(place, line, told):
        return held
    voices, monthly = about(line["voices"]), line["detector"] == _MONTHLY
    held |= {"voix": voices, "jours": min(int(line["days"]), fewest(voices))}  # of more days, it would be told how many
    if place["term"]:
        return held
    if _is_rate(place):
        return held | ({"observe": float(voices)} if monthly else {})
    if whole := told.total((place["network"], place["service"], str(line["month"]), ALL, ALL)):
        held["part"] = 100 * voices / about(whole)
    return held | (_tested(line, voices / line["voices"]) if monthly else {})


def has_curve(place: Mapping[str, str], line: Mapping[Any, Any]) -> bool:
    """Whether a signal has figures month by month."""
    return bool(place["indicator"]) or line["detector"] == _MONTHLY


def curve_figures(place: Mapping[str, str], line: Mapping[Any, Any], told: Counts) -> dict[str, Any]:
    """Return the figures of a month of a curve, None where they are not told."""
    observed, expected, limit = line["observed"], line["expected"], line["upper"]
    if place["indicator"]:
        limit = None  # judged both ways, it has none on one side
    elif _tells(place, line, told):
        observed = float(about(observed))
        expected, limit = (None, None) if _is_rate(place) else (expected, limit)
    else:
        observed = expected = limit = None
    return {"observe": observed, "attendu": expected, "limite": limit}


def _is_rate(place: Mapping[str, str]) -> bool:
    """Whether a share of the service's voices would be a rate of satisfaction or of dissatisfaction."""
    return bool(place["feeling"]) and not place["theme"] and not place["term"]


def _tells(place: Mapping[str, str], line: Mapping[Any, Any], told: Counts) -> bool:
    """Whether the number of voices of a test may be told."""
    if place["office"] or line["territory"]:
        return False
    service = (place["network"], place["service"], str(line["month"]))
    if place["term"]:
        return not place["feeling"] and _tells_word(told.total((*service, ALL, ALL)), line)
    if line["detector"] not in _OF_A_MONTH:
        return False
    total = told.total((*service, place["theme"] or ALL, FEELINGS.get(place["feeling"], ALL)))
    return total is not None and total == line["voices"] and (line["detector"] != _MONTHLY or total == line["observed"])


def _tells_word(total: int | None, line: Mapping[Any, Any]) -> bool:
    """Whether those who say a word are voices and days enough, in a month whose voices are told."""
    return total is not None and line["days"] >= DAYS and line["voices"] >= VOICES


def _tested(line: Mapping[Any, Any], told: float = 1.0) -> dict[str, Any]:
    """Return what is observed beside what is expected; ``told``: by how much what is observed is told for more."""
    return {
        "observe": line["observed"] * told, "attendu": line["expected"], "rapport": line["ratio"] * told,
        "rapport_bas": line["ratio_low"] * told, "rapport_haut": line["ratio_high"] * told,
    }  # fmt: skip
