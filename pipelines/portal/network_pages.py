"""The pages of one network: itself, its places at every level, its indicators on a map, the list of its offices.

One place at a time is in memory, with the series of the territories that are references for it. What several networks
have in common is in ``national_pages``.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipelines.mechanics.french import number_text, plural
from pipelines.portal import addresses
from pipelines.portal.charts.curve import curve
from pipelines.portal.charts.peers import PeerGroup, peer_groups
from pipelines.portal.charts.strip import distribution, strip
from pipelines.portal.charts.territories import areas_of_year, territory_map
from pipelines.portal.figures import Figure, Indicator, Place, Series
from pipelines.portal.lists import Entry, Listing, list_pages
from pipelines.portal.sentences import NO_BREAK_SPACE, better_sentence
from pipelines.portal.templates import LEVELS, LISTS, Crumbs, File, Pages, card, packed, published, snippet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.portal.open_release import Line
    from pipelines.portal.release_data import Network

HEAVIEST = 75_000  # bytes of indicators on a page, the rest of which takes some 20 000: pages stay under 100 kB
_TILE = 500  # bytes of an indicator in the summary of its page
NOUNS = {"site": "structure", "departement": "département", "region": "région"}  # what one of a level is called
By = dict[str, dict[str, Series]]  # series by code of place, then of indicator


class NetworkPages:
    """The pages of a network, made from one release."""

    def __init__(self, pages: Pages, network: Network) -> None:
        self.pages, self.network, self.reading = pages, network, pages.reading
        self._regions = self._held("region")
        self._departments = self._held("departement")
        self._nation = self._held("national").get("FR", {})
        self._last = max((series.latest.year for series in self._nation.values()), default=None)
        self._observed = {level: self.reading.observed(network.code, level) for level in NOUNS}
        self._groups = {level: self._peers(level) for level in NOUNS}
        self._sources = self.reading.receptions(network.code)
        self._exports, self._modes = self.reading.exports(network.code), self.reading.modes(network.code)
        self._names = self.reading.former_names(network.code)

    def files(self) -> Iterator[File]:
        """Yield every file of the network."""
        yield from self._indicators()
        offices: list[Place] = []
        for level in ("national", "region", "departement", "site"):
            rows = self.reading.yearly_rows(level, self.network.code)
            series = self.reading.place_series(self.network.code, level)
            for (place, series_of_place), (_, text) in zip(series, rows, strict=True):
                yield from self._place(place, series_of_place)
                yield File(addresses.rows_file(addresses.place_page(place)), text)
                if level == "site":
                    offices.append(place)
        if not self._nation:
            yield from self._place(Place(self.network.code, "national", "FR", "France", None, ""), [])
            rows_file = addresses.rows_file(addresses.page("reseaux", self.network.code))
            yield File(rows_file, ",".join(self.reading.columns) + "\n")
        yield from self._offices(offices)

    def _held(self, level: str) -> By:
        places = self.reading.place_series(self.network.code, level)
        return {
            place.code: {series.indicator.code: series for series in series_of_place}
            for place, series_of_place in places
        }

    def _place(self, place: Place, series_of_place: list[Series]) -> Iterator[File]:
        """Yield the page of a place, in parts when it is heavy, and its cards."""
        series_of_place = sorted(series_of_place, key=self._order)
        page = addresses.place_page(place)
        more = self._more(page) if place.level == "national" else Markup()
        sections = [(series, self._section(series, page)) for series in series_of_place]
        title, heading, crumbs = self._names_of(place)
        yield from self.pages.in_parts(
            "place.html",
            page,
            title,
            packed(sections, section_weight, HEAVIEST, before=len(more.encode())),
            heading=heading,
            crumbs=crumbs,
            rows=addresses.rows_file(page),
            poster=self._poster(place),
            lead=self._lead(place),
            notes=self._notes(place, page),
            name=heading,
            more=more,
            description=f"{title} : résultats et satisfaction, {len(series_of_place)} indicateurs, données ouvertes.",
        )
        for series in series_of_place:
            yield File(addresses.card(page, series.indicator.code), card(series, self.network.title))

    def _poster(self, place: Place) -> str | None:
        """Return the poster of a place, all those of the network on its own page, None where none was made."""
        national = place.level == "national" and self.network.finest != "national"
        address = addresses.posters_zip(place.network) if national else addresses.poster_file(place)
        due = national or place.level == self.network.finest
        return address if due and address in self.pages.site.posters else None

    def _order(self, series: Series) -> tuple[bool, str]:
        row = self.reading.indicator_rows[series.indicator.code]
        return row["type_indicateur"] != "satisfaction", series.indicator.title

    def _section(self, series: Series, page: str) -> Markup:
        one, place = series.indicator, series.place
        shown = published(series) or series.latest
        picture = addresses.card(page, one.code)
        origin, files = self._origin(one, place.level, shown.year)
        return self.pages.fragment(
            "section.html",
            page,
            series=series,
            shown=shown,
            basis=self._basis(shown, one),
            curve=curve(series, self._references(series)).html(f"c-{one.code}"),
            strip=self._strip(series, shown),
            better=better_sentence(one),
            method=self._method(one, place.level),
            origin=origin,
            origin_files=files,
            card=picture,
            snippet=snippet(series, self.pages.canonical(picture), self.pages.canonical(page)),
        )

    def _references(self, series: Series) -> list[Series]:
        """Return the series to read beside: that of the territory that holds the place, then the national one."""
        place, code = series.place, series.indicator.code
        if code in self._totals or place.level == "national":
            return []
        around = {"site": self._departments, "departement": self._regions}.get(place.level, {})
        candidates = [around.get(place.territory, {}).get(code), self._nation.get(code)]
        return [one for one in candidates if one is not None]

    @cached_property
    def _totals(self) -> set[str]:
        """Indicators whose national value is a total, above all values of territories: no reference for one of them."""
        parts: dict[str, list[float]] = {}
        for by_indicator in (*self._departments.values(), *self._regions.values()):
            for code, series in by_indicator.items():
                if figure := published(series):
                    parts.setdefault(code, []).append(figure.value or 0)
        counts = {code for code, row in self.reading.indicator_rows.items() if row["famille_unite"] == "nombre"}
        return {
            code
            for code, series in self._nation.items()
            if code in counts and (figure := published(series)) and (figure.value or 0) > max(parts.get(code, [0]))
        }

    def _strip(self, series: Series, shown: Figure) -> Markup:
        """Return where a place is among comparable ones; of France, how its places are spread."""
        place, code = series.place, series.indicator.code
        if place.level == "national":
            return self._spread(series, shown)
        group = self._groups[place.level].get(code, {}).get((self.network.code, place.code))
        if group is None or group.year != shown.year:
            return Markup()
        return strip(shown, group, series.indicator, place).html(f"s-{code}")

    def _spread(self, series: Series, shown: Figure) -> Markup:
        code = series.indicator.code
        for level, noun in NOUNS.items():
            figures = [figure for _, figure in self._observed[level].get(code, [])]
            if len(figures) > 1 and figures[0].year == shown.year:
                mark = None if code in self._totals else shown
                return distribution(figures, series.indicator, shown.year, noun, mark).html(f"s-{code}")
        return Markup()

    def _peers(self, level: str) -> dict[str, dict[tuple[str, str], PeerGroup]]:
        """Return by indicator, then by network and code, the places that each place of a level compares with."""
        return {
            code: peer_groups(observed, self.reading.indicators[code], NOUNS[level])
            for code, observed in self._observed[level].items()
        }

    def _basis(self, figure: Figure, indicator: Indicator) -> str:
        if figure.base is None:
            return "Effectif non publié."
        survey = self.reading.indicator_rows[indicator.code]["type_indicateur"] == "satisfaction"
        base = number_text(figure.base, 0)
        return f"Effectif : {base} {plural(figure.base, 'réponse')}." if survey else f"Effectif : {base}."

    def _method(self, indicator: Indicator, level: str) -> str:
        least = self.reading.indicator_rows[indicator.code]["effectif_minimal"]
        obtained = f"Obtention : {self._modes.get((indicator.code, level), 'non publiée')}."
        return f"{obtained} Rien n'est publié sous {least} réponses ou cas." if least else obtained

    def _origin(self, indicator: Indicator, level: str, year: int) -> tuple[str, list[Line]]:
        """Return where a figure comes from: in words, and the files."""
        export = self._exports.get((indicator.code, year))
        mode = self._modes.get((indicator.code, level), "mode d'obtention non publié")
        if not export:
            return f"{mode.capitalize()}. Aucun fichier n'est nommé pour {year}.", []
        files = [row for row in self._sources if row["annee"] == year and row["export"] == export]
        words = f"{mode[:1].upper()}{mode[1:]}, d'après l'export « {export} » du réseau {self.network.title}."
        return words, files

    def _names_of(self, place: Place) -> tuple[str, str, Crumbs]:
        """Return the title of a place's page, unique in the site, its heading and its path."""
        if place.level == "national":
            return self.network.title, self.network.title, [LISTS["national"], (self.network.title, None)]
        if place.level == "site":
            title = f"{place.name} ({place.code}), {self.network.title}"
            return title, place.name, [*self._home, (place.name, None)]
        title = f"{place.name} ({place.code}, {LEVELS[place.level]}), {self.network.title}"
        territory = (place.name, addresses.territory_page(place.level, place.code))
        crumbs = [LISTS[place.level], territory, (self.network.title, None)]
        return title, f"{self.network.title} : {place.name}", crumbs

    @property
    def _home(self) -> Crumbs:
        return [LISTS["national"], (self.network.title, addresses.page("reseaux", self.network.code))]

    def _lead(self, place: Place) -> str:
        if place.level == "national":
            return self.network.description
        if place.level == "site":
            return f"{place.kind or self.network.kind}, réseau {self.network.title}. Code : {place.code}."
        return f"Résultats du réseau {self.network.title} ({place.name}, tous lieux réunis)."

    def _notes(self, place: Place, page: str) -> list[Markup | str]:
        """Return what must be said of a place before its figures: where it is, its former names, whether it closed."""
        if place.level == "national":
            source = f" Source : {self.network.source}." if self.network.source else ""
            return [f"Producteur : {self.network.producer}.{source}"]
        if place.level != "site":
            return list(self._held_by_territory.get((place.level, place.code), ()))
        notes: list[Markup | str] = []
        code, department = self.reading.department(place)
        if code:
            target = addresses.link(addresses.territory_page("departement", code), page)
            notes.append(Markup('Département : <a href="{}">{}</a>.').format(target, department))
        else:
            notes.append("Aucun département n'est publié pour cette structure.")
        for name, first, until in self._names.get(place.code, []):
            years = f"En {first}" if first == until else f"De {first} à {until}"
            notes.append(f"{years}, son nom était «{NO_BREAK_SPACE}{name}{NO_BREAK_SPACE}».")
        last = self.reading.last_year(place)
        if last is not None and self._last is not None and last < min(self.reading.years[-1], self._last):
            notes.append(
                f"Plus de résultat attendu après {last} : structure fermée, ou réunie à une autre. La page reste."
            )
        return notes

    @cached_property
    def _held_by_territory(self) -> dict[tuple[str, str], list[str]]:
        """The offices whose results are those of a territory, by its level and code: a caisse of one département."""
        offices: dict[tuple[str, str], list[str]] = {}
        for row in self.reading.rows("structures", self.network.code):
            line = f"Structure : {row['structure']} ({row['structure_code']})."
            offices.setdefault((row["maille"], row["territoire_code"]), []).append(line)
        return offices

    def _more(self, page: str) -> Markup:
        places = {level: self.reading.places(self.network.code, level) for level in ("region", "departement", "site")}
        return self.pages.fragment(
            "network_more.html",
            page,
            network=self.network,
            regions=places["region"],
            departements=places["departement"],
            structures=offices_list(self.network.code) if places["site"] else None,
            offices=len(places["site"]),
            sources=self._sources,
            shown=[self.reading.indicators[code] for code in self._indicators_shown()],
        )

    def _indicators_shown(self) -> list[str]:
        codes = {*self._nation, *self._groups["site"]}
        for by_code in (*self._regions.values(), *self._departments.values()):
            codes |= by_code.keys()
        return sorted(codes, key=lambda code: self.reading.indicators[code].title)

    def _indicators(self) -> Iterator[File]:
        """Yield the page of each indicator in this network: maps of its territories, distribution of its offices."""
        for code in self._indicators_shown():
            one, address = self.reading.indicators[code], addresses.page("indicateurs", code, self.network.code)
            charts = [
                chart_of_level for level in ("departement", "region") if (chart_of_level := self._map(one, level))
            ]
            if offices := self._observed["site"].get(code):
                chart = distribution([figure for _, figure in offices], one, offices[0][1].year)
                charts.append(("structures", f"Structures, {offices[0][1].year}", "", chart.html("d-structures")))
            yield self.pages.file(
                "indicator_network.html",
                address,
                f"{one.title} ({code}) : {self.network.title}",
                heading=f"{one.title} : {self.network.title}",
                one=one,
                network=self.network,
                charts=charts,
                better=better_sentence(one),
                crumbs=[
                    ("Indicateurs", "indicateurs.html"),
                    (one.title, addresses.page("indicateurs", code)),
                    (self.network.title, None),
                ],
            )

    def _map(self, one: Indicator, level: str) -> tuple[str, str, str, Markup] | None:
        """Return the map of a level in its last published year, None where nothing can be drawn."""
        territories = {"departement": self._departments, "region": self._regions}[level]
        series = {code: shown[one.code] for code, shown in territories.items() if one.code in shown}
        years = [figure.year for one_series in series.values() if (figure := published(one_series))]
        if not years or not self.reading.has("territoires"):
            return None
        year = max(years)
        figures = {code: figure for code, shown in series.items() for figure in shown.figures if figure.year == year}
        areas = areas_of_year(self.reading.territory_rows, level, year, figures)
        chart = territory_map(areas, one, year, level)
        plural = f"{NOUNS[level]}s"
        return plural, f"{plural.capitalize()}, {year}", level, chart.html(f"m-{level}")

    def _offices(self, offices: list[Place]) -> Iterator[File]:
        """Yield the list of the network's offices, by name."""
        if not offices:
            return
        listing = Listing(
            f"Structures : {self.network.title}",
            f"{number_text(len(offices), 0)} structures ont au moins un résultat dans cette version.",
            [*self._home, ("Structures", None)],
        )
        entries = []
        for place in offices:
            code, name = self.reading.department(place)
            detail = f"{name} ({code})" if code else place.code
            entries.append(Entry(place.name, addresses.place_page(place), detail, (code, name)))
        yield from list_pages(self.pages, offices_list(self.network.code), listing, entries)


def offices_list(network: str) -> str:
    """Return the address of the list of a network's offices."""
    return f"listes/reseau-{addresses.file_name(network)}.html"


def section_weight(section: tuple[Series, Markup]) -> int:
    """Return the bytes of what a page says of an indicator: its section, and its tile in the summary."""
    return len(section[1].encode()) + _TILE
