"""What people see in a browser, and pictures of it for ``docs/`` where RESULTATS_PICTURES names a folder."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from dagster_service import wait_for

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
LONG = 240  # seconds: the backfill daemon alone takes half a minute to begin, and the machine may be shared
EVERY = 2  # seconds between two questions
RUNS = "{runsOrError(limit: 50){... on Runs{results{runId jobName status tags{key value}}}}}"
BACKFILLS = """{partitionBackfillsOrError(limit: 1){... on PartitionBackfills{
  results{id status partitionNames runs(limit: 9){runId status}}}}}"""

TELL = """([place, told]) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(place, told);
}"""


@dataclass
class Browser:
    """The UI of Dagster at an address, a page of the browser, where its pictures go; ``told``: words for others."""

    address: str
    page: Any
    pictures: Path | None
    told: dict[str, str]

    def ask(self, query: str, **variables: Any) -> Any:
        """Ask GraphQL of the web server that the browser uses."""
        answer = requests.post(
            f"{self.address}/graphql", json={"query": query, "variables": variables}, timeout=60
        ).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def runs(self, job: str) -> list[dict[str, Any]]:
        return [run for run in self.ask(RUNS)["runsOrError"]["results"] if run["jobName"] == job]

    def ended(self, job: str, count: int) -> dict[str, Any]:
        """Wait until ``count`` runs of ``job`` are over; return the latest."""
        wait_for(lambda: len(self.runs(job)) >= count, LONG, EVERY)
        self.rest()

        def over() -> list[dict[str, Any]] | None:
            runs = self.runs(job)
            done = [run for run in runs if run["status"] in ("SUCCESS", "FAILURE", "CANCELED")]
            return runs if len(done) == len(runs) >= count else None

        return wait_for(over, LONG, EVERY)[0]

    def open(self, path: str, seen: str) -> None:
        """Open a page of the UI and wait until a text is seen in it."""
        self.page.goto(f"{self.address}{path}")
        self.see(seen)

    def rest(self) -> None:
        """Leave the UI while waiting: its pages ask and draw all the time."""
        self.page.goto("about:blank")

    def see(self, text: str) -> None:
        self.page.get_by_text(re.compile(text)).locator("visible=true").first.wait_for()

    def click(self, role: str, name: str) -> None:
        self.page.get_by_role(role, name=re.compile(name)).locator("visible=true").first.click()

    def picture(self, name: str) -> None:
        """Write what the browser shows as a small PNG, when pictures are wanted."""
        if self.pictures is None:
            return
        from PIL import Image

        self.page.wait_for_timeout(1500)  # movements end
        for place, told in self.told.items():  # addresses and folders as they are once installed
            self.page.evaluate(TELL, [place, told])
        with Image.open(io.BytesIO(self.page.screenshot())) as shown:
            few = shown.convert("RGB").quantize(256, dither=Image.Dither.NONE)
            few.save(self.pictures / f"{name}.png", optimize=True)


@contextmanager
def opened_page() -> Iterator[Any]:
    """Open a page of Chromium; the test is skipped on a machine without it, and fails in CI."""
    if not CHROMIUM.exists():
        assert not os.environ.get("CI"), "Chromium est attendu en intégration continue (.ci/run)"
        pytest.skip("Chromium n'est pas installé (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 720}, locale="fr-FR")
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def wanted_pictures() -> Path | None:
    """Return the folder where pictures are written, if they are wanted."""
    folder = os.environ.get("RESULTATS_PICTURES")
    return Path(folder) if folder else None
