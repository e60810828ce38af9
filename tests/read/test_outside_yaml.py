"""YAML from the exports folder: whatever its bytes, data or a sentence, at once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.flow.exports_folder import MARKER, UNSTATED, provenance_of
from pipelines.read import ExportsRoot, OutsideYamlError, read_outside

BILLION = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter, letter, b",".join([b"*%c" % (letter - 1)] * 9)) for letter in range(98, 112)
)
WRONG = [
    BILLION, b"synthetic: [1", "synthetic: true\nstatement: \xe9t\xe9".encode("latin-1"), b"[" * 20_000,
    b'a: !!timestamp "z"', b'a: !!bool "z"', b'a: !!int ""',
    b"a: 9999-99-99", b"- 1\n- 2", b"synthetic: peut-\xc3\xaatre", b"synthetic: 1", b"synthetic: true\nstatement: [a]",
    b"synthetic: true\nstatement: " + b"x" * 2000, b"x" * 100_000, b"!!python/object/apply:os.system [ls]", b"\0",
    b"{a: b}: c", b"a: &a\n  b: *a", b"",
]  # fmt: skip


@pytest.mark.parametrize("content", WRONG)
def test_a_wrong_provenance_is_told_at_once_and_stays_cautious(tmp_path, content):
    (tmp_path / MARKER).write_bytes(content)
    began = time.monotonic()
    found = provenance_of(ExportsRoot(str(tmp_path)))
    assert time.monotonic() - began < 2
    assert found.fault.startswith("« provenance.yml » ne peut pas être lu : ")
    assert found.statement
    assert len(found.statement) < 200


@pytest.mark.parametrize(("content", "statement"), [
    ("synthetic: true\nstatement: Essai  \n", "Essai"), ("synthetic: true", UNSTATED), ("synthetic: false", None),
    ("\ufeffsynthetic: true\nstatement: >-\n  deux\n  lignes", "deux lignes"), ("autre: chose", None),
])  # fmt: skip
def test_a_right_one_is_read(tmp_path, content, statement):
    (tmp_path / MARKER).write_text(content, encoding="utf-8")
    found = provenance_of(ExportsRoot(str(tmp_path)))
    assert (found.statement, found.fault) == (statement, "")


def test_none_says_nothing_and_a_link_is_not_followed(tmp_path):
    assert provenance_of(ExportsRoot(str(tmp_path))).statement is None
    (tmp_path / "ailleurs").write_text("synthetic: false")
    (tmp_path / MARKER).symlink_to(tmp_path / "ailleurs")
    assert "lien" in provenance_of(ExportsRoot(str(tmp_path))).fault


@given(st.binary(max_size=300) | st.text("a:&*[]{}-!'\"\n 0,", max_size=300).map(str.encode))
def test_nothing_else_is_raised(content):
    try:
        read_outside(content)
    except OutsideYamlError as error:
        assert str(error)
