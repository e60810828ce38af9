"""Files on a disk: whole or not there, same bytes for same contents."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest

from pipelines.mechanics.files import CHUNK, chunks, copy_hashed, replacing, sha256, stable_zip, write_whole


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "dossier" / "a.json"
    write_whole(path, b"avant")
    with pytest.raises(RuntimeError), replacing(path) as draft:
        draft.write_bytes(b"apr")
        raise RuntimeError
    assert [item.read_bytes() for item in path.parent.iterdir()] == [b"avant"]
    write_whole(path, b"apres")
    assert [item.read_bytes() for item in path.parent.iterdir()] == [b"apres"]


@pytest.mark.parametrize("size", [0, 1, CHUNK, 2 * CHUNK + 1])
def test_a_content_is_hashed_as_it_goes(size, tmp_path):
    content, target = bytes(size), io.BytesIO()
    expected = (hashlib.sha256(content).hexdigest(), size)
    assert copy_hashed(chunks(io.BytesIO(content)), target) == copy_hashed([content]) == expected
    assert target.getvalue() == content
    (tmp_path / "a").write_bytes(content)
    assert sha256(tmp_path / "a") == expected[0]


def test_a_zip_has_the_same_bytes_on_any_day(monkeypatch):
    members = [("b/é.txt", b"deux"), ("a.txt", b"un" * 1000)]
    first = stable_zip(members, mode=0o644)
    monkeypatch.setattr(zipfile.time, "localtime", lambda *_: (2031, 5, 6, 7, 8, 9, 0, 0, 0))
    assert stable_zip(iter(members), mode=0o644) == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert [(item.filename, archive.read(item)) for item in archive.infolist()] == members
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {item.external_attr >> 16 for item in archive.infolist()} == {0o644}
