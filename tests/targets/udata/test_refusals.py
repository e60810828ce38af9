"""What stops a publication: keys, rights, unknown words, another publication. Each ends in a sentence on what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from publishing_house import House, Wire, small
from udata_server.server import Udata

from pipelines.release.refusals import ConcurrentPublicationError, PublicationError
from pipelines.targets.udata.transport import RefusedError, UnreachableError

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
    with pytest.raises(RefusedError, match="RESULTATS_API_KEY") as error:
        refused.publish()
    assert error.value.status == 401
    assert refused.key not in f"{error.value} {error.value.__dict__} {refused.target}"
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


def test_a_publication_at_work_on_this_machine_keeps_another_one_from_the_same_target(house: House):
    """One publisher at a time on a target is the rule: the pool of Dagster among its runs, a lock on the machine."""

    def meanwhile(step: str) -> None:
        if step.startswith("OUVRIR"):
            with pytest.raises(ConcurrentPublicationError, match="attendre sa fin"):
                replace(house, wire=Wire()).publish()

    assert house.publish(progress=meanwhile).succeeded
    assert house.publish().plan.empty


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
