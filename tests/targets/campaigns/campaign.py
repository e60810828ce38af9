"""Publications of a small dataset that are disturbed, then left in peace: what every campaign needs.

What disturbs them (a faulty proxy, a kill) is in the tests; what must be true at the end is here, the same for all.
"""

from __future__ import annotations

import copyreg
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from types import MappingProxyType
from typing import Any

import requests
from published_state import State, duplicates, published_state
from udata_server.server import Publisher, Udata

from pipelines.declarations import Catalogue
from pipelines.release.refusals import PublicationError
from pipelines.targets.protocol import Report, Rooms, Source
from pipelines.targets.publication import publish
from pipelines.targets.udata.client import Udata as Client
from pipelines.targets.udata.transport import Transport
from pipelines.targets.udata.udata_target import UdataTarget

PATIENT = 300.0  # seconds that the client waits for an answer: a loaded machine is no fault
HURRIED = 0.3  # where the fault is silence
CHUNK = 16_000  # bytes: the largest file of the subject is sent in two parts
STAGES = ("first", "update")


def frozen(mapping: dict[str, Any]) -> MappingProxyType[str, Any]:
    """Return a mapping that can't be changed, as catalogues hold them."""
    return MappingProxyType(mapping)


# A catalogue goes to the processes that are killed, and pickle knows nothing of frozen mappings.
copyreg.pickle(MappingProxyType, lambda mapping: (frozen, (dict(mapping),)))


def without_sleep(_: float) -> None:
    """Lose no time between two attempts."""


@dataclass(frozen=True)
class Subject:
    """What is published: folders of releases, one for each stage, and a folder where publications may work."""

    catalogue: Catalogue
    dataset: str
    releases: tuple[Path, Path]
    home: Path


class _Session(requests.Session):
    """A session that counts the calls, and waits for the answer to one of them less than for others."""

    def __init__(self, hurried: int | None) -> None:
        super().__init__()
        self.hurried, self.sent = hurried, 0

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        self.sent += 1
        if self.sent == self.hurried:
            options["timeout"] = (PATIENT, HURRIED)
        return super().request(*arguments, **options)


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
    sent: int = 0  # by the last publication

    def __post_init__(self) -> None:
        self.udata.restore()
        self.publisher: Publisher = self.udata.publisher()
        self.starts = {"first": (self.udata.keep(), Path(mkdtemp(dir=self.subject.home)))}
        self.references: dict[str, State] = {}
        for stage, following in (("first", "update"), ("update", "end")):
            output, began = self.output(stage), time.monotonic()
            report = self._in_peace(output)
            self.seconds[stage], self.calls[stage] = time.monotonic() - began, self.sent
            assert report.succeeded, report.problems
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

    def publish(self, output: Path, hurried: int | None = None, sleep: Callable[[float], None] | None = None) -> Report:
        """Publish what the folder holds, impatient at the call of this number. Raises PublicationError alone."""
        subject = self.subject
        with _Session(hurried) as session:
            patience = (PATIENT, PATIENT)
            transport = Transport(
                self.address,
                session,
                sleep or self.on_sleep,
                self.publisher.key,
                timeout=patience,
                upload_timeout=patience,
            )
            client = Client(transport, CHUNK)
            rooms = Rooms(output)
            source = Source(subject.catalogue, rooms)
            target = UdataTarget(client, self.publisher.organization, source, judge=lambda *_: ())
            report = publish(target, subject.dataset, rooms)
            self.sent = session.sent
        assert report is not None
        return report

    def state(self) -> State:
        """Return what the server holds for this publisher."""
        return published_state(self.udata, self.publisher)

    def outcome(self, output: Path, hurried: int | None = None) -> str:
        """Publish under a fault; return how it ended: done, or the error that stopped it."""
        try:
            report = self.publish(output, hurried)
        except PublicationError as error:
            assert str(error)
            return type(error).__name__
        return "done" if report.succeeded else "incomplete"

    def _in_peace(self, output: Path) -> Report:
        """Publish and truly wait where the client does: the server refuses two files of one name in the same second."""
        return self.publish(output, sleep=time.sleep)

    def check(self, stage: str, output: Path, outcome: str) -> None:
        """Check that nothing is double, then that one more publication, in peace, ends as if nothing had happened."""
        before = self.state()
        assert duplicates(before) == []
        if outcome == "done":
            assert before == self.references[stage]
        report = self._in_peace(output)
        assert report.succeeded, report.problems
        if outcome == "done":
            assert report.plan.empty
        else:
            assert self.state() == self.references[stage]
