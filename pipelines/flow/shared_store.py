"""The output on a storage that machines share: which sets there are, brought to and saved from a scratch folder.

archive/                    contents received, by sha256; memories and manifest
contents/<two hex>/         every file of every set, by sha256
sets/networks/<network>/<year>/<stage>.json, sets/judged/<key>.json, sets/published.json
sets/<room>.json, sets/<file>.json           folders and files of the output saved as a whole (revisions, nights…)
sets/releases/<dataset>/<version>.json       created once, never replaced
releases/, catalogue/       plain copies for people and reusers, brought by ``save_catalogue`` to what the sets say

How a set is seen whole or not at all: see ``sets``.
"""

from collections.abc import Iterable
from pathlib import Path

from pipelines.flow.fingerprints import fingerprint
from pipelines.flow.manifests import ROOM as SETS
from pipelines.flow.manifests import Sets, below, content_name, facts
from pipelines.flow.output_folder import scratch_folder
from pipelines.flow.store import STAGES, AlreadyReleasedError, Stage, Store
from pipelines.read import ObjectStore, SharedArchive

_PUBLISHED = "published"  # the plain copies that there are
_CHECKSUMS = "SHA256SUMS"
# What is read of releases that are not the latest.
_NEEDED_OF_ALL = ("resultats.parquet", "datapackage.json", "versions.csv", _CHECKSUMS)


def open_store(output: str, letters: str = "") -> Store:
    """Return the store of a folder, or of an fsspec URL; raises RootError when its protocol is unknown here.

    ``letters``: the URL by which a web server shows the letters. A storage has addresses of its own for them.
    """
    return SharedStore(output) if "://" in output else Store(Path(output), letters)


class SharedStore(Store):
    """A store below an fsspec URL, worked on in a scratch folder that lives as long as this object: keep hold of it."""

    def __init__(self, url: str, scratch: Path | None = None) -> None:
        self._scratch = scratch_folder(scratch)
        super().__init__(Path(self._scratch.name))
        self._storage = ObjectStore(url)
        self._sets = Sets(self._storage)
        self.archive = SharedArchive(self.output / "archive", self._storage)
        self._releases_seen = False
        self._whole: set[str] = set()  # rooms that are here, all of each

    def begun(self) -> bool:
        """Whether anything was ever treated here."""
        return bool(self._storage.names(SETS))

    def close(self) -> None:
        """Remove the scratch folder."""
        self._scratch.cleanup()

    # Networks and years

    def network_year(self, network: str, year: int) -> Path:
        """Return the folder of a network and year: all of it but typed rows and copies of refused rows."""
        self.bring([(network, year)])
        return super().network_year(network, year)

    def observations(self, network: str, year: int) -> Path:
        """Return the folder of the typed rows of a network and year."""
        folder = self.network_year(network, year)
        self._sets.bring(_set_of(network, year, "observations"), folder, _is_large)
        return folder / "observations"

    def bring(self, places: Iterable[tuple[str, int]]) -> None:
        """Bring what ``network_year`` gives of many networks and years at once, as it is now."""
        new = {
            _set_of(network, year, stage): super(SharedStore, self).network_year(network, year)
            for network, year in places for stage in STAGES
            if _set_of(network, year, stage) not in self._sets.seen
        }  # fmt: skip
        self._sets.see(new)
        for name, folder in new.items():
            self._sets.bring(name, folder, lambda path: not _is_large(path))

    def save_network_year(self, network: str, year: int, stage: Stage) -> None:
        """Save what a stage wrote for a network and year."""
        folder = super().network_year(network, year)
        written = [path for path in below(folder) if _stage_of(path) == stage]
        self._sets.save(_set_of(network, year, stage), folder, written)

    # Files judged, and rooms

    def bring_judged(self, key: str) -> None:
        """Bring what is remembered of a file judged."""
        self._sets.bring(f"judged/{key}", self.judged)

    def save_judged(self, key: str) -> None:
        """Save what is to be remembered of a file judged."""
        self._sets.save(f"judged/{key}", self.judged, [f"{key}.json", f"{key}.parquet"])

    def room(self, name: str) -> Path:
        """Return a folder of the output that is brought and saved as a whole; ``name`` is its path there."""
        folder, known = super().room(name), _room_set(name)
        if known not in self._whole:
            self._sets.bring(known, folder)
            self._whole.add(known)
        return folder

    def save_room(self, folder: Path) -> None:
        """Save what was written in a folder that ``room`` gave; one that is gone leaves an empty set."""
        self._sets.save(self._named(folder), folder, below(folder))

    def bring_rooms(self, name: str, file: str) -> Path:
        """Return a folder whose rooms, at any depth, are there with that one file of each."""
        folder = super().room(name)
        for known in self._sets.see_below(_room_set(name)):
            if known not in self._whole:
                self._sets.bring(known, folder / known.removeprefix(f"{_room_set(name)}/"), lambda path: path == file)
        return folder

    def file(self, name: str) -> Path:
        """Return a file of the output that is brought and saved alone; ``name`` is its path there."""
        place = super().file(name)
        self._sets.bring(_room_set(name), place.parent)
        return place

    def save_file(self, path: Path) -> None:
        """Save a file that ``file`` gave."""
        self._sets.save(self._named(path), path.parent, [path.name])

    def _named(self, path: Path) -> str:
        return _room_set(path.relative_to(self.output).as_posix())

    # Releases

    @property
    def releases(self) -> Path:
        """Every release: whole the latest of each dataset; of the others the results, and the names of the rest.

        A name that is not brought is a link to where its content is: it can be listed, not opened.
        """
        folder = super().releases
        if self._releases_seen:
            return folder
        names = sorted(self._sets.see_below("releases"), key=_version)
        latest = {name.rpartition("/")[0]: name for name in names}
        for name in names:
            home = folder / name.removeprefix("releases/")
            needed = None if name in latest.values() else _NEEDED_OF_ALL
            self._sets.bring(name, home, lambda path, needed=needed: needed is None or path in needed)  # type: ignore[misc]
            for path, (sha256, _) in self._sets.seen[name].items():
                if not (home / path).exists():
                    home.mkdir(parents=True, exist_ok=True)
                    (home / path).symlink_to(f"{self._storage.url}/{content_name(sha256, path)}")
        self._releases_seen = True
        return folder

    def bring_release(self, dataset: str, version: str) -> Path:
        """Return the folder of a release, all of it brought."""
        folder = super().bring_release(dataset, version)
        self._sets.bring(f"releases/{dataset}/{version}", folder)
        return folder

    def bring_releases(self) -> Path:
        """Return ``releases``, all of each brought."""
        folder = self.releases
        for name in [name for name in self._sets.seen if name.startswith("releases/")]:
            self._sets.bring(name, folder / name.removeprefix("releases/"))
        return folder

    def made_at(self, dataset: str, version: str) -> float:
        """Return when a release was saved (epoch seconds), by the clock of the storage."""
        name = f"{SETS}/releases/{dataset}/{version}.json"
        return self._storage.moments(f"{SETS}/releases/{dataset}")[name]

    def save_release(self, dataset: str, version: str) -> None:
        """Save a release just made; raises AlreadyReleasedError if another one of that version was made meanwhile."""
        name, folder = f"releases/{dataset}/{version}", super().releases / dataset / version
        if name not in self._sets.seen and not self._sets.create(name, folder, below(folder)):
            raise AlreadyReleasedError(f"{dataset} {version} : une autre exécution vient de faire cette version")

    # Plain copies

    @property
    def catalogue(self) -> Path:
        """The local target: its pages; the files that it repeats of the latest releases are not brought."""
        folder = super().catalogue
        if _PUBLISHED in self._sets.seen:
            return folder
        self._sets.see([_PUBLISHED])
        for name, known in self._sets.seen[_PUBLISHED].items():
            place = folder / name.removeprefix("catalogue/")
            if name.startswith("catalogue/") and "/latest/" not in name and self._storage.size(name) is not None:
                self._storage.fetch(name, place)
                if facts(place) != known:
                    place.unlink()  # a publication was cut short: it is made again
        return folder

    def bring_catalogue(self) -> Path:
        """Return ``catalogue``, its copies of the latest releases included."""
        folder = self.catalogue
        for name, known in self._sets.seen[_PUBLISHED].items():
            place = folder / name.removeprefix("catalogue/")
            if name.startswith("catalogue/") and not place.exists() and self._storage.size(name) is not None:
                self._storage.fetch(name, place)
                if facts(place) != known:
                    place.unlink()
        return folder

    def save_catalogue(self) -> None:
        """Bring the plain copies of every release, then of the local target, to what they are here."""
        _, folder = self.releases, self.catalogue  # so that all is seen
        before = self._sets.seen[_PUBLISHED]
        wanted = {}
        for name in [name for name in self._sets.seen if name.startswith("releases/")]:
            files = self._sets.seen[name]
            for path in sorted(files, key=lambda path: (path == _CHECKSUMS, path)):  # sums last: all is there then
                copy = f"{name}/{path}"
                wanted[copy] = files[path]
                if copy not in before:
                    self._storage.copy(content_name(files[path][0], path), copy)
        for path in sorted(below(folder), key=lambda path: (path.endswith("index.html"), -path.count("/"), path)):
            copy = f"catalogue/{path}"
            wanted[copy] = facts(folder / path)
            if before.get(copy) != wanted[copy]:
                self._storage.send(copy, folder / path)
        for copy in before.keys() - wanted.keys():
            if self._storage.size(copy) is not None:
                self._storage.remove(copy)
        self._sets.note(_PUBLISHED, wanted)

    def address(self, path: Path) -> str:
        """Return the URL of a file or folder that is saved."""
        relative = path.resolve().relative_to(self.output.resolve())
        room, inside = "/".join(relative.parts[1:4]), "/".join(relative.parts[4:])
        if relative.parts[:2] in (("work", "networks"), ("work", "revisions")) and inside:
            name = f"{room}/{_stage_of(inside)}" if relative.parts[1] == "networks" else room
            saved = self._sets.seen.get(name, {})
            if inside in saved:
                return f"{self._storage.url}/{content_name(saved[inside][0], inside)}"
        return f"{self._storage.url}/{relative.as_posix()}"

    def state(self, places: Iterable[tuple[str, int]]) -> str:
        """Return what changes with any of these network-years (a hash), empty when none was ever run."""
        wanted = {f"{SETS}/{_set_of(*place, stage)}.json" for place in places for stage in STAGES}
        found = sorted(item for item in self._storage.moments(f"{SETS}/networks").items() if item[0] in wanted)
        return fingerprint(found) if found else ""


def _set_of(network: str, year: int, stage: Stage) -> str:
    return f"networks/{network}/{year}/{stage}"


def _room_set(name: str) -> str:
    return name.removeprefix("work/")


def _stage_of(path: str) -> Stage:
    """Tell which stage writes a file of a network and year."""
    if path == "reception.json":
        return "raw"
    return "results" if path == "results.json" or ("/" not in path and path.endswith(".parquet")) else "observations"


def _is_large(path: str) -> bool:
    return path.startswith("observations/") or path.endswith(".xlsx")


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.rpartition("/")[2].split("."))
