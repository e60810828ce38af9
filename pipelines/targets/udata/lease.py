"""Who is publishing a dataset, written on the target itself: a publisher elsewhere sees it and stops.

The platform has no lock and no conditional write, so this is a sign, read again before every step: of two publishers at
once, the one whose sign was overwritten stops.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.release.errors import ConcurrentPublicationError

LIFE = timedelta(hours=1)  # a publication that died elsewhere bars the way no longer than this


@dataclass(frozen=True)
class Lease:
    """A sign: which publisher (machine and folder, hashed), since when, and a mark of this very publication."""

    publisher: str
    since: datetime
    mark: str

    def __str__(self) -> str:
        return f"{self.publisher} {self.since.isoformat(timespec='seconds')} {self.mark}"


def new_lease(publisher: str, now: datetime) -> Lease:
    """Return the sign of a publication that starts."""
    return Lease(publisher, now, uuid.uuid4().hex[:12])


def read_lease(text: str) -> Lease | None:
    """Return the sign that a dataset carries, None when it can't be read."""
    try:
        publisher, since, mark = text.split(" ")
        return Lease(publisher, datetime.fromisoformat(since), mark)
    except ValueError:
        return None


def check_free(text: str | None, publisher: str, now: datetime) -> None:
    """Raise ConcurrentPublicationError when another publisher is at work.

    A sign of this publisher is one that died: the local lock proves that it is not at work.
    """
    held = read_lease(text) if text else None
    if held is None or held.publisher == publisher or now - held.since > LIFE:
        return
    until = held.since + LIFE
    raise ConcurrentPublicationError(
        f"Une autre publication, lancée ailleurs, est en cours depuis le {held.since:%d/%m/%Y à %H:%M} ; "
        f"attendre qu'elle finisse (au plus tard {until:%H:%M}), puis relancer."
    )
