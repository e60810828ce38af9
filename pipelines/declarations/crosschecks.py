"""What must hold between declarations: every name that a file uses is declared in another one.

What is said of one file is yielded as faults, a key and its words; they are placed in the files here.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipelines.declarations.barometer_checks import barometer_faults
from pipelines.declarations.export_checks import export_faults
from pipelines.declarations.feed_checks import feed_faults
from pipelines.declarations.problems import Problem, below, close_to, placed, twins, unknown
from pipelines.declarations.references import REASONS_GIVEN
from pipelines.declarations.yaml_source import Document
from pipelines.mechanics.french import day_text
from pipelines.mechanics.spelling import plain_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.declarations.catalogue import Catalogue
    from pipelines.declarations.datasets import Dataset, HistoricalColumn, Table
    from pipelines.declarations.experiences import Experiences
    from pipelines.declarations.indicator import Indicator
    from pipelines.declarations.network import Network
    from pipelines.declarations.problems import Fault
    from pipelines.declarations.yaml_source import Path

_ENDLESS = 9999  # the year until which a place that still exists is listed
_REASONS, _ENGAGEMENTS = "references/motifs.yml", "references/engagements.yml"
_PLACES, _SERVICES = "references/territoires.yml", "references/typologies.yml"


def crosscheck(catalogue: Catalogue, documents: Mapping[str, Document], broken: set[str]) -> list[Problem]:
    """Return every problem between files; files in ``broken`` are left out of what others may be blamed for."""
    return [
        placed(file, documents.get(file) or Document(), path, message)
        for file, faults in _Checks(catalogue, broken).of_files()
        for path, message in faults
    ]


class _Checks:
    def __init__(self, catalogue: Catalogue, broken: set[str]) -> None:
        self.catalogue, self.broken = catalogue, broken
        self.networks = catalogue.of_results.networks
        self.reasons = None if _REASONS in broken else catalogue.reasons
        self.engagements = None if _ENGAGEMENTS in broken else catalogue.engagements

    def of_files(self) -> Iterator[tuple[str, Iterable[Fault]]]:
        """Yield each file with its faults."""
        declared = self.catalogue
        for name, network in self.networks.items():
            yield f"networks/{name}.yml", self.network(name, network)
        for name, barometer in declared.barometers.items():
            yield f"barometers/{name}.yml", barometer_faults(barometer, self.networks)
        for name, source in declared.experiences.items():
            yield f"experiences/{name}.yml", self.experiences(name, source)
        for name in declared.themes:
            yield f"themes/{name}.yml", self.themes(name)
        for name, indicator in declared.indicators.items():
            yield f"indicators/{name}.yml", self.indicator(indicator)
        for name, table in declared.tables.items():
            yield f"tables/{name}.yml", self.table(table)
        for name, dataset in declared.datasets.items():
            yield f"datasets/{name}.yml", self.dataset(dataset)
        for name in declared.corrections:
            yield f"corrections/{name}.yml", self.corrections(name)
        for name in declared.signal_notes:
            yield f"signals/{name}.yml", self.signal_notes(name)
        yield _SERVICES, self.typologies()
        yield _PLACES, self.territories()
        for reason in REASONS_GIVEN:
            yield _REASONS, unknown(("reasons",), reason, self.reasons, "motif d'absence")

    def network(self, name: str, network: Network) -> Iterator[Fault]:
        yield from twins(("exports",), (export.id for export in network.exports), "export")
        for year in network.provisional_years:
            if year not in network.years:
                yield ("provisional_years",), f"{year} n'est pas une année attendue ({network.years})"
            if network.closed(year):
                yield ("provisional_years",), f"{year} est close (closed_until) : elle n'est plus provisoire"
        if network.closed_until is not None and network.closed_until not in network.years:
            yield ("closed_until",), f"{network.closed_until} n'est pas une année attendue ({network.years})"
        for index, export in enumerate(network.exports):
            yield from below(("exports", index), export_faults(network, export, self.reasons))
            if export.kind == "experiences":
                message = "des textes d'usagers se déclarent dans experiences/, pas dans un réseau"
                yield ("exports", index), message
        if network.poster:
            yield from below(("poster", "indicators"), self.poster(name, network, network.poster.indicators))

    def poster(self, name: str, network: Network, indicators: tuple[str, ...]) -> Iterator[Fault]:
        """Yield the indicators that the network's offices don't have."""
        fed = self.catalogue.indicators_of(name)
        yield from twins((), indicators, "indicateur")
        for index, shown in enumerate(indicators):
            if f"indicators/{shown}.yml" in self.broken:
                continue
            yield from unknown((index,), shown, fed, "indicateur")
            if shown in fed and network.finest_level not in (levels := fed[shown].levels_in(name)):
                message = f"« {shown} » n'a pas de résultat à la maille {network.finest_level} de ce réseau"
                yield (index,), f"{message} ; ses mailles : {', '.join(levels)}"

    def experiences(self, name: str, source: Experiences) -> Iterator[Fault]:
        """Yield what doesn't hold of users' texts: as the export that they are, and of what makes a voice."""
        network = self.catalogue.networks[name]
        yield from export_faults(network, network.exports[0], self.reasons)
        fields = {field.name: field for field in source.fields}
        for place, names in source.columns.named.items():
            for column in names:
                if column not in fields:
                    yield ("columns", place), f"champ « {column} » inconnu{close_to(column, fields)}"
                elif place in ("published", "written") and fields[column].type != "date":
                    yield ("columns", place), f"le champ {column} doit être de type date"
                elif fields[column].personal and column not in source.columns.private:
                    yield ("columns", place), f"« {column} » est déclaré personnel : aucune voix n'en est faite"

    def themes(self, name: str) -> Iterator[Fault]:
        """Yield the themes of a family whose identifier an earlier one has too."""
        families = self.catalogue.themes
        for theme in families[name].themes:
            others = [other for other, family in families.items() if other < name and theme in family.themes]
            if others:
                yield ("themes", theme), f"thème « {theme} » déjà déclaré dans themes/{others[0]}.yml"

    def typologies(self) -> Iterator[Fault]:
        """Yield the networks that aren't declared, and the labels that name two services."""
        broken = [file[len("networks/") : -len(".yml")] for file in self.broken if file.startswith("networks/")]
        networks = {*self.networks, *broken}
        services: dict[str, str] = {}
        for name, typology in self.catalogue.typologies.items():
            if typology.network and typology.network not in networks:
                message = f"réseau « {typology.network} » inconnu{close_to(typology.network, networks)}"
                yield ("typologies", name, "network"), message
            for label in typology.labels:
                other = services.setdefault(plain_form(label), name)
                if other != name:
                    yield ("typologies", name, "labels"), f"« {label} » est déjà un intitulé de « {other} »"

    def indicator(self, indicator: Indicator) -> Iterator[Fault]:
        if indicator.engagement:
            yield from unknown(("engagement",), indicator.engagement, self.engagements, "engagement")
        for level, rule in indicator.levels.items():
            if level in ("site", "departement") and rule.compare:
                message = "seules les mailles region et national se comparent à leurs parties"
                yield ("levels", level, "compare"), message
        if limit := indicator.minimum_base:
            yield from unknown(("minimum_base", "reason"), limit.reason, self.reasons, "motif d'absence")
        for number, example in enumerate(indicator.examples):
            if fault := indicator.estimator.example_fault(example):
                yield ("examples", number), fault
        for name, feed in indicator.networks.items():
            if f"networks/{name}.yml" in self.broken:
                continue
            yield from unknown(("networks", name), name, self.networks, "réseau")
            if name in self.networks:
                yield from feed_faults(("networks", name), indicator, feed, self.networks[name])

    def table(self, table: Table) -> Iterator[Fault]:
        yield from twins(("columns",), table.names, "colonne")
        for index, column in enumerate(table.key):
            yield from unknown(("key", index), column, table.names, "colonne")
        for index, key in enumerate(table.foreign_keys):
            for column in key.fields:
                yield from unknown(("foreignKeys", index, "fields"), column, table.names, "colonne")
            if f"tables/{key.table}.yml" in self.broken:
                continue
            yield from unknown(("foreignKeys", index, "table"), key.table, self.catalogue.tables, "table")
            if other := self.catalogue.tables.get(key.table):
                for column in key.references:
                    yield from unknown(("foreignKeys", index, "references"), column, other.names, "colonne")

    def dataset(self, dataset: Dataset) -> Iterator[Fault]:
        for index, table in enumerate(dataset.tables):
            if f"tables/{table}.yml" not in self.broken:
                yield from unknown(("tables", index), table, self.catalogue.tables, "table")
        yield from unknown(("main_table",), dataset.main_table, dataset.tables, "table")
        for index, words in enumerate(dataset.explanations):
            place: Path = ("explanations", index)
            yield from _all_known((*place, "networks"), words.networks, self.catalogue.networks, "réseau")
            yield from _all_known((*place, "indicators"), words.indicators, self.catalogue.indicators, "indicateur")
            yield from _all_known((*place, "tables"), words.tables, dataset.tables, "table")
        for name in ("resultats", "indicateurs", "reseaux") if dataset.workbook else ():
            yield from unknown(("workbook",), name, dataset.tables, "table")
        yield from self.layout(dataset)
        main = self.catalogue.tables.get(dataset.main_table)
        if dataset.historical and main:
            for index, column in enumerate(dataset.historical.columns):
                place = ("historical", "columns", index)
                yield from below(place, self.historical_column(dataset, column, main.names))

    def layout(self, dataset: Dataset) -> Iterator[Fault]:
        """Yield what doesn't hold of the files in which tables lie."""
        for name, layout in dataset.layout.items():
            yield from unknown(("layout", name), name, dataset.tables, "table")
            table = self.catalogue.tables.get(name)
            for index, part in enumerate(layout.parts):
                place: Path = ("layout", name, "parts", index)
                if not part.name.startswith(name):
                    message = f"« {part.name} » : le nom d'une partie commence par celui de sa table, {name}"
                    yield (*place, "name"), message
                if table:
                    for column in part.where:
                        yield from unknown((*place, "where"), column, table.names, "colonne")
        parts = [part.name for layout in dataset.layout.values() for part in layout.parts]
        yield from twins(("layout",), [*parts, *(set(dataset.tables) - dataset.layout.keys())], "fichier")

    def historical_column(self, dataset: Dataset, column: HistoricalColumn, main: list[str]) -> Iterator[Fault]:
        """Yield the columns and tables that a column of the historical rendition is made of, and that don't exist."""
        yield from _all_known(("first",), column.first, main, "colonne")
        yield from _all_known(("join",), column.join, main, "colonne")
        if column.first_day_of:
            yield from unknown(("first_day_of",), column.first_day_of, main, "colonne")
        if lookup := column.lookup:
            yield from unknown(("lookup", "table"), lookup.table, dataset.tables, "table")
            companion = self.catalogue.tables.get(lookup.table)
            if companion:  # a table that isn't there, or is broken, is told by itself
                shared = [name for name in companion.names if name in main]
                yield from _all_known(("lookup", "on"), lookup.on, shared, "colonne")
                yield from unknown(("lookup", "column"), lookup.column, companion.names, "colonne")

    def corrections(self, name: str) -> Iterator[Fault]:
        if {f"networks/{name}.yml", f"experiences/{name}.yml"} & self.broken:
            return
        yield from unknown((), name, self.catalogue.networks, "réseau")
        network = self.catalogue.networks.get(name)
        if network is None:
            return
        for index, correction in enumerate(self.catalogue.corrections[name]):
            path: Path = ("corrections", index)
            yield from unknown((*path, "export"), correction.export, [one.id for one in network.exports], "export")
            export = network.export(correction.export)
            if export is None:
                continue
            names = [field.name for field in export.fields]
            for column in (correction.field, *correction.where):
                yield from unknown(path, column, names, f"champ de l'export {export.id}")
            layout = export.layout(correction.year)
            if layout and not layout.one_file_per_year and export.period.field not in correction.where:
                message = f"ce fichier porte plusieurs années : ajouter « {export.period.field} » à where"
                yield (*path, "where"), message
            if correction.year not in network.years:
                yield (*path, "year"), f"{correction.year} n'est pas attendue de ce réseau ({network.years})"

    def signal_notes(self, name: str) -> Iterator[Fault]:
        notes = self.catalogue.signal_notes[name]
        if self.catalogue.signals is None:
            yield (), "aucun jeu de données de signaux n'est déclaré : ces notes ne vont nulle part"
        for index, note in enumerate(notes):
            if not note.signal.startswith(f"{name}-"):
                message = f"ce signal n'est pas du réseau {name} : l'écrire dans le fichier de son réseau"
                yield ("notes", index, "signal"), message
        for (signal, day), count in Counter((note.signal, note.date) for note in notes).items():
            if count > 1:
                yield ("notes",), f"le signal « {signal} » a {count} notes du {day_text(day)} : en garder une"

    def territories(self) -> Iterator[Fault]:
        places = self.catalogue.territories.territories
        states: dict[tuple[str, str], list[range]] = {}
        for index, territory in enumerate(places):
            years = range(territory.since or 0, (territory.until or _ENDLESS) + 1)
            others = states.setdefault((territory.level, territory.code), [])
            if any(years.start < other.stop and other.start < years.stop for other in others):
                message = f"territoire « {territory.level} {territory.code} » déclaré 2 fois pour les mêmes années"
                yield ("territories", index), message
            others.append(years)
        for index, territory in enumerate(places):
            listed = states.get(("region", territory.region or ""), [])
            ends = (territory.since or 0, territory.until or _ENDLESS)
            if territory.region and not all(any(year in years for years in listed) for year in ends):
                yield ("territories", index), f"région « {territory.region} » absente de la liste ces années-là"


def _all_known(path: Path, names: Iterable[str], allowed: Iterable[str], what: str) -> Iterator[Fault]:
    for index, name in enumerate(names):
        yield from unknown((*path, index), name, allowed, what)
