"""Figures over years as a curve: interval as a band, breaks and absent years as gaps with their state written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pipelines.portal.charts.chart import (
    Chart,
    Row,
    Table,
    decimals_of,
    figure_data,
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
    number_text,
    reading,
    reference_name,
    shown_interval,
    shown_value,
    state_text,
    unit_text,
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
    table = Table(_caption(series), headers, _rows(series, references))
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
        self.top = TOP if held else _FLAT_TOP
        self._step = _step(self.years[0], self.years[-1])

    def x(self, year: int) -> float:
        """Return the middle of a year's column."""
        return round(LEFT + (year - self.years[0] + 0.5) * self._step, 1)

    def left(self, year: int) -> float:
        """Return where a year's column begins."""
        return round(LEFT + (year - self.years[0]) * self._step, 1)

    def y(self, value: float) -> float:
        """Return the height of a value."""
        return _height(value, self.ticks[0], self.ticks[-1])


def _height(value: float, low: float, high: float) -> float:
    return round(BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP), 1)


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
        return f'<path class="axis" d="M{LEFT} {BOTTOM}H{RIGHT}"/>'
    heights = [_height(tick, ticks[0], ticks[-1]) for tick in ticks]
    lines = "".join(f"M{LEFT} {height:g}H{RIGHT}" for height in heights)
    size, named = next(((size, named) for size, named in _LARGE if abs(ticks[-1]) >= size * 10), (1, ""))
    amounts = [round(tick / size, 10) for tick in ticks]
    digits = decimals_of(amounts)
    words = "".join(
        text(LEFT - 4, height + 4, number_text(amount, digits), "q e")
        for height, amount in zip(heights, amounts, strict=True)
    )
    unit = shortened(unit_text(2, indicator.unit), _UNIT_ROOM)
    return f'<path class="grid" d="{lines}"/>{text(4, 10, f"{named} ({unit})" if named else unit, "q")}{words}'


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
        marks.append(f'<path class="gone" d="M{start + 2:g} {BOTTOM}H{end - 2:g}"/>')
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
            marks.append(
                f'<path class="cut" d="M{x:g} {scale.top - 4}V{BOTTOM}"/>{text(x, scale.top - 7, "rupture", "m")}'
            )
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
            span = (scale.y(interval[0]), scale.y(interval[1])) if interval else None
            provisional = figure.state is State.PROVISIONAL
            segments[-1].append(_Mark(scale.x(figure.year), scale.y(value), span, provisional))
    return [segment for segment in segments if segment]


def _line(segments: Sequence[Sequence[_Mark]]) -> str:
    """Draw intervals (a pale band, a thin upright a year), the line, and a point a year, hollow where provisional."""
    marks = [mark for segment in segments for mark in segment]
    whiskers = [f"M{mark.x:g} {mark.interval[0]:g}V{mark.interval[1]:g}" for mark in marks if mark.interval]
    lines = [_polyline(segment) for segment in segments if len(segment) > 1]
    points = "".join(
        f'<circle class="{"open" if mark.provisional else "dot"}" cx="{mark.x:g}" cy="{mark.y:g}" r="3.5"/>'
        for mark in marks
    )
    bands = [_band(segment) for segment in segments]
    return _path("band", bands) + _path("whisker", whiskers) + _path("line", lines) + points


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
    return _path(kind, [_polyline(run) if len(run) > 1 else f"M{run[0].x - 6:g} {run[0].y:g}h12" for run in segments])


def _labels(scale: _Scale, series: Series, references: Sequence[Series]) -> str:
    """Write at the right what each line is, moved apart where they would cover each other."""
    wanted: list[tuple[float, str, str]] = []
    for one in (series, *references):
        values = [shown_value(figure) for figure in one.figures if figure.year in scale.years]
        last = next((value for value in reversed(values) if value is not None), None)
        if last is not None:
            words = number_text(last, series.indicator.decimals)
            if one is not series:
                words = _reference_label(_short_name(one), words)
            own = "v" if len(words) < _LABEL_ROOM - 3 else "v s"
            wanted.append((scale.y(last) + 4, words, own if one is series else "r"))
    placed: list[float] = []
    wanted.sort()
    for y, _, _ in wanted:
        placed.append(max(y, placed[-1] + _LABEL_GAP) if placed else y)
    over = max(0.0, placed[-1] - BOTTOM - 4) if placed else 0.0
    return "".join(text(RIGHT + 5, y - over, words, kind) for y, (_, words, kind) in zip(placed, wanted, strict=True))


def _reference_label(name: str, value: str) -> str:
    """Return the name with the value where there is room for both, else the name as far as there is."""
    both = f"{name} {value}"
    return both if len(both) <= _LABEL_ROOM else shortened(name, _LABEL_ROOM)


def _short_name(series: Series) -> str:
    return "France" if series.place.level == "national" else series.place.name


def _path(kind: str, parts: Sequence[str]) -> str:
    return f'<path class="{kind}" d="{"".join(parts)}"/>' if parts else ""


def _caption(series: Series) -> str:
    unit = unit_text(2, series.indicator.unit)
    return f"{series.indicator.title}, {series.place.name}, par année ({unit})"


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
