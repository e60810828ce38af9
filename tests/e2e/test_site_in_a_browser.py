"""The public site in a real Chromium, from the disk: axe-core on every template, keyboard, reflow, search."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.made_names import offices

from pipelines.cli import main
from pipelines.portal.lists import search_files

pytestmark = pytest.mark.e2e

PROJECT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
AXE = PROJECT / ".cache" / "axe" / "node_modules" / "axe-core" / "axe.min.js"  # by .ci/run
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
VNU = PROJECT / ".cache" / "vnu" / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"  # by .ci/run
# Width, colours, whether scripts run: any two of them meet in any way; all three in every way by `make test-long`.
PAIRED = ((320, "light", True), (320, "dark", False), (1280, "light", False), (1280, "dark", True))
EVERY = tuple(itertools.product((320, 1280), ("light", "dark"), (True, False)))
RETIRED = "structures/caf/RETIREE.html"
# One page of each template, and of each state: published, provisional, secret, refused, broken, not significant.
PAGES = (
    *("index.html", "reseaux.html", "departements.html", "regions.html", "structures.html", "indicateurs.html"),
    *("donnees.html", "donnees/indicateurs.html", "donnees/versions/1.0.0.html", "qualite.html"),
    *("accessibilite.html", "plan.html"),
    *("reseaux/dgfip.html", "reseaux/universites.html", "departements/75.html", "departements/2A.html"),
    *("departements/75/assurance-maladie.html", "departements/30/france-services.html", "regions/11.html"),
    *("regions/11/caf.html", "structures/france-travail/FT75-2.html", "structures/universites/0000001A.html"),
    *("indicateurs/nps.html", "indicateurs/nps/caf.html", "indicateurs/csat/dgfip.html"),
    *("barometres.html", "barometres/confiance.html", "barometres/confiance/confiance.html"),
    *("barometres/confiance/freins.html", "barometres/services-publics/satisfaction.html"),
    *("signaux.html", "signaux/methode.html", "voix/france-travail/France~20Travail.html"),
    "signaux/caf-allocations-familiales-caf-joignabilite-negatif-2024-11.html",
    *("listes/lettre-a.html", "listes/reseau-dgfip.html", "recherche.html", "recherche.html?q=paris", RETIRED),
)
RUN_AXE = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
  one => one.id + ' : ' + one.nodes.slice(0, 3).map(node => node.target.join(' ')).join(' ; '))"""
FOUND = """name => {
  const field = document.getElementById('q'), box = document.getElementById('resultats');
  box.textContent = ''; document.getElementById('compte').textContent = '';
  field.value = name; field.form.requestSubmit();
  return new Promise(done => {
    const since = Date.now();
    (function look() {
      if (document.getElementById('compte').textContent || Date.now() - since > 10000)
        done([...box.querySelectorAll('a')].slice(0, 10).map(link => link.getAttribute('href')));
      else setTimeout(look, 2);
    })();
  });
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        missing = "Chromium n'est pas installé (paquet chromium, voir .ci/run)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def site(whole_run: tuple[Path, str], tmp_path_factory) -> Path:
    """The site of the samples, with a page that is no longer due."""
    folder = tmp_path_factory.mktemp("site") / "site"
    shutil.copytree(whole_run[0] / "site", folder)
    with (folder / "pages.csv").open("a", encoding="utf-8") as listed:
        listed.write(f"{RETIRED},caf,,,1.0.0,en ligne\n")
    assert main(["site", "--output", str(whole_run[0]), "--site", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        pytest.skip("axe-core n'est pas là : npm install --prefix .cache/axe axe-core@4.14.1 (voir .ci/run)")
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == AXE_SHA256
    return AXE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "scheme", "scripts"), EVERY if os.environ.get("RESULTATS_LONG") else PAIRED)
def test_no_template_breaks_a_rule_of_axe_nor_scrolls_sideways(browser, site, axe, width, scheme, scripts):
    """Without scripts, none of the site's is loaded: axe is one itself, and can't run where a browser refuses all."""
    found = []
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    if not scripts:
        context.route("**/*.js", lambda route: route.abort())
    page = context.new_page()
    for address in PAGES:
        page.goto(f"file://{site}/{address}")
        if "?q=" in address and scripts:
            page.wait_for_selector("#resultats a")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        page.evaluate(axe)
        found += [f"{address} : {fault}" for fault in page.evaluate(RUN_AXE)]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{address} : plus large que l'écran")
    context.close()
    assert found == []


def test_every_page_is_valid_html(site, tmp_path):
    java = shutil.which("java")
    if not java or not VNU.exists():
        pytest.skip("il faut Java et vnu : npm install --prefix .cache/vnu vnu-jar@26.9.27 (voir .ci/run)")
    pages = sorted(str(page) for page in site.rglob("*.html"))
    judge = [java, "-jar", str(VNU), "--format", "gnu", "--errors-only"]
    done = subprocess.run([*judge, *pages], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[:2000]
    wrong = tmp_path / "faute.html"
    wrong.write_text(
        Path(pages[0]).read_text(encoding="utf-8").replace("</main>", "<li>x</p></main>"), encoding="utf-8"
    )
    assert subprocess.run([*judge, str(wrong)], capture_output=True, check=False).returncode == 1


def test_axe_sees_a_fault(browser, site, axe):
    page = browser.new_page()
    page.goto(f"file://{site}/index.html")
    page.evaluate("document.querySelector('label').remove()")
    page.evaluate(axe)
    assert any(fault.startswith("label") for fault in page.evaluate(RUN_AXE))
    page.close()


def test_without_script_the_search_leads_to_lists(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"file://{site}/index.html")
    page.get_by_role("searchbox").fill("paris")
    page.get_by_role("button", name="Rechercher").click()
    page.wait_for_url("**/recherche.html?q=paris")
    page.get_by_role("link", name="Structures, de A à Z et par réseau").click()
    page.get_by_role("navigation", name="Structures par première lettre").get_by_role("link", name="A").click()
    page.get_by_role("link", name="Agence France Travail n° 2 de Paris").first.click()
    assert page.url.endswith("structures/france-travail/FT75-2.html")
    context.close()


def test_the_keyboard_is_enough(browser, site):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"file://{site}/index.html")
    focused = "document.activeElement.textContent.trim() || document.activeElement.id"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Aller au contenu"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "contenu"
    page.goto(f"file://{site}/index.html")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate(focused) == "q"
    page.keyboard.type("agence n° 2 Paris")
    page.keyboard.press("Enter")
    page.wait_for_selector("#resultats a")
    assert "résultat" in page.get_by_role("status").inner_text()
    for _ in range(30):
        page.keyboard.press("Tab")
        if "n° 2 de Paris" in page.evaluate(focused):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/structures/france-travail/FT75-2.html")
    page.close()


@pytest.mark.skipif("RESULTATS_PICTURES" not in os.environ, reason="make docs-pictures")
def test_a_picture_of_a_page(browser, site):
    from PIL import Image

    page = browser.new_page(viewport={"width": 1100, "height": 1180})
    page.goto(f"file://{site}/structures/dgfip/SIP75.html")
    with Image.open(io.BytesIO(page.screenshot())) as shown:
        few = shown.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(Path(os.environ["RESULTATS_PICTURES"]) / "site-structure.png", optimize=True)
    page.close()


@pytest.mark.parametrize("query", ["AGENCE PARIS", "agénce pàris n 2", "france-travail paris"])
def test_case_accents_and_signs_do_not_matter(browser, site, query):
    page = browser.new_page()
    page.goto(f"file://{site}/recherche.html")
    assert "structures/france-travail/FT75-2.html" in page.evaluate(FOUND, query)
    page.close()


def test_every_name_is_among_the_first_ten(browser, site, tmp_path):
    """A thousand of 15 000 names of offices, as people would type them: whole, without accents or small words."""
    for name in ("recherche.html", "site.js", "style.css"):
        shutil.copyfile(site / name, tmp_path / name)
    (tmp_path / "recherche").mkdir()
    entries = offices(15_000)
    for address, text in search_files(entries):
        assert len(text.encode()) <= 15_000
        (tmp_path / address).write_text(text, encoding="utf-8")
    page = browser.new_page()
    page.goto(f"file://{tmp_path}/recherche.html")
    lost = [
        entry.name
        for entry in random.Random(15).sample(entries, 1_000)
        if entry.address not in page.evaluate(FOUND, f"{entry.name} {entry.detail}")
    ]
    page.close()
    assert lost == []
