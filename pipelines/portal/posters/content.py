"""What the poster of an office says: the words and figures of one release, none of them computed here.

How the page looks is in ``poster.typ``; which offices have a poster, and where it is kept, in ``poster_files``.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipelines.mechanics.french import counted, day_in_words
from pipelines.mechanics.plain_text import one_line
from pipelines.portal.addresses import link, place_page
from pipelines.portal.figures import Change, Figure, Indicator, Place, Series, State
from pipelines.portal.sentences import (
    cell_text,
    figure_text,
    has_value,
    interval_text,
    number_text,
    sentence,
    shown_value,
    state_text,
    trend,
    unit_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

DIRECTIONS = {Change.UP: "up", Change.DOWN: "down", Change.NONE: "flat"}
SYNTHETIC = "Données synthétiques : inventées pour la démonstration, elles ne décrivent aucun service réel."
METHOD = (
    "Méthode : enquêtes et comptages remis par le réseau, contrôlés, puis publiés. « Entre … et … » : intervalle de "
    "confiance à 95 %. « Pas de changement établi » : l'écart avec l'année d'avant peut venir du hasard."
)
REASONS = {
    State.SECRET: "Non publié, pour protéger les réponses de chacun",
    State.SMALL_BASE: "Trop peu de réponses pour un chiffre fiable",
    State.NOT_SENT: "Le réseau n'a pas transmis ces données",
    State.REFUSED: "Les données transmises ont été rejetées par les contrôles",
    State.UNTREATED: "Les données transmises n'ont pas encore été traitées",
    State.FAILED: "Les données transmises n'ont pas pu être traitées",
    State.NOT_SIGNIFICANT: "Le réseau juge ce chiffre non significatif",
    State.NOT_APPLICABLE: "Cet indicateur ne concerne pas ce guichet",
    State.NOT_AVAILABLE: "Le réseau ne dispose pas de ce chiffre",
    State.NOT_FILLED: "Le réseau n'a pas renseigné ce chiffre",
    State.INCOMPLETE: "Il manque une partie des données de l'année",
}
_LONG_WORD = re.compile(r"[^\s\u200b]{24}(?=[^\s\u200b])")
_NO_BREAK = str.maketrans("\u202f", "\u00a0")  # the font has no narrow one, and would borrow it from another font


@dataclass(frozen=True, slots=True)
class Tile:
    """One result: its figure, or its state in words; ``trend`` in words, ``direction`` as a shape beside them."""

    title: str
    figure: str | None
    unit: str
    state: str
    trend: str | None
    direction: str | None
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Campaign:
    """What the posters of a network share: the year, the indicators in order, what France says, and where to read more.

    ``references`` are the national series by indicator, ``answers`` the indicators that count answers (others count
    acts); ``site`` is the address of the public site, ``due`` the day after which the next results come.
    """

    title: str
    producer: str
    year: int
    indicators: tuple[Indicator, ...]
    references: Mapping[str, Series]
    answers: frozenset[str]
    orientation: str
    site: str
    due: date | None
    version: str
    stopped: date | None


def poster(campaign: Campaign, place: Place, series: Mapping[str, Series]) -> dict[str, Any]:
    """Return what the poster of a place says, for ``poster.typ``; ``series`` are those of the place, by indicator.

    ``version`` alone may differ between two releases in which nothing else of it does: it stands apart.
    """
    told = [series.get(indicator.code) for indicator in campaign.indicators]
    tiles = [_tile(campaign, indicator, found) for indicator, found in zip(campaign.indicators, told, strict=True)]
    address = f"{campaign.site}/{link(place_page(place), '')}"
    said: dict[str, Any] = {
        "title": f"{place.name} : résultats {campaign.year}",
        "author": campaign.producer,
        "network": campaign.title,
        "office": place.name,
        "period": f"Nos résultats en {campaign.year}",
        "notice": SYNTHETIC if _invented(campaign, series) else None,
        "tiles": [asdict(tile) for tile in tiles],
        "invitation": "Tous nos résultats, leur méthode et leurs données :",
        "small": [METHOD, _next(campaign)],
        "version": _version(campaign),
        "written": address.partition("://")[2],
    }
    return {**_set(said), "orientation": campaign.orientation, "address": address}


def _tile(campaign: Campaign, indicator: Indicator, series: Series | None) -> Tile:
    figures = tuple(figure for figure in series.figures if figure.year <= campaign.year) if series else ()
    figure = figures[-1] if figures and figures[-1].year == campaign.year else _unmeasured(campaign.year)
    reference = _reference(campaign, indicator)
    value = shown_value(figure)
    if value is None or series is None:
        known = [figure_text(one, indicator) for one in figures if has_value(one)][-1:]
        facts = tuple(sentence(f"dernier résultat : {text}").removesuffix(".") for text in known)
        state = state_text(figure)
        return Tile(
            indicator.title, None, "", state[:1].upper() + state[1:], REASONS.get(figure.state), None, facts + reference
        )
    answers = indicator.code in campaign.answers
    return Tile(
        indicator.title, number_text(value, indicator.decimals), unit_text(value, indicator.unit), "",
        sentence(trend(Series(indicator, series.place, figures))).removesuffix("."),
        DIRECTIONS[figure.change] if figure.change else None,
        tuple(fact for fact in (_precision(figure, indicator, answers=answers), *reference) if fact),
    )  # fmt: skip


def _unmeasured(year: int) -> Figure:
    return Figure(year, None, None, None, None, State.NO_ROW, has_row=False)


def _precision(figure: Figure, indicator: Indicator, *, answers: bool) -> str:
    """Say the interval and the base of a figure, and what is not final in it."""
    parts = [
        interval_text(figure, indicator),
        _base(figure.base, answers=answers),
        str(State.PROVISIONAL) if figure.state is State.PROVISIONAL else "",
        "révisé" if figure.revised else "",
    ]
    told = ", ".join(part for part in parts if part)
    return sentence(told).removesuffix(".") if told else ""


def _base(base: int | None, *, answers: bool) -> str:
    """Say on how many answers or cases a figure rests; a number of cases that isn't published often is the figure."""
    if base is None:
        return "nombre de réponses non publié" if answers else ""
    return f"sur {counted(base, 'réponse') if answers else counted(base, 'cas', 'cas')}"


def _reference(campaign: Campaign, indicator: Indicator) -> tuple[str, ...]:
    """Say the figure of the whole network in the same year; nothing where the release has no row of it."""
    series = campaign.references.get(indicator.code)
    found = [figure for figure in series.figures if figure.year == campaign.year] if series else []
    return tuple(f"Ensemble du réseau : {cell_text(figure, indicator)}" for figure in found)


def _invented(campaign: Campaign, series: Mapping[str, Series]) -> bool:
    every = (*series.values(), *campaign.references.values())
    return any(figure.synthetic for one in every for figure in one.figures)


def _next(campaign: Campaign) -> str:
    after = f", après le {day_in_words(campaign.due)}" if campaign.due else ""
    return f"Prochains résultats : ceux de {campaign.year + 1}{after}."


def _version(campaign: Campaign) -> str:
    stopped = f", données arrêtées au {day_in_words(campaign.stopped)}" if campaign.stopped else ""
    return f"Version {campaign.version}{stopped}. Licence Ouverte 2.0."


def _set(said: Any) -> Any:
    """Return texts as they can be set: on one line, with signs that print, and places where a long word may break."""
    if isinstance(said, dict):
        return {key: _set(value) for key, value in said.items()}
    if isinstance(said, list | tuple):
        return [_set(value) for value in said]
    return _LONG_WORD.sub("\\g<0>\u200b", one_line(said).translate(_NO_BREAK)) if isinstance(said, str) else said
