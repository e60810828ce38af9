"""The first hour of somebody who has just cloned the project, in a terminal and a real browser, up to a publication.

``make run`` and ``make ui`` are those of a copy of the project with the samples of one network; the platform is a real
udata on this machine. With RESULTATS_PICTURES=<folder> (``make docs-pictures``) the pictures of
``docs/premiere-heure.md`` are written on the way.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from fixtures.dagster_page import BACKFILLS, EVERY, LONG, Browser, opened_page, wanted_pictures
from fixtures.dagster_service import PROJECT, free_port, wait_for
from udata_server.server import Udata

from pipelines.flow.stored_files import read_shaped
from pipelines.release import history

pytestmark = pytest.mark.e2e

DATASET = "resultats-services-publics"
NETWORK, EXPORT = "consulats", "guichet"
TERMINAL = """<body style="margin:0;background:#16202c"><pre style="margin:0;padding:18px 22px;color:#e8edf2;
font:15px/1.45 'DejaVu Sans Mono',monospace;white-space:pre-wrap"><b style="color:#8fd18f">$ {}</b>\n{}</pre>"""


@dataclass
class Hour(Browser):
    """A clone, the terminal in it, and the account on the platform."""

    clone: Path
    environment: dict[str, str]
    udata: Udata
    letters: int

    def type(self, command: str, code: int = 0) -> str:
        """Type a command in the clone; return what it tells, once its code is the one that is expected."""
        done = subprocess.run(
            ["sh", "-c", f"{command} 2>&1"],
            cwd=self.clone, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout[-4000:]
        return done.stdout

    def show(self, name: str, command: str, told: str) -> None:
        """Take a picture of the terminal, when pictures are wanted."""
        self.page.set_viewport_size({"width": 1000, "height": 200})
        self.page.set_content(TERMINAL.format(html.escape(command), html.escape(told.strip("\n"))))
        height = self.page.evaluate("document.querySelector('pre').offsetHeight")
        self.page.set_viewport_size({"width": 1000, "height": min(height, 620)})
        self.picture(name)
        self.page.set_viewport_size({"width": 1280, "height": 720})

    def call(self, path: str) -> Any:
        """Ask the platform as the account may."""
        headers = {"X-API-KEY": self.environment["RESULTATS_API_KEY"]}
        return requests.get(self.udata.base_url + path, headers=headers, timeout=30).json()


def copied(clone: Path, schemas: Path) -> None:
    """Copy what a clone holds, with the declarations and samples of one network alone, so that it takes a minute."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("assets", "pipelines"):
        shutil.copytree(PROJECT / name, clone / name, ignore=ignored)
    shutil.copytree(schemas, clone / "schemas")
    shutil.copytree(PROJECT / "data" / "samples" / "caf", clone / "data" / "samples" / "caf")
    for name in ("Makefile", "dagster.yaml", "pyproject.toml", "LISEZMOI.md", "data/samples/provenance.yml"):
        shutil.copy(PROJECT / name, clone / name)


@pytest.fixture
def hour(tmp_path: Path, udata: Udata, few_networks: Callable[..., Path]) -> Iterator[Hour]:
    clone, account = tmp_path / "resultats", udata.publisher()
    copied(clone, few_networks("caf"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RESULTATS_", "DAGSTER_"))}
    environment = {
        **kept, "PYTHONPATH": str(clone), "COVERAGE_PROCESS_START": "", "COLUMNS": "100",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "RESULTATS_API_KEY": account.key, "RESULTATS_ORGANIZATION": account.organization,
    }  # fmt: skip
    port, letters = free_port(), free_port()
    told = {
        str(clone): "~/resultats", str(tmp_path): "~", udata.base_url: "https://udata.example.fr",
        re.sub(r"\W", "-", udata.base_url.partition("://")[2]): "udata-example-fr",
        f"127.0.0.1:{letters}": "127.0.0.1:3001", f"127.0.0.1:{port}": "127.0.0.1:3000",
    }  # fmt: skip
    with opened_page() as page:
        address = f"http://127.0.0.1:{port}"
        yield Hour(address, page, wanted_pictures(), told, clone, environment, udata, letters)


def make(target: str, *more: str) -> list[str]:
    """Return a make command that takes the installation of the tests for its own, which takes a minute to make."""
    return ["make", target, "-o", "setup", f"BIN={Path(sys.executable).parent}", *more]


def test_the_first_hour(hour: Hour) -> None:
    _the_samples_are_treated_and_the_site_is_opened(hour)
    _a_network_is_added_from_the_readme(hour)
    _a_file_is_refused_its_letter_read_the_file_mended(hour)
    with _the_ui(hour):
        _its_years_are_launched_together(hour)
        _the_plan_is_accepted_and_published(hour)
    told = hour.type("resultats status")
    assert "1.1.0" in told
    hour.show("heure-publie", "resultats status", told)


def _the_samples_are_treated_and_the_site_is_opened(hour: Hour) -> None:
    told = hour.type(" ".join(make("run")))
    assert "Caisses d'allocations familiales" in told
    hour.show("heure-traitement", "make run", told)
    hour.page.goto((hour.clone / "data" / "output" / "site" / "index.html").as_uri())
    hour.see("Caisses d.allocations familiales")
    hour.picture("heure-site")


def _a_network_is_added_from_the_readme(hour: Hour) -> None:
    readme = (hour.clone / "LISEZMOI.md").read_text(encoding="utf-8")
    (declared,) = re.findall(r"```yaml\n(.*?)```", readme, flags=re.DOTALL)
    (hour.clone / "schemas" / "networks" / f"{NETWORK}.yml").write_text(declared, encoding="utf-8")
    assert f"aucun indicateur ne lit l'export {EXPORT} de {NETWORK}" in hour.type("resultats check")
    (feed,) = re.findall(rf"`({NETWORK}: \{{.*?)`", readme, flags=re.DOTALL)
    indicator = hour.clone / "schemas" / "indicators" / "csat.yml"
    text = indicator.read_text(encoding="utf-8")
    fed = text.replace("\nnetworks:\n", f"\nnetworks:\n  {' '.join(feed.split())}\n")
    indicator.write_text(fed, encoding="utf-8")
    assert "Attention" not in hour.type("resultats check")
    assert "indicateurs : csat" in hour.type(f"resultats list {NETWORK}")


def _a_file_is_refused_its_letter_read_the_file_mended(hour: Hour) -> None:
    for year in (2024, 2025):
        _answers(hour, year)
    file = _answers(hour, 2025, wrong="très bien")
    command = f"resultats validate {file} --network {NETWORK} --export {EXPORT} --year 2025"
    told = hour.type(f"{command} --letter lettres", code=1)
    hour.show("heure-refus", f"{command} --letter lettres", told)
    hour.page.set_viewport_size({"width": 1000, "height": 720})
    hour.page.goto((hour.clone / "lettres" / f"{EXPORT}-lettre.html").as_uri())
    hour.see("très bien")
    hour.picture("heure-lettre")
    hour.page.set_viewport_size({"width": 1280, "height": 720})
    _answers(hour, 2025)
    assert "ACCEPTÉ" in hour.type(command).upper()


def _answers(hour: Hour, year: int, wrong: str = "4") -> Path:
    """Write the answers of a year at three offices, one in eight being ``wrong``; return their place in the clone."""
    offices = (("C1", "Oran"), ("C2", "Londres"), ("C3", "Lima"))
    lines = [
        f"{1 + at % 28:02d}/{1 + at % 12:02d}/{year};{';'.join(offices[at % 3])};{1 + at * 7 % 5 if at % 8 else wrong}"
        for at in range(240)
    ]
    file = Path("data", "samples", NETWORK, f"{EXPORT}-{year}.csv")
    (hour.clone / file).parent.mkdir(exist_ok=True)
    (hour.clone / file).write_text("\n".join(["jour;poste;ville;avis", *lines]) + "\n", encoding="utf-8")
    return file


@contextmanager
def _the_ui(hour: Hour) -> Iterator[None]:
    """Open Dagster as ``make ui`` does, until the end."""
    hour.environment["RESULTATS_TARGET"] = hour.udata.base_url
    ports = (f"PORT={hour.address.rpartition(':')[2]}", f"LETTERS={hour.letters}")
    with (hour.clone / "ui.log").open("wb") as log:
        ui = subprocess.Popen(
            make("ui", *ports),
            cwd=hour.clone, env=hour.environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(lambda: _answers_at(f"{hour.address}/server_info"), LONG, EVERY)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(ui.pid, signal.SIGKILL)
        ui.wait(20)


def _answers_at(address: str) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(address, timeout=10).ok
    return False


def _its_years_are_launched_together(hour: Hour) -> None:
    hour.open(f"/locations/resultats/asset-groups/{NETWORK}", f"{NETWORK}_observations")
    hour.click("button", "Materialize all")
    dialog = hour.page.get_by_role("dialog")
    dialog.get_by_role("button", name="All", exact=True).click()
    dialog.get_by_text("2 partitions").locator("visible=true").first.wait_for()
    dialog.get_by_role("button", name="Launch backfill").click()
    wait_for(lambda: hour.ask(BACKFILLS)["partitionBackfillsOrError"]["results"], 60)
    hour.rest()

    def over() -> dict[str, Any] | None:
        (found,) = hour.ask(BACKFILLS)["partitionBackfillsOrError"]["results"]
        return found if found["status"] not in ("REQUESTED", "FAILING") else None

    backfill = wait_for(over, LONG, EVERY)
    assert backfill["status"] == "COMPLETED_SUCCESS"
    assert set(backfill["partitionNames"]) == {"2024", "2025"}
    hour.open(f"/runs/b/{backfill['id']}", f"{NETWORK} / {NETWORK}_observations")
    hour.picture("heure-reprise")
    hour.rest()


def _the_plan_is_accepted_and_published(hour: Hour) -> None:
    output = hour.clone / "data" / "output"
    waiting = output / "work" / "attente" / "publication.json"

    def shown() -> dict[str, Any] | None:
        plans = read_shaped(waiting, list) if waiting.is_file() else []
        return next((plan for plan in plans if "1.1.0" in plan["text"]), None)

    plan = wait_for(shown, LONG, EVERY)
    assert history.versions(output / "releases", DATASET)[-1] == "1.1.0"
    assert hour.call("/api/1/me/org_datasets/") == [], "nothing is written on a platform without an agreement"
    hour.open("/assets/national/publication?view=checks&checkDetail=accord", "a_coller")
    hour.picture("heure-plan")
    link = hour.page.locator("a[href*='accepter_plan/playground']").locator("visible=true").first
    assert plan["hash"] in link.get_attribute("href")
    hour.page.goto(link.get_attribute("href"))
    hour.see("No errors")
    filled = hour.page.evaluate("document.querySelector('.CodeMirror').CodeMirror.getValue()")
    hour.page.locator(".CodeMirror").click()
    hour.page.keyboard.press("Control+A")
    hour.page.keyboard.insert_text(filled.replace("…", "première publication"))
    hour.see("No errors")
    hour.picture("heure-accord")
    hour.click("button", "Launch Run")
    assert hour.ended("accepter_plan", 1)["status"] == "SUCCESS"
    (published,) = hour.call("/api/1/me/org_datasets/")
    assert published["extras"]["resultats:version"] == "1.1.0"
