"""The site of small releases: right pages of bad input, nothing lost, nothing written again without need."""

from __future__ import annotations

import csv
import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from fixtures.made_release import department, indicator, made_release, network, row, site
from fixtures.read_back import Page, figure_faults, site_pages, structural_faults

from pipelines.portal.posters.poster_files import make_posters
from pipelines.portal.release_data import Reading
from pipelines.portal.site import BuiltSite, build_site

HOSTILE = '<script>alert("l\'été")</script> & \u202e </title>'


def territory(code: str, name: str, region: str = "76", **other: Any) -> dict[str, Any]:
    return {
        "maille": "departement", "territoire_code": code, "territoire": name, "nature": "département",
        "region_code": region, "millesime": datetime.date(2026, 1, 1), "source": "essai",
    } | other  # fmt: skip


def office(code: str, name: str, **other: Any) -> dict[str, Any]:
    return {
        "reseau": "caf", "structure_code": code, "structure": name, "structure_parente_code": "reseau:caf",
        "typologie": "CAF", "maille": "site", "territoire_code": "30", "territoire": "Gard", "premiere_annee": 2022,
        "derniere_annee": 2024,
    } | other  # fmt: skip


def some_rows() -> list[dict[str, Any]]:
    """Rows of all levels: two years, an interval, an absence, two indicators."""
    rows = [row(2023, 70.0), row(2024, 72.5, borne_basse=70.0, borne_haute=75.0, comparable=True, evolution=2.5)]
    rows += [row(2024, 61.2, maille="region", territoire_code="76", territoire="Occitanie")]
    rows += [department(code, 2024, 60.0 + number) for number, code in enumerate(("30", "2A", "974"))]
    rows += [site(f"G{number}", year, 50.0 + number) for number in range(6) for year in (2023, 2024)]
    rows += [site("G9", 2024, None, motif_absence="secret statistique", statut_confidentialite="C")]
    return [*rows, site("G0", 2024, 12.0, indicateur="delai")]


def tables() -> dict[str, list[dict[str, Any]]]:
    regions = territory("76", "Occitanie", nature="région", region_code=None, maille="region")
    return {
        "indicateurs": [
            indicator(),
            indicator("delai", titre="Délai", unite="jours", famille_unite="durée", sens="baisse"),
        ],
        "structures": [office(f"G{number}", f"Guichet n° {number}") for number in (*range(6), 9)],
        "territoires": [
            territory("30", "Gard"),
            territory("2A", "Corse-du-Sud", "94"),
            territory("974", "La Réunion"),
            regions,
        ],
    }


def built(folder: Path, release: Path, **settings: Any) -> tuple[Path, BuiltSite]:
    made = build_site(release, folder / "site", **settings)
    return folder / "site", made


def judged(site_folder: Path, release: Path) -> None:
    assert structural_faults(site_folder) == []
    assert figure_faults(site_folder, release) == []


@pytest.mark.parametrize("address", ["", "https://resultats.example.fr"])
def test_every_page_is_whole_and_says_what_the_release_says(tmp_path, address):
    release = made_release(tmp_path, some_rows(), **tables())
    folder, _ = built(tmp_path, release, address=address)
    judged(folder, release)
    canonical = [one for _, page in site_pages(folder) for one in page.all("link") if one["rel"] == "canonical"]
    assert bool(canonical) is bool(address)
    assert (folder / "sitemap.xml").exists() is bool(address)


@pytest.mark.parametrize(
    ("what", "how"),
    [
        ("un autre chiffre", lambda text: text.replace('data-valeur="50.0"', 'data-valeur="51.0"')),
        ("d'autres mots", lambda text: text.replace("50,0", "50,1")),
        ("un autre état", lambda text: text.replace('data-etat="publié"', 'data-etat="provisoire"', 1)),
        ("un chiffre de moins", lambda text: text.replace('data-annee="2023"', "")),
        ("un autre effectif", lambda text: text.replace('data-effectif="400"', 'data-effectif="40"')),
    ],
)
def test_a_page_that_says_otherwise_is_seen(tmp_path, what, how):
    release = made_release(tmp_path, some_rows(), **tables())
    folder, _ = built(tmp_path, release)
    page = folder / "structures" / "caf" / "G0.html"
    text = page.read_text(encoding="utf-8")
    assert how(text) != text
    page.write_text(how(text), encoding="utf-8")
    assert [*figure_faults(folder, release), *structural_faults(folder)], what


@pytest.mark.parametrize(
    "how",
    [
        lambda text: text.replace("<h1", "<h2").replace("</h1", "</h2"),
        lambda text: text.replace('<th scope="row"', "<th"),
        lambda text: text.replace("<caption", "<p").replace("</caption", "</p"),
        lambda text: text.replace('href="../../donnees.html"', 'href="../../donnée.html"'),
        lambda text: text.replace("#contenu", "#rien"),
        lambda text: text.replace(' lang="fr"', ""),
        lambda text: text.replace("</main>", ""),
        lambda text: text.replace("<title>", "<title>x</title><title>"),
        lambda text: text + " " * 100_000,
    ],
)
def test_a_broken_page_is_seen(tmp_path, how):
    folder, _ = built(tmp_path, made_release(tmp_path, some_rows(), **tables()))
    page = folder / "structures" / "caf" / "G0.html"
    text = page.read_text(encoding="utf-8")
    assert how(text) != text
    page.write_text(how(text), encoding="utf-8")
    assert structural_faults(folder)


def test_texts_never_become_tags(tmp_path):
    hostile = {
        "indicateurs": [
            indicator(titre=HOSTILE, definition=HOSTILE, unite="%", ruptures=HOSTILE),
            indicator("delai", titre="Délai"),
        ],
        "reseaux": [network(titre=HOSTILE, producteur=HOSTILE, description=HOSTILE, source=HOSTILE, typologie=HOSTILE)],
        "structures": [office("G0", HOSTILE), office("G1", HOSTILE)],
        "territoires": [territory("30", HOSTILE)],
    }
    rows = [*some_rows(), site("G1", 2022, 3.0, structure=HOSTILE * 2, motif_incomparabilite=HOSTILE, comparable=False)]
    release = made_release(tmp_path, rows, synthetic=HOSTILE, **hostile)
    folder, _ = built(tmp_path, release)
    judged(folder, release)
    scripts = {
        one.get("src", one.get("type", "")).rpartition("/")[2]
        for _, page in site_pages(folder)
        for one in page.all("script")
    }
    assert scripts == {"ld+json", "site.js"}
    for path in (*folder.rglob("*.js"), *folder.rglob("*.svg"), *folder.rglob("*.atom")):
        assert "<script" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("code", ["a/b", "../../x", "É 1", "con", "index", "100%", "a.html", "", "~", "x" * 60])
def test_any_code_has_a_page_of_its_own(tmp_path, code):
    rows = [*some_rows(), site(code or "vide", 2024, 42.0)]
    release = made_release(tmp_path, rows, **tables())
    folder, _ = built(tmp_path, release)
    judged(folder, release)
    assert {path.name for path in tmp_path.iterdir()} == {"releases", "site"}


def test_long_names_and_places_without_territory(tmp_path):
    rows = [*some_rows(), site("L", 2024, 42.0, territoire_code=None, territoire=None, structure="Très long nom " * 22)]
    release = made_release(tmp_path, rows, **tables())
    folder, _ = built(tmp_path, release)
    judged(folder, release)
    assert "Aucun département" in (folder / "structures" / "caf" / "L.html").read_text(encoding="utf-8")


def test_every_text_may_be_long(tmp_path):
    long = "Très long texte à dire " * 13
    held = {
        "indicateurs": [indicator(titre=f"{long}A"), indicator("delai", titre=f"{long}B", unite="jours")],
        "reseaux": [network(titre=long, typologie=long)],
        "structures": [office(f"G{number}", f"{long}{number}") for number in range(6)],
        "territoires": [territory("30", long)],
    }
    release = made_release(tmp_path, some_rows(), **held)
    folder, _ = built(tmp_path, release)
    judged(folder, release)


def test_long_lists_are_by_territory_at_addresses_of_codes(tmp_path):
    rows = [site(f"G{number}", 2024, 50.0, territoire_code=("30", "974")[number % 2]) for number in range(310)]
    rows += [site("L", 2024, 1.0, territoire_code=None, territoire=None)]
    release = made_release(tmp_path, rows, **{"territoires": tables()["territoires"]})
    folder, _ = built(tmp_path, release)
    judged(folder, release)
    for home in ("listes/lettre-g", "listes/reseau-caf"):
        assert (folder / home / "30.html").is_file() and (folder / home / "974.html").is_file()
        assert "Gard (30)" in (folder / f"{home}.html").read_text("utf-8")
    assert "structures/caf/L.html" in (folder / "listes" / "reseau-caf" / "~.html").read_text("utf-8")
    assert "155 structures" in (folder / "departements" / "30.html").read_text("utf-8")


def test_many_heavy_names_stay_on_light_pages(tmp_path):
    rows = [site(f"G{number}", 2024, 50.0, structure=f"{'Guichet ' * 37}{number}") for number in range(290)]
    release = made_release(tmp_path, rows, **{"territoires": tables()["territoires"]})
    folder, _ = built(tmp_path, release)
    judged(folder, release)
    assert (folder / "listes" / "reseau-caf~2.html").is_file()


def test_an_indicator_of_many_networks_has_parts(tmp_path):
    codes = [f"reseau-{number}" for number in range(60)]
    rows = [row(year, 50.0 + year % 7, reseau=code) for code in codes for year in range(2015, 2025)]
    release = made_release(tmp_path, rows, reseaux=[network(code, titre=f"Réseau {code}") for code in codes])
    folder, _ = built(tmp_path, release)
    judged(folder, release)
    assert (folder / "indicateurs" / "taux-decroche~2.html").is_file()


def covered(year: int, **other: Any) -> dict[str, Any]:
    return {
        "reseau": "caf", "annee": year, "indicateur": "taux-decroche", "etat": "absent", "exports": "appels",
        "motif_absence": "non transmis", "valeurs_publiees": 0, "valeurs_absentes": 1,
    } | other  # fmt: skip


def received(year: int, due: datetime.date | None) -> dict[str, Any]:
    return {
        "reseau": "caf", "annee": year, "export": "appels", "titre": "Appels", "nature": "activité",
        "etat": "non transmis", "motif_absence": "non transmis", "echeance": due,
    }  # fmt: skip


def test_the_matrix_tells_what_is_awaited_and_what_is_late(tmp_path):
    held = tables() | {
        "couverture": [
            covered(2021), covered(2022), covered(2023), covered(2024, etat="publié", motif_absence=None),
            covered(2024, indicateur="delai", motif_absence="rejeté"),
        ],
        "receptions": [
            received(2021, None),
            received(2022, datetime.date(2023, 3, 31)),
            received(2023, datetime.date(2026, 3, 31)),
        ],
    }  # fmt: skip
    release = made_release(tmp_path, some_rows(), **held)
    columns = "rang,version,precedente,nature,motif,lignes_ajoutees,lignes_retirees,lignes_modifiees,date_donnees"
    (release / "versions.csv").write_text(
        f"{columns},contenu,sha256\n1,1.0.0,,initiale,essai,,,,2025-06-30,essai,\n", encoding="utf-8"
    )
    folder, _ = built(tmp_path, release)
    judged(folder, release)
    for page in ("index.html", "qualite.html"):
        text = (folder / page).read_text("utf-8")
        cells = [f"<td>{words}</td>" for words in ("non transmis", "en retard", "attendu", "1 sur 2 (rejeté)")]
        assert "".join(cells) in text


def test_territories_have_a_place_among_comparable_ones_and_a_network_its_spread(tmp_path):
    rows = [row(2024, 70.0), *(department(f"{number:02}", 2024, 60.0 + number) for number in range(1, 41))]
    release = made_release(tmp_path, rows)
    folder, _ = built(tmp_path, release)
    judged(folder, release)
    territory_text = (folder / "departements" / "07" / "caf.html").read_text("utf-8")
    assert "Parmi 40 départements comparables" in territory_text and "variation habituelle" in territory_text
    network_text = (folder / "reseaux" / "caf.html").read_text("utf-8")
    assert "40 départements avec une valeur publiée" in network_text and "France 70,0" in network_text


def test_a_release_of_one_figure_alone(tmp_path):
    release = made_release(tmp_path, [row(2024, 0.0)])
    folder, _ = built(tmp_path, release)
    judged(folder, release)
    text = (folder / "qualite.html").read_text(encoding="utf-8")
    assert "ne contient pas la table de couverture" in text and "ne contient pas la table de qualité" in text


def test_a_network_without_any_result_has_a_page(tmp_path):
    release = made_release(tmp_path, some_rows(), **tables(), reseaux=[network(), network("dgfip", titre="Impôts")])
    folder, _ = built(tmp_path, release)
    judged(folder, release)
    assert (folder / "reseaux" / "dgfip.html").is_file()


@pytest.mark.parametrize("missing", ["structures", "territoires"])
def test_without_an_optional_table_pages_are_right(tmp_path, missing):
    held = {name: rows for name, rows in tables().items() if name != missing}
    release = made_release(tmp_path, some_rows(), **held)
    folder, _ = built(tmp_path, release)
    judged(folder, release)


def test_many_indicators_make_parts(tmp_path):
    codes = [f"indicateur-{number}" for number in range(60)]
    rows = [site("G0", year, 50.0 + year % 7, indicateur=code) for code in codes for year in range(2010, 2025)]
    release = made_release(tmp_path, rows, indicateurs=[indicator(code, titre=f"Taux {code}") for code in codes])
    folder, _ = built(tmp_path, release)
    judged(folder, release)
    assert (folder / "structures" / "caf" / "G0~2.html").is_file()


def test_states_are_words_and_no_secret_shows_a_value(tmp_path):
    release = made_release(tmp_path, some_rows(), **tables())
    folder, _ = built(tmp_path, release)
    page = Page((folder / "structures" / "caf" / "G9.html").read_text(encoding="utf-8"))
    assert {told.words.strip() for _, told in page.figures if told.value is None} >= {"secret statistique"}
    assert all(told.value is None for _, told in page.figures)


def test_a_renamed_and_a_closed_office_keep_their_page_and_say_so(tmp_path):
    rows = [row(2022, 1.0), row(2024, 2.0), site("G1", 2022, 3.0, structure="Ancien guichet"), site("G1", 2023, 4.0)]
    closed = [office("G1", "Nouveau guichet", derniere_annee=2023)]
    folder, _ = built(tmp_path, made_release(tmp_path, rows, structures=closed))
    text = (folder / "structures" / "caf" / "G1.html").read_text(encoding="utf-8")
    assert "En 2022, son nom était «\u00a0Ancien guichet\u00a0»" in text
    assert "Plus de résultat attendu après 2023" in text


def test_a_second_build_writes_nothing(tmp_path):
    release = made_release(tmp_path, some_rows(), **tables())
    folder, first = built(tmp_path, release)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    _, again = built(tmp_path, release)
    assert (again.written, again.removed, again.files) == ((), (), first.files)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_new_version_writes_the_pages_whose_figures_changed(tmp_path):
    def others(value: float) -> list[dict[str, Any]]:
        nation, one = row(2024, 5.0, reseau="dgfip"), site("S1", 2024, 6.0, reseau="dgfip")
        return [nation, one, site("S2", 2024, value, reseau="dgfip")]

    held = tables() | {"reseaux": [network(), network("dgfip", titre="Impôts")]}
    folder, _ = built(tmp_path, made_release(tmp_path, some_rows() + others(6.5), **held))
    second = made_release(tmp_path, some_rows() + others(9.9), version="1.0.1", **held)
    _, made = built(tmp_path, second)
    pages = {address for address in made.written if address.endswith(".html")}
    assert "structures/dgfip/S2.html" in pages
    assert not any("caf" in address for address in pages)
    assert "reseaux/dgfip.html" in pages  # it shows how offices are spread
    assert (folder / "departements" / "30.html").is_file()
    assert "departements/30.html" not in pages  # nothing that it shows changed
    judged(folder, second)
    fresh, _ = built(tmp_path / "fresh", second)
    for path in fresh.rglob("*.html"):
        again = folder / path.relative_to(fresh)
        assert again.read_text("utf-8").replace("1.0.0", "1.0.1") == path.read_text("utf-8").replace("1.0.0", "1.0.1")


def test_a_page_leads_to_its_poster_once_it_is_made(tmp_path):
    release = made_release(tmp_path, some_rows(), **tables())
    folder, _ = built(tmp_path, release)
    with Reading(release) as reading:
        make_posters(folder, reading, "caf", None, "https://resultats.example")
    _, made = built(tmp_path, release)
    pages = [path for path in folder.rglob("*.html") if "affiches/caf" in path.read_text(encoding="utf-8")]
    linked = {path.relative_to(folder).as_posix() for path in pages}
    assert linked == {f"structures/caf/G{number}.html" for number in (*range(6), 9)} | {"reseaux/caf.html"}
    assert linked == {address for address in made.written if address.endswith(".html")}
    judged(folder, release)
    assert built(tmp_path, release)[1].written == ()
    (folder / "affiches" / "caf" / "G3.pdf").unlink()
    assert "structures/caf/G3.html" in built(tmp_path, release)[1].written
    assert (folder / "affiches" / "caf" / "G2.pdf").is_file()
    judged(folder, release)


def test_a_page_no_longer_due_says_so_and_its_rows_go(tmp_path):
    folder, _ = built(tmp_path, made_release(tmp_path, some_rows(), **tables()))
    fewer = [one for one in some_rows() if one["structure_code"] != "G3"]
    second = made_release(tmp_path, fewer, version="2.0.0", **tables())
    _, made = built(tmp_path, second)
    page = folder / "structures" / "caf" / "G3.html"
    assert "ne contient plus de résultat" in page.read_text(encoding="utf-8")
    assert not page.with_suffix(".csv").exists() and "structures/caf/G3.csv" in made.removed
    judged(folder, second)
    _, again = built(tmp_path, second)
    assert again.written == ()
    _, back = built(tmp_path, made_release(tmp_path, some_rows(), version="2.1.0", **tables()))
    assert "structures/caf/G3.html" in back.written


@pytest.mark.parametrize("lost", ["structures/caf/G1.html", "style.css", "pages.csv", "recherche/index.js"])
def test_what_was_lost_is_written_again(tmp_path, lost):
    release = made_release(tmp_path, some_rows(), **tables())
    folder, _ = built(tmp_path, release)
    content = (folder / lost).read_bytes()
    (folder / lost).unlink()
    built(tmp_path, release)
    assert (folder / lost).read_bytes() == content


def test_every_file_of_the_site_is_in_its_list(tmp_path):
    folder, made = built(tmp_path, made_release(tmp_path, some_rows(), **tables()))
    with (folder / "pages.csv").open(encoding="utf-8", newline="") as stream:
        listed = {line["adresse"] for line in csv.DictReader(stream)}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there - {"pages.csv"} == listed
    assert made.files == len(listed)


def test_the_files_of_the_release_are_beside_the_pages(tmp_path):
    release = made_release(tmp_path, some_rows(), **tables())
    folder, _ = built(tmp_path, release)
    latest = {path.name: path.read_bytes() for path in (folder / "donnees" / "latest").iterdir()}
    assert latest == {path.name: path.read_bytes() for path in release.iterdir()}


def test_invented_data_are_told_on_every_page(tmp_path):
    folder, _ = built(tmp_path, made_release(tmp_path, some_rows(), synthetic="Chiffres d'essai.", **tables()))
    for _, page in site_pages(folder):
        assert any("Chiffres d'essai." in words for words in page.texts["p"])


def test_one_invented_figure_among_real_ones_says_so(tmp_path):
    rows = [row(2024, 1.0), site("G0", 2024, 2.0, nature_donnees="synthétiques")]
    folder, _ = built(tmp_path, made_release(tmp_path, rows))
    assert "donnée synthétique" in (folder / "structures" / "caf" / "G0.html").read_text(encoding="utf-8")
    assert "donnée synthétique" not in (folder / "reseaux" / "caf.html").read_text(encoding="utf-8")


def test_the_style_sheets_of_the_owner_come_after_ours(tmp_path):
    (tmp_path / "theme" / "fonts").mkdir(parents=True)
    (tmp_path / "theme" / "etat.css").write_text("h1{color:#000091}")
    (tmp_path / "theme" / "fonts" / "a.woff2").write_bytes(b"police")
    folder, _ = built(tmp_path, made_release(tmp_path, some_rows(), **tables()), theme=tmp_path / "theme")
    sheets = [
        one["href"]
        for one in Page((folder / "index.html").read_text("utf-8")).all("link")
        if one["rel"] == "stylesheet"
    ]
    assert sheets == ["style.css", "theme/etat.css"]
    assert (folder / "theme" / "fonts" / "a.woff2").read_bytes() == b"police"


def test_linked_data_name_the_rows_of_the_page(tmp_path):
    folder, _ = built(tmp_path, made_release(tmp_path, some_rows(), **tables()), address="https://r.example.fr")
    page = Page((folder / "structures" / "caf" / "G0.html").read_text("utf-8"))
    told = json.loads(page.texts["script"][0])
    assert told["url"] == "https://r.example.fr/structures/caf/G0.html"
    assert told["distribution"][0]["contentUrl"] == "G0.csv"


def test_a_total_is_no_reference_for_its_parts(tmp_path):
    counted = [indicator("actes", titre="Actes", unite="actes", famille_unite="nombre", sens="neutre", decimales=0)]
    rows = [row(2024, 900.0, indicateur="actes", effectif=None)]
    rows += [
        department(code, 2024, 300.0 + number, indicateur="actes", effectif=None)
        for number, code in enumerate(("30", "31"))
    ]
    folder, _ = built(tmp_path, made_release(tmp_path, rows, indicateurs=counted))
    text = (folder / "departements" / "30" / "caf.html").read_text("utf-8")
    assert "Valeur nationale" not in text
