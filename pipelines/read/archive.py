"""The archive of what was received: each file once, by its sha256, and a manifest of what was seen when.

It stands on any storage; where that isn't this machine's disk, contents are copied here to be read. A file whose token
has not changed is not read again; a changed file under the same name is news.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipelines.mechanics import files, french, limits
from pipelines.read.cells import UnusableFileError
from pipelines.read.object_store import ObjectStore

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipelines.read.sources import ExportsRoot, SourceFile

ROOM = "archive"
MEMORIES = "vus"
DAMAGED = "abimes"
MANIFEST = f"{ROOM}/manifeste"
News = Literal["nouveau", "modifié", "inchangé"]
Fault = Literal["absent", "altéré"]


@dataclass(frozen=True)
class Received:
    """A file received: where it was, what it holds (``sha256``, ``size`` in bytes), and whether that is news."""

    path: str
    sha256: str
    size: int
    news: News
    before: str | None = None


class DamagedArchiveError(ValueError):
    """The archive no longer holds what it received: our own damage, never a fault of the file or its producer.

    ``paths`` are those of the files concerned, as they were received, where they are known.
    """

    def __init__(self, sha256: str, paths: Sequence[str] = ()) -> None:
        self.sha256, self.paths = sha256, tuple(paths)
        what = ", ".join(f"« {path} »" for path in paths) or f"le contenu {sha256[:12]}"
        super().__init__(
            f"archive abîmée : la copie archivée de {what} ne correspond plus à ce qui avait été reçu ; elle est mise "
            "à l'écart, et reprise du dossier d'exports au prochain passage si le fichier y est encore "
            "(voir docs/une-archive-abimee.md)"
        )


class Archive:
    """Contents below ``archive/`` of a storage, never changed nor deleted: ``<first two hex>/<sha256>``.

    ``folder`` holds what this machine has read or received of it: the storage's own ``archive/`` when none is given. A
    content that no longer matches its name is set aside (``abimes/``): what is received again takes its place. Nothing
    can be added at the end of an object: each line of the manifest is an object of its own, named by its date.
    """

    def __init__(self, folder: Path, storage: ObjectStore | None = None) -> None:
        self.folder = folder
        self._storage = storage or ObjectStore(str(folder.parent))

    def path(self, sha256: str) -> Path:
        """Return where a content is; raises DamagedArchiveError if the disk no longer holds what its name says.

        Raises UnusableFileError on a file too large to be read: it is kept, and never loaded.
        """
        try:
            place = self.held(sha256)
            check_size(place)
        except FileNotFoundError as error:
            raise DamagedArchiveError(sha256) from error
        if files.sha256(place) != sha256 and not self._brought_again(sha256):
            raise DamagedArchiveError(sha256)
        return place

    def held(self, sha256: str) -> Path:
        """Return where a content that was just received is, on this machine; it isn't looked at again."""
        place = self._place(sha256)
        if not place.exists():
            size = self._storage.size(_name(sha256))
            if size is None:
                raise FileNotFoundError(_name(sha256))
            _check_bytes(size)
            self._storage.fetch(_name(sha256), place)
        return place

    def fault(self, sha256: str) -> Fault | None:
        """Say whether the storage has a content no more, or altered, whatever this machine holds of it; else None."""
        try:
            stored = self._storage.sha256(_name(sha256))
        except (PermissionError, IsADirectoryError, NotADirectoryError):
            stored = None
        if stored is None:
            return "absent"
        return None if stored == sha256 else "altéré"

    def content(self, sha256: str) -> bytes:
        """Return an archived content, as ``path`` finds it."""
        return self.path(sha256).read_bytes()

    def keep(self, content: bytes) -> str:
        """Archive a content that no exports root holds (declarations) and return its sha256."""
        return self._keep([content])[0]

    def take_again(self, root: ExportsRoot, path: str, sha256: str) -> bool:
        """Keep anew a content that was lost, when the exports root still holds it under the same path."""
        sources = root.find(glob.escape(path), 0)
        return any(self._keep(root.chunks(source.path))[0] == sha256 for source in sources)

    def receive(self, root: ExportsRoot, source: SourceFile, seen_at: datetime.datetime) -> Received:
        """Archive ``source`` unless it was seen before, and note in the manifest what is new."""
        memory = _memory(root, source.path)
        before = self._recall(memory) or {}
        known: str | None = before.get("sha256")
        if known and source.token and before["token"] == source.token and self._holds(known, before["size"]):
            return Received(source.name, known, before["size"], "inchangé")
        sha256, size = self._keep(root.chunks(source.path))
        received = Received(source.name, sha256, size, "inchangé")
        if known != sha256:
            received = Received(source.name, sha256, size, "modifié" if known else "nouveau", known)
            self._note(received, seen_at)  # before it is remembered: a crash in between notes it twice, loses nothing
        self._remember(memory, {"token": source.token, "sha256": sha256, "size": size})
        return received

    def twins(self, root: ExportsRoot, received: Received) -> list[str]:
        """Return the other paths of the root where the very content of a file was received, and still is."""
        memory = f"contenu-{hashlib.sha256(f'{root.url}|{received.sha256}'.encode()).hexdigest()[:32]}.json"
        paths: list[str] = self._recall(memory) or []
        if received.path not in paths:
            self._remember(memory, [*paths, received.path])
        others = [path for path in paths if path != received.path]
        return [path for path in others if self._is_there(root, path, received.sha256)]

    def _is_there(self, root: ExportsRoot, path: str, sha256: str) -> bool:
        before = self._recall(_memory(root, path)) or {}
        return before.get("sha256") == sha256 and bool(root.find(glob.escape(path), 0))

    def recognise(self, root: ExportsRoot, source: SourceFile) -> str | None:
        """Return the sha256 of ``source`` when it is surely what was archived under that name, else None.

        A look costs no reading while the token stands; a file of the same size under another token is hashed where it
        is. Nothing is archived or noted: what is not recognised is news for ``receive``.
        """
        memory = _memory(root, source.path)
        before = self._recall(memory)
        if not before or not self._holds(before["sha256"], before["size"]):
            return None
        sha256: str = before["sha256"]
        if source.token and before["token"] == source.token:
            return sha256
        if source.size not in (0, before["size"]):  # some storages tell no size
            return None
        if files.copy_hashed(root.chunks(source.path))[0] != sha256:
            return None
        self._remember(memory, {**before, "token": source.token})
        return sha256

    def _place(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    def _brought_again(self, sha256: str) -> bool:
        """Bring a content of which only this machine's copy is damaged; else set it aside, and return False.

        Where nothing may be written (a reader's machine), it stays: whoever receives it again replaces it.
        """
        if self._storage.sha256(_name(sha256)) == sha256:
            self._storage.fetch(_name(sha256), self._place(sha256))
            return True
        with contextlib.suppress(OSError):
            self._storage.copy(_name(sha256), f"{ROOM}/{DAMAGED}/{sha256}")
            self._storage.remove(_name(sha256))
            self._place(sha256).unlink(missing_ok=True)
        return False

    def _holds(self, sha256: str, size: int) -> bool:
        return self._storage.size(_name(sha256)) == size

    def _recall(self, memory: str) -> Any:
        content = self._storage.read(f"{ROOM}/{MEMORIES}/{memory}")
        return json.loads(content) if content else None

    def _remember(self, memory: str, data: Any) -> None:
        self._storage.write(f"{ROOM}/{MEMORIES}/{memory}", json.dumps(data).encode())

    def _keep(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Keep a content as it comes, never whole in memory; return its sha256 and its size in bytes."""
        arriving = self.folder / f".arrivant.{os.getpid()}"
        self.folder.mkdir(parents=True, exist_ok=True)
        with arriving.open("wb") as stream:
            sha256, size = files.copy_hashed(chunks, stream)
        sound = self._holds(sha256, size) and self._storage.sha256(_name(sha256)) == sha256
        place = self._place(sha256)
        place.parent.mkdir(exist_ok=True)
        arriving.replace(place)
        place.chmod(0o440)
        if not sound:
            self._storage.send(_name(sha256), place)
        return sha256, size

    def _note(self, received: Received, seen_at: datetime.datetime) -> None:
        line = json.dumps({"vu_le": seen_at.isoformat(timespec="seconds"), **asdict(received)}, ensure_ascii=False)
        digest = hashlib.sha256(line.encode()).hexdigest()
        self._storage.write(f"{MANIFEST}/{seen_at:%Y-%m-%dT%H%M%S}-{digest[:12]}.json", line.encode() + b"\n")


def _name(sha256: str) -> str:
    return f"{ROOM}/{sha256[:2]}/{sha256}"


def _memory(root: ExportsRoot, path: str) -> str:
    """Name what is remembered of a file at the source."""
    return f"{hashlib.sha256(f'{root.url}|{path}'.encode()).hexdigest()[:32]}.json"


def check_size(path: Path) -> None:
    """Raise UnusableFileError on a file too large to be read."""
    _check_bytes(path.stat().st_size)


def _check_bytes(size: int) -> None:
    if size > limits.LARGEST_FILE:
        raise UnusableFileError(
            "fichier-illisible",
            f"Le fichier pèse {french.size(size)} (limite : {french.size(limits.LARGEST_FILE)}) : "
            "démesuré pour un export. Découpez-le.",
        )
