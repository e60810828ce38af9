"""What a target is: somewhere that releases go, in one part or several, each planned, applied, then read back.

What is given to it: declarations, and the folders of an output, where releases are read and it keeps something of its
own; what comes of it: a plan, then a report. A new target is a folder beside ``folder`` and ``udata``, and one line of
``KINDS`` in ``pipelines.flow.publish``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pipelines.declarations import Catalogue
from pipelines.release.gates import Gate
from pipelines.targets.plan import Action, Plan

Progress = Callable[[str], None]
# Gates of a release before it leaves: declarations, dataset, release that the target has (None: unknown), new one.
Judge = Callable[[Catalogue, str, Path | None, Path], Iterable[Gate]]
Secret = Callable[[str], str | None]  # the value of a setting, None when it isn't given; raises TargetError


class TargetError(Exception):
    """The target or the way to it is not given right; the message says in French what to write."""


@dataclass(frozen=True)
class Source:
    """What is published: declarations, folders of an output, the warning that goes with invented data."""

    catalogue: Catalogue
    rooms: Rooms
    synthetic: str | None = None


@dataclass(frozen=True)
class Preview:
    """What a target made of a published file, in French; ``failed``: a reader has no preview and will not get one."""

    key: str
    title: str
    state: str
    detail: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Report:
    """What came of a publication. ``problems`` says what is not as it should be.

    ``applied`` is False when the plan waits for a person.
    """

    plan: Plan
    applied: bool
    done: tuple[Action, ...] = ()
    problems: tuple[str, ...] = ()
    page: str = ""
    quality: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the target now holds the offer, whole."""
        return self.applied and not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "plan": self.plan.to_json(),
            "applied": self.applied,
            "succeeded": self.succeeded,
            "done": [action.sentence for action in self.done],
            "problems": list(self.problems),
            "page": self.page,
            "quality": self.quality,
        }


class Prepared(Protocol):
    """A plan, made from what the target holds now, and how it is carried out."""

    @property
    def plan(self) -> Plan:
        """What would be done."""

    def apply(self, progress: Progress, /) -> Report:
        """Carry the plan out and read all again; raises PublicationError when a step can't be done.

        What was done stays, and the next publication goes on from there. An empty plan writes nothing.
        """


class Target(Protocol):
    """Where releases go, as it is opened for one publication or more."""

    @property
    def address(self) -> str:
        """What tells it from all others; plans and the lock name it so."""

    @property
    def parts(self) -> tuple[str, ...]:
        """What is planned and brought one after the other: its datasets, or a name for all of them."""

    def prepare(self, part: str, /) -> Prepared | None:
        """Read the target and plan a part, None when nothing of it was released.

        Raises PublicationError when it can't be read or can't hold the part, or when a release was altered.
        """

    def previews(self, part: str, /) -> list[Preview]:
        """Return what the target made of the files last published there."""


@dataclass(frozen=True)
class TargetKind:
    """A sort of target. ``remote``: reached with a key, and published to at night only where somebody allowed it.

    ``open`` takes the name that people give, what is published and the settings; it raises TargetError when the target
    is not given right.
    """

    open: Callable[[str, Source, Secret], Target]
    remote: bool


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

    @property
    def digests(self) -> Path:
        """What is remembered of the files that were read whole to be compared with those of a platform."""
        return self.output / "work" / "empreintes.json"

    def record(self, target: str) -> Path:
        """Page and version of what was last published to a target."""
        return self.output / "targets" / f"{file_name(target)}.json"

    def lock(self, target: str) -> Path:
        """Lock of a target."""
        return self.output / "targets" / f".{file_name(target)}.lock"


def file_name(target: str) -> str:
    """Return a file name for a target: letters, digits and dashes."""
    place = target.rpartition("://")[2].rstrip("/").lower()
    return "".join(character if character.isalnum() else "-" for character in place)
