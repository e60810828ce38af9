"""A place among comparable ones on a strip, without a rank; and the distribution of an indicator without a place."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from pipelines.mechanics.french import counted
from pipelines.portal.charts.chart import Chart, Row, Table, decimals_of, figure_data, picture, text, ticks
from pipelines.portal.charts.peers import NORMAL_95, NORMAL_998, PeerGroup
from pipelines.portal.figures import Figure, Indicator, Place
from pipelines.portal.sentences import (
    cell_text,
    figure_text,
    has_value,
    number_text,
    sentence,
    shown_value,
    state_text,
    value_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH, HEIGHT = 320, 118
LEFT, RIGHT, BARS, BAND, AXIS = 12, 308, 70, 74, 90
_TALLEST = 32.0
_BINS = 10  # about; few enough that a bar of one office is seen

_METHOD = "limites d'entonnoir : hasard ({chance}) et variation entre structures"


def strip(figure: Figure, group: PeerGroup | None, indicator: Indicator, place: Place) -> Chart:
    """Draw where an office is among comparable ones: bars count them, bands are the usual variation at its size.

    ``group`` is what ``peer_groups`` says of the office, None where it has no published value.
    """
    value = shown_value(figure)
    if group is None or value is None:
        told = sentence(f"{figure_text(figure, indicator)} : la structure n'est pas située parmi les comparables")
        table = Table(
            f"{indicator.title}, {place.name} en {figure.year}", ("Repère", "Valeur"), _own(figure, indicator)
        )
        return Chart(picture("Bande", WIDTH, 24, [text(LEFT, 16, state_text(figure), "q")]), told, table)
    edges = _edges(group, [value, *(group.limits(figure, NORMAL_998) or ())])
    scale = _Scale(edges)
    marks = [*_bands(scale, group, figure), _bars(scale, group, edges, BARS), _axis(scale, edges)]
    marks.append(_marker(scale, value, value_text(value, indicator)))
    rows = (*_own(figure, indicator), *_limit_rows(group, figure), *_spread_rows(group), *_bin_rows(group, edges))
    table = Table(f"{indicator.title}, {place.name} parmi {group.label}, {group.year}", ("Repère", "Valeur"), rows)
    return Chart(picture("Bande", WIDTH, HEIGHT, marks), _place_sentence(group, figure), table)


def distribution(figures: Iterable[Figure], indicator: Indicator, year: int, label: str = "structures") -> Chart:
    """Draw how the values of a year are spread; figures without a value are counted by state. ``label`` is a plural."""
    held = list(figures)
    valued = tuple(figure for figure in held if has_value(figure))
    states = Counter(state_text(figure) for figure in held if not has_value(figure))
    rows = [Row((state, counted(number, label.removesuffix("s")))) for state, number in states.items()]
    without = "".join(f" ; {state} : {number_text(number, 0)}" for state, number in states.items())
    caption = f"{indicator.title} en {year} : nombre de {label} par valeur"
    if not valued:
        told = sentence(f"aucune valeur publiée en {year}{without}")
        return Chart(picture("Répartition", WIDTH, 24, []), told, Table(caption, ("Valeur", "Nombre"), tuple(rows)))
    group = PeerGroup(label, indicator, year, valued)
    edges = _edges(group, [])
    scale = _Scale(edges)
    marks = [_bars(scale, group, edges, AXIS), _axis(scale, edges)]
    low, middle, high = group.quartiles
    told = (
        f"En {year}, {counted(len(valued), label.removesuffix('s'))} avec une valeur publiée : médiane "
        f"{value_text(middle, indicator)}, moitié centrale de {number_text(low, indicator.decimals)} à "
        f"{value_text(high, indicator)}{without}"
    )
    rows = [*_bin_rows(group, edges), *rows]
    return Chart(
        picture("Répartition", WIDTH, HEIGHT - 34, marks, 20),
        sentence(told),
        Table(caption, ("Valeur", "Nombre"), tuple(rows)),
    )


class _Scale:
    """Where a value is along the strip."""

    def __init__(self, edges: Sequence[float]) -> None:
        self.low, self.high = edges[0], edges[-1]

    def x(self, value: float) -> float:
        """Return the place of a value."""
        return round(LEFT + (value - self.low) / (self.high - self.low) * (RIGHT - LEFT), 1)


def _edges(group: PeerGroup, others: Sequence[float]) -> list[float]:
    held = [*group.values[:1], *group.values[-1:], *others]
    return ticks(min(held), max(held), _BINS)


def _counts(group: PeerGroup, edges: Sequence[float]) -> list[int]:
    """Count the values from each edge to below the next; the last one holds its upper edge."""
    below = [bisect_left(group.values, edge) for edge in edges[:-1]]
    return [end - start for start, end in pairwise([*below, len(group.values)])]


def _bars(scale: _Scale, group: PeerGroup, edges: Sequence[float], base: int) -> str:
    """Draw how many values lie between two edges, with the number above each bar."""
    counts = _counts(group, edges)
    tall = max(counts)
    parts, words = [], []
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        if count:
            height = round(max(1.5, count / tall * _TALLEST), 1)
            parts.append(f"M{scale.x(low) + 0.5:g} {base}v-{height:g}H{scale.x(high) - 0.5:g}V{base}z")
            words.append(text((scale.x(low) + scale.x(high)) / 2, base - height - 3, str(count), "q m"))
    return f'<path class="peers" d="{"".join(parts)}"/>{"".join(words)}'


def _bands(scale: _Scale, group: PeerGroup, figure: Figure) -> list[str]:
    marks = []
    for normal, kind in ((NORMAL_998, "usual"), (NORMAL_95, "usual in")):
        limits = group.limits(figure, normal)
        if limits:
            left, right = (scale.x(limit) for limit in limits)
            marks.append(f'<path class="{kind}" d="M{left:g} {BAND}H{right:g}V{AXIS}H{left:g}z"/>')
    if marks:
        middle = min(max((left + right) / 2, LEFT + 50), RIGHT - 50)
        marks.append(text(middle, HEIGHT - 2, "variation habituelle", "q m"))
    return marks


def _axis(scale: _Scale, edges: Sequence[float]) -> str:
    every = -(-len(edges) // 5)
    shown = edges[::every]
    decimals = decimals_of(shown)
    words = "".join(text(scale.x(edge), AXIS + 13, number_text(edge, decimals), "q m") for edge in shown)
    return f'<path class="axis" d="M{LEFT} {AXIS}H{RIGHT}"/>{words}'


def _marker(scale: _Scale, value: float, words: str) -> str:
    x = scale.x(value)
    anchor = "v m" if LEFT + 60 < x < RIGHT - 60 else ("v" if x <= LEFT + 60 else "v e")
    line = f'<path class="line" d="M{x:g} 20V{AXIS}"/><circle class="dot" cx="{x:g}" cy="82" r="5"/>'
    return line + text(x, 14, words, anchor)


def _place_sentence(group: PeerGroup, figure: Figure) -> str:
    indicator = group.indicator
    told = f"parmi {group.label}, en {group.year} : {value_text(figure.value or 0.0, indicator)}"
    limits = group.limits(figure)
    if not limits:
        return sentence(f"{told} ; trop peu d'éléments pour dire la variation habituelle")
    span = f"de {number_text(limits[0], indicator.decimals)} à {value_text(limits[1], indicator)}"
    return sentence(f"{told}, {_verdict(group, figure)} pour cette taille ({span})")


def _verdict(group: PeerGroup, figure: Figure) -> str:
    value = figure.value or 0.0
    for normal, adverb in ((NORMAL_998, "nettement "), (NORMAL_95, "")):
        low, high = group.limits(figure, normal) or (value, value)
        if value > high:
            return f"{adverb}au-dessus de la variation habituelle"
        if value < low:
            return f"{adverb}au-dessous de la variation habituelle"
    return "dans la variation habituelle"


def _own(figure: Figure, indicator: Indicator) -> tuple[Row, ...]:
    return (Row(("Cette structure", cell_text(figure, indicator)), figure_data(figure)),)


def _limit_rows(group: PeerGroup, figure: Figure) -> tuple[Row, ...]:
    if not group.limits(figure):
        return ()
    rows = []
    for normal, share in ((NORMAL_95, "95"), (NORMAL_998, "99,8")):
        low, high = group.limits(figure, normal) or (0.0, 0.0)
        told = f"de {number_text(low, group.indicator.decimals)} à {value_text(high, group.indicator)}"
        rows.append(Row((f"Variation habituelle à cette taille, {share} % des cas", told)))
    chance = "binomial" if group.is_share else "d'après l'intervalle publié"
    return (*rows, Row(("Méthode", _METHOD.format(chance=chance))))


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
    for count, low, high in zip(_counts(group, edges), edges, edges[1:], strict=False):
        if count:
            last = "" if high == edges[-1] else "moins de "
            span = f"De {number_text(low, decimals)} à {last}{number_text(high, decimals)}"
            rows.append(Row((span, counted(count, "structure"))))
    return tuple(rows)
