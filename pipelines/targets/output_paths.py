"""The folders of one output, as publication uses them: where releases are read, and what it keeps of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rooms:
    """The folders of one output: releases are read; the rest is written."""

    output: Path

    @property
    def releases(self) -> Path:
        """Releases by dataset and version."""
        return self.output / "releases"

    @property
    def catalogue(self) -> Path:
        """The local target: files of the latest releases, under paths that stay."""
        return self.output / "catalogue"

    @property
    def renditions(self) -> Path:
        """Archives, yearly files and documents with links made from the releases."""
        return self.output / "renditions"

    @property
    def acceptances(self) -> Path:
        """Plans accepted by a person."""
        return self.output / "acceptances"

    @property
    def intact(self) -> Path:
        """What is remembered of the releases that were read whole and found as they were made."""
        return self.output / "work" / "intactes.json"

    def record(self, target: str) -> Path:
        """Page and version of what was last published to a target."""
        return self.output / "targets" / f"{file_name(target)}.json"

    def lock(self, target: str) -> Path:
        """Lock of a target."""
        return self.output / "targets" / f".{file_name(target)}.lock"


def file_name(target: str) -> str:
    """Return a file name for a target: letters, digits and dashes."""
    kept = [character if character.isalnum() else "-" for character in target.rpartition("://")[2].rstrip("/").lower()]
    return "".join(kept)
