"""Answers to a question of a barometer: levels around a line, waves joined where they compare, groups as dots.

Each gives picture, sentence and table of the same rows; a row is one of ``resultats_barometres``.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipelines.mechanics.french import listed
from pipelines.portal.charts.chart import Chart, Row, Table, picture, shortened, text, ticks
from pipelines.portal.sentences import number_text, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.portal.charts.chart import Data

WIDTH, LEFT, RIGHT = 320, 4, 316
_BAR, _STEP = 16, 58
_GAP = 8  # between what was offered and what was not
_CLASSES = {"favorable": "fill", "neutre": "usual", "défavorable": "against", "mise à part": "peers in"}
_ROW = 34
_LABEL = 36  # characters above a bar


@dataclass(frozen=True)
class WaveBreak:
    """Why a wave doesn't compare with the one before it in the picture."""

    wave: str
    why: str


def opinion_figure(line: Mapping[str, Any], *, bare: bool = False) -> str:
    """Return a value in words, with its interval unless ``bare``; its status where there is no value."""
    if line["valeur"] is None:
        return str(line["statut"])
    digits = 1 if line["unite"] == "note" else 0
    unit = {"%": "\u00a0%", "points": " points", "note": ""}[line["unite"]]
    told = f"{number_text(line['valeur'], digits)}{unit}"
    if bare or line["borne_basse"] is None:
        return told
    return f"{told}, entre {number_text(line['borne_basse'], digits)} et {number_text(line['borne_haute'], digits)}"


def opinion_data(line: Mapping[str, Any]) -> Data:
    """Return a row for machines: where it stands, exact value and base, status."""
    names = ("barometre", "vague", "question", "mesure", "modalite", "coupe", "groupe", "statut")
    held = [(name, escape(str(line[name]))) for name in names]
    held += [(name, repr(line[name])) for name in ("valeur", "base") if line[name] is not None]
    return tuple(held)


def change_text(line: Mapping[str, Any], waves: Mapping[str, str]) -> str:
    """Say how a value compares with that of an earlier wave; ``waves``: their titles."""
    if line["vague_comparee"] is None or line["ecart_vague"] is None:
        return "pas de comparaison avec une vague antérieure"
    since = f"depuis {_lower(waves[line['vague_comparee']])}"
    if line["vague_significatif"] is None:
        return f"aucun test possible {since}"
    if not line["vague_significatif"]:
        return f"pas de changement établi {since}"
    gap, way = line["ecart_vague"], "hausse" if line["ecart_vague"] > 0 else "baisse"
    return f"{way} établie de {number_text(abs(gap), 1)} point{_plural(gap)} {since}"


def _plural(value: float) -> str:
    return "s" if round(abs(value), 1) >= 2 else ""


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def diverging(title: str, waves: Mapping[str, str], lines: Sequence[Mapping[str, Any]]) -> Chart:
    """Draw one bar a wave: the favourable to the right of a line, the opposite to its left, apart what was not offered.

    ``lines``: the answers of everybody in each wave, in the order of the scale. A list without sense is drawn from the
    left, in the order of its answers.
    """
    by_wave = {wave: [line for line in lines if line["vague"] == wave] for wave in waves}
    shown = {wave: held for wave, held in by_wave.items() if held}
    left = max((sum(_share(one) for one in held if one["sens"] == "défavorable") for held in shown.values()), default=0)
    right = max(
        (
            sum(_share(one) for one in held if one["sens"] not in ("défavorable", "mise à part"))
            for held in shown.values()
        ),
        default=0,
    )
    aside = max(
        (sum(_share(one) for one in held if one["sens"] == "mise à part") for held in shown.values()), default=0
    )
    scale = (RIGHT - LEFT - _GAP) / ((left + right + aside) or 1.0)
    zero = LEFT + left * scale
    marks = []
    for index, (wave, held) in enumerate(shown.items()):
        marks += _wave_bar(index * _STEP, waves[wave], held, zero, scale, zero + right * scale + _GAP)
    height = max(_STEP * len(shown), _STEP)
    marks.append(f'<path class="axis" d="M{zero:.1f} 16V{height - 8}"/>')
    table = Table(title, ("Vague et réponse", "Part", "Base", "Statut"), _answer_rows(waves, lines))
    return Chart(
        picture("Barres", WIDTH, height, marks), _answers_told(waves, list(shown.values())[-1] if shown else []), table
    )


def _answer_rows(waves: Mapping[str, str], lines: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    return tuple(
        Row(
            (f"{waves[line['vague']]} : {line['libelle']}", opinion_figure(line), _base(line), str(line["statut"])),
            opinion_data(line),
        )
        for line in lines
    )


def _share(line: Mapping[str, Any]) -> float:
    return float(line["valeur"] or 0.0)


def _base(line: Mapping[str, Any]) -> str:
    return "non publiée" if line["base"] is None else number_text(line["base"], 0)


def _wave_bar(
    top: float, name: str, held: Sequence[Mapping[str, Any]], zero: float, scale: float, aside: float
) -> list[str]:
    """Draw the levels of a wave outwards from the line; the figures are written under the bar, in the same order."""
    marks = [text(LEFT, top + 12, shortened(name, _LABEL))]
    negative = [one for one in held if one["sens"] == "défavorable"]
    offered = [one for one in held if one["sens"] not in ("défavorable", "mise à part")]
    spans: list[tuple[float, float, Mapping[str, Any]]] = []
    start = zero - sum(_share(one) for one in negative) * scale
    for one in (*negative, *reversed(offered)) if negative else offered:
        spans.append((start, _share(one) * scale, one))
        start += _share(one) * scale
    end = aside
    for one in (one for one in held if one["sens"] == "mise à part"):
        spans.append((end, _share(one) * scale, one))
        end += spans[-1][1]
    for x, width, one in spans:
        kind = _CLASSES.get(one["sens"], "fill")
        strong = one is held[0] or (negative and one is negative[-1]) or one["sens"] not in ("favorable", "défavorable")
        marks.append(
            f'<path class="{kind}{"" if strong else " half"}" d="M{x:.1f} {top + 18:g}h{max(width - 1, 0.4):.1f}'
            f'v{_BAR}h-{max(width - 1, 0.4):.1f}z"/>'
        )
        if width >= 18:
            marks.append(text(x + width / 2, top + 47, number_text(_share(one), 0), "q m"))
    return marks


def _answers_told(waves: Mapping[str, str], last: Sequence[Mapping[str, Any]]) -> str:
    if not last:
        return "Aucune vague n'a de réponses publiées."
    told = [f"{one['libelle']} : {opinion_figure(one, bare=True)}" for one in last if one["sens"] != "mise à part"]
    apart = [f"{one['libelle']} : {opinion_figure(one, bare=True)}" for one in last if one["sens"] == "mise à part"]
    of_all = f" ; de toutes les réponses, {' ; '.join(apart)}" if apart else ""
    return sentence(f"{waves[last[0]['vague']]} : {' ; '.join(told)}{of_all}")


def slopes(
    title: str, waves: Mapping[str, str], lines: Sequence[Mapping[str, Any]], breaks: Sequence[WaveBreak]
) -> Chart:
    """Draw a figure wave by wave, joined where the two compare, with its interval; a break is a gap with its reason."""
    held = [line for line in lines if line["valeur"] is not None]
    scale = _Heights(held)
    names = [line["vague"] for line in lines]
    step = (RIGHT - 40) / max(len(names), 1)
    at = {wave: round(34 + step * (rank + 0.5), 1) for rank, wave in enumerate(names)}
    marks = [scale.grid()]
    for line in held:
        marks.append(_whisker(at[line["vague"]], scale, line))
    for one, other in pairwise(held):
        if other["vague_comparee"] == one["vague"]:
            ends = (
                f"M{at[one['vague']]:g} {scale.y(one['valeur']):g}L{at[other['vague']]:g} {scale.y(other['valeur']):g}"
            )
            marks.append(f'<path class="line" d="{ends}"/>')
        elif other["vague"] in {each.wave for each in breaks}:
            middle = (at[one["vague"]] + at[other["vague"]]) / 2
            marks.append(f'<path class="cut" d="M{middle:.1f} {_Heights.TOP}V{_Heights.BOTTOM}"/>')
            marks.append(text(middle, _Heights.TOP - 4, "rupture", "q m"))
    for line in held:
        marks.append(f'<circle class="dot" cx="{at[line["vague"]]:g}" cy="{scale.y(line["valeur"]):g}" r="4"/>')
        marks.append(text(at[line["vague"]] - 7, scale.y(line["valeur"]) - 5, opinion_figure(line, bare=True), "v e"))
    room = int(step / 5.6)
    marks += [text(at[wave], _Heights.BOTTOM + 15, shortened(waves[wave], room), "q m") for wave in names]
    rows = tuple(
        Row(
            (waves[line["vague"]], opinion_figure(line), _base(line), str(line["statut"]), change_text(line, waves)),
            opinion_data(line),
        )
        for line in lines
    )
    table = Table(title, ("Vague", "Valeur", "Base", "Statut", "Comparaison"), rows)
    return Chart(picture("Courbe", WIDTH, _Heights.BOTTOM + 22, marks), _waves_told(waves, lines, breaks), table)


def _bounds(lines: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return every value and bound of rows."""
    names = ("valeur", "borne_basse", "borne_haute")
    return [line[name] for line in lines for name in names if line[name] is not None]


class _Heights:
    """Where a value is in the height of the picture."""

    TOP, BOTTOM = 22, 150

    def __init__(self, lines: Sequence[Mapping[str, Any]]) -> None:
        bounds = _bounds(lines)
        self.ticks = ticks(min(bounds), max(bounds)) if bounds else [0.0, 1.0]

    def y(self, value: float) -> float:
        """Return the height of a value."""
        low, high = self.ticks[0], self.ticks[-1]
        return round(self.BOTTOM - (value - low) / (high - low) * (self.BOTTOM - self.TOP), 1)

    def grid(self) -> str:
        """Return the lines of round values, with their figures."""
        lines = "".join(f"M30 {self.y(tick):g}H{RIGHT}" for tick in self.ticks)
        words = "".join(text(26, self.y(tick) + 4, f"{tick:g}".replace(".", ","), "q e") for tick in self.ticks)
        return f'<path class="grid" d="{lines}"/>{words}'


def _whisker(x: float, scale: _Heights, line: Mapping[str, Any]) -> str:
    if line["borne_basse"] is None:
        return ""
    return f'<path class="whisker" d="M{x:g} {scale.y(line["borne_basse"]):g}V{scale.y(line["borne_haute"]):g}"/>'


def _waves_told(waves: Mapping[str, str], lines: Sequence[Mapping[str, Any]], breaks: Sequence[WaveBreak]) -> str:
    if not lines:
        return "Aucune vague n'a de valeur publiée."
    last = lines[-1]
    told = f"{last['libelle']} : {opinion_figure(last)} ({_lower(waves[last['vague']])}) ; {change_text(last, waves)}"
    drawn = [line["vague"] for line in lines]
    cut = [f"rupture en {_lower(waves[one.wave])} ({one.why})" for one in breaks if one.wave in drawn[1:]]
    return sentence("".join([told, *(f" ; {one}" for one in cut)]))


def group_dots(title: str, lines: Sequence[Mapping[str, Any]], whole: Mapping[str, Any]) -> Chart:
    """Draw the groups of a cut as dots with their interval, everybody (``whole``) as a dashed line.

    A group that surely differs from the rest of the cut says so; one without a value says its status.
    """
    rows = tuple(
        Row(
            (
                line["groupe_libelle"],
                opinion_figure(line),
                _base(line),
                str(line["statut"]),
                rest_text(line),
                letters_text(line, lines),
            ),
            opinion_data(line),
        )
        for line in lines
    )
    headers = ("Groupe", "Valeur", "Base", "Statut", "Par rapport aux autres", "Sûrement au-dessus de")
    drawn = _dots([(line["groupe_libelle"], line) for line in lines], whole)
    return Chart(drawn, _groups_told(lines, whole), Table(title, headers, rows))


def several_answers(title: str, waves: Mapping[str, str], lines: Sequence[Mapping[str, Any]]) -> Chart:
    """Draw the answers of a multiple choice in the last wave: shares that don't add up to 100, so no stacked bar."""
    table = Table(title, ("Vague et réponse", "Part", "Base", "Statut"), _answer_rows(waves, lines))
    last = [line for line in lines if line["vague"] == lines[-1]["vague"]]
    return Chart(_dots([(line["libelle"], line) for line in last]), _answers_told(waves, last), table)


def _dots(named: Sequence[tuple[str, Mapping[str, Any]]], whole: Mapping[str, Any] | None = None) -> str:
    """Return one line a row: its name, a dot and its interval; a dashed line across at the value of ``whole``."""
    bounds = _bounds([line for _, line in named] + ([whole] if whole else []))
    scale = ticks(min(bounds), max(bounds)) if bounds else [0.0, 1.0]

    def x(value: float) -> float:
        return round(LEFT + 8 + (value - scale[0]) / (scale[-1] - scale[0]) * (RIGHT - LEFT - 16), 1)

    height = _ROW * len(named) + 22
    marks = [text(x(tick), height - 4, f"{tick:g}".replace(".", ","), "q m") for tick in scale]
    if whole is not None and whole["valeur"] is not None:
        marks.append(f'<path class="ref" d="M{x(whole["valeur"]):g} 4V{height - 18}"/>')
    for rank, (name, line) in enumerate(named):
        y = _ROW * rank + 26
        marks.append(text(LEFT, y - 10, shortened(name, _LABEL)))
        if line["valeur"] is None:
            marks.append(text(RIGHT, y - 10, str(line["statut"]), "q e"))
            continue
        if line["borne_basse"] is not None:
            marks.append(f'<path class="whisker" d="M{x(line["borne_basse"]):g} {y}H{x(line["borne_haute"]):g}"/>')
        kind = "dot" if line["statut"] == "publié" else "open"
        marks.append(f'<circle class="{kind}" cx="{x(line["valeur"]):g}" cy="{y}" r="4"/>')
        marks.append(text(RIGHT, y - 10, opinion_figure(line, bare=True), "v e"))
    return picture("Points", WIDTH, height, marks)


def rest_text(line: Mapping[str, Any]) -> str:
    """Say how a group compares with the rest of its cut."""
    if line["ecart_reste"] is None:
        return "non comparé"
    if not line["reste_significatif"]:
        return "pas d'écart établi"
    gap = number_text(abs(line["ecart_reste"]), 1)
    return f"{'au-dessus' if line['ecart_reste'] > 0 else 'au-dessous'} de {gap} point{_plural(line['ecart_reste'])}"


def letters_text(line: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> str:
    """Name the groups that a group is surely above."""
    if line["statut"] != "publié":
        return "non comparé"
    names = {one["lettre"]: one["groupe_libelle"] for one in lines}
    return listed([names[letter] for letter in line["superieur_a"] or "" if letter in names]) or "aucun"


def _groups_told(lines: Sequence[Mapping[str, Any]], whole: Mapping[str, Any]) -> str:
    apart = [one for one in lines if one["reste_significatif"]]
    told = [f"{one['groupe_libelle']} ({opinion_figure(one, bare=True)}, {rest_text(one)})" for one in apart]
    start = f"Ensemble : {opinion_figure(whole, bare=True)}"
    if all(one["ecart_reste"] is None for one in lines):
        return sentence(f"{start} ; aucun groupe n'a pu être comparé aux autres")
    if not told:
        return sentence(f"{start} ; aucun groupe ne s'écarte des autres de façon établie")
    return sentence(f"{start} ; s'{'écartent' if len(told) > 1 else 'écarte'} des autres : {listed(told)}")
