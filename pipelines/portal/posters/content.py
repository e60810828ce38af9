"""What the poster of an office says: the words and figures of one release, none of them computed here.

How the page looks is in ``poster.typ``; which offices have a poster, and where it is kept, in ``poster_files``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.mechanics.french import counted, day_in_words, number_text, unit_text
from pipelines.mechanics.plain_text import one_line
from pipelines.portal.addresses import link, place_page
from pipelines.portal.figures import Change, Figure, Indicator, Place, Series, State
from pipelines.portal.sentences import (
    cell_text,
    figure_text,
    has_value,
    interval_text,
    remarks,
    sentence,
    shown_value,
    state_text,
    trend,
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
    tiles = [_tile(campaign, indicator, series.get(indicator.code)) for indicator in campaign.indicators]
    address = f"{campaign.site}/{link(place_page(place), '')}"
    after = f", après le {day_in_words(campaign.due)}" if campaign.due else ""
    stopped = f", données arrêtées au {day_in_words(campaign.stopped)}" if campaign.stopped else ""
    every = (*series.values(), *campaign.references.values())
    invented = any(figure.synthetic for one in every for figure in one.figures)
    said: dict[str, Any] = {
        "title": f"{place.name} : résultats {campaign.year}",
        "author": campaign.producer,
        "network": campaign.title,
        "office": place.name,
        "period": f"Nos résultats en {campaign.year}",
        "notice": SYNTHETIC if invented else None,
        "tiles": tiles,
        "invitation": "Tous nos résultats, leur méthode et leurs données :",
        "small": [METHOD, f"Prochains résultats : ceux de {campaign.year + 1}{after}."],
        "version": f"Version {campaign.version}{stopped}. Licence Ouverte 2.0.",
        "written": address.partition("://")[2],
    }
    return {**_set(said), "orientation": campaign.orientation, "address": address}


def _tile(campaign: Campaign, indicator: Indicator, series: Series | None) -> dict[str, Any]:
    """Return one result: its figure, or its state in words; ``trend`` in words, ``direction`` as a shape beside it."""
    figures = tuple(figure for figure in series.figures if figure.year <= campaign.year) if series else ()
    unmeasured = Figure(campaign.year, None, None, None, None, State.NO_ROW, has_row=False)
    figure = figures[-1] if figures and figures[-1].year == campaign.year else unmeasured
    value, reference = shown_value(figure), _reference(campaign, indicator)
    if value is None or series is None:
        valued = [figure_text(one, indicator) for one in figures if has_value(one)]
        last = [sentence(f"dernier résultat : {text}").removesuffix(".") for text in valued[-1:]]
        state = state_text(figure)
        return {
            "title": indicator.title,
            "figure": None,
            "unit": "",
            "state": state[:1].upper() + state[1:],
            "trend": REASONS.get(figure.state),
            "direction": None,
            "facts": [*last, *reference],
        }
    precision = _precision(figure, indicator, answers=indicator.code in campaign.answers)
    return {
        "title": indicator.title,
        "figure": number_text(value, indicator.decimals),
        "unit": unit_text(value, indicator.unit),
        "state": "",
        "trend": sentence(trend(Series(indicator, series.place, figures))).removesuffix("."),
        "direction": DIRECTIONS[figure.change] if figure.change else None,
        "facts": [fact for fact in (precision, *reference) if fact],
    }


def _precision(figure: Figure, indicator: Indicator, *, answers: bool) -> str:
    """Say the interval and the base of a figure, and what is not final in it."""
    parts = [interval_text(figure, indicator), _base(figure.base, answers=answers), *remarks(figure)]
    told = ", ".join(part for part in parts if part)
    return sentence(told).removesuffix(".") if told else ""


def _base(base: int | None, *, answers: bool) -> str:
    """Say on how many answers or cases a figure rests; a number of cases that isn't published often is the figure."""
    if base is None:
        return "nombre de réponses non publié" if answers else ""
    return f"sur {counted(base, 'réponse') if answers else counted(base, 'cas', 'cas')}"


def _reference(campaign: Campaign, indicator: Indicator) -> list[str]:
    """Say the figure of the whole network in the same year; nothing where the release has no row of it."""
    series = campaign.references.get(indicator.code)
    same_year = [figure for figure in series.figures if figure.year == campaign.year] if series else []
    return [f"Ensemble du réseau : {cell_text(figure, indicator)}" for figure in same_year]


def _set(said: Any) -> Any:
    """Return texts as they can be set: on one line, with signs that print, and places where a long word may break."""
    if isinstance(said, dict):
        return {key: _set(value) for key, value in said.items()}
    if isinstance(said, list | tuple):
        return [_set(value) for value in said]
    return _LONG_WORD.sub("\\g<0>\u200b", one_line(said).translate(_NO_BREAK)) if isinstance(said, str) else said
