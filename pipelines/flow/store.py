"""The output folder: what is where, and how it is written (whole or not at all). What it means is known elsewhere.

archive/        contents received, by sha256, and the manifest
work/           cache of judged files, and per network and year: reception, observations, reports, results
releases/       <dataset>/<version>/
catalogue/      the local target
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from pipelines.flow.fingerprints import fingerprint
from pipelines.flow.output_folder import strangers
from pipelines.flow.state import NetworkYear, Reception, Record, Results, YearVerdict
from pipelines.mechanics.files import replacing, write_whole
from pipelines.read import Archive
from pipelines.validate import TypedRows, write_rows

FRAMES = ("results", "discrepancies", "structures", "calibrations")  # what is computed of a network-year, a file each
Stage = Literal["raw", "observations", "results"]
STAGES: tuple[Stage, ...] = ("raw", "observations", "results")
STATE_FILES: dict[type[Record], str] = {
    Reception: "reception.json",
    YearVerdict: "report.json",
    Results: "results.json",
}
Stamp = tuple[int, int, int] | None  # of a file: inode, time (ns), bytes
Kind = TypeVar("Kind", bound=Record)


class AlreadyReleasedError(Exception):
    """A release of that version, with another content, was made by another run at the same time."""


class Store:
    """Paths below the output folder, with readers and writers of JSON and Parquet.

    What runs write counts once it is saved. On this folder it is saved as soon as it is written, and the methods that
    save or bring do nothing; ``SharedStore`` does the same on a storage that several machines share.
    """

    proposes = False  # whether what is written here only proposes to change what stands (see ``revisions``)

    def __init__(self, output: Path, letters: str = "") -> None:
        self.output = output
        self._known: dict[tuple[str, int], tuple[tuple[Stamp, ...], NetworkYear]] = {}
        self.letters = letters.rstrip("/")  # the URL by which a web server shows the letters of ``work/networks``
        self.archive = Archive(output / "archive")

    @property
    def judged(self) -> Path:
        """Files judged, by fingerprint."""
        return self.output / "work" / "judged"

    @property
    def national(self) -> Path:
        """The national tables."""
        return self.room("work/national")

    @property
    def releases(self) -> Path:
        """Every release: ``<dataset>/<version>/``."""
        return self.output / "releases"

    @property
    def catalogue(self) -> Path:
        """The local target."""
        return self.output / "catalogue"

    def network_year(self, network: str, year: int) -> Path:
        """Return the folder of a network and year."""
        return self.output / "work" / "networks" / network / str(year)

    def observations(self, network: str, year: int) -> Path:
        """Return the folder of the typed rows of a network and year."""
        return self.network_year(network, year) / "observations"

    # State

    def read(self, network: str, year: int) -> NetworkYear:
        """Return what is known of a network and year; its files are read again only when they changed."""
        folder = self.network_year(network, year)
        stamps = tuple(_stamp(folder / name) for name in STATE_FILES.values())
        known = self._known.get((network, year))
        if known is None or known[0] != stamps:
            known = (stamps, _read_network_year(folder, network, year))
            self._known[network, year] = known
        return known[1]

    def write(self, network: str, year: int, record: Reception | YearVerdict | Results) -> None:
        """Write a record of a network and year, whole or not at all; its stage is saved with ``save_network_year``."""
        write_record(self.network_year(network, year) / STATE_FILES[type(record)], record)

    def load(self, name: str) -> Any:
        """Return the content of a small JSON file of the output (``work/dossier.json``), or None."""
        return read_json(self.file(name))

    def keep(self, name: str, content: Any) -> None:
        """Write a small JSON file of the output, and save it."""
        path = self.file(name)
        write_json(path, content)
        self.save_file(path)

    def published(self, dataset: str) -> dict[str, Any]:
        """Return what the local catalogue tells of a dataset; nothing before it is there."""
        return read_json(self.catalogue / dataset / "dataset.json") or {}

    def begun(self) -> bool:
        """Whether anything was ever treated here."""
        return any((self.output / room).is_dir() for room in ("archive", "work", "releases", "catalogue"))

    def strangers(self) -> list[str]:
        """Name what is in the output and isn't ours."""
        return strangers(self.output)

    def close(self) -> None:
        """Leave the store: nothing here is read or written any more."""

    def room(self, name: str) -> Path:
        """Return a folder of the output that is brought and saved as a whole; ``name`` is its path there."""
        return self.output / name

    def save_room(self, folder: Path) -> None:
        """Save what was written in a folder that ``room`` gave."""

    def bring_rooms(self, name: str, file: str) -> Path:  # noqa: ARG002 (all of it is here)
        """Return a folder whose rooms, at any depth, are there with that one file of each."""
        return self.output / name

    def file(self, name: str) -> Path:
        """Return a file of the output that is brought and saved alone; ``name`` is its path there."""
        return self.output / name

    def save_file(self, path: Path) -> None:
        """Save a file that ``file`` gave."""

    def address(self, path: Path) -> str:
        """Return where people find a file or folder that is saved: a path, or a URL."""
        return str(path.resolve())

    def letter(self, path: Path) -> str:
        """Return where people open a letter to a network, or a copy of its refused rows: its only address.

        A URL when a web server shows them; else, and for those of a revision, which none shows, ``address``.
        """
        home = self.output / "work" / "networks"
        if self.letters and path.is_relative_to(home):
            return f"{self.letters}/{quote(path.relative_to(home).as_posix())}"
        return self.address(path)

    def state(self, places: Iterable[tuple[str, int]]) -> str:
        """Return what changes with any of these network-years (a hash), empty when none was ever run."""
        files = (
            self.network_year(*place) / name
            for place in places for name in STATE_FILES.values()
        )  # fmt: skip
        found = [(str(path.relative_to(self.output)), path.stat().st_mtime_ns) for path in files if path.exists()]
        return fingerprint(found) if found else ""

    def bring(self, places: Iterable[tuple[str, int]]) -> None:
        """Bring what ``network_year`` gives of many networks and years at once, as it is now."""

    def bring_judged(self, key: str) -> None:
        """Bring what is remembered of a file judged."""

    def save_judged(self, key: str) -> None:
        """Save what is to be remembered of a file judged."""

    def save_network_year(self, network: str, year: int, stage: Stage) -> None:
        """Save what a stage wrote for a network and year."""

    def bring_release(self, dataset: str, version: str) -> Path:
        """Return the folder of a release, all of it brought."""
        return self.releases / dataset / version

    def bring_releases(self) -> Path:
        """Return ``releases``, all of each brought."""
        return self.releases

    def made_at(self, dataset: str, version: str) -> float:
        """Return when a release was made (epoch seconds): the time of its descriptor, which nothing changes."""
        return (self.releases / dataset / version / "datapackage.json").stat().st_mtime

    def save_release(self, dataset: str, version: str) -> None:
        """Save a release just made; raises AlreadyReleasedError if another one of that version was made meanwhile."""

    def bring_catalogue(self) -> Path:
        """Return ``catalogue``, its copies of the latest releases included."""
        return self.catalogue

    def save_catalogue(self) -> None:
        """Save the local target."""


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, or None if it is absent or was cut short."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all."""
    write_whole(path, json.dumps(content, ensure_ascii=False, indent=1, default=str).encode())


def read_record(path: Path, kind: type[Kind]) -> Kind | None:
    """Return a record, or None if it is absent, was cut short or was written by another version of the product."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_record(path: Path, record: Record) -> None:
    """Write a record whole or not at all."""
    write_whole(path, record.model_dump_json(indent=1).encode())


def _read_network_year(folder: Path, network: str, year: int) -> NetworkYear:
    received = read_record(folder / STATE_FILES[Reception], Reception)
    return NetworkYear(
        network=network,
        year=year,
        reception=received if received and received.fingerprint else None,
        reception_failed=bool(received and received.failed),
        verdict=read_record(folder / STATE_FILES[YearVerdict], YearVerdict),
        results=read_record(folder / STATE_FILES[Results], Results),
    )


def _stamp(path: Path) -> Stamp:
    """Return what changes when a file is replaced; None when there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def write_table(path: Path, table: pa.Table) -> None:
    """Write Parquet whole or not at all."""
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def write_typed_rows(path: Path, rows: TypedRows) -> None:
    """Write typed rows as Parquet, whole or not at all; a file that holds just them is copied as it is."""
    with replacing(path) as temporary:
        if rows.whole_file is not None:
            shutil.copyfile(rows.whole_file, temporary)
        else:
            write_rows(rows, temporary)


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as Parquet; missing text stays null."""
    write_table(path, pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None))


def read_frame(path: Path) -> pd.DataFrame:
    """Return a frame written by ``write_frame``."""
    found: pd.DataFrame = pq.read_table(path).to_pandas()
    return found
