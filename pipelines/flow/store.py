"""The output, a folder or any fsspec URL: what is where, and how it is written (whole or not at all).

archive/        contents received, by sha256; memories and manifest
work/           cache of judged files, and per network and year: reception, observations, reports, results
releases/       <dataset>/<version>/
catalogue/      the local target: latest files, and dataset.json
site/           the public site, of a folder alone

A folder is worked on where it is: the record of a stage, written last, says that the rest of it is there. Below a URL
the same folders are brought to a scratch folder and saved from it, as sets that others see whole or not at all (see
``manifests``); ``releases/`` and ``catalogue/`` are plain copies there, for people and reusers:

contents/<two hex>/         every file of every set, by sha256
sets/networks/<network>/<year>/<stage>.json, sets/judged/<key>.json, sets/published.json
sets/<room>.json, sets/<file>.json           folders and files of the output saved as a whole (revisions, nights…)
sets/releases/<dataset>/<version>.json       created once, never replaced
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pipelines.flow.fingerprints import fingerprint
from pipelines.flow.manifests import ROOM as SETS
from pipelines.flow.manifests import Sets, below, content_name, facts
from pipelines.flow.output_folder import PRIVATE, PUBLIC, scratch_folder
from pipelines.flow.state import National, NetworkYear, Proposal, Reception, Record, Results, YearVerdict
from pipelines.flow.stored_files import Shape, read_shaped, write_json, write_record
from pipelines.mechanics.files import write_whole
from pipelines.read import Archive, ObjectStore, RootError
from pipelines.read.sources import without_secrets
from pipelines.release.written_files import CHECKSUMS

FRAMES = ("results", "discrepancies", "structures", "calibrations")  # what is computed of a network-year, a file each
Stage = Literal["raw", "observations", "results"]
STATE_FILES: dict[type[Record], str] = {
    Reception: "reception.json",
    YearVerdict: "report.json",
    Results: "results.json",
}
PROPOSAL_FILE, _NATIONAL_FILE = "revision.json", "national.json"
REVISIONS, NETWORKS, NATIONAL_ROOM = "work/revisions", "work/networks", "work/national"
_STAGES: dict[type[Record], Stage] = {Reception: "raw", YearVerdict: "observations", Results: "results"}
_RELEASES, _CATALOGUE = "releases", "catalogue"
_PUBLISHED = "published"  # the plain copies that there are
_MANIFEST = "dataset.json"  # as CHECKSUMS, written after the files that it tells
# What is read of releases that are not the latest, beside their results.
_NEEDED_OF_ALL = ("datapackage.json", "versions.csv", CHECKSUMS)
Stamp = tuple[int, int, int] | None  # of a file: inode, time (ns), bytes


class AlreadyReleasedError(Exception):
    """A release of that version, with another content, was made by another run at the same time."""


class Store:
    """The output at ``place``, a folder or an fsspec URL; raises RootError when its protocol is unknown here.

    ``letters``: the URL by which a web server shows the letters of ``work/networks``; a storage has addresses of its
    own for them. Below a URL, the scratch folder lives as long as this object: keep hold of it.
    """

    proposes = False  # whether what is written here only proposes to change what stands (see ``revisions``)

    def __init__(self, place: str | Path, letters: str = "") -> None:
        self._apart = "://" in str(place)
        self._scratch = scratch_folder() if self._apart else None
        self.output = Path(self._scratch.name) if self._scratch else Path(place)
        self._storage = ObjectStore(str(place))
        self._sets = Sets(self._storage, in_place=not self._apart)
        self.archive = Archive(self.output / "archive", self._storage)
        self.letters = "" if self._apart else letters.rstrip("/")
        self._known: dict[tuple[str, int], tuple[tuple[Stamp, ...], NetworkYear]] = {}
        self._whole: set[str] = set()  # rooms that are here, all of each

    @property
    def proposals(self) -> "Store":
        """The same output, where network-years are those of revisions that wait: each is saved as a whole."""
        view = copy.copy(self)
        view.proposes, view._known = True, {}
        return view

    def close(self) -> None:
        """Leave the store: nothing here is read or written any more."""
        if self._scratch:
            self._scratch.cleanup()

    def begun(self) -> bool:
        """Whether anything was ever treated here."""
        if self._apart:
            return bool(self._storage.names(SETS))
        return any((self.output / room).is_dir() for room in (*PRIVATE, *PUBLIC))

    def must_have_begun(self) -> None:
        """Raise RootError, which says what to do, where nothing was ever treated."""
        if not self.begun():
            place = without_secrets(self.address(self.output))
            raise RootError(f"rien n'a jamais été traité dans {place} : lancer « resultats run », ou indiquer --output")

    # Networks and years

    def network_year(self, network: str, year: int) -> Path:
        """Return the folder of a network and year; of a storage, without typed rows and copies of refused rows."""
        self._bring([(network, year)])
        return self._folder(network, year)

    def observations(self, network: str, year: int) -> Path:
        """Return the folder of the typed rows of a network and year."""
        folder = self.network_year(network, year)
        if not self.proposes:
            self._sets.bring(_set_of(network, year, "observations"), folder, _is_large)
        return folder / "observations"

    def read(self, network: str, year: int) -> NetworkYear:
        """Return what is known of a network and year; its files are read again only when they changed."""
        folder = self.network_year(network, year)
        stamps = tuple(_stamp(folder / name) for name in STATE_FILES.values())
        known = self._known.get((network, year))
        if known is None or known[0] != stamps:
            known = (stamps, _read_network_year(folder, network, year))
            self._known[network, year] = known
        return known[1]

    def read_all(self, places: Iterable[tuple[str, int]]) -> list[NetworkYear]:
        """Return what is known of many networks and years, asked for together."""
        wanted = list(places)
        self._bring(wanted)
        return [self.read(*place) for place in wanted]

    def write(self, network: str, year: int, record: Reception | YearVerdict | Results | Proposal) -> None:
        """Write a record of a network and year, after all that its stage wrote there: it makes the rest count."""
        name = PROPOSAL_FILE if isinstance(record, Proposal) else STATE_FILES[type(record)]
        write_record(self._folder(network, year) / name, record)
        self._save_stages(network, year, [_STAGES.get(type(record), "results")])

    def proposal(self, network: str, year: int) -> Proposal | None:
        """Return what a revision of a network and year proposes, accepted or not; None when there is none."""
        return read_shaped(self.proposals.network_year(network, year) / PROPOSAL_FILE, Proposal)

    def save_network_year(self, network: str, year: int) -> None:
        """Make what its folder holds, nothing maybe, all that there is of a network and year."""
        self._save_stages(network, year, _STAGES.values())

    def state(self, places: Iterable[tuple[str, int]]) -> str:
        """Return what changes with any of these network-years (a hash), empty when none was ever run."""
        if self._apart:
            wanted = {f"{SETS}/{_set_of(*place, stage)}.json" for place in places for stage in _STAGES.values()}
            moments = self._storage.moments(f"{SETS}/networks")
            written = sorted((name, moment) for name, moment in moments.items() if name in wanted)
        else:
            paths = (self._folder(*place) / name for place in places for name in STATE_FILES.values())
            written = [(str(path.relative_to(self.output)), path.stat().st_mtime_ns) for path in paths if path.exists()]
        return fingerprint(written) if written else ""

    def _folder(self, network: str, year: int) -> Path:
        return self.output / (REVISIONS if self.proposes else NETWORKS) / network / str(year)

    def _bring(self, places: Iterable[tuple[str, int]]) -> None:
        if self.proposes:
            for network, year in places:
                self.room(f"{REVISIONS}/{network}/{year}")
            return
        new = {
            name: self._folder(network, year)
            for network, year in places
            for stage in _STAGES.values()
            if (name := _set_of(network, year, stage)) not in self._sets.seen
        }
        self._sets.see(new)
        for name, folder in new.items():
            self._sets.bring(name, folder, lambda path: not _is_large(path))

    def _save_stages(self, network: str, year: int, stages: Iterable[Stage]) -> None:
        folder = self._folder(network, year)
        if self.proposes:
            self._sets.save(_room_set(f"{REVISIONS}/{network}/{year}"), folder)
            return
        for stage in stages:
            self._sets.save(_set_of(network, year, stage), folder, lambda path, stage=stage: _stage_of(path) == stage)  # type: ignore[misc]

    # Files judged

    @property
    def judged(self) -> Path:
        """Files judged, by fingerprint: ``<key>.json`` and the typed rows, ``<key>.parquet``."""
        return self.output / "work" / "judged"

    def recall(self, key: str, shape: type[Shape]) -> Shape | None:
        """Return what is remembered of a file judged, its typed rows brought with it; None when nothing is."""
        self._sets.bring(f"judged/{key}", self.judged)
        return read_shaped(self.judged / f"{key}.json", shape)

    def remember(self, key: str, record: Record) -> None:
        """Remember a file judged, whose typed rows are written."""
        write_record(self.judged / f"{key}.json", record)
        self._sets.save(f"judged/{key}", self.judged, {f"{key}.json", f"{key}.parquet"}.__contains__)

    # Rooms and small files

    @property
    def national(self) -> Path:
        """The national tables."""
        return self.room(NATIONAL_ROOM)

    def tables_made(self) -> National:
        """Return what is known of the national tables last made; nothing before there were any."""
        return read_shaped(self.national / _NATIONAL_FILE, National) or National()

    def tell_tables(self, made: National) -> None:
        """Write what is known of the national tables just made; whoever is ``writing`` their room saves it."""
        write_record(self.national / _NATIONAL_FILE, made)

    def room(self, name: str) -> Path:
        """Return a folder of the output, all of it here; ``name`` is its path there."""
        folder = self.output / name
        if name == _RELEASES:
            self._bring_releases(lambda _: True)
        elif name == _CATALOGUE:
            self._bring_copies(lambda _: True)
        elif name not in self._whole:
            self._sets.bring(_room_set(name), folder)
            self._whole.add(name)
        return folder

    @contextmanager
    def writing(self, *rooms: str, even_cut_short: bool = False) -> Iterator[list[Path]]:
        """Give rooms, and save what the body wrote there; ``even_cut_short``: also when it was stopped half-way."""
        folders = [self.room(name) for name in rooms]
        done = even_cut_short
        try:
            yield folders
            done = True
        finally:
            for name in rooms if done else ():
                if name == _CATALOGUE:
                    self._save_copies()
                else:
                    self._sets.save(_room_set(name), self.output / name)

    def rooms(self, name: str, file: str) -> Path:
        """Return a folder whose rooms, at any depth, are there with that one file of each."""
        for known in self._sets.see_below(_room_set(name)):
            if f"work/{known}" not in self._whole:
                self._sets.bring(known, self.output / "work" / known, lambda path: path == file)
        return self.output / name

    def records(self, room: str, shape: type[Shape]) -> dict[str, Shape | None]:
        """Return what each JSON file of a room holds, by its name without suffix: see ``read_shaped``."""
        return {path.stem: read_shaped(path, shape) for path in sorted(self.room(room).glob("*.json"))}

    def file(self, name: str) -> Path:
        """Return a small file of the output; ``name`` is its path there."""
        place = self.output / name
        self._sets.bring(_room_set(name), place.parent)
        return place

    def load(self, name: str, shape: type[Shape]) -> Shape | None:
        """Return what a small JSON file of the output holds (``work/dossier.json``), or None: see ``read_shaped``."""
        return read_shaped(self.file(name), shape)

    def keep(self, name: str, content: Any) -> None:
        """Write a small JSON file of the output."""
        write_json(self.output / name, content)
        self._save_file(name)

    def keep_text(self, name: str, text: str) -> None:
        """Write a small text of the output."""
        write_whole(self.output / name, text.encode())
        self._save_file(name)

    def _save_file(self, name: str) -> None:
        room, _, file = name.rpartition("/")
        self._sets.save(_room_set(name), self.output / room, lambda path: path == file)

    # Releases

    @property
    def releases(self) -> Path:
        """Every release: whole the latest of each dataset; of the others what is read of all, and names of the rest.

        A name that is not brought is a link to where its content is: it can be listed, not opened.
        """
        if _RELEASES not in self._whole:
            self._bring_releases(_needed_of_all)
        return self.output / _RELEASES

    def release(self, dataset: str, version: str) -> Path:
        """Return the folder of a release, all of it here."""
        folder = self.output / _RELEASES / dataset / version
        self._sets.bring(f"{_RELEASES}/{dataset}/{version}", folder)
        return folder

    def made_at(self, dataset: str, version: str) -> float:
        """Return when a release was made (epoch seconds), by the clock of its storage."""
        if not self._apart:  # the time of its descriptor, which nothing changes
            return (self.releases / dataset / version / "datapackage.json").stat().st_mtime
        home = f"{SETS}/{_RELEASES}/{dataset}"
        return self._storage.moments(home)[f"{home}/{version}.json"]

    @contextmanager
    def releasing(self, dataset: str) -> Iterator[Path]:
        """Give ``releases`` to the body, which may make a release of ``dataset`` there.

        Raises AlreadyReleasedError if another one of its version was made meanwhile.
        """
        yield self.releases
        for folder in sorted((self.output / _RELEASES / dataset).glob("[0-9]*")):
            name = f"{_RELEASES}/{dataset}/{folder.name}"
            if name not in self._sets.seen and not self._sets.create(name, folder):
                raise AlreadyReleasedError(
                    f"{dataset} {folder.name} : une autre exécution vient de faire cette version"
                )

    def _bring_releases(self, needed_of_all: Callable[[str], bool]) -> None:
        if _RELEASES not in self._whole:
            self._sets.see_below(_RELEASES)
            self._whole.add(_RELEASES)
        names = sorted(self._released(), key=_version)
        latest = {name.rpartition("/")[0]: name for name in names}
        for name in names:
            home = self.output / name
            self._sets.bring(name, home, needed_of_all if name not in latest.values() else lambda _: True)
            for path, (sha256, _) in self._sets.seen[name].items():
                if not (home / path).exists() and not (home / path).is_symlink():
                    home.mkdir(parents=True, exist_ok=True)
                    (home / path).symlink_to(f"{self._storage.url}/{content_name(sha256, path)}")

    def _released(self) -> list[str]:
        return [name for name in self._sets.seen if name.startswith(f"{_RELEASES}/")]

    # The local target

    @property
    def catalogue(self) -> Path:
        """The local target: its pages; of a storage, without the files that it repeats of the latest releases."""
        if _PUBLISHED not in self._sets.seen:
            self._bring_copies(lambda name: "/latest/" not in name)
        return self.output / _CATALOGUE

    def published(self, dataset: str) -> dict[str, Any]:
        """Return what the local target tells of a dataset; nothing before it is there."""
        return read_shaped(self.catalogue / dataset / _MANIFEST, dict[str, Any]) or {}

    def published_release(self, dataset: str | None) -> Path | None:
        """Return the release of a dataset that the local target shows, None before there is any."""
        version = self.published(dataset).get("version") if dataset else None
        return self.release(dataset, version) if dataset and version else None

    @property
    def site(self) -> Path | None:
        """The public site, None where the output is no folder that a web server shows."""
        return None if self._apart else self.output / "site"

    def _bring_copies(self, wanted: Callable[[str], bool]) -> None:
        self._sets.see([_PUBLISHED])
        for name, known in self._sets.seen[_PUBLISHED].items():
            place = self.output / name
            if not name.startswith(f"{_CATALOGUE}/") or not wanted(name) or place.exists():
                continue
            if self._storage.size(name) is not None:
                self._storage.fetch(name, place)
                if facts(place) != known:
                    place.unlink()  # a publication was cut short: it is made again

    def _save_copies(self) -> None:
        """Bring the plain copies of every release, then of the local target, to what they are here."""
        if not self._apart:
            return
        _, folder = self.releases, self.catalogue  # so that all is seen
        before = self._sets.seen[_PUBLISHED]
        wanted = {}
        for name in self._released():
            files = self._sets.seen[name]
            for path in sorted(files, key=lambda path: (path == CHECKSUMS, path)):  # sums last: all is there then
                plain = f"{name}/{path}"
                wanted[plain] = files[path]
                if plain not in before:
                    self._storage.copy(content_name(files[path][0], path), plain)
        for path in sorted(below(folder), key=lambda path: (path.endswith(_MANIFEST), path)):
            plain = f"{_CATALOGUE}/{path}"
            wanted[plain] = facts(folder / path)
            if before.get(plain) != wanted[plain]:
                self._storage.send(plain, folder / path)
        for plain in before.keys() - wanted.keys():
            if self._storage.size(plain) is not None:
                self._storage.remove(plain)
        self._sets.note(_PUBLISHED, wanted)

    # Where people find it

    def address(self, path: Path) -> str:
        """Return where people find a file or folder that is saved: a path, or a URL."""
        if not self._apart:
            return str(path.resolve())
        relative = path.resolve().relative_to(self.output.resolve())
        home, place, inside = relative.parts[:2], "/".join(relative.parts[1:4]), "/".join(relative.parts[4:])
        if home in (("work", "networks"), ("work", "revisions")) and inside:
            name = f"{place}/{_stage_of(inside)}" if home[1] == "networks" else place
            saved = self._sets.seen.get(name, {})
            if inside in saved:
                return f"{self._storage.url}/{content_name(saved[inside][0], inside)}"
        return f"{self._storage.url}/{relative.as_posix()}"

    def letter(self, path: Path) -> str:
        """Return where people open a letter to a network, or a copy of its refused rows: its only address.

        A URL when a web server shows them; else, and for those of a revision, which none shows, ``address``.
        """
        home = self.output / NETWORKS
        if self.letters and path.is_relative_to(home):
            return f"{self.letters}/{quote(path.relative_to(home).as_posix())}"
        return self.address(path)


def _needed_of_all(name: str) -> bool:
    return name in _NEEDED_OF_ALL or (name.startswith("resultats") and name.endswith(".parquet"))


def _set_of(network: str, year: int, stage: Stage) -> str:
    return f"networks/{network}/{year}/{stage}"


def _room_set(name: str) -> str:
    return name.removeprefix("work/")


def _stage_of(path: str) -> Stage:
    if path == "reception.json":
        return "raw"
    return "results" if path == "results.json" or ("/" not in path and path.endswith(".parquet")) else "observations"


def _is_large(path: str) -> bool:
    return path.startswith("observations/") or path.endswith(".xlsx")


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.rpartition("/")[2].split("."))


def _read_network_year(folder: Path, network: str, year: int) -> NetworkYear:
    received = read_shaped(folder / STATE_FILES[Reception], Reception)
    return NetworkYear(
        network=network,
        year=year,
        reception=received if received and received.fingerprint else None,
        reception_failed=bool(received and received.failed),
        verdict=read_shaped(folder / STATE_FILES[YearVerdict], YearVerdict),
        results=read_shaped(folder / STATE_FILES[Results], Results),
    )


def _stamp(path: Path) -> Stamp:
    """Return what changes when a file is replaced; None when there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
