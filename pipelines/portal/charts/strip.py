"""A place among comparable ones on a strip, without a rank; and the distribution of an indicator without a place."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from pipelines.mechanics.french import counted, number_text
from pipelines.portal.charts.chart import Chart, Row, Table, decimals_of, dot, figure_data, path, picture, text, ticks
from pipelines.portal.charts.peers import NORMAL_95, NORMAL_998, PeerGroup
from pipelines.portal.figures import Figure, Indicator, Place
from pipelines.portal.sentences import cell_text, has_value, sentence, shown_value, state_text, value_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH, HEIGHT = 320, 118
LEFT, RIGHT, BARS, BAND, AXIS = 12, 308, 70, 74, 90
_TALLEST = 32.0
_BINS = 10  # about; few enough that a bar of one office is seen

_METHOD = "limites d'entonnoir : hasard ({chance}) et variation entre {noun}s"
_THIS = {"site": "Cette structure", "departement": "Ce département", "region": "Cette région"}


@dataclass(frozen=True, slots=True)
class _Funnel:
    """Between which values a place of this base is in the usual variation, 95 % and 99.8 % of the time."""

    inner: tuple[float, float]
    outer: tuple[float, float]


def strip(figure: Figure, group: PeerGroup, indicator: Indicator, place: Place) -> Chart:
    """Draw where a place is among comparable ones: bars count them, bands are the usual variation at its size.

    ``group`` is what ``peer_groups`` says of the place.
    """
    value = shown_value(figure)
    assert value is not None  # no place without a published value is in a group
    inner, outer = group.limits(figure, NORMAL_95), group.limits(figure, NORMAL_998)
    funnel = _Funnel(inner, outer) if inner and outer else None
    edges = _edges(group, [value, *(funnel.outer if funnel else ())])
    shown, scale = _shown(group, edges, BARS), _Scale(edges)
    bands, limits = (_bands(scale, funnel), _limit_rows(group, funnel)) if funnel else ([], ())
    marks = [*bands, shown.marks, _marker(scale, value, value_text(value, indicator))]
    own = Row((_THIS.get(place.level, place.name), cell_text(figure, indicator)), figure_data(figure))
    rows = (own, *limits, *_spread_rows(group), *shown.rows)
    table = Table(f"{indicator.title}, {place.name} parmi {group.label}, {group.year}", ("Repère", "Valeur"), rows)
    return Chart(picture("Bande", WIDTH, HEIGHT, marks), _place_sentence(group, value, funnel), table)


def distribution(
    figures: Iterable[Figure], indicator: Indicator, year: int, noun: str = "structure", mark: Figure | None = None
) -> Chart:
    """Draw how the values of a year are spread; figures without a value are counted by state.

    ``noun`` names one place; ``mark`` is the figure of all together, where it may stand beside those of places.
    """
    every = list(figures)
    valued = tuple(figure for figure in every if has_value(figure))
    states = Counter(state_text(figure) for figure in every if not has_value(figure))
    rows = [Row((state, counted(number, noun))) for state, number in states.items()]
    without = "".join(f" ; {state} : {number_text(number, 0)}" for state, number in states.items())
    caption, headers = f"{indicator.title} en {year} : nombre de {noun}s par valeur", ("Valeur", "Nombre")
    if not valued:
        words = sentence(f"aucune valeur publiée en {year}{without}")
        return Chart(picture("Répartition", WIDTH, 24, []), words, Table(caption, headers, tuple(rows)))
    group = PeerGroup(noun, indicator, year, valued, noun)
    whole = shown_value(mark) if mark else None
    edges = _edges(group, [] if whole is None else [whole])
    shown = _shown(group, edges, AXIS)
    words = sentence(f"{_spread(group)}{without}")
    marks, top = [shown.marks], 20
    if whole is not None:
        marks.append(_marker(_Scale(edges), whole, f"France {value_text(whole, indicator)}"))
        top = 0
    drawn = picture("Répartition", WIDTH, HEIGHT - 14 - top, marks, top)
    return Chart(drawn, words, Table(caption, headers, (*shown.rows, *rows)))


def _spread(group: PeerGroup) -> str:
    low, middle, high = group.quartiles
    one = group.indicator
    return (
        f"En {group.year}, {counted(len(group.values), group.noun)} avec une valeur publiée : médiane "
        f"{value_text(middle, one)}, moitié centrale de {number_text(low, one.decimals)} à {value_text(high, one)}"
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """What all places of a group share: bars and axis drawn, and the rows of the bars."""

    marks: str
    rows: tuple[Row, ...]


@lru_cache(maxsize=1024)  # few scales for many places
def _shown(group: PeerGroup, edges: tuple[float, ...], base: int) -> _Shown:
    scale = _Scale(edges)
    return _Shown(_bars(scale, group, edges, base) + _axis(scale, edges), _bin_rows(group, edges))


class _Scale:
    """Where a value is along the strip."""

    def __init__(self, edges: Sequence[float]) -> None:
        self.low, self.high = edges[0], edges[-1]

    def x(self, value: float) -> float:
        """Return the place of a value."""
        return round(LEFT + (value - self.low) / (self.high - self.low) * (RIGHT - LEFT), 1)


def _edges(group: PeerGroup, others: Sequence[float]) -> tuple[float, ...]:
    values = [*group.values[:1], *group.values[-1:], *others]
    return tuple(ticks(min(values), max(values), _BINS))


def _bins(group: PeerGroup, edges: Sequence[float]) -> list[tuple[int, float, float]]:
    """Count the values from each edge to below the next, where there are some; the last bin holds its upper edge."""
    below = [*(bisect_left(group.values, edge) for edge in edges[:-1]), len(group.values)]
    counts = [end - start for start, end in pairwise(below)]
    return [(count, low, high) for count, low, high in zip(counts, edges, edges[1:], strict=False) if count]


def _bars(scale: _Scale, group: PeerGroup, edges: Sequence[float], base: int) -> str:
    """Draw how many values lie between two edges, with the number above each bar."""
    bins = _bins(group, edges)
    tall = max(count for count, _, _ in bins)
    parts, words = [], []
    for count, low, high in bins:
        height = round(max(1.5, count / tall * _TALLEST), 1)
        parts.append(f"M{scale.x(low) + 0.5:g} {base}v-{height:g}H{scale.x(high) - 0.5:g}V{base}z")
        words.append(text((scale.x(low) + scale.x(high)) / 2, base - height - 3, str(count), "q m"))
    return path("peers", *parts) + "".join(words)


def _bands(scale: _Scale, funnel: _Funnel) -> list[str]:
    marks = []
    for (low, high), kind in ((funnel.outer, "usual"), (funnel.inner, "usual in")):
        left, right = scale.x(low), scale.x(high)
        marks.append(path(kind, f"M{left:g} {BAND}H{right:g}V{AXIS}H{left:g}z"))
    middle = min(max((left + right) / 2, LEFT + 50), RIGHT - 50)
    return [*marks, text(middle, HEIGHT - 2, "variation habituelle", "q m")]


def _axis(scale: _Scale, edges: Sequence[float]) -> str:
    every = -(-len(edges) // 5)
    shown = edges[::every]
    decimals = decimals_of(shown)
    words = "".join(text(scale.x(edge), AXIS + 13, number_text(edge, decimals), "q m") for edge in shown)
    return path("axis", f"M{LEFT} {AXIS}H{RIGHT}") + words


def _marker(scale: _Scale, value: float, words: str) -> str:
    x = scale.x(value)
    anchor = "v m" if LEFT + 60 < x < RIGHT - 60 else ("v" if x <= LEFT + 60 else "v e")
    return path("line", f"M{x:g} 20V{AXIS}") + dot(x, 82, 5) + text(x, 14, words, anchor)


def _place_sentence(group: PeerGroup, value: float, funnel: _Funnel | None) -> str:
    indicator = group.indicator
    words = f"parmi {group.label}, en {group.year} : {value_text(value, indicator)}"
    if funnel is None:
        return sentence(f"{words} ; trop peu d'éléments pour dire la variation habituelle")
    low, high = funnel.inner
    span = f"de {number_text(low, indicator.decimals)} à {value_text(high, indicator)}"
    return sentence(f"{words}, {_verdict(value, funnel)} pour cette taille ({span})")


def _verdict(value: float, funnel: _Funnel) -> str:
    for (low, high), adverb in ((funnel.outer, "nettement "), (funnel.inner, "")):
        if value > high:
            return f"{adverb}au-dessus de la variation habituelle"
        if value < low:
            return f"{adverb}au-dessous de la variation habituelle"
    return "dans la variation habituelle"


def _limit_rows(group: PeerGroup, funnel: _Funnel) -> tuple[Row, ...]:
    rows = []
    for (low, high), share in ((funnel.inner, "95"), (funnel.outer, "99,8")):
        span = f"de {number_text(low, group.indicator.decimals)} à {value_text(high, group.indicator)}"
        rows.append(Row((f"Variation habituelle à cette taille, {share} % des cas", span)))
    chance = "binomial" if group.is_share else "d'après l'intervalle publié"
    return (*rows, Row(("Méthode", _METHOD.format(chance=chance, noun=group.noun))))


@lru_cache(maxsize=64)
def _spread_rows(group: PeerGroup) -> tuple[Row, ...]:
    low, middle, high = group.quartiles
    decimals = group.indicator.decimals
    centre = "Ensemble des comparables" if group.is_share else "Médiane des comparables"
    half = f"de {number_text(low, decimals)} à {value_text(high, group.indicator)}"
    value = group.centre if group.is_share else middle
    return Row((centre, value_text(value, group.indicator))), Row(("Moitié centrale des comparables", half))


def _bin_rows(group: PeerGroup, edges: Sequence[float]) -> tuple[Row, ...]:
    """Return the bars as rows: from each edge to below the next."""
    decimals = decimals_of(edges)
    rows = []
    for count, low, high in _bins(group, edges):
        last = "" if high == edges[-1] else "moins de "
        span = f"De {number_text(low, decimals)} à {last}{number_text(high, decimals)}"
        rows.append(Row((span, counted(count, group.noun))))
    return tuple(rows)
