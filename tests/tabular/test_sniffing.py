"""The linear sniffer against Python's own: the same guess, and no text that takes long."""

from __future__ import annotations

import csv
import time
from contextlib import suppress

import pytest
from comparison import difference
from hypothesis import given, settings
from hypothesis import strategies as st
from random_tables import Case

from pipelines.tabular import AbsurdRecordError, judge_delimited
from pipelines.tabular.opening import LinearSniffer

PIECES = [
    "'", '"', ",", ";", "\t", "|", " ", "a", "é", "\n", "''", '",', ",'", '";"', "', '", '"\n', "\n'", "-", "12",
    "\r\n",
]  # fmt: skip


def guess(sniffer: csv.Sniffer, text: str, delimiters: str | None):
    try:
        found = sniffer.sniff(text, delimiters)
    except csv.Error:
        return None
    return found.delimiter, found.quotechar, bool(found.skipinitialspace)


@settings(max_examples=1500)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.sampled_from([",\t;|", ";", None]))
def test_the_guess_is_that_of_python(text: str, delimiters: str | None):
    assert guess(LinearSniffer(), text, delimiters) == guess(csv.Sniffer(), text, delimiters)


CLUMSY = {
    "array": '"[' + ", ".join(f"'{number}'" for number in range(20_000)) + ']"',
    "apostrophes": " 'a" * 40_000,
    "quotes": ' "' * 60_000,
    "kinds": "".join(f"{chr(0x2010 + number % 500)}'{number}" for number in range(30_000)),
}


@pytest.mark.parametrize("cell", CLUMSY.values(), ids=CLUMSY.keys())
@pytest.mark.parametrize("dialect", [{}, {"csv": {"delimiter": ";"}}], ids=["guessed", "declared"])
def test_a_large_cell_takes_no_time(cell, dialect):
    before = time.process_time()
    with suppress(AbsurdRecordError):  # what is guessed may split it in thousands of cells
        list(judge_delimited(f"a;b\n1;{cell}\n".encode(), {"fields": [{"name": "a"}, {"name": "b"}]}, dialect))
    assert time.process_time() - before < 5


def test_quoted_texts_have_the_verdict_of_frictionless():
    for text in ("a;b\n1;'x'\n", "'a','b'\n'1', '2'\n", '"a"|"b"\n"1"|"l\'eau, l\'air"\n', "a\n'x'\n"):
        schema = {"fields": [{"name": "a", "type": "integer"}, {"name": "b"}]}
        assert not difference(Case([], schema, text.encode()))
