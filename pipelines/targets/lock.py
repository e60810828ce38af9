"""One writer at a time on one machine: a lock that dies with its process. Writers elsewhere are seen on the target."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.release.errors import ConcurrentPublicationError


@contextmanager
def one_writer(path: Path) -> Iterator[None]:
    """Hold the lock file while the body runs; ConcurrentPublicationError when another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = "Une autre publication vers cette cible est en cours sur cette machine ; attendre sa fin."
            raise ConcurrentPublicationError(message) from None
        yield
