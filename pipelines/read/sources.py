"""The exports root: a folder or any fsspec URL.

Finds the files that a layout declares, and says when one has changed.
"""

from __future__ import annotations

import glob
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import fsspec

from pipelines.read.limits import CHUNK

# What storages tell of a file's state: local disks, object stores (ETag), FTP, HTTP.
_SIGNS = (
    "mtime",
    "created",
    "ino",
    "ETag",
    "etag",
    "md5",
    "sha256",
    "LastModified",
    "last_modified",
    "modify",
    "updated",
)


class RootError(Exception):
    """The exports root itself can't be reached."""


@dataclass(frozen=True)
class SourceFile:
    """A file seen below the root: its path there, size in bytes, and a token that changes when the file does."""

    path: str
    size: int
    token: str


class ExportsRoot:
    """Read-only access to the exports. ``url`` is a folder or an fsspec URL; credentials come from the environment."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._filesystem, path = fsspec.core.url_to_fs(url)
            self._root = path.rstrip("/")
            reachable = self._filesystem.isdir(self._root)
        except (ImportError, ValueError, OSError) as error:
            reason = str(error) if isinstance(error, ImportError) else type(error).__name__  # it names the package
            raise RootError(f"dossier d'exports inaccessible : {without_secrets(url)} ({reason})") from error
        if not reachable:
            raise RootError(f"dossier d'exports introuvable : {without_secrets(url)}")

    def find(self, pattern: str, year: int) -> list[SourceFile]:
        """Return the files that match ``pattern``, in path order.

        ``{year}`` is filled in; ``*`` and ``?`` are as in a shell.
        """
        self._filesystem.invalidate_cache()  # some remember listings for as long as the process lives
        wanted = pattern.replace("{year}", str(year))
        if any(sign in wanted for sign in "*?["):
            found = self._filesystem.glob(f"{glob.escape(self._root)}/{wanted}", detail=True)
        else:
            found = self._exactly(wanted)
        files = [self._seen(path, info) for path, info in found.items() if info.get("type") == "file"]
        return sorted(files, key=lambda file: file.path)

    def _exactly(self, wanted: str) -> dict[str, Any]:
        """Return the file of that very path; its name may be written in another Unicode form (as Macs do)."""
        full = f"{self._root}/{wanted}"
        if self._filesystem.isfile(full):
            return {full: self._filesystem.info(full)}
        parent = full.rsplit("/", 1)[0]
        if full.isascii() or not self._filesystem.isdir(parent):
            return {}
        alike = unicodedata.normalize("NFC", full)
        listed = self._filesystem.ls(parent, detail=True)
        return {info["name"]: info for info in listed if unicodedata.normalize("NFC", info["name"]) == alike}

    def read(self, path: str) -> bytes:
        """Return the content of a file below the root."""
        return b"".join(self.chunks(path))

    def chunks(self, path: str) -> Iterator[bytes]:
        """Give the content of a file below the root piece by piece."""
        with self._filesystem.open(f"{self._root}/{path}", "rb") as stream:
            while chunk := stream.read(CHUNK):
                yield chunk

    def _seen(self, path: str, info: dict[str, Any]) -> SourceFile:
        relative = path[len(self._root) :].lstrip("/") if path.startswith(self._root) else path
        return SourceFile(relative, int(info.get("size") or 0), _token(info))


def _token(info: dict[str, Any]) -> str:
    """Return what changes when the file does, or nothing where the storage says no such thing: it is then read again.

    fsspec's own ``ukey`` is constant on HTTP, where files are assumed never to change.
    """
    signs = {name: str(info[name]) for name in _SIGNS if info.get(name) is not None}
    return json.dumps({**signs, "size": info.get("size")}, sort_keys=True) if signs else ""


def without_secrets(url: str) -> str:
    """Return a URL without its account, password and query: it may be shown."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.partition('?')[0].rsplit('@', 1)[-1]}" if separator else url
