"""What can be said of an export of a network-year: one list of words, as they are published and read by people."""

from enum import StrEnum


class Status(StrEnum):
    """The state of an export of a network-year. ``UNTREATED`` and ``FAILED`` are ours, never a producer's affair."""

    ACCEPTED = "accepté"
    REFUSED = "rejeté"
    NOT_HANDED_OVER = "non transmis"
    UNTREATED = "non traité"
    FAILED = "erreur"
