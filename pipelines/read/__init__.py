"""Bytes to text cells: finding, archiving, decoding, unpacking. No value is judged here."""

from __future__ import annotations

import io
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines.mechanics.opened_files import Cells, DelimitedText
from pipelines.read.archive import Archive, DamagedArchiveError, Received
from pipelines.read.cells import TreatmentError, UnusableFileError
from pipelines.read.containers import is_packed, unpack
from pipelines.read.delimited import open_delimited, read_delimited
from pipelines.read.file_kind import check_kind, layout_of_file
from pipelines.read.listing import Listing, SourceFile
from pipelines.read.native_rows import read_columnar
from pipelines.read.object_store import ObjectStore
from pipelines.read.separate_process import apart
from pipelines.read.sources import ExportsRoot, OutsideYamlError, RootError, read_outside
from pipelines.read.spreadsheet import read_spreadsheet

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
    member = None
    try:
        if is_packed(name, layout.member):
            with scratch.open("wb") as sink:
                member = unpack(path.read_bytes(), name, layout.member, sink)
            path = scratch
        opened = _opened(path, layout)
        return _read_whole(opened) if whole else opened
    except UnusableFileError as error:
        raise _placed(error, name, member) from error


def read_cells(content: bytes, name: str, layout: Layout, recognise: Recognise | None = None) -> Cells:
    """Read all the cells of a file in memory, as ``read_export`` does."""
    member = None
    try:
        if is_packed(name, layout.member):
            sink = io.BytesIO()
            member = unpack(content, name, layout.member, sink)
            content = sink.getvalue()
        if layout.format == "csv":
            return read_delimited(_opened(content, layout))
        _check(content, layout)
        reader = read_columnar if layout.format == "parquet" else read_spreadsheet
        return reader(content, layout, recognise)
    except UnusableFileError as error:
        raise _placed(error, name, member) from error


def _opened(source: bytes | Path, layout: Layout) -> DelimitedText:
    _check(source, layout)
    return open_delimited(source, layout)


def _check(source: bytes | Path, layout: Layout) -> None:
    if not (source.stat().st_size if isinstance(source, Path) else source):
        raise UnusableFileError("fichier-vide", "Le fichier est vide (0 octet).")
    check_kind(source, layout.format)


def _read_whole(text: DelimitedText) -> Cells | DelimitedText:
    try:
        return read_delimited(text)
    except UnusableFileError as error:
        if error.rule != "encodage":
            raise
        return text


def _placed(error: UnusableFileError, name: str, member: str | None) -> UnusableFileError:
    """Say in an error which file is meant, and which one inside."""
    inside = f" › « {member} »" if member else ""
    return UnusableFileError(error.rule, f"« {PurePosixPath(name).name} »{inside} : {error}")
