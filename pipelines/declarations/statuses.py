"""What can be said of an export of a network-year: one list of words, as they are published and read by people.

And what national tables say of a network-year that they can't show as it was computed.
"""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The state of an export of a network-year. ``UNTREATED`` and ``FAILED`` are ours, never a producer's affair."""

    ACCEPTED = "accepté"
    REFUSED = "rejeté"
    NOT_HANDED_OVER = "non transmis"
    UNTREATED = "non traité"
    FAILED = "erreur"


@dataclass(frozen=True)
class SetAsideYear:
    """A network-year of which nothing is published; ``why``: a French sentence; ``indicators``: those at fault."""

    network: str
    year: int
    why: str
    indicators: tuple[str, ...]


@dataclass(frozen=True)
class KeptYear:
    """A network-year of which indicators keep the figures of release ``version``; ``why``: a French sentence."""

    network: str
    year: int
    why: str
    indicators: tuple[str, ...]
    version: str
