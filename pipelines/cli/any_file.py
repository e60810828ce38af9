"""Joins reading and validation for any file that a person checks against a Table Schema, in a process apart."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.mechanics import limits
from pipelines.read.cells import TreatmentError, UnusableFileError
from pipelines.read.separate_process import apart

if TYPE_CHECKING:
    from pipelines.tabular import FileVerdict
    from pipelines.validate.check import Request

# Rules that say that a file can't be read at all: ours, then frictionless's.
UNREADABLE = frozenset({
    "fichier-illisible", "fichier-vide", "fichier-coupe", "feuille-absente", "archive", "encodage", "scheme-error",
    "format-error", "encoding-error", "compression-error", "source-error", "resource-error",
})  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What a person asks of a file, as typed."""

    file: Path
    schema: Path
    dialect: Path | None
    encoding: str | None
    limit_errors: int
    free_order: bool


@dataclass(frozen=True)
class Answer:
    """The verdict on a file, what must be told beside it, and why the file was not judged, if it was not (French)."""

    verdict: FileVerdict
    notes: list[str] = field(default_factory=list)
    refused: str = ""


def check_any_file(asked: Asked) -> Answer:
    """Judge a file within limits of time and memory: whatever it holds, there is an answer."""
    # Before the fork: both processes use it, and it is the longest of a small file.
    import pipelines.validate.check
    import pipelines.validate.verdict_screen  # noqa: F401

    size = asked.file.stat().st_size
    try:
        return apart(
            lambda _: _answer(asked), memory=limits.checking_memory(size), seconds=limits.checking_seconds(size)
        )
    except TreatmentError as error:
        return _refused(f"{error}. Un motif (pattern) du schéma ou des cellules démesurées en sont sans doute la cause")


def _answer(asked: Asked) -> Answer:
    from pipelines.validate.check import read_request

    try:
        request = read_request(
            asked.schema,
            asked.dialect,
            encoding=asked.encoding,
            limit_errors=asked.limit_errors,
            free_order=asked.free_order,
        )
        with tempfile.TemporaryDirectory() as scratch:
            return _judged(asked.file, request, Path(scratch))
    except (MemoryError, TreatmentError):
        raise
    except Exception as error:
        return _refused(*_cause(error))


def _cause(error: Exception) -> tuple[str, str]:
    """Say in French why a file was not judged, and of what kind that is."""
    from pipelines.tabular import UnjudgeableCellError
    from pipelines.validate.check import AbsurdTableError, DescriptorError

    if isinstance(error, DescriptorError):
        return str(error), "schema"
    if isinstance(error, UnusableFileError):
        return str(error), error.rule
    if isinstance(error, AbsurdTableError):
        return f"le fichier ne peut être jugé : {error}", ""
    if isinstance(error, UnjudgeableCellError):
        return error.sentence(), ""
    if isinstance(error, OSError):
        return f"le fichier n'a pas pu être lu ({error.strerror or error})", ""
    return f"le fichier n'a pas pu être jugé ({type(error).__name__} : {error})", ""  # frictionless itself fails


def _judged(path: Path, request: Request, scratch: Path) -> Answer:
    from pipelines.read.file_kind import check_kind
    from pipelines.read.table_files import open_table_file, sheet_rows
    from pipelines.validate.check import check_content, check_parquet, check_text, checked_rows

    table = open_table_file(path, scratch)
    if table.kind == "sheet":
        with sheet_rows(table, request.sheet) as rows:
            verdict = check_content(request, path, table.path, checked_rows(rows, request.fields))
        return _told(verdict, [*table.notes, *request.notes])
    if table.kind == "text":
        check_kind(table.path, "csv")
        check_text(table.path, request.fields, request.dialect)
    elif table.kind == "parquet":
        check_parquet(table.path, request.fields)
        return _told(_parquet(request, path, table.path), [*table.notes, *request.notes])
    return _told(check_content(request, path, table.path), [*table.notes, *request.notes])


def _parquet(request: Request, path: Path, content: Path) -> FileVerdict:
    """Judge a Parquet file, whose bytes may turn out to be damaged at any row."""
    from pyarrow import ArrowException

    from pipelines.validate.check import check_content

    try:
        return check_content(request, path, content)
    except MemoryError:
        raise
    except (ArrowException, OSError, ArithmeticError, ValueError) as error:
        raise UnusableFileError(
            "fichier-illisible", "Le fichier n'est pas un parquet lisible (tronqué ou abîmé). Exportez-le de nouveau."
        ) from error


def _told(verdict: FileVerdict, notes: list[str]) -> Answer:
    """Make a refusal of what frictionless says of files that it can't read, in words that help."""
    errors = [error for task in verdict.report["tasks"] for error in task["errors"]] + verdict.report["errors"]
    for error in errors:
        if error["type"] in ("error", "format-error") and "frictionless[" in error["note"] + error["message"]:
            return _refused("ce format n'est pas lu ici : enregistrez le tableau en CSV, XLSX, ODS ou Parquet")
        if error["type"] == "format-error" and "is not supported" in error["note"]:
            return _refused("ce format n'est pas lu ici : enregistrez le tableau en CSV, XLSX, ODS ou Parquet")
    return Answer(verdict, notes)


def _refused(sentence: str, kind: str = "") -> Answer:
    from frictionless import errors

    from pipelines.validate.check import refusal

    kinds = {"schema": errors.SchemaError, "archive": errors.CompressionError, "fichier-vide": errors.SourceError}
    return Answer(refusal(sentence, kind=kinds.get(kind, errors.FormatError)), refused=sentence)
