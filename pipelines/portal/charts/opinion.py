"""Answers to a question of a barometer: levels around a line, waves joined where they compare, groups as dots.

Each gives picture, sentence and table of the same rows; a row is one of ``resultats_barometres``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipelines.declarations.statuses import FigureStatus
from pipelines.mechanics.french import decimal, listed, number_text, plural
from pipelines.portal.charts.chart import Chart, Heights, Row, Table, dot, path, picture, shortened, text, ticks
from pipelines.portal.sentences import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.portal.charts.chart import Data

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 320, 4, 316, 22, 150
_BAR, _STEP = 16, 58
_GAP = 8  # between what was offered and what was not
_AGAINST, _APART = "défavorable", "mise à part"
_CLASSES = {"favorable": "fill", "neutre": "usual", _AGAINST: "against", _APART: "peers in"}
_ROW = 34
_LABEL = 36  # characters above a bar
Line = Mapping[str, Any]


@dataclass(frozen=True)
class WaveBreak:
    """Why a wave doesn't compare with the one before it in the picture."""

    wave: str
    why: str


def opinion_figure(line: Line, *, bare: bool = False) -> str:
    """Return a value in words, with its interval unless ``bare``; its status where there is no value."""
    if line["valeur"] is None:
        return str(line["statut"])
    digits = 1 if line["unite"] == "note" else 0
    unit = {"%": "\u00a0%", "points": " points", "note": ""}[line["unite"]]
    value = f"{number_text(line['valeur'], digits)}{unit}"
    if bare or line["borne_basse"] is None:
        return value
    return f"{value}, entre {number_text(line['borne_basse'], digits)} et {number_text(line['borne_haute'], digits)}"


def opinion_data(line: Line) -> Data:
    """Return a row for machines: where it stands, exact value and base, status."""
    names = ("barometre", "vague", "question", "mesure", "modalite", "coupe", "groupe", "statut")
    pairs = [(name, escape(str(line[name]))) for name in names]
    pairs += [(name, repr(line[name])) for name in ("valeur", "base") if line[name] is not None]
    return tuple(pairs)


def change_text(line: Line, waves: Mapping[str, str]) -> str:
    """Say how a value compares with that of an earlier wave; ``waves``: their titles."""
    if line["vague_comparee"] is None or line["ecart_vague"] is None:
        return "pas de comparaison avec une vague antérieure"
    since = f"depuis {_lower(waves[line['vague_comparee']])}"
    if line["vague_significatif"] is None:
        return f"aucun test possible {since}"
    if not line["vague_significatif"]:
        return f"pas de changement établi {since}"
    gap, way = line["ecart_vague"], "hausse" if line["ecart_vague"] > 0 else "baisse"
    return f"{way} établie de {number_text(abs(gap), 1)} {plural(round(gap, 1), 'point')} {since}"


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def diverging(title: str, waves: Mapping[str, str], lines: Sequence[Line]) -> Chart:
    """Draw one bar a wave: the favourable to the right of a line, the opposite to its left, apart what was not offered.

    ``lines``: the answers of everybody in each wave, in the order of the scale. A list without sense is drawn from the
    left, in the order of its answers.
    """
    by_wave = {wave: [line for line in lines if line["vague"] == wave] for wave in waves}
    shown = {wave: answers for wave, answers in by_wave.items() if answers}
    widths = [[sum(map(_share, side)) for side in _sides(answers)] for answers in shown.values()] or [[0, 0, 0]]
    left, right, aside = (max(side) for side in zip(*widths, strict=True))
    scale = (RIGHT - LEFT - _GAP) / ((left + right + aside) or 1.0)
    zero = LEFT + left * scale
    marks = []
    for index, (wave, answers) in enumerate(shown.items()):
        marks += _wave_bar(index * _STEP, waves[wave], answers, zero, scale, zero + right * scale + _GAP)
    height = max(_STEP * len(shown), _STEP)
    marks.append(path("axis", f"M{zero:.1f} 16V{height - 8}"))
    words = _answers_told(waves, list(shown.values())[-1] if shown else [])
    return Chart(picture("Barres", WIDTH, height, marks), words, _answers_table(title, waves, lines))


def _sides(lines: Sequence[Line]) -> tuple[list[Line], list[Line], list[Line]]:
    """Return the answers by where they are drawn: left of the line, right of it, apart."""
    against = [line for line in lines if line["sens"] == _AGAINST]
    offered = [line for line in lines if line["sens"] not in (_AGAINST, _APART)]
    return against, offered, [line for line in lines if line["sens"] == _APART]


def _row(name: str, line: Line, *more: str) -> Row:
    """Return a row of a table: name, value, base, status, and what else is told."""
    return Row((name, opinion_figure(line), _base(line), str(line["statut"]), *more), opinion_data(line))


def _answers_table(title: str, waves: Mapping[str, str], lines: Sequence[Line]) -> Table:
    rows = [_row(f"{waves[line['vague']]} : {line['libelle']}", line) for line in lines]
    return Table(title, ("Vague et réponse", "Part", "Base", "Statut"), tuple(rows))


def _share(line: Line) -> float:
    return float(line["valeur"] or 0.0)


def _base(line: Line) -> str:
    return "non publiée" if line["base"] is None else number_text(line["base"], 0)


def _wave_bar(top: float, name: str, answers: Sequence[Line], zero: float, scale: float, aside: float) -> list[str]:
    """Draw the levels of a wave outwards from the line; the figures are written under the bar, in the same order."""
    marks = [text(LEFT, top + 12, shortened(name, _LABEL))]
    negative, offered, apart = _sides(answers)
    start = zero - sum(map(_share, negative)) * scale
    level = (*negative, *reversed(offered)) if negative else offered
    for begin, lines in ((start, level), (aside, apart)):
        x = begin
        for line in lines:
            width = _share(line) * scale
            outermost = line is answers[0] or (negative and line is negative[-1])
            strong = outermost or line["sens"] not in ("favorable", _AGAINST)
            kind, drawn = _CLASSES.get(line["sens"], "fill"), f"{max(width - 1, 0.4):.1f}"
            shape = f"M{x:.1f} {top + 18:g}h{drawn}v{_BAR}h-{drawn}z"
            marks.append(path(kind if strong else f"{kind} half", shape))
            if width >= 18:
                marks.append(text(x + width / 2, top + 47, number_text(_share(line), 0), "q m"))
            x += width
    return marks


def _answers_told(waves: Mapping[str, str], last: Sequence[Line]) -> str:
    if not last:
        return "Aucune vague n'a de réponses publiées."
    offered = [f"{one['libelle']} : {opinion_figure(one, bare=True)}" for one in last if one["sens"] != _APART]
    apart = [f"{one['libelle']} : {opinion_figure(one, bare=True)}" for one in last if one["sens"] == _APART]
    of_all = f" ; de toutes les réponses, {' ; '.join(apart)}" if apart else ""
    return sentence(f"{waves[last[0]['vague']]} : {' ; '.join(offered)}{of_all}")


def slopes(title: str, waves: Mapping[str, str], lines: Sequence[Line], breaks: Sequence[WaveBreak]) -> Chart:
    """Draw a figure wave by wave, joined where the two compare, with its interval; a break is a gap with its reason."""
    valued = [line for line in lines if line["valeur"] is not None]
    heights = Heights(_round_values(valued), BOTTOM, TOP)
    names = [line["vague"] for line in lines]
    step = (RIGHT - 40) / max(len(names), 1)
    at = {wave: round(34 + step * (rank + 0.5), 1) for rank, wave in enumerate(names)}
    marks = [heights.grid(30, RIGHT, [decimal(tick, 4) for tick in heights.ticks])]
    for line in valued:
        if line["borne_basse"] is not None:
            low, high = heights.y(line["borne_basse"]), heights.y(line["borne_haute"])
            marks.append(path("whisker", f"M{at[line['vague']]:g} {low:g}V{high:g}"))
    points = [(at[line["vague"]], heights.y(line["valeur"])) for line in valued]
    broken = {each.wave for each in breaks}
    for (one, (x, y)), (other, (next_x, next_y)) in pairwise(zip(valued, points, strict=True)):
        if other["vague_comparee"] == one["vague"]:
            marks.append(path("line", f"M{x:g} {y:g}L{next_x:g} {next_y:g}"))
        elif other["vague"] in broken:
            middle = (x + next_x) / 2
            marks += [path("cut", f"M{middle:.1f} {TOP}V{BOTTOM}"), text(middle, TOP - 4, "rupture", "q m")]
    for line, (x, y) in zip(valued, points, strict=True):
        marks += [dot(x, y, 4), text(x - 7, y - 5, opinion_figure(line, bare=True), "v e")]
    room = int(step / 5.6)
    marks += [text(at[wave], BOTTOM + 15, shortened(waves[wave], room), "q m") for wave in names]
    rows = tuple(_row(waves[line["vague"]], line, change_text(line, waves)) for line in lines)
    table = Table(title, ("Vague", "Valeur", "Base", "Statut", "Comparaison"), rows)
    return Chart(picture("Courbe", WIDTH, BOTTOM + 22, marks), _waves_told(waves, lines, breaks), table)


def _round_values(lines: Sequence[Line]) -> list[float]:
    """Return round values that hold every value and bound of rows between them."""
    names = ("valeur", "borne_basse", "borne_haute")
    bounds = [line[name] for line in lines for name in names if line[name] is not None]
    return ticks(min(bounds), max(bounds)) if bounds else [0.0, 1.0]


def _waves_told(waves: Mapping[str, str], lines: Sequence[Line], breaks: Sequence[WaveBreak]) -> str:
    if not lines:
        return "Aucune vague n'a de valeur publiée."
    last = lines[-1]
    last_value = (
        f"{last['libelle']} : {opinion_figure(last)} ({_lower(waves[last['vague']])}) ; {change_text(last, waves)}"
    )
    drawn = [line["vague"] for line in lines]
    cut = [f"rupture en {_lower(waves[one.wave])} ({one.why})" for one in breaks if one.wave in drawn[1:]]
    return sentence("".join([last_value, *(f" ; {one}" for one in cut)]))


def group_dots(title: str, lines: Sequence[Line], whole: Line) -> Chart:
    """Draw the groups of a cut as dots with their interval, everybody (``whole``) as a dashed line.

    A group that surely differs from the rest of the cut says so; one without a value says its status.
    """
    rows = [_row(line["groupe_libelle"], line, rest_text(line), letters_text(line, lines)) for line in lines]
    headers = ("Groupe", "Valeur", "Base", "Statut", "Par rapport aux autres", "Sûrement au-dessus de")
    drawn = _dots([(line["groupe_libelle"], line) for line in lines], whole)
    return Chart(drawn, _groups_told(lines, whole), Table(title, headers, tuple(rows)))


def several_answers(title: str, waves: Mapping[str, str], lines: Sequence[Line]) -> Chart:
    """Draw the answers of a multiple choice in the last wave: shares that don't add up to 100, so no stacked bar."""
    last = [line for line in lines if line["vague"] == lines[-1]["vague"]]
    drawn = _dots([(line["libelle"], line) for line in last])
    return Chart(drawn, _answers_told(waves, last), _answers_table(title, waves, lines))


def _dots(named: Sequence[tuple[str, Line]], whole: Line | None = None) -> str:
    """Return one line a row: its name, a dot and its interval; a dashed line across at the value of ``whole``."""
    scale = _round_values([*(line for _, line in named), *([whole] if whole else [])])

    def x(value: float) -> float:
        return round(LEFT + 8 + (value - scale[0]) / (scale[-1] - scale[0]) * (RIGHT - LEFT - 16), 1)

    height = _ROW * len(named) + 22
    marks = [text(x(tick), height - 4, decimal(tick, 4), "q m") for tick in scale]
    if whole is not None and whole["valeur"] is not None:
        marks.append(path("ref", f"M{x(whole['valeur']):g} 4V{height - 18}"))
    for rank, (name, line) in enumerate(named):
        y = _ROW * rank + 26
        marks.append(text(LEFT, y - 10, shortened(name, _LABEL)))
        if line["valeur"] is None:
            marks.append(text(RIGHT, y - 10, str(line["statut"]), "q e"))
            continue
        if line["borne_basse"] is not None:
            marks.append(path("whisker", f"M{x(line['borne_basse']):g} {y}H{x(line['borne_haute']):g}"))
        marks.append(dot(x(line["valeur"]), y, 4, "dot" if line["statut"] == FigureStatus.PUBLISHED else "open"))
        marks.append(text(RIGHT, y - 10, opinion_figure(line, bare=True), "v e"))
    return picture("Points", WIDTH, height, marks)


def rest_text(line: Line) -> str:
    """Say how a group compares with the rest of its cut."""
    if line["ecart_reste"] is None:
        return "non comparé"
    if not line["reste_significatif"]:
        return "pas d'écart établi"
    gap = round(line["ecart_reste"], 1)
    side = "au-dessus" if line["ecart_reste"] > 0 else "au-dessous"
    return f"{side} de {number_text(abs(gap), 1)} {plural(gap, 'point')}"


def letters_text(line: Line, lines: Sequence[Line]) -> str:
    """Name the groups that a group is surely above."""
    if line["statut"] != FigureStatus.PUBLISHED:
        return "non comparé"
    names = {one["lettre"]: one["groupe_libelle"] for one in lines}
    return listed([names[letter] for letter in line["superieur_a"] or "" if letter in names]) or "aucun"


def _groups_told(lines: Sequence[Line], whole: Line) -> str:
    apart = [one for one in lines if one["reste_significatif"]]
    groups = [f"{one['groupe_libelle']} ({opinion_figure(one, bare=True)}, {rest_text(one)})" for one in apart]
    start = f"Ensemble : {opinion_figure(whole, bare=True)}"
    if all(one["ecart_reste"] is None for one in lines):
        return sentence(f"{start} ; aucun groupe n'a pu être comparé aux autres")
    if not groups:
        return sentence(f"{start} ; aucun groupe ne s'écarte des autres de façon établie")
    return sentence(f"{start} ; s'{'écartent' if len(groups) > 1 else 'écarte'} des autres : {listed(groups)}")
