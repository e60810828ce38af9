"""Which figures of a signal are told: none of few voices, and none from which a number of few voices would follow.

Voices are counted for a whole service in one month, where ``themes_voix`` tells that number too, or for a word of it.
Territories, offices and windows of several months have no number: their cards would subtract from one another, from one
feeling to another or from one month to the next. An indicator is published already, by other rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.signal_tables.shown_voices import ALL, DAYS, FEELINGS, VOICES, Counts

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
    held |= {"voix": int(line["voices"]), "jours": int(line["days"])}
    if place["term"]:
        return held
    if line["detector"] == _MONTHLY:
        held["observe"] = float(line["observed"])
    if total_told(place, line, told):  # else it would follow from the share, or from what was expected of it
        held["part"] = float(line["share"]) * 100
        held |= _tested(line) if line["detector"] == _MONTHLY else {}
    return held


def has_curve(place: Mapping[str, str], line: Mapping[Any, Any]) -> bool:
    """Whether a signal has figures month by month."""
    return bool(place["indicator"]) or line["detector"] == _MONTHLY


def curve_figures(place: Mapping[str, str], line: Mapping[Any, Any], told: Counts) -> dict[str, Any]:
    """Return the figures of a month of a curve, None where they are not told."""
    observed, expected, limit = line["observed"], line["expected"], line["upper"]
    if place["indicator"]:
        limit = None  # judged both ways, it has none on one side
    else:
        observed = observed if _tells(place, line, told) else None
        if observed is None or not total_told(place, line, told):
            expected = limit = None
    return {"observe": observed, "attendu": expected, "limite": limit}


def total_told(place: Mapping[str, str], line: Mapping[Any, Any], told: Counts) -> bool:
    """Whether the number of all voices of the service in the month of a test is told."""
    return told.total((place["network"], place["service"], str(line["month"]), ALL, ALL)) is not None


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
    """Whether those who say a word are voices and days enough, and those who don't are voices enough."""
    return total is not None and line["days"] >= DAYS and VOICES <= line["voices"] <= total - VOICES


def _tested(line: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "observe": line["observed"], "attendu": line["expected"], "rapport": line["ratio"],
        "rapport_bas": line["ratio_low"], "rapport_haut": line["ratio_high"],
    }  # fmt: skip
