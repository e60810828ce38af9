"""Months of voices as a curve, with what was expected and the limit beyond which a month surprises."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipelines.mechanics.french import month_in_words, number_text, unit_text
from pipelines.portal.charts.chart import Chart, Heights, Row, Table, dot, path, picture, text, ticks
from pipelines.portal.sentences import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.portal.charts.chart import Data

WIDTH, LEFT, RIGHT, BOTTOM = 320, 34, 314, 150
Point = tuple[float, float]
_LABELS = 5  # months written below
_PER_MONTH = "voix par mois"
SECRET = "secret"
FEELINGS = ("négatif", "positif", "tous")  # in the order of a table


def expected_curve(title: str, lines: Sequence[Mapping[str, Any]], told: str, unit: str = _PER_MONTH) -> Chart:
    """Draw rows of ``courbes_signaux``: observed, expected (dashed), the limit as a band; ``told``: the sentence."""
    scale = _Scale(lines, ("observe", "attendu", "limite"))
    marks = [scale.grid(unit), _limits(scale), _joined("ref", scale.places("attendu")), *_line(scale, "observe")]
    for line, place in zip(lines, scale.places("observe"), strict=True):
        if line["vu"] and place:
            marks.append(dot(*place, 4.5, "open"))
    rows = tuple(
        Row(
            (
                month_in_words(x["mois"]),
                _cell(x["observe"]),
                _cell(x["attendu"]),
                _cell(x["limite"], "aucune" if x["attendu"] is not None else SECRET),
                "signal" if x["vu"] else "rien",
            ),
            signal_data(x),
        )
        for x in lines
    )
    table = Table(title, ("Mois", "Observé", "Attendu", "Limite d'alerte", "Vu"), rows)
    return Chart(picture("Courbe", WIDTH, BOTTOM + 22, marks), told, table)


def voices_curve(title: str, lines: Sequence[Mapping[str, Any]], told: str) -> Chart:
    """Draw the voices of a theme month by month: negative ones as a line, positive ones dashed, gaps where hidden.

    Where no feeling was given in any month, all voices are the line.

    ``lines``: by month, the voices of each feeling (``négatif``…), None where hidden, 0 where there is none.
    """
    felt = any(line[name] != 0 for line in lines for name in ("négatif", "positif"))
    drawn = "négatif" if felt else "tous"
    scale = _Scale(lines, (drawn, "positif"))
    marks = [scale.grid(_PER_MONTH), _joined("ref", scale.places("positif")), *_line(scale, drawn)]
    rows = tuple(
        Row(
            (month_in_words(x["mois"]), *(SECRET if x[name] is None else str(x[name]) for name in FEELINGS)),
            voices_data(x),
        )
        for x in lines
    )
    table = Table(title, ("Mois", "Négatives", "Positives", "Toutes"), rows)
    return Chart(picture("Courbe", WIDTH, BOTTOM + 22, marks), told, table)


def signal_data(line: Mapping[str, Any]) -> Data:
    """Return a month of a signal for machines."""
    pairs = [(name, escape(str(line[name]))) for name in ("signal", "mois", "statut")]
    pairs += [(name, repr(line[name])) for name in ("observe", "attendu", "limite") if line[name] is not None]
    return tuple(pairs)


def voices_data(line: Mapping[str, Any]) -> Data:
    """Return the voices of a month for machines; a feeling that is hidden has none."""
    pairs = [(name, escape(str(line[name]))) for name in ("reseau", "service", "mois", "theme")]
    names = {name: name.replace("é", "e").replace(" ", "-") for name in FEELINGS if line[name] is not None}
    counts = [(f"voix-{written}", str(line[name])) for name, written in names.items()]
    return (*pairs, *counts)


def _cell(value: float | None, missing: str = SECRET) -> str:
    if value is None:
        return missing
    return number_text(value, 0 if float(value).is_integer() else 1)


class _Scale:
    """Where a month and a number are in the picture."""

    def __init__(self, lines: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
        numbers = [float(line[name]) for line in lines for name in names if line[name] is not None]
        self.lines, self.heights = lines, Heights(ticks(min([0.0, *numbers]), max([1.0, *numbers])), BOTTOM)
        step = (RIGHT - LEFT) / max(len(lines), 1)
        self.x = [round(LEFT + step * (rank + 0.5), 1) for rank in range(len(lines))]

    def places(self, name: str) -> list[Point | None]:
        """Return where a number of each month is, None where it has none."""
        numbers = [line[name] for line in self.lines]
        return [
            None if number is None else (x, self.heights.y(number)) for x, number in zip(self.x, numbers, strict=True)
        ]

    def grid(self, unit: str) -> str:
        """Return the lines of round numbers with their figures, and some months."""
        grid = self.heights.grid(LEFT, RIGHT, [number_text(tick, 0) for tick in self.heights.ticks], unit)
        every = max(1, -(-len(self.lines) // _LABELS))
        months = [(x, line["mois"]) for x, line in zip(self.x, self.lines, strict=True)][::-1][::every]
        return grid + "".join(text(x, BOTTOM + 15, f"{month[5:]}/{month[2:4]}", "q m") for x, month in months)


def _limits(scale: _Scale) -> str:
    """Draw the band under the limit, month after month where there is one."""
    return path(
        "usual",
        *[
            f"M{one[0]:g} {BOTTOM}V{one[1]:g}L{other[0]:g} {other[1]:g}V{BOTTOM}z"
            for one, other in pairwise(scale.places("limite"))
            if one and other
        ],
    )


def _line(scale: _Scale, name: str) -> list[str]:
    places = scale.places(name)
    return [_joined("line", places), *(dot(*place, 2.5) for place in places if place)]


def _joined(kind: str, places: Sequence[Point | None]) -> str:
    return path(
        kind, *[f"M{one[0]:g} {one[1]:g}L{other[0]:g} {other[1]:g}" for one, other in pairwise(places) if one and other]
    )


def signal_sentence(card: Mapping[str, Any]) -> str:
    """Say what a signal shows, in one sentence."""
    begun = f"depuis {month_in_words(card['depuis'])}"
    if why := card.get("revision"):  # releases made before revisions were told have none
        return sentence(f"{card['titre']}, {begun} ; {why}")
    number = card["voix"] if card["observe"] is None else card["observe"]
    if number is None:
        return sentence(f"{card['titre']}, {begun} ; le nombre de voix n'est pas donné, il en dirait de trop petits")
    unit = unit_text(number, card.get("unite", "voix"))  # releases made before indicators have no unit
    about = "" if card["nature"] == "indicateur" else "environ "
    words = f"{about}{_cell(number)} {unit} en {month_in_words(card['mois'])}"
    if card["attendu"] is not None:
        words += f" où l'on en attendait {number_text(card['attendu'], 1)}"
    decimals = 2 if card["nature"] == "indicateur" else 1  # a share that falls by a tenth is far from what it was
    if card["rapport"] is not None:
        words += f", rapport de {number_text(card['rapport'], decimals)}"
        if card["rapport_bas"] is not None and card["rapport_haut"] is not None:
            low, high = (number_text(card[name], decimals) for name in ("rapport_bas", "rapport_haut"))
            words += f" (entre {low} et {high})"
    return sentence(f"{words}, {begun}")
