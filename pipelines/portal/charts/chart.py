"""What a chart is: picture, sentence and table of the same figures; and the axes that pictures share.

The picture is silent (a short label that points to the text): research with screen-reader users prefers a title and a
description in the text to a description inside the picture. What each kind draws is not here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipelines.portal.sentences import shown_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.portal.figures import Figure, Indicator, Place

Data = tuple[tuple[str, str], ...]  # names and values of ``data-*`` attributes, escaped
_NICE_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: the first cell heads it; ``data`` are the same facts for machines (``data-*`` attributes)."""

    cells: tuple[str, ...]
    data: Data = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table with one row of headers and one column of headers, so that every reader tells which cell is what."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[Row, ...]

    def html(self, identifier: str) -> str:
        """Return the table in a box that scrolls by keyboard on a narrow screen; ``identifier`` is the caption's."""
        heads = "".join(f'<th scope="col">{escape(header)}</th>' for header in self.headers)
        rows = "".join([_row_html(row) for row in self.rows])
        return (
            f'<div class="scroll" role="group" aria-labelledby="{identifier}" tabindex="0"><table>'
            f'<caption id="{identifier}">{escape(self.caption)}</caption>'
            f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        )


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture (inline SVG, already escaped), what it shows in words, its figures; ``data`` says whose they are."""

    svg: str
    sentence: str
    table: Table
    data: Data = ()

    def html(self, identifier: str) -> Markup:
        """Return the chart as a ``figure``; ``identifier`` is unique in the page (letters, digits, hyphens)."""
        return Markup(
            f'<figure class="chart"{_attributes(self.data)}><figcaption>{escape(self.sentence)}</figcaption>{self.svg}'
            '<details><summary>Voir les valeurs (tableau)<span class="vh"> : '
            f"{escape(self.table.caption)}</span></summary>"
            f"{self.table.html(f'{identifier}-t')}</details></figure>"
        )


def figure_data(figure: Figure) -> tuple[tuple[str, str], ...]:
    """Return a figure for machines: year, exact value and base (absent where there is none), state.

    Nothing is told where the release has no row of it.
    """
    if not figure.has_row:
        return ()
    data = [("annee", str(figure.year))]
    if (value := shown_value(figure)) is not None:
        data.append(("valeur", repr(value)))
    if figure.base is not None:
        data.append(("effectif", str(figure.base)))
    return (*data, ("etat", figure.state.value))


def place_data(indicator: Indicator, place: Place) -> Data:
    """Return whose figures are, for machines: network, indicator, level and code, as in ``resultats``."""
    told = {"reseau": place.network, "indicateur": indicator.code, "maille": place.level, "code": place.code}
    return tuple((name, escape(value)) for name, value in told.items())


@dataclass(frozen=True, slots=True)
class Heights:
    """Where a value is in the height of a picture, between the first of some round values and the last."""

    ticks: Sequence[float]
    bottom: int
    top: int = 22

    def y(self, value: float) -> float:
        """Return the height of a value."""
        low, high = self.ticks[0], self.ticks[-1]
        return round(self.bottom - (value - low) / (high - low) * (self.bottom - self.top), 1)

    def grid(self, left: int, right: int, words: Sequence[str], unit: str = "") -> str:
        """Return a line for each round value with its ``words`` at the left, and the unit above."""
        lines = "".join(f"M{left} {self.y(tick):g}H{right}" for tick in self.ticks)
        labels = [text(left - 4, self.y(tick) + 4, label, "q e") for tick, label in zip(self.ticks, words, strict=True)]
        return path("grid", lines) + (text(4, 10, unit, "q") if unit else "") + "".join(labels)


def picture(kind: str, width: int, height: int, marks: Sequence[str], top: int = 0) -> str:
    """Return an SVG that scales to its place; ``kind`` begins its label (« Courbe »), ``top`` is where it begins."""
    return (
        f'<svg class="{kind.lower()}" viewBox="0 {top} {width} {height}" role="img" focusable="false" '
        f'aria-label="{kind} : description ci-dessus, tableau ci-dessous">{"".join(marks)}</svg>'
    )


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """Return escaped words at a place; ``kind`` is a class of the style sheet."""
    of_kind = f' class="{kind}"' if kind else ""
    return f'<text x="{round(x, 1):g}" y="{round(y, 1):g}"{of_kind}>{escape(words)}</text>'


def path(kind: str, *parts: str) -> str:
    """Return a path of a class of the style sheet; nothing when it has no part."""
    return f'<path class="{kind}" d="{"".join(parts)}"/>' if parts else ""


def dot(x: float, y: float, radius: float, kind: str = "dot") -> str:
    """Return a point."""
    return f'<circle class="{kind}" cx="{x:g}" cy="{y:g}" r="{radius:g}"/>'


def shortened(words: str, longest: int) -> str:
    """Return a name cut to what has room beside a mark, « Provence-Alpes-C… »; the table has it whole."""
    return words if len(words) <= longest else f"{words[: longest - 1].rstrip()}…"


def ticks(low: float, high: float, wanted: int = 3) -> list[float]:
    """Return round values, about ``wanted`` steps, that hold low and high between them."""
    rough = (high - low) / wanted or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(nice for nice in _NICE_STEPS if nice * power >= rough * (1 - 1e-9)) * power
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 10) for index in range(first, max(last, first + 1) + 1)]


def decimals_of(values: Sequence[float]) -> int:
    """Return how many decimals it takes to write round values exactly."""
    return next((count for count in range(10) if all(round(value, count) == value for value in values)), 10)


def _row_html(row: Row) -> str:
    together = "".join(row.cells)  # most rows have nothing to escape: one look at all their cells is enough
    head, *others = row.cells if escape(together) == together else map(escape, row.cells)
    told = f"<td>{'</td><td>'.join(others)}</td>" if others else ""
    return f'<tr{_attributes(row.data)}><th scope="row">{head}</th>{told}</tr>'


def _attributes(data: Data) -> str:
    return "".join([f' data-{name}="{value}"' for name, value in data])
