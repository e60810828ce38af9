"""Answers of a wave → sums by question, measure, cut and group, and the figures that ``compute`` makes of them.

A measure is the share of an answer, or an indicator of the question: points given to codes. Everything is made of the
sums of weights by group and code, so that a question is counted once, whatever is published of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.barometers.microdata import NONE, Answers
from pipelines.compute.intervals import Floats, kish
from pipelines.compute.observed_results import estimate
from pipelines.declarations.barometer import Barometer, BarometerIndicator, Question, Wave
from pipelines.declarations.estimators import NetSatisfaction, Score, Share
from pipelines.declarations.estimators.opinions import Points

Flags = NDArray[np.bool_]

ALL = "ensemble"  # the cut and the group of everybody
ROW = ["question", "mesure", "modalite", "coupe"]  # the figures of these, one a group, stand beside one another
SUMS = ["n", "sw", "sw2", "swx", "swx2"]
FIGURES = ["valeur", "borne_basse", "borne_haute", "base_efficace", "erreur_type"]
# Only the kind of an estimator matters here: its interval, its unit. What an answer is worth is in the measure.
_KINDS: dict[str, Share | NetSatisfaction | Score] = {
    "share": Share(name="share", favourable=("oui",), among=("oui", "non")),
    "net": NetSatisfaction(name="net_satisfaction", satisfied=("oui",), dissatisfied=("non",)),
    "mean": Score(name="score", points=(Points(answer="oui", points=1), Points(answer="non", points=0))),
}
_SENSES = {"positive": "favorable", "neutral": "neutre", "negative": "défavorable"}
ASIDE = "mise à part"  # an answer that was not offered
UNITS = {"share": "%", "net": "points", "mean": "note"}


@dataclass(frozen=True)
class Measure:
    """What is made of the answers: ``worth``, by rank of code, NaN out of the base."""

    kind: Literal["reponse", "indicateur"]
    code: str
    label: str
    sense: str | None
    estimator: Literal["share", "net", "mean"]
    worth: Floats


@dataclass(frozen=True)
class Nest:
    """Two cuts: each group of ``fine`` is a part of one of ``coarse``, that of ``parents``."""

    fine: str
    coarse: str
    parents: dict[str, str]


def crosstabs(barometer: Barometer, wave: Wave, answers: Answers) -> pd.DataFrame:
    """Return one line per question, measure, cut and group of a wave: SUMS, those of the rest of the sample, figures.

    ``*_reste``: the sums of the people of the cut who aren't in the group; 0 for everybody.
    """
    groups = _Groups(barometer, answers)
    frames: list[pd.DataFrame] = []
    for question in barometer.questions:
        if question.wording(wave.id):
            frames += _question(barometer, question, answers, groups)
    return _with_figures(pd.concat(frames, ignore_index=True)) if frames else pd.DataFrame()


class _Groups:
    """The groups of all cuts, one after the other: everybody first."""

    def __init__(self, barometer: Barometer, answers: Answers) -> None:
        everybody = np.zeros(len(answers.weights), dtype=np.int64)
        self.members: list[tuple[NDArray[np.int64], int]] = [(everybody, 1)]
        self.names = [(ALL, "Ensemble", ALL, "Ensemble")]
        for cut in barometer.cuts:
            ranks = answers.ranks[cut.column].astype(np.int64)
            self.members.append((ranks, len(cut.groups)))
            self.names += [(cut.id, cut.title, group.code, group.label) for group in cut.groups]
        self.cut_of = np.repeat(np.arange(len(self.members)), [size for _, size in self.members])

    def sums(self, ranks: NDArray[np.int64], codes: int, weights: Floats) -> list[Floats]:
        """Return rows, weights and squared weights by group (of all cuts) and code; a rank of NONE counts nowhere."""
        return [self._counted(ranks, codes, each) for each in (np.ones_like(weights), weights, weights**2)]

    def _counted(self, ranks: NDArray[np.int64], codes: int, values: Floats) -> Floats:
        blocks = []
        for members, size in self.members:
            held = (ranks != NONE) & (members != NONE)
            at = members[held] * codes + ranks[held]
            blocks.append(np.bincount(at, values[held], size * codes).reshape(size, codes))
        return np.vstack(blocks)

    def rest(self, sums: Floats) -> Floats:
        """Return, group by group, the sums of the others of its cut."""
        totals = np.zeros((len(self.members), sums.shape[1]))
        np.add.at(totals, self.cut_of, sums)
        return np.asarray(np.maximum(totals[self.cut_of] - sums, 0.0))


def _question(barometer: Barometer, question: Question, answers: Answers, groups: _Groups) -> Iterator[pd.DataFrame]:
    asked = who_is_asked(barometer, question, answers)
    if question.multiple:
        yield from _multiple(question, answers, asked, groups)
        return
    for identifier, _, column in question.asked:
        ranks = np.where(asked, answers.ranks[column], NONE).astype(np.int64)
        measures = [*_shares(question), *_indicators(barometer, question)]
        yield _frame(identifier, groups, groups.sums(ranks, len(question.codes), answers.weights), measures)


def who_is_asked(barometer: Barometer, question: Question, answers: Answers) -> Flags:
    """Return the rows to which a question is put: by its filter, and by its split ballot."""
    asked: Flags = np.ones(len(answers.weights), dtype=bool)
    if question.ballot:
        asked &= answers.ranks[question.ballot.column] == question.ballot.values.index(question.ballot.value)
    if question.filter and (other := barometer.question(question.filter.question)):
        ranks = [other.codes.index(code) for code in question.filter.answers]
        asked &= np.isin(answers.ranks[str(other.column)], ranks) & who_is_asked(barometer, other, answers)
    return asked


def chosen(question: Question, answers: Answers) -> tuple[Flags, Flags, Flags]:
    """Return, of a multiple choice, what each row chose (rows × codes), who answered, and who chose too many."""
    columns = [answers.ranks[question.column_of(code)] for code in question.codes]
    picked: Flags = np.stack([ranks == 0 for ranks in columns], axis=1)  # CHOSEN is the first of the two codes
    answered: Flags = np.asarray(np.stack([ranks != NONE for ranks in columns], axis=1).any(axis=1))
    offered = picked[:, : len(question.modalities)].sum(axis=1)
    most = question.multiple.max if question.multiple and question.multiple.max else len(columns)
    return picked, answered, np.asarray(offered > most)


def expressed(question: Question, picked: Flags) -> Flags:
    """Return who chose among what was offered, or none of it: all but those who chose only what was not offered."""
    offered = len(question.modalities)
    return np.asarray(picked[:, :offered].any(axis=1) | ~picked[:, offered:].any(axis=1))


def nested_cuts(barometer: Barometer, answers: Answers) -> list[Nest]:
    """Return the pairs of cuts of which one splits the groups of the other, as the answers show it."""
    nests = []
    for fine in barometer.cuts:
        for coarse in barometer.cuts:
            pairs = np.unique(np.column_stack([answers.ranks[fine.column], answers.ranks[coarse.column]]), axis=0)
            pairs = pairs[(pairs != NONE).all(axis=1)]
            if fine is not coarse and len(pairs) == len(np.unique(pairs[:, 0])) and len(pairs):
                parents = {fine.groups[a].code: coarse.groups[b].code for a, b in pairs}
                nests.append(Nest(fine.id, coarse.id, parents))
    return nests


def _multiple(question: Question, answers: Answers, asked: Flags, groups: _Groups) -> Iterator[pd.DataFrame]:
    picked, answered, too_many = chosen(question, answers)
    valid = asked & answered & ~too_many
    inside = valid & expressed(question, picked)
    for rank, modality in enumerate((*question.modalities, *question.set_aside)):
        offered = rank < len(question.modalities)
        base = inside if offered and question.nonresponse == "exclude" else valid
        ranks = np.where(base, np.where(picked[:, rank], 0, 1), NONE).astype(np.int64)
        sense = None if offered else ASIDE
        measure = Measure("reponse", modality.code, modality.label, sense, "share", np.array([100.0, 0.0]))
        yield _frame(question.id, groups, groups.sums(ranks, 2, answers.weights), [measure])


def _shares(question: Question) -> Iterator[Measure]:
    """Yield the share of each answer; what is set aside is a part of all answers, itself included."""
    offered, codes = len(question.modalities), len(question.codes)
    for rank, modality in enumerate((*question.modalities, *question.set_aside)):
        worth = np.where(np.arange(codes) == rank, 100.0, 0.0)
        if rank < offered and question.nonresponse == "exclude":
            worth[offered:] = np.nan
        sense = _SENSES.get(getattr(modality, "polarity", "")) if rank < offered else ASIDE
        yield Measure("reponse", modality.code, modality.label, sense, "share", worth)


def _indicators(barometer: Barometer, question: Question) -> Iterator[Measure]:
    for indicator in barometer.indicators:
        if indicator.question == question.id:
            worth = np.full(len(question.codes), np.nan)
            worth[: len(question.modalities)] = list(_points(indicator, question))
            if (indicator.nonresponse or question.nonresponse) == "include" and indicator.measure == "share":
                worth[len(question.modalities) :] = 0.0
            yield Measure("indicateur", indicator.id, indicator.title, None, indicator.measure, worth)


def _points(indicator: BarometerIndicator, question: Question) -> Iterator[float]:
    for answer in question.scale or question.answers:
        polarity = getattr(answer, "polarity", None)
        if indicator.measure == "mean":
            yield float(getattr(answer, "points", None) or 0.0)
        elif indicator.measure == "net":
            yield {"positive": 100.0, "negative": -100.0}.get(str(polarity), 0.0)
        else:
            counted = answer.code in indicator.answers if indicator.answers else polarity == "positive"
            yield 100.0 if counted else 0.0


def _frame(question: str, groups: _Groups, sums: Sequence[Floats], measures: Sequence[Measure]) -> pd.DataFrame:
    columns: dict[str, list[Floats]] = {f"{name}{suffix}": [] for suffix in ("", "_reste") for name in SUMS}
    rest = [groups.rest(each) for each in sums]
    for measure in measures:
        inside = ~np.isnan(measure.worth)
        worth = np.where(inside, measure.worth, 0.0)
        for suffix, (n, sw, sw2) in (("", sums), ("_reste", rest)):
            values = (n @ inside, sw @ inside, sw2 @ inside, sw @ worth, sw @ worth**2)
            for name, value in zip(SUMS, values, strict=True):
                columns[f"{name}{suffix}"].append(value)
    described = [(one.kind, one.code, one.label, one.sense, one.estimator) for one in measures]
    names = ["mesure", "modalite", "libelle", "sens", "estimateur"]
    lines = pd.DataFrame(described, columns=names, dtype="object")
    lines = lines.merge(
        pd.DataFrame(groups.names, columns=["coupe", "coupe_titre", "groupe", "groupe_libelle"]), "cross"
    )
    lines.insert(0, "question", question)
    return lines.assign(**{name: np.concatenate(values) for name, values in columns.items()})


def _with_figures(lines: pd.DataFrame) -> pd.DataFrame:
    """Add FIGURES, of the group and (``*_reste``) of the rest of its cut."""
    lines["unite"] = lines["estimateur"].map(UNITS)
    for suffix in ("", "_reste"):
        sums = lines[[f"{name}{suffix}" for name in SUMS]].set_axis(SUMS, axis=1)
        figures = _figures(lines["estimateur"], sums)
        lines[[f"{name}{suffix}" for name in FIGURES]] = figures[FIGURES]
    return lines


def _figures(kinds: pd.Series[str], sums: pd.DataFrame) -> pd.DataFrame:
    figures = pd.DataFrame(np.nan, index=sums.index, columns=FIGURES)
    for kind, estimator in _KINDS.items():
        lines = sums[kinds == kind]
        estimates = estimate(lines.assign(saa=0.0, sab=0.0, base=lines["n"]), estimator, weighted=True)
        figures.loc[lines.index, FIGURES[:3]] = estimates[FIGURES[:3]].to_numpy()
    sw = sums["sw"].to_numpy()
    size = np.where(sw > 0, kish(sw, sums["sw2"].to_numpy()), np.nan)
    mean, squares = (sums[name].to_numpy() / np.where(sw > 0, sw, 1.0) for name in ("swx", "swx2"))
    below = np.where(kinds == "mean", size - 1, size)  # as ``intervals.normal`` does for means
    error = np.sqrt(np.maximum(squares - mean**2, 0.0) / np.where(below > 0, below, np.nan))
    return figures.assign(base_efficace=size, erreur_type=error)
