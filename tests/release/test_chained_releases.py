"""Releases chain by hash, prove themselves, and can be gone back on without being undone the next night."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest
from fixtures.made_results import DATASET
from pyarrow import parquet

from pipelines.declarations import Catalogue
from pipelines.mechanics.files import sha256
from pipelines.release import history
from pipelines.release.inputs import Inputs, ReceivedFile, Reception
from pipelines.release.integrity import chain_findings
from pipelines.release.refusals import ReleaseError
from pipelines.release.release_folder import Release, make_release
from pipelines.release.rollback import rollback
from pipelines.release.verification import rebuilt_findings, release_proof, rendered_otherwise

Tables = dict[str, pd.DataFrame]


def received(sha256: str) -> Inputs:
    return Inputs((Reception("caf", 2024, (ReceivedFile("enquete", "caf/2024.csv", sha256),)),), {}, "", "")


def with_value(tables: Tables, value: float) -> Tables:
    results = tables["resultats"].copy()
    results.loc[results["territoire_code"] == "30", "valeur"] = value
    return tables | {"resultats": results}


def make(catalogue: Catalogue, tables: Tables, folder: Path, value: float, **others: str | None) -> Release:
    synthetic = others.get("synthetic")
    made = with_value(tables, value)
    return make_release(DATASET, catalogue, made, folder, synthetic=synthetic, inputs=received(str(value)))


@pytest.fixture
def catalogue(small: Catalogue) -> Catalogue:
    return small


@pytest.fixture
def tables(small_tables: Tables) -> Tables:
    return small_tables


@pytest.fixture(scope="module")
def made_once(small: Catalogue, small_tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    make(small, small_tables, folder, 1.0)
    make(small, small_tables, folder, 2.0)
    return folder


@pytest.fixture
def two(made_once: Path, tmp_path: Path) -> Path:
    """Two releases, to be altered or followed."""
    return Path(shutil.copytree(made_once, tmp_path / "two"))


def rewrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_release_names_the_one_before(two: Path) -> None:
    first, second = (two / DATASET / version for version in ("1.0.0", "1.0.1"))
    assert "previous" not in history.descriptor(first)
    assert history.descriptor(second)["previous"] == {"version": "1.0.0", "sha256": history.release_hash(first)}
    assert chain_findings(two, DATASET) == []
    listed = rows(second / "versions.csv")
    told = [(row["version"], row["precedente"], row["nature"], row["lignes_modifiees"]) for row in listed]
    assert told == [("1.0.0", "", "première", "0"), ("1.0.1", "1.0.0", "corrective", "1")]
    assert [row["sha256"] for row in listed] == [history.release_hash(first), ""]
    assert [row["contenu"] for row in listed] == [history.content_of(first), history.content_of(second)]
    assert listed[1]["motif"] == "révision : Fichier remplacé par le réseau : caf/2024.csv."


def test_the_changelog_tells_all_versions_newest_first(two: Path) -> None:
    text = (two / DATASET / "1.0.1" / "CHANGELOG.md").read_text("utf-8")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Version 1.0.1 — données au 2024-12-31",
        "## Version 1.0.0 — données au 2024-12-31",
    ]
    assert "- resultats : 1 ligne modifiée\n" in text
    assert "- révision, 1 changement : Fichier remplacé par le réseau : caf/2024.csv.\n" in text
    assert text.endswith((two / DATASET / "1.0.0" / "CHANGELOG.md").read_text("utf-8").partition("## ")[2])


def test_a_release_proves_itself(two: Path) -> None:
    assert release_proof(two, DATASET, "1.0.0") == release_proof(two, DATASET, "1.0.1") == []


@pytest.mark.parametrize(
    ("name", "told"),
    [("resultats-annuels.csv", "resultats-annuels.csv"), ("journal.csv", "journal.csv"), ("SHA256SUMS", "SHA256SUMS")],
)
def test_an_altered_release_is_told(two: Path, name: str, told: str) -> None:
    path = two / DATASET / "1.0.1" / name
    rewrite(path, path.read_bytes().replace(b"1", b"7"))
    assert any(told in finding for finding in release_proof(two, DATASET, "1.0.1"))


def test_an_alteration_with_its_checksums_redone_breaks_what_follows(two: Path) -> None:
    first = two / DATASET / "1.0.0"
    path = first / "LISEZMOI.md"
    before = sha256(path)
    rewrite(path, b"autre chose")
    sums = (first / "SHA256SUMS").read_text()
    rewrite(first / "SHA256SUMS", sums.replace(before, sha256(path)).encode())
    assert release_proof(two, DATASET, "1.0.0") == []
    (finding,) = chain_findings(two, DATASET)
    assert finding.startswith(f"{DATASET} 1.0.1 : la version précédente est 1.0.0")


def test_a_link_taken_away_is_told(two: Path, catalogue: Catalogue, tables: Tables) -> None:
    make(catalogue, tables, two, 3.0)
    folder = two / DATASET / "1.0.1"
    for path in folder.iterdir():
        path.chmod(0o644)
    shutil.rmtree(folder)
    (finding,) = chain_findings(two, DATASET)
    assert finding.startswith(f"{DATASET} 1.0.2 : la version précédente est 1.0.1")


def test_a_journal_that_does_not_lead_there_is_told(two: Path) -> None:
    release = two / DATASET / "1.0.1"
    before = sha256(release / "journal.csv")
    rewrite(release / "journal.csv", (release / "journal.csv").read_bytes().replace(b",1,2,", b",1,4,"))
    sums = (release / "SHA256SUMS").read_text().replace(before, sha256(release / "journal.csv"))
    rewrite(release / "SHA256SUMS", sums.encode())
    assert release_proof(two, DATASET, "1.0.1") == [
        f"{DATASET} 1.0.1 : journal.csv : n'est pas le fichier que décrit datapackage.json",
        f"{DATASET} 1.0.1 : journal : appliqué à la version 1.0.0, il ne donne pas la table resultats",
    ]


def test_nothing_is_built_on_an_altered_release(two: Path, catalogue: Catalogue, tables: Tables) -> None:
    rewrite(two / DATASET / "1.0.1" / "resultats-annuels.csv", b"annee\n")
    with pytest.raises(ReleaseError, match=r"1\.0\.1 a été modifiée depuis sa publication"):
        make(catalogue, tables, two, 3.0)


def test_the_same_release_made_elsewhere_is_proved(
    two: Path, catalogue: Catalogue, tables: Tables, tmp_path: Path
) -> None:
    release, elsewhere = two / DATASET / "1.0.1", tmp_path / "elsewhere"
    shutil.copytree(two / DATASET / "1.0.0", elsewhere / DATASET / "1.0.0")
    again = make(catalogue, tables, elsewhere, 2.0)
    assert rebuilt_findings(release, again.folder) == rendered_otherwise(release, again.folder) == []
    table = parquet.read_table(again.folder / "resultats-annuels.parquet")
    (again.folder / "resultats-annuels.parquet").chmod(0o644)
    parquet.write_table(table, again.folder / "resultats-annuels.parquet", compression="gzip")
    assert rebuilt_findings(release, again.folder) == []
    assert rendered_otherwise(release, again.folder) == ["resultats-annuels.parquet"]
    rewrite(again.folder / "resultats-annuels.parquet", b"other bytes")
    assert rebuilt_findings(release, again.folder) == [
        "resultats-annuels.parquet : refait, il ne contient pas les mêmes cellules"
    ]
    for path in again.folder.iterdir():
        path.chmod(0o644)
    shutil.rmtree(again.folder)
    other = make(catalogue, tables, elsewhere, 2.5)
    assert rebuilt_findings(release, other.folder)[0] == "table resultats : refaite, elle diffère"


def test_a_rollback_is_a_new_release_with_the_tables_of_the_old_one(two: Path, catalogue: Catalogue) -> None:
    back = rollback(DATASET, catalogue, two, "1.0.0", "le fichier de la CAF était faux")
    assert (back.version, back.previous, back.created) == ("1.0.2", "1.0.1", True)
    first = two / DATASET / "1.0.0"
    assert history.content_of(back.folder) == history.content_of(first)
    found = {row["territoire_code"]: row for row in rows(back.folder / "resultats-annuels.csv")}
    assert (found["30"]["valeur"], found["30"]["version_publication"]) == ("1.0", "1.0.2")
    assert found["01"]["version_publication"] == "1.0.0"
    (line,) = rows(back.folder / "journal.csv")
    told = (line["avant"], line["apres"], line["nature"], line["motif"])
    assert told == ("2", "1", "correction", "Retour à la version 1.0.0 : le fichier de la CAF était faux.")
    assert release_proof(two, DATASET, "1.0.2") == chain_findings(two, DATASET) == []


def test_the_next_night_does_not_undo_a_rollback(two: Path, catalogue: Catalogue, tables: Tables) -> None:
    make(catalogue, tables, two, 3.0)
    rollback(DATASET, catalogue, two, "1.0.0", "faux")
    for value in (2.0, 3.0):
        same = make(catalogue, tables, two, value)
        assert (same.version, same.created, same.held) == ("1.0.3", False, True)
    assert not make(catalogue, tables, two, 1.0).created
    other = make(catalogue, tables, two, 4.0)
    assert (other.version, other.created, other.held) == ("1.0.4", True, False)
    assert make(catalogue, tables, two, 2.0).created  # gone back on, then overtaken: it's news again


def test_what_was_gone_back_on_twice_stays_so(two: Path, catalogue: Catalogue, tables: Tables) -> None:
    rollback(DATASET, catalogue, two, "1.0.0", "faux")
    make(catalogue, tables, two, 3.0)
    rollback(DATASET, catalogue, two, "1.0.0", "faux encore")
    assert make(catalogue, tables, two, 2.0).held and make(catalogue, tables, two, 3.0).held


def test_a_rollback_keeps_the_synthetic_mark(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    make(catalogue, tables, tmp_path, 1.0, synthetic="Inventées.")
    make(catalogue, tables, tmp_path, 1.0)
    back = rollback(DATASET, catalogue, tmp_path, "1.0.0", "elles sont inventées")
    descriptor = json.loads((back.folder / "datapackage.json").read_text("utf-8"))
    assert descriptor["synthetic"] is True
    assert not make(catalogue, tables, tmp_path, 1.0).created


@pytest.mark.parametrize(
    ("to", "reason", "told"),
    [
        ("0.9.0", "faux", "version inconnue ; publiées : 1.0.0, 1.0.1"),
        ("1.0.0", " ", "un motif est demandé"),
        ("1.0.1", "faux", "la dernière version, 1.0.1, a déjà ce contenu"),
    ],
)
def test_a_rollback_that_makes_no_sense_is_refused(
    two: Path, catalogue: Catalogue, to: str, reason: str, told: str
) -> None:
    with pytest.raises(ReleaseError, match=told):
        rollback(DATASET, catalogue, two, to, reason)
    assert history.versions(two, DATASET) == ["1.0.0", "1.0.1"]


def test_a_rollback_to_other_declarations_is_refused(two: Path, catalogue: Catalogue) -> None:
    table = catalogue.tables["reseaux"]
    columns = (table.columns[0].model_copy(update={"title": "Autre"}), *table.columns[1:])
    tables = dict(catalogue.tables) | {"reseaux": table.model_copy(update={"columns": columns})}
    changed = replace(catalogue, tables=MappingProxyType(tables))
    with pytest.raises(ReleaseError, match="tables déclarées autrement qu'alors : reseaux"):
        rollback(DATASET, changed, two, "1.0.0", "faux")
