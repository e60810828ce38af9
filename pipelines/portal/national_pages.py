"""The pages where networks meet: home, territories, indicators, lists and search. About the data: ``about_pages``."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pipelines.portal import addresses
from pipelines.portal.about_pages import matrix
from pipelines.portal.charts.bars import bars
from pipelines.portal.charts.curve import curve
from pipelines.portal.figures import Figure, Indicator, Place, Series
from pipelines.portal.lists import Entry, Listing, folded, list_pages, search_files
from pipelines.portal.network_pages import offices_list, section_weight
from pipelines.portal.sentences import better_sentence
from pipelines.portal.templates import LEVELS, LISTS, Crumbs, File, Pages, packed, published

if TYPE_CHECKING:
    from collections.abc import Iterator

Results = list[tuple[Place, list[tuple[Indicator, Figure]]]]  # of a territory, by network
HEAVIEST_PAGE = 95_000  # bytes
SHOWN_ROWS = 120  # indicators on the page of a territory, all networks together: some 50 kB
HEAVIEST_CURVES = 45_000  # bytes of curves on the page of an indicator, beside the bars of all networks
SHOWN_OFFICES = 150  # beyond, the page of a territory links to their list
_TITLES = {"satisfaction": "Ce que les usagers et les agents en disent", "performance": "Ce que le service rend"}


class CommonPages:
    """The pages that several networks share, made from one release."""

    def __init__(self, pages: Pages) -> None:
        self.pages, self.reading = pages, pages.reading
        self._nation = {
            (place.network, series.indicator.code): series
            for place, series_of_place in self.reading.place_series(level="national")
            for series in series_of_place
        }
        self._places = self.reading.places()

    def files(self) -> Iterator[File]:
        """Yield every page."""
        yield self._home()
        yield self.pages.file("networks.html", "reseaux.html", "Réseaux", crumbs=[("Réseaux", None)])
        for level in self._due:
            yield from self._territories(level)
        yield from self._indicators()
        yield from self._letters()
        yield self.pages.file("search.html", "recherche.html", "Rechercher", crumbs=[("Rechercher", None)])
        yield from (File(address, text) for address, text in search_files(self._entries()))

    def _entries(self) -> list[Entry]:
        """Return all that a search may find."""
        networks, indicators = self.reading.networks, self.reading.indicators
        entries = [Entry(one.title, addresses.page("reseaux", code), "réseau") for code, one in networks.items()]
        entries += [
            Entry(one.title, addresses.page("indicateurs", code), "indicateur") for code, one in indicators.items()
        ]
        for level, names in self._due.items():
            for code, name in names.items():
                entries.append(Entry(name, addresses.territory_page(level, code), LEVELS[level]))
        return [*entries, *self._offices, *self._held_by_territories]

    @cached_property
    def _offices(self) -> list[Entry]:
        return [
            Entry(place.name, addresses.place_page(place), self._detail(place), self.reading.department(place))
            for place in self._places
            if place.level == "site"
        ]

    @cached_property
    def _held_by_territories(self) -> list[Entry]:
        """Return the offices whose results are those of a territory, found by their own name."""
        place_of = {(place.network, place.level, place.code): place for place in self._places}
        rows = self.reading.rows("structures")
        return [
            Entry(row["structure"], addresses.place_page(place), self._detail(place))
            for row in rows
            if row["maille"] in ("departement", "region")
            and (place := place_of.get((row["reseau"], row["maille"], row["territoire_code"])))
        ]

    def _detail(self, place: Place) -> str:
        title = self.reading.networks[place.network].title
        code = place.territory if place.level == "site" else place.code
        territory = self.reading.territories.get(("departement", code))
        return f"{title}, {territory[-1]['territoire']}" if territory else title

    def _home(self) -> File:
        offices = sum(place.level == "site" for place in self._places)
        counts = [
            ("Réseaux", len(self.reading.networks), "reseaux.html"),
            ("Indicateurs", len(self.reading.indicators), "indicateurs.html"),
            ("Départements et collectivités", len(self._due["departement"]), "departements.html"),
            ("Structures", offices, "structures.html"),
        ]
        return self.pages.file(
            "home.html",
            "index.html",
            "Résultats et satisfaction, lieu par lieu",
            counts=counts,
            news=self.reading.versions[-3:][::-1],
            key_figures=self._key_figures(),
            matrix=matrix(self.reading, last=6),
            description="Délais, appels décrochés, satisfaction des usagers : les résultats des services publics, "
            "par réseau, département, région et structure, en données ouvertes.",
        )

    def _key_figures(self) -> list[Series]:
        """Return one national series of each network, with a value: the first about satisfaction, else the first."""
        kinds = {code: row["type_indicateur"] for code, row in self.reading.indicator_rows.items()}
        firsts = []
        for _, of_network in groupby(self._nation.values(), lambda series: series.place.network):
            valued = [series for series in of_network if published(series)]
            valued.sort(key=lambda series: kinds[series.indicator.code], reverse=True)
            firsts += valued[:1]
        return firsts

    @cached_property
    def _due(self) -> dict[str, dict[str, str]]:
        """By level, the name of each territory that has a result, or an office that has one, by code."""
        due: dict[str, dict[str, str]] = {"departement": {}, "region": {}}
        for place in self._places:
            if place.level in due:
                due[place.level][place.code] = place.name
        offices = (self.reading.department(place) for place in self._places if place.level == "site")
        due["departement"] |= {code: name for code, name in offices if code}
        return {level: dict(sorted(names.items())) for level, names in due.items()}

    def _territories(self, level: str) -> Iterator[File]:
        title, page = LISTS[level]
        due = self._due[level]
        results = self._latest(level)
        rows = dict.fromkeys(due, "")
        for code, text in self.reading.yearly_rows(level):
            address = addresses.rows_file(addresses.territory_page(level, code))
            rows[code] = address
            yield File(address, text)
        offices: dict[str, list[Place]] = {}
        for place in self._places:
            if place.level == "site":
                offices.setdefault(place.territory, []).append(place)
        for code, name in due.items():
            here = offices.get(code, []) if level == "departement" else []
            yield from self._territory(level, code, name, results.get(code, []), here, rows[code] or None)
        entries = [Entry(f"{name} ({code})", addresses.territory_page(level, code), "") for code, name in due.items()]
        lead = f"{title} qui ont un résultat ou une structure dans cette version."
        yield from list_pages(self.pages, page, Listing(title, lead, [(title, None)]), entries)

    def _latest(self, level: str) -> dict[str, Results]:
        """Return by code of territory the last published figure, else the last, of each network and indicator."""
        by_code: dict[str, Results] = {}
        for place, series_of_place in self.reading.place_series(level=level):
            shown = [(series.indicator, published(series) or series.latest) for series in series_of_place]
            by_code.setdefault(place.code, []).append((place, shown))
        return by_code

    def _territory(
        self, level: str, code: str, name: str, results: Results, offices: list[Place], rows: str | None
    ) -> Iterator[File]:
        """Yield the page of a territory, with its offices and so many indicators as keep it light."""
        listed = f"listes/{level}-{addresses.file_name(code)}.html" if offices else ""
        facts = self._territory_facts(level, code, name, rows)
        apart, most = len(offices) > SHOWN_OFFICES, max(1, SHOWN_ROWS // max(1, len(results)))
        while True:
            page = self.pages.file(
                "territory.html",
                **facts,
                held=self._shortened(results, most),
                offices_list=listed if apart else None,
                offices=[] if apart else sorted(offices, key=lambda place: (place.network, folded(place.name))),
                offices_count=len(offices),
            )
            if len(page.text.encode()) < HEAVIEST_PAGE or (apart and not most):
                break
            apart, most = True, most if not apart else most // 2
        yield page
        if apart:
            yield from self._territory_offices(facts, listed, offices)

    def _territory_facts(self, level: str, code: str, name: str, rows: str | None) -> dict[str, Any]:
        word = LEVELS[level]
        return {
            "title": f"{name} ({code}), {word}",
            "heading": name,
            "crumbs": [LISTS[level], (name, None)],
            "notes": self._notes(level, code),
            "within": self._within(code) if level == "region" else [],
            "rows": rows,
            "address": addresses.territory_page(level, code),
            "description": f"Résultats des services publics, {word} {name} ({code}), données ouvertes.",
        }

    def _shortened(self, results: Results, most: int) -> list[tuple[Place, list[tuple[Any, ...]], int]]:
        shortened = []
        for place, figures in results:
            rows = [(one, shown, self._same_year(place, one, shown)) for one, shown in figures[:most]]
            shortened.append((place, rows, len(figures[most:])))
        return shortened

    def _territory_offices(self, facts: dict[str, Any], address: str, offices: list[Place]) -> Iterator[File]:
        titles = {code: network.title for code, network in self.reading.networks.items()}
        entries = [
            Entry(
                place.name, addresses.place_page(place), titles[place.network], (place.network, titles[place.network])
            )
            for place in offices
        ]
        page, (here, _) = facts["crumbs"]
        crumbs = [page, (here, facts["address"]), ("Structures", None)]
        listing = Listing(f"Structures : {facts['title'].rpartition(',')[0]}", f"{len(entries)} structures.", crumbs)
        yield from list_pages(self.pages, address, listing, entries)

    def _same_year(self, place: Place, one: Indicator, shown: Figure) -> Figure | None:
        series = self._nation.get((place.network, one.code))
        return next((figure for figure in series.figures if figure.year == shown.year), None) if series else None

    def _notes(self, level: str, code: str) -> list[str]:
        states = self.reading.territories.get((level, code), [])
        if not states:
            return []
        notes = [f"{states[-1]['nature'].capitalize()}, code officiel géographique {code}."]
        last = states[-1]["derniere_annee"]
        if last and last < self.reading.years[-1]:
            notes.append(
                f"Ce territoire n'existe plus depuis la fin de {last} ; ses valeurs restent celles de son temps."
            )
        return notes

    def _within(self, region: str) -> list[tuple[str, str]]:
        return [
            (f"{name} ({code})", addresses.territory_page("departement", code))
            for code, name in self._due["departement"].items()
            if (states := self.reading.territories.get(("departement", code))) and states[-1]["region_code"] == region
        ]

    def _indicators(self) -> Iterator[File]:
        rows: dict[str, str] = {}
        for code, text in self.reading.yearly_rows("national", key="indicateur"):
            rows[code] = addresses.rows_file(addresses.page("indicateurs", code))
            yield File(rows[code], text)
        breaks = [row for row in self.reading.rows("comparabilite") if row["comparabilite"] == "non comparable"]
        for code, one in self.reading.indicators.items():
            networks, own = (
                self.reading.indicator_networks.get(code, []),
                [x for x in breaks if x["indicateur"] == code],
            )
            yield from self._indicator(one, networks, own, rows.get(code))
        kinds = {code: row["type_indicateur"] for code, row in self.reading.indicator_rows.items()}
        ordered = sorted(self.reading.indicators.values(), key=lambda one: folded(one.title))
        groups = [(kind, title, [one for one in ordered if kinds[one.code] == kind]) for kind, title in _TITLES.items()]
        yield self.pages.file(
            "indicators.html", "indicateurs.html", "Indicateurs", groups=groups, crumbs=[("Indicateurs", None)]
        )

    def _indicator(
        self, one: Indicator, networks: list[str], breaks: list[dict[str, Any]], rows: str | None
    ) -> Iterator[File]:
        """Yield the page of an indicator, in parts where many networks publish it."""
        nation = [self._nation[network, one.code] for network in networks if (network, one.code) in self._nation]
        publishing = {series.place.network for series in nation}
        parts = packed([(series, self._curve(series)) for series in nation], section_weight, HEAVIEST_CURVES)
        yield from self.pages.in_parts(
            "indicator.html",
            addresses.page("indicateurs", one.code),
            f"{one.title} (indicateur {one.code})",
            parts,
            heading=one.title,
            one=one,
            row=self.reading.indicator_rows[one.code],
            better=better_sentence(one),
            breaks=breaks,
            rows=rows,
            side_by_side=self._side_by_side(one, nation),
            without=[network for network in networks if network not in publishing],
            crumbs=[("Indicateurs", "indicateurs.html"), (one.title, None)],
            description=f"{one.title} : {one.definition}"[:300],
        )

    def _side_by_side(self, one: Indicator, nation: list[Series]) -> Markup:
        """Return the last national value of each network as bars, in the order of networks: no rank."""
        if len(nation) < 2:
            return Markup()
        titles = [self.reading.networks[series.place.network].title for series in nation]
        rows = [
            (replace(series.place, name=title), published(series) or series.latest)
            for title, series in zip(titles, nation, strict=True)
        ]
        return bars(f"{one.title}, dernière valeur nationale de chaque réseau", rows, one).html("c-reseaux")

    def _curve(self, series: Series) -> Markup:
        """Return the curve of a national series under the name of its network: several stand on one page."""
        name = f"{self.reading.networks[series.place.network].title}, {series.place.name}"
        named = replace(series, place=replace(series.place, name=name))
        return curve(named).html(f"c-{series.place.network}")

    def _letters(self) -> Iterator[File]:
        """Yield the page of offices and their lists by first letter."""
        by_letter: dict[str, list[Entry]] = {}
        for entry in [*self._offices, *self._held_by_territories]:
            first = folded(entry.name)[:1]
            by_letter.setdefault(first.upper() if first.isalpha() else "0-9", []).append(entry)
        groups = [(letter, f"listes/lettre-{letter.lower()}.html") for letter in sorted(by_letter)]
        networks = sorted({place.network for place in self._places if place.level == "site"})
        by_network = [(self.reading.networks[code].title, offices_list(code)) for code in networks]
        entries = [Entry(name, address, "toutes les structures du réseau") for name, address in by_network]
        label = "Structures par première lettre"
        listing = Listing(
            "Structures",
            "Caisses, agences, guichets : les lieux qui ont un résultat, par première lettre ou par réseau.",
            [("Structures", None)],
            groups,
            label,
            "Par réseau",
        )
        yield from list_pages(self.pages, "structures.html", listing, entries)
        for letter, address in groups:
            crumbs: Crumbs = [("Structures", "structures.html"), (letter, None)]
            lead = f"Structures dont le nom commence par {letter}."
            of_letter = Listing(f"Structures : {letter}", lead, crumbs, groups, label)
            yield from list_pages(self.pages, address, of_letter, by_letter[letter])
