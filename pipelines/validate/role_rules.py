"""Rows against what the roles of their columns imply: masks over typed columns, then a finding per row or per value.

Rows that break a refusing rule are set aside one by one; of the others, each value is told once, with its count. Which
rules there are is ``declarations.roles``'s affair.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.mechanics.french import cell
from pipelines.mechanics.spelling import other_spelling, plain_form
from pipelines.validate.findings import Finding
from pipelines.validate.messages import title
from pipelines.validate.near_misses import differences
from pipelines.validate.typed_rows import distinct, mask_of, places_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pipelines.declarations.roles import RowRule
    from pipelines.validate.findings import FileContext
    from pipelines.validate.typed_rows import Mask, TypedRows

SHOWN_ANSWERS = 12  # of a list told in a message
MOST_VALUES = 100  # of one rule told one by one: beyond, they are counted together


class RoleRules:
    """What the roles of the columns of a file imply."""

    def __init__(self, context: FileContext) -> None:
        self._refusing = [rule for rule in context.rules if rule.refuses]
        self._telling = [rule for rule in context.rules if not rule.refuses]
        self._context = context
        self._differences = lru_cache(MOST_VALUES)(differences)  # wrong rows repeat a few texts

    def refused(self, table: pa.Table, years: NDArray[np.float64]) -> Iterator[tuple[int, Finding]]:
        """Yield what refuses rows of a table of typed values, by place; ``years``: of each row, NaN if unknown."""
        whole = _with_columns(table, self._refusing)
        for rule in self._refusing:
            for place in places_of(_broken(rule, whole, years)):
                yield place, self._refusal(rule, whole.column(rule.columns[0])[place].as_py())

    def told(self, rows: TypedRows) -> list[Finding]:
        """Return the warnings of accepted rows: one per rule, value and year, with the number of rows."""
        tallies = [_Tally(rule, self._context.label(rule.columns[0])) for rule in self._telling]
        columns = {name for rule in self._telling for name in _columns(rule)}
        read = ["_ligne", "_annee", *sorted(columns & set(rows.schema.names))]
        for batch in rows.batches(read) if tallies else ():
            table = _with_columns(pa.Table.from_batches([batch]), self._telling)
            years = _numbers(table, "_annee")
            for tally in tallies:
                tally.take(table, years)
        return [finding for tally in tallies for finding in tally.close()]

    def _refusal(self, rule: RowRule, value: Any) -> Finding:
        name = rule.columns[0]
        if isinstance(value, str) and rule.check in ("listed", "spelled"):
            right = other_spelling(value, [item for item in rule.values if isinstance(item, str)])
            if right is not None:
                message = title("valeur-ecrite-autrement", f"écrivez « {right} »")
                cause = ", ".join(self._differences(value, right))
                return self._context.finding("valeur-ecrite-autrement", message, name, value, cause)
        return self._context.finding(rule.rule, _sentence(rule), name, cell(value))


class _Tally:
    """What one telling rule finds in the batches of a file: a warning for each value and year, with its rows."""

    def __init__(self, rule: RowRule, label: str) -> None:
        self._rule, self._label, self._message = rule, label, _sentence(rule)
        self._warnings: dict[tuple[str, int], _Warning] = {}
        self._amounts: dict[int, _Amounts] = {}

    def take(self, table: pa.Table, years: NDArray[np.float64]) -> None:
        """Take a batch of accepted rows."""
        broken = _broken(self._rule, table, years)
        for year in np.unique(years[broken]).tolist():
            self._add(table, broken & (years == year), int(year))
        if self._rule.check in _OF_AMOUNTS:
            concerned = _concerned(self._rule, table, years)
            for year in np.unique(years[concerned]).tolist():
                amounts = _numbers(table, self._rule.columns[0])[concerned & (years == year)]
                self._amounts.setdefault(int(year), _Amounts()).take(amounts)

    def close(self) -> Iterator[Finding]:
        """Yield the values that break the rule; of amounts, the codes that stand apart, and shares where all are."""
        for (value, year), warning in self._warnings.items():
            if self._rule.check == "real" and float(value) not in self._amounts[year].suspect():
                continue
            if self._rule.check == "percent" and not self._amounts[year].all_shares():
                continue
            last = warning.last if warning.count > 1 else None
            yield Finding(
                self._rule.rule,
                self._message,
                "avertissement",
                warning.first,
                self._label,
                value,
                year,
                warning.count,
                last,
            )

    def _add(self, table: pa.Table, mask: Mask, year: int) -> None:
        rows, places = np.asarray(table.column("_ligne").to_numpy()), np.flatnonzero(mask)
        values, codes = distinct(table.column(self._rule.columns[0]).take(places))
        for code, value in enumerate(map(cell, values)):
            lines = rows[places[codes == code]]
            alone = (value, year) in self._warnings or len(self._warnings) < MOST_VALUES
            key = (value if alone or self._rule.check == "real" else "", year)
            warning = self._warnings.setdefault(key, _Warning(int(lines[0])))
            warning.count += len(lines)
            warning.first, warning.last = min(warning.first, int(lines[0])), max(warning.last, int(lines[-1]))


@dataclass
class _Warning:
    """The rows of a value: how many, the first and the last."""

    first: int
    last: int = 0
    count: int = 0


def _sentence(rule: RowRule) -> str:
    """Return the sentence of a rule: its title, with what is expected, and what the column serves."""
    expected = ""
    if rule.check in ("listed", "whole") and rule.values:
        listed = ", ".join(cell(value) for value in rule.values[:SHOWN_ANSWERS])
        expected = f"attendu : {listed}{'…' if len(rule.values) > SHOWN_ANSWERS else ''}"
    elif rule.check == "between" and rule.low is not None:
        low = cell(rule.low)
        expected = f"au moins {low}" if rule.high is None else f"de {low} à {cell(rule.high)}"
    uses = () if rule.uses == ("poids",) else rule.uses[:3]
    return title(rule.rule, ", ".join([expected, *uses] if expected else uses))


def _columns(rule: RowRule) -> list[str]:
    return [*rule.columns, *(name for name, _ in rule.where), *([rule.weighted] if rule.weighted else [])]


def _with_columns(table: pa.Table, rules: Sequence[RowRule]) -> pa.Table:
    """Return the table with the columns of rules that it lacks, blank."""
    for name in dict.fromkeys(name for rule in rules for name in _columns(rule)):
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    return table


def _broken(rule: RowRule, table: pa.Table, years: NDArray[np.float64]) -> Mask:
    """Tell which rows break a rule; for amounts, which ones hold a value that may be a code, or a share of 1."""
    broken = _BROKEN[rule.check](rule, table)
    return broken & _concerned(rule, table, years) if broken.any() else broken


def _concerned(rule: RowRule, table: pa.Table, years: NDArray[np.float64]) -> Mask:
    """Tell which rows a rule holds for: of its years, kept by its ``where``, with a weight where that matters."""
    concerned = np.isin(years, rule.years) | np.isnan(years)
    for name, values in rule.where:
        concerned &= _holds(table, name, values)
    if rule.weighted:
        concerned &= _numbers(table, rule.weighted) > 0
    return concerned


def _not_between(rule: RowRule, table: pa.Table) -> Mask:
    values = _numbers(table, rule.columns[0])
    low = -np.inf if rule.low is None else rule.low
    return (values < low) | (values > (np.inf if rule.high is None else rule.high))


def _not_whole(rule: RowRule, table: pa.Table) -> Mask:
    values = _numbers(table, rule.columns[0])
    return np.asarray((values != np.floor(values)) & ~np.isnan(values) & ~_holds(table, rule.columns[0], rule.values))


def _not_named(rule: RowRule, table: pa.Table) -> Mask:
    """Tell the rows whose text is no spelling of a known one."""
    names = {plain_form(str(value)) for value in rule.values}
    return mask_of(table.column(rule.columns[0]), lambda text: bool(text) and plain_form(str(text)) not in names)


def _not_spelled(rule: RowRule, table: pa.Table) -> Mask:
    """Tell the rows whose text is another spelling of a known one."""
    names = [str(value) for value in rule.values]
    return mask_of(
        table.column(rule.columns[0]), lambda text: text is not None and other_spelling(text, names) is not None
    )


def _may_be_code(rule: RowRule, table: pa.Table) -> Mask:
    values = _numbers(table, rule.columns[0])
    return np.isin(values, _CODES) & (values >= (-np.inf if rule.low is None else rule.low))


_OF_AMOUNTS = ("real", "percent")  # judged on all the amounts of the column together
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
    return np.asarray(table.column(name).is_null().to_numpy())


def _numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Return a column as numbers (dates as days), NaN where there is none."""
    column = table.column(name)
    if pa.types.is_date(column.type):
        column = column.cast(pa.int32())
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), np.float64)


def _holds(table: pa.Table, name: str, values: Collection[Any]) -> Mask:
    """Tell which rows hold one of ``values``, read in the type of the column."""
    column = table.column(name)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return np.isin(_numbers(table, name), [float(value) for value in values])
    wanted = pa.array([str(value) for value in values], pa.string()).cast(column.type)
    return np.asarray(pc.is_in(column, value_set=wanted).to_numpy())


def values_table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return the values of a few rows as a table to judge: texts, dates and truths as they are, the rest as numbers."""
    columns = {}
    for item in schema:
        values = [row.get(item.name) for row in rows]
        if pa.types.is_integer(item.type) or pa.types.is_floating(item.type):
            columns[item.name] = pa.array([None if value is None else float(value) for value in values], pa.float64())
        else:
            columns[item.name] = pa.array(values, item.type)
    return pa.table(columns)


def has_weights(rows: TypedRows, column: str) -> bool:
    """Whether a row of an export has a weight above 0."""
    return any((_numbers(pa.Table.from_batches([batch]), column) > 0).any() for batch in rows.batches([column]))


# 97, 98, 99, 997… 999 999 999: « autre », « ne sait pas », « sans réponse »; -1, -8, -9, -99, -999: the same, negative.
_HIGH = tuple(10**digits - last for digits in range(2, 10) for last in (1, 2, 3))
_LOW = tuple(-code for code in (1, 2, 7, 8, 9, 77, 88, 97, 98, 99, 777, 888, 997, 998, 999, 9999, 99999))
_CODES = np.array(_HIGH + _LOW, np.float64)
_APART = 2  # times the largest other value: a code is far from what it stands among
_HEAPED = 3  # rows of one value where few others are near: nobody measures 999 so often
_NEAR = 0.1  # of the value, on either side
_SAFE = 100.0  # under it, 97 to 99 are usual amounts (percentages, minutes): heaps say nothing


class _Amounts:
    """The amounts of a column, batch after batch, and which of them are codes left there: 999 for « ne sait pas ».

    A value of that form is told only where it stands apart: 99 minutes may be a wait like another.
    """

    def __init__(self) -> None:
        self._highest, self._lowest = -np.inf, np.inf
        self._largest, self._parts = -np.inf, 0
        self._codes: Counter[float] = Counter()
        self._near: Counter[float] = Counter()

    def take(self, values: NDArray[np.float64]) -> None:
        """Take amounts; NaN is none."""
        values = values[~np.isnan(values)]
        self._largest = max(self._largest, values.max(initial=-np.inf))
        self._parts += int(((values > 0) & (values < 1)).sum())
        is_code = np.isin(values, _CODES)
        others = values[~is_code]
        self._highest = max(self._highest, others.max(initial=-np.inf))
        self._lowest = min(self._lowest, others.min(initial=np.inf))
        for code, count in zip(*np.unique(values[is_code], return_counts=True), strict=True):
            self._codes[float(code)] += int(count)
        for code in _CODES[_CODES > _SAFE].tolist():
            self._near[code] += int((np.abs(others - code) <= _NEAR * code).sum())

    def suspect(self) -> set[float]:
        """Return the codes that stand apart: far above all other amounts, alone below zero, or heaped in a void."""
        return {code for code, count in self._codes.items() if self._stands_apart(code, count)}

    def all_shares(self) -> bool:
        """Tell whether amounts that should be percentages are all written as shares of 1, 0.95 for 95 %."""
        return self._largest <= 1 and self._parts >= _HEAPED

    def _stands_apart(self, code: float, count: int) -> bool:
        if self._highest == -np.inf:  # nothing but codes
            return False
        if code < 0:
            return self._lowest >= 0
        if code > _APART * max(self._highest, 0.0):
            return True
        return code > _SAFE and count >= _HEAPED and self._near[code] * 2 < count
