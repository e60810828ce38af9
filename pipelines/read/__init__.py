"""Bytes to text cells: finding, archiving, decoding, unpacking. No value is judged here."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines.mechanics.opened_files import Cells, DelimitedText
from pipelines.read.archive import Archive, DamagedArchiveError, Received
from pipelines.read.cells import TreatmentError, UnusableFileError
from pipelines.read.columnar import read_columnar
from pipelines.read.containers import is_packed, unpack
from pipelines.read.delimited import open_delimited, read_delimited
from pipelines.read.file_kind import check_kind, layout_of_file
from pipelines.read.listing import Listing, SourceFile
from pipelines.read.object_store import ObjectStore
from pipelines.read.outside_yaml import OutsideYamlError, read_outside
from pipelines.read.separate_process import apart
from pipelines.read.sources import ExportsRoot, RootError
from pipelines.read.spreadsheet import read_spreadsheet
from pipelines.read.text import open_binary

if TYPE_CHECKING:
    from pipelines.declarations import Layout
    from pipelines.read.cells import Recognise

__all__ = [
    "Archive",
    "Cells",
    "DamagedArchiveError",
    "DelimitedText",
    "ExportsRoot",
    "Listing",
    "ObjectStore",
    "OutsideYamlError",
    "Received",
    "RootError",
    "SourceFile",
    "TreatmentError",
    "UnusableFileError",
    "apart",
    "layout_of_file",
    "read_cells",
    "read_export",
    "read_outside",
]

_HEAD = 4096  # bytes that tell what kind of file it is


def read_export(
    path: Path, name: str, layout: Layout, scratch: Path, recognise: Recognise | None = None, *, whole: bool = False
) -> Cells | DelimitedText:
    """Open a file as its layout declares; ``name`` tells a zip or gz by its ending.

    A CSV is not loaded: its rows stay on disk, in ``scratch`` if it came in an archive. ``whole`` reads its cells all
    the same, for who changes some, unless its encoding can't: then the text tells where. Other formats are read: their
    native cells are written as the fields of their columns are, which ``recognise`` gives.
    Whatever the bytes, raises UnusableFileError, whose message says which file, and which one inside; TreatmentError
    (or what the disk raises) when it could not be read by no fault of its own.
    """
    if layout.format != "csv":
        return read_cells(path.read_bytes(), name, layout, recognise)
    with _telling(name) as place:
        if is_packed(name, layout.member):
            with scratch.open("wb") as sink:
                place.member = unpack(path.read_bytes(), name, layout.member, sink)
            path = scratch
        opened = _opened(path, layout)
        return _read_whole(opened) if whole else opened


def read_cells(content: bytes, name: str, layout: Layout, recognise: Recognise | None = None) -> Cells:
    """Read all the cells of a file in memory, as ``read_export`` does."""
    with _telling(name) as place:
        if is_packed(name, layout.member):
            sink = io.BytesIO()
            place.member = unpack(content, name, layout.member, sink)
            content = sink.getvalue()
        if layout.format == "csv":
            return read_delimited(_opened(content, layout))
        _check_not_empty(len(content))
        check_kind(content, layout.format)
        readers = {"parquet": read_columnar, "xlsx": read_spreadsheet, "ods": read_spreadsheet}
        return readers[layout.format](content, layout, recognise)


def _opened(source: bytes | Path, layout: Layout) -> DelimitedText:
    with open_binary(source) as stream:
        head = stream.read(_HEAD)
        _check_not_empty(len(head))
        check_kind(head if not head.startswith(b"PK") else head + stream.read(), layout.format)
    return open_delimited(source, layout)


def _read_whole(text: DelimitedText) -> Cells | DelimitedText:
    try:
        return read_delimited(text)
    except UnusableFileError as error:
        if error.rule != "encodage":
            raise
        return text


def _check_not_empty(size: int) -> None:
    if not size:
        raise UnusableFileError("fichier-vide", "Le fichier est vide (0 octet).")


@dataclass
class _Place:
    member: str | None = None


@contextmanager
def _telling(name: str) -> Iterator[_Place]:
    """Say in errors which file is meant, and which one inside."""
    place = _Place()
    try:
        yield place
    except UnusableFileError as error:
        inside = f" › « {place.member} »" if place.member else ""
        raise UnusableFileError(error.rule, f"« {PurePosixPath(name).name} »{inside} : {error}") from error
