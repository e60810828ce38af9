"""Situations met in the field, kept beside the checkout: each is tried as its users would, and ends as it should.

The files are not part of the project, so these tests are skipped in a fresh clone; each kind of fault has small inputs
of the project's own in the tests of its room.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from pipelines.cli import main

PROJECT = Path(__file__).resolve().parents[2]
CASES = PROJECT.parent / "shared" / "cases"
RESULTS = Path("releases") / "resultats-services-publics" / "1.0.0"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CASES.exists(), reason="les cas vus sur le terrain ne sont pas à côté du projet"),
]


@dataclass(frozen=True)
class Judged:
    """A file, how it is judged, and what the producer must read (``says``) or must not (``never``): patterns."""

    file: str
    declared: str  # "mini enquete": declarations and export; "caf enquete": those of the project; "schema.json"
    code: int = 0
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Name the test."""
        return f"{self.file} {self.declared}"


JUDGED = [
    Judged("01-pourcentage-xlsx/valeurs-2024.xlsx", "mini valeurs", says=("pourcentage",)),
    Judged("02-formule-sans-valeur/valeurs-2024.xlsx", "mini valeurs", code=1, says=("[Ff]ormule", "enregistrez")),
    Judged("04-feuille-masquee/valeurs-2024.xlsx", "mini valeurs", says=("Données",), never=("absente",)),
    Judged("05-ligne-total/valeurs-2024.xlsx", "mini valeurs", code=1, says=("total", "acceptées : 24")),
    Judged("06-nombres-texte/valeurs-2024.xlsx", "mini valeurs", code=1, says=("espace", "virgule"), never=("« 1 »",)),
    Judged("10-cr-seuls/enquete-2024.csv", "mini enquete", never=("Que faire",)),
    Judged("10-cr-seuls/enquete-mac-2024.csv", "mini enquete", code=2, says=("UTF-8",)),
    Judged(
        "11-texte-unicode/enquete-tabutf8-2024.csv", "mini enquete", code=1, says=("tabulation",), never=("absente",)
    ),
    Judged("11-texte-unicode/enquete-2024.csv", "mini enquete", code=1, says=("tabulation",)),
    Judged("11-texte-unicode/enquete-sansbom-2024.csv", "mini enquete", says=("acceptées : 40",)),
    Judged("12-separateurs-finaux-omis/enquete-2024.csv", "mini enquete", code=None, says=("Excel",)),
    Judged("13-encodages-melanges/enquete-2024.csv", "mini enquete", code=2, says=("UTF-8", "ligne 16")),
    Judged("14-retours-ligne/enquete-2024.csv", "mini enquete", never=("Que faire",)),
    Judged(
        "15-ligne-unites/enquete-2024.csv",
        "mini enquete",
        code=1,
        says=("acceptées : 40", "ligne 2"),
        never=("« texte »",),
    ),
    Judged("16-entetes-doubles/enquete-2024.csv", "mini enquete", code=1, says=("même en-tête",)),
    Judged("20-horodatage/enquete-2024.csv", "mini enquete", code=1, says=("JJ/MM/AAAA",)),
    Judged("21-annee-2-chiffres/enquete-2024.csv", "mini enquete", code=1, says=("JJ/MM/AAAA", "01/01/24")),
    Judged("22-lignes-de-separateurs/enquete-2024.csv", "mini enquete", says=("acceptées : 40",)),
    Judged("23-separateur-final/enquete-2024.csv", "mini enquete", says=("n'a pas d'en-tête",)),
    Judged("23-separateur-final/enquete-sansentete-2024.csv", "mini enquete", code=1, says=("plus de cellules",)),
    Judged("24-tout-entre-guillemets/enquete-2024.csv", "mini enquete", code=1, says=("guillemets",)),
    Judged("25-fichiers-colles/enquete-2024.csv", "mini enquete", code=1, says=("acceptées : 40", "ligne 22")),
    Judged(
        "30-dates-melangees/jours-2024.xlsx", "mini jours", options=("--year", "2023"), code=None, says=("15/03/2024",)
    ),
    Judged("30-dates-melangees/pq-2024.parquet", "mini6 pq", says=("ACCEPTÉ",)),
    Judged("30-dates-melangees/pq-2023.xlsx", "mini6 pq", says=("ACCEPTÉ",)),
    Judged("32-date-type-d/jours-2024.xlsx", "mini jours", says=("acceptées : 2",)),
    Judged("33-date-invalide-texte/jours-2024.xlsx", "mini jours", code=1, says=("n'existe pas",)),
    Judged("34-erreurs-en-cache/jours-2024.xlsx", "mini jours", code=1, says=("#DIV/0!", "ligne")),
    Judged("35-texte-partage-vide/valeurs-2024.xlsx", "mini valeurs", says=("acceptées : 4",)),
    Judged("36-references-partielles/valeurs-2024.xlsx", "mini valeurs", says=("ACCEPTÉ",)),
    Judged("40-ods-commentaires-pourcent/valeurs-2024.ods", "mini tableur", code=1, says=("ligne 4",)),
    Judged("60-poids-negatifs/enquete-2024.csv", "mini enquete", code=1, says=("[Pp]oids",)),
    Judged("60-poids-negatifs/somme-nulle/enquete-2024.csv", "mini enquete", code=1, says=("[Pp]oids",)),
    Judged("63-code-99-nsp/enquete-2024.csv", "mini enquete", says=("99", "échelle", "20 fois")),
    Judged("63-code-99-nsp/moyenne-999/avis-2024.csv", "mini3 avis", code=None, says=("999",)),
    Judged("70-general-CSV-majuscule/COUPE.CSV", "schema2.json", says=("VALIDE",)),
    Judged("70-general-CSV-majuscule/guichets.tsv", "schema.json"),
    Judged("70-general-CSV-majuscule/GUICHETS.CSV", "schema.json"),
    Judged("71-general-xlsx-dates/f.xlsx", "schema.json", code=1, says=("nombre", "format Texte")),
    Judged("72-ligne-exemple/valeurs-2024.xlsx", "mini valeurs", code=1, never=("Par exemple : « texte »",)),
    Judged("72-ligne-exemple/telephone-2024.xlsx", "caf telephone", code=None, says=("exemple",)),
    Judged("73-general-colonnes-facultatives/ordre.csv", "schema-v1.json", code=1, says=("id_lieu", "trouvé|lu|vu")),
    Judged("74-general-custom-checks/f.csv", "schema.json", code=1, says=("(?i)siren",)),
    Judged("75-grands-entiers-xlsx/valeurs-2024.xlsx", "mini valeurs", code=1, says=("format Texte",)),
    Judged("77-codes-espaces/valeurs-2024.xlsx", "mini valeurs", code=None, says=("G01", "U\\+200B|invisible")),
    Judged("78-entete-apostrophe/valeurs-2024.xlsx", "mini valeurs", says=("ACCEPTÉ",)),
    Judged("79-cellules-fusionnees/jours-2024.xlsx", "mini jours", code=1, says=("fusionnées",), never=("« texte »",)),
    Judged(
        "80-titre-au-dessus/valeurs-2024.xlsx",
        "mini valeurs",
        code=1,
        says=("ligne",),
        never=("(?s)Que faire.*Que faire",),
    ),
    Judged("81-xlsx-prefixe/valeurs-2024.xlsx", "mini valeurs", says=("ACCEPTÉ",)),
    Judged("82-xlsx-sans-references/valeurs-2024.xlsx", "mini valeurs", says=("ACCEPTÉ",)),
    Judged("83-xlsx-strict/valeurs-2024.xlsx", "mini valeurs", says=("ACCEPTÉ",)),
    Judged("84-guichet-en-double/valeurs-2024.xlsx", "mini valeurs", code=None, says=("G\\d+",)),
    Judged("85-liste-espaces-invisibles/enquete-2024.csv", "caf enquete", code=1, says=("espace",)),
    Judged("86-codes-numeriques/enquete-2024.csv", "caf enquete", code=1, says=("971",)),
    Judged("87-csv-nomme-xlsx/valeurs-csv-2024.xlsx", "mini valeurs", code=2, says=("CSV",), never=("zip",)),
    Judged("87b-general-ods-xls/valeurs-2024.ods", "s.json", code=None, never=("Please install",)),
    Judged("87b-general-ods-xls/valeurs-2024.xls", "s.json", code=None, never=("Please install",)),
    Judged("87d-sep-entre-guillemets/enquete-sep-2024.csv", "mini enquete", code=None, never=("absente",)),
    Judged("87e-autres-formats-ok/ENQUETE-2024.CSV.GZ", "mini enquete", says=("acceptées : 30",)),
    Judged("87e-autres-formats-ok/enquete-sepbom-2024.csv", "mini enquete", says=("acceptées : 30",)),
    Judged("87e-autres-formats-ok/valeurs-2024.xls", "mini valeurs", code=2, says=("ancien classeur Excel",)),
    Judged("87e-autres-formats-ok/valeurs-b-2024.xlsb", "mini valeurs", code=2, says=("xlsb",)),
    Judged("87e-autres-formats-ok/valeurs-html-2024.xls", "mini valeurs", code=2, says=("page web",)),
    Judged("87e-autres-formats-ok/valeurs-xml-2024.xls", "mini valeurs", code=2, says=("XML",)),
    Judged("88-durees/jours-2024.xlsx", "mini jours", code=None, says=("[Dd]urée",)),
    Judged("89-qualtrics/nps-2024.csv", "mini4 qualtrics", says=("acceptées : 60",)),
    Judged("95-canal-ecrit-autrement/avis-2024.csv", "mini3 avis", code=None, says=("Téléphone", "téléphone")),
    Judged("97-double-encodage/simple-2024.csv", "mini4 simple", code=2, says=("Préfecture à Besançon", "mal convert")),
    Judged("99-reponses-hors-liste/avis-2024.csv", "mini3 avis", code=1, says=("Mecontent",)),
]


def _arguments(case: Judged) -> list[str]:
    declared, _, export = case.declared.partition(" ")
    file = CASES / case.file
    if not export:
        return ["validate", str(file), "--schema", str(file.parent / declared)]
    if declared == "caf":
        return ["validate", str(file), "--network", "caf", "--export", export]
    folder = CASES / "_schemas" / declared
    (network,) = (path.stem for path in (folder / "networks").iterdir())
    return ["validate", str(file), "--schemas", str(folder), "--network", network, "--export", export]


@pytest.mark.parametrize("case", JUDGED, ids=str)
def test_a_file_of_the_field_is_judged_as_its_producer_expects(case: Judged, capsys: pytest.CaptureFixture[str]):
    code = main([*_arguments(case), *case.options])
    told = " ".join(capsys.readouterr().out.split())
    assert code in ((0, 1) if case.code is None else (case.code,)), told
    assert [pattern for pattern in case.says if not re.search(pattern, told)] == [], told
    assert [pattern for pattern in case.never if re.search(pattern, told)] == [], told


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the exports of a case under its declarations; return the summary and the folder of the release."""

    def ran(folder: str, schemas: str, *options: str, code: int = 0) -> tuple[str, Path]:
        schema_folder = CASES / "_schemas" / schemas
        output = tmp_path / "output"
        found = main(
            [
                "run",
                "--exports",
                str(CASES / folder),
                "--output",
                str(output),
                "--schemas",
                str(schema_folder),
                *options,
            ]
        )
        told = capsys.readouterr()
        assert code is None or found == code, told.out + told.err
        return told.out, output / RESULTS

    return ran


def _rows(release: Path, **where: str) -> pd.DataFrame:
    found = pd.read_csv(release / "resultats.csv", dtype=str, keep_default_na=False)
    for column, value in where.items():
        found = found[found[column] == value]
    return found


def _value(release: Path, column: str = "valeur", **where: str) -> str:
    (value,) = _rows(release, annee="2024", frequence="annuelle", **where)[column]
    return str(value)


def test_percent_cells_are_never_published_a_hundred_times_too_small(run):
    _, release = run("01-pourcentage-xlsx", "mini", "--year", "2024")
    published = _rows(release, indicateur="taux", maille="site")["valeur"]
    assert all(value == "" or float(value) > 50 for value in published)


def test_a_formula_without_a_value_is_not_an_answer_left_blank(run):
    _, release = run("02-formule-sans-valeur", "mini", "--year", "2024")
    assert "non renseigné" not in set(_rows(release, annee="2024", maille="site")["motif_absence"])


def test_a_total_row_is_not_an_office(run):
    _, release = run("05-ligne-total", "mini", "--year", "2024")
    assert _value(release, indicateur="dossiers", maille="national") == "2400.0"
    assert "TOTAL" not in set(_rows(release)["structure_code"])


def test_one_content_under_two_names_counts_once(run):
    told, release = run("50-meme-fichier-deux-noms", "mini2")
    assert _value(release, indicateur="actes", maille="national") == "1200.0"
    assert "actes-2024 (1).csv" in told


def test_what_systems_leave_in_folders_is_no_export(run):
    told, release = run("52-fichiers-systeme", "mini2")
    assert "REJETÉ" not in told
    assert _value(release, indicateur="actes", maille="national")
    assert _value(release, indicateur="appels", maille="national")


def test_a_name_in_another_case_is_told(run):
    told, _ = run("53-extension-majuscule", "mini2", code=None)
    told = unicodedata.normalize("NFC", told)
    assert all(name in told for name in ("Appels-2024.XLSX", "Relevé-2024.csv"))


def test_a_file_cut_while_it_is_copied_is_not_believed(run):
    told, release = run("55-copie-en-cours", "mini2", code=None)
    assert "actes-2024.csv" in told
    assert "13579623" not in set(_rows(release)["valeur"])


def test_a_name_in_the_unicode_form_of_macs_is_found(run):
    _, release = run("56-noms-nfd", "mini2")
    assert _value(release, indicateur="releves", maille="national")


def test_last_years_file_given_again_is_told(run):
    told, _ = run("57-fichier-de-l-an-passe", "mini")
    assert re.search(r"valeurs-2024\.xlsx.*valeurs-2023\.xlsx|valeurs-2023\.xlsx.*valeurs-2024\.xlsx", told)


def test_negative_weights_cancel_nobody(run):
    _, release = run("60-poids-negatifs", "mini", "--year", "2024")
    assert "100.0" not in set(_rows(release)["valeur"])


def test_an_office_without_any_weight_stops_nobody(run):
    _, release = run("62-blocage-poids-nuls", "mini", "--year", "2024")
    effectif = _rows(release, indicateur="nps", annee="2024", frequence="annuelle").set_index("maille")["effectif"]
    assert effectif["departement"] == effectif["national"]


def test_the_answer_of_one_person_is_secret_whatever_surrounds_it(run):
    _, release = run("66-secret-poids-nuls", "mini", "--year", "2024")
    assert set(_rows(release, indicateur="nps", maille="site", structure_code="G01")["valeur"]) == {""}


def test_codes_damaged_by_a_spreadsheet_are_not_published(run):
    _, release = run("75-grands-entiers-xlsx", "mini", "--year", "2024", code=None)
    codes = "".join((release / "structures.csv").read_text(encoding="utf-8")) if release.exists() else ""
    assert "e+16" not in codes
    assert "2024-03-01" not in codes


def test_one_office_stays_one_office(run):
    _, release = run("77-codes-espaces", "mini", "--year", "2024")
    codes = pd.read_csv(release / "structures.csv", dtype=str)["structure_code"]
    assert len({code.strip().casefold().replace("\u200b", "").replace("\xa0", "") for code in codes}) == len(codes)


def test_a_duplicated_office_costs_its_own_rows(run):
    _, release = run("84-guichet-en-double", "mini", "--year", "2024")
    assert sum(value != "" for value in _rows(release, indicateur="taux", maille="site")["valeur"]) == 28


def test_a_weighted_net_score_stays_as_it_was(run):
    _, release = run("94-nps-pondere-ok", "mini", "--year", "2024")
    assert _value(release, indicateur="nps", maille="national") == "-4.7"


def test_answers_written_otherwise_are_not_filtered_out_in_silence(run):
    told, release = run("95-canal-ecrit-autrement", "mini3", code=None)
    values = set(_rows(release, indicateur="satisfaits", maille="national")["valeur"])
    assert "50.0" not in values or "Téléphone" in told


def test_text_encoded_twice_is_not_published(run):
    _, release = run("97-double-encodage", "mini4", "--year", "2024")
    assert "Ã" not in (release / "structures.csv").read_text(encoding="utf-8")


def test_answers_that_are_on_no_list_are_not_dropped_in_silence(run):
    _, release = run("99-reponses-hors-liste", "mini3")
    assert "60.2" not in set(_rows(release, indicateur="satisfaits")["valeur"])
