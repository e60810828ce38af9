"""What a file is judged by, and what validation finds in it. The words it is told in are those of ``messages``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pipelines.compile.exports import label_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from pipelines.declarations import Correction, Export, Layout, Territories
    from pipelines.declarations.roles import RowRule

Severity = Literal["erreur", "avertissement"]
MASKED = "(valeur masquée)"  # stands for a value that may identify someone
EXPIRED = "correction-perimee"


@dataclass(frozen=True)
class Finding:
    """One thing found: the rule, where (row in the file, column), the value seen, and a sentence for the producer.

    ``year`` is the reference year of the row when it could be read: a row without a readable year counts in all of
    them. A finding with a ``count`` stands for that many rows alike, from ``row`` to ``last``: see ``Tally``.
    ``declare`` is the piece of YAML that the data team may write, which no producer is told. ``cause`` says what in the
    value breaks the rule, and what to write: it holds a part of the value, and is hidden with it.
    """

    rule: str
    message: str
    severity: Severity = "erreur"
    row: int | None = None
    column: str = ""
    value: str = ""
    year: int | None = None
    count: int = 1
    last: int | None = None
    declare: str = ""
    cause: str = ""

    @property
    def told(self) -> str:
        """The sentence, with the cause where it is known."""
        return f"{self.message} {self.cause[0].upper()}{self.cause[1:]}." if self.cause else self.message

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows that are known one by one: the first and last of those it stands for."""
        return tuple(row for row in (self.row, self.last) if row is not None)


@dataclass(frozen=True)
class FileContext:
    """A file of an export, read in one layout.

    ``file`` is its path, ``file_year`` the year that the path gives, None when one file holds several years. ``rules``:
    what the roles of the columns imply. ``corrections`` are applied to cells: a file that has some is opened whole.
    ``spill`` is the Parquet file where the observations go; without it they stay in memory. ``progress`` is told the
    number of rows of a delimited text judged so far.
    """

    export: Export
    layout: Layout
    territories: Territories
    file: str
    file_year: int | None
    corrections: Sequence[Correction] = ()
    rules: Sequence[RowRule] = ()
    spill: Path | None = None
    progress: Callable[[int], None] | None = None

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The label of each field's column."""
        return {field.name: label_of(field, self.layout) for field in self.export.fields}

    def label(self, name: str | None) -> str:
        """Return the label of a field's column; the name itself where none is declared."""
        return self.labels.get(name, name) if name else ""

    def finding(self, rule: str, message: str, name: str | None, value: Any, cause: str = "") -> Finding:
        """Return what is wrong with a value of a field."""
        return Finding(rule, message, column=self.label(name), value="" if value is None else str(value), cause=cause)


def rows_told(findings: Sequence[Finding]) -> int:
    """Return how many rows findings tell, a row told twice once; of those that name no row, how many they are."""
    alone = {item.row for item in findings if item.row is not None and item.count == 1}
    together = sum(item.count for item in findings if item.count > 1)
    return len(alone) + together or len(findings)


class Tally:
    """Findings in the order they came: the first ones of a kind one by one, the others counted: memory is bounded.

    A kind is a rule, a column, a message's severity and a year.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._findings: list[Finding] = []
        self._counts: Counter[tuple[Any, ...]] = Counter()
        self._others: dict[tuple[Any, ...], Finding] = {}

    def add(self, findings: Iterable[Finding]) -> None:
        """Take findings."""
        for item in findings:
            kind = (item.rule, item.column, item.severity, item.year)
            self._counts[kind] += 1
            if item.row is None or self._counts[kind] <= self._kept:
                self._findings.append(item)
            elif kind in self._others:
                before = self._others[kind]
                self._others[kind] = replace(before, count=before.count + 1, last=item.row)
            else:
                self._others[kind] = replace(item, value="", cause="", last=item.row)

    def close(self) -> list[Finding]:
        """Return what was found."""
        return [*self._findings, *self._others.values()]
