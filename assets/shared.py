"""The output on a storage that several machines share: brings to a scratch folder what is read, saves what is written.

What belongs together is a set: its contents are objects named by their sha256, never changed; its list, one small
object written last, makes all of it visible at once. So nothing is half-read, on storages that rename nothing.

archive/                    contents received, by sha256; memories and manifest
contents/<two hex>/         every file of every set, by sha256
sets/networks/<network>/<year>/<stage>.json, sets/judged/<key>.json, sets/<room>.json, sets/published.json
sets/releases/<dataset>/<version>.json       created once, never replaced
releases/, catalogue/       plain copies for people and reusers, brought by ``save_catalogue`` to what the sets say
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from assets.storage import AlreadyReleasedError, Stage, Store
from pipelines.read import SharedArchive, Shelf

STAGES: tuple[Stage, ...] = ("raw", "observations", "results")
PUBLISHED = "sets/published.json"
_CHECKSUMS = "SHA256SUMS"
_NEEDED_OF_ALL = ("resultats.parquet", "datapackage.json")  # what is read of releases that are not the latest
_Files = dict[str, tuple[str, int]]  # path in the folder → sha256, bytes


def open_store(output: str) -> Store:
    """Return the store of a folder, or of an fsspec URL; raises RootError when its protocol is unknown here."""
    return SharedStore(output) if "://" in output else Store(Path(output))


class DamagedContentError(ValueError):
    """A content is no longer what its name says."""


class SharedStore(Store):
    """A store below an fsspec URL, worked on in a scratch folder that lives as long as this object.

    Each set is seen as it was when it was first asked for, with what this object wrote since: another writer never
    changes a folder under a step.
    """

    def __init__(self, url: str, scratch: Path | None = None) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="resultats-", dir=scratch, ignore_cleanup_errors=True)
        super().__init__(Path(self._scratch.name))
        self._shelf = Shelf(url)
        self.archive = SharedArchive(self.output / "archive", self._shelf)
        self._known: dict[str, _Files] = {}  # the sets as they are on the shelf, as far as seen

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
        self._fetch(_set_of(network, year, "observations"), folder, _is_large)
        return folder / "observations"

    def bring(self, places: Iterable[tuple[str, int]]) -> None:
        """Bring what ``network_year`` gives of many networks and years at once, as it is now."""
        folders = {_set_of(*place, stage): super(SharedStore, self).network_year(*place)
                   for place in places for stage in STAGES}  # fmt: skip
        new = {name: folder for name, folder in folders.items() if name not in self._known}
        lists = self._shelf.read_many(new)
        for name, folder in new.items():
            self._known[name] = _files(lists.get(name))
            self._fetch(name, folder, lambda path: not _is_large(path))

    def save_network_year(self, network: str, year: int, stage: Stage) -> None:
        """Save what a stage wrote for a network and year."""
        folder = super().network_year(network, year)
        self._save(_set_of(network, year, stage), folder, [path for path in _below(folder) if _stage_of(path) == stage])

    # Files judged

    def bring_judged(self, key: str) -> None:
        """Bring what is remembered of a file judged."""
        name = f"sets/judged/{key}.json"
        if name not in self._known:
            self._known[name] = _files(self._shelf.read(name))
            self._fetch(name, self.judged)

    def save_judged(self, key: str) -> None:
        """Save what is to be remembered of a file judged."""
        self._save(f"sets/judged/{key}.json", self.judged, [f"{key}.json", f"{key}.parquet"])

    # What all networks give together

    def room(self, name: str) -> Path:
        """Return a folder of the output that is brought and saved as a whole; ``name`` is its path there."""
        folder, listed = super().room(name), _room_set(name)
        if listed not in self._known:
            self._known[listed] = _files(self._shelf.read(listed))
            self._fetch(listed, folder)
        return folder

    def save_room(self, folder: Path) -> None:
        """Save what was written in a folder that ``room`` gave."""
        self._save(_room_set(folder.relative_to(self.output).as_posix()), folder, list(_below(folder)))

    @property
    def releases(self) -> Path:
        """Every release: whole the latest of each dataset; of the others the results, and the names of the rest.

        A name that is not brought is a link to where its content is: it can be listed, not opened.
        """
        folder = super().releases
        if "sets/releases" in self._known:
            return folder
        self._known["sets/releases"] = {}
        names = self._shelf.names("sets/releases")
        lists = self._shelf.read_many(names)
        latest = {name.rpartition("/")[0]: name for name in sorted(names, key=_version)}
        for name in names:
            self._known[name] = _files(lists[name])
            home = folder / name.removeprefix("sets/releases/").removesuffix(".json")
            whole = name in latest.values()
            self._fetch(name, home, lambda path, whole=whole: whole or path in _NEEDED_OF_ALL)  # type: ignore[misc]
            for path, (sha256, _) in self._known[name].items():
                if not (home / path).exists():
                    home.mkdir(parents=True, exist_ok=True)
                    (home / path).symlink_to(f"{self._shelf.url}/{_content(sha256, path)}")
        return folder

    def save_release(self, dataset: str, version: str) -> None:
        """Save a release just made; raises AlreadyReleasedError if another one of that version was made meanwhile."""
        name, folder = f"sets/releases/{dataset}/{version}.json", super().releases / dataset / version
        if name in self._known:
            return
        files = self._sent(folder, list(_below(folder)), {})
        if not self._shelf.create(name, _listed(files)) and _files(self._shelf.read(name)) != files:
            raise AlreadyReleasedError(f"{dataset} {version} : une autre exécution vient de faire cette version")
        self._known[name] = files

    def save_catalogue(self) -> None:
        """Bring the plain copies of every release, then of the local target, to what they are here."""
        _, folder = self.releases, self.catalogue  # so that all is known
        before = self._known[PUBLISHED]
        copies = {
            f"{name.removeprefix('sets/').removesuffix('.json')}/{path}": (_content(sha256, path), (sha256, size))
            for name, files in self._known.items() if name.startswith("sets/releases/")
            for path, (sha256, size) in sorted(files.items(), key=lambda item: item[0] == _CHECKSUMS)
        }  # fmt: skip
        for name, (content, _) in copies.items():
            if name not in before:
                self._shelf.copy(content, name)
        wanted = {name: fact for name, (_, fact) in copies.items()}
        pages = sorted(_below(folder), key=lambda path: (path.endswith("index.html"), -path.count("/"), path))
        for path in pages:
            name, place = f"catalogue/{path}", folder / path
            wanted[name] = (_sha256(place), place.stat().st_size)
            if before.get(name) != wanted[name]:
                self._shelf.send(name, place)
        for name in before.keys() - wanted.keys():
            if self._shelf.size(name) is not None:
                self._shelf.remove(name)
        if wanted != before:
            self._shelf.write(PUBLISHED, _listed(wanted))
        self._known[PUBLISHED] = wanted

    def address(self, path: Path) -> str:
        """Return the URL of a file or folder that is saved."""
        relative = path.resolve().relative_to(self.output.resolve())
        for name, files in self._known.items():
            if path.is_file() and name.startswith("sets/networks/"):
                inside = relative.as_posix().removeprefix(f"work/{name.removeprefix('sets/').rpartition('/')[0]}/")
                if inside in files:
                    return f"{self._shelf.url}/{_content(files[inside][0], inside)}"
        return f"{self._shelf.url}/{relative.as_posix()}"

    @property
    def catalogue(self) -> Path:
        """The local target: its pages; the files that it repeats of the latest releases are not brought."""
        folder = super().catalogue
        if PUBLISHED not in self._known:
            self._known[PUBLISHED] = _files(self._shelf.read(PUBLISHED))
            for name, fact in self._known[PUBLISHED].items():
                place = folder / name.removeprefix("catalogue/")
                if name.startswith("catalogue/") and "/latest/" not in name:
                    if self._shelf.size(name) is None:
                        continue
                    self._shelf.fetch(name, place)
                    if (_sha256(place), place.stat().st_size) != fact:
                        place.unlink()  # a publication was cut short: it is made again
        return folder

    # Sets

    def _save(self, name: str, folder: Path, paths: list[str]) -> None:
        known = self._known.get(name, {})
        files = self._sent(folder, paths, known)
        if files != known:
            self._shelf.write(name, _listed(files))
        self._known[name] = files

    def _sent(self, folder: Path, paths: list[str], known: _Files) -> _Files:
        """Send the contents that the shelf hasn't; return the list of the set."""
        files = {path: (_sha256(folder / path), (folder / path).stat().st_size) for path in sorted(paths)}
        there = set(known.values())
        for path, (sha256, size) in files.items():
            content = _content(sha256, path)
            if (sha256, size) not in there and self._shelf.size(content) != size:
                self._shelf.send(content, folder / path)
        return files

    def _fetch(self, name: str, folder: Path, wanted: Callable[[str], bool] = lambda _: True) -> None:
        for path, (sha256, size) in self._known[name].items():
            place = folder / path
            if not wanted(path) or place.exists():
                continue
            self._shelf.fetch(_content(sha256, path), place)
            if place.stat().st_size != size or _sha256(place) != sha256:
                place.unlink()
                raise DamagedContentError(f"contenu abîmé : {_content(sha256, path)} ({name}, {path})")


def _set_of(network: str, year: int, stage: Stage) -> str:
    return f"sets/networks/{network}/{year}/{stage}.json"


def _room_set(name: str) -> str:
    return f"sets/{name.removeprefix('work/')}.json"


def _stage_of(path: str) -> Stage:
    """Tell which stage writes a file of a network and year."""
    if path == "reception.json":
        return "raw"
    return "results" if path == "results.json" or ("/" not in path and path.endswith(".parquet")) else "observations"


def _is_large(path: str) -> bool:
    return path.startswith("observations/") or path.endswith(".xlsx")


def _content(sha256: str, path: str) -> str:
    """Name a content; it keeps the ending of its file, so that browsers open it."""
    return f"contents/{sha256[:2]}/{sha256}{Path(path).suffix}"


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.rpartition("/")[2].removesuffix(".json").split("."))


def _below(folder: Path) -> Iterable[str]:
    """Return the files below a folder, none that is being written."""
    found = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in found if not any(part.startswith(".") for part in path.split("/"))]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _files(content: bytes | None) -> _Files:
    """Read the list of a set; none is an empty one."""
    return {path: (sha256, size) for path, (sha256, size) in json.loads(content or b"{}").items()}


def _listed(files: _Files) -> bytes:
    return json.dumps(files, ensure_ascii=False, indent=0, sort_keys=True).encode()
