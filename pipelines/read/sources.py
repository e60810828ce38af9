"""The exports root: a folder or any fsspec URL, its files read one by one, YAML of few bytes as plain data.

Which files there are, and whether they changed, is seen by its ``Listing``.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import yaml

from pipelines.mechanics import limits
from pipelines.mechanics.files import chunks
from pipelines.read.listing import Listing, SourceFile, on_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsspec import AbstractFileSystem

__all__ = ["ExportsRoot", "OutsideYamlError", "RootError", "SourceFile", "read_outside", "without_secrets"]


class RootError(Exception):
    """The exports root, or a storage, can't be reached."""


class LinkError(OSError):
    """What was listed as a file is a link by the time it is opened: it is not followed."""


class OutsideYamlError(Exception):
    """Why a YAML file from outside isn't read, in French."""


@contextmanager
def reaching(url: str, what: str) -> Iterator[None]:
    """Raise RootError when ``what`` (French) lies where nothing can be reached; its secrets are not told."""
    try:
        yield
    except (ImportError, ValueError, OSError) as error:
        reason = str(error) if isinstance(error, ImportError) else type(error).__name__  # it names the package
        raise RootError(f"{what} inaccessible : {without_secrets(url)} ({reason})") from error


def filesystem_of(url: str) -> tuple[AbstractFileSystem, str]:
    """Return the filesystem of a folder or an fsspec URL, and the path there."""
    from fsspec.core import url_to_fs  # noqa: PLC0415  (a file that is checked alone is opened without it)

    filesystem, path = url_to_fs(url)
    return filesystem, path.rstrip("/")


class ExportsRoot:
    """Read-only access to the exports. ``url`` is a folder or an fsspec URL; credentials come from the environment."""

    def __init__(self, url: str) -> None:
        self.url = url
        with reaching(url, "dossier d'exports"):
            self._filesystem, self._root = filesystem_of(url)
            is_there = self._filesystem.isdir(self._root)
        if not is_there:
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
        is_disk = on_disk(self._filesystem)
        with _open_below(self._root, path) if is_disk else self._filesystem.open(f"{self._root}/{path}") as stream:
            yield from chunks(stream)


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


def read_outside(content: bytes) -> Any:
    """Return the data of a YAML document; raises OutsideYamlError, and nothing else, whatever the bytes.

    Aliases are refused: a few lines of them stand for gigabytes.
    """
    if len(content) > limits.LARGEST_OUTSIDE_YAML:
        raise OutsideYamlError(f"il pèse plus de {limits.LARGEST_OUTSIDE_YAML // 1024} ko")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OutsideYamlError("il n'est pas encodé en UTF-8") from error
    try:
        _check(text)
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise OutsideYamlError(f"ce n'est pas du YAML (ligne {mark.line + 1 if mark else 1})") from error
    except OutsideYamlError:
        raise
    except Exception as error:  # a value that isn't of the kind that its mark says makes PyYAML itself fail, in any way
        raise OutsideYamlError("une de ses valeurs ne peut pas être lue") from error


def _check(text: str) -> None:
    """Go through the document piece by piece, before anything of it is built."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise OutsideYamlError("il contient une référence « * »")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > limits.DEEPEST_OUTSIDE_YAML:
            raise OutsideYamlError(f"ses blocs s'emboîtent sur plus de {limits.DEEPEST_OUTSIDE_YAML} niveaux")
