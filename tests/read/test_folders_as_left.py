"""The exports folder as people and systems leave it: leftovers, other cases, Unicode forms, links, strangers."""

from __future__ import annotations

import io
import os
import unicodedata
import zipfile

import fsspec
import pytest

from pipelines.read import ExportsRoot
from pipelines.read.containers import unpack
from pipelines.read.listing import leftover
from pipelines.read.unexpected_files import look_at

LEFT = [
    "._actes-2024.csv", ".~lock.actes-2024.csv#", "~$actes-2024.csv", ".DS_Store", "Thumbs.db", "desktop.ini",
    "actes-2024.csv.tmp", "actes-2024.csv.part", "actes-2024.csv.partial", "actes-2024.csv.crdownload",
    "actes-2024.csv.filepart", ".actes-2024.csv.Xa3bQz", "actes-2024.csv~", "actes-2024.csv.bak",
    "actes-2024.sync-conflict-20250102-101112-ABCDEFG.csv", "actes-2024 (conflicted copy 2025-01-02 101112).csv",
    "actes-2024 (Copie en conflit de Jeanne 2025-01-02).csv", "actes-2024_conflict-20250102-101112.csv",
    "actes-2024-DESKTOP-A1B2C3D.csv", "actes-2024.csv.lnk",
]  # fmt: skip
HANDED = [
    "actes-2024.csv", "actes-2024 (1).csv", "conflits-2024.csv", "actes-2024-partie.csv", "temporaire-2024.csv",
    "Actes 2024 - DESKTOP.csv", "enquete-win-avril2024.csv", "actes-2024 (conflits).csv", "parties-2024.csv",
]  # fmt: skip


@pytest.fixture(params=["disk", "memory"])
def place(request, tmp_path):
    """A function that writes files below a root, and the URL of that root."""
    if request.param == "disk":

        def write(name, content=b"a;b\n"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)

        yield write, str(tmp_path)
        return
    filesystem = fsspec.filesystem("memory")
    yield (lambda name, content=b"a;b\n": filesystem.pipe(f"/laisse/{name}", content)), "memory://laisse"
    filesystem.rm("/laisse", recursive=True)


def found(url, pattern, year=2024):
    return [file.path for file in ExportsRoot(url).find(pattern, year)]


@pytest.mark.parametrize("name", LEFT)
def test_leftovers_are_known(name):
    assert leftover(name) is not None


@pytest.mark.parametrize("name", HANDED)
def test_what_is_handed_over_is_no_leftover(name):
    assert leftover(name) is None


def test_leftovers_match_no_wildcard(place):
    write, url = place
    for name in ["actes-2024.csv", *LEFT, "__MACOSX/actes-2024.csv", ".git/actes-2024.csv", "sous/actes-2024.csv"]:
        write(f"actes/{name}")
    assert found(url, "actes/*{year}*") == ["actes/actes-2024.csv"]
    assert found(url, "actes/**/*{year}*") == ["actes/actes-2024.csv", "actes/sous/actes-2024.csv"]
    assert found(url, "*/*") == ["actes/actes-2024.csv"]
    assert found(url, "actes/.DS_Store") == ["actes/.DS_Store"]  # declared by its name: it is wanted


def test_leftovers_of_archives_are_no_members():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("Export/actes.csv", "__MACOSX/Export/._actes.csv", "Export/.DS_Store", "Export/Thumbs.db",
                     "Export/~$actes.csv", "Export/.~lock.actes.csv#"):  # fmt: skip
            archive.writestr(name, name)
    for member in (None, "*.csv", "ACTES.csv"):
        sink = io.BytesIO()
        assert unpack(packed.getvalue(), "a.zip", member, sink) == "Export/actes.csv"
        assert sink.getvalue() == b"Export/actes.csv"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("declared", ["NFC", "NFD"])
@pytest.mark.parametrize("pattern", [
    "relevés/relevé-{year}.csv", "relevés/*{year}.csv", "rel?vés/relevé*", "**/relevé-{year}.csv",
])  # fmt: skip
def test_names_in_either_unicode_form(place, form, declared, pattern):
    write, url = place
    name = unicodedata.normalize(form, "relevés/relevé-2024.csv")
    write(name)
    assert found(url, unicodedata.normalize(declared, pattern)) == [name]


@pytest.mark.parametrize(("name", "pattern"), [
    ("appels/Appels-2024.XLSX", "appels/*2024.xlsx"), ("Appels/appels-2024.xlsx", "appels/appels-{year}.xlsx"),
    ("relevés/RELEVÉ-2024.csv", "relevés/relevé-{year}.csv"), ("a/B.CSV.GZ", "a/b.csv.gz"),
])  # fmt: skip
def test_another_case_is_found_and_told(place, name, pattern):
    write, url = place
    write(name)
    (file,) = ExportsRoot(url).find(pattern, 2024)
    assert file.path == name
    assert file.expected == pattern.replace("{year}", "2024")


def test_the_case_declared_comes_first_and_two_others_are_a_question(place):
    write, url = place
    write("a/actes.csv")
    write("a/Actes.csv")
    assert found(url, "a/actes.csv") == ["a/actes.csv"]
    assert found(url, "a/*.csv") == ["a/Actes.csv", "a/actes.csv"]
    (file,) = ExportsRoot(url).find("a/actes.csv", 2024)
    assert not file.expected
    write("b/ACTES.csv")
    write("b/Actes.csv")
    assert found(url, "b/actes.csv") == []
    folder = look_at(ExportsRoot(url).listing(), [("b/actes.csv", 2024)])
    assert {item.path for item in folder.unexpected if "b/actes.csv" in item.hint} == {"b/ACTES.csv", "b/Actes.csv"}


def test_what_nothing_expects_is_listed_with_what_it_looks_like(place):
    write, url = place
    for name in (
        "caf/enquete-2024.csv", "caf/enquete-2025.csv", "caf/enquête-2024.csv", "caf/enquete-2024 (1).csv",
        "caf/enquete-2024.ods", "divers/photo.png", "LISEZMOI.md", "caf/SOURCE.md", "caf/Thumbs.db",
        "caf/enquete-2023.sync-conflict-20250102-101112-ABCDEFG.csv", "caf/enquete-2024.csv.part",
    ):  # fmt: skip
        write(name)
    folder = look_at(ExportsRoot(url).listing(), [("caf/enquete-{year}.csv", 2023), ("caf/enquete-{year}.csv", 2024)])
    hints = {item.path: item.hint for item in folder.unexpected}
    assert set(hints) == {"caf/enquete-2025.csv", "caf/enquête-2024.csv", "caf/enquete-2024 (1).csv",
                          "caf/enquete-2024.ods", "divers/photo.png"}  # fmt: skip
    assert "année" in hints["caf/enquete-2025.csv"]
    assert "autre format" in hints["caf/enquete-2024.ods"]
    assert hints["divers/photo.png"] == ""
    assert folder.conflicts == ["caf/enquete-2023.sync-conflict-20250102-101112-ABCDEFG.csv"]
    assert folder.transfers == ["caf/enquete-2024.csv.part"]


@pytest.fixture
def linked(tmp_path):
    """Exports with links of every kind, and what they lead to."""
    outside, root = tmp_path / "ailleurs", tmp_path / "exports"
    (outside / "dossier").mkdir(parents=True)
    for name in ("secret-2024.csv", "dossier/actes-2024.csv"):
        (outside / name).write_bytes(b"secret")
    for name in ("un", "deux", "trois"):
        (root / name).mkdir(parents=True)
    (root / "un" / "actes-2024.csv").write_bytes(b"voisin")
    (root / "deux" / "actes-2024.csv").symlink_to(outside / "secret-2024.csv")
    (root / "trois" / "actes-2024.csv").symlink_to(root / "un" / "actes-2024.csv")
    (root / "quatre").symlink_to(outside / "dossier")
    (root / "cinq").symlink_to(root / "un")
    (root / "trois" / "boucle").symlink_to(root / "trois")
    return root


@pytest.mark.parametrize("folder", ["deux", "trois", "quatre", "cinq"])
@pytest.mark.parametrize("name", ["actes-{year}.csv", "*{year}*", "**/actes-{year}.csv", "ACTES-{year}.csv"])
def test_no_link_is_followed_by_name_or_by_wildcard(linked, folder, name):
    assert found(str(linked), f"{folder}/{name}") == []


def test_links_are_told_and_the_root_itself_may_be_one(linked, tmp_path):
    folder = look_at(ExportsRoot(str(linked)).listing(), [("un/*", 2024)])
    assert folder.links == ["cinq", "deux/actes-2024.csv", "quatre", "trois/actes-2024.csv", "trois/boucle"]
    assert folder.unexpected == []
    (tmp_path / "racine").symlink_to(linked)  # of the operator's own: those who hand over files can't reach it
    assert found(str(tmp_path / "racine"), "un/*") == ["un/actes-2024.csv"]


def test_a_link_put_there_after_the_look_is_not_followed(linked, tmp_path):
    root = ExportsRoot(str(linked))
    (file,) = root.find("un/*", 2024)
    (linked / file.path).unlink()
    (linked / file.path).symlink_to(tmp_path / "ailleurs" / "secret-2024.csv")
    with pytest.raises(OSError, match="lien"):
        root.read(file.path)
    (linked / file.path).unlink()
    (linked / "un").rename(linked / "ancien")
    (linked / "un").symlink_to(tmp_path / "ailleurs" / "dossier")
    with pytest.raises(OSError, match="lien"):
        root.read(file.path)


def test_pipes_and_folders_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "actes-2024.csv")
    (tmp_path / "actes-2023.csv").mkdir()
    assert found(str(tmp_path), "actes-*") == found(str(tmp_path), "actes-{year}.csv") == []
    with pytest.raises(OSError, match="pas un fichier"):
        ExportsRoot(str(tmp_path)).read("actes-2024.csv")
