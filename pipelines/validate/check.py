"""Any file against any Table Schema: what is asked for, read from two JSON files, and the report of frictionless.

What no table is, is refused before frictionless opens it: each label in excess is an error that holds all the labels.
Opening the file is its readers' affair.
"""

from __future__ import annotations

import codecs
import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import frictionless
from frictionless.errors import FormatError
from frictionless.formats.csv import CsvControl
from pyarrow import ArrowException, parquet

from pipelines.mechanics.files import LineMeter, chunks
from pipelines.mechanics.limits import LONGEST_CELL, LONGEST_LINE
from pipelines.tabular import FileVerdict, judge_file
from pipelines.tabular.encoding import can_decode
from pipelines.tabular.record_pieces import open_bytes
from pipelines.tabular.tokens import MOST_EXTRA
from pipelines.validate.custom_checks import CustomChecks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from frictionless import Error

FREE_ORDER = "partial"  # columns found by their names, others allowed, those that aren't required may be absent
_SHEET_CONTROLS = ("excel", "ods")
_DELIMITERS = (",", ";", "\t", "|")


class DescriptorError(Exception):
    """The schema or the dialect can't be used; the message says why, in French."""


class AbsurdTableError(Exception):
    """What a file holds is no table; the message says why, in French."""


@dataclass
class Request:
    """What a file is to be judged by; ``notes`` tell what of the schema is not checked (French)."""

    schema: dict[str, Any]
    dialect: dict[str, Any]
    encoding: str | None
    limit_errors: int
    fields: int
    checks: CustomChecks
    notes: list[str] = field(default_factory=list)

    @property
    def sheet(self) -> str | int:
        """The sheet asked for, by its name or its number from 1: the first one if none is."""
        for name in _SHEET_CONTROLS:
            declared = self.dialect.get(name)
            if isinstance(declared, dict) and "sheet" in declared:
                return declared["sheet"] if isinstance(declared["sheet"], str | int) else 1
        return 1


def read_request(
    schema: Path,
    dialect: Path | None = None,
    *,
    encoding: str | None = None,
    limit_errors: int = 1000,
    free_order: bool = False,
) -> Request:
    """Read what is asked for; raises DescriptorError when the schema, the dialect or the encoding can't be used.

    Nothing that a descriptor names is opened. ``free_order`` judges as Validata does: columns in any order, those that
    aren't required may be absent, others may be there.
    """
    written = _descriptor(dialect) if dialect else {}
    try:
        b"a".decode(encoding or "utf-8", "ignore")
    except (LookupError, ValueError) as error:
        raise DescriptorError(f"l'encodage « {encoding} » n'existe pas, ou n'est pas celui d'un texte") from error
    judged = _descriptor(schema)
    fields = judged.get("fields")
    if not isinstance(fields, list) or not all(isinstance(item, dict) for item in fields):
        raise DescriptorError(f"{schema} : « fields » doit être une liste d'objets, un par colonne")
    if free_order:
        judged["fieldsMatch"] = FREE_ORDER
    notes = _without_other_tables(judged)
    count = _usable(judged, written)
    return Request(judged, written, encoding, limit_errors, count, CustomChecks(judged), notes)


def check_content(
    request: Request,
    path: Path,
    unpacked: Path,
    rows: Iterable[Sequence[Any]] | None = None,
) -> FileVerdict:
    """Judge a file that was opened: its text or its Parquet at ``unpacked``, or the native ``rows`` of a sheet."""
    encoding = request.encoding or (_utf8(unpacked) if rows is None else None)
    dialect = request.dialect
    if rows is not None:  # the sheet is open
        dialect = {name: value for name, value in dialect.items() if name not in _SHEET_CONTROLS}
    check = request.checks.check if request.checks else None
    with _nothing_retrieved():
        verdict = judge_file(
            path,
            request.schema,
            dialect,
            encoding=encoding,
            limit_errors=request.limit_errors,
            unpacked=unpacked,
            rows=rows,
            check=check,
        )
    if request.checks and not verdict.checked:
        request.checks.not_run += [f"{name} (format du fichier)" for name in request.checks.names]
    if request.checks.not_run:
        request.notes.append(f"contrôles du schéma non faits : {', '.join(request.checks.not_run)}")
    return verdict


def check_text(path: Path, fields: int, dialect: dict[str, Any]) -> None:
    """Raise AbsurdTableError on delimited text that can't be judged by a schema of so many fields."""
    meter = LineMeter(LONGEST_LINE)
    with path.open("rb") as binary:
        for chunk in chunks(binary):
            meter.take(chunk)
    if meter.endless:
        raise AbsurdTableError(f"la ligne {meter.endless} dépasse {LONGEST_LINE} octets")
    if dialect.get("header") is False:
        return
    rows = dialect.get("headerRows") or [1]
    with path.open(encoding="latin-1", newline="") as stream:  # which ends lines at CR too
        numbered = enumerate(islice(stream, max(rows)), start=1)
        lines = [line for number, line in numbered if number in rows]
    declared = dialect.get("csv", dialect)
    delimiter = declared.get("delimiter") if isinstance(declared, dict) else None
    widest: list[str] = []
    for mark in (delimiter,) if isinstance(delimiter, str) and len(delimiter) == 1 else _DELIMITERS:
        widest = max(widest, *([line] if mark not in line else line.split(mark) for line in lines), [], key=len)
    _check_width(len(widest), fields)


def check_parquet(path: Path, fields: int) -> None:
    """Raise AbsurdTableError on a Parquet file that can't be read, or judged by a schema of so many fields."""
    try:
        names = parquet.read_schema(path).names
    except (ArrowException, OSError, ValueError) as error:
        raise AbsurdTableError(f"le fichier n'est pas un parquet lisible ({type(error).__name__})") from error
    _check_width(len(names), fields)


def checked_rows(rows: Iterable[Sequence[Any]], fields: int) -> Iterator[Sequence[Any]]:
    """Yield the rows of a sheet; raises AbsurdTableError on one that a schema of so many fields can't judge."""
    for number, row in enumerate(rows, start=1):
        _check_width(len(row), fields)
        if max((len(cell) for cell in row if isinstance(cell, str)), default=0) > LONGEST_CELL:
            raise AbsurdTableError(f"ligne {number} : une cellule dépasse {LONGEST_CELL} caractères")
        yield row


def refusal(sentence: str, *, kind: type[Error] = FormatError) -> FileVerdict:
    """Return the report on a file that was not judged, and why (French)."""
    report = frictionless.Report.from_validation(errors=[kind(note=sentence)])
    return FileVerdict(report.to_dict(), "frictionless", sentence)


def _usable(schema: dict[str, Any], dialect: dict[str, Any]) -> int:
    """Return the number of fields; raises DescriptorError when frictionless can't use the descriptors."""
    try:
        with _nothing_retrieved():
            fields = frictionless.Schema.from_descriptor(copy.deepcopy(schema)).fields
            for item in fields:
                item.create_cell_reader()  # patterns are read there
            read_as = frictionless.Dialect.from_descriptor(copy.deepcopy(dialect))
            CsvControl.from_dialect(read_as).to_python()
            read_as.create_first_content_row()  # type: ignore[no-untyped-call]
    except frictionless.FrictionlessException as error:
        reasons = [item.note or item.message for item in (error.reasons or [error.error])]
        raise DescriptorError(f"{error.error.title} : {' ; '.join(reasons)}") from error
    except Exception as error:  # descriptors of a shape that frictionless itself doesn't expect
        raise DescriptorError(f"le schéma ou le dialecte ne peut être utilisé ({error!r})") from error
    return len(fields)


def _without_other_tables(schema: dict[str, Any]) -> list[str]:
    """Take out of a schema the keys that look into other tables, which nobody gives; return what must be told."""
    keys = schema.get("foreignKeys")
    if not isinstance(keys, list):
        return []
    inside, notes = [], []
    for key in keys:
        reference = key.get("reference") if isinstance(key, dict) else None
        resource = reference.get("resource") if isinstance(reference, dict) else None
        if not resource:
            inside.append(key)
            continue
        columns = key.get("fields")
        listed = ", ".join(map(str, columns)) if isinstance(columns, list) else str(columns)
        notes.append(f"clé étrangère non contrôlée : {listed}, qui renvoie à une autre table (« {resource} »)")
    schema["foreignKeys"] = inside
    if not inside:
        del schema["foreignKeys"]
    return notes


@contextmanager
def _nothing_retrieved() -> Iterator[None]:
    """Keep frictionless from opening the addresses and the paths that a descriptor names in the place of an object."""
    metadata: Any = frictionless.Metadata
    before = vars(metadata)["metadata_retrieve"]

    def retrieve(kind: Any, descriptor: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(descriptor, dict):
            return before.__func__(kind, descriptor, *arguments, **options)
        raise frictionless.FrictionlessException("un descripteur ne peut renvoyer à une adresse ni à un fichier")

    metadata.metadata_retrieve = classmethod(retrieve)
    try:
        yield
    finally:
        metadata.metadata_retrieve = before


def _utf8(path: Path) -> str | None:
    """Return UTF-8 when the whole text is: guesses are made on a sample, and go wrong in the middle of a character."""
    content = open_bytes(path)
    if path.suffix.lower() not in (".csv", ".txt") or not can_decode(content, "utf-8"):
        return None
    return "utf-8-sig" if content[:3] == codecs.BOM_UTF8 else "utf-8"


def _descriptor(path: Path) -> dict[str, Any]:
    try:
        descriptor = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DescriptorError(f"{path} n'est pas un fichier JSON ({error})") from error
    if not isinstance(descriptor, dict):
        raise DescriptorError(f"{path} n'est pas un objet JSON")
    return descriptor


def _check_width(columns: int, fields: int) -> None:
    if columns > fields + MOST_EXTRA:
        raise AbsurdTableError(f"{columns} colonnes, alors que le schéma en déclare {fields}")
