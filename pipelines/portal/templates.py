"""What pages are filled with: templates, links, figures in words and as cards, with their facts for machines."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pipelines.mechanics import french
from pipelines.mechanics.french import number_text, unit_text
from pipelines.portal import addresses
from pipelines.portal.charts.chart import shortened
from pipelines.portal.figures import Change, Figure, Indicator, Series, State
from pipelines.portal.sentences import (
    NO_BREAK_SPACE,
    figure_text,
    has_value,
    latest_sentence,
    state_text,
    value_text,
)
from pipelines.portal.site_folder import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pipelines.portal.open_release import OpenRelease
    from pipelines.portal.release_data import Reading

Item = TypeVar("Item")
TEMPLATES = Path(__file__).parent / "templates"
LICENCE = "https://www.etalab.gouv.fr/wp-content/uploads/2017/04/ETALAB-Licence-Ouverte-v2.0.pdf"
LEVELS = {"national": "France", "region": "région", "departement": "département", "site": "structure"}
LISTS = {
    "national": ("Réseaux", "reseaux.html"),
    "departement": ("Départements", "departements.html"),
    "region": ("Régions", "regions.html"),
}  # the page of all pages of a level
ARROWS = {Change.UP: "▲", Change.DOWN: "▼", Change.NONE: "＝"}
MENU = (
    ("Accueil", "index.html"), ("Réseaux", "reseaux.html"), ("Départements", "departements.html"),
    ("Régions", "regions.html"), ("Structures", "structures.html"), ("Indicateurs", "indicateurs.html"),
    ("Données", "donnees.html"), ("Qualité", "qualite.html"),
)  # fmt: skip
_CARD_STYLE = (
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;fill:#1d2229}"
    ".b{font-size:34px;font-weight:700;fill:#0b5394}.n{font-size:14px;font-weight:700}.q{font-size:12px;fill:#59616c}"
)
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


def card(series: Series, network: str) -> str:
    """Return the card of the last figure of a series, as an SVG file of its own."""
    one, shown = series.indicator, published(series) or series.latest
    big = value_text(shown.value, one) if shown.value is not None and has_value(shown) else state_text(shown)
    notes = [
        f"en {shown.year}",
        "données synthétiques" if shown.synthetic else "",
        "provisoire" if shown.state == "provisoire" else "",
    ]
    lines = (
        ("n", 28, shortened(one.title, 42)),
        ("b", 72, shortened(big, 20)),
        ("q", 96, ", ".join(filter(None, notes))),
        ("q", 118, shortened(f"{series.place.name}, {network}", 52)),
        ("q", 138, f"Résultats des services publics, version {VERSION}"),
    )
    words = "".join(f'<text class="{kind}" x="16" y="{y}">{html.escape(line)}</text>' for kind, y, line in lines)
    label = html.escape(f"{one.title}, {series.place.name} : {latest_sentence(series)}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="340" height="152" viewBox="0 0 340 152" role="img" '
        f'aria-label="{label}"><style>{_CARD_STYLE}</style>'
        f'<rect x=".5" y=".5" width="339" height="151" rx="8" fill="#fff" stroke="#c4cad2"/>{words}</svg>\n'
    )


def snippet(series: Series, picture: str, page: str) -> str:
    """Return the HTML to paste in another site, with the whole addresses of the picture and of its page."""
    one, shown = series.indicator, published(series) or series.latest
    alternative = html.escape(f"{one.title}, {series.place.name} : {figure_text(shown, one)}")
    return f'<a href="{page}"><img src="{picture}" width="340" height="152" alt="{alternative}"></a>'


def packed(
    items: Iterable[Item], weigh: Callable[[Item], int], heaviest: int, *, before: int = 0, most: int = 0
) -> list[list[Item]]:
    """Cut things in parts of at most ``heaviest`` bytes, in order, one part at least.

    ``before`` is the weight of what the first part holds already; ``most``: how many things a part holds, if limited.
    """
    parts: list[list[Item]] = [[]]
    weight = before
    for item in items:
        size = weigh(item)
        if parts[-1] and (weight + size > heaviest or len(parts[-1]) == most):
            parts.append([])
            weight = 0
        parts[-1].append(item)
        weight += size
    return parts


class Pages:
    """Fills templates for one release."""

    def __init__(self, reading: Reading, site: Site) -> None:
        self.reading, self.site = reading, site
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        self._templates.filters |= {
            "size": french.size,
            "grouped": french.number,
            "fixed": french.fixed,
            "day": shown_date,
        }
        self._templates.globals |= {
            "site": site,
            "menu": menu(site),
            "synthetic": reading.synthetic,
            "licence": LICENCE,
            "version": VERSION,
            "figure": figure_html,
            "change": change_html,
            "published": published,
            "at": addresses,
            "marks": partial(marks, told_of_all=reading.synthetic is not None),
            "counted": french.counted,
            "networks": reading.networks,
            "month": french.month_in_words,
        }

    def render(self, template: str, address: str, title: str, **told: Any) -> str:
        """Return the page of an address; ``title`` is unique in the site, and its h1 unless ``heading`` is given."""
        told.setdefault("heading", title)
        told.setdefault("crumbs", [])
        told.setdefault("rows", None)
        told.setdefault("part_of", None)
        told.setdefault("description", title)
        told.setdefault("root", "../" * address.count("/"))
        return self._templates.get_template(template).render(
            told,
            title=title,
            address=address,
            canonical=self.canonical(address),
            linked_data=self._linked_data(title, told["description"], address, told["rows"]),
            to=lambda target: addresses.link(target, address),
        )

    def file(self, template: str, address: str, title: str, **told: Any) -> File:
        """Return the page of an address as a file of the site."""
        return File(address, self.render(template, address, title, **told))

    def in_parts(
        self, template: str, address: str, title: str, parts: Sequence[Sequence[Any]], **told: Any
    ) -> Iterator[File]:
        """Yield a page in parts, each of which links to the others: ``part``, its ``number``, the addresses of all."""
        targets = [addresses.part(address, number) for number in range(1, len(parts) + 1)]
        for number, (target, part) in enumerate(zip(targets, parts, strict=True), start=1):
            titled = f"{title}, partie {number}" if number > 1 else title
            yield self.file(template, target, titled, part=part, number=number, parts=targets, **told)

    def fragment(self, template: str, address: str, **told: Any) -> Markup:
        """Return a piece of the page of an address."""
        return Markup(
            self._templates.get_template(template).render(
                told,
                address=address,
                root="../" * address.count("/"),
                to=lambda target: addresses.link(target, address),
            )
        )

    def canonical(self, address: str) -> str:
        """Return the whole address of a page, empty when nobody said where the site is read."""
        return f"{self.site.address}/{addresses.link(address, '')}" if self.site.address else ""

    def _linked_data(self, title: str, description: str, address: str, rows: str | None) -> Markup:
        """Return the page as a schema.org Dataset; « < » is written so that no text ends the element."""
        told: dict[str, Any] = {
            "@context": "https://schema.org",
            "@type": "Dataset",
            "name": title,
            "description": description,
            "inLanguage": "fr",
            "license": LICENCE,
            "isAccessibleForFree": True,
            "version": VERSION,
            "creator": {"@type": "Organization", "name": self.reading.producer},
            "includedInDataCatalog": self.site.title,
        }
        if self.site.address:
            told["url"] = self.canonical(address)
        if rows:
            content = {"@type": "DataDownload", "encodingFormat": "text/csv", "contentUrl": rows.rpartition("/")[2]}
            told["distribution"] = [content]
        return Markup(json.dumps(told, ensure_ascii=False).replace("<", "\\u003c"))


@dataclass(frozen=True)
class SidePages:
    """What makes the pages of a release beside the yearly results, each of which says of which release it is."""

    pages: Pages
    release: OpenRelease

    def page(self, template: str, address: str, title: str, **told: Any) -> File:
        """Return a page of the release."""
        return self.pages.file(
            template,
            address,
            title,
            release_version=self.release.version,
            synthetic=self.release.synthetic,
            dataset_title=self.release.title,
            **told,
        )
