"""What can be said of an export, a network-year, an accepted row, a figure or a signal: closed lists of words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """The state of an export of a network-year. ``UNTREATED`` and ``FAILED`` are ours, never a producer's affair."""

    ACCEPTED = "accepté"
    REFUSED = "rejeté"
    NOT_HANDED_OVER = "non transmis"
    UNTREATED = "non traité"
    FAILED = "erreur"


class FigureStatus(StrEnum):
    """Whether a published figure is told (``statut``); ``REVISED``: it no longer is what an earlier release told."""

    PUBLISHED = "publié"
    LOW_BASE = "base faible"
    SECRET = "secret statistique"
    REVISED = "révisé"


class SignalState(StrEnum):
    """What became of a signal (``etat``); ``REVISED``: it was published, and no test sees it any more."""

    TO_CONFIRM = "à confirmer"
    CONFIRMED = "confirmé"
    FALLEN = "retombé"
    EXPLAINED = "expliqué"
    REVISED = "révisé"


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


# Why an accepted row is out of the base of an indicator: the first reason that holds, in this order. The names are
# those of columns of the published table ``bases``.
REASONS: dict[str, str] = {
    "autre_maille": "ligne d'une autre maille",
    "condition_non_remplie": "condition de l'indicateur non remplie",
    "sans_reponse": "sans réponse ou sans valeur",
    "couple_incomplet": "numérateur ou dénominateur absent",
    "reponse_exclue": "réponse que l'indicateur exclut",
    "hors_liste": "réponse d'aucune classe",
    "hors_echelle": "note hors de l'échelle",
    "delai_negatif": "délai négatif",
    "non_calculable": "dénominateur nul, ou cible égale au départ",
    "autre_periode": "valeur d'une période qu'une autre remplace",
    "poids_absent": "poids absent",
    "poids_nul": "poids nul",
}


@dataclass(frozen=True)
class Account:
    """What became of the accepted rows of one export for one indicator it feeds.

    ``accepted`` = ``base`` + the sum of ``outside``, by reason (those with rows). ``seen``: the values most often met
    under a reason, with their rows; they come from the file, and are only for its producer.
    """

    indicator: str
    accepted: int
    base: int
    outside: Mapping[str, int] = field(default_factory=dict)
    seen: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
