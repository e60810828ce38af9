"""The archived files of an export, opened again by the content that they had when they were received."""

from __future__ import annotations

import csv
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.mechanics import limits
from pipelines.read import DelimitedText, TreatmentError, UnusableFileError, apart, layout_of_file, read_export
from pipelines.read.delimited import open_text
from pipelines.validate import as_separated, recognised

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipelines.declarations import Export, Layout
    from pipelines.read import Archive

DAMAGED = "l'archive ne contient plus ce qui a été reçu"


class ArchiveError(Exception):
    """An archived file is absent, damaged or unreadable; the message, in French, says which."""


@dataclass(frozen=True)
class OpenedFile:
    """A file read again: its labels, and the cells of the rows asked for, by their number in the file."""

    header: list[str]
    rows: dict[int, list[str]]


def is_held(archive: Archive, sha256: str) -> bool:
    """Tell whether the archive still holds a content as it was received."""
    try:
        archive.path(sha256)
    except (ValueError, OSError):
        return False
    return True


def open_again(
    archive: Archive, sha256: str, path: str, export: Export, layout: Layout, wanted: Collection[int]
) -> OpenedFile:
    """Return the rows ``wanted`` (by number) of a file received at ``path``; raises ArchiveError."""
    try:
        place = archive.path(sha256)
    except (ValueError, OSError) as error:
        raise ArchiveError(DAMAGED) from error
    with tempfile.TemporaryDirectory() as folder:
        try:
            return apart(
                lambda _: _opened(place, path, export, layout, wanted, Path(folder) / "texte"),
                memory=limits.JUDGING_MEMORY, seconds=limits.JUDGING_SECONDS,
            )  # fmt: skip
        except TreatmentError as error:
            raise ArchiveError(str(error)) from error
        except (UnusableFileError, csv.Error, UnicodeDecodeError) as error:
            raise ArchiveError(f"le fichier archivé ne se lit plus ({error})") from error


def _opened(
    place: Path, path: str, export: Export, layout: Layout, wanted: Collection[int], scratch: Path
) -> OpenedFile:  # fmt: skip
    layout = layout_of_file(place, path, layout)
    opened = read_export(place, path, layout, scratch, recognised(export, layout))
    if not isinstance(opened, DelimitedText):
        numbered = enumerate(opened.rows, start=opened.first_row)
        return OpenedFile(opened.header, {number: row for number, row in numbered if number in wanted})
    opened = as_separated(opened, export, layout)
    with open_text(opened.source, opened.encoding) as stream:
        records = csv.reader(stream, delimiter=opened.delimiter)
        numbered = enumerate(itertools.islice(records, opened.first_row - 1, None), opened.first_row)
        return OpenedFile(opened.header, {number: row for number, row in numbered if number in wanted})
