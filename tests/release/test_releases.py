"""A release is whole, immutable, the same for the same inputs, and readable by independent readers."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import openpyxl
import pandas as pd
import pytest
from fixtures.made_results import DATASET, result
from frictionless import Package

from pipelines.declarations import Catalogue
from pipelines.declarations.datasets import Budgets
from pipelines.release import history
from pipelines.release import release_folder as release_module
from pipelines.release.column_texts import canonical
from pipelines.release.refusals import ReleaseError
from pipelines.release.release_folder import Release, make_release, release_findings

Tables = dict[str, pd.DataFrame]
INVENTED = "Chiffres inventés pour l'essai."


@pytest.fixture
def first(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> Release:
    return make_release(DATASET, catalogue, tables, tmp_path, synthetic=None)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def results_of(release: Release) -> list[dict[str, str]]:
    with (release.folder / "resultats-annuels.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_first_release_holds_everything(first: Release, catalogue: Catalogue) -> None:
    assert (first.version, first.previous, first.created) == ("1.0.0", None, True)
    assert first.counts == {"added": 10, "removed": 0, "changed": 0}
    tables = catalogue.datasets[DATASET].tables
    files = [*tables[1:], "resultats-annuels", "resultats-infra-annuels"]
    named = {f"{name}.{ending}" for name in files for ending in ("csv", "parquet")}
    others = {"resultats.xlsx", "dictionnaire.csv", "LISEZMOI.md", "datapackage.json", "SHA256SUMS"}
    others |= {"journal.csv", "versions.csv", "CHANGELOG.md", "resultats.schema.json"}
    others |= {f"resultats-format-historique.{ending}" for ending in ("csv", "schema.json")}
    assert set(contents(first.folder)) == named | others
    assert all(path.stat().st_mode & 0o777 == 0o444 for path in first.folder.iterdir())


def test_checksums_cover_everything_and_hold(first: Release) -> None:
    found = contents(first.folder)
    lines = found.pop("SHA256SUMS").decode().splitlines()
    assert lines == [f"{hashlib.sha256(found[name]).hexdigest()}  {name}" for name in sorted(found)]


def test_same_inputs_same_bytes(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    shuffled = {name: table.sample(frac=1, random_state=3) for name, table in reversed(tables.items())}
    one = make_release(DATASET, catalogue, tables, tmp_path / "one", synthetic=INVENTED)
    previous = os.umask(0o077)
    try:
        other = make_release(DATASET, catalogue, shuffled, tmp_path / "other", synthetic=INVENTED)
    finally:
        os.umask(previous)
    assert contents(one.folder) == contents(other.folder)


def test_nothing_new_makes_no_release(first: Release, catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again = make_release(DATASET, catalogue, tables, tmp_path, synthetic=None)
    assert (again.version, again.created, again.folder) == ("1.0.0", False, first.folder)
    assert not again.difference
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_other_parquet_bytes_alone_make_no_release(
    first: Release, catalogue: Catalogue, tables: Tables, tmp_path: Path
) -> None:
    path = first.folder / "resultats-annuels.parquet"
    path.chmod(0o644)
    path.write_bytes(b"written by another library")
    assert not make_release(DATASET, catalogue, tables, tmp_path, synthetic=None).created


def test_rows_keep_the_version_they_were_first_published_in(
    first: Release, catalogue: Catalogue, tables: Tables, tmp_path: Path
) -> None:
    assert {row["version_publication"] for row in results_of(first)} == {"1.0.0"}
    changed = tables["resultats"].copy()
    changed.loc[changed["territoire_code"] == "30", "valeur"] = 88.0
    second = make_release(DATASET, catalogue, tables | {"resultats": changed}, tmp_path, synthetic=None)
    assert (second.version, second.previous, second.counts["changed"]) == ("1.0.1", "1.0.0", 1)
    versions = {row["territoire_code"]: row["version_publication"] for row in results_of(second)}
    assert versions == {"01": "1.0.0", "2A": "1.0.0", "30": "1.0.1", "FR": "1.0.0"}

    more = pd.concat([changed, pd.DataFrame([result("48", 3.0)])], ignore_index=True)
    third = make_release(DATASET, catalogue, tables | {"resultats": more}, tmp_path, synthetic=None)
    versions = {row["territoire_code"]: row["version_publication"] for row in results_of(third)}
    assert third.version == "1.1.0"
    assert versions == {"01": "1.0.0", "2A": "1.0.0", "30": "1.0.1", "48": "1.1.0", "FR": "1.0.0"}
    assert not make_release(DATASET, catalogue, tables | {"resultats": more}, tmp_path, synthetic=None).created


def test_versions_are_ordered_by_number_not_by_text(
    first: Release, catalogue: Catalogue, tables: Tables, tmp_path: Path
) -> None:
    for version in ("1.9.0", "1.10.0"):
        shutil.copytree(first.folder, first.folder.with_name(version))
    assert make_release(DATASET, catalogue, tables, tmp_path, synthetic=None).version == "1.10.0"


def test_leftovers_of_a_crash_are_swept(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    left = tmp_path / DATASET / ".en-cours-1.0.0"
    left.mkdir(parents=True)
    (left / "resultats-annuels.csv").write_text("à moitié")
    made = make_release(DATASET, catalogue, tables, tmp_path, synthetic=None)
    assert [path.name for path in made.folder.parent.iterdir()] == ["1.0.0"]


def test_a_bad_table_leaves_nothing_behind(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    tables["resultats"].loc[0, ["maille", "statut_observation"]] = ["commune", "Z"]
    tables["reseaux"]["licence"] = None
    tables["couverture"]["annee"] = "2024 "
    with pytest.raises(ReleaseError) as caught:
        make_release(DATASET, catalogue, tables, tmp_path, synthetic=None)
    told = str(caught.value)
    assert "resultats.maille : « commune » refusé (parmi site, departement, region, national)" in told
    assert "resultats.statut_observation : « Z » refusé" in told
    assert "reseaux.licence, ligne 1 : valeur obligatoire absente" in told
    assert "couverture.annee, ligne 1 : nombre entier attendu, trouvé « 2024  »" in told
    assert list(tmp_path.rglob("*")) == []


def test_missing_and_unknown_tables_are_named(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    del tables["ecarts"]
    tables["autre"] = pd.DataFrame()
    with pytest.raises(ReleaseError, match=r"ecarts : table déclarée, absente\n- autre : table non déclarée"):
        make_release(DATASET, catalogue, tables, tmp_path, synthetic=None)


def test_frictionless_refuses_before_anything_is_public(
    first: Release, catalogue: Catalogue, tables: Tables, tmp_path: Path
) -> None:
    tables["resultats"].loc[0, "indicateur"] = "inconnu"  # a broken foreign key: only the package as a whole shows it
    with pytest.raises(ReleaseError, match=r"resultats-annuels\.csv : .*inconnu"):
        make_release(DATASET, catalogue, tables, tmp_path, synthetic=None)
    assert [path.name for path in first.folder.parent.iterdir()] == ["1.0.0"]


def test_a_crash_while_writing_publishes_nothing(
    catalogue: Catalogue, tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OSError("disque plein")

    monkeypatch.setattr(release_module.written_files, "seal", crash)
    with pytest.raises(OSError, match="disque plein"):
        make_release(DATASET, catalogue, tables, tmp_path, synthetic=None)
    assert list((tmp_path / DATASET).iterdir()) == []


def test_the_checks_of_a_written_release_see_damage(first: Release, tmp_path: Path) -> None:
    damaged = shutil.copytree(first.folder, tmp_path / "damaged")
    assert release_findings(damaged, {}) == []
    (damaged / "reseaux.csv").chmod(0o644)
    (damaged / "reseaux.csv").write_text("reseau\nautre\n")
    findings = "\n".join(release_findings(damaged, {}))
    assert "SHA256SUMS : l'empreinte de reseaux.csv ne correspond pas" in findings
    assert "reseaux.csv : " in findings


def test_frictionless_reads_the_package(first: Release) -> None:
    package = Package(str(first.folder / "datapackage.json"))
    assert package.validate().valid
    rows = package.get_resource("resultats-annuels").read_rows()
    assert str(rows[2]["valeur"]) == "87.4"
    assert rows[0]["valeur"] is None and rows[0]["territoire_code"] == "01"


def test_the_descriptor_says_what_is_there(catalogue: Catalogue, first: Release) -> None:
    package = json.loads((first.folder / "datapackage.json").read_text("utf-8"))
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert (package["name"], package["version"]) == (DATASET, "1.0.0")
    assert "synthetic" not in package and "created" not in package
    assert package["licenses"][0]["name"] == "etalab-2.0"
    assert package["sources"] == [{"title": "Caisses (Caisse nationale)", "path": "https://example.org/caf"}]
    described = [*package["resources"], *package["renditions"]]
    assert (
        len(described) == 2 * (len(catalogue.datasets[DATASET].tables) + 1) + 5
    )  # results are in two files of each format

    for item in described:
        content = (first.folder / item["path"]).read_bytes()
        assert (item["bytes"], item["hash"]) == (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")


def test_synthetic_data_say_so_everywhere(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    made = make_release(DATASET, catalogue, tables, tmp_path, synthetic=INVENTED)
    package = json.loads((made.folder / "datapackage.json").read_text("utf-8"))
    assert package["synthetic"] is True
    assert package["title"].startswith("DONNÉES SYNTHÉTIQUES")
    assert INVENTED in package["description"]
    readme = (made.folder / "LISEZMOI.md").read_text("utf-8").splitlines()
    assert readme[0].startswith("# DONNÉES SYNTHÉTIQUES") and INVENTED in readme[2]
    sheet = openpyxl.load_workbook(made.folder / "resultats.xlsx")["Lisez-moi"]
    assert "DONNÉES SYNTHÉTIQUES" in sheet["A1"].value and INVENTED in sheet["A3"].value
    real = make_release(DATASET, catalogue, tables, tmp_path, synthetic=None)
    assert (real.version, real.created) == ("1.0.1", True)


def test_the_workbook_read_back(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    """A dataset that declares no workbook for people has one with every table."""
    dataset = catalogue.datasets[DATASET].model_copy(update={"workbook": None})
    plain = replace(catalogue, datasets=MappingProxyType({DATASET: dataset}))
    first = make_release(DATASET, plain, tables, tmp_path, synthetic=None)
    book = openpyxl.load_workbook(first.folder / "resultats.xlsx")
    assert book.sheetnames == ["Lisez-moi", *catalogue.datasets[DATASET].tables, "Dictionnaire", "Versions"]
    sheet = book["resultats"]
    header = [cell.value for cell in sheet[1]]
    assert header == catalogue.tables["resultats"].names
    assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref.startswith("A1:")
    cells = {name: sheet.cell(3, index + 1) for index, name in enumerate(header)}
    assert (cells["structure"].value, cells["structure"].data_type) == ("'=1+1", "s")  # as in the CSV
    assert (cells["valeur"].value, cells["valeur"].data_type) == (12.5, "n")
    assert cells["territoire_code"].value == "2A"
    assert cells["date_reference"].is_date
    assert sheet.cell(2, header.index("valeur") + 1).value is None


def test_each_example_of_the_dictionary_is_in_the_data(first: Release) -> None:
    rows = pd.read_csv(first.folder / "dictionnaire.csv", dtype=str, keep_default_na=False)
    assert set(rows.loc[rows["table"].eq("resultats"), "exemple"]) >= {"87.4", "rapport de sommes", ""}
    for name, columns in rows.groupby("table"):
        data = history.whole_table(first.folder, str(name))
        for column, example in zip(columns["colonne"], columns["exemple"], strict=True):
            texts = set(canonical(data[column]).to_pylist()) - {""}
            assert example in texts or (not texts and example == ""), f"{name}.{column}"


def test_the_workbook_for_people_has_words_and_three_years(
    catalogue: Catalogue, tables: Tables, tmp_path: Path
) -> None:
    older = [result("30", value, annee=year, periode=str(year)) for year, value in ((2023, 86.0), (2022, 85.0))]
    rows = [
        *older, result("30", 84.0, annee=2021, periode="2021"), result("48", 70.0), result("07", 80.25),
        result("09", 79.0, borne_basse=77.0, borne_haute=81.0),
        result("11", 9.0, periode="2024-01", frequence="mensuelle"),
    ]  # fmt: skip
    both = pd.concat([tables["resultats"], pd.DataFrame(rows)], ignore_index=True)
    made = make_release(DATASET, catalogue, tables | {"resultats": both}, tmp_path, synthetic=None)
    book = openpyxl.load_workbook(made.folder / "resultats.xlsx")
    lists = ["Indicateurs", "Réseaux", "Territoires", "Structures"]
    assert book.sheetnames == ["Lisez-moi", "Résultats", *lists, "Dictionnaire", "Versions"]
    header, *lines = book["Résultats"].iter_rows(values_only=True)
    assert len(header) == 13 and header[:3] == ("Réseau", "Indicateur", "Année")
    assert {line[2] for line in lines} == {2022, 2023, 2024} and len(lines) == 9
    told = {line[4]: line[11] for line in lines if line[2] == 2024}
    assert told == {
        "France": None, "Département 30": "mieux", "Département 01": None, "Département 2A": "moins bien",
        "Département 48": "moins bien", "Département 07": "pas d'écart établi", "Département 09": "pas d'écart établi",
    }  # fmt: skip
    assert {line[0] for line in lines} == {"Caisses"}
    assert {line[10] for line in lines if line[4] not in ("France", None) and line[2] == 2024} == {80.25}
    assert [cell.value for cell in book["Indicateurs"][1]][:2] == ["Indicateur", "Titre"]


def test_a_workbook_too_large_to_be_shown_has_fewer_years_and_says_so(
    catalogue: Catalogue, tables: Tables, tmp_path: Path
) -> None:
    rows = [
        result(f"{code:02d}", float(code), annee=year, periode=str(year))
        for year in (2022, 2023)
        for code in range(1, 90)
    ]
    both = pd.concat([tables["resultats"], pd.DataFrame(rows)], ignore_index=True)
    dataset = catalogue.datasets[DATASET].model_copy(update={"budgets": Budgets(xlsx=0.02)})
    tight = replace(catalogue, datasets=MappingProxyType({DATASET: dataset}))
    made = make_release(DATASET, tight, tables | {"resultats": both}, tmp_path, synthetic=None)
    book = openpyxl.load_workbook(made.folder / "resultats.xlsx")
    assert {line[2] for line in book["Résultats"].iter_rows(min_row=2, values_only=True)} == {2024}
    told = " ".join(str(cell.value) for (cell,) in book["Lisez-moi"].iter_rows())
    assert "la dernière année" in told and "Les 3 dernières années n'y tiendraient pas" in told


def test_the_readme_counts_and_cites(first: Release) -> None:
    text = (first.folder / "LISEZMOI.md").read_text("utf-8")
    assert "| `resultats-annuels` | Résultats annuels des services publics | 4 | 40 |" in text
    assert "en application de l'article 68 (8°) de la loi ESSOC et de l'arrêté du 31 août 2023" in text
    assert "SYNTHÉTIQUES" not in text
