"""The test server is a real udata that starts, keeps files and refuses what data.gouv.fr refuses."""

from __future__ import annotations

import hashlib
import subprocess

import pytest
import requests

from udata_server import environment
from udata_server.server import Udata

pytestmark = pytest.mark.e2e


def post(udata: Udata, path: str, key: str, **content) -> requests.Response:
    return requests.post(udata.base_url + "/api/1" + path, headers={"X-API-KEY": key}, timeout=30, **content)


def made(udata: Udata, organization: str, **fields) -> str:
    described = {"title": "Essai", "description": "Un essai", "organization": organization, **fields}
    answer = post(udata, "/datasets/", udata.editor_key, json=described)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def test_a_file_is_published_and_read_back(udata: Udata, organization: str):
    dataset = made(udata, organization)
    content = b"a\n1\n"
    answer = post(udata, f"/datasets/{dataset}/upload/", udata.editor_key, files={"file": ("a.csv", content)})
    assert answer.status_code == 201
    assert answer.json()["checksum"] == {"type": "sha1", "value": hashlib.sha1(content).hexdigest()}
    assert requests.get(answer.json()["latest"], timeout=30).content == content
    assert [each["id"] for each in udata.datasets(organization)] == [dataset]


def test_each_organisation_starts_empty_and_shows_its_private_and_deleted_datasets(udata: Udata):
    organization, other = udata.organization(), udata.organization()
    private, deleted = made(udata, organization, private=True), made(udata, organization)
    requests.delete(
        f"{udata.base_url}/api/1/datasets/{deleted}/", headers={"X-API-KEY": udata.editor_key}, timeout=30
    ).raise_for_status()
    assert [each["id"] for each in udata.datasets(organization)] == [private, deleted]
    assert udata.datasets(other) == []


def test_a_publisher_sees_its_organisation_alone_on_a_server_as_at_its_start(udata: Udata):
    publisher = udata.publisher()
    content = {"title": "Essai", "description": "Un essai", "organization": publisher.organization}
    for _ in range(2):
        udata.restore()
        publisher = udata.publisher()
        content["organization"] = publisher.organization
        answer = post(udata, "/datasets/", publisher.key, json=content)
        assert answer.json()["slug"] == "essai"  # no other dataset of this title is left
        file = {"file": ("a.csv", b"a")}  # nor its files, whose folders are named after the second
        assert post(udata, f"/datasets/{answer.json()['id']}/upload/", publisher.key, files=file).status_code == 201
    assert len(udata.get("/api/1/me/org_datasets/", publisher.key)) == 1
    assert "lov2" in {licence["id"] for licence in udata.get("/api/1/datasets/licenses/")}


def test_a_state_is_restored_with_its_files(udata: Udata):
    publisher = udata.publisher()
    path = f"/datasets/{made(udata, publisher.organization)}/upload/"
    first = post(udata, path, publisher.key, files={"file": ("a.csv", b"a")}).json()
    state = udata.keep()
    replaced = post(udata, path.replace("upload/", f"resources/{first['id']}/upload/"), publisher.key,
                    files={"file": ("b.csv", b"b")})  # fmt: skip
    assert replaced.status_code == 200
    udata.restore(state)
    assert requests.get(first["latest"], timeout=30).content == b"a"
    udata.restore()
    assert requests.get(first["latest"], timeout=30).status_code == 404


@pytest.mark.parametrize("name", ["expired_key", "revoked_key"])
def test_keys_that_are_no_longer_good_are_refused(udata: Udata, name: str):
    assert post(udata, "/datasets/", getattr(udata, name), json={}).status_code == 401


def test_only_members_publish_for_an_organisation(udata: Udata, organization: str):
    content = {"title": "Essai", "description": "Un essai", "organization": organization}
    refused = post(udata, "/datasets/", udata.stranger_key, json=content)
    assert refused.status_code == 400
    assert "organization" in refused.json()["errors"]


def test_extensions_and_sizes_are_refused_for_a_while(udata: Udata, organization: str):
    path = f"/datasets/{made(udata, organization)}/upload/"

    def upload() -> int:
        return post(udata, path, udata.editor_key, files={"file": ("a.parquet", b"x" * 1000)}).status_code

    with udata.refusing("parquet"):
        assert upload() == 400
    with udata.settings(MAX_CONTENT_LENGTH=500):
        assert upload() == 413
    assert upload() == 201


def test_the_positional_update_keeps_the_other_fields(udata: Udata, organization: str):
    """The first gap of the in-memory database, seen from outside: a changed resource moves the dataset's date."""
    dataset = made(udata, organization)
    resource = post(udata, f"/datasets/{dataset}/upload/", udata.editor_key, files={"file": ("a.csv", b"a")}).json()
    before = udata.get(f"/api/1/datasets/{dataset}/")
    requests.put(
        f"{udata.base_url}/api/1/datasets/{dataset}/resources/{resource['id']}/",
        headers={"X-API-KEY": udata.editor_key},
        json={"title": "Autre", "description": "Décrit"},
        timeout=30,
    ).raise_for_status()
    after = udata.get(f"/api/1/datasets/{dataset}/")
    assert after["resources"][0]["title"] == "Autre"
    assert after["last_update"] > before["last_update"]
    assert not before["quality"].get("resources_documentation")
    assert after["quality"]["resources_documentation"]


def test_the_gaps_of_the_database_are_filled_and_still_there(udata: Udata):
    """Fails when a new version of mongomock-ng fills a gap itself: our patch is then to be removed."""
    done = subprocess.run(
        [environment.python_of(environment.UDATA), "-Es", environment.HERE / "database_gaps.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_lock_is_installed_once(udata: Udata, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environment, "_install", lambda *_: pytest.fail("installed twice"))
    assert environment.python_of(environment.UDATA).exists()
