"""Tests of all months → episodes: a signal from the month when it was first seen to the last, and its state."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipelines.declarations.statuses import SignalState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from pipelines.declarations.references import SignalNote

CARD = ["network", "service", "office", "theme", "feeling", "term", "indicator"]  # what makes one signal
CELL = [*CARD, "territory"]  # what a test is of: a cluster of départements moves from one month to the next
_SERIES = ["network", "office", "indicator"]
QUIET = 1  # periods without any signal that don't end an episode
PERIODS_TO_CONFIRM = 2


@dataclass(frozen=True)
class Episode:
    """A signal: its place (see CARD), the months when it was seen, and the tests that saw it, oldest first.

    ``mark``: what tells it from another whose name would be the same.
    """

    place: Mapping[str, str]
    months: tuple[str, ...]
    lines: tuple[Mapping[Any, Any], ...]
    fallen: bool
    mark: str = ""

    @property
    def name(self) -> str:
        """The identifier of the signal, which later months don't change."""
        parts = [f"mot-{self.place[name]}" if name == "term" else self.place[name] for name in CARD if self.place[name]]
        words = dict.fromkeys(slug(part) for part in (*parts, self.mark))  # a service of its network's name: once
        return f"{'-'.join(filter(None, words))}-{self.months[0]}"

    @property
    def shown(self) -> Mapping[Any, Any]:
        """The test whose figures are told: of the last month, of the whole service if any, the most surprising."""
        last = [line for line in self.lines if line["month"] == self.months[-1]]
        return min(last, key=lambda line: (line["territory"] != "", line["q_value"], line["detector"]))

    @property
    def territory(self) -> str:
        """The départements where it is the most, as they were last told; empty when no test told any."""
        return next((str(line["territory"]) for line in self.lines[::-1] if line["territory"]), "")

    @property
    def since(self) -> str:
        """The month when what is told began, as the first test dated it."""
        return str(min((line["since"] for line in self.lines if line["since"]), default=self.months[0]))[:7]

    @property
    def detectors(self) -> list[str]:
        """Who saw it, the one whose figures are told first."""
        return list(dict.fromkeys([self.shown["detector"], *sorted({line["detector"] for line in self.lines})]))

    def state(self, notes: Sequence[SignalNote]) -> SignalState:
        """Return the state, with what people wrote of it; the latest note counts."""
        said = max(notes, key=lambda note: note.date).status if notes else None
        if said == "explained":
            return SignalState.EXPLAINED
        if self.fallen:
            return SignalState.FALLEN
        confirmed = said or len(self.months) >= PERIODS_TO_CONFIRM
        return SignalState.CONFIRMED if confirmed else SignalState.TO_CONFIRM


def episodes(tests: pd.DataFrame, ledger: pd.DataFrame) -> Iterator[Episode]:
    """Yield the episodes of every place, in the order of their names.

    A word has one signal, of all feelings together: beside those of each feeling, it would tell the others.
    ``ledger`` says in which months each detector looked: a month in which it didn't is no sign that a signal is over.
    An indicator of an office is looked at where it has a test of its own: not every month when it is of quarters.
    """
    looked = {name: sorted(set(held["month"])) for name, held in ledger.groupby("detector")}
    seen = tests[tests["signal"].astype(bool) & ((tests["term"] == "") | (tests["feeling"] == ""))]
    of_indicators = _indicator_months(tests, seen)
    found = []
    for place, held in seen.groupby(CARD, sort=False):
        months, first = sorted(set(held["month"])), held.iloc[0]
        others = (month for name in set(held["detector"]) for month in looked.get(name, ()))
        periods = sorted({*months, *(of_indicators[tuple(first[_SERIES])] if first["indicator"] else others)})
        for run in _runs(months, periods):
            lines = tuple(held[held["month"].isin(run)].sort_values(["month", "detector"]).to_dict("records"))
            named = dict(zip(CARD, map(str, place), strict=True))
            found.append(Episode(named, tuple(run), lines, fallen=periods[-1] > run[-1]))
    names = Counter(episode.name for episode in found)
    marked = [replace(one, mark=_mark(one)) if names[one.name] > 1 else one for one in found]
    yield from sorted(marked, key=lambda episode: episode.name)


def _mark(one: Episode) -> str:
    return hashlib.sha256("\n".join(one.place[name] for name in CARD).encode()).hexdigest()[:6]


def _indicator_months(tests: pd.DataFrame, seen: pd.DataFrame) -> dict[Any, set[str]]:
    """Return the months in which each indicator of an office that gave a signal was tested."""
    mine = (
        (tests["indicator"] != "") & tests["office"].isin(seen["office"]) & tests["indicator"].isin(seen["indicator"])
    )
    return {series: set(months) for series, months in tests[mine].groupby(_SERIES)["month"]}


def _runs(months: Sequence[str], periods: Sequence[str]) -> list[list[str]]:
    """Cut the months of a place where it was looked at and nothing seen more than QUIET times."""
    rank = {month: place for place, month in enumerate(periods)}
    runs = [[months[0]]]
    for before, month in pairwise(months):
        if rank[month] - rank[before] > QUIET + 1:
            runs.append([])
        runs[-1].append(month)
    return runs


def slug(text: str) -> str:
    """Return a text in small letters without accents, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe")).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))
