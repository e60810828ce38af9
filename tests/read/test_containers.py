"""Zip and gz: one file inside, whatever its name; bombs, passwords and damage refused."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from pipelines.declarations import Layout
from pipelines.mechanics import files, limits
from pipelines.read import UnusableFileError, read_cells
from pipelines.read.containers import is_packed, unpack

CSV = b"a;b\n1;2\n"


def zipped(members, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def unpacked(content, name="x.zip", member=None):
    sink = io.BytesIO()
    unpack(content, name, member, sink)
    return sink.getvalue()


def refused(content, name="x.zip", member=None):
    with pytest.raises(UnusableFileError) as error:
        unpacked(content, name, member)
    return error.value.rule, str(error.value)


@pytest.mark.parametrize(
    ("name", "member", "packed"),
    [("x.csv", None, False), ("x.csv.gz", None, True), ("x.ZIP", None, True), ("x", "*.csv", True)],
)
def test_what_is_an_archive(name, member, packed):
    assert is_packed(name, member) == packed


@pytest.mark.parametrize("name", ["x.csv.gz", "X.CSV.GZ"])
def test_gz(name):
    assert unpacked(gzip.compress(CSV), name, None) == CSV


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_of_one_file(method):
    assert unpacked(zipped({"x.csv": CSV}, method), "x.zip", None) == CSV


def test_the_declared_member_is_chosen():
    content = zipped(
        {"dossier/": b"", "dossier/lisez-moi.txt": b"?", "dossier/donnees.csv": CSV, "__MACOSX/d.csv": b"?"}
    )
    assert unpacked(content, "x.zip", "*.csv") == CSV
    cells = read_cells(content, "sans-extension", Layout(years="2024", path="x", member="*.csv", delimiter=";"))
    assert cells.rows == [["1", "2"]]


@pytest.mark.parametrize(
    ("members", "member", "words"),
    [
        ({}, None, "un seul fichier « * » ; fichiers trouvés : aucun"),
        ({"a.csv": CSV, "b.csv": CSV}, None, "a.csv, b.csv"),
        ({"a.csv": CSV, "b.csv": CSV}, "*.csv", "« *.csv »"),
        ({"a.txt": CSV}, "*.csv", "a.txt"),
    ],
)
def test_several_or_no_members_are_told(members, member, words):
    rule, message = refused(zipped(members), member=member)
    assert rule == "archive"
    assert words in message


def test_an_empty_member_is_an_empty_file():
    with pytest.raises(UnusableFileError, match="0 octet"):
        read_cells(zipped({"x.csv": b""}), "x.zip", Layout(years="2024", path="x"))


def test_a_password_is_told():
    content = bytearray(zipped({"x.csv": CSV}))
    content[6] |= 1  # local header: encrypted
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1
    rule, message = refused(bytes(content))
    assert rule == "archive"
    assert "mot de passe" in message


@pytest.mark.parametrize("content", [CSV, b"", zipped({"x.csv": CSV * 99})[:-30]])
def test_what_is_no_zip_is_told(content):
    assert refused(content)[0] == "fichier-illisible"


@pytest.mark.parametrize("content", [CSV, gzip.compress(CSV * 99)[:-9], gzip.compress(CSV)[:-8] + b"\0" * 8])
def test_what_is_no_gz_is_told(content):
    assert refused(content, "x.gz")[0] == "fichier-illisible"


def test_a_name_that_is_no_text_is_a_damaged_zip():
    content = zipped({"é.csv": CSV}).replace("é".encode(), b"\xff\xff")
    assert refused(content)[0] == "fichier-illisible"


@pytest.mark.parametrize(
    "wrap", [lambda text: (zipped({"x": text}), "x.zip"), lambda text: (gzip.compress(text), "x.gz")]
)
def test_a_bomb_is_refused(wrap, monkeypatch):
    content, name = wrap(b"0" * 500_000)
    assert len(unpacked(content, name)) == 500_000
    monkeypatch.setattr(files, "CHUNK", 1000)
    monkeypatch.setattr(limits, "RATIO_FROM", 100_000)
    rule, message = refused(content, name)
    assert rule == "archive"
    assert "démesuré" in message
    monkeypatch.setattr(limits, "LARGEST_RATIO", 10**9)
    assert len(unpacked(content, name)) == 500_000
    monkeypatch.setattr(limits, "LARGEST_UNPACKED", 400_000)
    assert refused(content, name)[0] == "archive"
