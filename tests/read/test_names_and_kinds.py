"""A file whose name announces another kind of file is told what it is, in the words of who sent it."""

from __future__ import annotations

import gzip
import io
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.declarations import Layout
from pipelines.read import UnusableFileError, read_cells

TEXT = "Code;Note\nG01;5\nG02;é\n"


def workbook() -> bytes:
    stream = io.BytesIO()
    openpyxl.Workbook().save(stream)
    return stream.getvalue()


def columns() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"Code": ["G01"]}), stream)
    return stream.getvalue()


def zipped(content: bytes, name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def refusal(content: bytes, name: str, form: str) -> str:
    with pytest.raises(UnusableFileError) as error:
        read_cells(content, name, Layout(years="2024", path=f"x.{form}", format=form))
    assert error.value.rule == "fichier-illisible"
    return str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("form", ["xlsx", "ods", "parquet"])
def test_a_text_is_no_workbook(form, encoding):
    told = refusal(TEXT.encode(encoding), f"x.{form}", form)
    assert "Le fichier est du texte (CSV), alors qu'un" in told
    assert "zip" not in told


@pytest.mark.parametrize(
    ("content", "form", "words"),
    [
        (workbook(), "csv", "un classeur XLSX, alors qu'un CSV est attendu"),
        (workbook(), "parquet", "un classeur XLSX, alors qu'un Parquet est attendu"),
        (columns(), "xlsx", "un Parquet, alors qu'un classeur XLSX est attendu"),
        (zipped(TEXT.encode(), "x.csv"), "xlsx", "une archive zip, alors qu'un classeur XLSX est attendu"),
        (zipped(TEXT.encode(), "x.csv"), "csv", "une archive zip, alors qu'un CSV est attendu"),
        (gzip.compress(TEXT.encode()), "ods", "une archive gz, alors qu'un classeur ODS est attendu"),
        (b"%PDF-1.7\n", "xlsx", "un PDF, alors qu'un classeur XLSX est attendu"),
    ],
)
def test_any_other_kind_is_named(content, form, words):
    assert words in refusal(content, f"x.{form}", form)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (TEXT.encode(), "x.zip", "Le fichier est du texte (CSV), alors que son nom annonce une archive zip"),
        (TEXT.encode(), "x.csv.gz", "Le fichier est du texte (CSV), alors que son nom annonce une archive gz"),
        (workbook(), "x.zip", "Le fichier est un classeur XLSX, alors que son nom annonce une archive zip"),
        (workbook(), "x.gz", "Le fichier est un classeur ou une archive zip, alors que son nom annonce une archive gz"),
        (gzip.compress(b"a"), "x.zip", "Le fichier est une archive gz, alors que son nom annonce une archive zip"),
        (columns(), "x.zip", "Le fichier est un Parquet, alors que son nom annonce une archive zip"),
    ],
)
def test_a_name_of_archive_on_something_else_is_told(content, name, words):
    assert words in refusal(content, name, "csv")


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_a_damaged_workbook_is_no_archive_to_remake(form):
    told = refusal(workbook()[:2000], f"x.{form}", form)
    assert "Le classeur est abîmé ou tronqué" in told
    assert "archive" not in told
