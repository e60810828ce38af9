"""The shipped samples: what the generator writes today is what the tree holds, small, marked as invented, openable."""

import csv
import importlib.util
import io
import sys
import zipfile
from pathlib import Path

import odf.opendocument
import odf.table
import openpyxl
import pyarrow.parquet as pq
import pytest
import python_calamine
import yaml

DATA = Path(__file__).parents[2] / "data"
SHIPPED = DATA / "samples"
LIMIT = 5_000_000


@pytest.fixture(scope="module")
def generator(request):
    """The script as a module; its own package is on the path only while these tests run."""
    sys.path.insert(0, str(DATA))
    request.addfinalizer(lambda: sys.path.remove(str(DATA)))
    spec = importlib.util.spec_from_file_location("generate_samples", DATA / "generate_samples.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(generator, tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples") / "made"
    generator.write(folder)
    return folder


def listed(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def content(path):
    """The bytes of a file; of a container, what it holds, as zlib and Parquet writers differ between versions."""
    if path.suffix in (".xlsx", ".ods", ".zip"):
        with zipfile.ZipFile(path) as archive:
            assert {info.date_time[0] for info in archive.infolist()} <= {1980, 2025}, "date that is not fixed"
            return {name: archive.read(name) for name in archive.namelist()}
    if path.suffix == ".parquet":
        return pq.read_table(path)
    return path.read_bytes()


def test_generator_writes_what_is_shipped(made):
    assert listed(made) == listed(SHIPPED)
    different = [name for name in listed(made) if content(made / name) != content(SHIPPED / name)]
    assert different == [], "run: python data/generate_samples.py"


def test_same_bytes_twice(generator, made, tmp_path):
    generator.write(tmp_path / "again")
    assert all((tmp_path / "again" / name).read_bytes() == (made / name).read_bytes() for name in listed(made))


def test_generating_over_samples_replaces_them(generator, tmp_path):
    generator.write(tmp_path)
    (tmp_path / "caf" / "old.csv").write_text("x", encoding="utf-8")
    generator.write(tmp_path)
    assert listed(tmp_path) == listed(SHIPPED)


def test_a_folder_of_someone_else_is_left_alone(generator, tmp_path):
    (tmp_path / "precious.txt").write_text("x", encoding="utf-8")
    with pytest.raises(SystemExit, match="rien n'y est écrit"):
        generator.write(tmp_path)
    assert listed(tmp_path) == ["precious.txt"]


def test_samples_are_small():
    assert sum((SHIPPED / name).stat().st_size for name in listed(SHIPPED)) < LIMIT


def test_samples_say_that_they_are_invented():
    marker = yaml.safe_load((SHIPPED / "provenance.yml").read_text(encoding="utf-8"))
    assert marker["synthetic"] is True
    assert set(marker) == {"synthetic", "statement"}
    text = (SHIPPED / "LISEZMOI.md").read_text(encoding="utf-8")
    assert marker["statement"] in text
    assert all(f"`{name}`" in text for name in listed(SHIPPED) if name not in ("LISEZMOI.md", "provenance.yml"))


@pytest.mark.parametrize("path", sorted(SHIPPED.rglob("*.xlsx")), ids=lambda path: path.name)
def test_spreadsheets_open_with_two_readers(path):
    ours = python_calamine.load_workbook(str(path))
    theirs = openpyxl.load_workbook(path)
    assert ours.sheet_names == theirs.sheetnames
    assert ours.get_sheet_by_name(ours.sheet_names[-1]).height > 200


def test_ods_has_native_cells():
    book = python_calamine.load_workbook(str(SHIPPED / "assurance-maladie/activite-2022.ods"))
    first = book.get_sheet_by_name("Activité").to_python()[1]
    assert (first[0].isoformat(), first[1], first[3]) == ("2022-01-01", "CPAM01", 1.0)


def test_ods_opens_with_another_reader():
    document = odf.opendocument.load(SHIPPED / "assurance-maladie/activite-2022.ods")
    assert len(document.getElementsByType(odf.table.TableRow)) == 241


def test_parquet_has_typed_columns():
    schema = pq.read_schema(SHIPPED / "france-travail/enquete-2024.parquet")
    assert [str(schema.field(name).type) for name in ("date_reponse", "poids", "avis")] == [
        "date32[day]",
        "double",
        "string",
    ]


def test_traits_of_real_files_are_there():
    assert (SHIPPED / "caf/telephone-2022.csv").read_bytes().startswith(b"sep=;\r\n")
    assert (SHIPPED / "caf/enquete-2024.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with pytest.raises(UnicodeDecodeError):
        (SHIPPED / "caf/enquete-2022.csv").read_bytes().decode("utf-8")
    rows = list(csv.reader(io.StringIO((SHIPPED / "caf/enquete-2022.csv").read_text("cp1252")), delimiter=";"))
    assert {"1", "01", "2A", "2B", "971", "99"} <= {row[2] for row in rows if len(row) > 2}
    assert "\t" in (SHIPPED / "france-travail/activite-2022.csv").read_text("utf-8")
    assert (SHIPPED / "assurance-maladie/enquete-2023.csv").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert not list((SHIPPED / "prefectures").glob("*-2023.*"))
    with zipfile.ZipFile(SHIPPED / "gendarmerie/resultats-2022.zip") as archive:
        text = archive.read("resultats_2022.csv").decode("cp1252")
    assert all(f";{code};" in text for code in ("ns", "nd", "so"))
