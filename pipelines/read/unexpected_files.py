"""The files of an exports root that no declaration expects, each with what it looks like. Nothing is read here.

Leftovers of systems are no files; conflict copies and files that transfers left are told apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.mechanics.plain_text import table_text
from pipelines.mechanics.spelling import unaccented
from pipelines.read.listing import leftover, matches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.read.listing import Listing

_NOTICES = re.compile(r"(readme|lisez[-_ ]?moi|source|licence|license|provenance)\b.*|.*\.md", re.IGNORECASE)
_COPY = re.compile(r"\s*\((\d+|copie|copy)\)|\s+-\s+(copie|copy)\b.*?(?=\.|$)")
_ASIDE = {"conflit": "conflicts", "transfert": "transfers", "ancien": "old"}


@dataclass(frozen=True)
class Unexpected:
    """A file that nothing expects, and what it looks like (French, or nothing)."""

    path: str
    hint: str


@dataclass
class Folder:
    """What is worth telling of an exports root; paths are below it, and can be shown."""

    unexpected: list[Unexpected] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    transfers: list[str] = field(default_factory=list)
    old: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def look_at(listing: Listing, expected: Iterable[tuple[str, int]]) -> Folder:
    """Say what lies below a root beside the files that ``expected`` (patterns and their years) find."""
    patterns = list(dict.fromkeys(expected))
    declared = {path for pattern, year in patterns for path in _paths(listing, pattern, year)}
    forms = [_Form(pattern) for pattern in dict.fromkeys(pattern for pattern, _ in patterns)]
    folder = Folder()
    for entry in listing.files():
        kind = leftover(entry.name)
        if kind in _ASIDE:
            getattr(folder, _ASIDE[kind]).append(table_text(entry.path))
        elif kind is None and entry.path not in declared and not _NOTICES.fullmatch(entry.name):
            folder.unexpected.append(Unexpected(table_text(entry.path), _hint(entry.path, forms)))
    folder.unexpected.sort(key=lambda file: (not file.hint, file.path))
    folder.links = sorted(table_text(path) for path in listing.links)
    folder.unreadable = sorted(table_text(path) for path in listing.unreadable)
    return folder


def _paths(listing: Listing, pattern: str, year: int) -> list[str]:
    """Return the paths that a pattern finds; a folder that can't be read hides its own files alone."""
    try:
        return [file.path for file in listing.find(pattern, year)]
    except PermissionError:
        return []


class _Form:
    """A declared pattern, as loosely as people write: no case, no accent, no sign of a copy, any year."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._loose = [re.sub(r"\{year\}", "[0-9][0-9][0-9][0-9]", part) for part in _plain(pattern).split("/")]

    def matches(self, path: str, *, extension: bool) -> bool:
        parts, loose = _plain(path).split("/"), self._loose
        if not extension:
            parts, loose = [*parts[:-1], _stem(parts[-1])], [*loose[:-1], _stem(loose[-1])]
        return len(parts) == len(loose) and all(map(matches, parts, loose))


def _hint(path: str, forms: list[_Form]) -> str:
    likenesses = {True: "nom écrit autrement, autre copie, ou année qui n'est pas déclarée", False: "autre format"}
    for extension, likeness in likenesses.items():
        for form in forms:
            if form.matches(path, extension=extension):
                return f"ressemble à « {form.pattern} » : {likeness}"
    return ""


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", "-", _COPY.sub("", unaccented(text)))
