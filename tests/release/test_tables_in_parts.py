"""Tables in several files: one reading whatever the files, other files make a major version, budgets divide by year."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from fixtures.made_results import DATASET, result
from pyarrow import parquet

from pipelines.declarations.datasets import Budgets, TableDivision
from pipelines.flow.earlier_releases import results_files, results_of
from pipelines.release import history
from pipelines.release.gates import gates
from pipelines.release.refusals import ReleaseError
from pipelines.release.release_folder import Release, make_release
from pipelines.release.rollback import rollback
from pipelines.release.verification import release_proof
from pipelines.targets.udata.resources import latest_files

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.declarations import Catalogue

WHY = "les périodes plus fines ont leur fichier"
MADE = {
    "why": WHY,
    "parts": [
        {"name": "resultats-annuels", "title": "Annuels", "description": "x", "where": {"frequence": ["annuelle"]}},
        {"name": "resultats-fins", "title": "Fins", "description": "x", "where": {"frequence": ["mensuelle"]}},
    ],
}


def months(year: int) -> list[dict[str, object]]:
    return [
        result("30", float(month), annee=year, periode=f"{year}-{month:02d}", frequence="mensuelle")
        for month in range(1, 13)
    ]


def laid_out(small: Catalogue, **settings: Any) -> Catalogue:
    dataset = small.datasets[DATASET].model_copy(update={"layout": {"resultats": TableDivision(**MADE)}, **settings})
    return replace(small, datasets=MappingProxyType({DATASET: dataset}))


@pytest.fixture(scope="module", name="small")
def without_layout(small: Catalogue) -> Catalogue:
    """The small catalogue, each of whose tables is one file."""
    dataset = small.datasets[DATASET].model_copy(update={"layout": {}})
    return replace(small, datasets=MappingProxyType({DATASET: dataset}))


@pytest.fixture(scope="module")
def shipped(small: Catalogue, catalogue: Catalogue) -> Catalogue:
    """The small catalogue, laid out as we ship it."""
    dataset = small.datasets[DATASET].model_copy(update={"layout": catalogue.datasets[DATASET].layout})
    return replace(small, datasets=MappingProxyType({DATASET: dataset}))


@pytest.fixture
def fine(small_tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The small tables, with months of two years among the yearly rows."""
    more = [*months(2023), *months(2024), result("30", 6.5, annee=2023, periode="2023")]
    results = pd.concat([small_tables["resultats"], pd.DataFrame(more)], ignore_index=True)
    return small_tables | {"resultats": results}


def made(catalogue: Catalogue, tables: dict[str, pd.DataFrame], folder: Path) -> Release:
    return make_release(DATASET, catalogue, tables, folder, synthetic=None)


def names(release: Release) -> set[str]:
    return {path.name for path in release.folder.glob("resultats*") if path.suffix in (".csv", ".parquet")}


def test_a_table_reads_the_same_whatever_its_files(small: Catalogue, fine, tmp_path: Path) -> None:
    whole, parted = made(small, fine, tmp_path / "a"), made(laid_out(small), fine, tmp_path / "b")
    kept = {"resultats-format-historique.csv"}
    assert names(whole) == {"resultats.csv", "resultats.parquet"} | kept
    ends = ("csv", "parquet")
    assert names(parted) == {f"resultats-{part}.{end}" for part in ("annuels", "fins") for end in ends} | kept
    for read in (results_of, lambda folder: history.states(folder)["resultats"].data.to_pandas()):
        one, other = (read(folder).astype(str).values.tolist() for folder in (parted.folder, whole.folder))
        assert one == other
    assert history.row_counts(parted.folder) == history.row_counts(whole.folder)
    files = [str(path) for path in results_files(parted.folder)]
    counted = duckdb.execute("SELECT frequence, count(*) FROM read_parquet($f) GROUP BY ALL ORDER BY ALL", {"f": files})
    assert counted.fetchall() == [("annuelle", 5), ("mensuelle", 24)]
    yearly = pd.read_csv(parted.folder / "resultats-annuels.csv")
    assert len(yearly) == 5 and set(yearly["frequence"]) == {"annuelle"}
    assert release_proof(tmp_path / "b", DATASET, "1.0.0") == []


def test_a_part_that_no_longer_tells_what_its_csv_does_is_found(small: Catalogue, fine, tmp_path: Path) -> None:
    folder = made(laid_out(small), fine, tmp_path).folder
    states = history.states(folder)
    path = folder / "resultats-fins.parquet"
    table = parquet.read_table(path)
    path.chmod(0o644)
    at = table.column_names.index("valeur")
    parquet.write_table(table.set_column(at, table.schema.field(at), pa.array([1.5] * table.num_rows)), path)
    told = "\n".join(release_proof(tmp_path, DATASET, "1.0.0"))
    assert "l'empreinte de resultats-fins.parquet ne correspond pas" in told
    assert history.whole_table(folder, "resultats").column("valeur").to_pylist() != states["resultats"].texts("valeur")


def test_other_files_are_a_major_version_and_the_journal_says_why(small: Catalogue, fine, tmp_path: Path) -> None:
    first = made(small, fine, tmp_path)
    second = made(laid_out(small), fine, tmp_path)
    assert (first.version, second.version, second.counts) == (
        "1.0.0", "2.0.0", {"added": 0, "removed": 0, "changed": 0},
    )  # fmt: skip
    (line,) = history.journal(second.folder).to_pylist()
    assert (line["table"], line["colonne"], line["nature"], line["motif"]) == (
        "resultats", "files.path", "définition", WHY,
    )  # fmt: skip
    assert line["avant"] == "resultats.csv, resultats.parquet" and "resultats-annuels.csv" in line["apres"]
    assert "resultats : autres fichiers" in (second.folder / "CHANGELOG.md").read_text("utf-8")
    lost = next(gate for gate in gates(small, DATASET, first.folder, second.folder) if gate.name == "colonnes_perdues")
    assert not lost.passed and "resultats-annuels.csv" in lost.details[0]
    assert release_proof(tmp_path, DATASET, "2.0.0") == []
    assert not made(laid_out(small), fine, tmp_path).created
    back = rollback(DATASET, small, tmp_path, "1.0.0", "Trop tôt")
    assert back.version == "3.0.0" and "resultats.csv" in names(back)


def test_the_layout_that_we_ship_is_a_major_version_with_its_reason_and_links_stay(
    small: Catalogue, shipped: Catalogue, fine, tmp_path: Path
) -> None:
    first, second = made(small, fine, tmp_path), made(shipped, fine, tmp_path)
    assert (first.version, second.version) == ("1.0.0", "2.0.0")
    declared = shipped.datasets[DATASET].layout["resultats"]
    (line,) = history.journal(second.folder).to_pylist()
    assert line["motif"] == declared.why and "resultats-infra-annuels.csv" in line["apres"]
    kept = {"resultats-format-historique.csv"}
    assert names(second) == {f"{part.name}.{end}" for part in declared.parts for end in ("csv", "parquet")} | kept
    before, after = history.stable_names(first.folder), history.stable_names(second.folder)
    assert before.keys() <= after.keys()
    assert after["resultats.csv"].name == "resultats-annuels.csv"
    assert after["resultats.parquet"].name == "resultats-annuels.parquet"


def test_a_file_over_its_budget_is_one_a_year_and_stays_so(small: Catalogue, fine, tmp_path: Path) -> None:
    tiny = laid_out(small, budgets=Budgets(csv=0.002))  # MB: two thousand bytes
    made(laid_out(small), fine, tmp_path)
    divided = made(tiny, fine, tmp_path)
    assert divided.version == "2.0.0"
    assert {"resultats-fins-2023.csv", "resultats-fins-2024.csv", "resultats-fins.parquet"} <= names(divided)
    assert release_proof(tmp_path, DATASET, "2.0.0") == []
    assert history.states(divided.folder)["resultats"].count == 29
    grown = fine | {"resultats": pd.concat([fine["resultats"], pd.DataFrame(months(2022))], ignore_index=True)}
    more = made(laid_out(small), grown, tmp_path)  # under a budget that it fits: its links stay
    assert more.version == "2.1.0" and "resultats-fins-2022.csv" in names(more)


def test_a_parquet_over_its_budget_is_one_a_year_too(small: Catalogue, fine, tmp_path: Path) -> None:
    release = made(laid_out(small, budgets=Budgets(csv=0.002, parquet=0.001)), fine, tmp_path)
    assert {"resultats-annuels-2023.parquet", "resultats-annuels-2024.parquet"} <= names(release)
    assert len(results_of(release.folder)) == 29 and release_proof(tmp_path, DATASET, "1.0.0") == []


def test_a_row_of_no_part_stops_the_release(small: Catalogue, fine, tmp_path: Path) -> None:
    odd = pd.DataFrame([result("30", 1.0, periode="2024-T1", frequence="trimestrielle")])
    tables = fine | {"resultats": pd.concat([fine["resultats"], odd], ignore_index=True)}
    with pytest.raises(ReleaseError, match="1 ligne dans aucune partie"):
        made(laid_out(small), tables, tmp_path)
    assert history.versions(tmp_path, DATASET) == []


def test_the_links_of_the_main_table_stay_those_of_its_first_part(small: Catalogue, fine, tmp_path: Path) -> None:
    def keys(catalogue: Catalogue, folder: Path) -> dict[str, str]:
        release = made(catalogue, fine, folder).folder
        placed = latest_files(catalogue, release, folder / "made", folder / "documents", lambda _: False)
        placed = [item for item in placed if item.type == "main"]
        assert not [item.key for item in placed if item.title.startswith(" ")]
        return {item.key: item.path.name for item in placed}

    whole = keys(small, tmp_path / "a")
    sizes = (100, 0.0005)  # MB
    parted, divided = (keys(laid_out(small, budgets=Budgets(csv=size)), tmp_path / f"{size}") for size in sizes)
    assert parted["table:resultats:csv"] == "resultats-annuels.csv"
    assert parted.keys() == whole.keys() | {"table:resultats-fins:csv", "table:resultats-fins:parquet"}
    assert parted["annee:2023"] == divided["annee:2023"] == "resultats-annuels-2023.csv"
    assert "table:resultats-fins-2023:csv" in divided and "table:resultats:csv" not in divided
