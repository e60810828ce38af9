"""A morning of the data team in a real browser: a backfill, a refused file, a plan accepted, the night.

What the browser clicked is judged through GraphQL and the files written, not through pixels. With
RESULTATS_PICTURES=<folder> (``make docs-pictures``) the pictures of ``docs/`` are written on the way.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fixtures.dagster_page import BACKFILLS, EVERY, LONG, Browser, opened_page, wanted_pictures
from fixtures.dagster_service import PROJECT, Service, free_port, small_project, wait_for

from pipelines.flow.stored_files import read_shaped
from pipelines.release import history
from pipelines.targets.protocol import Rooms

pytestmark = pytest.mark.e2e

DATASET = "resultats-services-publics"
ASSET = """query($path: [String!]!){assetNodeOrError(assetKey: {path: $path}){... on AssetNode{
  assetPartitionStatuses{... on DefaultPartitionStatuses{materializedPartitions failedPartitions}}
  assetChecksOrError{... on AssetChecks{checks{name
    executionForLatestMaterialization{status evaluation{severity
       metadataEntries{label ... on TextMetadataEntry{text}}}}}}}}}}"""

SUMMARY = """{assetOrError(assetKey: {path: ["nuit", "bilan"]}){... on Asset{
  assetMaterializations(limit: 1){runId}}}}"""


@dataclass
class Site(Browser):
    """The same, with the services behind it."""

    service: Service

    def asset(self, *path: str) -> tuple[dict[str, list[str]], dict[str, Any]]:
        """Return the years of an asset by state, and the latest execution of each check."""
        node = self.ask(ASSET, path=list(path))["assetNodeOrError"]
        checks = node["assetChecksOrError"]["checks"]
        return node["assetPartitionStatuses"], {
            item["name"]: item["executionForLatestMaterialization"] for item in checks
        }


@contextmanager
def letters_of(output: Path) -> Iterator[str]:
    """Serve the letters of an output as ``make ui`` does; yield their address."""
    port = free_port()
    command = [sys.executable, "-m", "pipelines.operations.local_pages", str(output / "work" / "networks"), str(port)]
    with subprocess.Popen(command, cwd=PROJECT) as server:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    schemas, exports = small_project(tmp_path, ["mairies", "consulats"], range(2023, 2025))
    declared = schemas / "networks" / "consulats.yml"
    declared.write_text(declared.read_text(encoding="utf-8").replace("2023-2024", "2024"), encoding="utf-8")
    shutil.copy(PROJECT / "data" / "samples" / "provenance.yml", exports)
    spoil(exports / "mairies" / "guichet-2024.csv", 30)
    spoil(exports / "consulats" / "guichet-2024.csv", 3)
    with letters_of(tmp_path / "output") as letters, opened_page() as page:
        service = Service(tmp_path, schemas, exports, {"RESULTATS_LETTERS_URL": letters})
        with service.instance():
            pass  # made before the services start
        try:
            service.start("code", "daemon", "webserver")
            told = {str(tmp_path): "/var/lib/resultats", letters: "https://lettres.example.fr"}
            yield Site(f"http://127.0.0.1:{service.web}", page, wanted_pictures(), told, service)
        finally:
            service.stop()


def spoil(path: Path, rows: int) -> None:
    """Write an answer that isn't declared in the first rows that say « mécontent »."""
    path.write_text(path.read_text(encoding="utf-8").replace("mécontent", "pas content", rows), encoding="utf-8")


def test_a_morning_of_the_data_team(site):
    _a_backfill_and_a_look_are_launched(site)
    run = _the_backfill_ends_with_one_refused_year(site)
    _the_refusal_is_seen_with_its_letter(site, run)
    _the_night_tells_what_it_did(site)
    _the_failed_year_is_launched_again_alone(site)
    _the_plan_that_waits_is_read_and_accepted(site)


def _a_backfill_and_a_look_are_launched(site: Site) -> None:
    """Both at once, so that the national tables are made once for both."""
    site.open("/locations/resultats/asset-groups/mairies", "mairies_observations")
    site.click("button", "Materialize all")
    dialog = site.page.get_by_role("dialog")
    dialog.get_by_role("button", name="All", exact=True).click()
    dialog.get_by_text("2 partitions").locator("visible=true").first.wait_for()
    site.picture("reprise-choisir")
    dialog.get_by_role("button", name="Launch backfill").click()
    wait_for(lambda: site.ask(BACKFILLS)["partitionBackfillsOrError"]["results"], 60)
    site.rest()
    wait_for(lambda: len(site.runs("__ASSET_JOB")) == 2, LONG, EVERY)
    site.open("/locations/resultats/jobs/veille", "veille")
    site.click("button", "^(?:.* )?Materialize")
    wait_for(lambda: site.runs("veille"), 60, EVERY)
    site.rest()


def _the_backfill_ends_with_one_refused_year(site: Site) -> str:
    def over() -> dict[str, Any] | None:
        (found,) = site.ask(BACKFILLS)["partitionBackfillsOrError"]["results"]
        return found if found["status"] not in ("REQUESTED", "FAILING") else None

    backfill = wait_for(over, LONG, EVERY)
    assert backfill["status"] == "COMPLETED_FAILED"
    assert set(backfill["partitionNames"]) == {"2023", "2024"}
    states = {run["status"]: run["runId"] for run in backfill["runs"]}
    assert set(states) == {"SUCCESS", "FAILURE"}
    site.open(f"/runs/b/{backfill['id']}", "mairies / mairies_observations")
    site.see("Failed")
    site.picture("reprise-finie")
    years, _ = site.asset("mairies", "mairies_resultats")
    assert years["materializedPartitions"] == ["2023"]
    return states["FAILURE"]


def _the_refusal_is_seen_with_its_letter(site: Site, run: str) -> None:
    years, checks = site.asset("mairies", "mairies_observations")
    assert years == {"materializedPartitions": ["2023"], "failedPartitions": ["2024"]}
    assert checks["conformite"]["status"] == "FAILED"
    assert checks["conformite"]["evaluation"]["severity"] == "ERROR"
    assert checks["donnees_personnelles"]["status"] == "SUCCEEDED"
    site.open("/assets/mairies/mairies_observations?view=partitions&partition=2024", run[:8])
    site.picture("refus-annee")
    site.open("/assets/mairies/mairies_observations?view=checks&checkDetail=conformite", "guichet_lettre_html")
    site.picture("refus-controle")
    link = site.page.locator("a[href$='guichet-lettre.html']").locator("visible=true").first
    with site.page.context.expect_page() as opened:
        link.click()
    letter = opened.value
    letter.get_by_text("pas content").first.wait_for()
    if site.pictures:
        site.page, before = letter, site.page
        letter.set_viewport_size({"width": 1000, "height": 720})
        site.picture("refus-lettre")
        site.page = before
    letter.close()


def _the_night_tells_what_it_did(site: Site) -> None:
    night = site.ended("veille", 1)["runId"][:8]
    wait_for(lambda: site.ask(SUMMARY)["assetOrError"]["assetMaterializations"], LONG, EVERY)
    record = read_shaped(site.service.output / "work" / "nuits" / f"{night}.json", dict)
    (cell,) = record["a_traiter"]
    assert (cell["network"], cell["year"], cell["resultat"]) == ("consulats", 2024, "nouveaux résultats")
    site.page.set_viewport_size({"width": 1280, "height": 840})
    site.open("/assets/nuit/bilan?view=events", "nouveaux résultats")
    site.picture("nuit-bilan")
    site.page.set_viewport_size({"width": 1280, "height": 720})


def _the_failed_year_is_launched_again_alone(site: Site) -> None:
    assert versions(site)[0] == "1.0.0"
    before = len(site.runs("national"))
    path = site.service.folder / "exports" / "mairies" / "guichet-2024.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("pas content", "mécontent"), encoding="utf-8")
    site.open("/locations/resultats/asset-groups/mairies", "mairies_observations")
    site.click("button", "Materialize all")
    dialog = site.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Failed", exact=True).click()
    dialog.get_by_text("1 partition").locator("visible=true").first.wait_for()
    dialog.get_by_role("button", name="Launch 1 run").click()
    again = site.ended("__ASSET_JOB", 3)
    assert again["status"] == "SUCCESS"
    assert {"key": "dagster/partition", "value": "2024"} in again["tags"]
    years, _ = site.asset("mairies", "mairies_resultats")
    assert sorted(years["materializedPartitions"]) == ["2023", "2024"]
    assert site.asset("mairies", "mairies_observations")[1]["conformite"]["status"] == "SUCCEEDED"
    assert site.ended("national", before + 1)["status"] == "SUCCESS"


def _the_plan_that_waits_is_read_and_accepted(site: Site) -> None:
    (plan,) = read_shaped(site.service.output / "work" / "attente" / "publication.json", list)
    assert "CE PLAN ATTEND UN ACCORD" in plan["text"]
    _, checks = site.asset("national", "publication")
    assert (checks["accord"]["status"], checks["accord"]["evaluation"]["severity"]) == ("FAILED", "WARN")
    site.open("/assets/national/publication?view=checks&checkDetail=accord", "change plus que prévu")
    site.page.get_by_text("[Show Markdown]").locator("visible=true").first.click()
    shown = site.page.get_by_role("dialog").get_by_text(re.compile("CE PLAN ATTEND UN ACCORD")).first
    shown.wait_for()
    shown.evaluate("node => { let at = node; while ((at = at.parentElement)) at.scrollTop = at.scrollHeight; }")
    site.picture("plan-lire")
    given = {item["label"]: item.get("text") for item in checks["accord"]["evaluation"]["metadataEntries"]}
    (to_paste,) = [text for label, text in given.items() if label.startswith("a_coller_")]
    assert plan["hash"] in to_paste
    reason = "2024 des mairies vient d'être reçue"
    query = urlencode({"config": to_paste.replace("…", reason)})  # as the link of a_lancer does
    site.open(f"/locations/resultats/jobs/accepter_plan/playground/setup?{query}", "Launch Run")
    site.see("No errors")
    site.picture("plan-accepter")
    site.click("button", "Launch Run")
    assert site.ended("accepter_plan", 1)["status"] == "SUCCESS"
    accepted = read_shaped(Rooms(site.service.output).acceptances / f"{plan['hash']}.json", dict)
    assert accepted["reason"] == reason
    assert (site.service.output / "catalogue" / DATASET / "latest" / "CHANGELOG.md").is_file()


def versions(site: Site) -> list[str]:
    return history.versions(site.service.output / "releases", DATASET)
