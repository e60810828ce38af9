"""The local catalogue: pages that anyone can read, links that lead somewhere, and nothing rewritten in vain."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest
from made_results import DATASET

from pipelines.declarations import Catalogue
from pipelines.release.release import make_release
from pipelines.targets.folder.catalogue import LocalCatalogue, publish_local

Tables = dict[str, pd.DataFrame]
INVENTED = "Chiffres inventés <pour> l'essai."
VOID = {"meta", "link", "br", "img", "input"}


class Page(HTMLParser):
    """What the checks need of a page: elements with attributes, tables with captions, balance of tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.captions: list[int] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "table":
            self.captions.append(0)
        if tag == "caption":
            self.captions[-1] += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def releases(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> Path:
    folder = tmp_path / "releases"
    make_release(DATASET, catalogue, tables, folder, synthetic=None)
    tables["resultats"].loc[0, "valeur"] = 88.0
    make_release(DATASET, catalogue, tables, folder, synthetic=None)
    return folder


@pytest.fixture
def local(catalogue: Catalogue, releases: Path, tmp_path: Path) -> LocalCatalogue:
    return publish_local(catalogue, releases, tmp_path / "catalogue", synthetic=None)


def pages(local: LocalCatalogue) -> list[Path]:
    return [local.index, local.folder / DATASET / "index.html"]


def test_pages_follow_the_accessibility_rules(local: LocalCatalogue) -> None:
    for path in pages(local):
        page = Page(path.read_text("utf-8"))
        assert page.open == []
        assert page.all("html") == [{"lang": "fr"}]
        assert len(page.all("h1")) == 1 and len(page.all("title")) == 1
        assert len(page.all("main")) == len(page.all("header")) == len(page.all("footer")) == 1
        assert page.all("a")[0] == {"class": "skip", "href": "#contenu"}
        assert page.all("main")[0]["id"] == "contenu"
        assert all(count == 1 for count in page.captions)
        assert all("scope" in heading for heading in page.all("th"))
        assert page.all("script") == []
        names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(names) == len(set(names))
        levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_link_leads_somewhere(local: LocalCatalogue) -> None:
    for path in pages(local):
        page = Page(path.read_text("utf-8"))
        anchors = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
        for link in (attributes["href"] or "" for attributes in page.all("a")):
            if link.startswith("#"):
                assert link[1:] in anchors
            elif not link.startswith(("https://", "mailto:")):
                assert (path.parent / link).resolve().is_file(), link


def test_all_versions_are_listed_newest_first(local: LocalCatalogue, releases: Path) -> None:
    facts = json.loads((local.folder / DATASET / "dataset.json").read_text("utf-8"))
    assert (facts["version"], facts["versions"]) == ("1.0.1", ["1.0.1", "1.0.0"])
    text = (local.folder / DATASET / "index.html").read_text("utf-8")
    assert f"../../releases/{DATASET}/1.0.0/resultats.csv" in text
    latest = {path.name: path.read_bytes() for path in (local.folder / DATASET / "latest").iterdir()}
    assert latest == {path.name: path.read_bytes() for path in (releases / DATASET / "1.0.1").iterdir()}
    listed = {file["name"]: (file["bytes"], len(file["sha256"])) for file in facts["files"]}
    assert listed == {name: (len(content), 64) for name, content in latest.items()}


def test_a_second_run_touches_nothing(local: LocalCatalogue, catalogue: Catalogue, releases: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in local.folder.rglob("*")}
    again = publish_local(catalogue, releases, local.folder, synthetic=None)
    assert (again.written, again.removed) == ((), ())
    assert {path: path.stat().st_mtime_ns for path in local.folder.rglob("*")} == before


def test_only_what_differs_is_brought_back(local: LocalCatalogue, catalogue: Catalogue, releases: Path) -> None:
    latest = local.folder / DATASET / "latest"
    (latest / "resultats.csv").write_text("abîmé")
    (latest / "ancienne.csv").write_text("")
    again = publish_local(catalogue, releases, local.folder, synthetic=None)
    assert (again.written, again.removed) == ((latest / "resultats.csv",), (latest / "ancienne.csv",))


def test_synthetic_data_are_announced_and_texts_are_escaped(
    catalogue: Catalogue, releases: Path, tmp_path: Path
) -> None:
    local = publish_local(catalogue, releases, tmp_path / "catalogue", synthetic=INVENTED)
    for path in pages(local):
        text = path.read_text("utf-8")
        assert "<pour>" not in text
        assert INVENTED in " ".join(Page(text).words)
        assert "DONNÉES SYNTHÉTIQUES" in text
    assert json.loads((local.folder / DATASET / "dataset.json").read_text("utf-8"))["synthetic"] is True


def test_a_release_marked_synthetic_warns_by_itself(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    make_release(DATASET, catalogue, tables, tmp_path / "releases", synthetic="Inventées.")
    local = publish_local(catalogue, tmp_path / "releases", tmp_path / "catalogue", synthetic=None)
    assert all("DONNÉES SYNTHÉTIQUES" in path.read_text("utf-8") for path in pages(local))


def test_a_catalogue_without_release_says_so(catalogue: Catalogue, tmp_path: Path) -> None:
    local = publish_local(catalogue, tmp_path / "none", tmp_path / "catalogue", synthetic=None)
    assert local.datasets == ()
    assert "Aucun jeu de données" in local.index.read_text("utf-8")


def test_datasets_not_declared_any_more_are_not_shown(catalogue: Catalogue, releases: Path, tmp_path: Path) -> None:
    emptied = Catalogue(**(vars(catalogue) | {"datasets": MappingProxyType({})}))
    assert publish_local(emptied, releases, tmp_path / "catalogue", synthetic=None).datasets == ()
