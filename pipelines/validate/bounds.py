"""What no table is, refused before frictionless opens it: each label in excess is an error that holds all the labels.

Files whose readers have limits of their own (those of the exports) don't come here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from pyarrow import ArrowException, parquet

from pipelines.mechanics.files import chunks
from pipelines.mechanics.limits import LONGEST_CELL, LONGEST_LINE
from pipelines.tabular.tokens import MOST_EXTRA

if TYPE_CHECKING:
    from pathlib import Path

_DELIMITERS = (",", ";", "\t", "|")


class AbsurdTableError(Exception):
    """What a file holds is no table; the message says why, in French."""


def check_text(path: Path, fields: int, dialect: dict[str, Any]) -> None:
    """Raise AbsurdTableError on delimited text that can't be judged by a schema of so many fields."""
    number = _endless_line(path)
    if number:
        raise AbsurdTableError(f"la ligne {number} dépasse {LONGEST_LINE} octets")
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


def _check_width(columns: int, fields: int) -> None:
    if columns > fields + MOST_EXTRA:
        raise AbsurdTableError(f"{columns} colonnes, alors que le schéma en déclare {fields}")


def _endless_line(path: Path) -> int:
    length, number = 0, 1
    with path.open("rb") as stream:
        for chunk in chunks(stream):
            end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            length = len(chunk) - end - 1 if end >= 0 else length + len(chunk)
            number += chunk.count(b"\n")
            if length > LONGEST_LINE:
                return number
    return 0
