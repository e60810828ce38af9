"""Exports on every storage at hand: found, read, and seen to change whoever changes them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipelines.read import ExportsRoot, Shelf


def test_exports_are_found_and_read(shelf_url):
    shelf = Shelf(shelf_url)
    for name in ("caf/enquete-2023.csv", "caf/enquete-2024.csv", "caf/b/enquete-2024.csv", "dgfip/2024.csv"):
        shelf.write(name, name.encode())
    root = ExportsRoot(shelf_url)
    assert [file.path for file in root.find("caf/enquete-{year}.csv", 2024)] == ["caf/enquete-2024.csv"]
    assert [file.path for file in root.find("caf/enquete-*.csv", 0)] == ["caf/enquete-2023.csv", "caf/enquete-2024.csv"]
    assert root.find("caf/enquete-{year}.csv", 2022) == []
    (file,) = root.find("dgfip/{year}.csv", 2024)
    assert (file.size, root.read(file.path)) == (14, b"dgfip/2024.csv")


def test_a_file_changed_or_added_by_another_process_is_seen(shelf_url):
    if shelf_url.startswith("memory"):
        pytest.skip("no other process sees the memory of this one")
    Shelf(shelf_url).write("caf/2024.csv", b"un")
    root = ExportsRoot(shelf_url)
    (before,) = root.find("caf/*.csv", 2024)
    changes = f"""if True:
        from pipelines.read import Shelf
        Shelf({shelf_url!r}).write("caf/2024.csv", b"deux")
        Shelf({shelf_url!r}).write("caf/2025.csv", b"trois")
    """
    subprocess.run([sys.executable, "-c", changes], check=True)
    after, added = root.find("caf/*.csv", 2024)
    assert after.token != before.token
    assert added.path == "caf/2025.csv"
    assert [file.token for file in root.find("caf/{year}.csv", 2024)] != [before.token]
