"""Figures over years as a curve: interval as a band, breaks and absent years as gaps with their state written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pipelines.mechanics.french import number_text, unit_text
from pipelines.portal.charts.chart import (
    Chart,
    Heights,
    Row,
    Table,
    decimals_of,
    dot,
    figure_data,
    path,
    picture,
    place_data,
    shortened,
    text,
    ticks,
)
from pipelines.portal.figures import Figure, Indicator, Series, State
from pipelines.portal.sentences import (
    base_text,
    cell_text,
    has_value,
    reading,
    reference_name,
    shown_interval,
    shown_value,
    state_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 320, 190  # small, so that 11 px of text stay 10 px on a screen of 320
LEFT, RIGHT, TOP, BOTTOM = 46, 231, 22, 162
_FLAT_TOP = 142  # where no year has a value, nothing needs the height
_LABEL_GAP = 14.0  # pixels between two labels at the right, so that they do not cover each other
_YEARS_LABELLED = 6
_LABEL_ROOM = 13  # characters at the right of the curve
_UNIT_ROOM = 30  # above the axis
_LARGE = ((10**9, "milliards"), (10**6, "millions"), (10**3, "milliers"))  # numbers that the axis has no room for
_LEAST_SPAN = 0.1  # of the largest value: a smaller difference is not blown up to the whole height


def curve(series: Series, references: Sequence[Series] = ()) -> Chart:
    """Draw a series and at most two references (national, territorial), dashed and labelled at their end.

    Years are those of the series; a reference is drawn in the years that it shares.
    """
    references = tuple(references)[:2]
    scale = _Scale(series, references)
    marks = [_grid(tuple(scale.ticks), series.indicator), _years(scale.years[0], scale.years[-1])]
    for reference, kind in zip(references, ("ref", "ref ref2"), strict=False):
        marks.append(_reference(_segments(scale, reference.figures, intervals=False), kind))
    marks += [_absences(scale, series), _breaks(scale, series), _line(_segments(scale, series.figures))]
    marks.append(_labels(scale, series, references))
    headers = ("Année", "Valeur", "Intervalle", "Base", "État", *(reference_name(one) for one in references))
    caption = f"{series.indicator.title}, {series.place.name}, par année ({unit_text(2, series.indicator.unit)})"
    table = Table(caption, headers, _rows(series, references))
    above = scale.top - TOP
    drawn = picture("Courbe", WIDTH, HEIGHT - above, marks, above)
    return Chart(drawn, reading(series, references), table, place_data(series.indicator, series.place))


class _Scale:
    """Where a year and a value are in the picture."""

    def __init__(self, series: Series, references: Sequence[Series]) -> None:
        self.years = [figure.year for figure in series.figures]
        held = [
            bound
            for one in (series, *references)
            for figure in one.figures
            if (value := shown_value(figure)) is not None and figure.year in self.years
            for bound in (value, *((one is series and shown_interval(figure)) or ()))
        ]
        self.ticks = _value_ticks(held, series.indicator) if held else []
        self.heights = Heights(self.ticks, BOTTOM, TOP)
        self.top = TOP if held else _FLAT_TOP
        self._step = _step(self.years[0], self.years[-1])

    def x(self, year: int) -> float:
        """Return the middle of a year's column."""
        return round(LEFT + (year - self.years[0] + 0.5) * self._step, 1)

    def left(self, year: int) -> float:
        """Return where a year's column begins."""
        return round(LEFT + (year - self.years[0]) * self._step, 1)


def _step(first: int, last: int) -> float:
    return (RIGHT - LEFT) / (last - first + 1)


def _value_ticks(held: Sequence[float], indicator: Indicator) -> list[float]:
    low, high = min(held), max(held)
    least = 10.0 if indicator.unit.startswith("%") else max(abs(low), abs(high)) * _LEAST_SPAN
    spare = max(0.0, least - (high - low)) / 2
    wide_low, wide_high = low - spare, high + spare
    if low >= 0:
        wide_low = max(0.0, wide_low)
    if indicator.unit.startswith("%") and high <= 100:
        wide_high = min(100.0, wide_high)
    return ticks(wide_low, wide_high)


@lru_cache(maxsize=1024)  # places of a network share few of them
def _grid(ticks: tuple[float, ...], indicator: Indicator) -> str:
    if not ticks:
        return path("axis", f"M{LEFT} {BOTTOM}H{RIGHT}")
    size, named = next(((size, named) for size, named in _LARGE if abs(ticks[-1]) >= size * 10), (1, ""))
    amounts = [round(tick / size, 10) for tick in ticks]
    digits = decimals_of(amounts)
    words = [number_text(amount, digits) for amount in amounts]
    unit = shortened(unit_text(2, indicator.unit), _UNIT_ROOM)
    return Heights(ticks, BOTTOM, TOP).grid(LEFT, RIGHT, words, f"{named} ({unit})" if named else unit)


@lru_cache(maxsize=64)
def _years(first: int, last: int) -> str:
    every, step = -(-(last - first + 1) // _YEARS_LABELLED), _step(first, last)
    shown = reversed(range(last, first - 1, -every))
    return "".join(text(LEFT + (year - first + 0.5) * step, BOTTOM + 15, str(year), "q m") for year in shown)


def _absences(scale: _Scale, series: Series) -> str:
    """Draw each run of years in the same state as a dotted base with its state written upwards or along it."""
    marks = []
    for run in _runs(series.figures):
        state = state_text(run[0])
        start, end = scale.left(run[0].year), scale.left(run[-1].year + 1)
        middle = round((start + end) / 2, 1)
        marks.append(path("gone", f"M{start + 2:g} {BOTTOM}H{end - 2:g}"))
        if len(state) * 5.5 <= end - start:
            marks.append(text(middle, BOTTOM - 8, state, "q m"))
        else:
            place = f"translate({middle + 4:g} {BOTTOM - 6}) rotate(-90)"
            marks.append(f'<text class="q" transform="{place}">{state}</text>')
    return "".join(marks)


def _runs(figures: Sequence[Figure]) -> list[list[Figure]]:
    runs: list[list[Figure]] = []
    for previous, figure in zip((None, *figures), figures, strict=False):
        if has_value(figure):
            continue
        if runs and runs[-1][-1] is previous and state_text(runs[-1][-1]) == state_text(figure):
            runs[-1].append(figure)
        else:
            runs.append([figure])
    return runs


def _breaks(scale: _Scale, series: Series) -> str:
    marks = []
    for figure in series.figures[1:]:
        if figure.is_break:
            x = scale.left(figure.year)
            marks += [path("cut", f"M{x:g} {scale.top - 4}V{BOTTOM}"), text(x, scale.top - 7, "rupture", "m")]
    return "".join(marks)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A figure with a value, where it is drawn."""

    x: float
    y: float
    interval: tuple[float, float] | None  # from low to high, as heights
    provisional: bool


def _segments(scale: _Scale, figures: Sequence[Figure], *, intervals: bool = True) -> list[list[_Mark]]:
    """Return runs of figures with a value, cut at breaks."""
    segments: list[list[_Mark]] = [[]]
    for figure in figures:
        value, interval = shown_value(figure), shown_interval(figure) if intervals else None
        if value is None or figure.is_break:
            segments.append([])
        if value is not None and figure.year in scale.years:
            y = scale.heights.y
            span = (y(interval[0]), y(interval[1])) if interval else None
            segments[-1].append(_Mark(scale.x(figure.year), y(value), span, figure.state is State.PROVISIONAL))
    return [segment for segment in segments if segment]


def _line(segments: Sequence[Sequence[_Mark]]) -> str:
    """Draw intervals (a pale band, a thin upright a year), the line, and a point a year, hollow where provisional."""
    marks = [mark for segment in segments for mark in segment]
    whiskers = [f"M{mark.x:g} {mark.interval[0]:g}V{mark.interval[1]:g}" for mark in marks if mark.interval]
    lines = [_polyline(segment) for segment in segments if len(segment) > 1]
    points = [dot(mark.x, mark.y, 3.5, "open" if mark.provisional else "dot") for mark in marks]
    bands = [_band(segment) for segment in segments]
    return path("band", *bands) + path("whisker", *whiskers) + path("line", *lines) + "".join(points)


def _band(segment: Sequence[_Mark]) -> str:
    spans = [(mark.x, *mark.interval) for mark in segment if mark.interval]
    if len(spans) < max(2, len(segment)):
        return ""
    there = "L".join(f"{x:g} {high:g}" for x, _, high in spans)
    return f"M{there}L{'L'.join(f'{x:g} {low:g}' for x, low, _ in reversed(spans))}z"


def _polyline(segment: Sequence[_Mark]) -> str:
    return "M" + "L".join(f"{mark.x:g} {mark.y:g}" for mark in segment)


def _reference(segments: Sequence[Sequence[_Mark]], kind: str) -> str:
    """Draw a reference dashed; a year alone is a short dash."""
    return path(kind, *[_polyline(run) if len(run) > 1 else f"M{run[0].x - 6:g} {run[0].y:g}h12" for run in segments])


def _labels(scale: _Scale, series: Series, references: Sequence[Series]) -> str:
    """Write at the right what each line is, moved apart where they would cover each other."""
    wanted: list[tuple[float, str, str]] = []
    for one in (series, *references):
        values = [shown_value(figure) for figure in one.figures if figure.year in scale.years]
        last = next((value for value in reversed(values) if value is not None), None)
        if last is not None:
            words = number_text(last, series.indicator.decimals)
            kind = "v" if len(words) < _LABEL_ROOM - 3 else "v s"
            if one is not series:
                words, kind = _reference_label(one, words), "r"
            wanted.append((scale.heights.y(last) + 4, words, kind))
    placed: list[float] = []
    wanted.sort()
    for y, _, _ in wanted:
        placed.append(max(y, placed[-1] + _LABEL_GAP) if placed else y)
    over = max(0.0, placed[-1] - BOTTOM - 4) if placed else 0.0
    return "".join(text(RIGHT + 5, y - over, words, kind) for y, (_, words, kind) in zip(placed, wanted, strict=True))


def _reference_label(series: Series, value: str) -> str:
    """Return the name with the value where there is room for both, else the name as far as there is."""
    name = "France" if series.place.level == "national" else series.place.name
    both = f"{name} {value}"
    return both if len(both) <= _LABEL_ROOM else shortened(name, _LABEL_ROOM)


def _rows(series: Series, references: Sequence[Series]) -> tuple[Row, ...]:
    beside = [_cells_by_year(reference) for reference in references]
    return tuple(
        Row(
            (*_cells(figure, series.indicator), *[one.get(figure.year, State.NO_ROW.value) for one in beside]),
            figure_data(figure),
        )
        for figure in series.figures
    )


@lru_cache(maxsize=4096)  # a reference is that of every place that it holds
def _cells_by_year(reference: Series) -> dict[int, str]:
    return {figure.year: cell_text(figure, reference.indicator) for figure in reference.figures}


def _cells(figure: Figure, indicator: Indicator) -> tuple[str, ...]:
    interval = shown_interval(figure)
    span = " à ".join(number_text(bound, indicator.decimals) for bound in interval) if interval else "aucun"
    state = state_text(figure)
    if figure.is_break:
        state += f", rupture de série{f' : {figure.break_reason}' if figure.break_reason else ''}"
    return str(figure.year), cell_text(figure, indicator), span, base_text(figure), state
