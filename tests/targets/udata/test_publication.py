"""Publishing to a real udata: first time, again, a new version, files refused; what is there afterwards."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from pathlib import Path

import pytest
import requests
from publishing_house import DATASET, House
from udata_server.server import Udata

pytestmark = pytest.mark.e2e

ORDER = [
    "table:resultats:csv",
    "table:resultats:parquet",
    "classeur",
    "annee:2024",
    "annee:2023",
    "table:resultats-infra-annuels:csv",
    "table:resultats-infra-annuels:parquet",
    "table:indicateurs:csv",
    "reutiliser",
    "flux-versions",
    "dictionnaire",
    "journal",
    "versions",
    "changements",
    "lisezmoi",
    "datapackage",
    "schema:resultats",
    "archive:1.0.0",
]


def download(url: str) -> bytes:
    answer = requests.get(url, timeout=30)
    answer.raise_for_status()
    return answer.content


def test_a_first_publication_is_whole_public_in_order_and_of_full_quality(house: House):
    plan = house.plan()
    report = house.publish()
    assert report.succeeded, report.problems
    assert report.plan.hash == plan.hash
    assert report.quality == 1
    held, dataset = house.held(), house.catalogue.datasets[DATASET]
    assert not held["private"]
    assert held["extras"] == {"resultats:dataset": DATASET, "resultats:version": "1.0.0"}
    assert [held[name] for name in ("license", "frequency", "temporal_coverage")] == [
        "lov2",
        "annual",
        {"start": "2023-01-01", "end": "2024-12-31"},
    ]
    assert held["tags"] == sorted(dataset.tags)
    assert [item["email"] for item in held["contact_points"]] == [dataset.contact.email]
    resources = house.resources()
    assert list(resources) == ORDER
    page, feed = (download(resources[key]["latest"]).decode() for key in ("reutiliser", "flux-versions"))
    for key in ("table:resultats:parquet", "table:indicateurs:csv", "classeur", "flux-versions"):
        assert f"(<{resources[key]['latest']}>)" in page
    assert f'href="{resources["archive:1.0.0"]["latest"]}"' in feed
    assert f'/datasets/{held["id"]}/"' in feed
    assert {resources[key]["type"] for key in ("reutiliser", "flux-versions")} == {"documentation"}
    assert [step.key for step in plan.actions if step.kind == "upload"][-2:] == ["flux-versions", "reutiliser"]
    assert page.count(resources["table:resultats:csv"]["latest"]) > 3  # code in three languages too
    schema = resources["schema:resultats"]["latest"]
    assert resources["table:resultats:csv"]["schema"] == {"name": None, "url": schema, "version": None}
    for item in resources.values():
        assert item["description"]
        assert item["title"] != item["url"].rpartition("/")[2]
        assert hashlib.sha256(download(item["latest"])).hexdigest() == item["extras"]["resultats:sha256"]


def test_what_is_published_is_the_release(published: House):
    release = published.work.releases / DATASET / "1.0.0"
    resources = published.resources()
    table = (release / "resultats-annuels.csv").read_bytes()
    assert download(resources["table:resultats:csv"]["latest"]) == table
    header, *rows = table.splitlines(keepends=True)
    yearly = [download(resources[f"annee:{year}"]["latest"]).splitlines(keepends=True) for year in (2023, 2024)]
    assert [item[0] for item in yearly] == [header, header]
    assert sorted(yearly[0][1:] + yearly[1][1:]) == sorted(rows)
    with zipfile.ZipFile(io.BytesIO(download(resources["archive:1.0.0"]["latest"]))) as archive:
        found = {Path(name).name: archive.read(name) for name in archive.namelist()}
    assert found == {path.name: path.read_bytes() for path in release.iterdir()}


def test_an_unchanged_release_writes_nothing_at_all(published: House):
    before = published.held()
    report = published.publish()
    assert report.succeeded
    assert report.plan.empty
    assert published.wire.writes == []
    assert published.held() == before


def test_what_is_ours_is_found_again_without_any_state(published: House):
    noted = published.work.record(published.base_url)
    kept = noted.read_text(encoding="utf-8")
    noted.unlink()
    report = published.publish()
    assert report.plan.empty
    assert published.wire.writes == []
    assert noted.read_text(encoding="utf-8") == kept


def test_a_new_version_keeps_links_archives_and_the_dates_of_what_did_not_change(
    published: House, shelves: tuple[Path, Path]
):
    before = published.resources()
    published.shelve(shelves[1])
    report = published.publish()
    assert report.succeeded, report.problems
    assert report.plan.why[0].startswith("Version 1.0.1 (corrective). ")  # whoever reads the plan is told why
    after = published.resources()
    assert after["archive:1.0.1"]["latest"] in download(after["flux-versions"]["latest"]).decode()
    assert published.held()["extras"]["resultats:version"] == "1.0.1"
    assert {key: item["id"] for key, item in after.items() if key in before} == {
        key: item["id"] for key, item in before.items()
    }
    assert set(after) - set(before) == {"archive:1.0.1"}
    assert list(after).index("archive:1.0.1") + 1 == list(after).index("archive:1.0.0")
    same = ("url", "checksum", "last_modified")
    for key in ("archive:1.0.0", "annee:2023", "table:indicateurs:csv"):
        assert [after[key][name] for name in same] == [before[key][name] for name in same], key
    assert after["annee:2023"]["extras"]["resultats:version"] == "1.0.1"
    assert b"88" in download(before["annee:2024"]["latest"])
    assert after["annee:2024"]["title"] == before["annee:2024"]["title"]
    assert published.publish().plan.empty


def test_a_platform_without_parquet_gets_the_rest_and_the_plan_says_so(house: House, udata: Udata):
    with udata.refusing("parquet"):
        report = house.publish()
        assert report.succeeded, report.problems
        assert any(".parquet" in note for note in report.plan.notes)
        assert not any(key.endswith(":parquet") for key in house.resources())
        assert house.publish().plan.empty
    added = house.publish()
    done = [(step.kind, step.key) for step in added.done]
    uploads = [("upload", f"table:{name}:parquet") for name in ("resultats", "resultats-infra-annuels")]
    assert done == [*uploads, ("replace", "reutiliser"), ("order", ""), ("seal", "")]


def test_large_files_go_in_parts(house: House):
    house.chunk = 4000
    assert house.publish().succeeded
    sent = re.findall(r"upload/", " ".join(url for _, url in house.wire.writes))
    assert len(sent) > 2 * len(ORDER)
    house.chunk = 1 << 23
    assert house.publish().plan.empty


def test_the_official_client_reads_what_was_published(published: House, official_client, tmp_path: Path):
    read = official_client(published.base_url, published.held()["id"], tmp_path)
    assert read["title"] == published.catalogue.datasets[DATASET].title
    resources = published.resources()
    assert list(read["files"]) == list(resources)
    for key, place in read["files"].items():
        assert hashlib.sha1(Path(place).read_bytes()).hexdigest() == resources[key]["checksum"]["value"], key


def test_the_catalogue_for_machines_tells_licence_and_files(published: House):
    graph = published.call("GET", f"/api/1/datasets/{published.held()['id']}/rdf.jsonld")["@graph"]
    (dataset,) = [node for node in graph if node["@type"] == "Dataset" or "Dataset" in node["@type"]]
    assert len(dataset["distribution"]) == len(published.resources())
