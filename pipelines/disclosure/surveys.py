"""From rows of ``resultats`` to series of figures: which questions share a pattern, which places and periods add up.

Names end here: what is hidden of a series is decided on arrays, in ``pattern``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.declarations import Catalogue, Indicator, Level
from pipelines.declarations.periods import FRENCH, MONTHS_PER_PERIOD, last_day
from pipelines.declarations.references import Geography
from pipelines.declarations.strict_model import LEVELS
from pipelines.disclosure.row_keys import codes_of, compacted, distinct, network_year, row_numbers
from pipelines.disclosure.rules import Rule, additive, counted, rules, shared_rules, survey_names
from pipelines.disclosure.series import EPSILON, Flags, Layer, Numbers, Places, Series, Slot, Split, Tree

Place = tuple[str, str, str]

PLACE = ["maille", "territoire_code", "structure_code"]
KEY = ["reseau", "indicateur", "periode", *PLACE]
YEAR = ["reseau", "annee"]
FREE, HIDDEN = "F", "C"  # SDMX CONF_STATUS: one status for all that is hidden, else the base of some could be guessed
_FIGURES = ["valeur", "effectif", "effectif_pondere", "numerateur", "denominateur"]
FEWER = 0.75  # a question that fewer of the people answered has a pattern of its own, not to hide the others with it
_TOLD = ["montree", "cachee"]
_MONTHS = {FRENCH[frequency]: months for frequency, months in MONTHS_PER_PERIOD.items()}
_TOGETHER = {1: 3, 3: 6, 6: 12}  # months of a period, and of the periods that are hidden with it


@dataclass(frozen=True)
class Question:
    """An indicator: its ``base``, the ``parts`` that its numerator makes of it, which of its cells are too small.

    All are places × columns. ``count``: the rule is one of persons, else of enterprises.
    """

    rule: Rule
    additive: bool
    base: Numbers
    parts: tuple[Numbers, ...]
    span: float
    small: Flags

    @cached_property
    def people(self) -> float:
        """How many people answered, over all cells: what orders the questions of a survey."""
        return float(self.base.sum())


class Rows(NamedTuple):
    """Rows of results, by column: ``row`` is the position there; ``montree``, ``cachee``: what earlier releases did."""

    row: Places
    question: Places
    place: Places
    column: Places
    montree: Flags
    cachee: Flags

    def at(self, which: Flags | Places) -> Rows:
        """Return some of them."""
        row, question, place, column = (one[which] for one in (self.row, self.question, self.place, self.column))
        return Rows(row, question, place, column, self.montree[which], self.cachee[which])

    def of(self, questions: Sequence[int]) -> Rows:
        """Return those of some questions."""
        return self.at(np.isin(self.question, questions))


@dataclass(frozen=True)
class Pattern:
    """A series and the numbers of the questions it hides, each with its layer.

    ``wider``, ``widest``: the patterns (their numbers) of questions that more people answered: the nearest, the first.
    """

    series: Series
    questions: tuple[int, ...]
    layers: tuple[int, ...]
    wider: int | None = None
    widest: int | None = None

    def beside(self, hidden: Sequence[Flags]) -> Pattern:
        """Return the pattern that hides too what is ``hidden`` of the patterns before it: of more people."""
        if self.wider is None or self.widest is None:
            return self
        return replace(self, series=self.series.beside(hidden[self.wider], hidden[self.widest]))


@dataclass(frozen=True)
class Survey:
    """The questions of a network and year whose exports have rows in common.

    ``columns``: ``frequence``, ``periode``, first and last month, coarsest first.
    """

    network: str
    year: int
    questions: tuple[Question, ...]
    rows: Rows
    columns: pd.DataFrame
    parent: Places
    slots: dict[bool, tuple[Slot, ...]]

    def patterns(self) -> list[Pattern]:
        """Return the patterns, those of most people first: a question asked of fewer is hidden where others are."""
        patterns_so_far: list[Pattern] = []
        for numbers in self._groups():
            wider = [
                n for n, pattern in enumerate(patterns_so_far) if self._same_kind(pattern.questions[0], numbers[0])
            ]
            series, layers = self._series(numbers, patterns_so_far, wider)
            nearest, widest = (wider[-1], wider[0]) if wider else (None, None)
            patterns_so_far.append(Pattern(series, numbers, layers, nearest, widest))
        return patterns_so_far

    def _same_kind(self, one: int, other: int) -> bool:
        first, second = self.questions[one], self.questions[other]
        return first.additive == second.additive and bool(first.rule.minimum) == bool(second.rule.minimum)

    def _groups(self) -> list[tuple[int, ...]]:
        """Return the questions of each pattern: those of one kind that about as many people answered."""
        order = sorted(range(len(self.questions)), key=lambda n: (-self.questions[n].people, n))
        groups: list[list[int]] = []
        for number in order:
            question = self.questions[number]
            if question.people <= EPSILON and not question.small.any():
                continue
            for group in groups:
                enough = question.people >= FEWER * self.questions[group[0]].people or question.rule.margin > 0
                if self._same_kind(group[0], number) and enough:
                    group.append(number)
                    break
            else:
                groups.append([number])
        return [tuple(group) for group in groups]

    def _series(
        self, numbers: tuple[int, ...], before: list[Pattern], wider: list[int]
    ) -> tuple[Series, tuple[int, ...]]:
        questions = [self.questions[number] for number in numbers]
        minimum = max(question.rule.minimum for question in questions)
        layers: list[Layer] = []
        splits: list[Split] = []
        places: list[int] = []
        for question in questions:
            layer = Layer(question.base, minimum, question.rule.margin if not minimum else 0.0)
            at = next((n for n, one in enumerate(layers) if np.array_equal(one.base, layer.base)), len(layers))
            if at == len(layers):
                layers.append(layer)
            places.append(at)
            if question.parts and not any(_alike(question.parts, split.parts) for split in splits):
                splits.append(Split(at, question.parts, question.span))
        for number in wider:
            rest = before[number].series.layers[0].base[: len(self.parent)] - layers[0].base
            if rest.min(initial=0.0) > -EPSILON and minimum:
                layers.append(Layer(np.maximum(rest, 0.0), minimum, complement=True))
        chosen = self.rows.of(numbers)
        small = np.any([question.small for question in questions], axis=0)
        slots = self.slots[questions[0].additive]
        series = Series(
            Tree.of(self.parent),
            slots,
            tuple(layers),
            tuple(sorted(splits, key=lambda one: one.layer)),
            small,
            self._flags(chosen.at(chosen.montree)),
            self._held(chosen.at(chosen.cachee), slots),
            np.zeros(len(self.parent), dtype=bool),
        )
        return _with_unnamed(series), tuple(places)

    def _flags(self, rows: Rows) -> Flags:
        flags = np.zeros((len(self.parent), len(self.columns)), dtype=bool)
        flags[rows.place, rows.column] = True
        return flags

    def _held(self, rows: Rows, slots: tuple[Slot, ...]) -> Flags:
        cells = self._flags(rows)
        return np.stack([cells[:, slot.columns].any(axis=1) for slot in slots], axis=1)


def _alike(one: tuple[Numbers, ...], other: tuple[Numbers, ...]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _with_unnamed(series: Series) -> Series:
    """Add the places that no row names: people of a place who are in none of the places below it."""
    tree, base = series.tree, series.layers[0].base
    gap = base - tree.sums(base)
    above = tree.any(np.ones(series.places, dtype=bool))
    owners = np.flatnonzero(above & (gap > EPSILON * (1 + np.abs(base))).any(axis=1))
    if not len(owners):
        return series

    def more(values: Numbers) -> Numbers:
        rest = np.maximum((values - tree.sums(values))[owners], 0.0)
        return np.concatenate([values, np.where(gap[owners] > EPSILON, rest, 0.0)])

    def blank(flags: Flags) -> Flags:
        return np.concatenate([flags, np.zeros((len(owners), flags.shape[1]), dtype=bool)])

    return replace(
        series,
        tree=Tree.of(np.concatenate([tree.parent, owners])),
        layers=tuple(replace(layer, base=more(layer.base)) for layer in series.layers),
        splits=tuple(replace(split, parts=tuple(map(more, split.parts))) for split in series.splits),
        small=blank(series.small),
        known=blank(series.known),
        held=blank(series.held),
        unnamed=np.append(np.zeros(series.places, dtype=bool), np.ones(len(owners), dtype=bool)),
    )


def surveys(results: pd.DataFrame, catalogue: Catalogue) -> Iterator[Survey]:
    """Give the surveys of a network and year whose figures are under secrecy.

    ``results``: rows of ``resultats`` with all their figures; ``statut_confidentialite`` is C where the rule hides a
    row by itself; ``montree``, ``cachee`` (facultative): what earlier releases did with the row.
    """
    if results.empty:
        return
    network, year = network_year(results)
    ruled = rules(catalogue, network)
    (asked,), names = codes_of([results], "indicateur")
    named = survey_names(((network, name) for name in names), catalogue, ruled)
    ruled = shared_rules(ruled, catalogue)
    secret = np.flatnonzero(np.array([(network, name) in named for name in names])[asked])
    read = [*PLACE, "frequence", "periode", "statut_confidentialite", *_FIGURES, *_TOLD]
    part = results[[name for name in read if name in results]].take(secret)
    (place, places), (periods, column) = places_of(part), periods_of(part)
    flags = [part[name].to_numpy(dtype=bool) if name in part else np.zeros(len(part), dtype=bool) for name in _TOLD]
    rows = Rows(secret, asked[secret], place, column, flags[0], flags[1])
    figures: dict[str, NDArray[Any]] = {name: part[name].to_numpy(dtype=float) for name in _FIGURES}
    figures["petite"] = part["statut_confidentialite"].ne(FREE).to_numpy()
    for survey in sorted(set(named.values())):
        mine = np.isin(rows.question, [n for n, name in enumerate(names) if named.get((network, name)) == survey])
        own = {name: values[mine] for name, values in figures.items()}
        yield _survey(network, year, rows.at(mine), own, periods, places, names, catalogue, ruled)


def places_of(rows: pd.DataFrame) -> tuple[Places, list[Place]]:
    """Return the number of each row's place, and the places sorted by name: level, territory, office."""
    named = [codes_of([rows], name) for name in PLACE]
    numbers = np.zeros(len(rows), dtype=np.int64)  # in the order of the names
    for codes, names in named:
        numbers = numbers * len(names) + codes[0]
    first, at = distinct(numbers)
    texts = ([names[code] for code in codes[0][first]] for codes, names in named)
    return at, list(zip(*texts, strict=True))


def _survey(
    network: str,
    year: int,
    rows: Rows,
    figures: Mapping[str, NDArray[Any]],
    periods: pd.DataFrame,
    everywhere: list[Place],
    names: list[str],
    catalogue: Catalogue,
    ruled: dict[tuple[str, str], Rule],
) -> Survey:
    used, place = compacted(rows.place, len(everywhere))
    places = [everywhere[number] for number in used]
    periods_used, column = compacted(rows.column, len(periods))
    columns = periods.iloc[periods_used].reset_index(drop=True)
    asked, question = compacted(rows.question, len(names))
    placed = rows._replace(question=question, place=place, column=column)
    shape = (len(places), len(columns))
    questions = []
    for number, code in enumerate(asked):
        mine = placed.of([number])
        own = {name: values[question == number] for name, values in figures.items()}
        questions.append(_question(own, mine, catalogue, names[code], ruled[network, names[code]], shape))
    spans = tuple(zip(columns["first"].tolist(), columns["last"].tolist(), strict=True))
    slots = {True: _slots(spans), False: (Slot(np.arange(len(columns))),)}
    return Survey(network, year, tuple(questions), placed, columns, parents_of(places, year, catalogue), slots)


def periods_of(rows: pd.DataFrame) -> tuple[pd.DataFrame, Places]:
    """Return the periods there are, coarsest first, with first and last months (0 … 11), and the number of each row's.

    ``rows``: ``frequence``, ``periode``.
    """
    (numbers,) = row_numbers(["frequence", "periode"], rows)
    first, at = distinct(numbers)
    periods = rows[["frequence", "periode"]].iloc[first].reset_index(drop=True)
    months = np.array([_MONTHS[name] for name in periods["frequence"]])
    last = np.array([last_day(period).month for period in periods["periode"]])
    order = np.lexsort((periods["periode"].to_numpy(dtype=object), -months))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    periods = periods.assign(months=months, first=last - months, last=last)
    return periods.iloc[order].reset_index(drop=True), rank[at]


@cache  # years have the same periods
def _slots(spans: tuple[tuple[int, int], ...]) -> tuple[Slot, ...]:
    """Return the periods that are hidden together: at least two of those that a coarser published period adds up.

    ``spans``: the first month of each, and the last, coarsest periods first.
    """
    slots: list[Slot] = []
    owner: dict[int, int] = {}
    firsts = np.array([first for first, _ in spans])
    sizes = [last - first for first, last in spans]
    for months in sorted(set(sizes), reverse=True):
        total = {
            at: max(
                (
                    wide
                    for wide, (begins, ends) in enumerate(spans)
                    if sizes[wide] > months and begins <= first and last <= ends
                ),
                default=-1,
            )
            for at, (first, last) in enumerate(spans)
            if sizes[at] == months
        }
        for whole in sorted(set(total.values())):
            inside = np.array([at for at, above in total.items() if above == whole])
            if len(inside) == 1 and whole >= 0:  # the only period observed: the figure of the coarser one, told twice
                slot = owner[whole]
                slots[slot] = replace(slots[slot], columns=np.append(slots[slot].columns, inside))
                owner[int(inside[0])] = slot
                continue
            for group in _grouped(inside, firsts[inside] // _TOGETHER.get(months, 12)):
                slots.append(Slot(group, owner[whole] if whole >= 0 else -1, whole))
                owner |= dict.fromkeys(group.tolist(), len(slots) - 1)
    return tuple(slots)


def _grouped(columns: NDArray[np.int64], together: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the columns by the period they are hidden with; one alone joins its neighbours."""
    groups: list[NDArray[np.int64]] = []
    for one in np.unique(together):
        group = columns[together == one]
        if groups and (len(group) < 2 or len(groups[-1]) < 2):
            groups[-1] = np.concatenate([groups[-1], group])
        else:
            groups.append(group)
    return groups


def parents_of(places: Sequence[Place], year: int, catalogue: Catalogue) -> Places:
    """Return, per place, the nearest wider place that is published; -1 for none."""
    geography = Geography(catalogue.territories.of_year(year))
    at = {(level, code): number for number, (level, code, _) in enumerate(places) if level != "site"}
    nearest = np.full(len(places), -1, dtype=np.int64)
    for number, (level, code, _) in enumerate(places):
        for wider in LEVELS[LEVELS.index(level) + 1 :]:
            above = at.get((wider, geography.parent(wider, code or None, cast("Level", level)) or ""), -1)
            if above >= 0:
                nearest[number] = above
                break
    return nearest


def _question(
    figures: Mapping[str, NDArray[Any]], rows: Rows, catalogue: Catalogue, name: str, rule: Rule, shape: tuple[int, int]
) -> Question:
    indicator = catalogue.indicators[name]

    def spread(values: NDArray[Any]) -> NDArray[Any]:
        cells = np.zeros(shape, dtype=values.dtype)
        cells[rows.place, rows.column] = np.nan_to_num(values)
        return cells

    whole = np.abs(spread(counted(figures, indicator)))
    parts, span = _parts(figures, indicator)
    spreads = tuple(spread(part) for part in parts)
    if spreads and not np.allclose(sum(spreads), span * whole, rtol=1e-6, atol=EPSILON):
        spreads = ()  # some numerators are published nowhere (too few answers to be reliable): they add up to nothing
    return Question(rule, additive(indicator), whole, spreads, span, spread(figures["petite"]))


def _parts(figures: Mapping[str, NDArray[Any]], indicator: Indicator) -> tuple[list[Numbers], float]:
    """Return the two parts that a published numerator makes of its base, and how much of them one person is.

    Numerators between ``least`` and ``greatest`` times the denominator make two quantities that are never negative:
    numerator - least × denominator, and greatest × denominator - numerator. Both add up as numerators do. A weighted
    value has no published numerator.
    """
    limits, above = indicator.estimator.unit_bounds(indicator.range), figures["numerateur"]
    if limits is False or not np.isnan(figures["effectif_pondere"]).all() or np.isnan(above).all():
        return [], 1.0
    (least, greatest), below = limits, figures["denominateur"]
    if greatest is None:
        return [], 1.0
    return [np.maximum(above - least * below, 0.0), np.maximum(greatest * below - above, 0.0)], greatest - least
