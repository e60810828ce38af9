"""Rows against what the roles of their columns imply: masks over typed columns, then a finding per row or per value.

Rows that break a refusing rule are set aside one by one; of the others, each value is told once, with its count. Which
rules there are is ``declarations.roles``'s affair.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.mechanics.french import cell
from pipelines.mechanics.spelling import other_spelling, plain_form
from pipelines.validate.distinct_rows import distinct, places_of
from pipelines.validate.findings import Finding
from pipelines.validate.messages import title
from pipelines.validate.near_misses import differences
from pipelines.validate.suspect_codes import CODES, Amounts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from pipelines.declarations.roles import RowRule
    from pipelines.validate.file_context import FileContext
    from pipelines.validate.typed_rows import TypedRows

    Mask = NDArray[np.bool_]

SHOWN_ANSWERS = 12  # of a list told in a message
MOST_VALUES = 100  # of one rule told one by one: beyond, they are counted together


class RoleRules:
    """What the roles of the columns of a file imply."""

    def __init__(self, context: FileContext) -> None:
        self._refusing = [rule for rule in context.rules if rule.refuses]
        self._telling = [rule for rule in context.rules if not rule.refuses]
        self._label = context.label
        self._differences = lru_cache(MOST_VALUES)(differences)  # wrong rows repeat a few texts

    def refused(self, table: pa.Table, years: NDArray[np.float64]) -> Iterator[tuple[int, Finding]]:
        """Yield what refuses rows of a table of typed values, by place; ``years``: of each row, NaN if unknown."""
        for rule in self._refusing:
            for place in places_of(_broken(rule, table, years)):
                yield place, self._refusal(rule, table, place)

    def told(self, rows: TypedRows) -> list[Finding]:
        """Return the warnings of accepted rows: one per rule, value and year, with the number of rows."""
        tallies = [_Tally(rule) for rule in self._telling]
        columns = {name for rule in self._telling for name in _columns(rule)}
        read = ["_ligne", "_annee", *sorted(columns & set(rows.schema.names))]
        for batch in rows.batches(read) if tallies else ():
            table = pa.Table.from_batches([batch])
            years = _numbers(table, "_annee")
            for tally in tallies:
                tally.take(table, years)
        return [self._warning(tally.rule, seen) for tally in tallies for seen in tally.close()]

    def _refusal(self, rule: RowRule, table: pa.Table, place: int) -> Finding:
        name = rule.columns[0]
        value = table.column(name)[place].as_py() if name in table.column_names else None
        kind, message, cause = rule.rule, _words(rule), ""
        if isinstance(value, str) and rule.check in ("listed", "spelled"):
            right = other_spelling(value, [item for item in rule.values if isinstance(item, str)])
            if right is not None:
                kind = "valeur-ecrite-autrement"
                message = f"{title(kind).rstrip('.')} (écrivez « {right} »)."
                cause = ", ".join(self._differences(value, right))
        return Finding(kind, message, column=self._label(name), value=cell(value), cause=cause)

    def _warning(self, rule: RowRule, seen: _Seen) -> Finding:
        label = self._label(rule.columns[0])
        return Finding(
            rule.rule, _words(rule), "avertissement", seen.first, label, seen.value, seen.year, seen.count,
            seen.last if seen.count > 1 else None,
        )  # fmt: skip


@dataclass
class _Seen:
    """A value that breaks a rule in a year: how many rows, the first and the last."""

    value: str
    year: int | None
    count: int
    first: int
    last: int


@dataclass
class _Tally:
    """What one telling rule finds in the batches of a file."""

    rule: RowRule
    _seen: dict[tuple[str, int | None], _Seen] = field(default_factory=dict)
    _amounts: dict[int | None, Amounts] = field(default_factory=dict)

    def take(self, table: pa.Table, years: NDArray[np.float64]) -> None:
        """Take a batch of accepted rows."""
        broken = _broken(self.rule, table, years)
        for year in np.unique(years[broken]).tolist():
            self._add(table, broken & (years == year), int(year))
        if self.rule.check in _OF_AMOUNTS:
            concerned = _concerned(self.rule, table, years)
            for year in np.unique(years[concerned]).tolist():
                amounts = _numbers(table, self.rule.columns[0])[concerned & (years == year)]
                self._amounts.setdefault(int(year), Amounts()).take(amounts)

    def close(self) -> list[_Seen]:
        """Return the values that break the rule; of amounts, the codes that stand apart, and shares where all are."""
        found = list(self._seen.values())
        if self.rule.check == "real":
            return [item for item in found if float(item.value) in self._amounts[item.year].suspect()]
        if self.rule.check == "percent":
            return [item for item in found if self._amounts[item.year].all_shares()]
        return found

    def _add(self, table: pa.Table, mask: Mask, year: int) -> None:
        rows = np.asarray(table.column("_ligne").to_numpy())
        for value, places in _by_value(table, self.rule.columns[0], mask).items():
            known = (value, year) in self._seen or len(self._seen) < MOST_VALUES
            key = (value if known or self.rule.check == "real" else "", year)
            seen = self._seen.setdefault(key, _Seen(*key, 0, int(rows[places[0]]), 0))
            seen.count, seen.first = seen.count + len(places), min(seen.first, int(rows[places[0]]))
            seen.last = max(seen.last, int(rows[places[-1]]))


def _by_value(table: pa.Table, name: str, mask: Mask) -> dict[str, NDArray[np.int64]]:
    """Return the places of the rows of a mask, by the text of their value."""
    places = np.flatnonzero(mask)
    if name not in table.column_names:
        return {"": places}
    values, codes = distinct(table.column(name).take(places))
    return {
        cell(value): places[codes == code] for code, value in enumerate(values)
    }  # fmt: skip


def _words(rule: RowRule) -> str:
    """Return the sentence of a rule: its title, with what is expected."""
    sentence = title(rule.rule).rstrip(".")
    expected = _expected(rule)
    uses = "" if rule.uses in ((), ("poids",)) else f", {', '.join(rule.uses[:3])}"
    details = f"{expected}{uses}".removeprefix(", ")
    return f"{sentence} ({details})." if details else f"{sentence}."


def _expected(rule: RowRule) -> str:
    if rule.check in ("listed", "whole") and rule.values:
        words = [cell(value) for value in rule.values]
        listed = ", ".join(words[:SHOWN_ANSWERS])
        return f"attendu : {listed}{'…' if len(words) > SHOWN_ANSWERS else ''}"
    if rule.check == "between" and rule.low is not None:
        return f"au moins {cell(rule.low)}" if rule.high is None else f"de {cell(rule.low)} à {cell(rule.high)}"
    return ""


def _columns(rule: RowRule) -> list[str]:
    return [*rule.columns, *(name for name, _ in rule.where), *([rule.weighted] if rule.weighted else [])]


def _broken(rule: RowRule, table: pa.Table, years: NDArray[np.float64]) -> Mask:
    """Tell which rows break a rule; for amounts, which ones hold a value that may be a code."""
    found = _BROKEN[rule.check](rule, table)
    return found & _concerned(rule, table, years) if found.any() else found


def _concerned(rule: RowRule, table: pa.Table, years: NDArray[np.float64]) -> Mask:
    """Tell which rows a rule holds for: of its years, kept by its ``where``, with a weight where that matters."""
    found = np.isin(years, rule.years) | np.isnan(years)
    for name, values in rule.where:
        found &= _holds(table, name, values)
    if rule.weighted:
        found &= _numbers(table, rule.weighted) > 0
    return found


def _not_between(rule: RowRule, table: pa.Table) -> Mask:
    values = _numbers(table, rule.columns[0])
    low, high = rule.low, rule.high
    below = values < low if low is not None else np.zeros(len(values), np.bool_)
    return below | (values > high) if high is not None else below


def _not_whole(rule: RowRule, table: pa.Table) -> Mask:
    values = _numbers(table, rule.columns[0])
    return np.asarray((values != np.floor(values)) & ~np.isnan(values) & ~_holds(table, rule.columns[0], rule.values))


def _not_named(rule: RowRule, table: pa.Table) -> Mask:
    """Tell the rows whose text is no spelling of a known one; each distinct text is looked at once."""
    name = rule.columns[0]
    if name not in table.column_names:
        return np.zeros(table.num_rows, np.bool_)
    texts, places = distinct(table.column(name))
    known = {plain_form(str(value)) for value in rule.values}
    unknown = np.array([bool(text) and plain_form(str(text)) not in known for text in texts], np.bool_)
    return unknown[places]


def _not_spelled(rule: RowRule, table: pa.Table) -> Mask:
    """Tell the rows whose text is another spelling of a known one; each distinct text is looked at once."""
    name = rule.columns[0]
    if name not in table.column_names:
        return np.zeros(table.num_rows, np.bool_)
    texts, places = distinct(table.column(name))
    known = [str(value) for value in rule.values]
    other = [text is not None and other_spelling(text, known) is not None for text in texts]
    return np.asarray(np.array(other, np.bool_)[places])


def _may_be_code(rule: RowRule, table: pa.Table) -> Mask:
    values = _numbers(table, rule.columns[0])
    return np.isin(values, CODES) & (values >= (-np.inf if rule.low is None else rule.low))


_OF_AMOUNTS = ("real", "percent")  # judged on all the amounts of the column together
# Which rows break a rule, by what it checks; for amounts, which ones hold a value that may be a code, or a share of 1.
_BROKEN: Mapping[str, Callable[[RowRule, pa.Table], Mask]] = {
    "filled": lambda rule, table: _blank(table, rule.columns[0]),
    "paired": lambda rule, table: _blank(table, rule.columns[0]) & ~_blank(table, rule.columns[1]),
    "ordered": lambda rule, table: _numbers(table, rule.columns[0]) > _numbers(table, rule.columns[1]),
    "between": _not_between,
    "whole": _not_whole,
    "listed": lambda rule, table: ~_blank(table, rule.columns[0]) & ~_holds(table, rule.columns[0], rule.values),
    "named": _not_named,
    "spelled": _not_spelled,
    "real": _may_be_code,
    "percent": lambda rule, table: (_numbers(table, rule.columns[0]) > 0) & (_numbers(table, rule.columns[0]) <= 1),
}


def _blank(table: pa.Table, name: str) -> Mask:
    if name not in table.column_names:
        return np.ones(table.num_rows, np.bool_)
    return np.asarray(table.column(name).is_null().to_numpy())


def _numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Return a column as numbers (dates as days), NaN where there is none."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    column = table.column(name)
    if pa.types.is_date(column.type):
        column = column.cast(pa.int32())
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), np.float64)


def _holds(table: pa.Table, name: str, values: Collection[Any]) -> Mask:
    """Tell which rows hold one of ``values``, read in the type of the column."""
    if name not in table.column_names or not values:
        return np.zeros(table.num_rows, np.bool_)
    column = table.column(name)
    if pa.types.is_string(column.type):
        wanted = pa.array([str(value) for value in values], pa.string())
    elif pa.types.is_boolean(column.type) or pa.types.is_date(column.type):
        wanted = pa.array([str(value) for value in values]).cast(column.type)
    else:
        return np.isin(_numbers(table, name), [float(value) for value in values])
    return np.asarray(pc.is_in(column, value_set=wanted).to_numpy())


def values_table(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return the values of a few rows as a table to judge: texts, dates and truths as they are, the rest as numbers."""
    lines = list(rows)
    columns = {}
    for item in schema:
        values = [line.get(item.name) for line in lines]
        if pa.types.is_integer(item.type) or pa.types.is_floating(item.type):
            columns[item.name] = pa.array([None if value is None else float(value) for value in values], pa.float64())
        else:
            columns[item.name] = pa.array(values, item.type)
    return pa.table(columns)


def weights_found(rows: TypedRows, column: str) -> Counter[str]:
    """Count the rows of an export by their weight: ``positif``, ``nul`` or ``absent``."""
    found: Counter[str] = Counter()
    for batch in rows.batches([column]):
        values = _numbers(pa.Table.from_batches([batch]), column)
        found["absent"] += int(np.isnan(values).sum())
        found["nul"] += int((values == 0).sum())
        found["positif"] += int((values > 0).sum())
    return found
