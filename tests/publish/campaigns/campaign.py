"""Publications of a small dataset that are disturbed, then left in peace: what every campaign needs.

What disturbs them (a faulty proxy, a kill) is in the tests; what must be true at the end is here, the same for all.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import requests
from published_state import State, duplicates, published_state
from udata_server.server import Publisher, Udata

from pipelines.declarations import Catalogue
from pipelines.publish.errors import PublicationError
from pipelines.publish.publication import Platform, Report, Workplace, publish
from pipelines.publish.udata.client import Udata as Client
from pipelines.publish.udata.transport import Transport

PATIENT = 60.0  # seconds, for whoever is left in peace
CHUNK = 16_000  # bytes: the largest file of the subject is sent in two parts
STAGES = ("first", "update")


def without_sleep(_: float) -> None:
    """Lose no time between two attempts."""


@dataclass(frozen=True)
class Subject:
    """What is published: folders of releases, one for each stage, and a folder where publications may work."""

    catalogue: Catalogue
    dataset: str
    releases: tuple[Path, Path]
    home: Path


@dataclass
class Campaign:
    """Publications of a subject to one server, through a proxy or not, always from the same state of the server.

    The stage "update" starts when the first release is published, "first" when nothing is. `seconds` and `calls` say
    what each takes when nothing disturbs it.
    """

    subject: Subject
    udata: Udata
    address: str
    on_sleep: Callable[[float], None] = without_sleep
    seconds: dict[str, float] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    answers: int = 0  # that the client got

    def __post_init__(self) -> None:
        self.udata.restore()
        self.publisher: Publisher = self.udata.publisher()
        self.starts = {"first": (self.udata.keep(), Path(mkdtemp(dir=self.subject.home)))}
        self.references: dict[str, State] = {}
        for stage, following in (("first", "update"), ("update", "end")):
            self.answers, began = 0, time.monotonic()
            output = self.output(stage)
            report = self.publish(output)
            self.seconds[stage], self.calls[stage] = time.monotonic() - began, self.answers
            assert report.succeeded, (report.problems, report.warnings)
            self.references[stage] = self.state()
            kept = Path(mkdtemp(dir=self.subject.home))
            shutil.copytree(output / "targets", kept / "targets")
            self.starts[following] = self.udata.keep(), kept

    def start(self, stage: str) -> Path:
        """Bring the server to the start of a stage; return the output folder as it was then."""
        self.udata.restore(self.starts[stage][0])
        return self.output(stage)

    def output(self, stage: str) -> Path:
        """Return a new output folder at the start of a stage."""
        output = Path(mkdtemp(dir=self.subject.home))
        (output / "releases").symlink_to(self.subject.releases[STAGES.index(stage)])
        shutil.copytree(self.starts[stage][1], output, dirs_exist_ok=True)
        return output

    def publish(self, output: Path, timeout: float = PATIENT) -> Report:
        """Publish what the folder holds. Raises PublicationError, and no other exception."""
        subject = self.subject
        with requests.Session() as session:
            session.hooks["response"].append(self._count)
            transport = Transport(
                self.address,
                session,
                self.on_sleep,
                self.publisher.key,
                timeout=(timeout, timeout),
                upload_timeout=(timeout, timeout),
            )
            platform = Platform(
                "essai",
                Client(transport, CHUNK),
                self.publisher.organization,
                "this machine",
                lambda: datetime.now(UTC),
            )
            report = publish(subject.catalogue, subject.dataset, platform, Workplace(output))
        assert report is not None
        return report

    def _count(self, *_: object, **__: object) -> None:
        self.answers += 1

    def state(self) -> State:
        """Return what the server holds for this publisher."""
        return published_state(self.udata, self.publisher)

    def outcome(self, output: Path, timeout: float = PATIENT) -> str:
        """Publish under a fault; return how it ended: done, or the error that stopped it."""
        try:
            report = self.publish(output, timeout)
        except PublicationError as error:
            assert str(error)
            return type(error).__name__
        return "done" if report.succeeded else "incomplete"

    def check(self, stage: str, output: Path, outcome: str) -> None:
        """Check that nothing is double, then that one more publication, in peace, ends as if nothing had happened."""
        before = self.state()
        assert duplicates(before) == []
        if outcome == "done":
            assert before == self.references[stage]
        report = self.publish(output)
        assert report.succeeded, (report.problems, report.warnings)
        if outcome == "done":
            assert report.plan.empty
        else:
            assert self.state() == self.references[stage]
