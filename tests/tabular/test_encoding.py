"""Encoding errors: all of them, by line, column and bytes, with what was probably meant."""

from __future__ import annotations

import pytest

from pipelines.tabular import judge_delimited
from pipelines.tabular.encoding import can_decode, encoding_errors

SCHEMA = {"fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "string"}]}


def test_every_error_is_located():
    content = "a;b\r\né;".encode() + b"\xe9t\xe9\r\nx;\x9cuf \xe0\xe8\n"
    errors = encoding_errors(content, "utf-8")
    assert [(error.line, error.column, error.found, error.likely) for error in errors] == [
        (2, 3, b"\xe9", "é"), (2, 5, b"\xe9", "é"), (3, 3, b"\x9c", "œ"), (3, 7, b"\xe0\xe8", "àè"),
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "mac-roman"])
def test_what_can_be_decoded_has_no_error(encoding: str):
    content = "a;b\r\né;œuf\n".encode(encoding, "replace")
    assert can_decode(content, encoding)
    assert not list(encoding_errors(content, encoding))


def test_an_undefined_byte_and_a_broken_wide_unit_are_found():
    assert not can_decode(b"a\x81", "cp1252")
    assert [error.column for error in encoding_errors(b"a\x81", "cp1252")] == [2]
    assert not can_decode("aé".encode("utf-16")[:-1], "utf-16")
    assert len(list(encoding_errors("aé".encode("utf-16")[:-1], "utf-16"))) == 1


def test_a_mark_at_the_start_counts_for_nothing_in_columns():
    assert [(error.line, error.column) for error in encoding_errors(b"\xef\xbb\xbfa\xff", "utf-8-sig")] == [(1, 2)]


def test_a_judgement_tells_them_and_takes_the_plain_path():
    judgement = judge_delimited(b"a;b\n1;\xe9\n2;\xe8\n", SCHEMA, {"delimiter": ";"})
    assert [error.line for error in judgement.encoding_errors] == [2, 3]
    assert judgement.path == "frictionless" and "utf-8" in judgement.why
