"""Objects on every storage at hand: memory, a shared disk, an S3 API. The same promises hold on each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.read import RootError, Shelf


def test_an_object_is_there_or_not(shelf_url, tmp_path):
    shelf = Shelf(shelf_url)
    assert shelf.read("a/b.json") is None
    assert shelf.size("a/b.json") is None
    shelf.write("a/b.json", b"un")
    assert (shelf.read("a/b.json"), shelf.size("a/b.json")) == (b"un", 2)
    shelf.write("a/b.json", b"deux")
    assert Shelf(shelf_url).read("a/b.json") == b"deux"
    with pytest.raises(FileNotFoundError):
        shelf.fetch("a/c.json", tmp_path / "c")
    assert not (tmp_path / "c").exists()
    shelf.remove("a/b.json")
    assert shelf.read("a/b.json") is None


def test_files_go_and_come_back(shelf_url, tmp_path):
    shelf = Shelf(shelf_url)
    content = bytes(range(256)) * 5000
    (tmp_path / "parti").write_bytes(content)
    shelf.send("x/é è.bin", tmp_path / "parti")
    shelf.copy("x/é è.bin", "y/copie")
    shelf.fetch("y/copie", tmp_path / "revenu" / "ici")
    assert (tmp_path / "revenu" / "ici").read_bytes() == content
    assert [path.name for path in (tmp_path / "revenu").iterdir()] == ["ici"]


def test_names_and_contents_of_many(shelf_url):
    shelf = Shelf(shelf_url)
    for name in ("s/b.json", "s/a.json", "s/t/c.json", "autre.json"):
        shelf.write(name, name.encode())
    assert shelf.names("s") == ["s/a.json", "s/b.json", "s/t/c.json"]
    assert shelf.names("absent") == []
    assert shelf.read_many(["s/a.json", "s/absent.json", "s/t/c.json"]) == {
        "s/a.json": b"s/a.json",
        "s/t/c.json": b"s/t/c.json",
    }
    assert shelf.read_many([]) == {}
    assert shelf.read_many(["s/absent.json"]) == {}


def test_of_many_creators_one_wins(shelf_url):
    def create(number: int) -> bool:
        return Shelf(shelf_url).create("versions/1.0.0.json", str(number).encode())

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(8)))
    assert won.count(True) == 1
    assert Shelf(shelf_url).read("versions/1.0.0.json") == str(won.index(True)).encode()


def test_what_is_being_written_has_no_name_yet(tmp_path):
    shelf = Shelf(f"file://{tmp_path}")
    shelf.write("a/b", b"")
    (tmp_path / "a" / ".brouillon-c.1").write_bytes(b"coup")
    assert shelf.names("a") == ["a/b"]


def test_a_storage_that_cannot_be_written_is_told_without_secrets(tmp_path):
    (tmp_path / "fichier").touch()
    with pytest.raises(RootError, match="impossible d'écrire"):
        Shelf(f"file://{tmp_path}/fichier").check()
    with pytest.raises(RootError) as error:
        Shelf("inconnu://compte:SECRET@hote/dossier")
    assert "SECRET" not in str(error.value)


def test_a_storage_that_can_be_written_is_left_as_it_was(shelf_url):
    Shelf(shelf_url).check()
    assert Shelf(shelf_url).names("") == []
