"""Outputs on storages are saved in the same one verified file as folders, and put back with nothing seen half there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assets.backup import BackupError, back_up, check
from assets.backup_outputs import ASIDE, StorageOutput, output_to_save
from assets.restoring import InterruptedRestoreError, restore
from pipelines.flow.manifests import contents_of
from pipelines.flow.shared_store import SharedStore
from pipelines.flow.store import write_json
from pipelines.operations.instance_place import InstancePlace
from pipelines.read import Shelf

ROOMS = ("archive", "contents", "sets", "releases", "catalogue")


def written(url: str) -> SharedStore:
    """Write a network-year, what is remembered of a file judged, a release and the catalogue; save it all."""
    store = SharedStore(url)
    folder = store.network_year("caf", 2024)
    write_json(folder / "reception.json", "reçu")
    store.save_network_year("caf", 2024, "raw")
    store.archive.keep(b"un fichier")
    store.judged.mkdir(parents=True)
    (store.judged / "abc.parquet").write_bytes(b"tres gros")
    write_json(store.judged / "abc.json", "jugement")
    store.save_judged("abc")
    release = store.releases / "jeu" / "1.0.0"
    release.mkdir(parents=True)
    (release / "resultats.csv").write_bytes(b"annee;valeur\n" * 100_000)
    (release / "SHA256SUMS").write_bytes(b"sommes")
    store.save_release("jeu", "1.0.0")
    store.catalogue.mkdir()
    (store.catalogue / "index.html").write_bytes(b"catalogue")
    store.save_catalogue()
    Shelf(url).write("contents/00/00aa.csv", b"que plus rien ne nomme")
    return store


@pytest.fixture
def place(tmp_path) -> InstancePlace:
    state = tmp_path / "etat"
    state.mkdir()
    (state / "journal.txt").write_text("instance", encoding="utf-8")
    return InstancePlace(state, None)


def objects(url: str) -> dict[str, bytes]:
    shelf = Shelf(url)
    return {name: shelf.read(name) or b"" for room in ROOMS for name in shelf.names(room)}


def put_back(saved: Path, url: str, tmp_path: Path, **options: bool) -> None:
    restore(saved, output_to_save(url), InstancePlace(tmp_path / "autre", None), **options)


def test_what_was_saved_is_put_back_without_what_is_made_again(shelf_url, place, tmp_path):
    written(shelf_url)
    before = objects(shelf_url)
    saved = back_up(tmp_path / "x.tar.zst", output_to_save(shelf_url), place).path
    names = list(check(saved)["fichiers"])
    assert names[-1].startswith("output/sets/"), "once the lists of sets are there, all of each is"
    put_back(saved, f"{shelf_url}-2", tmp_path)
    after = objects(f"{shelf_url}-2")
    assert {name for name in before if name not in after} == {
        "contents/00/00aa.csv", "sets/judged/abc.json",
        *(name for name in before if before[name] in (b"tres gros", b'"jugement"')),
    }  # fmt: skip
    assert all(before[name] == content for name, content in after.items())
    assert (tmp_path / "autre" / "journal.txt").read_text(encoding="utf-8") == "instance"
    assert (SharedStore(f"{shelf_url}-2").bring_release("jeu", "1.0.0") / "resultats.csv").stat().st_size == 1_300_000


def test_a_place_that_holds_something_is_left_alone_or_set_aside(shelf_url, place, tmp_path):
    written(shelf_url)
    saved = back_up(tmp_path / "x.tar.zst", output_to_save(shelf_url), place).path
    SharedStore(shelf_url).archive.keep(b"venu ensuite")
    before = objects(shelf_url)
    with pytest.raises(BackupError, match="la sortie n'est pas vide"):
        put_back(saved, shelf_url, tmp_path)
    assert objects(shelf_url) == before
    put_back(saved, shelf_url, tmp_path, replace=True)
    assert b"venu ensuite" not in objects(shelf_url).values()
    shelf = Shelf(shelf_url)
    aside = {name.split("/", 2)[2]: shelf.read(name) for name in shelf.names(ASIDE)}
    assert aside == before
    again = back_up(tmp_path / "y.tar.zst", output_to_save(shelf_url), place)
    assert not any(ASIDE in name for name in again.manifest["fichiers"])


def test_a_damaged_backup_or_one_of_a_folder_changes_nothing(tmp_path, place):
    url = f"memory://{tmp_path.name}/sortie"
    written(url)
    before = objects(url)
    saved = back_up(tmp_path / "x.tar.zst", output_to_save(url), place).path
    cut = tmp_path / "coupee.tar.zst"
    cut.write_bytes(saved.read_bytes()[:-200])
    (tmp_path / "dossier").mkdir()
    folder = back_up(tmp_path / "z.tar.zst", output_to_save(str(tmp_path / "dossier")), place).path
    for wrong, told in ((cut, "ne se lit pas jusqu'au bout"), (folder, "sortie de genre « dossier »")):
        with pytest.raises(BackupError, match=told):
            put_back(wrong, url, tmp_path, replace=True)
        assert objects(url) == before
    with pytest.raises(BackupError, match="sortie de genre « stockage »"):
        put_back(saved, str(tmp_path / "ailleurs"), tmp_path)
    assert not any((tmp_path / "ailleurs").iterdir())


def test_a_storage_that_fails_is_told_and_shows_nothing_half_there(tmp_path, place, monkeypatch):
    url = f"memory://{tmp_path.name}/sortie"
    written(url)
    saved = back_up(tmp_path / "x.tar.zst", output_to_save(url), place).path
    send: Callable[[Shelf, str, Path], None] = Shelf.send

    def failing(self: Shelf, name: str, path: Path) -> None:
        if name.startswith("sets/"):
            raise ConnectionResetError("coupé")
        send(self, name, path)

    with monkeypatch.context() as down, pytest.raises(InterruptedRestoreError, match="--replace"):
        down.setattr(Shelf, "send", failing)
        put_back(saved, f"{url}-2", tmp_path)
    assert not SharedStore(f"{url}-2").network_year("caf", 2024).exists()
    assert not (tmp_path / "autre" / "journal.txt").exists()
    put_back(saved, f"{url}-2", tmp_path, replace=True)
    assert SharedStore(f"{url}-2").network_year("caf", 2024).exists()
    with monkeypatch.context() as down, pytest.raises(BackupError, match="le stockage a failli sur archive/"):
        down.setattr(Shelf, "fetch", lambda *_: (_ for _ in ()).throw(PermissionError("refusé")))
        back_up(tmp_path / "y.tar.zst", StorageOutput(url), place)
    assert not list(tmp_path.glob("*y.tar*"))


def test_what_is_written_meanwhile_leaves_no_list_without_its_contents(tmp_path):
    url = f"memory://{tmp_path.name}/sortie"
    store = written(url)
    saved = StorageOutput(url).files(tmp_path)
    first, _ = next(saved)
    write_json(store.network_year("caf", 2024) / "reception.json", "reçu ensuite")
    store.save_network_year("caf", 2024, "raw")
    found = {first: b"", **{name: path.read_bytes() for name, path in saved}}
    lists = [content for name, content in found.items() if name.startswith("sets/networks/")]
    assert lists
    assert contents_of(lists) <= found.keys()
