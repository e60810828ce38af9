"""Which accepted rows stand behind a published unit: those that count in it, those in no base, and what it lacks.

Three kinds of indicators, three readings: computed from rows, typed by the network, counted network by network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pandas as pd

from pipelines.compute.units import assign_units
from pipelines.declarations.periods import last_day, period_of, periods_of_year
from pipelines.declarations.strict_model import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.declarations import Frequency, Level, LevelRule
    from pipelines.declarations.references import Geography
    from pipelines.explain.published_row import Key, Row

NOT_FED = ("autre_maille", "condition_non_remplie")  # reasons of rows that say nothing of the indicator


@dataclass(frozen=True)
class ObservedLines:
    """The rows of an indicator computed from rows. ``rows`` have coordinates and ``reason`` (None: in the base)."""

    rows: pd.DataFrame
    finest: Frequency
    published: Frequency
    geography: Geography
    summed: bool

    def counting(self, key: Key) -> pd.DataFrame:
        """Return the rows in the base of a unit."""
        rows = self._rows(key)
        return rows[rows["reason"].isna()]

    def outside(self, key: Key) -> dict[str, int]:
        """Count, by reason, the rows of a unit that are in no base."""
        return {str(name): int(count) for name, count in self._rows(key)["reason"].value_counts().items()}

    def reasons(self, export: str) -> dict[str, int]:
        """Count the rows of an export that are in no base, by reason."""
        found = self.rows.loc[self.rows["_export"] == export, "reason"].value_counts()
        return {str(name): int(count) for name, count in found.items()}

    def missing(self, key: Key) -> list[str]:
        """Name the offices (or départements) and periods that a partial sum lacks."""
        if not self.summed:
            return []
        placed = self._placed(key)
        inside = self.rows.loc[placed.index[_same_place(placed, key)]]
        inside = inside[~inside["reason"].isin(NOT_FED)]
        part = inside["_territoire"].fillna("") + " " + inside["_structure"].fillna("")
        present = inside["reason"].isna()
        there = set(zip(part[present], inside["_periode"][present], strict=True))
        every = periods_of_year(int(key[0][:4]), self.finest)
        periods = [period for period in every if _is_year(key[0]) or period == key[0]]
        lacking = {name: [period for period in periods if (name, period) not in there] for name in sorted(set(part))}
        return [f"{name.strip()} : {', '.join(absent)}" for name, absent in lacking.items() if absent]

    def _rows(self, key: Key) -> pd.DataFrame:
        placed = self._placed(key)
        return self.rows.loc[placed.index[_same_place(placed, key) & (placed["periode"] == key[0])]]

    def _placed(self, key: Key) -> pd.DataFrame:
        frequency: Frequency = "year" if _is_year(key[0]) else self.published
        return assign_units(self.rows.assign(_structure_nom=None), _level(key), frequency, self.geography)


@dataclass(frozen=True)
class TypedLines:
    """The rows of an indicator typed by its network.

    ``rows``: those that feed it, with ``known`` (whether the row gives a value), ``based`` (whether it gives a base)
    and ``absence`` (the declared reason of what it doesn't give). ``values``: each place at its finest periods.
    """

    rows: pd.DataFrame
    values: Mapping[Key, Row]
    levels: Mapping[Level, LevelRule]
    year_method: str
    finest: Frequency
    geography: Geography
    not_applicable: frozenset[str]

    def counting(self, key: Key) -> pd.DataFrame:
        """Return the rows that make the value of a unit."""
        rows = self._parts(key)
        rows = rows[rows["_periode"].isin(self._periods(key))]
        return rows if self.levels[_level(key)].obtained == "declared" else rows[~self._is_idle(rows)]

    def missing(self, key: Key) -> list[str]:
        """Name the periods, or the places, without which a total is not made."""
        values, known = self._of_place(key), self._known(key)
        if self._is_made(key) and known and self.year_method == "sum":
            return [period for period in periods_of_year(int(key[0]), self.finest) if period not in known]
        if self._is_made(key) and known and self.year_method == "weighted_mean":
            return [f"base de {period}" for period in sorted(values) if values[period]["effectif"] is None]
        parts = self._parts(key)
        names = parts["_territoire"].fillna("") + " " + parts["_structure"].fillna("")
        given = parts["known"] & (parts["based"] | (self.levels[_level(key)].obtained != "weighted_mean"))
        settled = set(names[(given | self._is_idle(parts)) & (parts["_periode"] == self._periods(key)[-1])])
        return [name.strip() for name in dict.fromkeys(names) if name not in settled]

    def _is_idle(self, rows: pd.DataFrame) -> pd.Series[bool]:
        """Tell which rows say that they have nothing to give: totals do without them."""
        return rows["absence"].isin(self.not_applicable)

    def _is_made(self, key: Key) -> bool:
        """Whether the unit is a year made of finer periods."""
        return _is_year(key[0]) and self.finest != "year"

    def _of_place(self, key: Key) -> dict[str, Row]:
        return {other[0]: value for other, value in self.values.items() if other[1:] == key[1:]}

    def _known(self, key: Key) -> list[str]:
        return sorted(period for period, value in self._of_place(key).items() if value["valeur"] is not None)

    def _periods(self, key: Key) -> list[str]:
        """Return the finest periods whose rows make the unit: all that are known, or the last one."""
        if not self._is_made(key):
            return [key[0]]
        known = self._known(key)
        if known and self.year_method in ("sum", "weighted_mean"):
            return known
        return (known or sorted(self._of_place(key)))[-1:]

    def _parts(self, key: Key) -> pd.DataFrame:
        """Return the rows of the unit's place in any period: its own, or those of the finest level below."""
        level = _level(key)
        rows: pd.DataFrame = self.rows
        if self.levels[level].obtained == "declared":
            place = (rows["_territoire"].fillna("") == key[2]) & (rows["_structure"].fillna("") == key[3])
            declared: pd.DataFrame = rows[(rows["_maille"] == level) & place]
            return declared
        there = set(rows["_maille"])
        below = next(name for name in LEVELS[: LEVELS.index(level)] if name in there)
        rows = rows[rows["_maille"] == below]
        parents = [self.geography.parent(level, code, below) for code in rows["_territoire"]]
        parts: pd.DataFrame = rows[pd.Series(parents, index=rows.index, dtype="object") == key[2]]
        return parts


@dataclass(frozen=True)
class NetworkLines:
    """The rows of the transparency of networks: those that give a rate; a period is told by the last one it holds."""

    rows: pd.DataFrame
    levels: Mapping[Level, LevelRule]
    published: Frequency
    geography: Geography

    def counting(self, key: Key) -> pd.DataFrame:
        """Return the rows of the networks counted in a unit."""
        frequency: Frequency = "year" if _is_year(key[0]) else self.published
        periods = self.rows["_periode"].map(lambda name: period_of(last_day(name), frequency))
        rows: pd.DataFrame = self.rows[periods == key[0]]
        rows = rows[rows["_periode"] == rows["_periode"].max()]
        level = _level(key)
        if self.levels[level].obtained == "network_share":
            return rows
        places = zip(rows["_territoire"], rows["_maille"], strict=True)
        parents = [self.geography.parent(level, code, below) for code, below in places]
        here = pd.Series(parents, index=rows.index, dtype="object") == key[2]
        return rows[here | (rows["_maille"] == "national")]

    def missing(self, _key: Key) -> list[str]:
        """Return nothing: a network that isn't there is not counted."""
        return []


Lines = ObservedLines | TypedLines | NetworkLines


def _same_place(placed: pd.DataFrame, key: Key) -> pd.Series[bool]:
    territory, office = placed["territoire_code"].fillna(""), placed["structure_code"].fillna("")
    return (territory == key[2]) & (office == key[3])


def _is_year(period: str) -> bool:
    return period.isdecimal()


def _level(key: Key) -> Level:
    return cast("Level", key[1])
