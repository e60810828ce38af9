"""What validation finds in a file. The words it is told in are those of ``messages``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def rows_told(findings: Iterable[Finding]) -> int:
    """Return how many rows findings tell, a row told twice once; of those that name no row, how many they are."""
    found = list(findings)
    alone = {item.row for item in found if item.row is not None and item.count == 1}
    together = sum(item.count for item in found if item.count > 1)
    return len(alone) + together if any(item.row is not None for item in found) else together or len(found)


class Tally:
    """Findings in the order they came: the first ones of a kind one by one, the others counted: memory is bounded.

    A kind is a rule, a column, a message's severity and a year.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._findings: list[Finding] = []
        self._seen: Counter[tuple[Any, ...]] = Counter()
        self._others: dict[tuple[Any, ...], Finding] = {}

    def add(self, found: Iterable[Finding]) -> None:
        """Take findings."""
        for item in found:
            kind = (item.rule, item.column, item.severity, item.year)
            self._seen[kind] += 1
            if item.row is None or self._seen[kind] <= self._kept:
                self._findings.append(item)
            elif kind in self._others:
                before = self._others[kind]
                self._others[kind] = replace(before, count=before.count + 1, last=item.row)
            else:
                self._others[kind] = replace(item, value="", cause="", last=item.row)

    def close(self) -> list[Finding]:
        """Return what was found."""
        return [*self._findings, *self._others.values()]
