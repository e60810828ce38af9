"""What publication says when it refuses: one error with every finding, in French. How it is shown is not here."""

from __future__ import annotations

from collections.abc import Iterable


class ReleaseError(Exception):
    """Nothing was published; ``findings`` holds every reason."""

    def __init__(self, message: str, findings: Iterable[str]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join([message, *(f"- {finding}" for finding in self.findings)]))


class TableError(ReleaseError):
    """A table can't be brought to its declared form."""


class DamagedReleaseError(ValueError):
    """A file of a release can't be read as it was made; the message names it and says what is wrong, in French."""


class PublicationError(Exception):
    """A publication stopped; the message says in French what happened and what to do. It never holds the API key."""


class ConcurrentPublicationError(PublicationError):
    """Somebody else is publishing to the same place."""
