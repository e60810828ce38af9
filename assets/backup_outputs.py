"""The output as backups see it: files of a folder, or objects of a storage that machines share, read and put back.

The file that holds them, and the instance beside them, are those of ``backup`` and ``restoring``.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from pipelines.flow.manifests import ROOM as SETS
from pipelines.flow.manifests import contents_of
from pipelines.flow.output_folder import scratch_folder
from pipelines.read import Shelf

ASIDE = ".avant-restauration"
_MEMORY = "judged/"  # made again from the archive when needed; by far the largest
# What an output on a storage is made of. Lists of sets come last: put back in this order, nothing is seen half there.
_ROOMS = ("archive", "contents", "releases", "catalogue", SETS)


class StorageError(Exception):
    """The storage failed on an object; the French text names it."""


class SavedOutput(Protocol):
    """An output to save. ``kind``: one of another kind can't take its place."""

    kind: str

    def files(self, scratch: Path) -> Iterator[tuple[str, Path]]:
        """Yield the files with their names in the output; those brought to ``scratch`` are gone after the next."""
        ...

    def encloses(self, path: Path) -> bool:
        """Tell whether a local path is in what is saved."""
        ...


class FolderOutput:
    """An output that is a folder."""

    kind = "dossier"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self, scratch: Path) -> Iterator[tuple[str, Path]]:  # noqa: ARG002 (they are here already)
        """Yield the files with their names, but what is remembered of files judged."""
        for path in below(self.folder):
            name = path.relative_to(self.folder).as_posix()
            if not name.startswith(f"work/{_MEMORY}"):
                yield name, path

    def encloses(self, path: Path) -> bool:
        """Tell whether a path is in the folder."""
        return path.absolute().is_relative_to(self.folder.absolute())


class StorageOutput:
    """An output below an fsspec URL; raises RootError when it can't be reached."""

    kind = "stockage"

    def __init__(self, url: str) -> None:
        self.shelf = Shelf(url)

    @property
    def url(self) -> str:
        """Its address, without any secret."""
        return self.shelf.url

    def files(self, scratch: Path) -> Iterator[tuple[str, Path]]:
        """Yield the objects, each brought in turn, but what is remembered of files judged and what no set names."""
        place, lists = scratch / "objet", self._lists()
        for name in self._kept(contents_of(lists.values())):
            _guarded(name, lambda name=name: self.shelf.fetch(name, place))  # type: ignore[misc]
            yield name, place
            place.unlink()
        for name, content in lists.items():  # as they were read: a later one could name contents that aren't above
            place.write_bytes(content)
            yield name, place
            place.unlink()

    def _lists(self) -> dict[str, bytes]:
        names = [name for name in self._names(SETS) if not name.startswith(f"{SETS}/{_MEMORY}")]
        found: dict[str, bytes] = _guarded(SETS, lambda: self.shelf.read_many(names))
        return found

    def _kept(self, named: set[str]) -> Iterator[str]:
        for room in _ROOMS:
            if room != SETS:
                yield from (name for name in self._names(room) if room != "contents" or name in named)

    def encloses(self, path: Path) -> bool:  # noqa: ARG002 (only its own rooms are saved, and no backup is put there)
        """Tell whether a local path is in what is saved."""
        return False

    def held(self) -> list[str]:
        """Return the names of the objects that are there."""
        return [name for room in _ROOMS for name in self._names(room)]

    def set_aside(self, moment: str) -> None:
        """Move what is there below ``.avant-restauration/<moment>/``, lists of sets first: the rest is then unseen."""
        for name in reversed(self.held()):
            _guarded(name, lambda name=name: self.shelf.copy(name, f"{ASIDE}/{moment}/{name}"))  # type: ignore[misc]
            _guarded(name, lambda name=name: self.shelf.remove(name))  # type: ignore[misc]

    def put(self, objects: Iterable[tuple[str, IO[bytes]]], copied: Callable[[IO[bytes], IO[bytes]], object]) -> None:
        """Write objects, in the order in which they are given, each by way of a file of this machine."""
        with scratch_folder() as folder:
            place = Path(folder) / "objet"
            for name, stream in objects:
                with place.open("wb") as target:
                    copied(stream, target)
                _guarded(name, lambda name=name: self.shelf.send(name, place))  # type: ignore[misc]

    def _names(self, room: str) -> list[str]:
        found: list[str] = _guarded(room, lambda: self.shelf.names(room))
        return found


def output_to_save(output: str) -> FolderOutput | StorageOutput:
    """Return an output, a folder or an fsspec URL; raises RootError when its protocol is unknown here."""
    return StorageOutput(output) if "://" in output else FolderOutput(Path(output))


def below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, in order; hidden ones are being written, or are leftovers."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _guarded(name: str, asked: Callable[[], Any]) -> Any:
    try:
        return asked()
    except Exception as error:  # each storage has errors of its own
        raise StorageError(f"le stockage a failli sur {name} ({type(error).__name__} : {error})") from error
