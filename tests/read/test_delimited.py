"""CSV to cells: separators, rows above the header, several header rows, and the numbers of the rows."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.declarations import Layout
from pipelines.mechanics import limits
from pipelines.read import UnusableFileError, read_cells


def read(text, **declared):
    layout = Layout(years="2024", path="x.csv", **{"delimiter": ";", "encoding": "utf-8", **declared})
    return read_cells(text.encode(), "x.csv", layout)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    cells = read(f"a;b{end}1;2{end}3;4{end}")
    assert (cells.header, cells.rows, cells.first_row) == (["a", "b"], [["1", "2"], ["3", "4"]], 2)


def test_quotes_and_line_breaks_inside_cells():
    cells = read('a;b\n"x;y";"deux\nlignes"\n"dit ""oui""";z\n')
    assert cells.rows == [["x;y", "deux\nlignes"], ['dit "oui"', "z"]]


@pytest.mark.parametrize(
    ("first", "delimiter"), [("sep=;", ";"), ("SEP=;", ";"), ("sep=,", ","), ("sep=\t", "\t"), ("sep=;\r", ";")]
)
def test_the_line_of_excel_gives_the_separator(first, delimiter):
    cells = read(f"{first}\na{delimiter}b\n1{delimiter}2\n")
    assert (cells.header, cells.rows, cells.first_row) == (["a", "b"], [["1", "2"]], 3)


def test_a_header_that_only_looks_like_it_is_kept():
    assert read("sep=oui;b\n1;2\n").header == ["sep=oui", "b"]


def test_rows_above_the_header_are_skipped_and_counted():
    cells = read("Titre\n\nau 31 décembre\na;b\n1;2\n", skipRows=3)
    assert (cells.header, cells.rows, cells.first_row) == (["a", "b"], [["1", "2"]], 5)


def test_everything_at_once():
    cells = read("sep=;\nTitre\nAgence;;Appels;\nCode;Nom;Reçus;Pris\n1;x;2;3\n", skipRows=1, headerRows=2)
    assert cells.header == ["Agence / Code", "Agence / Nom", "Appels / Reçus", "Appels / Pris"]
    assert cells.first_row == 5


def test_a_file_shorter_than_its_header_is_told():
    with pytest.raises(UnusableFileError, match="même pas de ligne d'en-tête") as error:
        read("Titre\na;b\n", skipRows=3)
    assert error.value.rule == "fichier-vide"


def test_a_header_alone_is_a_table_without_rows():
    cells = read("a;b\n")
    assert (cells.rows, cells.first_row) == ([], 2)


def test_blank_and_ragged_rows_are_kept_for_validation():
    assert read("a;b\n\n1\n;\n1;2;3\n").rows == [[], ["1"], ["", ""], ["1", "2", "3"]]


def test_blank_rows_at_the_end_are_left_to_validation():
    cells = read("a;b\n1;2\n;\n\n\x1c;\n")
    assert cells.rows == [["1", "2"], ["", ""], [], ["\x1c", ""]]


def test_a_cell_without_end_is_told(monkeypatch):
    monkeypatch.setattr(limits, "LONGEST_CELL", 100)
    with pytest.raises(UnusableFileError) as error:
        read('a;b\n"' + "x" * 101 + '";1\n')
    assert error.value.rule == "fichier-illisible"


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=6), st.sampled_from(",;\t|"))
def test_what_csv_writes_is_read_back(rows, delimiter):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([["a", "b"], *rows])
    cells = read(stream.getvalue(), delimiter=delimiter)
    assert cells.header == ["a", "b"]
    assert cells.rows == rows
