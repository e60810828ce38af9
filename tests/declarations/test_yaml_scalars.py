"""YAML to plain data: what a word means, what is an error, and on which line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.declarations.yaml_source import parse


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("01", "01"),
        ("007", "007"),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("2A", "2A"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("2024-01-31", "2024-01-31"),
        ("12:30", "12:30"),
        ("1", 1),
        ("0", 0),
        ("-12", -12),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ('"1"', "1"),
        ("'true'", "true"),
        ('""', ""),
    ],
)
def test_a_word_means_what_yaml_1_2_says(written, read):
    value = parse(f"clef: {written}\n").data["clef"]
    assert value == read
    assert type(value) is type(read)


def test_block_text_is_text():
    assert parse("clef: |\n  12\n").data == {"clef": "12\n"}


def test_an_empty_file_holds_nothing():
    document = parse("")
    assert document.data is None
    assert document.problems == []
    assert document.line(("nulle", "part")) == 1


def test_lines_of_keys_and_items_are_remembered():
    document = parse("a: 1\nb:\n  - x\n  - y: 2\n    z: 3\n")
    assert document.line(("a",)) == 1
    assert document.line(("b",)) == 2
    assert document.line(("b", 1)) == 4
    assert document.line(("b", 1, "z")) == 5
    assert document.line(("b", 1, "absente", "plus", "loin")) == 4


def test_a_key_written_twice_is_an_error_at_its_second_line():
    document = parse("a: 1\nb: 2\na: 3\n")
    assert document.problems == [(3, "clé « a » écrite deux fois")]
    assert document.data["a"] == 1


def test_a_key_is_a_plain_word():
    document = parse("[1, 2]: x\nb: 1\n")
    assert document.problems == [(1, "une clé doit être un mot simple")]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: [1, 2\n", 3), ("a: 'x\n", 2), ("a: 1\n b: 2\n", 2), ("a: 1\n---\nb: 2\n", 2), ("a: \x00\n", 1)],
)
def test_a_syntax_error_says_its_line(text, line):
    (told, message), *_ = parse(text).problems
    assert told == line
    assert message.startswith("YAML illisible")


@given(st.text(max_size=60))
def test_any_text_is_read_or_told(text):
    document = parse(text)
    assert document.problems or document.data is None or isinstance(document.data, str | int | float | list | dict)


@given(st.integers(0, 10**6))
def test_a_number_keeps_its_zeros_only_as_text(number):
    assert parse(f"k: {number}").data == {"k": number}
    assert parse(f"k: 0{number}").data == {"k": f"0{number}"}
