"""What pages, charts and posters show: yearly figures of an indicator in a place, as one release tells them.

Nothing is computed again here: a figure keeps the value, interval, base and states of its row of ``resultats``, so
that a page can't say other than the data. Charts and sentences are readings of a ``Series``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipelines.declarations.statuses import FigureStatus, Status


class State(StrEnum):
    """In what state a figure is, in the words that a page shows: never 0, never blank."""

    PUBLISHED = FigureStatus.PUBLISHED.value
    PROVISIONAL = "provisoire"
    SECRET = FigureStatus.SECRET.value
    SMALL_BASE = "base insuffisante"
    NOT_SENT = Status.NOT_HANDED_OVER.value
    REFUSED = Status.REFUSED.value
    UNTREATED = Status.UNTREATED.value
    FAILED = "erreur de traitement"
    NOT_SIGNIFICANT = "non significatif"
    NOT_APPLICABLE = "sans objet"
    NOT_AVAILABLE = "non disponible"
    NOT_FILLED = "non renseigné"
    INCOMPLETE = "données incomplètes"
    NO_ROW = "non mesuré"  # the release has no row of this year, and no reason for it


class Change(StrEnum):
    """What may be told of a figure beside the year before; only where ``comparabilite`` allows it."""

    UP = "hausse établie"
    DOWN = "baisse établie"
    NONE = "pas de changement établi"


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator of ``indicateurs``; ``better`` is « hausse » or « baisse », None where neither is better."""

    code: str
    title: str
    definition: str
    unit: str
    decimals: int
    better: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a figure was observed: ``level`` is site, departement, region or national.

    ``network`` is the code of ``reseaux``. ``code`` is the structure's for a site, the territory's otherwise;
    ``territory`` is the code of the territory that holds it.
    """

    network: str
    level: str
    code: str
    name: str
    kind: str | None
    territory: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One yearly row of ``resultats``: values in the indicator's unit, ``base`` in answers or acts.

    ``is_break`` says that this year can't be compared with the one before (``break_reason`` why); ``change`` what is
    established since then, None where nothing may be told. ``synthetic`` says that the data are invented; ``revised``,
    that this release corrects the value that the release before gave. ``has_row`` is False where the release has no
    row of this place and year: the state is then that of the network's year (``couverture``).
    """

    year: int
    value: float | None
    low: float | None
    high: float | None
    base: int | None
    state: State
    is_break: bool = False
    break_reason: str | None = None
    change: Change | None = None
    synthetic: bool = False
    revised: bool = False
    has_row: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The figures of an indicator in a place: one a year, from its first row to the last expected, none missing.

    Each is equal to itself alone, so that what is made of it may be kept by it.
    """

    indicator: Indicator
    place: Place
    figures: tuple[Figure, ...]

    @property
    def latest(self) -> Figure:
        """The figure of the last year, whatever its state."""
        return self.figures[-1]
