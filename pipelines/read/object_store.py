"""Objects below an fsspec URL (S3, Azure, GCS, a shared disk…): each appears whole or not at all, without renaming.

What the objects mean, and in which order they are written, is decided elsewhere.
"""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.mechanics import files
from pipelines.read.listing import moment_of, on_disk
from pipelines.read.sources import RootError, filesystem_of, reaching, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable


class ObjectStore:
    """Objects by name below ``url``. Credentials and endpoint come from the environment of the storage's own library.

    Object storages put an object whole; for those which don't (SFTP, WebDAV), readers check sizes and hashes.
    """

    def __init__(self, url: str) -> None:
        with reaching(url, "stockage"):
            self._filesystem, self._root = filesystem_of(url)
        self._is_disk = on_disk(self._filesystem)
        self.url = without_secrets(url).rstrip("/")

    def check(self) -> None:
        """Write and remove an object; raises RootError when that can't be done."""
        probe = f".essai-{uuid.uuid4().hex}"
        try:
            self.write(probe, b"")
            self.remove(probe)
        except Exception as error:  # each storage has errors of its own
            raise RootError(f"impossible d'écrire dans {self.url} ({type(error).__name__} : {error})") from error

    def time(self) -> float:
        """Return what time it is (epoch seconds) by the clock of the storage; raises RootError as ``moments``."""
        probe = f".essai-{uuid.uuid4().hex}"
        self.write(probe, b"")
        try:
            return self._moment(self._filesystem.info(self._full(probe)))
        finally:
            self.remove(probe)

    def read(self, name: str) -> bytes | None:
        """Return the content of an object, or None if there is none."""
        try:
            content: bytes = self._filesystem.cat_file(self._full(name))
        except FileNotFoundError:
            return None
        return content

    def read_many(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of the objects that are there; asked for together where the storage can."""
        wanted = list(names)
        if not wanted:
            return {}
        paths = [self._full(name) for name in wanted]
        # ``cat_ranges`` gives an error in the place of its content, and, unlike ``cat``, asks for nothing else.
        answers: list[bytes | Exception] = self._filesystem.cat_ranges(paths, None, None, on_error="return")
        contents = {}
        for name, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, bytes):
                contents[name] = answer
            elif not isinstance(answer, FileNotFoundError):
                raise answer
        return contents

    def size(self, name: str) -> int | None:
        """Return the size of an object in bytes, or None if there is none."""
        self._filesystem.invalidate_cache()  # some remember listings for as long as the process lives
        try:
            return int(self._filesystem.info(self._full(name))["size"])
        except FileNotFoundError:
            return None

    def names(self, prefix: str) -> list[str]:
        """Return, sorted, the names of all objects below ``prefix`` (a folder)."""
        return sorted(self._below(prefix))

    def moments(self, prefix: str) -> dict[str, float]:
        """Return when each object below ``prefix`` was written (epoch seconds), by the clock of the storage.

        Raises RootError on a storage that doesn't tell it.
        """
        return {name: self._moment(info) for name, info in self._below(prefix).items()}

    def _below(self, prefix: str) -> dict[str, dict[str, Any]]:
        """Return what the storage says of each object below a folder, drafts left out."""
        self._filesystem.invalidate_cache()
        infos = self._filesystem.find(self._full(prefix), detail=True)
        names = {path[len(self._root) + 1 :]: info for path, info in infos.items()}
        return {name: info for name, info in names.items() if not name.rpartition("/")[2].startswith(_DRAFT)}

    def _moment(self, info: dict[str, Any]) -> float:
        moment = moment_of(info, _MOMENTS)
        if moment is None:
            raise RootError(f"{self.url} : ce stockage ne dit pas quand ses fichiers ont été écrits")
        return moment

    def write(self, name: str, content: bytes) -> None:
        """Write an object, in the place of the one there was."""
        if not self._is_disk:
            self._filesystem.pipe_file(self._full(name), content)
            return
        place = Path(self._full(name))
        with files.replacing(place, _draft_name(place)) as draft:
            draft.write_bytes(content)

    def create(self, name: str, content: bytes) -> bool:
        """Write an object unless there is one: of several writers at once, exactly one is told True.

        On storages without conditional writes (SFTP, WebDAV), two at the same instant may both be told so.
        """
        try:
            if self._is_disk:
                place = Path(self._full(name))
                with files.draft_of(place, _draft_name(place)) as draft:
                    draft.write_bytes(content)
                    place.hardlink_to(draft)
            elif self.size(name) is None:  # asked first, for storages that ignore the mode
                self._filesystem.pipe_file(self._full(name), content, mode="create")
            else:
                return False
        except FileExistsError:
            return False
        return True

    def sha256(self, name: str) -> str | None:
        """Return the SHA-256 of an object, read where it is; None if there is none."""
        try:
            with self._filesystem.open(self._full(name), "rb") as stream:
                return files.copy_hashed(files.chunks(stream))[0]
        except FileNotFoundError:
            return None

    def send(self, name: str, path: Path) -> None:
        """Copy a local file to an object, unless it is that object."""
        if not self._is_disk:
            self._filesystem.put_file(str(path), self._full(name))
            return
        place = Path(self._full(name))
        if place.exists() and place.samefile(path):
            return
        with files.replacing(place, _draft_name(place)) as draft:
            shutil.copyfile(path, draft)

    def fetch(self, name: str, path: Path) -> None:
        """Copy an object to a local file, whole or not at all; raises FileNotFoundError if there is none."""
        with files.replacing(path, _draft_name(path)) as draft:
            self._filesystem.get_file(self._full(name), str(draft))

    def copy(self, name: str, target: str) -> None:
        """Copy an object to another name, without passing through this machine where the storage can."""
        if self._is_disk:
            self.send(target, Path(self._full(name)))
        else:
            self._filesystem.cp_file(self._full(name), self._full(target))

    def remove(self, name: str) -> None:
        """Remove an object that is there."""
        self._filesystem.rm_file(self._full(name))

    def sweep(self) -> None:
        """Remove, on a disk, the drafts that writers who died left more than a day ago; elsewhere there are none."""
        if not self._is_disk:
            return
        old = self.time() - _A_DAY
        for path in Path(self._root).rglob(f"{_DRAFT}*"):
            if path.stat().st_mtime < old:
                path.unlink(missing_ok=True)

    def _full(self, name: str) -> str:
        return f"{self._root}/{name}"


_DRAFT = ".brouillon-"
_A_DAY = 86400  # seconds: no writer is that slow
_MOMENTS = ("LastModified", "last_modified", "modified", "updated", "mtime", "created")  # as each storage names it


def _draft_name(final: Path) -> str:
    return f"{_DRAFT}{final.name}.{uuid.uuid4().hex}.{os.getpid()}"
