"""Release → the forms of it that only a platform needs: one archive per release, one file per year of the main table.

They are made again from the release at will, below a folder of their own, and never change what a release holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyarrow import compute as pc

from pipelines.mechanics.files import sha256, stable_zip, write_whole
from pipelines.release.column_texts import canonical
from pipelines.release.table_writers import csv_bytes, read_csv
from pipelines.release.written_files import CHECKSUMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

YEAR = "annee"
_READABLE = 0o100644
_LEVEL = 9


def archive(dataset: str, release: Path, folder: Path) -> Path:
    """Return the zip of a whole release, made when it is not there yet: fixed order, dates and rights.

    Its bytes are stable on one machine; another zlib may compress otherwise, so that it is the checksums inside the
    release that say whether an archive changed.
    """
    place = folder / release.name / f"{dataset}-{release.name}.zip"
    if place.is_file():
        return place
    members = ((f"{dataset}-{release.name}/{path.name}", path.read_bytes()) for path in sorted(release.iterdir()))
    put(place, stable_zip(members, level=_LEVEL, mode=_READABLE))
    return place


def yearly_files(table: Path, folder: Path, untouched: Callable[[Path], bool] = lambda _: False) -> dict[int, Path]:
    """Return one CSV per year of a table's column ``annee``, for readers too; none when it has no such column.

    Files made once are not made again if they and the table are ``untouched`` since.
    """
    home = folder / table.parent.name
    there = {int(path.stem.rpartition("-")[2]): path for path in sorted(home.glob(f"{table.stem}-[0-9]*.csv"))}
    if there and all(untouched(path) for path in (table, *there.values())):
        return there
    found = read_csv(table)
    if YEAR not in found.column_names:
        return {}
    made, years = {}, canonical(found[YEAR])
    for year, text in sorted((int(text), text) for text in pc.unique(years).to_pylist() if text):
        made[year] = home / f"{table.stem}-{year}.csv"
        put(made[year], csv_bytes(found.filter(pc.equal(years, text))))
    return made


def content_hash(release: Path) -> str:
    """Return the sha256 of a release's checksums: what its archive holds, however it is compressed."""
    return sha256(release / CHECKSUMS)


def put(place: Path, content: bytes) -> None:
    """Write a file that is whole whenever it is there; one of that content is left."""
    if place.is_file() and place.read_bytes() == content:
        return
    write_whole(place, content)
