"""Bytes to text: strict UTF-8, else the declared encoding, never a guess; and what is no text at all."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.declarations import Layout
from pipelines.read import UnusableFileError, read_cells
from pipelines.read.delimited import encoding_of, open_delimited

DECLARED = st.sampled_from(["utf-8", "cp1252", "iso8859-15"])
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(str.strip)


def layout(encoding="cp1252", **more):
    return Layout(years="2024", path="x.csv", delimiter=";", encoding=encoding, **more)


def read(content, encoding="cp1252", **more):
    return read_cells(content, "x.csv", layout(encoding, **more))


def refused(content, encoding="cp1252"):
    with pytest.raises(UnusableFileError) as error:
        read(content, encoding)
    return error.value.rule, str(error.value)


@pytest.mark.parametrize(
    ("written", "declared", "told"),
    [
        ("utf-8", "cp1252", "utf-8-sig"),
        ("utf-8-sig", "cp1252", "utf-8-sig"),
        ("cp1252", "cp1252", "cp1252"),
        ("iso8859-15", "iso8859-15", "iso8859-15"),
        ("utf-16", "cp1252", "utf-8"),  # turned into it
    ],
)
def test_the_encoding_rule(written, declared, told):
    cells = read("Période;Coût (€)\nété;œuf\n".encode(written), declared)
    assert cells.header == ["Période", "Coût (€)"]
    assert cells.rows == [["été", "œuf"]]
    content = "é;b\n".encode(written)
    assert open_delimited(content, layout(declared)).encoding == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("été;œuf\n".encode() * 50 + b"caf\xe9;1\n", "utf-8-sig"),
        (codecs.BOM_UTF8 + b"a;b\ncaf\xe9;1\nth\xe9;2\n", "utf-8-sig"),
        ("été;œuf\n".encode()[:-6] + b"\n", "utf-8-sig"),
        ("été;coûts\nà;où\n".encode("cp1252") + "é\n".encode(), "cp1252"),
        ("« été »;Ã©\n".encode("cp1252"), "cp1252"),
    ],
)
def test_a_few_bad_bytes_do_not_change_the_encoding(content, told, tmp_path):
    assert open_delimited(b"a;b\n" + content if not content.startswith(b"\xef") else content, layout()).encoding == told
    (tmp_path / "f.csv").write_bytes(content)
    assert encoding_of(tmp_path / "f.csv", "cp1252") == told


FRENCH = ["été", "à", "ça", "Çà", "École", "ÉTÉ", "l'œil", "cœur", "œuvre", "«", "»", "€", "a", "où;", "«a»", "12,5€"]


@given(st.lists(st.sampled_from(FRENCH), min_size=1).map(" ".join))
def test_french_text_of_one_byte_is_never_taken_for_utf8(text):
    content = text.encode("cp1252")  # words as they are written: « Ç« » over and over would be right UTF-8
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        assert encoding_of(content, "cp1252") == "cp1252"


def test_utf16_of_both_orders():
    for mark, order in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        assert read(mark + "é;b\n1;2\n".encode(order)).header == ["é", "b"]


@given(WORDS, DECLARED)
def test_utf8_is_read_as_utf8_whatever_is_declared(word, declared):
    content = f'a;b\n"{word.replace(chr(34), "")}";1\n'.encode()
    assert read(content, declared).rows[0][0] == word.replace('"', "")


def test_a_byte_that_no_encoding_knows_is_located():
    rule, message = refused(b"a;b\nx;y\ncaf\xe9;\x81\n")
    assert rule == "encodage"
    assert "ligne 3, position 6 (octet 81)" in message
    assert "cp1252" in message


def test_a_cut_utf16_file_is_located():
    assert refused("a;b\n".encode("utf-16") + b"x")[0] == "encodage"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a;b\n1;\x002\n", "octets nuls"),
        (codecs.BOM_UTF32_LE + "a".encode("utf-32-le"), "octets nuls"),
        (b"<!DOCTYPE html><title>404</title>", "page web"),
        (b"\n  <HTML><body>", "page web"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "XML"),
    ],
)
def test_what_is_no_csv_is_told(content, words):
    rule, message = refused(content)
    assert rule == "fichier-illisible"
    assert words in message


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\r\n", b"  ;  \n", b"sep=;\n"])
def test_an_empty_file_is_told(content):
    assert refused(content)[0] == "fichier-vide"
