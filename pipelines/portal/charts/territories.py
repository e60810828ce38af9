"""Départements or regions of a year on a small map: three classes at most, patterns for states, overseas in boxes.

Contours are one light set of départements; a region is drawn as the outline of its départements of the year, so that
the regions of 2015 are drawn as they were. What is not drawn (no contour) is in the table and in the sentence.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.mechanics.french import counted, listed, number_text
from pipelines.portal.charts.chart import Chart, Row, Table, figure_data, picture, shortened, text
from pipelines.portal.figures import Figure, Indicator, State
from pipelines.portal.sentences import (
    base_text,
    cell_text,
    has_value,
    sentence,
    shown_value,
    state_text,
    value_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

CONTOURS = Path(__file__).with_name("contours.json")
WIDTH = 1060  # the unit of contours: words are 32 high, see the style sheet
_OVERSEAS = ("971", "972", "973", "974", "976")
_BOX, _BOXES_TOP = 196, 1060
_LEGEND_TOP, _LEGEND_LINE = 1330, 54
_ENLARGED = "agrandis"
_CLASSES = ("low", "middle", "high")
_LEVELS = {"departement": "département", "region": "région"}
_DOTTED = {State.SECRET, State.SMALL_BASE}
Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Area:
    """A territory as of a year: a département, or a region made of ``departments`` (their codes)."""

    code: str
    name: str
    departments: tuple[str, ...]
    figure: Figure


def areas_of_year(
    rows: Iterable[Mapping[str, Any]], level: str, year: int, figures: Mapping[str, Figure]
) -> list[Area]:
    """Return the départements or regions that existed in a year, each with its figure, from rows of ``territoires``.

    ``figures`` are of that year, by code; a territory without one is « non mesuré ».
    """
    existing = [row for row in rows if _existed(row, year)]
    inside: dict[str, list[str]] = {}
    for row in existing:
        if row["maille"] == "departement":
            owner = row["territoire_code" if level == "departement" else "region_code"]
            inside.setdefault(owner, []).append(row["territoire_code"])
    missing = Figure(year, None, None, None, None, State.NO_ROW, has_row=False)
    return [
        Area(code, row["territoire"], tuple(inside.get(code, ())), figures.get(code, missing))
        for row in existing
        if row["maille"] == level and (code := row["territoire_code"])
    ]


def territory_map(areas: Sequence[Area], indicator: Indicator, year: int, level: str) -> Chart:
    """Draw the areas of one ``level`` (« departement », « region ») in a year, in thirds of the published values.

    A collectivity without contour and without a row is left out.
    """
    areas = [area for area in areas if area.figure.state is not State.NO_ROW or _outline(area.departments)]
    values = sorted(value for area in areas if (value := shown_value(area.figure)) is not None)
    shown = _Shown(_thirds(values, indicator.decimals), indicator, f"{indicator.code}-{level}-{year}")
    legend = _legend(areas, shown)
    mainland = [_shape(area, shown) for area in areas if not _is_overseas(area)]
    marks = [_patterns(shown.key), *mainland, _paris(areas, shown), _overseas(areas, shown), *legend]
    height = _LEGEND_TOP + _LEGEND_LINE * len(legend)
    words, table = _told(areas, values, indicator, year, level), _table(areas, shown, year, level)
    return Chart(picture("Carte", WIDTH, height, marks), words, table)


@dataclass(frozen=True, slots=True)
class _Shown:
    """How figures become fillings: the values where classes are cut, the key that makes patterns this map's own."""

    cuts: Sequence[float]
    indicator: Indicator
    key: str

    def filling(self, figure: Figure) -> str:
        """Return the attributes that show a figure: its class, or the pattern of its state."""
        value = shown_value(figure)
        if value is not None:
            return f'class="land {_CLASSES[self.rank(value)]}"'
        pattern = "thin" if figure.state is State.NO_ROW else "dots" if figure.state in _DOTTED else "hatch"
        return f'class="land" fill="url(#{pattern}-{self.key})"'

    def rank(self, value: float) -> int:
        """Return the class of a value, 0 the lowest; the only class of a map without cuts is the middle one."""
        return bisect_right(self.cuts, round(value, self.indicator.decimals)) if self.cuts else 1

    def words(self, value: float) -> str:
        """Return the class of a value in words: « de 70 à moins de 75 % »."""
        if not self.cuts:
            return "valeur publiée"
        rank, one = self.rank(value), self.indicator
        if rank == 0:
            return f"moins de {value_text(self.cuts[0], one)}"
        if rank == len(self.cuts):
            return f"{value_text(self.cuts[-1], one)} et plus"
        return f"de {number_text(self.cuts[0], one.decimals)} à moins de {value_text(self.cuts[1], one)}"

    def told(self, figure: Figure) -> str:
        """Return the class or the state of a figure in words."""
        value = shown_value(figure)
        return state_text(figure) if value is None else self.words(value)


def _existed(row: Mapping[str, Any], year: int) -> bool:
    first, last = row["premiere_annee"], row["derniere_annee"]
    return (first is None or first <= year) and (last is None or year <= last)


@cache
def _rings(scale: str = "departements") -> dict[str, list[list[Point]]]:
    """Return the corners of each département: on the mainland in one plane, overseas each in its own box.

    ``agrandis``: those around Paris, larger, in a box of theirs.
    """
    contours = json.loads(CONTOURS.read_text(encoding="utf-8"))[scale].items()
    return {code: [_corners([int(number) for number in ring.split()]) for ring in rings] for code, rings in contours}


def _corners(numbers: Sequence[int]) -> list[Point]:
    corners, (x, y) = [], (0, 0)
    for step_x, step_y in zip(numbers[::2], numbers[1::2], strict=True):
        x, y = x + step_x, y + step_y
        corners.append((x, y))
    return corners


@cache
def _outline(departments: tuple[str, ...], scale: str = "departements") -> str:
    """Return the path around départements together: a border that two of them share is not drawn."""
    rings = [ring for code in departments for ring in _rings(scale).get(code, [])]
    if len(departments) == 1:
        return "".join(_path(ring) for ring in rings)
    sides = {(ring[index - 1], corner) for ring in rings for index, corner in enumerate(ring)}
    following: dict[Point, list[Point]] = {}
    for start, end in sorted(sides):
        if (end, start) not in sides:
            following.setdefault(start, []).append(end)
    paths = []
    while following:
        ring = [next(iter(following))]
        while ring[-1] in following:
            ends = following[ring[-1]]
            ring.append(ends.pop())
            if not ends:
                del following[ring[-2]]
        paths.append(_path(ring[:-1]))
    return "".join(paths)


def _path(ring: Sequence[Point]) -> str:
    steps = " ".join(f"{x - before_x} {y - before_y}" for (before_x, before_y), (x, y) in pairwise(ring))
    return f"M{ring[0][0]} {ring[0][1]}l{steps}z".replace(" -", "-")


def _thirds(values: Sequence[float], decimals: int) -> list[float]:
    if len(values) < len(_CLASSES):
        return []
    cuts = {round(values[len(values) * third // 3], decimals) for third in (1, 2)}
    return sorted(cut for cut in cuts if cut > values[0])


def _patterns(key: str) -> str:
    """Return the patterns of states: hatched, dotted, and thin the other way for what was not measured."""
    kinds = (
        ("hatch", 14, "rotate(45)", '<path class="hatch" d="M0 0V14"/>'),
        ("dots", 14, "rotate(0)", '<circle class="spot" cx="7" cy="7" r="3"/>'),
        ("thin", 22, "rotate(-45)", '<path class="hatch fine" d="M0 0V22"/>'),
    )
    return "".join(
        f'<pattern id="{name}-{key}" width="{size}" height="{size}" patternUnits="userSpaceOnUse" '
        f'patternTransform="{turned}"><path class="none" d="M0 0H{size}V{size}H0z"/>{mark}</pattern>'
        for name, size, turned, mark in kinds
    )


def _shape(area: Area, shown: _Shown, scale: str = "departements") -> str:
    """Draw an area; its name and value show under the pointer, and are in the table for all."""
    outline = _outline(area.departments, scale)
    if not outline:
        return ""
    named = escape(f"{area.name} : {cell_text(area.figure, shown.indicator)}")
    return f'<path {shown.filling(area.figure)} d="{outline}"><title>{named}</title></path>'


def _is_overseas(area: Area) -> bool:
    return any(code in _OVERSEAS for code in area.departments)


def _paris(areas: Sequence[Area], shown: _Shown) -> str:
    """Draw Paris and the départements around it again, larger, in a box: on the map they are specks."""
    inside = [area for area in areas if area.departments[:1] == (area.code,) and area.code in _rings(_ENLARGED)]
    if not inside:
        return ""
    shapes = "".join(_shape(area, shown, _ENLARGED) for area in inside)
    words = text(_BOX + 8, 30, "Paris et", "q") + text(_BOX + 8, 70, "alentours", "q")
    return f'<path class="box" d="M2 2h{_BOX}v{_BOX}h-{_BOX}z"/><g transform="translate(8 10)">{shapes}</g>{words}'


def _overseas(areas: Sequence[Area], shown: _Shown) -> str:
    """Draw each overseas area in a box with its name: its place and its scale are not the map's."""
    marks = []
    for index, area in enumerate(sorted(filter(_is_overseas, areas), key=lambda area: area.departments)):
        x = 2 + index * (_BOX + 18)
        marks.append(f'<path class="box" d="M{x} {_BOXES_TOP}h{_BOX}v{_BOX}h-{_BOX}z"/>')
        marks.append(f'<g transform="translate({x + 8} {_BOXES_TOP + 8})">{_shape(area, shown)}</g>')
        marks.append(text(x + _BOX / 2, _BOXES_TOP + _BOX + 38, shortened(area.name, 11), "q m"))
    return text(0, _BOXES_TOP - 16, "Outre-mer, hors échelle", "q") + "".join(marks) if marks else ""


def _legend(areas: Sequence[Area], shown: _Shown) -> list[str]:
    """Return a line for each class and state that the map shows, with how many areas are in it."""

    def lowest_first(area: Area) -> tuple[bool, float, str]:
        value = shown_value(area.figure)
        return value is None, value or 0.0, state_text(area.figure)

    drawn = [area for area in sorted(areas, key=lowest_first) if _outline(area.departments)]
    counts = Counter((shown.filling(area.figure), shown.told(area.figure)) for area in drawn)
    marks = []
    for index, ((filling, words), count) in enumerate(counts.items()):
        y = _LEGEND_TOP + index * _LEGEND_LINE
        swatch = f'<path {filling} d="M2 {y}h60v38h-60z"/>'
        marks.append(swatch + text(78, y + 32, f"{words} ({number_text(count, 0)})", "k"))
    return marks


def _told(areas: Sequence[Area], values: Sequence[float], indicator: Indicator, year: int, level: str) -> str:
    """Say how many areas have a value and from where to where, the states of the others, and what is not drawn."""
    if not values:
        words = f"aucune valeur publiée en {year}"
    elif len(values) == 1:
        words = f"en {year}, une seule valeur publiée : {value_text(values[0], indicator)}"
    else:
        span = f"de {number_text(values[0], indicator.decimals)} à {value_text(values[-1], indicator)}"
        words = f"en {year}, {counted(len(values), _LEVELS[level])} avec une valeur publiée, {span}"
    states = Counter(state_text(area.figure) for area in areas if not has_value(area.figure))
    words += "".join(f" ; {state} : {number_text(count, 0)}" for state, count in sorted(states.items()))
    without = [area.name for area in areas if not _outline(area.departments)]
    return sentence(words + (f" ; dans le tableau seulement, faute de contour : {listed(without)}" if without else ""))


def _table(areas: Sequence[Area], shown: _Shown, year: int, level: str) -> Table:
    rows = []
    for area in sorted(areas, key=lambda area: area.code):
        figure = area.figure
        value = cell_text(figure, shown.indicator)
        cells = (area.name, value, base_text(figure), shown.told(figure), state_text(figure))
        rows.append(Row(cells, (("code", escape(area.code)), *figure_data(figure))))
    headers = (_LEVELS[level].capitalize(), "Valeur", "Base", "Classe", "État")
    return Table(f"{shown.indicator.title} par {_LEVELS[level]} en {year}", headers, tuple(rows))
