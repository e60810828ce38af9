"""Bytes to text cells: finding, archiving, decoding, unpacking. No value is judged here."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipelines.read.archive import Archive, Received
from pipelines.read.cells import Cells, UnusableFileError
from pipelines.read.columnar import read_columnar
from pipelines.read.containers import unpack
from pipelines.read.delimited import read_delimited
from pipelines.read.kinds import check_kind
from pipelines.read.sources import ExportsRoot, RootError, SourceFile
from pipelines.read.spreadsheet import read_spreadsheet

if TYPE_CHECKING:
    from pipelines.declarations import Layout

__all__ = ["Archive", "Cells", "ExportsRoot", "Received", "RootError", "SourceFile", "UnusableFileError", "read_cells"]


def read_cells(content: bytes, name: str, layout: Layout) -> Cells:
    """Read a file as its layout declares; ``name`` tells a zip or gz by its ending.

    Raises UnusableFileError, and nothing else, whatever the bytes; its message says which file, and which one inside.
    """
    place = f"« {PurePosixPath(name).name} »"
    try:
        unpacked = unpack(content, name, layout.member)
        place += f" › « {unpacked.member} »" if unpacked.member else ""
        if not unpacked.content:
            raise UnusableFileError("fichier-vide", "Le fichier est vide (0 octet).")
        check_kind(unpacked.content, layout.format)
        readers = {"csv": read_delimited, "parquet": read_columnar, "xlsx": read_spreadsheet, "ods": read_spreadsheet}
        return readers[layout.format](unpacked.content, layout)
    except UnusableFileError as error:
        raise UnusableFileError(error.rule, f"{place} : {error}") from error
