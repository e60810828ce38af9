"""The pages of the voice of users: figures of the release and no other, links where there are voices, light pages."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from fixtures.made_release import made_release, network, row
from fixtures.made_voices import made_voices
from signal_tables.made_signals import made_tables, released

from pipelines.portal.signal_pages import METHOD
from pipelines.portal.site import build_site
from pipelines.release.release_folder import Release
from pipelines.signal_tables.signal_cards import Words
from pipelines.signal_tables.tables_of_signals import NOTHING, signal_tables

HEAVIEST = 100_000  # bytes
FACTS = re.compile(r"<(?:tr|dl|section)[^>]*?((?: data-[\w-]+=\"[^\"]*\")+)")
FACT = re.compile(r'data-([\w-]+)="([^"]*)"')


@pytest.fixture(scope="module")
def release(tmp_path_factory, catalogue) -> Release:
    return released(catalogue, made_tables(12), tmp_path_factory.mktemp("signals") / "releases")


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    return made_release(
        tmp_path_factory.mktemp("results"), [row(year, 80.5 + year - 2022) for year in (2022, 2023, 2024)]
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory, release, results) -> Path:
    return build_site(results, tmp_path_factory.mktemp("site"), signals=release.folder).folder


def rows(release: Release, table: str) -> list[dict[str, Any]]:
    found = duckdb.sql(f"SELECT * FROM '{release.folder / table}.parquet'")
    return [dict(zip(found.columns, line, strict=True)) for line in found.fetchall()]


def told(site: Path) -> list[dict[str, str]]:
    """Every fact that machines read of the pages of signals."""
    pages = [site / "signaux.html", *(site / "signaux").glob("*.html"), *(site / "voix").rglob("*.html")]
    return [
        {name: html.unescape(value) for name, value in FACT.findall(facts)}
        for page in pages for facts in FACTS.findall(page.read_text(encoding="utf-8"))
    ]  # fmt: skip


def test_every_month_of_a_signal_is_that_of_the_release(site, release):
    known = {(line["signal"], line["mois"]): line for line in rows(release, "courbes_signaux")}
    shown = [facts for facts in told(site) if "signal" in facts and "etat-signal" not in facts]
    drawn = {signal for (signal, _), line in known.items() if line["observe"] is not None}
    assert drawn != {signal for signal, _ in known}, "one at least has no figure to draw"
    assert {(facts["signal"], facts["mois"]) for facts in shown} == {place for place in known if place[0] in drawn}
    for facts in shown:
        line = known[facts["signal"], facts["mois"]]
        for name in ("observe", "attendu", "limite"):
            assert facts.get(name) == (None if line[name] is None else repr(line[name]))


def test_every_figure_of_a_card_is_that_of_the_release(site, release):
    known = {line["signal"]: line for line in rows(release, "signaux")}
    shown = [facts for facts in told(site) if "etat-signal" in facts]
    assert {facts["signal"] for facts in shown} == known.keys()
    for facts in shown:
        line = known[facts["signal"]]
        assert (facts["etat-signal"], facts["mois"], facts["statut"]) == (line["etat"], line["mois"], line["statut"])
        for name in ("observe", "attendu", "rapport", "valeur_q", "voix", "jours", "part", "periodes"):
            assert facts.get(name) == (None if line[name] is None else repr(line[name]))


def test_every_number_of_voices_is_that_of_the_release_and_no_hidden_one_is_told(site, release):
    names = ("reseau", "service", "mois", "theme", "ressenti")
    known = {tuple(line[name] for name in names): line["voix"] for line in rows(release, "themes_voix")}
    shown = [facts for facts in told(site) if "theme" in facts]
    assert len(shown) > 100
    for facts in shown:
        for feeling, name in (("négatif", "negatif"), ("positif",) * 2, ("tous",) * 2):
            absent = None if feeling == "tous" != facts["theme"] else 0
            held = known.get((facts["reseau"], facts["service"], facts["mois"], facts["theme"], feeling), absent)
            assert facts.get(f"voix-{name}") == (None if held is None else str(held))


def test_the_ledger_of_tests_is_that_of_the_release(site, release):
    known = {(line["mois"], line["famille"], line["methode"]): line for line in rows(release, "tests_signaux")}
    shown = [facts for facts in told(site) if "tests" in facts]
    assert shown
    for facts in shown:
        line = known[facts["mois"], facts["famille"], facts["methode"]]
        assert (facts["tests"], facts["signaux"]) == (str(line["tests"]), str(line["signaux"]))
    year = sorted({month for month, _, _ in known})[-12:]
    assert len(shown) == sum(month in year for month, _, _ in known)
    page = (site / METHOD).read_text(encoding="utf-8")
    assert not [method for _, _, method in known if f"{method}<" in page or f", {method}" in page]


def test_a_signal_stands_beside_the_results_of_its_network_named_and_dated(site):
    page = (site / "signaux" / "caf-panne-negatif-2023-10.html").read_text(encoding="utf-8")
    assert 'data-reseau="caf" data-indicateur="taux-decroche"' in page
    assert '<data value="82.5"' in page
    assert "en 2024" in page
    assert "version 1.0.0. Ils sont mesurés autrement" in page


def test_a_page_says_its_sentence_once_and_each_curve_what_its_lines_are(site, release):
    page = html.unescape((site / "signaux" / "caf-panne-negatif-2023-10.html").read_text(encoding="utf-8"))
    assert len(re.findall("où l'on en attendait", page)) == 1
    assert page.count("Trait plein") == page.count("<figure") == 1
    for address in ("signaux.html", "voix/caf/CAF.html"):
        text = (site / address).read_text(encoding="utf-8")
        assert text.count("Trait plein") == text.count("<figure") > 0


def test_the_honest_limits_stand_on_the_pages(site):
    for address in ("signaux.html", METHOD, "voix/caf/CAF.html"):
        text = html.unescape((site / address).read_text(encoding="utf-8"))
        assert "d'elles-mêmes" in text or "d'eux-mêmes" in text
        assert "aucun taux" in text.lower()


def test_pages_are_light(site):
    pages = [site / "signaux.html", *(site / "signaux").glob("*.html"), *(site / "voix").rglob("*.html")]
    assert max(page.stat().st_size for page in pages) < HEAVIEST


def test_pages_lead_to_voices_where_there_are_some_and_nowhere_else(site, results, tmp_path):
    without = build_site(results, tmp_path / "site").folder
    for address, link in (
        ("index.html", "signaux.html"), ("plan.html", "signaux.html"), ("reseaux.html", "signaux.html"),
        ("reseaux/caf.html", "../voix/caf/CAF.html"),
    ):  # fmt: skip
        assert f'href="{link}"' in (site / address).read_text(encoding="utf-8")
        assert "signaux" not in (without / address).read_text(encoding="utf-8")
        assert "voix/" not in (without / address).read_text(encoding="utf-8")
    assert not (without / "signaux.html").exists()


def test_the_menu_of_a_network_without_voices_follows_the_first_signals_and_their_end(release, tmp_path):
    results = made_release(tmp_path, [row(2024, 80.5, reseau="dgfip")], reseaux=[network("dgfip")])
    site = tmp_path / "site"
    for signals, shown in ((None, False), (release.folder, True), (None, False)):
        build_site(results, site, signals=signals)
        assert ('href="../signaux.html"' in (site / "reseaux" / "dgfip.html").read_text(encoding="utf-8")) is shown


def test_a_signal_whose_number_is_secret_has_no_figure_on_its_page(site, release):
    secret = [line["signal"] for line in rows(release, "signaux") if line["statut"] != "publié"]
    assert secret
    for signal in secret:
        page = html.unescape((site / "signaux" / f"{signal}.html").read_text(encoding="utf-8"))
        assert "le nombre de voix n'est pas donné" in page
        assert "data-voix" not in page
        assert page.count("<dd>secret</dd>") == 5  # the counter-explanations, whose figures would tell it
        assert "None" not in page


def test_invented_voices_are_told_to_be(tmp_path, catalogue, results):
    made = released(catalogue, made_tables(2), tmp_path / "releases", synthetic="Voix inventées pour un essai.")
    built = build_site(results, tmp_path / "site", signals=made.folder).folder
    for address in ("signaux.html", "voix/caf/CAF.html", METHOD):
        assert "Voix inventées pour un essai." in (built / address).read_text(encoding="utf-8") or "inventées" in (
            built / address
        ).read_text(encoding="utf-8")


def test_a_service_says_what_can_be_seen_of_it(site):
    seen = (site / "voix" / "caf" / "CAF.html").read_text(encoding="utf-8")
    assert "un thème multiplié par 2,5 est vu quatre fois sur cinq" in seen
    unseen = (site / "voix" / "msa" / "MSA.html").read_text(encoding="utf-8")
    assert "L'absence de signal n'y dit rien" in html.unescape(unseen)


def test_voices_without_any_feeling_are_told_and_drawn(tmp_path, catalogue, results):
    def unfelt(line: list[dict[str, object]]) -> None:
        for one in line:
            one["feeling"] = ""

    held = made_voices({"caf": 1.2}, 200, change=unfelt)
    tables = signal_tables(held, NOTHING, Words())
    made = released(catalogue, tables, tmp_path / "releases")
    page = html.unescape((build_site(results, tmp_path / "site", signals=made.folder).folder / "voix/caf/CAF.html")
                         .read_text(encoding="utf-8"))  # fmt: skip
    last = [line for line in tables["themes_voix"].to_dict("records") if line["theme"] == "tous"][-1]
    assert (last["ressenti"], last["statut"]) == ("tous", "publié")
    assert f"environ {last['voix']} en tout" in page
    assert f'data-voix-negatif="0" data-voix-positif="0" data-voix-tous="{last["voix"]}"' in page
    assert page.count('class="dot"') > 6  # all voices are the line


def emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def cut(name: str):
    def change(folder: Path) -> None:
        path = folder / name
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:100])

    return change


DAMAGES = {
    "empty folder": emptied, "no folder": shutil.rmtree, "descriptor": cut("datapackage.json"),
    "table": cut("themes_voix.parquet"), "table of cards": cut("signaux.parquet"),
    "lost table": lambda folder: (folder / "courbes_signaux.parquet").unlink(),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("group", ["signals", "barometers"])
def test_a_damaged_release_beside_takes_away_its_pages_and_no_other(tmp_path, release, results, damage, group):
    whole = Path(shutil.copytree(release.folder, tmp_path / "1.0.0"))
    whole.chmod(0o755)
    if group == "signals":
        build_site(results, tmp_path / "site", signals=whole)
    damage(whole)
    built = build_site(results, tmp_path / "site", **{group: whole})
    expected = build_site(results, tmp_path / "without")
    assert len(built.left_out) == 1
    assert "le site est fait sans les pages" in built.left_out[0]
    assert expected.left_out == ()
    assert not (built.folder / "signaux" / "donnees" / "signaux.csv").exists()
    for address in ("index.html", "plan.html", "reseaux/caf.html", "donnees.html"):
        assert (built.folder / address).read_text(encoding="utf-8") == (expected.folder / address).read_text(
            encoding="utf-8"
        )


def test_a_mended_release_has_its_pages_again(tmp_path, release, results):
    lost = tmp_path / "1.0.0"
    assert build_site(results, tmp_path / "site", signals=lost).left_out
    shutil.copytree(release.folder, lost)
    built = build_site(results, tmp_path / "site", signals=lost)
    assert built.left_out == ()
    assert (built.folder / "signaux.html").is_file()
