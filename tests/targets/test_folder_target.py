"""The folder target: the latest files under paths that stay, what programs read of them, nothing rewritten in vain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest
from fixtures.made_results import DATASET

from pipelines.declarations import Catalogue
from pipelines.mechanics.files import sha256
from pipelines.release.release_folder import make_release
from pipelines.targets.folder.folder_target import EVERYTHING, FolderTarget
from pipelines.targets.protocol import Report, Rooms, Source

Tables = dict[str, pd.DataFrame]
# Names of the main table that readers may have kept, and the file of its first part, which they lead to.
PERMALINKS = {f"resultats.{ending}": f"resultats-annuels.{ending}" for ending in ("csv", "parquet")}


@dataclass
class Published:
    """A folder brought to the releases of an output, again at will."""

    catalogue: Catalogue
    output: Path
    synthetic: str | None = None

    @property
    def home(self) -> Path:
        return self.output / "catalogue" / DATASET

    @property
    def manifest(self) -> dict:
        return json.loads((self.home / "dataset.json").read_text("utf-8"))

    def again(self) -> list[tuple[str, str]]:
        """Publish, and return what was done: kind and path of each step."""
        prepared = FolderTarget(Source(self.catalogue, Rooms(self.output), self.synthetic)).prepare(EVERYTHING)
        report: Report = prepared.apply(lambda _: None)
        assert report.succeeded
        return [(step.kind, step.what) for step in report.done]


@pytest.fixture
def output(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> Path:
    make_release(DATASET, catalogue, tables, tmp_path / "releases", synthetic=None)
    tables["resultats"].loc[0, "valeur"] = 88.0
    make_release(DATASET, catalogue, tables, tmp_path / "releases", synthetic=None)
    return tmp_path


@pytest.fixture
def published(catalogue: Catalogue, output: Path) -> Published:
    folder = Published(catalogue, output)
    assert {kind for kind, _ in folder.again()} == {"write"}
    return folder


def test_the_latest_files_are_there_under_paths_that_stay(published: Published):
    release = published.output / "releases" / DATASET / "1.0.1"
    latest = {path.name: path.read_bytes() for path in (published.home / "latest").iterdir()}
    files = {path.name: path.read_bytes() for path in release.iterdir()}
    assert latest == files | {name: files[part] for name, part in PERMALINKS.items()}


def test_programs_read_the_versions_and_every_file(published: Published, catalogue: Catalogue):
    told = published.manifest
    assert (told["id"], told["version"], told["versions"]) == (DATASET, "1.0.1", ["1.0.1", "1.0.0"])
    assert (told["synthetic"], told["licence"]) == (False, "etalab-2.0")
    assert [table["name"] for table in told["tables"]] == list(catalogue.datasets[DATASET].tables)
    paths = [published.home / file["path"] for file in told["files"]]
    latest = {path.name for path in (published.home / "latest").iterdir()}
    assert sorted(path.name for path in paths) == sorted(latest - PERMALINKS.keys())
    for path, file in zip(paths, told["files"], strict=True):
        assert (file["name"], file["bytes"], file["sha256"]) == (path.name, path.stat().st_size, sha256(path))


def test_nothing_here_is_a_page(published: Published):
    """The public site is the only HTML: no page stands beside it that could say otherwise."""
    there = {path.relative_to(published.output / "catalogue").as_posix() for path in published.home.iterdir()}
    assert there == {f"{DATASET}/latest", f"{DATASET}/dataset.json"}
    assert list(published.output.rglob("*.html")) == []


def test_pages_of_an_earlier_code_go_and_nothing_else(published: Published):
    root = published.output / "catalogue"
    old = [root / "index.html", *(published.home / name for name in ("index.html", "reutiliser.md", "versions.atom"))]
    own = [root / "note.txt", published.home / "à nous.html"]
    for path in (*old, *own):
        path.write_text("page")
    removed = published.again()
    assert sorted(removed) == sorted(("remove", path.relative_to(root).as_posix()) for path in old)
    assert not any(path.exists() for path in old) and all(path.exists() for path in own)
    assert published.again() == []


def test_a_second_run_touches_nothing(published: Published):
    root = published.output / "catalogue"
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert published.again() == []
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_only_what_differs_is_brought_back(published: Published):
    latest = published.home / "latest"
    (latest / "resultats-annuels.csv").write_text("abîmé")
    (latest / "ancienne.csv").write_text("")
    assert published.again() == [
        ("write", f"{DATASET}/latest/resultats-annuels.csv"), ("remove", f"{DATASET}/latest/ancienne.csv"),
    ]  # fmt: skip


def test_invented_data_are_told_to_programs(catalogue: Catalogue, output: Path):
    folder = Published(catalogue, output, synthetic="Chiffres inventés.")
    folder.again()
    assert folder.manifest["synthetic"] is True


def test_a_release_marked_synthetic_says_so_by_itself(catalogue: Catalogue, tables: Tables, tmp_path: Path):
    make_release(DATASET, catalogue, tables, tmp_path / "releases", synthetic="Inventées.")
    folder = Published(catalogue, tmp_path)
    folder.again()
    assert folder.manifest["synthetic"] is True
    assert folder.manifest["title"].startswith("DONNÉES SYNTHÉTIQUES")


def test_without_a_release_or_a_declared_dataset_there_is_nothing_to_plan(catalogue: Catalogue, output: Path):
    emptied = Catalogue(**(vars(catalogue) | {"datasets": MappingProxyType({})}))
    for declared, folder in ((catalogue, output / "ailleurs"), (emptied, output)):
        assert FolderTarget(Source(declared, Rooms(folder))).prepare(EVERYTHING) is None
    assert not (output / "catalogue").exists()
