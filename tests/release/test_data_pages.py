"""The site's pages about the data: every file and version said as it is, links that lead somewhere, machines served."""

from __future__ import annotations

import html
import json
import os
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree

import duckdb
import pandas as pd
import pytest
from fixtures.made_results import DATASET
from fixtures.read_back import Page, structural_faults

from pipelines.declarations import Catalogue
from pipelines.mechanics.files import sha256
from pipelines.portal import about_pages
from pipelines.portal.site import BuiltSite, build_site
from pipelines.release import history, reuse
from pipelines.release.changelog import NAMESPACE, known_versions
from pipelines.release.release_folder import make_release
from pipelines.release.rollback import rollback

HOSTILE = '<script>alert("l\'été")</script> & </title>'
ATOM, MAP = {"a": NAMESPACE}, "{http://www.sitemaps.org/schemas/sitemap/0.9}"
VERSIONS = ("1.0.0", "1.0.1", "1.0.2")


def hostile(small: Catalogue) -> Catalogue:
    """The same dataset with texts that would break a page if they were not escaped."""
    declared = small.datasets[DATASET]
    contact = declared.contact.model_copy(update={"name": HOSTILE})
    texts = {"title": HOSTILE, "description": HOSTILE, "tags": [HOSTILE], "contact": contact}
    return replace(small, datasets=MappingProxyType({DATASET: declared.model_copy(update=texts)}))


def made(catalogue: Catalogue, tables: dict[str, pd.DataFrame], folder: Path, synthetic: str | None = None) -> Path:
    """Make three versions: a first one, one with a value changed, and the return to the first."""
    make_release(DATASET, catalogue, tables, folder, synthetic=synthetic)
    changed = tables["resultats"].copy()
    changed.loc[0, "valeur"] = 88.0
    make_release(DATASET, catalogue, tables | {"resultats": changed}, folder, synthetic=synthetic)
    rollback(DATASET, catalogue, folder, "1.0.0", f"livré par erreur {HOSTILE}")
    return folder / DATASET


@pytest.fixture(scope="module")
def home(small: Catalogue, small_tables: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(small, small_tables, tmp_path_factory.mktemp("versions"))


@pytest.fixture(scope="module")
def site(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build_site(home / VERSIONS[-1], folder)
    return folder


def words(path: Path) -> str:
    """Return what a page says, without its tags."""
    return " ".join(" ".join(text.split()) for texts in Page(path.read_text("utf-8")).texts.values() for text in texts)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def with_permalinks(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files of a release, the first part of its main table under the table's name too: links to it stay."""
    return files | {f"resultats.{ending}": files[f"resultats-annuels.{ending}"] for ending in ("csv", "parquet")}


def test_every_page_is_whole_and_every_link_leads_somewhere(site: Path):
    assert structural_faults(site) == []
    pages = {path.relative_to(site).as_posix() for path in (site / "donnees").rglob("*.html")}
    assert pages >= {f"donnees/versions/{version}.html" for version in VERSIONS}


def test_files_of_every_version_have_an_address_that_stays(home: Path, site: Path, tmp_path: Path):
    for version in VERSIONS:
        assert content(site / "donnees" / "versions" / version) == content(home / version)
    build_site(home / "1.0.0", tmp_path)
    first = content(tmp_path / "donnees" / "versions" / "1.0.0")
    assert content(tmp_path / "donnees" / "latest") == with_permalinks(first)
    build_site(home / "1.0.1", tmp_path)
    assert content(tmp_path / "donnees" / "versions" / "1.0.0") == first
    assert content(tmp_path / "donnees" / "latest") == with_permalinks(content(home / "1.0.1"))
    assert content(home / "1.0.1") != first
    (site_of_one,) = {path.stat().st_ino for path in (tmp_path / "donnees").rglob("resultats-annuels.csv")} & {
        (tmp_path / "donnees" / "latest" / name).stat().st_ino for name in ("resultats-annuels.csv", "resultats.csv")
    }
    assert site_of_one != (home / "1.0.1" / "resultats-annuels.csv").stat().st_ino  # a release is never linked to


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_tells_its_files_with_size_and_hash_and_why_it_was_made(home: Path, site: Path, version: str):
    page = site / "donnees" / "versions" / f"{version}.html"
    text, told = (
        html.unescape(page.read_text("utf-8")),
        next(item for item in known_versions(home.parent, DATASET) if item.version == version),
    )
    rows = text.split("<tr>")
    for path in (home / version).iterdir():
        (row,) = [row for row in rows if f'href="../../donnees/versions/{version}/{path.name}"' in row]
        assert path.name == "SHA256SUMS" or sha256(path) in row
    assert told.reason in text and told.sha256 in text and f"version {version}, Licence Ouverte 2.0" in text


def test_a_version_gone_back_on_says_so_and_the_return_says_why(site: Path):
    assert "Version abandonnée : la 1.0.2 est revenue en arrière." in words(site / "donnees/versions/1.0.1.html")
    assert "abandonnée" not in words(site / "donnees/versions/1.0.0.html").lower()
    last = words(site / "donnees/versions/1.0.2.html")
    assert "C'est la dernière version publiée." in last
    assert f"Retour à la version 1.0.0 : livré par erreur {HOSTILE}" in last
    assert "Abandonnée : la 1.0.2 est revenue en arrière." in words(site / "donnees.html")


def test_the_page_of_data_tells_files_tables_licence_and_how_to_cite(home: Path, site: Path, small: Catalogue):
    text, declared = words(site / "donnees.html"), small.datasets[DATASET]
    latest = [path for path in (home / VERSIONS[-1]).iterdir() if path.name != "SHA256SUMS"]
    for path in latest:
        assert f"{path.name} " in text and sha256(path) in text
    parts = {part.name: part.description for part in declared.layout["resultats"].parts}
    for name in [*parts, *declared.tables[1:]]:
        table, rows = (
            small.tables[name if name not in parts else "resultats"],
            pd.read_csv(home / VERSIONS[-1] / f"{name}.csv"),
        )
        said = " ".join(parts.get(name, table.description).split())
        assert f"{name} | {said} | {len(rows)} | {len(table.columns)} |" in text
    for said in (*declared.tags, declared.contact.email, "Licence Ouverte 2.0", *reuse.LIMITS, *reuse.EXCEL_STEPS):
        assert said in text
    assert f"{declared.contact.name}, « {declared.title} », version 1.0.2, Licence Ouverte 2.0." in text


def test_each_column_is_explained_on_the_page_of_its_table(home: Path, site: Path, small: Catalogue):
    written = pd.read_csv(home / VERSIONS[-1] / "dictionnaire.csv", dtype=str).set_index(["table", "colonne"])[
        "exemple"
    ]
    for name in small.datasets[DATASET].tables:
        text, table = words(site / "donnees" / f"{name}.html"), small.tables[name]
        assert f"Une ligne par {', '.join(table.key)} (la clé)." in text
        for column in table.columns:
            assert f"{column.name} : {column.title}" in text and " ".join(column.description.split()) in text
            example = written[(name, column.name)]
            assert pd.isna(example) or f"exemple : {example}" in text
            for allowed in (column.constraints.enum or ()) if column.constraints else ():
                assert str(allowed) in text


def test_the_code_shown_runs_and_keeps_codes_as_texts(home: Path, site: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(site)
    main = next(part for part in history.released_parts(home / VERSIONS[-1]) if part.table == "resultats")
    python, _, sql = (example.code for example in reuse.examples(main, "donnees/latest/resultats-annuels.csv"))
    page = html.unescape((site / "donnees.html").read_text("utf-8"))
    assert python in page and sql in page
    space: dict[str, pd.DataFrame] = {}
    exec(python, space)
    assert set(space["resultats"]["territoire_code"]) == {"30", "01", "2A", "FR"}
    assert duckdb.sql(sql).fetchall() == [("caf", "taux-de-decroche", 2024, 80.25, "%", 40)]


def test_programs_read_versions_typed_with_addresses_that_are_there(home: Path, site: Path):
    told = json.loads((site / "versions.json").read_text("utf-8"))
    known = known_versions(home.parent, DATASET)[::-1]
    assert (told["jeu"], told["derniere"], told["licence"], told["synthetique"]) == (
        DATASET, "1.0.2", "etalab-2.0", False,
    )  # fmt: skip
    names = ("version", "precedente", "nature", "motif", "lignes_ajoutees", "lignes_retirees", "lignes_modifiees",
             "date_donnees", "contenu", "sha256")  # fmt: skip
    assert [[item[name] for name in names] for item in told["versions"]] == [
        [item.version, item.previous, item.kind, item.reason, item.added, item.removed, item.changed, item.data_date,
         item.content, item.sha256] for item in known
    ]  # fmt: skip
    assert [item["remplacee_par_retour"] for item in told["versions"]] == [None, "1.0.2", None]
    for item in told["versions"]:
        assert (site / item["page"]).is_file()
        assert {(site / place).read_bytes() for place in item["fichiers"]} == set(
            content(home / item["version"]).values()
        )
    for file in told["fichiers"]:
        path = site / file["adresse"]
        assert (path.name, path.stat().st_size) == (file["nom"], file["octets"])
        assert file["sha256"] == (None if file["nom"] == "SHA256SUMS" else sha256(path))


@pytest.mark.parametrize("address", ["", "https://r.example.fr/données"])
def test_the_feed_leads_to_the_page_of_each_version(home: Path, site: Path, tmp_path: Path, address: str):
    folder = site
    if address:
        build_site(home / VERSIONS[-1], tmp_path, address=address)
        folder = tmp_path
    feed = ElementTree.fromstring((folder / "nouveautes.atom").read_bytes())
    links = [link.get("href") for link in feed.findall("a:entry/a:link", ATOM)]
    base = f"{address}/" if address else ""
    assert links == [f"{base}donnees/versions/{version}.html" for version in VERSIONS[::-1]]
    assert {link.get("rel"): link.get("href") for link in feed.findall("a:link", ATOM)} == {
        "alternate": f"{base}donnees.html", "self": f"{base}nouveautes.atom",
    }  # fmt: skip
    declared = Page((folder / "donnees.html").read_text("utf-8")).all("link")
    assert [one["href"] for one in declared if one.get("type") == "application/atom+xml"] == ["nouveautes.atom"]


def places(path: Path) -> list[str]:
    return [item.text or "" for item in ElementTree.fromstring(path.read_bytes()).iter(f"{MAP}loc")]


def test_robots_are_told_every_page_that_is_online_and_no_other(home: Path, tmp_path: Path):
    build_site(home / "1.0.1", tmp_path, address="https://r.example.fr")
    (tmp_path / "nouveau.html").write_text("à nous")  # not of the site
    build_site(home / "1.0.0", tmp_path, address="https://r.example.fr")
    retired = tmp_path / "donnees/versions/1.0.1.html"
    assert '<meta name="robots" content="noindex">' in retired.read_text("utf-8")
    pages = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.html")}
    unlisted = {"nouveau.html", "donnees/versions/1.0.1.html", "404.html"}
    expected = sorted(f"https://r.example.fr/{page}" for page in pages - unlisted)
    assert places(tmp_path / "sitemap.xml") == expected
    robots = (tmp_path / "robots.txt").read_text("utf-8").splitlines()
    assert robots == ["User-agent: *", "Allow: /", "Sitemap: https://r.example.fr/sitemap.xml"]


def test_a_map_that_would_be_too_long_is_split(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    build_site(home / "1.0.0", tmp_path / "one", address="https://r.example.fr")
    monkeypatch.setattr(about_pages, "ADDRESSES_OF_A_MAP", 7)
    build_site(home / "1.0.0", tmp_path / "split", address="https://r.example.fr")
    parts = places(tmp_path / "split" / "sitemap.xml")
    assert len(parts) > 2 and all(part.startswith("https://r.example.fr/sitemap-") for part in parts)
    each = [places(tmp_path / "split" / part.rpartition("/")[2]) for part in parts]
    assert max(map(len, each)) == 7
    assert [place for part in each for place in part] == places(tmp_path / "one" / "sitemap.xml")


def test_without_an_address_there_is_no_map(site: Path):
    assert not (site / "sitemap.xml").exists()
    assert (site / "robots.txt").read_text("utf-8") == "User-agent: *\nAllow: /\n"


def test_texts_never_become_tags_and_invented_data_are_told(
    small: Catalogue, small_tables: dict[str, pd.DataFrame], tmp_path: Path
):
    home = made(hostile(small), small_tables, tmp_path / "releases", synthetic="Inventées.")
    build_site(home / VERSIONS[-1], tmp_path / "site")
    assert structural_faults(tmp_path / "site") == []
    for path in [*(tmp_path / "site").glob("donnees*.html"), *(tmp_path / "site" / "donnees").rglob("*.html")]:
        page = Page(path.read_text("utf-8"))
        assert page.all("script") == [{"type": "application/ld+json"}]
        assert any("données synthétiques" in told for told in page.texts["p"])
    ElementTree.fromstring((tmp_path / "site" / "nouveautes.atom").read_bytes())
    assert json.loads((tmp_path / "site" / "versions.json").read_text("utf-8"))["synthetique"] is True


def again(home: Path, folder: Path) -> BuiltSite:
    return build_site(home / VERSIONS[-1], folder)


def test_files_of_a_version_are_brought_once_and_again_when_lost(home: Path, tmp_path: Path):
    again(home, tmp_path)
    held = tmp_path / "donnees" / "versions" / "1.0.0" / "resultats-annuels.csv"
    before = held.stat().st_mtime_ns
    assert again(home, tmp_path).written == ()
    held.unlink()
    assert f"donnees/versions/1.0.0/{held.name}" in again(home, tmp_path).written
    assert held.read_bytes() == (home / "1.0.0" / held.name).read_bytes()
    os.utime(held, ns=(before, before))
    (tmp_path / "style.css").unlink()
    assert "donnees/versions/1.0.0/resultats-annuels.csv" not in again(home, tmp_path).written


def test_a_version_whose_files_are_lost_says_so(home: Path, tmp_path: Path):
    build_site(home / VERSIONS[-1], tmp_path, folder_of=lambda version: home / version if version != "1.0.0" else None)
    assert "Les fichiers de cette version ne sont pas sur ce site." in words(tmp_path / "donnees/versions/1.0.0.html")
    assert structural_faults(tmp_path) == []
    assert build_site(home / VERSIONS[-1], tmp_path, folder_of=lambda _: None).written == ()
