"""Sets of files on a shared storage: each is seen whole or not at all, as it was when it was first asked for.

The contents of a set are objects named by their sha256, never changed; its list, one small object written last, makes
all of it visible at once. So nothing is half-read, on storages that rename nothing. Which sets there are is not here.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from pipelines.mechanics import files as on_disk
from pipelines.read import ObjectStore

Files = dict[str, tuple[str, int]]  # path in the folder → sha256, bytes
ROOM = "sets"


class DamagedContentError(ValueError):
    """A content is no longer what its name says."""


class Sets:
    """The sets of a storage, as far as this object has seen or written them: another writer changes nothing seen.

    ``in_place``: the folders are the storage itself, so that there is nothing to bring or to send.
    """

    def __init__(self, storage: ObjectStore, *, in_place: bool = False) -> None:
        self.storage, self._in_place = storage, in_place
        self.seen: dict[str, Files] = {}

    def see(self, names: Iterable[str]) -> None:
        """Read together the lists of the sets that weren't seen; one that isn't there is empty."""
        new = {_list_of(name): name for name in names if name not in self.seen}
        lists = {} if self._in_place else self.storage.read_many(new)
        self.seen |= {name: _files(lists.get(listed)) for listed, name in new.items()}

    def see_below(self, room: str) -> list[str]:
        """See every set whose name begins with a room (``releases``); return their names."""
        listed = [] if self._in_place else self.storage.names(f"{ROOM}/{room}")
        names = [name.removeprefix(f"{ROOM}/").removesuffix(".json") for name in listed]
        self.see(names)
        return names

    def bring(self, name: str, folder: Path, wanted: Callable[[str], bool] = lambda _: True) -> None:
        """Bring into ``folder`` the wanted files of a set that aren't there; raises DamagedContentError."""
        self.see([name])
        for path, (sha256, size) in self.seen[name].items():
            place = folder / path
            if not wanted(path) or place.exists():
                continue
            self.storage.fetch(content_name(sha256, path), place)
            if facts(place) != (sha256, size):
                place.unlink()
                raise DamagedContentError(f"contenu abîmé : {content_name(sha256, path)} ({name}, {path})")

    def save(self, name: str, folder: Path, wanted: Callable[[str], bool] = lambda _: True) -> None:
        """Make the wanted files of ``folder`` the whole set."""
        if not self._in_place:
            self.note(name, self._sent(folder, wanted, self.seen.get(name, {})))

    def note(self, name: str, files: Files) -> None:
        """Write the list of a set whose files are all sent."""
        if files != self.seen.get(name):
            self.storage.write(_list_of(name), _listed(files))
        self.seen[name] = files

    def create(self, name: str, folder: Path) -> bool:
        """Save a set that is never replaced; return False if there is another one of that name."""
        if self._in_place:
            return True
        files = self._sent(folder, lambda _: True, {})
        there = not self.storage.create(_list_of(name), _listed(files))
        if there and _files(self.storage.read(_list_of(name))) != files:
            return False
        self.seen[name] = files
        return True

    def _sent(self, folder: Path, wanted: Callable[[str], bool], known: Files) -> Files:
        """Send the contents that the storage hasn't; return the list of the set."""
        files = {path: facts(folder / path) for path in below(folder) if wanted(path)}
        there = set(known.values())
        for path, (sha256, size) in files.items():
            content = content_name(sha256, path)
            if (sha256, size) not in there and self.storage.size(content) != size:
                self.storage.send(content, folder / path)
        return files


def content_name(sha256: str, path: str) -> str:
    """Name a content; it keeps the ending of its file, so that browsers open it."""
    return f"contents/{sha256[:2]}/{sha256}{Path(path).suffix}"


def below(folder: Path) -> list[str]:
    """Return the files below a folder, none that is being written."""
    paths = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in paths if not any(part.startswith(".") for part in path.split("/"))]


def facts(path: Path) -> tuple[str, int]:
    """Return the sha256 and the size in bytes of a file."""
    return on_disk.sha256(path), path.stat().st_size


def _list_of(name: str) -> str:
    return f"{ROOM}/{name}.json"


def _listed(files: Files) -> bytes:
    return json.dumps(files, ensure_ascii=False, indent=0, sort_keys=True).encode()


def _files(content: bytes | None) -> Files:
    return {path: (sha256, size) for path, (sha256, size) in json.loads(content or b"{}").items()}
