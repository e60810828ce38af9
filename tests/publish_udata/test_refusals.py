"""What stops a publication: keys, rights, unknown words, another publisher. Each ends in a sentence on what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from publishing_house import DATASET, House, Wire, small
from udata_server.server import Udata

from pipelines.release.errors import ConcurrentPublicationError, PublicationError
from pipelines.targets.udata.errors import KeyRefusedError, UnreachableError

pytestmark = pytest.mark.e2e


def command(house: House, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would."""
    access = {"RESULTATS_API_KEY": house.key, "RESULTATS_ORGANIZATION": house.organization}
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments, "--target", house.base_url, "--output", str(house.output)],
        env={**os.environ, **access, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("key", ["expired_key", "revoked_key", "udata_inconnue"])
def test_a_key_that_is_refused_stops_all_and_is_never_shown(house: House, udata: Udata, key: str):
    refused = replace(house, key=getattr(udata, key, key))
    with pytest.raises(KeyRefusedError, match="RESULTATS_API_KEY") as error:
        refused.publish()
    assert refused.key not in f"{error.value} {error.value.__dict__} {refused.platform}"
    assert refused.wire.writes == []


def test_an_organization_must_exist_and_have_us_as_a_member(house: House, udata: Udata):
    for organization, word in ((udata.organization(), "membre"), ("inconnue", "n'existe pas")):
        with pytest.raises(PublicationError, match=word):
            replace(house, organization=organization).publish()
    assert house.wire.writes == []


def test_a_licence_that_the_platform_would_lose_is_refused_before_anything_is_sent(house: House, catalogue):
    house.catalogue = small(catalogue, licence="licence-inconnue")
    with pytest.raises(PublicationError, match="licence-inconnue"):
        house.publish()
    assert house.wire.writes == []


def test_a_target_that_does_not_answer_or_is_no_udata(house: House):
    with pytest.raises(UnreachableError, match="ne répond pas"):
        replace(house, base_url="http://127.0.0.1:9").publish()
    with pytest.raises(PublicationError):
        replace(house, base_url=f"{house.base_url}/ailleurs").publish()


def test_a_schema_catalogue_that_is_down_leaves_only_the_schema_for_later(house: House, catalogue, udata: Udata):
    schema = {"name": "resultats/resultats", "version": "1.0.0"}
    declared = house.catalogue.datasets[DATASET].model_validate(
        {**house.catalogue.datasets[DATASET].model_dump(by_alias=True), "schemas": {"resultats": schema}}
    )
    house.catalogue = small(catalogue, schemas=declared.schemas)
    with udata.settings(SCHEMA_CATALOG_URL="http://127.0.0.1:9/schemas.json"):
        report = house.publish()
    assert not report.succeeded
    assert report.problems == ()
    assert any("schéma" in warning for warning in report.warnings)
    main = house.resources()["table:resultats:csv"]
    assert main["title"] == house.plan().actions[0].what.strip("« »")
    report = house.publish()
    assert report.succeeded
    assert [step.kind for step in report.done] == ["describe", "describe", "describe", "seal"]  # the table, two years
    assert {**schema, "url": None} == house.resources()["table:resultats:csv"]["schema"]


def test_two_machines_at_once_make_one_dataset_and_nothing_double(house: House, tmp_path: Path):
    other = replace(house, output=tmp_path / "other", machine="autre", wire=Wire())
    other.shelve(house.work.releases)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(machine.publish) for machine in (house, other)]
        errors = [run.exception() for run in runs]
    assert [type(error) for error in errors if error] in ([], [ConcurrentPublicationError])
    for machine in (house, other):
        assert machine.publish().succeeded
    mine = [
        item
        for item in house.call("GET", "/api/1/me/org_datasets/")
        if item["organization"]["id"] == house.organization
    ]
    ours = [item for item in mine if item["extras"].get("resultats:dataset")]
    others = [(item["private"], item["resources"], item["extras"]) for item in mine if item not in ours]
    assert len(ours) == 1
    assert others in ([], [(True, [], {"resultats:libre": "oui"})])  # both created it: one draft is left free
    keys = [item["extras"]["resultats:key"] for item in house.held()["resources"]]
    assert sorted(keys) == sorted(set(keys))
    assert house.publish().plan.empty


def test_a_publication_elsewhere_is_waited_for_then_taken_over(published: House, shelves: tuple[Path, Path]):
    held, now = published.held(), datetime.now(UTC)
    sign = {"resultats:publication": f"ailleurs {now.isoformat(timespec='seconds')} marque"}
    published.call("PUT", f"/api/2/datasets/{held['id']}/extras/", json=sign)
    published.shelve(shelves[1])
    with pytest.raises(ConcurrentPublicationError, match="en cours"):
        published.publish()
    assert published.wire.writes == []
    published.now = lambda: now + timedelta(hours=2)
    assert published.publish().succeeded
    assert "resultats:publication" not in published.held()["extras"]


def test_a_publisher_whose_sign_was_overwritten_stops(published: House, shelves: tuple[Path, Path]):
    held = published.held()
    published.shelve(shelves[1])

    def intrude(step: str) -> None:
        if step.startswith("REMPLACER"):
            sign = {"resultats:publication": "ailleurs 2026-01-01T00:00:00+00:00 marque"}
            published.call("PUT", f"/api/2/datasets/{held['id']}/extras/", json=sign)

    with pytest.raises(ConcurrentPublicationError, match="pendant celle-ci"):
        published.publish(progress=intrude)
    assert published.publish().succeeded


def test_the_command_shows_asks_publishes_and_never_shows_the_key(house: House):
    shown = command(house, "publish")
    assert shown.returncode == 1
    assert "--yes" in shown.stdout
    assert "CRÉER" in shown.stdout
    ran = command(house, "publish", "--yes", "--json")
    assert ran.returncode == 0
    (report,) = json.loads(ran.stdout)["reports"]
    assert command(house, "plan", RESULTATS_API_KEY="").returncode == 2
    assert report["succeeded"]
    assert report["quality"] == 1
    bad = command(house, "plan", "--json", RESULTATS_API_KEY="udata_inconnue")
    assert bad.returncode == 1
    assert "RESULTATS_API_KEY" in json.loads(bad.stdout)["error"]
    assert "udata_inconnue" not in bad.stdout + bad.stderr
    said = "".join(item.stdout + item.stderr for item in (shown, ran))
    kept = "".join(path.read_text("utf-8") for path in house.output.rglob("*.json"))
    assert house.key not in said + kept


def test_a_blocked_plan_is_accepted_by_its_hash_and_no_other(published: House):
    held = published.held()
    kept = {name: held[name] for name in ("tags", "temporal_coverage")}
    published.call("PUT", f"/api/1/datasets/{held['id']}/", json={**kept, "private": True})
    blocked = command(published, "plan", "--json")
    assert blocked.returncode == 1
    (plan,) = json.loads(blocked.stdout)["plans"]
    assert plan["blocked"]
    wrong = command(published, "publish", "--accept", "0" * 64)
    assert wrong.returncode == 1
    assert "empreinte" in wrong.stderr
    assert published.held()["private"]
    right = command(published, "publish", "--accept", plan["hash"], "--reason", "c'était une erreur")
    assert right.returncode == 0, right.stdout + right.stderr
    assert not published.held()["private"]
    (kept_acceptance,) = published.work.acceptances.glob("*.json")
    assert json.loads(kept_acceptance.read_text("utf-8"))["reason"] == "c'était une erreur"


def test_a_draft_left_free_is_used_before_another_is_made(house: House):
    draft = {"title": "[Brouillon vide]", "description": "libre", "private": True, "extras": {"resultats:libre": "oui"}}
    left = house.call("POST", "/api/1/datasets/", json={**draft, "organization": house.organization})
    assert house.publish().succeeded
    held = house.held()
    assert held["id"] == left["id"]
    assert held["extras"] == {"resultats:dataset": DATASET, "resultats:version": "1.0.0"}
    assert not held["private"]
