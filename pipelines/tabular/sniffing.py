"""What Python's ``csv.Sniffer`` guesses of a text, in linear time.

frictionless sniffs the first lines of every delimited text, and the quotes with patterns that try each of them against
all the text that follows: minutes for one cell of 100 kB. Only the way there is other here; the guess is the same.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

from frictionless.formats.csv import parser as frictionless_parser

_DELIMITER = r"[^\w\n\"']"
_AFTER_DELIMITER = re.compile(rf"(?P<delimiter>{_DELIMITER})(?P<space> ?)(?P<quote>[\"'])")
_AT_LINE_START = re.compile(r"(?:^|\n)(?P<quote>[\"'])", re.MULTILINE)
_CLOSING = {quote: re.compile(rf"{quote}(?P<delimiter>{_DELIMITER})(?P<space> ?)") for quote in "\"'"}
_LAST = {quote: re.compile(rf"{quote}$", re.MULTILINE) for quote in "\"'"}


class _Quoted(NamedTuple):
    quote: str
    delimiter: str | None = None
    space: str | None = None


class LinearSniffer(csv.Sniffer):
    """Guesses what ``csv.Sniffer`` does, but for the doubling of quotes, which frictionless does not use."""

    def _guess_quote_and_delimiter(self, data: str, delimiters: str | None) -> tuple[str, bool, str | None, int | bool]:
        found = next(filter(None, map(list, _ways(data))), [])
        if not found:
            return "", False, None, 0
        quotes = Counter(item.quote for item in found)
        known = Counter(
            item.delimiter for item in found if item.delimiter and (delimiters is None or item.delimiter in delimiters)
        )
        # Counter.most_common, like max, keeps the first of equals.
        quote = quotes.most_common(1)[0][0]
        if not known:
            return quote, False, "", 0
        delimiter, count = known.most_common(1)[0]
        return quote, False, delimiter, count == sum(bool(item.space) for item in found)


def _ways(data: str) -> Iterator[Iterator[_Quoted]]:
    """Yield the quoted texts between delimiters, then those that start a line, that end one, that are one."""
    yield _between(data)
    yield _closed(data, _AT_LINE_START, _CLOSING)
    yield _closed(data, _AFTER_DELIMITER, _LAST)
    yield _closed(data, _AT_LINE_START, _LAST)


def _between(data: str) -> Iterator[_Quoted]:
    """Yield the texts in quotes that have the same delimiter on both sides."""
    place, absent = 0, set[str]()
    while opening := _AFTER_DELIMITER.search(data, place):
        closing = opening["quote"] + opening["delimiter"]
        end = -1 if closing in absent else data.find(closing, opening.end())
        if end < 0:
            absent.add(closing)
            place = opening.start() + 1
            continue
        yield _Quoted(opening["quote"], opening["delimiter"], opening["space"])
        place = end + len(closing)


def _closed(data: str, opens: re.Pattern[str], closes: dict[str, re.Pattern[str]]) -> Iterator[_Quoted]:
    """Yield the texts in quotes that are opened and closed so."""
    place, absent = 0, set[str]()
    while opening := opens.search(data, place):
        quote = opening["quote"]
        closing = None if quote in absent else closes[quote].search(data, opening.end())
        if closing is None:
            absent.add(quote)
            place = opening.start() + 1
            continue
        told = {**opening.groupdict(), **closing.groupdict()}
        yield _Quoted(quote, told.get("delimiter"), told.get("space"))
        place = closing.end()


@contextmanager
def sniffed_in_linear_time() -> Iterator[None]:
    """Let frictionless sniff delimited texts in linear time meanwhile."""
    module: Any = frictionless_parser
    module.csv = SimpleNamespace(Sniffer=LinearSniffer, excel=csv.excel, reader=csv.reader, Error=csv.Error)
    try:
        yield
    finally:
        module.csv = csv
