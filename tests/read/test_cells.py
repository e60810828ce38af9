"""Native values as text, several header rows as one label, and the blank edges of sheets."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.read.cells import compose_header, cut_blank_edges, native_text

DECIMAL_CHARS = st.sampled_from([".", ","])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (12, "12"),
        (12.0, "12"),
        (-0.0, "0"),
        (0.1, "0,1"),
        (1.5e-7, "1,5e-07"),
        (13002526500013.0, "13002526500013"),
        (1e15, "1000000000000000"),
        (math.nan, ""),
        (math.inf, "inf"),
        (Decimal("12.50"), "12,5"),
        (Decimal("1E+2"), "100"),
        (Decimal("NaN"), ""),
        (b"\xc3\xa9t\xc3\xa9", "été"),
        (datetime.datetime(2024, 3, 1), "2024-03-01"),
        (datetime.datetime(2024, 3, 1, 8, 30), "2024-03-01T08:30:00"),
        (datetime.date(2024, 3, 1), "2024-03-01"),
        (datetime.time(8, 30), "08:30:00"),
        (datetime.timedelta(hours=1), "01:00:00"),
        (datetime.timedelta(days=1, hours=2, minutes=30), "26:30:00"),
        (-datetime.timedelta(minutes=90, milliseconds=500), "-01:30:00.5"),
        (" 01 ", " 01 "),
    ],
)
def test_native_values(value, text):
    assert native_text(value, ",") == text


@given(st.floats(allow_nan=False, allow_infinity=False), DECIMAL_CHARS)
def test_a_number_is_written_exactly(number, mark):
    text = native_text(number, mark)
    assert float(text.replace(mark, ".")) == number
    assert not text.endswith((".0", ",0"))


@given(st.integers(-(10**15), 10**15), DECIMAL_CHARS)
def test_a_whole_number_has_no_decimals(number, mark):
    assert native_text(float(number), mark) == native_text(number, mark) == str(number)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3), DECIMAL_CHARS)
def test_a_decimal_is_written_exactly(number, mark):
    text = native_text(number, mark)
    assert Decimal(text.replace(mark, ".")) == number
    assert "E" not in text


@given(st.text())
def test_text_is_kept_as_it_is(text):
    assert native_text(text, ",") == text


@given(st.datetimes())
def test_a_date_is_iso_without_a_midnight(moment):
    text = native_text(moment, ",")
    assert datetime.datetime.fromisoformat(text) == moment
    assert native_text(datetime.datetime.combine(moment.date(), datetime.time()), ",") == moment.date().isoformat()


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([["a", "b"]], ["a", "b"]),
        ([], []),
        ([[" Code \n postal ", ""]], ["Code postal", ""]),
        ([["Dossiers", "", "Mois"], ["Reçus", "Traités", ""]], ["Dossiers / Reçus", "Dossiers / Traités", "Mois"]),
        ([["Mois", "", ""], ["", "Reçus", "Traités"]], ["Mois", "Reçus", "Traités"]),
        ([["A", "", ""], ["B", "", "C"], ["x", "y", "z"]], ["A / B / x", "A / B / y", "A / C / z"]),
        ([["Total", ""], ["Total", "Part"]], ["Total", "Total / Part"]),
        ([["A"], ["x", "y"]], ["A / x", "A / y"]),
    ],
)
def test_merged_headers(rows, header):
    assert compose_header([list(row) for row in rows]) == header


WORD = st.sampled_from(["", "a", "b", " c  d "])


@given(st.lists(st.lists(WORD, max_size=5), min_size=1, max_size=4))
def test_every_written_word_is_in_its_label(rows):
    labels = compose_header([list(row) for row in rows])
    assert len(labels) == max(len(row) for row in rows)
    for row in rows:
        for cell, label in zip(row, labels, strict=False):
            assert not cell or " ".join(cell.split()) in label.split(" / ")


@given(st.lists(WORD, min_size=1, max_size=6))
def test_one_header_row_is_itself(row):
    assert compose_header([row]) == [" ".join(cell.split()) for cell in row]


def test_blank_edges_are_cut():
    header, rows = cut_blank_edges(["a", "", ""], [["1", "", ""], ["", " ", ""], ["2", "", ""], ["", "", ""]])
    assert header == ["a"]
    assert rows == [["1"], [""], ["2"]]


def test_a_column_without_name_that_holds_something_is_kept():
    header, rows = cut_blank_edges(["a", "", ""], [["1", "x", ""], ["2", "", ""]])
    assert header == ["a", ""]
    assert rows == [["1", "x"], ["2", ""]]


@given(st.lists(st.lists(WORD, min_size=3, max_size=3), max_size=5))
def test_nothing_written_is_cut(rows):
    kept_header, kept = cut_blank_edges(["h", "", ""], [list(row) for row in rows])
    assert kept_header[0] == "h"
    assert [cell for row in kept for cell in row if cell.strip()] == [c for row in rows for c in row if c.strip()]
    assert [row[0] for row in kept] == [row[0] for row in rows[: len(kept)]]
