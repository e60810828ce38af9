"""The exports root: a folder or any fsspec URL.

Reads the files that lie there; which ones, and whether they changed, is seen by its ``Listing``.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipelines.mechanics.files import chunks
from pipelines.read.listing import Listing, SourceFile, filesystem_of, on_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ExportsRoot", "RootError", "SourceFile", "without_secrets"]


class RootError(Exception):
    """The exports root itself can't be reached."""


class LinkError(OSError):
    """What was listed as a file is a link by the time it is opened: it is not followed."""


class ExportsRoot:
    """Read-only access to the exports. ``url`` is a folder or an fsspec URL; credentials come from the environment."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._filesystem, path = filesystem_of(url)
            self._root = path.rstrip("/")
            reachable = self._filesystem.isdir(self._root)
        except (ImportError, ValueError, OSError) as error:
            reason = str(error) if isinstance(error, ImportError) else type(error).__name__  # it names the package
            raise RootError(f"dossier d'exports inaccessible : {without_secrets(url)} ({reason})") from error
        if not reachable:
            raise RootError(f"dossier d'exports introuvable : {without_secrets(url)}")

    def listing(self) -> Listing:
        """Begin a look: what it lists is remembered until its end."""
        return Listing(self._filesystem, self._root)

    def find(self, pattern: str, year: int) -> list[SourceFile]:
        """Return the files that match ``pattern`` for a year, as they are now (see ``Listing.find``)."""
        return self.listing().find(pattern, year)

    def read(self, path: str) -> bytes:
        """Return the content of a file below the root."""
        return b"".join(self.chunks(path))

    def chunks(self, path: str) -> Iterator[bytes]:
        """Give the content of a file below the root piece by piece; raises LinkError rather than follow a link."""
        with self._open(path) as stream:
            yield from chunks(stream)

    def _open(self, path: str) -> IO[bytes]:
        if on_disk(self._filesystem):
            return _open_below(self._root, path)
        opened: IO[bytes] = self._filesystem.open(f"{self._root}/{path}", "rb")
        return opened


def _open_below(root: str, path: str) -> IO[bytes]:
    """Open a file of a disk, folder by folder: a link put there since it was listed leads nowhere."""
    if not hasattr(os, "O_NOFOLLOW"):  # no such thing on Windows, where the listing is all there is
        return Path(root, path).open("rb")
    *folders, name = path.split("/")
    place = os.open(root or "/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
            os.close(place)
            place = below
        opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)  # a pipe would wait for ever
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        raise LinkError(f"« {path} » est, ou traverse, un lien : il n'est pas suivi") from error
    finally:
        os.close(place)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise LinkError(f"« {path} » n'est pas un fichier")
    return os.fdopen(opened, "rb")


def without_secrets(url: str) -> str:
    """Return a URL without its account, password and query: it may be shown."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.partition('?')[0].rsplit('@', 1)[-1]}" if separator else url
