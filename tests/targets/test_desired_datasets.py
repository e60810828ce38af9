"""What a release offers a platform: which files, under which names, in which order, of which quality; deterministic."""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from fixtures.made_results import DATASET
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.declarations import Catalogue
from pipelines.release.release_folder import make_release
from pipelines.release.table_writers import csv_bytes
from pipelines.targets.protocol import Rooms
from pipelines.targets.udata.desired import DesiredDataset, desired_dataset, missing_quality, written_document
from pipelines.targets.udata.remote import KEY, RemoteDataset, RemoteResource
from pipelines.targets.udata.resources import FEED_KEY, LINKED, REUSE_KEY, archive, yearly_files
from pipelines.targets.udata.server_state import RemoteState

ACCEPTED = frozenset({"csv", "xlsx", "parquet", "json", "txt", "zip", "xml"})
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@pytest.fixture(scope="module")
def releases(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("offers") / "releases"


@pytest.fixture
def released(catalogue: Catalogue, tables: dict[str, pd.DataFrame], releases: Path) -> Path:
    if not releases.exists():
        make_release(DATASET, catalogue, tables, releases, synthetic=None)
    return releases


def state(extensions: frozenset[str] = ACCEPTED, held: RemoteDataset | None = None) -> RemoteState:
    return RemoteState("https://udata.example", "org", extensions, frozenset({"lov2"}), held)


def offered(
    catalogue: Catalogue,
    releases: Path,
    made: Path,
    extensions: frozenset[str] = ACCEPTED,
    held: RemoteDataset | None = None,
) -> DesiredDataset:
    """What is wanted of the releases in a folder; archives and yearly files are made below ``made``."""
    made.mkdir(exist_ok=True)
    if not (made / "releases").exists():
        (made / "releases").symlink_to(releases)
    offer = desired_dataset(catalogue, DATASET, Rooms(made), state(extensions, held))
    assert offer is not None
    return offer


def held(*keys: str) -> RemoteDataset:
    """A dataset of files of these keys, whose links end with them; of a second one of a key, with -2."""
    resources = tuple(
        RemoteResource(
            f"r{number}", "", "", "main", "", "file", None, None, {}, {KEY: key},
            f"https://udata.example/r/{key}{'-2' * (key in keys[:number])}", f"2026-01-01T00:00:{number:02}",
        )
        for number, key in enumerate(keys)
    )  # fmt: skip
    page = "https://udata.example/datasets/titre/"
    return RemoteDataset("d1", page, {}, False, None, {}, (), (), resources)


def test_every_table_and_document_is_offered_once_with_a_name_of_its_own(catalogue, released, tmp_path):
    offer = offered(catalogue, released, tmp_path)
    keys = [item.key for item in offer.resources]
    assert keys[0] == "table:resultats:csv"
    assert keys[-1] == "archive:1.0.0"
    assert {f"table:{name}:csv" for name in catalogue.datasets[DATASET].tables} <= set(keys)
    assert len(set(keys)) == len(keys)
    names = [item.filename for item in offer.resources]
    assert len(set(names)) == len(names)  # two files of one name within a second are refused by udata
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in names)  # as udata writes them
    assert all(item.title and item.description for item in offer.resources)
    assert all(item.extras["resultats:version"] == "1.0.0" for item in offer.resources)
    assert offer.quality == ()
    assert offer.omitted == ()


def test_a_second_offer_of_the_same_release_is_the_same(catalogue, released, tmp_path):
    first, second = offered(catalogue, released, tmp_path / "a"), offered(catalogue, released, tmp_path / "b")
    assert [(item.key, item.sha1, item.extras) for item in first.resources] == [
        (item.key, item.sha1, item.extras) for item in second.resources
    ]
    assert first.fields == second.fields


def test_what_a_target_refuses_is_left_out_or_sent_under_another_extension(catalogue, released, tmp_path):
    few = offered(catalogue, released, tmp_path, frozenset({"csv", "txt"}))
    assert {item.filename.rpartition(".")[2] for item in few.resources} == {"csv", "txt"}
    assert "lisezmoi.txt" in {item.filename for item in few.resources}
    assert {sentence.rpartition(".")[2] for sentence in few.omitted} == {"parquet", "xlsx", "json", "zip", "xml"}
    more = offered(catalogue, released, tmp_path, ACCEPTED | {"md"})
    assert "lisezmoi.md" in {item.filename for item in more.resources}


def test_the_coverage_is_that_of_the_years_of_the_main_table(catalogue, released, tmp_path):
    fields = offered(catalogue, released, tmp_path).fields
    assert fields["temporal_coverage"] == {"start": "2024-01-01", "end": "2024-12-31"}


def test_nothing_is_offered_before_a_first_release(catalogue, tmp_path):
    assert desired_dataset(catalogue, DATASET, Rooms(tmp_path), state()) is None


def read(offer: DesiredDataset, key: str, catalogue: Catalogue, there: RemoteDataset) -> str:
    """Return a document as it is sent."""
    return written_document(offer, key, catalogue, there).path.read_text("utf-8")


def test_documents_with_links_are_written_when_they_are_sent_and_say_the_same_of_the_same_links(
    catalogue, released, tmp_path
):
    first = offered(catalogue, released, tmp_path)
    assert not any(first.resource(key).path.exists() for key in (REUSE_KEY, FEED_KEY))
    keys = [item.key for item in first.resources]
    there = held(*keys, *keys)
    whole, again = (offered(catalogue, released, tmp_path / each, held=there) for each in "ab")
    assert [item.sha1 for item in whole.resources] == [item.sha1 for item in again.resources]
    for key in (REUSE_KEY, FEED_KEY):  # what is sent at first is what a later plan finds there
        sent = written_document(first, key, catalogue, there)
        assert (sent.sha1, sent.size) == (whole.resource(key).sha1, whole.resource(key).size)
        assert sent.sha1 != first.resource(key).sha1
    page, feed = (read(whole, key, catalogue, there) for key in (REUSE_KEY, FEED_KEY))
    for key in (
        "table:resultats:csv",
        "table:resultats:parquet",
        "table:structures:csv",
        "classeur",
        "journal",
        FEED_KEY,
    ):
        assert f"(<https://udata.example/r/{key}>)" in page
    assert "-2>" not in page  # of two files of a key, the oldest
    assert 'href="https://udata.example/r/archive:1.0.0"' in feed
    assert 'rel="alternate" href="https://udata.example/datasets/d1/"' in feed  # whatever the title, hence the page
    assert 'rel="self"' not in feed


def test_a_link_that_a_file_has_lost_or_has_yet_to_get_makes_other_documents(catalogue, released, tmp_path):
    keys = [item.key for item in offered(catalogue, released, tmp_path).resources]

    def documents(there: RemoteDataset | None) -> list[str]:
        offer = offered(catalogue, released, tmp_path, held=there)
        return [offer.resource(key).sha1 for key in (FEED_KEY, REUSE_KEY)]

    whole, nothing = documents(held(*keys)), documents(None)
    without = documents(held(*(key for key in keys if key != "archive:1.0.0")))
    assert (without[0] != whole[0], without[1]) == (True, whole[1])
    assert all(one != other for one, other in zip(nothing, whole, strict=True))


def test_documents_with_links_name_only_what_the_target_takes(catalogue, released, tmp_path):
    few = frozenset({"csv", "txt", "xml"})
    keys = [item.key for item in offered(catalogue, released, tmp_path, few).resources]
    there = held(*keys, "classeur", "archive:1.0.0")
    offer = offered(catalogue, released, tmp_path, few, there)
    page, feed = (read(offer, key, catalogue, there) for key in (REUSE_KEY, FEED_KEY))
    assert [offer.resource(key).filename for key in (REUSE_KEY, FEED_KEY)] == ["reutiliser.txt", "versions.xml"]
    assert "resultats.xlsx" not in page
    assert "archive" not in feed
    assert "<>" not in page


@pytest.mark.parametrize(
    ("field", "value", "missing"),
    [
        ("license", "notspecified", "licence"),
        ("temporal_coverage", None, "couverture temporelle"),
        ("spatial", {"zones": [], "granularity": None}, "couverture spatiale"),
        ("frequency", "unknown", "fréquence de mise à jour"),
        ("description", "x" * 100, "description de plus de 100 caractères"),
    ],
)
def test_each_point_of_quality_is_told_when_it_would_be_lost(catalogue, released, tmp_path, field, value, missing):
    offer = offered(catalogue, released, tmp_path)
    assert missing_quality({**offer.fields, field: value}, offer.resources) == (missing,)


def test_closed_formats_alone_lose_a_point_and_no_file_loses_three(catalogue, released, tmp_path):
    offer = offered(catalogue, released, tmp_path)
    workbook = [item for item in offer.resources if item.key == "classeur"]
    assert missing_quality(offer.fields, workbook) == ("format ouvert",)
    assert missing_quality(offer.fields, ()) == ("fichiers", "format ouvert", "documentation")


def test_an_archive_holds_the_whole_release_and_is_the_same_twice(released, tmp_path):
    release = released / DATASET / "1.0.0"
    first, second = (archive(DATASET, release, tmp_path / place) for place in "ab")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as opened:
        assert opened.testzip() is None
        found = {Path(name).name: opened.read(name) for name in opened.namelist()}
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert found == {path.name: path.read_bytes() for path in release.iterdir()}


@settings(max_examples=60)
@given(rows=st.lists(st.tuples(st.integers(2000, 2003), CELL, CELL), max_size=12))
def test_yearly_files_share_out_the_rows_whatever_the_cells_hold(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("years")
    table = folder / "1.0.0" / "t.csv"
    table.parent.mkdir()
    table.write_bytes(_csv([("a", "annee", "b"), *((left, str(year), right) for year, left, right in rows)]))
    made = yearly_files(table, folder / "made", untouched)
    assert sorted(made) == sorted({year for year, _, _ in rows})
    for year, path in made.items():
        wanted = [("a", "annee", "b"), *((left, str(year), right) for found, left, right in rows if found == year)]
        assert path.read_bytes() == _csv(wanted)


def untouched(_: Path) -> bool:
    """Nothing is known of any file: yearly files are made anew."""
    return False


def test_a_table_without_years_has_no_yearly_files(tmp_path):
    table = tmp_path / "1.0.0" / "t.csv"
    table.parent.mkdir()
    table.write_text("a,b\n1,2\n", encoding="utf-8")
    assert yearly_files(table, tmp_path / "made", untouched) == {}


def _csv(rows: list[tuple[str, ...]]) -> bytes:
    header, *cells = rows
    columns = {name: [row[at] for row in cells] for at, name in enumerate(header)}
    return csv_bytes(pa.table(columns, pa.schema([(name, pa.string()) for name in header])))


def test_every_file_with_the_columns_of_a_published_schema_is_linked_to_it(catalogue, released, tmp_path):
    offer = offered(catalogue, released, tmp_path)
    linked = {item.key: item.schema_of for item in offer.resources if item.schema_of}
    years = {item.key: "schema:resultats" for item in offer.resources if item.key.startswith("annee:")}
    historical = {"format-historique": "schema:resultats-format-historique"}
    assert years
    parts = dict.fromkeys(("table:resultats:csv", "table:resultats-infra-annuels:csv"), "schema:resultats")
    assert linked == {**parts, **years, **historical}
    titles = {item.key: item.title for item in offer.resources}
    assert titles["schema:resultats-format-historique"] == "Schéma : Résultats, format historique (JSON)"


def test_files_are_read_again_only_where_one_was_touched(catalogue, released, tmp_path):
    first = {item.key: item for item in offered(catalogue, released, tmp_path).resources}
    memory = tmp_path / "work" / "empreintes.json"
    table, year = first["table:indicateurs:csv"], first["annee:2024"]
    told = json.loads(memory.read_text("utf-8"))
    assert {str(item.path.absolute()) for item in first.values() if item.key not in LINKED} == told.keys()
    told[str(table.path.absolute())][2] = told[str(year.path.absolute())][2] = "remembered"
    memory.write_text(json.dumps(told), encoding="utf-8")
    again = {item.key: item.sha1 for item in offered(catalogue, released, tmp_path).resources}
    assert {key for key, sha1 in again.items() if sha1 == "remembered"} == {table.key, year.key}
    year.path.write_bytes(year.path.read_bytes().replace(b"2024", b"2023"))  # the same size: it is made again
    os.utime(table.path)
    assert {item.key: item.sha1 for item in offered(catalogue, released, tmp_path).resources} == {
        key: item.sha1 for key, item in first.items()
    }
    memory.write_text("[1", encoding="utf-8")
    assert offered(catalogue, released, tmp_path).resources == tuple(first.values())
