"""What pages are filled with: templates, links, figures in words with their facts for machines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pipelines.mechanics import french
from pipelines.portal import addresses
from pipelines.portal.figures import Change, Figure, Indicator, Series, State
from pipelines.portal.sentences import NO_BREAK_SPACE, has_value, number_text, state_text, unit_text
from pipelines.portal.site_folder import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.portal.release_data import Reading

TEMPLATES = Path(__file__).parent / "templates"
LICENCE = "https://www.etalab.gouv.fr/wp-content/uploads/2017/04/ETALAB-Licence-Ouverte-v2.0.pdf"
LEVELS = {"national": "France", "region": "région", "departement": "département", "site": "structure"}
LEVELS_MANY = {"national": "France", "region": "régions", "departement": "départements", "site": "structures"}
ARROWS = {Change.UP: "▲", Change.DOWN: "▼", Change.NONE: "＝"}
MENU = (
    ("Accueil", "index.html"), ("Réseaux", "reseaux.html"), ("Départements", "departements.html"),
    ("Régions", "regions.html"), ("Structures", "structures.html"), ("Indicateurs", "indicateurs.html"),
    ("Données", "donnees.html"), ("Qualité", "qualite.html"),
)  # fmt: skip
Crumbs = list[tuple[str, str | None]]


@dataclass(frozen=True)
class Site:
    """What all pages share: where the site is read (empty: not known), and the style sheets that the owner adds.

    ``posters`` are the addresses of the posters that are there, and of their zips; ``barometers``: whether some are
    shown; ``voices``: of what users say of each network, the pages (title, address), None where no signals are shown.
    """

    title: str
    address: str = ""
    themes: tuple[str, ...] = ()
    posters: frozenset[str] = frozenset()
    barometers: bool = False
    voices: Mapping[str, tuple[tuple[str, str], ...]] | None = None


def menu(site: Site) -> tuple[tuple[str, str], ...]:
    """Return the main menu: barometers and what users write are in it where there are some."""
    beside = [("Baromètres", "barometres.html")] if site.barometers else []
    if site.voices is not None:
        beside.append(("Voix des usagers", "signaux.html"))
    return (*MENU[:6], *beside, *MENU[6:])


@dataclass(frozen=True, slots=True)
class File:
    """A file of the site: its address and what it holds."""

    address: str
    text: str


def shown_date(day: str | date | None) -> str:
    """Return a day as French writes it: « 14 février 2025 », « 1er mars 2025 »."""
    if not day:
        return "date non publiée"
    return french.day_in_words(day if isinstance(day, date) else date.fromisoformat(day))


def figure_facts(figure: Figure) -> str:
    """Return a figure's facts as attributes: nothing where the release has no such row."""
    if not figure.has_row:
        return ""
    base = "" if figure.base is None else f' data-effectif="{figure.base}"'
    value = f' data-valeur="{figure.value!r}"' if has_value(figure) else ""
    return f' data-annee="{figure.year}"{value}{base} data-etat="{figure.state}"'


def figure_html(figure: Figure, indicator: Indicator) -> Markup:
    """Return a value with its unit, or its state in words, in an element that machines read."""
    if not has_value(figure) or figure.value is None:
        return Markup(f'<span class="state"{figure_facts(figure)}>{state_text(figure)}</span>')
    unit = unit_text(figure.value, indicator.unit)
    words = f"{number_text(figure.value, indicator.decimals)}{NO_BREAK_SPACE if len(unit) < 3 else ' '}"
    return Markup(
        f'<data value="{figure.value!r}"{figure_facts(figure)}>{words}<span class="unit">{escape(unit)}</span></data>'
    )


def change_html(figure: Figure) -> Markup:
    """Return the change in words, its sign only beside it; a break says so; nothing where nothing may be told."""
    if figure.is_break:
        return Markup('<span class="change">rupture de série</span>')
    if figure.change is None or not has_value(figure):
        return Markup('<span class="change">—<span class="visually-hidden"> pas de comparaison</span></span>')
    sign = ARROWS[figure.change]
    return Markup(f'<span class="change"><span aria-hidden="true">{sign}</span> {figure.change}</span>')


def marks(figure: Figure, *, told_of_all: bool) -> list[str]:
    """Return what must be said beside a value: provisional, revised, synthetic unless it is told of the whole page."""
    told = {
        "provisoire": figure.state is State.PROVISIONAL,
        "révisé par cette version": figure.revised,
        "donnée synthétique": figure.synthetic and not told_of_all,
    }
    return [words for words, said in told.items() if said]


def published(series: Series) -> Figure | None:
    """Return the last figure that has a value, None when the series has none."""
    return next((figure for figure in reversed(series.figures) if has_value(figure)), None)


class Pages:
    """Fills templates for one release."""

    def __init__(self, reading: Reading, site: Site) -> None:
        self.reading, self.site = reading, site
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, auto_reload=False,
        )  # fmt: skip
        self._templates.filters |= {"size": french.size, "grouped": french.number, "day": shown_date}
        self._templates.globals |= {
            "site": site, "menu": menu(site), "synthetic": reading.synthetic, "licence": LICENCE, "version": VERSION,
            "figure": figure_html, "change": change_html, "published": published, "at": addresses,
            "marks": partial(marks, told_of_all=reading.synthetic is not None), "counted": french.counted,
            "networks": reading.networks, "indicators": reading.indicators,
        }  # fmt: skip

    def render(self, template: str, address: str, title: str, **told: Any) -> str:
        """Return the page of an address; ``title`` is unique in the site, and its h1 unless ``heading`` is given."""
        told.setdefault("heading", title)
        told.setdefault("crumbs", [])
        told.setdefault("rows", None)
        told.setdefault("part_of", None)
        told.setdefault("description", title)
        told.setdefault("root", "../" * address.count("/"))
        return self._templates.get_template(template).render(
            told, title=title, address=address, canonical=self.canonical(address),
            linked_data=self._linked_data(title, told["description"], address, told["rows"]),
            to=lambda target: addresses.link(target, address),
        )  # fmt: skip

    def file(self, template: str, address: str, title: str, **told: Any) -> File:
        """Return the page of an address as a file of the site."""
        return File(address, self.render(template, address, title, **told))

    def fragment(self, template: str, address: str, **told: Any) -> Markup:
        """Return a piece of the page of an address."""
        return Markup(
            self._templates.get_template(template).render(
                told, address=address, root="../" * address.count("/"),
                to=lambda target: addresses.link(target, address),
            )
        )  # fmt: skip

    def canonical(self, address: str) -> str:
        """Return the whole address of a page, empty when nobody said where the site is read."""
        return f"{self.site.address}/{addresses.link(address, '')}" if self.site.address else ""

    def _linked_data(self, title: str, description: str, address: str, rows: str | None) -> Markup:
        """Return the page as a schema.org Dataset; « < » is written so that no text ends the element."""
        told: dict[str, Any] = {
            "@context": "https://schema.org", "@type": "Dataset", "name": title, "description": description,
            "inLanguage": "fr", "license": LICENCE, "isAccessibleForFree": True, "version": VERSION,
            "creator": {"@type": "Organization", "name": self._creator}, "includedInDataCatalog": self.site.title,
        }  # fmt: skip
        if self.site.address:
            told["url"] = self.canonical(address)
        if rows:
            content = {"@type": "DataDownload", "encodingFormat": "text/csv", "contentUrl": rows.rpartition("/")[2]}
            told["distribution"] = [content]
        return Markup(json.dumps(told, ensure_ascii=False).replace("<", "\\u003c"))

    @property
    def _creator(self) -> str:
        contact = self.reading.contact
        return contact["title"] if contact else self.reading.title
