"""A poster says what the release says, whole and readable, whoever reads it: an eye, a screen reader, a telephone."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from fixtures.made_release import DATASET, department, indicator, made_release, network, row, site
from fixtures.read_posters import assert_accessible, qr_code_of, squeezed, text_of, words_of
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.cli import main
from pipelines.declarations import load
from pipelines.declarations.network import Network, Poster
from pipelines.portal.figures import State
from pipelines.portal.posters.poster_files import Made, NoPosterError, make_posters
from pipelines.portal.release_data import Reading

PROJECT = Path(__file__).resolve().parents[2]
SITE = "https://resultats.example/portail"
SATISFACTION = indicator(
    "satisfaction-globale", titre="Satisfaction globale", type_indicateur="satisfaction", decimales=0
)
DELAY = indicator("delai-median", titre="Délai médian", unite="jours", sens="baisse", decimales=1)
INDICATORS = [indicator(), SATISFACTION, DELAY]
SHOWN = ("satisfaction-globale", "taux-decroche", "delai-median")


@pytest.fixture(scope="module")
def caf() -> Network:
    """A network of the shipped declarations, to which a test gives the poster that it wants."""
    return load(PROJECT / "schemas").networks["caf"]


def showing(network: Network, *indicators: str, orientation: Any = "portrait") -> Network:
    return network.model_copy(update={"poster": Poster(indicators=indicators, orientation=orientation)})


def satisfaction(code: str, year: int, value: float | None, **other: Any) -> dict[str, Any]:
    return site(code, year, value, indicateur="satisfaction-globale", type_indicateur="satisfaction", **other)


def posters(
    folder: Path, results: list[dict[str, Any]], declared: Network | None, *, structure: str | None = None, **made: Any
) -> Made:
    """Make the posters of a release of these rows, below ``folder / site``."""
    release = made_release(folder, results, **({"indicateurs": INDICATORS} | made))
    with Reading(release) as reading:
        return make_posters(folder / "site", reading, "caf", declared, SITE, structure)


def pdf(folder: Path, code: str = "A1") -> Path:
    return folder / "site" / "affiches" / "caf" / f"{code}.pdf"


ROWS = [
    satisfaction("A1", 2023, 70.0, effectif=380, borne_basse=66.0, borne_haute=74.0),
    satisfaction("A1", 2024, 78.4, effectif=1412, borne_basse=74.2, borne_haute=81.4,
                 comparable=True, evolution=8.4, evolution_significative=True),
    satisfaction("A2", 2024, 55.0, effectif=31, statut_observation="P"),
    row(2024, 75.6, indicateur="satisfaction-globale", effectif=90_000),
    site("A1", 2023, 80.0), site("A1", 2024, 64.94, effectif=12_430, comparable=True, evolution=-15.06,
                                 evolution_significative=True),
    row(2024, 70.0),
    site("A1", 2023, 12.0, indicateur="delai-median"),
    site("A1", 2024, None, indicateur="delai-median", motif_absence="secret statistique"),
]  # fmt: skip


def test_a_poster_says_the_release(tmp_path, caf):
    made = posters(tmp_path, ROWS, showing(caf, *SHOWN))
    assert (made.written, made.kept, made.removed, made.refused) == (
        ["affiches/caf/A1.pdf", "affiches/caf/A2.pdf"], [], [], [],
    )  # fmt: skip
    told = text_of(pdf(tmp_path))
    for expected in (
        "Caisses d'allocations familiales", "Guichet A1", "Nos résultats en 2024",
        "Satisfaction globale 78 % Hausse établie depuis 2023 (amélioration) Entre 74 et 81 %, sur 1 412 réponses "
        "Ensemble du réseau : 76 %",
        "Taux de décroché 64,9 % Baisse établie depuis 2023 (dégradation) Sur 12 430 cas Ensemble du réseau : 70,0 %",
        "Délai médian Secret statistique Non publié, pour protéger les réponses de chacun "
        "Dernier résultat : 12,0 jours en 2023",
        "Méthode : ", "Prochains résultats : ceux de 2025, après le 31 mars 2026.", "Version 1.0.0",
        "resultats.example/portail/structures/caf/A1.html",
    ):  # fmt: skip
        assert squeezed(expected) in told, expected
    assert "synthétique" not in told


def test_nothing_measured_is_said_and_never_a_number(tmp_path, caf):
    posters(tmp_path, ROWS, showing(caf, *SHOWN))
    told = text_of(pdf(tmp_path, "A2"))
    assert squeezed("Satisfaction globale 55 % Première année de la série Sur 31 réponses, provisoire") in told
    assert squeezed("Taux de décroché Non mesuré Ensemble du réseau : 70,0 %") in told
    assert squeezed("Délai médian Non mesuré Tous nos résultats") in told


@pytest.mark.parametrize("state", [state for state in State if state not in (State.PUBLISHED, State.PROVISIONAL)])
def test_every_absence_has_its_words(tmp_path, caf, state):
    rows = [*ROWS, site("A3", 2024, None, motif_absence=state.value)]
    posters(tmp_path, rows, showing(caf, "taux-decroche"), structure="A3")
    assert squeezed(f"Taux de décroché {state[0].upper()}{state[1:]}") in text_of(pdf(tmp_path, "A3"))


def test_a_break_is_told_and_no_change(tmp_path, caf):
    rows = [site("A1", 2023, 80.0), site("A1", 2024, 60.0, comparable=False, motif_incomparabilite="autre question")]
    posters(tmp_path, rows, showing(caf, "taux-decroche"))
    assert squeezed("60,0 % Rupture de série en 2024 : pas de comparaison avec 2023") in text_of(pdf(tmp_path))


def test_invented_data_say_so(tmp_path, caf):
    posters(tmp_path, [site("A1", 2024, 80.0, nature_donnees="synthétiques")], showing(caf, "taux-decroche"))
    assert squeezed("Données synthétiques : inventées") in text_of(pdf(tmp_path))


def structures(**offices: dict[str, Any]) -> list[dict[str, Any]]:
    shared = {
        "reseau": "caf", "typologie": "CAF", "maille": "site", "territoire_code": "30", "territoire": "Gard",
        "premiere_annee": 2022, "derniere_annee": 2024,
    }  # fmt: skip
    return [{**shared, "structure_code": code, "structure": f"Bureau {code}"} | told for code, told in offices.items()]


def test_an_office_without_results_has_its_poster_and_a_closed_one_none(tmp_path, caf):
    offices = structures(A1={}, A8={}, A9={"derniere_annee": 2023})
    rows = [*ROWS, site("A9", 2023, 50.0)]
    made = posters(tmp_path, rows, showing(caf, *SHOWN), structures=offices)
    assert made.written == [f"affiches/caf/{code}.pdf" for code in ("A1", "A2", "A8")]
    told = text_of(pdf(tmp_path, "A8"))
    assert squeezed("Bureau A8") in told
    assert told.count("Nonmesuré") == 3


def test_a_place_is_named_as_the_only_office_there(tmp_path, caf):
    offices = structures(CAF30={"maille": "departement"}, CAF59={"maille": "departement", "territoire_code": "59"},
                         CAF60={"maille": "departement", "territoire_code": "59"})  # fmt: skip
    rows = [department("30", 2024, 80.0), department("59", 2024, 70.0)]
    posters(tmp_path, rows, showing(caf, "taux-decroche"), structures=offices,
            reseaux=[network(maille_fine="departement")])  # fmt: skip
    assert "BureauCAF30" in text_of(pdf(tmp_path, "30"))
    assert "Département59" in text_of(pdf(tmp_path, "59"))
    assert "portail/departements/30/caf.html" in text_of(pdf(tmp_path, "30"))


def test_what_is_not_declared_is_the_first_six(tmp_path):
    codes = [f"indicateur-{number}" for number in range(8)]
    rows = [site("A1", 2024, 50.0 + number, indicateur=code) for number, code in enumerate(codes)]
    posters(tmp_path, rows, None, indicateurs=[indicator(code, titre=f"Titre {code}") for code in codes])
    told = text_of(pdf(tmp_path))
    assert [code for code in codes if f"Titre{code}" in told] == codes[:6]


# One page, tagged, whose words are all there, inside the margins and apart from one another


@pytest.mark.parametrize("orientation", ["portrait", "landscape"])
@pytest.mark.parametrize("count", range(1, 7))
def test_a_page_is_a4_tagged_and_readable(tmp_path, caf, orientation, count):
    codes = [f"i-{number}" for number in range(count)]
    titles = ["Satisfaction globale", "Facilité perçue de la démarche (CES)", "Taux de décroché", "Délai médian",
              "Taux d'insertion à 30 mois des diplômés de master, sciences sociales", "Dossiers"]  # fmt: skip
    rows = [
        site("A1", 2024, 1234567.8 if number == 5 else 50.0, indicateur=code, borne_basse=45.0, borne_haute=55.0)
        for number, code in enumerate(codes)
    ]
    units = ["%", "sur 7", "%", "jours", "%", "dossiers traités par an"]
    named = [indicator(code, titre=titles[number], unite=units[number]) for number, code in enumerate(codes)]
    posters(tmp_path, rows, showing(caf, *codes, orientation=orientation), indicateurs=named)
    assert_accessible(pdf(tmp_path))
    assert_readable(pdf(tmp_path), landscape=orientation == "landscape")


def assert_readable(path: Path, *, landscape: bool = False) -> None:
    (width, height), words = words_of(path)
    assert (round(width), round(height)) == ((842, 595) if landscape else (595, 842))
    outside = [word for word in words if not (28 < word.left < word.right < width - 28 and word.bottom < height - 20)]
    assert outside == []
    over = [(one, other) for rank, one in enumerate(words) for other in words[:rank] if one.over(other)]
    assert over == []


LABELS = [
    "#set page(fill: red)", "$x^2$ et $$", "<script>alert(1)</script>", "« L'« autre » \"office\" d’ici »",
    "*gras* _souligné_ `code` @ref <label> // fin", "\\u{41} \\\\ \\", "#read(\"/etc/hostname\")", "{{ 7 * 7 }} ${7*7}",
    "Mot " * 75, "A" * 300, "Île-d'Yeu – œuvre, Ÿ, ẞ, Ελληνικά, Русский", "a\u202eb\u0000c\nd\te",
]  # fmt: skip


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_text_whatever_it_holds(tmp_path, caf, label):
    named = [indicator(titre=label, unite=label[:40]), SATISFACTION]
    rows = [site("A1", 2024, 80.0, structure=label), satisfaction("A1", 2024, 55.0)]
    posters(tmp_path, rows, showing(caf, "taux-decroche", "satisfaction-globale"), indicateurs=named,
            reseaux=[network(titre=label)])  # fmt: skip
    shown = squeezed(label.replace("\u202e", "[U+202E]").replace("\u0000", "[U+0000]"))
    assert text_of(pdf(tmp_path)).count(shown) >= 3  # network, office, indicator
    assert_accessible(pdf(tmp_path))
    assert_readable(pdf(tmp_path))


@settings(max_examples=25)
@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Cf"]), min_size=1, max_size=300))
def test_any_label_is_set_whole(tmp_path_factory, label):
    folder = tmp_path_factory.mktemp("label")
    rows = [site("A1", 2024, 80.0, structure=f"Ici {label}")]
    posters(folder, rows, None, indicateurs=[indicator(titre=f"Là {label}")])
    told = text_of(pdf(folder))
    assert squeezed(f"Ici {label}") in told
    assert squeezed(f"Là {label}") in told


@pytest.mark.parametrize("code", ["A1", "A/1", "é 1", "a" * 80])
def test_a_telephone_reads_the_address_that_is_written(tmp_path, caf, code):
    posters(tmp_path, [site(code, 2024, 80.0)], showing(caf, "taux-decroche"))
    (path,) = (tmp_path / "site" / "affiches" / "caf").iterdir()
    read = qr_code_of(path, tmp_path)
    assert read == f"{SITE}/structures/caf/{path.stem}.html"
    assert squeezed(read.removeprefix("https://")) in text_of(path)


# What is made again, and what isn't


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "site").rglob("*") if path.is_file()}


def test_the_same_release_gives_the_same_bytes(tmp_path, caf):
    for name in ("one", "two"):
        posters(tmp_path / name, ROWS, showing(caf, *SHOWN))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    with zipfile.ZipFile(tmp_path / "one" / "site" / "affiches" / "caf.zip") as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert held == {name: held for name, held in contents(tmp_path / "one").items() if name.endswith(".pdf")}


def test_only_what_says_something_else_is_made_again(tmp_path, caf):
    declared = showing(caf, *SHOWN)
    posters(tmp_path, ROWS, declared)
    first = contents(tmp_path)
    assert posters(tmp_path, ROWS, declared, version="1.0.1").written == []
    assert contents(tmp_path) == first  # the version from which a poster was made is the one that it says
    changed = [item for item in ROWS if item["structure_code"] != "A2"] + [satisfaction("A2", 2024, 56.0)]
    made = posters(tmp_path, changed, declared, version="1.1.0")
    assert (made.written, made.kept) == (["affiches/caf/A2.pdf"], ["affiches/caf/A1.pdf"])
    assert "Version1.1.0" in text_of(pdf(tmp_path, "A2"))
    assert contents(tmp_path)["caf.zip"] != first["caf.zip"]


def test_a_damaged_poster_or_zip_is_made_again_and_a_needless_one_removed(tmp_path, caf):
    declared = showing(caf, *SHOWN)
    posters(tmp_path, ROWS, declared)
    first = contents(tmp_path)
    pdf(tmp_path).write_bytes(first["A1.pdf"][:-100])
    (tmp_path / "site" / "affiches" / "caf.zip").write_bytes(b"PK")
    pdf(tmp_path, "B7").write_bytes(first["A1.pdf"])
    made = posters(tmp_path, ROWS, declared, version="1.0.1")
    assert (made.written, made.removed) == (["affiches/caf/A1.pdf"], ["affiches/caf/B7.pdf"])
    assert contents(tmp_path).keys() == first.keys()
    assert contents(tmp_path)["A2.pdf"] == first["A2.pdf"]


def test_one_office_alone_leaves_the_others(tmp_path, caf):
    declared = showing(caf, *SHOWN)
    made = posters(tmp_path, ROWS, declared, structure="A2")
    assert (made.written, made.removed) == (["affiches/caf/A2.pdf"], [])
    assert contents(tmp_path).keys() == {"A2.pdf"}
    with pytest.raises(NoPosterError, match=r"structure « A22 » inconnue.*vouliez-vous dire « A2 »"):
        posters(tmp_path, ROWS, declared, structure="A22", version="1.0.1")


def test_what_the_exporter_refuses_is_told_and_the_others_are_made(tmp_path, caf):
    rows = [*ROWS, site("A3", 2024, 60.0, structure="Guichet 漢字")]
    made = posters(tmp_path, rows, showing(caf, *SHOWN))
    assert made.written == ["affiches/caf/A1.pdf", "affiches/caf/A2.pdf"]
    (fault,) = made.refused
    assert "Guichet 漢字" in fault
    assert "« 漢 »" in fault


@pytest.mark.parametrize("rows", [[row(2024, 70.0)], [site("A1", 2024, None)]])
def test_a_network_without_any_result_of_offices_has_no_poster(tmp_path, caf, rows):
    with pytest.raises(NoPosterError, match="aucun résultat publié à la maille site"):
        posters(tmp_path, rows, showing(caf, *SHOWN))


# The command


def command(folder: Path, *words: str) -> int:
    return main(["posters", "--output", str(folder), "--schemas", str(PROJECT / "schemas"), *words])


def published(folder: Path, *results: dict[str, Any], version: str = "1.0.0") -> None:
    """Make a release, and the local catalogue that shows it."""
    made_release(folder, list(results), version=version)
    home = folder / "catalogue" / DATASET
    home.mkdir(parents=True, exist_ok=True)
    (home / "dataset.json").write_text(f'{{"version": "{version}"}}', encoding="utf-8")


def test_the_command_makes_them_from_the_published_release(tmp_path, capsys):
    published(tmp_path, site("A1", 2024, 80.0))
    published(tmp_path, site("A1", 2024, 81.0), version="1.1.0")
    made_release(tmp_path, [site("A1", 2024, 82.0)], version="1.2.0")  # waits for somebody's agreement
    assert command(tmp_path, "--network", "caf") == 0
    assert capsys.readouterr().out == "caf : 1 affiche faite, 0 inchangée, 0 retirée.\n"
    assert "81,0%" in text_of(pdf(tmp_path))
    assert qr_code_of(pdf(tmp_path), tmp_path).startswith("https://resultats-services-publics.example/structures/caf/")
    assert pdf(tmp_path).stat().st_mode & 0o777 == 0o644
    assert command(tmp_path, "--network", "caf", "--structure", "A1", "--release", "1.0.0", "--json") == 0
    assert '"faites": [\n  "affiches/caf/A1.pdf"\n ]' in capsys.readouterr().out
    assert "80,0%" in text_of(pdf(tmp_path))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--network", "cafe"), "réseau « cafe » inconnu ; vouliez-vous dire « caf » ?"),
        (("--network", "caf", "--structure", "A11"), "structure « A11 » inconnue ou fermée ; vouliez-vous dire « A1 »"),
        (("--network", "caf", "--release", "2.0.0"), "version 2.0.0 inconnue ; publiées : 1.0.0"),
        (("--network", "dgfip"), "dgfip : la version 1.0.0 ne dit rien de ce réseau"),
        (("--network", "caf", "--output", "s3://seau/sortie"), "les affiches s'écrivent dans un dossier"),
    ],
)
def test_what_cannot_be_made_says_why(tmp_path, capsys, words, told):
    published(tmp_path, site("A1", 2024, 80.0))
    assert command(tmp_path, *words) == 2
    assert told in capsys.readouterr().err


def test_a_dataset_without_the_address_of_its_site_says_what_to_write(tmp_path, schemas, capsys):
    made_release(tmp_path, [site("A1", 2024, 80.0)])
    path = schemas / "datasets" / "resultats-services-publics.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("\nsite: ", "\n# site: "), encoding="utf-8")
    assert main(["posters", "--output", str(tmp_path), "--schemas", str(schemas), "--network", "caf"]) == 2
    assert "écrire « site: https://… » dans" in capsys.readouterr().err


def test_without_any_published_version_it_says_so(tmp_path, capsys):
    made_release(tmp_path, [site("A1", 2024, 80.0)])
    assert command(tmp_path, "--network", "caf") == 2
    assert f"aucune version de {DATASET} n'est publiée" in capsys.readouterr().err


def test_a_refused_poster_ends_the_command_in_failure(tmp_path, capsys):
    published(tmp_path, site("A1", 2024, 80.0, structure="😀"))
    assert command(tmp_path, "--network", "caf") == 1
    assert "affiche « 😀 » impossible" in capsys.readouterr().err
