"""The exports root and the archive: what is found, what is news, and what is never read twice."""

from __future__ import annotations

import datetime
import hashlib
import json
import os

import fsspec
import pytest

from pipelines.read import Archive, DamagedArchiveError, ExportsRoot, RootError, archive

NOW = datetime.datetime(2025, 3, 1, 2, 0, tzinfo=datetime.UTC)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "exports [a]*"  # signs that a pattern would understand
    for name in ("caf/enquete-2023.csv", "caf/enquete-2024.csv", "caf/b/enquete-2024.csv", "dgfip/2024.csv"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


@pytest.fixture
def memory():
    filesystem = fsspec.filesystem("memory")
    filesystem.pipe({"/exports/caf/enquete-2024.csv": b"1", "/exports/caf/enquete-2023.csv": b"22"})
    yield "memory://exports"
    filesystem.rm("/exports", recursive=True)


def paths(root, pattern, year=2024):
    return [file.path for file in root.find(pattern, year)]


def test_files_are_found_by_pattern(folder):
    root = ExportsRoot(str(folder))
    assert paths(root, "caf/enquete-{year}.csv") == ["caf/enquete-2024.csv"]
    assert paths(root, "caf/enquete-*.csv") == ["caf/enquete-2023.csv", "caf/enquete-2024.csv"]
    assert paths(root, "*/*{year}.csv") == ["caf/enquete-2024.csv", "dgfip/2024.csv"]
    assert paths(root, "caf/enquete-202?.csv") == ["caf/enquete-2023.csv", "caf/enquete-2024.csv"]
    assert paths(root, "caf/enquete-{year}.csv", 2022) == []
    assert paths(root, "caf/enquete-{year}*.xlsx") == []
    assert paths(root, "c*") == []  # a folder is no file
    assert paths(root, "caf") == []
    assert root.read("dgfip/2024.csv") == b"dgfip/2024.csv"
    assert [file.size for file in root.find("dgfip/{year}.csv", 2024)] == [14]


def test_a_url_is_a_root(memory):
    root = ExportsRoot(memory + "/")
    assert paths(root, "caf/enquete-{year}.csv") == ["caf/enquete-2024.csv"]
    assert paths(root, "caf/*.csv") == ["caf/enquete-2023.csv", "caf/enquete-2024.csv"]
    assert root.read("caf/enquete-2023.csv") == b"22"


def test_a_token_changes_when_the_file_does(folder):
    root = ExportsRoot(str(folder))
    before = root.find("dgfip/{year}.csv", 2024)[0].token
    assert root.find("dgfip/{year}.csv", 2024)[0].token == before
    (folder / "dgfip/2024.csv").write_bytes(b"autre chose")
    assert root.find("dgfip/{year}.csv", 2024)[0].token != before


def test_a_root_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RootError, match="introuvable"):
        ExportsRoot(str(tmp_path / "absent"))
    (tmp_path / "fichier").touch()
    with pytest.raises(RootError, match="introuvable"):
        ExportsRoot(str(tmp_path / "fichier"))


@pytest.mark.parametrize(
    "url",
    [
        "memory://compte:SECRET@absent",
        "memory://absent/dossier?sig=SECRET",
        "inconnu://compte:SEC@RET@hote/dossier?jeton=SECRET",
    ],
)
def test_credentials_are_not_shown(url):
    with pytest.raises(RootError) as error:
        ExportsRoot(url)
    assert "SECRET" not in str(error.value)
    assert "RET@" not in str(error.value)


class Counted(ExportsRoot):
    """A root that counts what is read."""

    reads = 0

    def chunks(self, path):
        self.reads += 1
        return super().chunks(path)


@pytest.fixture
def root(folder):
    return Counted(str(folder))


@pytest.fixture
def kept(tmp_path):
    return Archive(tmp_path / "archive")


def receive(kept, root, now=NOW):
    (file,) = root.find("dgfip/{year}.csv", 2024)
    return kept.receive(root, file, now)


def manifest(kept):
    return [json.loads(path.read_text()) for path in sorted((kept.folder / "manifeste").iterdir())]


def test_a_new_file_is_kept_by_its_content(kept, root):
    received = receive(kept, root)
    sha256 = hashlib.sha256(b"dgfip/2024.csv").hexdigest()
    assert (received.path, received.sha256, received.size) == ("dgfip/2024.csv", sha256, 14)
    assert (received.news, received.before) == ("nouveau", None)
    assert kept.content(sha256) == b"dgfip/2024.csv"
    assert manifest(kept) == [
        {
            "vu_le": "2025-03-01T02:00:00+00:00",
            "path": "dgfip/2024.csv",
            "sha256": sha256,
            "size": 14,
            "news": "nouveau",
            "before": None,
        }
    ]


def test_a_file_seen_before_is_not_read_again(kept, root):
    first = receive(kept, root)
    again = receive(kept, root)
    assert root.reads == 1
    assert (again.news, again.sha256, again.size) == ("inchangé", first.sha256, first.size)
    assert len(manifest(kept)) == 1


def test_a_touched_file_is_read_but_is_no_news(kept, root, folder):
    receive(kept, root)
    os.utime(folder / "dgfip/2024.csv", (1, 1))
    assert receive(kept, root).news == "inchangé"
    assert root.reads == 2
    assert receive(kept, root).news == "inchangé"
    assert root.reads == 2
    assert len(manifest(kept)) == 1


def test_a_changed_file_is_news_and_the_former_one_is_kept(kept, root, folder):
    first = receive(kept, root)
    (folder / "dgfip/2024.csv").write_bytes(b"suite")
    changed = receive(kept, root, NOW + datetime.timedelta(days=1))
    assert (changed.news, changed.before) == ("modifié", first.sha256)
    assert kept.content(first.sha256) == b"dgfip/2024.csv"
    assert kept.content(changed.sha256) == b"suite"
    (folder / "dgfip/2024.csv").write_bytes(b"dgfip/2024.csv")
    back = receive(kept, root, NOW + datetime.timedelta(days=2))
    assert (back.news, back.before, back.sha256) == ("modifié", changed.sha256, first.sha256)
    assert [line["news"] for line in manifest(kept)] == ["nouveau", "modifié", "modifié"]


def test_the_same_content_is_kept_once(kept, root, folder):
    receive(kept, root)
    (folder / "dgfip/bis.csv").write_bytes(b"dgfip/2024.csv")
    (twin,) = root.find("dgfip/bis.csv", 2024)
    assert kept.receive(root, twin, NOW).news == "nouveau"
    assert len([path for path in kept.folder.rglob("*") if len(path.name) == 64]) == 1


def test_roots_are_told_apart(kept, root, memory):
    receive(kept, root)
    other = ExportsRoot(memory)
    (file,) = other.find("caf/enquete-{year}.csv", 2024)
    assert kept.receive(other, file, NOW).news == "nouveau"
    assert kept.receive(other, file, NOW).news == "inchangé"


def test_a_content_lost_is_read_again(kept, root):
    received = receive(kept, root)
    place = kept.folder / received.sha256[:2] / received.sha256
    place.unlink()
    assert receive(kept, root).news == "inchangé"
    assert root.reads == 2
    assert kept.content(received.sha256) == b"dgfip/2024.csv"


def test_a_damaged_content_is_told(kept, root):
    received = receive(kept, root)
    place = kept.folder / received.sha256[:2] / received.sha256
    place.chmod(0o644)
    place.write_bytes(b"autre")
    with pytest.raises(ValueError, match="archive abîmée"):
        kept.content(received.sha256)


@pytest.mark.parametrize("touched", [False, True])
def test_a_damaged_content_heals_when_it_is_received_again(kept, root, folder, touched):
    """Damaged at the same size, which nothing but its sha256 tells; the source didn't change since, or its date did."""
    received = receive(kept, root)
    place = kept.folder / received.sha256[:2] / received.sha256
    place.chmod(0o644)
    place.write_bytes(b"dgfip/2025.csv")
    if touched:
        os.utime(folder / "dgfip/2024.csv", (1, 1))
    else:
        with pytest.raises(DamagedArchiveError, match="archive abîmée"):
            kept.path(received.sha256)
    assert receive(kept, root).news == "inchangé"
    assert kept.content(received.sha256) == b"dgfip/2024.csv"


def test_a_lost_content_is_taken_again_from_where_it_was(kept, root, folder):
    received = receive(kept, root)
    place = kept.folder / received.sha256[:2] / received.sha256
    place.unlink()
    with pytest.raises(DamagedArchiveError):
        kept.path(received.sha256)
    assert kept.take_again(root, received.path, received.sha256)
    assert kept.content(received.sha256) == b"dgfip/2024.csv"
    place.unlink()
    (folder / "dgfip/2024.csv").write_bytes(b"autre chose")
    assert not kept.take_again(root, received.path, received.sha256)


def test_a_crash_leaves_no_half_content(kept, root, monkeypatch):
    def crash(*_):
        raise OSError("disque plein")

    monkeypatch.setattr(archive.os, "getpid", lambda: 1)
    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.replace", crash)
        with pytest.raises(OSError, match="plein"):
            receive(kept, root)
    assert receive(kept, root).news == "nouveau"
