"""An output that several machines share: what is saved is seen whole by the others, what is not is not seen at all."""

from __future__ import annotations

import datetime
import json

import pytest

from pipelines.flow.manifests import DamagedContentError
from pipelines.flow.shared_store import SharedStore, open_store
from pipelines.flow.store import AlreadyReleasedError, Store, read_json, write_json
from pipelines.mechanics.files import write_whole
from pipelines.read import DamagedArchiveError, ExportsRoot, ObjectStore

NOW = datetime.datetime(2025, 3, 1, 2, 0, tzinfo=datetime.UTC)
STAGES = ("raw", "observations", "results")


def write_stages(store: Store, mark: str) -> None:
    """Write what the three stages leave of a network and year."""
    folder = store.network_year("caf", 2024)
    write_json(folder / "reception.json", mark)
    write_json(folder / "report.json", mark)
    write_whole(folder / "avis-lettre.html", mark.encode())
    write_whole(folder / "avis-lignes-refusees.xlsx", mark.encode())
    write_whole(folder / "observations" / "avis.parquet", mark.encode())
    write_json(folder / "results.json", mark)
    write_whole(folder / "results.parquet", mark.encode())


def save_stages(store: Store, mark: str) -> None:
    write_stages(store, mark)
    for stage in STAGES:
        store.save_network_year("caf", 2024, stage)


def seen(store: Store) -> list[object]:
    folder = store.network_year("caf", 2024)
    typed = store.observations("caf", 2024) / "avis.parquet"
    return [read_json(folder / f"{name}.json") for name in ("reception", "report", "results")] + [
        path.read_text() if path.exists() else None for path in (folder / "results.parquet", typed)
    ]


def test_the_kind_of_place_chooses_the_store(tmp_path):
    assert type(open_store(str(tmp_path))) is Store
    assert type(open_store(f"file://{tmp_path}")) is SharedStore


def test_what_is_saved_is_seen_by_another_and_nothing_before(storage_url):
    writer = SharedStore(storage_url)
    write_stages(writer, "un")
    assert seen(SharedStore(storage_url)) == [None] * 5
    for stage in STAGES:
        writer.save_network_year("caf", 2024, stage)
    reader = SharedStore(storage_url)
    folder = reader.network_year("caf", 2024)
    assert not (folder / "observations").exists(), "typed rows are brought when they are asked for"
    assert not (folder / "avis-lignes-refusees.xlsx").exists()
    assert (folder / "avis-lettre.html").read_text() == "un"
    assert seen(reader) == ["un"] * 5


def test_each_stage_is_saved_alone(storage_url):
    save_stages(SharedStore(storage_url), "un")
    again = SharedStore(storage_url)
    write_stages(again, "deux")
    again.save_network_year("caf", 2024, "observations")
    assert seen(SharedStore(storage_url)) == ["un", "deux", "un", "un", "deux"]


def test_a_file_that_is_no_longer_there_is_gone_for_the_others(storage_url):
    save_stages(SharedStore(storage_url), "un")
    again = SharedStore(storage_url)
    (again.network_year("caf", 2024) / "avis-lettre.html").unlink()
    again.save_network_year("caf", 2024, "observations")
    other = SharedStore(storage_url)
    assert (other.network_year("caf", 2024) / "report.json").exists()
    assert not (other.network_year("caf", 2024) / "avis-lettre.html").exists()


def test_another_writer_changes_nothing_under_a_step(storage_url):
    save_stages(SharedStore(storage_url), "un")
    reader = SharedStore(storage_url)
    reader.bring([("caf", 2024), ("caf", 2023)])
    save_stages(SharedStore(storage_url), "deux")
    assert seen(reader) == ["un"] * 5
    assert seen(SharedStore(storage_url)) == ["deux"] * 5


class Killed(BaseException):
    """A process that is killed: nothing catches it."""


class Dying(ObjectStore):
    """A storage whose user dies at a given write."""

    left = 0

    def _count(self) -> None:
        if not Dying.left:
            raise Killed
        Dying.left -= 1

    def write(self, name, content):
        self._count()
        super().write(name, content)

    def send(self, name, path):
        self._count()
        super().send(name, path)


def test_a_worker_killed_at_any_write_leaves_the_former_set_or_the_new_one(tmp_path, monkeypatch):
    for writes in range(20):
        url = f"memory://{tmp_path.name}-{writes}"
        save_stages(SharedStore(url), "un")
        store = SharedStore(url)
        write_stages(store, "deux")
        with monkeypatch.context() as patched:
            patched.setattr(Dying, "left", writes)
            patched.setattr(store._sets, "storage", Dying(url))
            try:
                store.save_network_year("caf", 2024, "observations")
                whole = True
            except Killed:
                whole = False
        _, report, _, _, rows = seen(SharedStore(url))
        assert report == rows == ("deux" if whole else "un")
        if whole:
            break
        save_stages(SharedStore(url), "trois")  # the step is run again
        assert seen(SharedStore(url)) == ["trois"] * 5
    assert writes > 1
    assert whole


def test_the_same_contents_are_sent_once(storage_url, monkeypatch):
    save_stages(SharedStore(storage_url), "un")
    again = SharedStore(storage_url)
    with monkeypatch.context() as patched:
        patched.setattr(Dying, "left", 0)
        patched.setattr(again._sets, "storage", Dying(storage_url))
        again.network_year("caf", 2024)
        save_stages(again, "un")  # the same: nothing is sent, no list is written
    assert seen(SharedStore(storage_url)) == ["un"] * 5


def test_a_damaged_content_is_told(storage_url):
    save_stages(SharedStore(storage_url), "un")
    storage = ObjectStore(storage_url)
    listed = json.loads(storage.read("sets/networks/caf/2024/results.json"))
    sha256, size = listed["results.parquet"]
    storage.write(f"contents/{sha256[:2]}/{sha256}.parquet", b"x" * size)
    with pytest.raises(DamagedContentError, match=r"contenu abîmé.*results\.parquet"):
        SharedStore(storage_url).network_year("caf", 2024)


def test_a_judgement_is_remembered_by_all(storage_url):
    store = SharedStore(storage_url)
    store.bring_judged("clef")
    write_json(store.judged / "clef.json", "vu")
    write_whole(store.judged / "clef.parquet", b"lignes")
    store.save_judged("clef")
    other = SharedStore(storage_url)
    assert not other.judged.exists()
    other.bring_judged("clef")
    assert (read_json(other.judged / "clef.json"), (other.judged / "clef.parquet").read_bytes()) == ("vu", b"lignes")


def test_a_room_is_brought_and_saved_as_a_whole(storage_url):
    store = SharedStore(storage_url)
    write_json(store.national / "a" / "tables.json", "un")
    write_json(store.room("work/nuits") / "2025-03-01.json", "nuit")
    store.save_room(store.national)
    other = SharedStore(storage_url)
    assert read_json(other.national / "a" / "tables.json") == "un"
    assert not other.room("work/nuits").exists()
    store.save_room(store.room("work/nuits"))
    another = SharedStore(storage_url)
    assert read_json(another.room("work/nuits") / "2025-03-01.json") == "nuit"


def release(store: Store, version: str, mark: str = "") -> None:
    folder = store.releases / "jeu" / version
    for name in ("resultats.csv", "resultats.parquet", "datapackage.json", "SHA256SUMS"):
        write_whole(folder / name, f"{version} {name} {mark}".encode())
    store.save_release("jeu", version)


def test_releases_are_whole_for_the_latest_and_named_for_the_others(storage_url):
    store = SharedStore(storage_url)
    for version in ("1.9.0", "1.10.0"):
        release(store, version)
    reader = SharedStore(storage_url)
    home = reader.releases / "jeu"
    assert sorted(path.name for path in home.iterdir()) == ["1.10.0", "1.9.0"]
    assert (home / "1.10.0" / "resultats.csv").read_text() == "1.10.0 resultats.csv "
    assert (home / "1.9.0" / "resultats.parquet").read_text() == "1.9.0 resultats.parquet "
    assert "resultats.csv" in [path.name for path in (home / "1.9.0").iterdir()]
    assert not (home / "1.9.0" / "resultats.csv").exists(), "named, not brought"
    assert (reader.bring_release("jeu", "1.9.0") / "resultats.csv").read_text() == "1.9.0 resultats.csv "


def test_of_two_writers_of_a_version_one_is_refused(storage_url):
    one, two, same = (SharedStore(storage_url) for _ in range(3))
    for store in (one, two, same):
        assert not list(store.releases.glob("*/*"))
    release(one, "1.0.0", "un")
    release(same, "1.0.0", "un")  # the same content: it is there, that is all
    with pytest.raises(AlreadyReleasedError, match=r"1\.0\.0"):
        release(two, "1.0.0", "deux")
    other = SharedStore(storage_url)
    assert (other.releases / "jeu/1.0.0/resultats.csv").read_text().endswith("un")


def test_people_find_plain_copies(storage_url):
    store, storage = SharedStore(storage_url), ObjectStore(storage_url)
    release(store, "1.0.0")
    write_whole(store.catalogue / "index.html", b"page")
    write_whole(store.catalogue / "jeu" / "latest" / "ancien.csv", b"1.0.0")
    store.save_catalogue()
    assert storage.read("releases/jeu/1.0.0/resultats.csv") == b"1.0.0 resultats.csv "
    assert storage.read("catalogue/index.html") == b"page"
    later = SharedStore(storage_url)
    assert (later.catalogue / "index.html").read_text() == "page"
    release(later, "1.1.0")
    write_whole(later.catalogue / "jeu" / "latest" / "nouveau.csv", b"1.1.0")
    later.save_catalogue()
    assert storage.names("catalogue") == ["catalogue/index.html", "catalogue/jeu/latest/nouveau.csv"]
    assert storage.read("releases/jeu/1.0.0/SHA256SUMS") == b"1.0.0 SHA256SUMS "
    assert storage.read("releases/jeu/1.1.0/SHA256SUMS") == b"1.1.0 SHA256SUMS "


def test_what_one_machine_receives_another_reads(storage_url, tmp_path):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "2024.csv").write_bytes(b"a;b\r\n1;2\r\n")
    root = ExportsRoot(str(tmp_path / "exports"))
    (file,) = root.find("{year}.csv", 2024)
    received = SharedStore(storage_url).archive.receive(root, file, NOW)
    assert received.news == "nouveau"
    assert SharedStore(storage_url).archive.content(received.sha256) == b"a;b\r\n1;2\r\n"
    again = SharedStore(storage_url).archive.receive(root, file, NOW)
    assert (again.news, again.sha256) == ("inchangé", received.sha256)
    storage = ObjectStore(storage_url)
    (line,) = storage.names("archive/manifeste")
    assert json.loads(storage.read(line))["sha256"] == received.sha256
    with pytest.raises(DamagedArchiveError):
        SharedStore(storage_url).archive.path("0" * 64)
    name = f"archive/{received.sha256[:2]}/{received.sha256}"
    for damaged in (b"autre", b"a;b\r\n1;3\r\n"):  # of another size, then of the same
        storage.write(name, damaged)
        with pytest.raises(ValueError, match="archive abîmée"):
            SharedStore(storage_url).archive.path(received.sha256)
        assert SharedStore(storage_url).archive.receive(root, file, NOW).news == "inchangé"
        assert SharedStore(storage_url).archive.content(received.sha256) == b"a;b\r\n1;2\r\n"
    here = SharedStore(storage_url).archive
    here.path(received.sha256).chmod(0o644)
    here.path(received.sha256).write_bytes(b"a;b\r\n1;4\r\n")  # this machine's copy alone
    assert here.content(received.sha256) == storage.read(name) == b"a;b\r\n1;2\r\n"


def test_addresses_lead_to_what_is_saved(storage_url):
    store, storage = SharedStore(storage_url), ObjectStore(storage_url)
    save_stages(store, "un")
    address = store.address(store.network_year("caf", 2024) / "avis-lettre.html")
    assert address.endswith(".html")
    assert storage.read(address.removeprefix(f"{storage.url}/")) == b"un"
    release(store, "1.0.0")
    assert store.address(store.releases / "jeu" / "1.0.0") == f"{storage.url}/releases/jeu/1.0.0"


def test_the_scratch_folder_leaves_no_trace(tmp_path):
    store = SharedStore(f"file://{tmp_path}/partage", tmp_path)
    save_stages(store, "un")
    assert len(list(tmp_path.iterdir())) == 2
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["partage"]
