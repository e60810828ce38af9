"""Rows without content, which are no rows when nothing follows them: only their numbers are kept until that is known.

What makes a row wrong is not decided here.
"""

from __future__ import annotations

from array import array
from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

_SPACES = " \t\r\n\u00a0\u202f"  # not all that str.strip takes for one: U+001C is a character that a row is refused for

Kind = TypeVar("Kind", bound="Hashable")


def has_content(cells: Iterable[str | None]) -> bool:
    """Tell whether a row holds anything but spaces."""
    return any(cell and cell.strip(_SPACES) for cell in cells)


class BlankRows(Generic[Kind]):
    """Numbers of rows, in order, by kind: what their refusals have in common. Runs of numbers take no more than one."""

    def __init__(self) -> None:
        self._runs: dict[Kind, array[int]] = {}  # first and last of each run, one after the other

    def add(self, kind: Kind, number: int) -> None:
        """Note a row."""
        runs = self._runs.setdefault(kind, array("q"))
        if runs and runs[-1] == number - 1:
            runs[-1] = number
        else:
            runs.extend((number, number))

    def before(self, number: int) -> Iterator[tuple[int, Kind]]:
        """Return the rows that come before a number, in order, and forget them."""
        past, self._runs = self._runs, {}
        for kind, runs in past.items():
            if runs[-1] >= number:
                self._runs[kind] = array("q", (item for run in _pairs(runs) for item in _from(number, run)))
        return merge(*(_rows(kind, runs, number) for kind, runs in past.items()), key=itemgetter(0))


def _pairs(runs: array[int]) -> Iterator[tuple[int, int]]:
    return zip(runs[::2], runs[1::2], strict=True)


def _from(number: int, run: tuple[int, int]) -> tuple[int, ...]:
    first, last = run
    return (max(first, number), last) if last >= number else ()


def _rows(kind: Kind, runs: array[int], stop: int) -> Iterator[tuple[int, Kind]]:
    for first, last in _pairs(runs):
        yield from ((row, kind) for row in range(first, min(last + 1, stop)))
