"""What lies below the exports root: folders listed once, files found by pattern, links and leftovers set aside.

Leftovers are what systems, editors, transfers and synchronisation leave in a folder: only their names are looked at. A
look at the root is one ``Listing``: it remembers the folders that it listed, hence never lives longer than the look.
"""

from __future__ import annotations

import datetime
import fnmatch
import json
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from pipelines.compile.exports import workbooks_for
from pipelines.mechanics import limits
from pipelines.mechanics.plain_text import table_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsspec import AbstractFileSystem

Leftover = Literal["système", "verrou", "transfert", "conflit", "ancien"]
_WILD = re.compile(r"[*?[]")
# What storages tell of a file's state: local disks, object stores (ETag), FTP, HTTP.
_SIGNS = (
    "mtime", "created", "ino", "ETag", "etag", "md5", "sha256", "LastModified", "last_modified", "modify", "updated",
)  # fmt: skip
_FOLDERS = frozenset({
    "__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found", "recycler",
})  # fmt: skip
_SYSTEM = frozenset({"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r", "ntuser.dat"})
_LOCKS = ("~$", ".~lock.", ".~")
# Browsers, WinSCP, FileZilla, rsync and office suites write under these endings before they give the final name.
_TRANSFERS = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".filepart", ".opdownload", ".!ut")
_OLD = (".bak", ".old", ".orig", ".swp", ".swo", "~")
_SHORTCUTS = (".lnk", ".url", ".webloc", ".desktop")
_CONFLICT = re.compile(
    r"""\.sync-conflict-\d{8}-\d{6}                      # Syncthing
      | _conflict-\d{8}-\d{6}                            # ownCloud
      | \([^()]*(?:conflicted\ copy|case\ conflict|sfconflict|copie\ conflictuelle|copie\ en\ conflit
                  |en\ conflit|conflit)\b[^()]*\)        # Nextcloud, Dropbox, Seafile
      | (?-i:-(?:DESKTOP|LAPTOP|WIN)-[A-Z0-9]{5,}(?=\.|$))   # OneDrive adds the name of the machine
    """,
    re.VERBOSE | re.IGNORECASE,
)


def leftover(name: str) -> Leftover | None:
    """Return the kind of leftover that a file is by its name (no folder), or None for a file that was handed over.

    ``conflit``: the other copy of a file changed in two places at once, which its owner may want to look at.
    """
    plain = name.casefold()
    if _CONFLICT.search(name):
        return "conflit"
    if plain.startswith(_LOCKS):
        return "verrou"
    if plain.endswith(_TRANSFERS):
        return "transfert"
    if plain in _SYSTEM or plain.startswith(".") or plain.endswith(_SHORTCUTS):
        return "système"
    return "ancien" if plain.endswith(_OLD) or (plain.startswith("#") and plain.endswith("#")) else None


def leftover_folder(name: str) -> bool:
    """Tell whether a folder is one of a system's or a tool's own: nothing in it was handed over."""
    return name.startswith(".") or name.casefold() in _FOLDERS


def leftover_path(path: str) -> bool:
    """Tell whether a path (in an archive) is a leftover, by its name or by one of its folders."""
    *folders, name = path.rstrip("/").split("/")
    return leftover(name) is not None or any(leftover_folder(folder) for folder in folders)


def on_disk(filesystem: AbstractFileSystem) -> bool:
    """Tell whether a filesystem is that of this machine."""
    from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415

    return isinstance(filesystem, LocalFileSystem)


@dataclass(frozen=True)
class SourceFile:
    """A file seen below the root: its path there, size in bytes, and a token that changes when the file does.

    ``expected`` is what the layout declares when the file's name differs from it by the case of letters, else empty.
    ``modified`` (epoch seconds) is known where files are written little by little, as on disks: not of object stores.
    """

    path: str
    size: int
    token: str
    expected: str = ""
    modified: float | None = None

    @property
    def name(self) -> str:
        """The path as it is told and published; only who opens the file needs it as it is written."""
        return table_text(self.path)


@dataclass(frozen=True)
class Entry:
    """What a folder holds under one name; its ``kind`` is ``file``, ``directory``, ``link``, or another."""

    name: str
    path: str
    kind: str
    info: dict[str, Any] = field(repr=False)


class Listing:
    """One look below the root. ``links`` fills with the links met: none is followed, wherever it leads."""

    def __init__(self, filesystem: AbstractFileSystem, root: str) -> None:
        filesystem.invalidate_cache()  # some remember listings for as long as the process lives
        self._filesystem, self._root = filesystem, root
        self._folders: dict[str, list[Entry]] = {}
        self.links: set[str] = set()
        self.unreadable: set[str] = set()

    def find(self, pattern: str, year: int, others: Iterable[str] = ()) -> list[SourceFile]:
        """Return the files that match ``pattern``, in path order.

        ``{year}`` is filled in; ``*`` and ``?`` are as in a shell. Names may be written in another Unicode form (as
        Macs do), and in other cases where no file has the very case that is declared. Leftovers match no wildcard.
        A filled template, whose name differs by its ending, is found where no declared file has its name, and where it
        is none of the files of the ``others`` (patterns).
        """
        wanted = pattern.replace("{year}", str(year))
        files = self._files(wanted)
        for filled in workbooks_for(wanted):
            names = {_without_ending(file.path) for file in files}
            unnamed = [file for file in self._files(filled) if _without_ending(file.path) not in names]
            files += [file for file in unnamed if not self._is_one_of(file, others, year)]
        return sorted(files, key=lambda file: file.path)

    def _is_one_of(self, file: SourceFile, patterns: Iterable[str], year: int) -> bool:
        wanted = (pattern.replace("{year}", str(year)) for pattern in patterns)
        return any(file.path == other.path for pattern in wanted for other in self._files(pattern))

    def _files(self, wanted: str) -> list[SourceFile]:
        entries = {entry.path: entry for entry in self._below("", wanted.split("/")) if entry.kind == "file"}
        return [self._source(entry, wanted) for entry in entries.values()]

    def files(self) -> Iterator[Entry]:
        """Yield every file below the root but leftovers and what is behind links, folder by folder.

        A folder that can't be listed is left out, and named in ``unreadable``.
        """
        folders, count = [""], 0
        while folders and count < limits.MOST_LOOKED_AT:
            folder = folders.pop()
            try:
                entries = self.entries(folder)
            except OSError:
                self.unreadable.add(folder)
                continue
            for entry in entries:
                count += 1
                if entry.kind == "directory" and not leftover_folder(entry.name):
                    folders.append(entry.path)
                elif entry.kind == "file":
                    yield entry

    def entries(self, folder: str) -> list[Entry]:
        """Return what a folder holds, by name; nothing when there is no such folder."""
        if folder not in self._folders:
            place = self._place(folder)
            try:
                listed = self._filesystem.ls(place, detail=True)
            except (FileNotFoundError, NotADirectoryError):
                listed = []
            # Object stores may list the folder itself, as an empty object.
            below = [info for info in listed if str(info["name"]).strip("/") != place.strip("/")]
            entries = [_entry(folder, str(info["name"]).rstrip("/").rpartition("/")[2], info) for info in below]
            self._folders[folder] = sorted(entries, key=lambda entry: entry.name)
            self.links |= {entry.path for entry in entries if entry.kind == "link"}
        return self._folders[folder]

    def _below(self, folder: str, segments: list[str]) -> Iterator[Entry]:
        segment, *rest = segments
        if segment == "**" and rest:
            yield from self._below(folder, rest)
            for entry in self.entries(folder):
                if entry.kind == "directory" and not leftover_folder(entry.name):
                    yield from self._below(entry.path, segments)
            return
        for entry in self._matching(folder, segment, is_last=not rest):
            if not rest:
                yield entry
            elif entry.kind == "directory":
                yield from self._below(entry.path, rest)

    def _matching(self, folder: str, segment: str, *, is_last: bool) -> list[Entry]:
        """Return what a part of a pattern stands for in a folder.

        Of the names that differ by case only, the one that is declared; of several that aren't, none: which is right?
        """
        wild = _WILD.search(segment) is not None
        groups: dict[str, list[Entry]] = {}
        for entry in self.entries(folder):
            if wild and (leftover(entry.name) if is_last else leftover_folder(entry.name)):
                continue
            if matches(entry.name.casefold(), segment.casefold()):
                groups.setdefault(_composed(entry.name).casefold(), []).append(entry)
        if not groups and not wild:
            return self._unlisted(folder, segment)
        several = wild or not is_last  # a folder may be there in two Unicode forms, each with files
        return [entry for group in groups.values() for entry in _preferred(group, segment, several=several)]

    def _unlisted(self, folder: str, name: str) -> list[Entry]:
        """Return a file that its storage doesn't list (pages of the web); disks list all that they hold."""
        if on_disk(self._filesystem):
            return []
        try:
            info = self._filesystem.info(f"{self._place(folder)}/{name}")
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [_entry(folder, name, info)]

    def _place(self, folder: str) -> str:
        return f"{self._root}/{folder}" if folder else self._root

    def _source(self, entry: Entry, wanted: str) -> SourceFile:
        info = entry.info
        if not _token(info):
            info = self._filesystem.info(f"{self._root}/{entry.path}")
        exact = all(map(matches, entry.path.split("/"), wanted.split("/"))) or "**" in wanted
        size, expected = int(info.get("size") or 0), "" if exact else wanted
        return SourceFile(entry.path, size, _token(info), expected, moment_of(info, ("mtime",)))


def _entry(folder: str, name: str, info: dict[str, Any]) -> Entry:
    kind = "link" if info.get("islink") else str(info.get("type"))
    return Entry(name, f"{folder}/{name}" if folder else name, kind, info)


def _preferred(group: list[Entry], segment: str, *, several: bool) -> list[Entry]:
    exact = [entry for entry in group if matches(entry.name, segment)]
    if several or not exact:
        return exact or (group if len(group) == 1 else [])
    return [entry for entry in exact if entry.name == segment] or exact[:1]


def matches(name: str, segment: str) -> bool:
    """Tell whether a name is of a part of a pattern, in any Unicode form; letters are in the case declared."""
    return _pattern(_composed(segment)).match(_composed(name)) is not None


@cache
def _pattern(segment: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(segment))


def _without_ending(path: str) -> str:
    folder, _, name = _composed(path).casefold().rpartition("/")
    return f"{folder}/{name.partition('.')[0]}"


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _token(info: dict[str, Any]) -> str:
    """Return what changes when the file does, or nothing where the storage says no such thing: it is then read again.

    fsspec's own ``ukey`` is constant on HTTP, where files are assumed never to change.
    """
    signs = {name: str(info[name]) for name in _SIGNS if info.get(name) is not None}
    return json.dumps({**signs, "size": info.get("size")}, sort_keys=True) if signs else ""


def moment_of(info: dict[str, Any], words: Iterable[str]) -> float | None:
    """Return when a file was written (epoch seconds), by the first of the ``words`` that its storage tells."""
    moment = next((info[word] for word in words if info.get(word) is not None), None)
    if isinstance(moment, str):
        try:
            moment = datetime.datetime.fromisoformat(moment)
        except ValueError:  # written some other way
            return None
    if isinstance(moment, datetime.datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
    return None if moment is None else float(moment)
