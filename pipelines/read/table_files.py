"""Any table file that a person has, opened by its name alone: packed or not, text, sheet or Parquet.

Exports, whose layouts are declared, don't come here; what a table should hold is not known here.
"""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipelines.mechanics import limits
from pipelines.read.archive import check_size
from pipelines.read.cells import UnusableFileError
from pipelines.read.containers import DAMAGED, unpack_first
from pipelines.read.file_kind import check_kind
from pipelines.read.native_rows import NativeWorkbook, UnreadableBytesError
from pipelines.read.workbook_parts import check_workbook
from pipelines.read.xml_part import Sheet

Kind = Literal["text", "sheet", "parquet", "other"]

_TEXTS, _SHEETS = (".csv", ".tsv", ".txt"), (".xlsx", ".ods", ".xls", ".xlsb")
_PACKED, _UNREAD = (".gz", ".zip"), (".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz")
_EXACT = 10**16  # whole numbers below are written in digits in a workbook: its readers see integers


@dataclass
class TableFile:
    """A table that can be opened: its kind, where its bytes are (unpacked), what a reader must be told (French)."""

    kind: Kind
    path: Path
    notes: list[str] = field(default_factory=list)


def open_table_file(path: Path, scratch: Path) -> TableFile:
    """Find what a file is by its name; what is packed is unpacked in the folder ``scratch``.

    Raises UnusableFileError on what can't be opened, bombs among them, and TreatmentError when the disk is full.
    """
    check_size(path)
    if path.suffix.lower() in _UNREAD:
        raise UnusableFileError(
            "archive",
            f"Le format d'archive « {path.suffix} » n'est pas lu : décompressez le fichier, ou faites un zip.",
        )
    if path.suffix.lower() not in _PACKED:
        return TableFile(_kind(path), path)
    unpacked = scratch / "contenu"
    with unpacked.open("wb") as sink:
        member, others = unpack_first(path.read_bytes(), path.name, sink)
    inner = Path(path.stem)
    name = inner if inner.suffix else Path(member.rpartition("/")[2] or path.stem)
    final = unpacked.rename(unpacked.with_suffix(name.suffix.lower() or ".csv"))
    table = TableFile(_kind(final), final)
    if others:
        count = len(others) + 1
        table.notes.append(f"L'archive contient {count} fichiers : seul le premier, « {member} », est contrôlé.")
    return table


def _kind(path: Path) -> Kind:
    suffix = path.suffix.lower()
    if suffix in _TEXTS:
        return "text"
    if suffix in _SHEETS:
        return "sheet"
    return "parquet" if suffix == ".parquet" else "other"


@contextmanager
def sheet_rows(table: TableFile, sheet: str | int) -> Iterator[Iterator[list[Any]]]:
    """Open the native rows of a sheet, by its name or its number from 1, as the readers of workbooks give them.

    Nothing is None; whole numbers are integers, dates of an XLSX have a time; errors are their text (``#N/A``).
    Raises UnusableFileError, also while the rows come.
    """
    form = table.path.suffix.lower()[1:]
    content = table.path.read_bytes()
    sheets = _checked(content, form)
    try:
        workbook = NativeWorkbook(content)
        name = sheet if isinstance(sheet, str) else _name_of(workbook, sheet, table)
        errors = sheets[name].errors if name in sheets else {}
        yield _native(workbook.rows(name), errors, form)
    except UnreadableBytesError as error:
        raise _unreadable(form) from error


def _unreadable(form: str) -> UnusableFileError:
    return UnusableFileError(
        "fichier-illisible",
        f"Le fichier n'est pas un {form} lisible (tronqué, abîmé, protégé par mot de passe, ou d'un autre format). "
        "Ouvrez-le dans un tableur puis enregistrez-le de nouveau.",
    )


def _checked(content: bytes, form: str) -> dict[str, Sheet]:
    """Judge the parts of a workbook before its cells are read: bombs, far cells."""
    is_zip = zipfile.is_zipfile(io.BytesIO(content))
    if form == "xls":
        if is_zip:
            raise UnusableFileError(
                "fichier-illisible", "Le fichier n'est pas un ancien classeur (.xls), mais un récent : renommez-le."
            )
        return {}
    if form != "xlsb":
        check_kind(content, "ods" if form == "ods" else "xlsx")
    if not is_zip:
        raise _unreadable(form)
    try:
        return check_workbook(content, form)
    except UnusableFileError as error:
        if isinstance(error.__cause__, DAMAGED):  # for who has it, a workbook is no zip
            raise _unreadable(form) from error
        raise


def _name_of(workbook: NativeWorkbook, number: int, table: TableFile) -> str:
    """Return the name of a sheet given by its number, and tell which one is read among several."""
    count = len(workbook.names)
    if number > count:
        raise UnusableFileError("feuille-absente", f"Le classeur n'a que {count} feuilles.")
    name = workbook.names[number - 1]
    if count > 1:
        table.notes.append(f"Feuille contrôlée : « {name} », l'une des {count} du classeur.")
    return name


def _native(rows: Iterator[list[Any]], errors: dict[tuple[int, int], str], form: str) -> Iterator[list[Any]]:
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), error in errors.items():
        by_row.setdefault(row, {})[column] = error
    cells = 0
    for number, values in enumerate(rows):
        cells += len(values)
        if cells > limits.MOST_SHEET_CELLS:
            raise UnusableFileError(
                "fichier-illisible", f"La feuille a plus de {limits.MOST_SHEET_CELLS} cellules. Découpez-la."
            )
        yield [
            by_row.get(number, {}).get(place) or None if value == "" else _value(value, form)
            for place, value in enumerate(values)
        ]


def _value(value: Any, form: str) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if form in ("xlsx", "xlsb") and isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return datetime.datetime.combine(value, datetime.time())
    return value
