"""Objects on every storage at hand: memory, a shared disk, an S3 API. The same promises hold on each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.read import ObjectStore, RootError


def test_an_object_is_there_or_not(storage_url, tmp_path):
    storage = ObjectStore(storage_url)
    assert storage.read("a/b.json") is None
    assert storage.size("a/b.json") is None
    storage.write("a/b.json", b"un")
    assert (storage.read("a/b.json"), storage.size("a/b.json")) == (b"un", 2)
    storage.write("a/b.json", b"deux")
    assert ObjectStore(storage_url).read("a/b.json") == b"deux"
    with pytest.raises(FileNotFoundError):
        storage.fetch("a/c.json", tmp_path / "c")
    assert not (tmp_path / "c").exists()
    storage.remove("a/b.json")
    assert storage.read("a/b.json") is None


def test_files_go_and_come_back(storage_url, tmp_path):
    storage = ObjectStore(storage_url)
    content = bytes(range(256)) * 5000
    (tmp_path / "parti").write_bytes(content)
    storage.send("x/é è.bin", tmp_path / "parti")
    storage.copy("x/é è.bin", "y/copie")
    storage.fetch("y/copie", tmp_path / "revenu" / "ici")
    assert (tmp_path / "revenu" / "ici").read_bytes() == content
    assert [path.name for path in (tmp_path / "revenu").iterdir()] == ["ici"]


def test_names_and_contents_of_many(storage_url):
    storage = ObjectStore(storage_url)
    for name in ("s/b.json", "s/a.json", "s/t/c.json", "autre.json"):
        storage.write(name, name.encode())
    assert storage.names("s") == ["s/a.json", "s/b.json", "s/t/c.json"]
    assert storage.names("absent") == []
    assert storage.read_many(["s/a.json", "s/absent.json", "s/t/c.json"]) == {
        "s/a.json": b"s/a.json",
        "s/t/c.json": b"s/t/c.json",
    }
    assert storage.read_many([]) == {}
    assert storage.read_many(["s/absent.json"]) == {}


def test_of_many_creators_one_wins(storage_url):
    def create(number: int) -> bool:
        return ObjectStore(storage_url).create("versions/1.0.0.json", str(number).encode())

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(8)))
    assert won.count(True) == 1
    assert ObjectStore(storage_url).read("versions/1.0.0.json") == str(won.index(True)).encode()


def test_what_is_being_written_has_no_name_yet(tmp_path):
    storage = ObjectStore(f"file://{tmp_path}")
    storage.write("a/b", b"")
    (tmp_path / "a" / ".brouillon-c.1").write_bytes(b"coup")
    assert storage.names("a") == ["a/b"]


def test_a_storage_that_cannot_be_written_is_told_without_secrets(tmp_path):
    (tmp_path / "fichier").touch()
    with pytest.raises(RootError, match="impossible d'écrire"):
        ObjectStore(f"file://{tmp_path}/fichier").check()
    with pytest.raises(RootError) as error:
        ObjectStore("inconnu://compte:SECRET@hote/dossier")
    assert "SECRET" not in str(error.value)


def test_a_storage_that_can_be_written_is_left_as_it_was(storage_url):
    ObjectStore(storage_url).check()
    assert ObjectStore(storage_url).names("") == []
