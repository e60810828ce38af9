"""An output that several machines share: what is saved is seen whole by the others, what is not is not seen at all."""

from __future__ import annotations

import datetime
import json
import shutil
import tempfile

import pytest

from pipelines.flow.manifests import DamagedContentError
from pipelines.flow.state import Reception, Results, YearVerdict
from pipelines.flow.store import AlreadyReleasedError, Store
from pipelines.flow.stored_files import read_shaped, write_json
from pipelines.mechanics.files import write_whole
from pipelines.read import DamagedArchiveError, ExportsRoot, ObjectStore

NOW = datetime.datetime(2025, 3, 1, 2, 0, tzinfo=datetime.UTC)
STAGES = ("raw", "observations", "results")


FILES = {
    "raw": (),
    "observations": ("avis-lettre.html", "avis-lignes-refusees.xlsx", "observations/avis.parquet"),
    "results": ("results.parquet",),
}


def record(stage: str, mark: str) -> Reception | YearVerdict | Results:
    if stage == "raw":
        return Reception(fingerprint=mark)
    if stage == "observations":
        return YearVerdict(fingerprint=mark, reception=mark, exports={})
    return Results(fingerprint=mark, verdict=mark, declarations=mark)


def write_files(store: Store, mark: str, stages: tuple[str, ...] = STAGES) -> None:
    """Write what stages leave of a network and year, but for their records."""
    folder = store.network_year("caf", 2024)
    for stage in stages:
        for name in FILES[stage]:
            write_whole(folder / name, mark.encode())


def save_stages(store: Store, mark: str, stages: tuple[str, ...] = STAGES) -> None:
    for stage in stages:
        write_files(store, mark, (stage,))
        store.write("caf", 2024, record(stage, mark))


def seen(store: Store) -> list[object]:
    known = store.read("caf", 2024)
    typed = store.observations("caf", 2024) / "avis.parquet"
    files = [store.network_year("caf", 2024) / "results.parquet", typed]
    return [item and item.fingerprint for item in (known.reception, known.verdict, known.results)] + [
        path.read_text() if path.exists() else None for path in files
    ]


@pytest.fixture(params=["folder", "file", "memory"])
def place(request, tmp_path):
    """An empty output: a folder, or a URL."""
    urls = {"file": f"file://{tmp_path}/partage", "memory": f"memory://{tmp_path.name}/sortie"}
    return urls.get(request.param, str(tmp_path / "sortie"))


def test_what_is_saved_is_seen_by_another(place):
    save_stages(Store(place), "un")
    assert seen(Store(place)) == ["un"] * 5
    save_stages(Store(place), "deux", ("observations",))
    assert seen(Store(place)) == ["un", "deux", "un", "un", "deux"]
    assert [known.verdict.fingerprint for known in Store(place).read_all([("caf", 2024)])] == ["deux"]


def test_a_folder_is_worked_on_where_it_is(tmp_path):
    store = Store(tmp_path)
    save_stages(store, "un")
    release(store, "1.0.0")
    with store.writing("catalogue", "work/national") as (catalogue, national):
        write_whole(catalogue / "jeu" / "dataset.json", b"{}")
        write_whole(national / "tables.json", b"{}")
    store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["catalogue", "releases", "work"]


def test_a_revision_is_beside_what_stands(place):
    store = Store(place)
    save_stages(store, "un")
    save_stages(store.proposals, "deux")
    other = Store(place)
    assert (seen(other), seen(other.proposals)) == (["un"] * 5, ["deux"] * 5)
    shutil.rmtree(other.proposals.network_year("caf", 2024))
    other.proposals.save_network_year("caf", 2024)
    assert seen(Store(place).proposals) == [None] * 5


def test_nothing_is_seen_before_the_record(storage_url):
    writer = Store(storage_url)
    write_files(writer, "un")
    assert seen(Store(storage_url)) == [None] * 5
    save_stages(writer, "un")
    reader = Store(storage_url)
    folder = reader.network_year("caf", 2024)
    assert not (folder / "observations").exists(), "typed rows are brought when they are asked for"
    assert not (folder / "avis-lignes-refusees.xlsx").exists()
    assert (folder / "avis-lettre.html").read_text() == "un"
    assert seen(reader) == ["un"] * 5


def test_each_stage_is_saved_alone(storage_url):
    save_stages(Store(storage_url), "un")
    again = Store(storage_url)
    write_files(again, "deux")
    again.write("caf", 2024, record("observations", "deux"))
    assert seen(Store(storage_url)) == ["un", "deux", "un", "un", "deux"]


def test_a_file_that_is_no_longer_there_is_gone_for_the_others(storage_url):
    save_stages(Store(storage_url), "un")
    again = Store(storage_url)
    (again.network_year("caf", 2024) / "avis-lettre.html").unlink()
    again.write("caf", 2024, record("observations", "un"))
    other = Store(storage_url)
    assert (other.network_year("caf", 2024) / "report.json").exists()
    assert not (other.network_year("caf", 2024) / "avis-lettre.html").exists()


def test_another_writer_changes_nothing_under_a_step(storage_url):
    save_stages(Store(storage_url), "un")
    reader = Store(storage_url)
    reader.read_all([("caf", 2024), ("caf", 2023)])
    save_stages(Store(storage_url), "deux")
    assert seen(reader) == ["un"] * 5
    assert seen(Store(storage_url)) == ["deux"] * 5


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
        save_stages(Store(url), "un")
        store = Store(url)
        write_files(store, "deux")
        with monkeypatch.context() as patched:
            patched.setattr(Dying, "left", writes)
            patched.setattr(store._sets, "storage", Dying(url))
            try:
                store.write("caf", 2024, record("observations", "deux"))
                whole = True
            except Killed:
                whole = False
        _, report, _, _, rows = seen(Store(url))
        assert report == rows == ("deux" if whole else "un")
        if whole:
            break
        save_stages(Store(url), "trois")  # the step is run again
        assert seen(Store(url)) == ["trois"] * 5
    assert writes > 1
    assert whole


def test_the_same_contents_are_sent_once(storage_url, monkeypatch):
    save_stages(Store(storage_url), "un")
    again = Store(storage_url)
    with monkeypatch.context() as patched:
        patched.setattr(Dying, "left", 0)
        patched.setattr(again._sets, "storage", Dying(storage_url))
        again.network_year("caf", 2024)
        save_stages(again, "un")  # the same: nothing is sent, no list is written
    assert seen(Store(storage_url)) == ["un"] * 5


def test_a_damaged_content_is_told(storage_url):
    save_stages(Store(storage_url), "un")
    storage = ObjectStore(storage_url)
    listed = json.loads(storage.read("sets/networks/caf/2024/results.json"))
    sha256, size = listed["results.parquet"]
    storage.write(f"contents/{sha256[:2]}/{sha256}.parquet", b"x" * size)
    with pytest.raises(DamagedContentError, match=r"contenu abîmé.*results\.parquet"):
        Store(storage_url).network_year("caf", 2024)


def test_a_judgement_is_remembered_by_all(place):
    store = Store(place)
    assert store.recall("clef", Results) is None
    write_whole(store.judged / "clef.parquet", b"lignes")
    store.remember("clef", record("results", "vu"))
    other = Store(place)
    assert other.recall("clef", Results) == record("results", "vu")
    assert (other.judged / "clef.parquet").read_bytes() == b"lignes"


def test_a_room_is_brought_and_saved_as_a_whole(place):
    with Store(place).writing("work/national", "targets") as (national, targets):
        write_json(national / "a" / "tables.json", "un")
        write_json(targets / "demo.json", "deux")
    other = Store(place)
    assert read_shaped(other.national / "a" / "tables.json", str) == "un"
    assert read_shaped(other.room("targets") / "demo.json", str) == "deux"


def test_what_is_cut_short_is_saved_only_where_asked(storage_url):
    for room, even_cut_short in (("work/national", False), ("targets", True)):
        with (
            pytest.raises(KeyboardInterrupt),
            Store(storage_url).writing(room, even_cut_short=even_cut_short) as (folder,),
        ):
            write_json(folder / "a.json", "coupé")
            raise KeyboardInterrupt
    other = Store(storage_url)
    assert read_shaped(other.national / "a.json", str) is None
    assert read_shaped(other.room("targets") / "a.json", str) == "coupé"


def test_small_files_are_kept_for_all(place):
    Store(place).keep("work/nuits/latest.json", {"nuit": "2025-03-01"})
    Store(place).keep_text("work/nuits/2025-03-01.md", "# Nuit")
    other = Store(place)
    assert other.load("work/nuits/latest.json", dict[str, str]) == {"nuit": "2025-03-01"}
    assert other.load("work/nuits/latest.json", list[str]) is None, "not of that shape: as if never written"
    assert other.load("work/nuits/other.json", dict[str, str]) is None
    assert other.file("work/nuits/2025-03-01.md").read_text() == "# Nuit"


def release(store: Store, version: str, mark: str = "") -> None:
    with store.releasing("jeu") as releases:
        for name in ("resultats.csv", "resultats.parquet", "datapackage.json", "SHA256SUMS"):
            write_whole(releases / "jeu" / version / name, f"{version} {name} {mark}".encode())


def test_releases_are_whole_for_the_latest_and_named_for_the_others(storage_url):
    store = Store(storage_url)
    for version in ("1.9.0", "1.10.0"):
        release(store, version)
    reader = Store(storage_url)
    home = reader.releases / "jeu"
    assert sorted(path.name for path in home.iterdir()) == ["1.10.0", "1.9.0"]
    assert (home / "1.10.0" / "resultats.csv").read_text() == "1.10.0 resultats.csv "
    assert (home / "1.9.0" / "resultats.parquet").read_text() == "1.9.0 resultats.parquet "
    assert "resultats.csv" in [path.name for path in (home / "1.9.0").iterdir()]
    assert not (home / "1.9.0" / "resultats.csv").exists(), "named, not brought"
    assert (reader.release("jeu", "1.9.0") / "resultats.csv").read_text() == "1.9.0 resultats.csv "


def test_of_two_writers_of_a_version_one_is_refused(storage_url):
    one, two, same = (Store(storage_url) for _ in range(3))
    for store in (one, two, same):
        assert not list(store.releases.glob("*/*"))
    release(one, "1.0.0", "un")
    release(same, "1.0.0", "un")  # the same content: it is there, that is all
    with pytest.raises(AlreadyReleasedError, match=r"1\.0\.0"):
        release(two, "1.0.0", "deux")
    other = Store(storage_url)
    assert (other.releases / "jeu/1.0.0/resultats.csv").read_text().endswith("un")


def test_people_find_plain_copies(storage_url):
    store, storage = Store(storage_url), ObjectStore(storage_url)
    release(store, "1.0.0")
    with store.writing("catalogue") as (catalogue,):
        write_whole(catalogue / "jeu" / "dataset.json", b"{}")
        write_whole(catalogue / "jeu" / "latest" / "ancien.csv", b"1.0.0")
    assert storage.read("releases/jeu/1.0.0/resultats.csv") == b"1.0.0 resultats.csv "
    assert storage.read("catalogue/jeu/dataset.json") == b"{}"
    later = Store(storage_url)
    assert (later.catalogue / "jeu" / "dataset.json").read_text() == "{}"
    release(later, "1.1.0")
    with later.writing("catalogue") as (catalogue,):
        (catalogue / "jeu" / "latest" / "ancien.csv").unlink()  # as the target does
        write_whole(catalogue / "jeu" / "latest" / "nouveau.csv", b"1.1.0")
    assert storage.names("catalogue") == ["catalogue/jeu/dataset.json", "catalogue/jeu/latest/nouveau.csv"]
    assert storage.read("releases/jeu/1.0.0/SHA256SUMS") == b"1.0.0 SHA256SUMS "
    assert storage.read("releases/jeu/1.1.0/SHA256SUMS") == b"1.1.0 SHA256SUMS "


def test_what_one_machine_receives_another_reads(storage_url, tmp_path):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "2024.csv").write_bytes(b"a;b\r\n1;2\r\n")
    root = ExportsRoot(str(tmp_path / "exports"))
    (file,) = root.find("{year}.csv", 2024)
    received = Store(storage_url).archive.receive(root, file, NOW)
    assert received.news == "nouveau"
    assert Store(storage_url).archive.content(received.sha256) == b"a;b\r\n1;2\r\n"
    again = Store(storage_url).archive.receive(root, file, NOW)
    assert (again.news, again.sha256) == ("inchangé", received.sha256)
    storage = ObjectStore(storage_url)
    (line,) = storage.names("archive/manifeste")
    assert json.loads(storage.read(line))["sha256"] == received.sha256
    with pytest.raises(DamagedArchiveError):
        Store(storage_url).archive.path("0" * 64)
    name = f"archive/{received.sha256[:2]}/{received.sha256}"
    for damaged in (b"autre", b"a;b\r\n1;3\r\n"):  # of another size, then of the same
        storage.write(name, damaged)
        with pytest.raises(ValueError, match="archive abîmée"):
            Store(storage_url).archive.path(received.sha256)
        assert Store(storage_url).archive.receive(root, file, NOW).news == "inchangé"
        assert Store(storage_url).archive.content(received.sha256) == b"a;b\r\n1;2\r\n"
    here = Store(storage_url).archive
    here.path(received.sha256).chmod(0o644)
    here.path(received.sha256).write_bytes(b"a;b\r\n1;4\r\n")  # this machine's copy alone
    assert here.content(received.sha256) == storage.read(name) == b"a;b\r\n1;2\r\n"


def test_addresses_lead_to_what_is_saved(storage_url):
    store, storage = Store(storage_url), ObjectStore(storage_url)
    save_stages(store, "un")
    address = store.address(store.network_year("caf", 2024) / "avis-lettre.html")
    assert address.endswith(".html")
    assert storage.read(address.removeprefix(f"{storage.url}/")) == b"un"
    release(store, "1.0.0")
    assert store.address(store.releases / "jeu" / "1.0.0") == f"{storage.url}/releases/jeu/1.0.0"


def test_the_scratch_folder_leaves_no_trace(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = Store(f"file://{tmp_path}/partage")
    save_stages(store, "un")
    assert len(list(tmp_path.iterdir())) == 2
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["partage"]
