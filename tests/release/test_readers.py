"""The files of a release are read right by the readers that people use, with their defaults."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pytest
from fixtures.made_results import DATASET

from pipelines.declarations import Column, Table
from pipelines.declarations.strict_model import Constraints
from pipelines.release.canonical import canonical_table
from pipelines.release.column_texts import canonical
from pipelines.release.history import canonical_rows
from pipelines.release.release_folder import make_release
from pipelines.release.table_writers import SOON, in_reading_order, read_csv, write_csv, write_parquet
from pipelines.release.xlsx_rendition import Sheet, write_workbook
from pipelines.targets.udata.resources import yearly_files

ROWS, LATE = 3000, 2600  # far beyond the thousand rows from which readr and readxl guess
TYPES = {"rang": "integer", "annee": "integer", "code": "string", "lieu": "string", "nom": "string", "statut": "string",
         "valeur": "number", "cible": "number", "effectif": "integer", "vrai": "boolean", "jour": "date"}  # fmt: skip
TABLE = Table(
    title="Essai",
    description="Des colonnes que leurs premières lignes ne disent pas.",
    key=("rang",),
    columns=tuple(
        Column.model_validate({"name": name, "title": name, "description": name, "type": kind,
                               "constraints": Constraints(required=name == "rang")})
        for name, kind in TYPES.items()
    ),
)  # fmt: skip


def _row(rank: int) -> dict[str, Any]:
    """Empty, whole, or like another type until ``LATE``."""
    late = rank >= LATE
    return {
        "rang": rank, "annee": 2022 + rank // 1500, "code": "2A" if late else f"{rank % 90:02d}",
        "lieu": "CAF30" if late else None, "nom": "Saint-Étienne, « centre »" if rank % 2 else None,
        "statut": "A" if late else "F", "valeur": 847.5 if late else float(rank % 100),
        "cible": 60.25 if late else None, "effectif": rank if late else None,
        "vrai": bool(rank % 2) if late else None, "jour": datetime.date(2024, 12, 31) if late else None,
    }  # fmt: skip


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return canonical_table("essai", TABLE, pd.DataFrame([_row(rank) for rank in range(ROWS)]).astype("object"))


@pytest.fixture(scope="module")
def files(table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readers")
    write_csv(table, folder / "essai.csv")
    write_parquet(table, folder / "essai.parquet")
    write_workbook(folder / "essai.xlsx", "Essai", ["Essai."], [Sheet("essai", table)])
    return folder


def _same(found: pd.DataFrame, table: pa.Table, *, dates_are_text: bool) -> None:
    expected = table.to_pandas(types_mapper=None).sort_values("rang").reset_index(drop=True)
    found = found.sort_values("rang").reset_index(drop=True)
    assert list(found.columns) == list(expected.columns)
    for name, kind in TYPES.items():
        ours = [None if pd.isna(value) else value for value in expected[name]]
        theirs = [None if pd.isna(value) else value for value in found[name]]
        if kind == "date":
            ours = [value and value.isoformat() for value in ours]
            theirs = [value and (value if dates_are_text else str(value)[:10]) for value in theirs]
        assert theirs == ours, name


def test_pandas(files: Path, table: pa.Table) -> None:
    _same(pd.read_csv(files / "essai.csv"), table, dates_are_text=True)
    _same(pd.read_parquet(files / "essai.parquet"), table, dates_are_text=False)
    _same(pd.read_excel(files / "essai.xlsx", sheet_name="essai", engine="openpyxl"), table, dates_are_text=False)


def test_polars(files: Path, table: pa.Table) -> None:
    found = pl.read_csv(files / "essai.csv")
    assert found.schema["valeur"] == found.schema["cible"] == pl.Float64
    assert found.schema["code"] == found.schema["lieu"] == found.schema["statut"] == pl.String
    assert (found.schema["effectif"], found.schema["vrai"]) == (pl.Int64, pl.Boolean)
    _same(found.to_pandas(), table, dates_are_text=True)
    _same(pl.read_parquet(files / "essai.parquet").to_pandas(), table, dates_are_text=False)


def test_duckdb(files: Path, table: pa.Table) -> None:
    found = duckdb.sql(f"FROM '{files / 'essai.csv'}'")
    kinds = dict(zip(found.columns, map(str, found.types), strict=True))
    sql = {"integer": "BIGINT", "string": "VARCHAR", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE"}
    assert kinds == {name: sql[kind] for name, kind in TYPES.items()}
    _same(found.df(), table, dates_are_text=False)


def test_arrow(files: Path, table: pa.Table) -> None:
    options = pyarrow.csv.ReadOptions(block_size=4096)  # types are guessed from the first block alone
    empty = pyarrow.csv.ConvertOptions(strings_can_be_null=True)
    found = pyarrow.csv.read_csv(files / "essai.csv", read_options=options, convert_options=empty)
    _same(found.to_pandas(), table, dates_are_text=False)


R = """
suppressMessages({library(readr); library(readxl); library(jsonlite)})
told <- function(read) {
  read$jour <- format(as.Date(read$jour))
  list(types = lapply(read, function(column) class(column)[1]), rows = read)
}
csv <- suppressMessages(read_csv("essai.csv", show_col_types = FALSE))
xlsx <- read_excel("essai.xlsx", sheet = "essai")
write(toJSON(list(csv = told(csv), xlsx = told(xlsx), problems = nrow(problems(csv))),
             na = "null", dataframe = "columns", digits = NA, auto_unbox = TRUE), "lu.json")
"""


def _skip(reason: str) -> None:
    """Skip a test whose reader isn't installed; continuous integration installs them all."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def test_r(files: Path, table: pa.Table) -> None:
    if shutil.which("Rscript") is None:
        _skip("R n'est pas installé (apt-get install r-cran-readr r-cran-readxl r-cran-jsonlite)")
    done = subprocess.run(["Rscript", "-e", R], cwd=files, capture_output=True, text=True, check=False)
    if "there is no package" in done.stderr:
        _skip("les paquets readr, readxl et jsonlite de R ne sont pas installés")
    assert done.returncode == 0, done.stderr
    told = json.loads((files / "lu.json").read_text("utf-8"))
    assert told["problems"] == 0
    for form in ("csv", "xlsx"):
        types = told[form]["types"]
        assert {types[name] for name in ("code", "lieu", "nom", "statut")} == {"character"}, form
        assert {types[name] for name in ("valeur", "cible", "effectif")} == {"numeric"}, form
        assert types["vrai"] == "logical", form
        rows = pd.DataFrame({name: told[form]["rows"][name] for name in TYPES})
        _same(rows.astype(object), table, dates_are_text=True)


def test_libreoffice(files: Path, table: pa.Table, tmp_path: Path) -> None:
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        _skip("LibreOffice n'est pas installé (apt-get install libreoffice-calc-nogui)")
    command = [office, "--headless", f"-env:UserInstallation=file://{tmp_path / 'profil'}", "--convert-to", "ods",
               "--outdir", str(tmp_path), str(files / "essai.xlsx")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (tmp_path / "essai.ods").is_file(), done.stdout + done.stderr
    found = pd.read_excel(tmp_path / "essai.ods", sheet_name="essai", engine="calamine")
    _same(found, table, dates_are_text=False)


def test_a_yearly_file_is_read_right_too(table: pa.Table, files: Path, tmp_path: Path) -> None:
    made = yearly_files(files / "essai.csv", tmp_path, lambda _: False)
    assert sorted(made) == [2022, 2023]
    found = pl.read_csv(made[2023])
    assert (found.schema["valeur"], found.schema["lieu"], found.schema["code"]) == (pl.Float64, pl.String, pl.String)
    assert found.height == 1500


def test_few_rows_move_and_the_canonical_form_is_found_again(table: pa.Table, files: Path) -> None:
    order = in_reading_order(table)["rang"].to_pylist()
    assert sorted(order) == list(range(ROWS))
    moved = [row for row in order if row >= LATE and order.index(row) < SOON]
    assert 0 < len(moved) <= len(TYPES)
    rest = [row for row in order if row not in moved]
    assert rest == sorted(rest)
    written = read_csv(files / "essai.csv")
    assert written["rang"].to_pylist() == [str(rank) for rank in order]
    schema = {"fields": [{"name": name, "type": kind} for name, kind in TYPES.items()], "primaryKey": ["rang"]}
    found = canonical_rows(schema, written)
    assert found.column_names == table.column_names
    for name in TYPES:
        assert canonical(found[name]).equals(canonical(table[name])), name


def test_a_small_table_keeps_the_order_of_its_key() -> None:
    table = pa.table({"a": ["", "", "a"], "b": ["1", "2", "3.5"]})
    assert in_reading_order(table).equals(table)
    assert in_reading_order(pa.table({})).num_rows == 0


def test_whole_numbers_have_decimals_and_releases_compare_all_the_same(catalogue, tables, tmp_path) -> None:
    tables["resultats"].loc[0, "valeur"] = 56.0
    made = make_release(DATASET, catalogue, tables, tmp_path, synthetic=None)
    assert 56.0 in pl.read_csv(made.folder / "resultats-annuels.csv")["valeur"].to_list()
    assert ",56.0," in (made.folder / "resultats-annuels.csv").read_text("utf-8")
    assert not make_release(DATASET, catalogue, tables, tmp_path, synthetic=None).created
