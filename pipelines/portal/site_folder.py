"""The folder of the site: what is in it, and only what differs written again. What pages say is not here.

``pages.csv`` lists every file with the digest of its content; a group of pages (a network) whose sources didn't change
is kept without being made again. A file tells the version from which it was written: not written again, it keeps it.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING

from pipelines.release.history import IN_PROGRESS
from pipelines.release.written_files import PUBLIC_FILE, public_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECORD = "pages.csv"
VERSION = "\ue000"  # stands in a page for the version that it is written from: no part of what it says
COLUMNS = ("adresse", "groupe", "sources", "empreinte", "version", "etat")
ONLINE, RETIRED = "en ligne", "retirée"


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of the site: its group, the digests of the group's sources and its own, the version it comes from."""

    group: str
    sources: str
    digest: str
    version: str
    state: str = ONLINE


@dataclass
class SiteFolder:
    """The folder being brought to a release: ``put`` each file of a group, or ``keep`` the group; then ``close``."""

    root: Path
    version: str
    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._before = _record(self.root / RECORD)
        self._lost = set(self._before)  # listed, and not there
        self._lost.difference_update(_files(self.root) if self._before else ())
        self._now: dict[str, Kept] = {}
        self._folders: set[Path] = set()
        self._touched = False

    @property
    def addresses(self) -> list[str]:
        """Every file of the site so far, those that were retired aside."""
        return [address for address, kept in self._now.items() if kept.state == ONLINE]

    def keep(self, group: str, sources: str) -> bool:
        """Keep all files of a group, if they are there and come from the same sources; else say False."""
        kept = {address: found for address, found in self._before.items() if found.group == group}
        if not kept or any(found.sources != sources for found in kept.values()) or kept.keys() & self._lost:
            return False
        self._now |= kept
        return True

    def put(self, address: str, text: str, group: str, sources: str, state: str = ONLINE) -> None:
        """Write a file, unless what it says is what it said already."""
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        before = self._before.get(address)
        if before and before.digest == digest and address not in self._lost:
            self._now[address] = replace(before, group=group, sources=sources, state=state)
            return
        self._write(address, text.replace(VERSION, self.version).encode())
        self._now[address] = Kept(group, sources, digest, self.version, state)
        self.written.append(address)

    def place(self, address: str, file: Path, digest: str, group: str, sources: str) -> None:
        """Show a copy of a file of the release, or the very file where it is one of the site's already."""
        before = self._before.get(address)
        if not (before and digest and before.digest == digest[:32] and address not in self._lost):
            self._touch()
            path = self.root / address
            self._folder(path.parent)
            path.unlink(missing_ok=True)
            if file.is_relative_to(self.root):
                _link_or_copy(file, path)
            else:  # a link would change what the disk tells of the release: it'd be read again
                shutil.copyfile(file, path)
            path.chmod(PUBLIC_FILE)
            self.written.append(address)
        self._now[address] = Kept(group, sources, digest[:32], self.version)

    def close(self, gone: Callable[[str], str]) -> None:
        """Retire what is no longer due, a page by a text that says so (``gone``); write the list."""
        for address in [address for address in self._before if address not in self._now]:
            if address.endswith(".html"):
                self.put(address, gone(address), RETIRED, "", RETIRED)
            else:
                self._touch()
                (self.root / address).unlink(missing_ok=True)
                self.removed.append(address)
        if self._touched or self._now != self._before:
            self._write(RECORD, _lines(self._now))

    def _touch(self) -> None:
        """Forget the list before the first change: after a crash, all is written again rather than wrongly kept."""
        if not self._touched:
            self._touched = True
            (self.root / RECORD).unlink(missing_ok=True)

    def _write(self, address: str, content: bytes) -> None:
        self._touch()
        path = self.root / address
        self._folder(path.parent)
        draft = self.root / IN_PROGRESS  # a new file in a new folder costs ten times one in an old folder, then moved
        with draft.open("wb") as stream:
            stream.write(content)
            os.fchmod(stream.fileno(), PUBLIC_FILE)
        draft.replace(path)

    def _folder(self, folder: Path) -> None:
        if folder not in self._folders:
            public_folder(folder, self.root)
            self._folders.add(folder)


def _link_or_copy(file: Path, path: Path) -> None:
    try:
        path.hardlink_to(file)
    except OSError:  # a disk that knows no links
        shutil.copyfile(file, path)


def _record(path: Path) -> dict[str, Kept]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream)
            if tuple(next(rows, ())) != COLUMNS:
                return {}
            return {address: _kept(*others) for address, *others in rows}
    except (OSError, UnicodeDecodeError, TypeError, csv.Error):
        return {}  # all is written again


def _kept(group: str, sources: str, digest: str, version: str, state: str) -> Kept:
    """Return a line of the list: texts that many lines share are held once, as a large site has 200 000 of them."""
    return Kept(intern(group), intern(sources), digest, intern(version), intern(state))


def _lines(kept: dict[str, Kept]) -> bytes:
    rows = [",".join(COLUMNS)]
    rows += [
        f"{address},{one.group},{one.sources},{one.digest},{one.version},{one.state}"
        for address, one in sorted(kept.items())
    ]
    return ("\n".join(rows) + "\n").encode()


def _files(root: Path) -> Iterator[str]:
    """Yield the address of every file, as ``pages.csv`` writes it."""
    home = str(root)
    for folder, _, names in os.walk(home):
        within = os.path.relpath(folder, home)
        prefix = "" if within == "." else f"{Path(within).as_posix()}/"
        yield from (prefix + name for name in names)
