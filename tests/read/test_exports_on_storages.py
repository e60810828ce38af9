"""Exports on every storage at hand: found, read, and seen to change whoever changes them."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest

from pipelines.read import ExportsRoot, ObjectStore
from pipelines.read.unexpected_files import look_at


def test_exports_are_found_and_read(storage_url):
    storage = ObjectStore(storage_url)
    for name in ("caf/enquete-2023.csv", "caf/enquete-2024.csv", "caf/b/enquete-2024.csv", "dgfip/2024.csv"):
        storage.write(name, name.encode())
    root = ExportsRoot(storage_url)
    assert [file.path for file in root.find("caf/enquete-{year}.csv", 2024)] == ["caf/enquete-2024.csv"]
    assert [file.path for file in root.find("caf/enquete-*.csv", 0)] == ["caf/enquete-2023.csv", "caf/enquete-2024.csv"]
    assert root.find("caf/enquete-{year}.csv", 2022) == []
    (file,) = root.find("dgfip/{year}.csv", 2024)
    assert (file.size, root.read(file.path)) == (14, b"dgfip/2024.csv")


def test_a_file_changed_or_added_by_another_process_is_seen(storage_url):
    if storage_url.startswith("memory"):
        pytest.skip("no other process sees the memory of this one")
    ObjectStore(storage_url).write("caf/2024.csv", b"un")
    root = ExportsRoot(storage_url)
    (before,) = root.find("caf/*.csv", 2024)
    changes = f"""if True:
        from pipelines.read import ObjectStore
        ObjectStore({storage_url!r}).write("caf/2024.csv", b"deux")
        ObjectStore({storage_url!r}).write("caf/2025.csv", b"trois")
    """
    subprocess.run([sys.executable, "-c", changes], check=True)
    after, added = root.find("caf/*.csv", 2024)
    assert after.token != before.token
    assert added.path == "caf/2025.csv"
    assert [file.token for file in root.find("caf/{year}.csv", 2024)] != [before.token]


def test_folders_as_people_leave_them(storage_url):
    """Leftovers, Unicode forms and cases are the same on every storage; what nothing expects is listed."""
    storage = ObjectStore(storage_url)
    names = [unicodedata.normalize("NFD", "relevés/relevé-2024.csv"), "relevés/._relevé-2024.csv",
             "relevés/Thumbs.db", "appels/APPELS-2024.XLSX", "appels/~$appels-2024.xlsx", "divers/photo.png",
             "__MACOSX/appels/appels-2024.xlsx"]  # fmt: skip
    for name in names:
        storage.write(name, b"1")
    root = ExportsRoot(storage_url)
    assert [file.path for file in root.find("relevés/*{year}*", 2024)] == names[:1]
    (file,) = root.find("appels/appels-{year}.xlsx", 2024)
    assert (file.path, file.expected) == ("appels/APPELS-2024.XLSX", "appels/appels-2024.xlsx")
    assert root.read(file.path) == b"1"
    expected = [("relevés/relevé-{year}.csv", 2024), ("appels/appels-{year}.xlsx", 2024)]
    assert [item.path for item in look_at(root.listing(), expected).unexpected] == ["divers/photo.png"]
