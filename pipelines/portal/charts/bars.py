"""A few values side by side, of several places or networks: one bar each, from zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.mechanics.french import listed, number_text
from pipelines.portal.charts.chart import Chart, Row, Table, figure_data, path, picture, place_data, shortened, text
from pipelines.portal.figures import Figure, Indicator, Place
from pipelines.portal.sentences import (
    base_text,
    cell_text,
    figure_text,
    has_value,
    interval_text,
    sentence,
    shown_value,
    state_text,
    value_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, LEFT, RIGHT, LINE = 320, 4, 316, 40
_LONGEST = 38  # characters of a label above its bar
_TOLD = 6  # more than these are told by their range; the table has them all


def bars(title: str, rows: Sequence[tuple[Place, Figure]], indicator: Indicator) -> Chart:
    """Draw one bar a place, named above it; one without a value has its state in words instead of a bar.

    ``title`` captions the table; places stay in the order given.
    """
    held = [value for _, figure in rows if (value := shown_value(figure)) is not None]
    low, high = min([0.0, *held]), max([0.0, *held])
    scale = (RIGHT - LEFT) / ((high - low) or 1.0)
    zero = round(LEFT - low * scale, 1)
    marks = [_bar(index, place.name, figure, indicator, zero, scale) for index, (place, figure) in enumerate(rows)]
    told = tuple(
        Row((place.name, *_cells(figure, indicator)), (*place_data(indicator, place), *figure_data(figure)))
        for place, figure in rows
    )
    table = Table(title, ("Nom", "Année", "Valeur", "Intervalle", "Base", "État"), told)
    return Chart(picture("Barres", WIDTH, max(LINE * len(rows), LINE), marks), _told(rows, held, indicator), table)


def _bar(index: int, name: str, figure: Figure, indicator: Indicator, zero: float, scale: float) -> str:
    top = index * LINE
    label = text(LEFT, top + 14, shortened(name, _LONGEST))
    value = shown_value(figure)
    if value is None:
        return f"{label}{text(LEFT + 4, top + 31, state_text(figure), 'q')}"
    words = text(RIGHT, top + 14, value_text(value, indicator), "v e")
    bar = path("fill", f"M{zero:g} {top + 20}H{round(zero + value * scale, 1):g}v14H{zero:g}z")
    return label + words + bar + path("axis", f"M{zero:g} {top + 18}v18")


def _cells(figure: Figure, indicator: Indicator) -> tuple[str, ...]:
    interval = interval_text(figure, indicator) or "aucun"
    return str(figure.year), cell_text(figure, indicator), interval, base_text(figure), state_text(figure)


def _told(rows: Sequence[tuple[Place, Figure]], held: Sequence[float], indicator: Indicator) -> str:
    if len(rows) <= _TOLD or not held:
        return sentence(" ; ".join(f"{place.name} : {figure_text(figure, indicator)}" for place, figure in rows))
    span = f"{len(held)} valeurs, de {number_text(min(held), indicator.decimals)} à {value_text(max(held), indicator)}"
    without = [f"{place.name} ({state_text(figure)})" for place, figure in rows if not has_value(figure)]
    return sentence(f"{span}{f' ; sans valeur : {listed(without)}' if without else ''}")
