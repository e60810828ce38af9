"""Months of voices as a curve, with what was expected and the limit beyond which a month surprises."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipelines.mechanics.french import MONTHS
from pipelines.portal.charts.chart import Chart, Row, Table, picture, text, ticks
from pipelines.portal.sentences import number_text, sentence, unit_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.portal.charts.chart import Data

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 320, 34, 314, 22, 150
_LABELS = 5  # months written below
_PER_MONTH = "voix par mois"
SECRET = "secret"
FEELINGS = ("négatif", "positif", "tous")  # in the order of a table


def month_words(month: str) -> str:
    """Return « mars 2024 »."""
    year, number = month.split("-")
    return f"{MONTHS[int(number) - 1]} {year}"


def expected_curve(title: str, lines: Sequence[Mapping[str, Any]], told: str, unit: str = _PER_MONTH) -> Chart:
    """Draw rows of ``courbes_signaux``: observed, expected (dashed), the limit as a band; ``told``: the sentence."""
    heights = _Heights(lines, ("observe", "attendu", "limite"), unit)
    at = heights.at
    marks = [heights.grid(), *_limits(lines, heights)]
    marks += _joined(
        "ref", [(at[x["mois"]], heights.y(x["attendu"])) if x["attendu"] is not None else None for x in lines]
    )
    marks += _observed(lines, heights, "observe")
    marks += [
        f'<circle class="open" cx="{at[x["mois"]]:g}" cy="{heights.y(x["observe"]):g}" r="4.5"/>'
        for x in lines if x["vu"] and x["observe"] is not None
    ]  # fmt: skip
    rows = tuple(
        Row((month_words(x["mois"]), _cell(x["observe"]), _cell(x["attendu"]),
             _cell(x["limite"], "aucune" if x["attendu"] is not None else SECRET),
             "signal" if x["vu"] else "rien"), signal_data(x))
        for x in lines
    )  # fmt: skip
    table = Table(title, ("Mois", "Observé", "Attendu", "Limite d'alerte", "Vu"), rows)
    return Chart(picture("Courbe", WIDTH, BOTTOM + 22, marks), told, table)


def voices_curve(title: str, lines: Sequence[Mapping[str, Any]], told: str) -> Chart:
    """Draw the voices of a theme month by month: negative ones as a line, positive ones dashed, gaps where hidden.

    Where no feeling was given in any month, all voices are the line.

    ``lines``: by month, the voices of each feeling (``négatif``…), None where hidden, 0 where there is none.
    """
    felt = any(line[name] != 0 for line in lines for name in ("négatif", "positif"))
    drawn = "négatif" if felt else "tous"
    heights = _Heights(lines, (drawn, "positif"))
    places = [(heights.at[x["mois"]], heights.y(x["positif"])) if x["positif"] is not None else None for x in lines]
    marks = [heights.grid(), *_joined("ref", places), *_observed(lines, heights, drawn)]
    rows = tuple(
        Row(
            (month_words(x["mois"]), *(SECRET if x[name] is None else str(x[name]) for name in FEELINGS)),
            voices_data(x),
        )
        for x in lines
    )
    table = Table(title, ("Mois", "Négatives", "Positives", "Toutes"), rows)
    return Chart(picture("Courbe", WIDTH, BOTTOM + 22, marks), told, table)


def signal_data(line: Mapping[str, Any]) -> Data:
    """Return a month of a signal for machines."""
    held = [(name, escape(str(line[name]))) for name in ("signal", "mois", "statut")]
    held += [(name, repr(line[name])) for name in ("observe", "attendu", "limite") if line[name] is not None]
    return tuple(held)


def voices_data(line: Mapping[str, Any]) -> Data:
    """Return the voices of a month for machines; a feeling that is hidden has none."""
    held = [(name, escape(str(line[name]))) for name in ("reseau", "service", "mois", "theme")]
    names = {name: name.replace("é", "e").replace(" ", "-") for name in FEELINGS if line[name] is not None}
    told = [(f"voix-{written}", str(line[name])) for name, written in names.items()]
    return (*held, *told)


def _cell(value: float | None, missing: str = SECRET) -> str:
    if value is None:
        return missing
    return number_text(value, 0 if float(value).is_integer() else 1)


class _Heights:
    """Where a month and a number are in the picture."""

    def __init__(self, lines: Sequence[Mapping[str, Any]], names: Sequence[str], unit: str = _PER_MONTH) -> None:
        held = [float(line[name]) for line in lines for name in names if line[name] is not None]
        self.unit, self.ticks = unit, ticks(min([0.0, *held]), max([1.0, *held]))
        self.months = [line["mois"] for line in lines]
        step = (RIGHT - LEFT) / max(len(lines), 1)
        self.at = {month: round(LEFT + step * (rank + 0.5), 1) for rank, month in enumerate(self.months)}

    def y(self, value: float) -> float:
        """Return the height of a number."""
        low, high = self.ticks[0], self.ticks[-1]
        return round(BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP), 1)

    def grid(self) -> str:
        """Return the lines of round numbers with their figures, and some months."""
        across = "".join(f"M{LEFT} {self.y(tick):g}H{RIGHT}" for tick in self.ticks)
        words = "".join(text(LEFT - 4, self.y(tick) + 4, number_text(tick, 0), "q e") for tick in self.ticks)
        every = max(1, -(-len(self.months) // _LABELS))
        shown = self.months[::-1][::every]
        below = "".join(text(self.at[month], BOTTOM + 15, f"{month[5:]}/{month[2:4]}", "q m") for month in shown)
        return f'<path class="grid" d="{across}"/>{text(4, 10, escape(self.unit), "q")}{words}{below}'


def _limits(lines: Sequence[Mapping[str, Any]], heights: _Heights) -> list[str]:
    """Draw the band under the limit, month after month where there is one."""
    marks = []
    for one, other in pairwise(lines):
        if one["limite"] is not None and other["limite"] is not None:
            x, right = heights.at[one["mois"]], heights.at[other["mois"]]
            top, next_top = heights.y(one["limite"]), heights.y(other["limite"])
            marks.append(f"M{x:g} {BOTTOM}V{top:g}L{right:g} {next_top:g}V{BOTTOM}z")
    return [f'<path class="usual" d="{"".join(marks)}"/>'] if marks else []


def _observed(lines: Sequence[Mapping[str, Any]], heights: _Heights, name: str) -> list[str]:
    places = [
        (heights.at[line["mois"]], heights.y(float(line[name]))) if line[name] is not None else None for line in lines
    ]
    dots = [f'<circle class="dot" cx="{place[0]:g}" cy="{place[1]:g}" r="2.5"/>' for place in places if place]
    return [*_joined("line", places), *dots]


def _joined(kind: str, places: Sequence[tuple[float, float] | None]) -> list[str]:
    drawn = "".join(
        f"M{one[0]:g} {one[1]:g}L{other[0]:g} {other[1]:g}" for one, other in pairwise(places) if one and other
    )
    return [f'<path class="{kind}" d="{drawn}"/>'] if drawn else []


def signal_sentence(card: Mapping[str, Any]) -> str:
    """Say what a signal shows, in one sentence."""
    begun = f"depuis {month_words(card['depuis'])}"
    if why := card.get("revision"):  # releases made before revisions were told have none
        return sentence(f"{card['titre']}, {begun} ; {why}")
    number = card["voix"] if card["observe"] is None else card["observe"]
    if number is None:
        return sentence(f"{card['titre']}, {begun} ; le nombre de voix n'est pas donné, il en dirait de trop petits")
    unit = unit_text(number, card.get("unite", "voix"))  # releases made before indicators have no unit
    about = "" if card["nature"] == "indicateur" else "environ "
    told = f"{about}{_cell(number)} {unit} en {month_words(card['mois'])}"
    if card["attendu"] is not None:
        told += f" où l'on en attendait {number_text(card['attendu'], 1)}"
    decimals = 2 if card["nature"] == "indicateur" else 1  # a share that falls by a tenth is far from what it was
    if card["rapport"] is not None:
        told += f", rapport de {number_text(card['rapport'], decimals)}"
        if card["rapport_bas"] is not None and card["rapport_haut"] is not None:
            low, high = (number_text(card[name], decimals) for name in ("rapport_bas", "rapport_haut"))
            told += f" (entre {low} et {high})"
    return sentence(f"{told}, {begun}")
