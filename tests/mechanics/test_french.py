"""Numbers, counted things and lists as French writes them."""

from __future__ import annotations

import pytest

from pipelines.mechanics import french


@pytest.mark.parametrize(
    ("value", "told"), [(0, "0"), (999, "999"), (1234, "1\u202f234"), (12345.6, "12\u202f345,6"), (-0.5, "-0,5")]
)
def test_numbers(value, told):
    assert french.number(value) == told


@pytest.mark.parametrize(
    ("value", "digits", "told"), [(12.0, 2, "12"), (12.5, 2, "12,5"), (100.0, 0, "100"), (0.049, 1, "0")]
)
def test_decimals_end_with_no_zero(value, digits, told):
    assert french.decimal(value, digits) == told
    assert french.percent(value, digits) == f"{told}\u00a0%"


@pytest.mark.parametrize(
    ("count", "words", "many", "told"),
    [
        (0, "ligne refusée", "", "0 ligne refusée"),
        (1, "ligne refusée", "", "1 ligne refusée"),
        (2, "ligne refusée", "", "2 lignes refusées"),
        (2, "réseau", "réseaux", "2 réseaux"),
        (1, "table change", "tables changent", "1 table change"),
        (1500, "autre", "", "1\u202f500 autres"),
    ],
)
def test_what_is_counted_agrees_with_the_number(count, words, many, told):
    assert french.counted(count, words, many) == told


@pytest.mark.parametrize(
    ("words", "told", "few"),
    [
        ([], "", ""),
        (["a"], "a", "a"),
        (["a", "b"], "a et b", "a, b"),
        (["a", "b", "c"], "a, b et c", "a, b et 1 autre"),
        (["a", "b", "c", "d"], "a, b, c et d", "a, b et 2 autres"),
    ],
)
def test_lists(words, told, few):
    assert french.listed(words) == told
    assert french.first_few(words, 2) == few


@pytest.mark.parametrize(
    ("rows", "count", "told"),
    [
        ((), 0, ""),
        ((4,), 1, "ligne 4"),
        ((4, 7), 2, "lignes 4 et 7"),
        ((4, 7, 9), 3, "lignes 4, 7 et 9"),
        ((4, 7, 9), 4, "lignes 4, 7, 9 et 1 autre"),
        ((4, 7, 9, 11), 2000, "lignes 4, 7, 9 et 1\u202f997 autres"),
    ],
)
def test_row_numbers(rows, count, told):
    assert french.rows_text(rows, count) == told


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0\u00a0octets"), (999, "999\u00a0octets"), (1200, "1,2\u00a0ko"), (5_000_000, "5,0\u00a0Mo")],
)
def test_sizes(size, shown):
    assert french.size(size) == shown
