"""Release → the forms of it that only a platform needs: one archive per release, one file per year of the main table.

They are made again from the release at will, below a folder of their own, and never change what a release holds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipelines.mechanics.files import sha256, stable_zip, write_whole
from pipelines.release.files import CHECKSUMS
from pipelines.release.reading_order import reading_order

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


def yearly_files(table: Path, folder: Path) -> dict[int, Path]:
    """Return one CSV per year of a table's column ``annee``, for readers too; none when it has no such column."""
    made = {}
    for year, content in sorted(_by_year(table).items()):
        made[year] = folder / table.parent.name / f"{table.stem}-{year}.csv"
        put(made[year], content)
    return made


def content_hash(release: Path) -> str:
    """Return the sha256 of a release's checksums: what its archive holds, however it is compressed."""
    return sha256(release / CHECKSUMS)


def _by_year(table: Path) -> Mapping[int, bytes]:
    with table.open(encoding="utf-8", newline="") as stream:
        records = _records(stream.read())
        header = next(records, "")
        columns = next(csv.reader([header]), [])
        if YEAR not in columns:
            return {}
        at = columns.index(YEAR)
        years: dict[int, list[str]] = {}
        for record in records:
            year = next(csv.reader(io.StringIO(record, newline="")))[at]
            if year:
                years.setdefault(int(year), [header]).append(record)
    return {year: "".join(_readable(rows)).encode("utf-8") for year, rows in years.items()}


def _readable(records: list[str]) -> list[str]:
    """Return the records of a year, header first, in the order from which readers guess right."""
    header, *rows = records
    cells = [next(csv.reader(io.StringIO(record, newline=""))) for record in rows]
    return [header, *(rows[row] for row in reading_order(list(zip(*cells, strict=True))))]


def _records(text: str) -> Iterator[str]:
    """Yield the records of a CSV as they are written, line breaks inside quotes included."""
    pending = ""
    for line in io.StringIO(text, newline="\n"):
        pending += line
        if pending.count('"') % 2 == 0:
            yield pending
            pending = ""


def put(place: Path, content: bytes) -> None:
    """Write a file that is whole whenever it is there; one of that content is left."""
    if place.is_file() and place.read_bytes() == content:
        return
    write_whole(place, content)
