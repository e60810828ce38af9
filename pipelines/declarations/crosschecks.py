"""What must hold between declarations: every name that a file uses is declared in the other. One function per rule."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipelines.declarations.barometer_checks import barometer_faults
from pipelines.declarations.network import DURATION_FORMS
from pipelines.declarations.part_checks import (
    experience_faults,
    fits,
    input_faults,
    names_used,
    sampling_faults,
    theme_faults,
    typology_faults,
    unit_faults,
    weight_faults,
)
from pipelines.declarations.periods import MONTHS_PER_PERIOD
from pipelines.declarations.problems import Problem, close_to, placed
from pipelines.declarations.references import REASONS_GIVEN
from pipelines.declarations.strict_model import LEVELS
from pipelines.declarations.yaml_source import Document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.declarations.catalogue import Catalogue
    from pipelines.declarations.indicator import Feed, Indicator
    from pipelines.declarations.network import Export, Layout, Network
    from pipelines.declarations.strict_model import Scalar
    from pipelines.declarations.yaml_source import Path


# Where the words of a closed list are declared.
_ENDLESS = 9999  # the year until which a place that still exists is listed
_HOMES = {"motif d'absence": "references/motifs.yml", "engagement": "references/engagements.yml"}


def crosscheck(catalogue: Catalogue, documents: Mapping[str, Document], broken: set[str]) -> list[Problem]:
    """Return every problem between files; files in ``broken`` are left out of what others may be blamed for."""
    checker = _Checker(catalogue, documents, broken)
    declared = catalogue.of_results.networks
    for name, network in declared.items():
        checker.network(name, network)
    for name, barometer in catalogue.barometers.items():
        for place, message in barometer_faults(barometer, declared):
            checker.say(f"barometers/{name}.yml", place, message)
    checker.experiences()
    for name, indicator in catalogue.indicators.items():
        checker.indicator(name, indicator)
    for name in catalogue.tables:
        checker.table(name)
    for name in catalogue.datasets:
        checker.dataset(name)
    for name in catalogue.corrections:
        checker.corrections(name)
    for name in catalogue.signal_notes:
        checker.signal_notes(name)
    checker.territories()
    checker.reasons()
    return checker.problems


class _Checker:
    def __init__(self, catalogue: Catalogue, documents: Mapping[str, Document], broken: set[str]) -> None:
        self.catalogue, self.documents, self.broken = catalogue, documents, broken
        self.problems: list[Problem] = []

    def say(self, file: str, path: Path, message: str) -> None:
        self.problems.append(placed(file, self.documents.get(file) or Document(), path, message))

    def known(self, file: str, path: Path, word: str, allowed: Iterable[str], what: str) -> bool:
        if _HOMES.get(what) in self.broken:  # the list itself is broken, and said so: it blames nobody else
            return True
        names = sorted(allowed)
        if word in names:
            return True
        self.say(
            file, path, f"{what} « {word} » inconnu{close_to(word, names)} ; déclarés : {', '.join(names) or 'aucun'}"
        )
        return False

    def no_twins(self, file: str, path: Path, names: Iterable[str], what: str) -> None:
        for name, count in Counter(names).items():
            if count > 1:
                self.say(file, path, f"{what} « {name} » déclaré {count} fois")

    # Networks

    def network(self, name: str, network: Network) -> None:
        file = f"networks/{name}.yml"
        self.no_twins(file, ("exports",), (export.id for export in network.exports), "export")
        for year in network.provisional_years:
            if year not in network.years:
                self.say(file, ("provisional_years",), f"{year} n'est pas une année attendue ({network.years})")
        if network.closed_until is not None and network.closed_until not in network.years:
            self.say(file, ("closed_until",), f"{network.closed_until} n'est pas une année attendue ({network.years})")
        for year in network.provisional_years:
            if network.closed(year):
                self.say(file, ("provisional_years",), f"{year} est close (closed_until) : elle n'est plus provisoire")
        for index, export in enumerate(network.exports):
            self.export(file, ("exports", index), network, export)
            if export.kind == "experiences":
                told = "des textes d'usagers se déclarent dans experiences/, pas dans un réseau"
                self.say(file, ("exports", index), told)
        if network.poster:
            self.poster(file, name, network)

    def experiences(self) -> None:
        """Check users' experiences as the export that they are, and what their voices are made of."""
        for name, source in self.catalogue.experiences.items():
            file, network = f"experiences/{name}.yml", self.catalogue.networks[name]
            for place, message in experience_faults(source):
                self.say(file, place, message)
            self.export(file, (), network, network.exports[0])
        named = {
            *self.catalogue.of_results.networks,
            *(name[9:-4] for name in self.broken if name.startswith("networks/")),
        }
        for place, message in typology_faults(self.catalogue.typologies, named):
            self.say("references/typologies.yml", place, message)
        for name in self.catalogue.themes:
            for place, message in theme_faults(name, self.catalogue.themes):
                self.say(f"themes/{name}.yml", place, message)

    def poster(self, file: str, name: str, network: Network) -> None:
        """Refuse a poster of an indicator that the network's offices don't have."""
        assert network.poster is not None
        place: Path = ("poster", "indicators")
        fed = self.catalogue.indicators_of(name)
        self.no_twins(file, place, network.poster.indicators, "indicateur")
        for index, shown in enumerate(network.poster.indicators):
            here = (*place, index)
            if f"indicators/{shown}.yml" in self.broken or not self.known(file, here, shown, fed, "indicateur"):
                continue
            levels = fed[shown].levels_in(name)
            if network.finest_level not in levels:
                message = f"« {shown} » n'a pas de résultat à la maille {network.finest_level} de ce réseau"
                self.say(file, here, f"{message} ; ses mailles : {', '.join(levels)}")

    def export(self, file: str, path: Path, network: Network, export: Export) -> None:
        names = [field.name for field in export.fields]
        self.no_twins(file, (*path, "fields"), names, "champ")
        for dotted, field_name in export.referenced_fields().items():
            keys = tuple(int(part) if part.isdigit() else part for part in dotted.split("."))
            self.known(file, (*path, *keys), field_name, names, "champ")
        for index, field in enumerate(export.fields):
            for code, reason in field.absences.items():
                place = (*path, "fields", index, "absences", code)
                self.known(file, place, reason, self.catalogue.reasons, "motif d'absence")
                if code not in field.missing_values:
                    self.say(file, place, f"« {code} » doit aussi figurer dans missingValues du champ {field.name}")
        for year in export.solicited:
            if export.kind != "survey" or export.layout(year) is None:
                self.say(file, (*path, "solicited"), f"{year} n'est pas une année d'enquête de l'export {export.id}")
        self.personal_fields(file, path, export)
        self.layouts(file, path, network, export)
        for place, message in (*sampling_faults(export), *weight_faults(export)):
            self.say(file, (*path, *place), message)
        if export.territory is None and any(level in ("departement", "region") for level in _row_levels(export)):
            self.say(file, path, "des lignes par département ou région demandent « territory »")
        period = export.field(export.period.field) if export.period.field else None
        if period and period.type not in ("date", "year"):
            self.say(file, (*path, "period", "field"), f"le champ {period.name} doit être de type date ou year")
        if export.territory and export.territory.codes != "pilote" and {"departement", "region"} <= _row_levels(export):
            self.say(
                file, (*path, "territory"), "des lignes par département et par région demandent les codes « pilote »"
            )
        if export.structure is None and "site" in _row_levels(export):
            self.say(file, path, "des lignes par site demandent « structure »")

    def personal_fields(self, file: str, path: Path, export: Export) -> None:
        """Refuse a personal column where results would rest on its values: place, level, structure and weight."""
        published = {
            ("territory", "field"): export.territory.field if export.territory else None,
            ("level", "field"): export.level.field,
            ("structure", "code"): export.structure.code if export.structure else None,
            ("structure", "name"): export.structure.name if export.structure else None,
            ("weight",): export.weight,
        }
        for place, name in published.items():
            field = export.field(name) if name else None
            if field is not None and field.personal:
                self.say(file, (*path, *place), f"« {name} » est déclaré personnel : il ne peut nourrir aucun résultat")

    def layouts(self, file: str, path: Path, network: Network, export: Export) -> None:
        claimed: Counter[int] = Counter()
        for index, layout in enumerate(export.layouts):
            claimed.update(layout.years)
            place = (*path, "layouts", index)
            self.no_twins(file, place, _labels(export, layout), "en-tête")
            for name, form in _unfit_forms(export, layout):
                message = f"format « {form} » impossible pour une durée ; permis : {', '.join(DURATION_FORMS)}"
                self.say(file, (*place, "fields", name, "format"), message)
            if layout.format in ("csv", "parquet") and layout.sheet:
                self.say(file, (*place, "sheet"), f"« sheet » n'a pas de sens pour un fichier {layout.format}")
            if not layout.one_file_per_year and export.period.field is None:
                self.say(file, place, "un fichier de plusieurs années demande « period.field » (ou {year} dans path)")
        for year, count in sorted(claimed.items()):
            if count > 1:
                self.say(file, (*path, "layouts"), f"{count} layouts se disputent l'année {year}")
            if year not in network.years:
                self.say(file, (*path, "layouts"), f"l'année {year} n'est pas attendue de ce réseau ({network.years})")

    # Indicators

    def indicator(self, name: str, indicator: Indicator) -> None:
        file = f"indicators/{name}.yml"
        if indicator.engagement:
            self.known(file, ("engagement",), indicator.engagement, self.catalogue.engagements, "engagement")
        for level in ("site", "departement"):
            rule = indicator.levels.get(level)
            if rule and rule.compare:
                self.say(
                    file,
                    ("levels", level, "compare"),
                    "seules les mailles region et national se comparent à leurs parties",
                )
        if indicator.minimum_base:
            reason = indicator.minimum_base.reason
            self.known(file, ("minimum_base", "reason"), reason, self.catalogue.reasons, "motif d'absence")
        for network_name, feed in indicator.networks.items():
            path: Path = ("networks", network_name)
            if f"networks/{network_name}.yml" in self.broken:
                continue
            if self.known(file, path, network_name, self.catalogue.of_results.networks, "réseau"):
                self.feed(file, path, indicator, feed, self.catalogue.networks[network_name])

    def feed(self, file: str, path: Path, indicator: Indicator, feed: Feed, network: Network) -> None:
        estimator = indicator.estimator
        for given in feed.inputs:
            self.known(file, (*path, "inputs", given), given, estimator.input_names(), "entrée")
        for needed in estimator.missing_inputs(set(feed.inputs)):
            self.say(file, (*path, "inputs"), f"l'estimateur {estimator.name} demande l'entrée « {needed} »")
        sets = (estimator.inputs, *estimator.alternatives)
        if sum(bool(set(names) & set(feed.inputs)) for names in sets) > 1:
            self.say(
                file, (*path, "inputs"), f"donner {' ou '.join(' et '.join(names) for names in sets)}, pas les deux"
            )
        for export_name in feed.export:
            if self.known(file, (*path, "export"), export_name, (export.id for export in network.exports), "export"):
                export = network.export(export_name)
                assert export is not None  # just checked
                self.feed_fields(file, path, feed, export)
                self.feed_values(file, path, indicator, feed, export)
                for place, message in (*input_faults(indicator, feed, export), *unit_faults(indicator, feed, export)):
                    self.say(file, (*path, *place), message)
                self.feed_levels(file, path, indicator, feed, export)
                self.feed_frequency(file, path, indicator, feed, export)
        self.feed_exports_alike(file, path, indicator, feed, network)
        for index, item in enumerate(feed.breaks):
            if item.year not in network.years:
                message = f"{item.year} n'est pas attendue de ce réseau ({network.years})"
                self.say(file, (*path, "breaks", index), message)
        if feed.years:
            for year in feed.years:
                if year not in network.years:
                    self.say(file, (*path, "years"), f"{year} n'est pas attendue de ce réseau ({network.years})")

    def feed_fields(self, file: str, path: Path, feed: Feed, export: Export) -> None:
        names = [field.name for field in export.fields]
        for key, column in feed.inputs.items():
            self.known(file, (*path, "inputs", key), column, names, f"champ de l'export {export.id}")
        if feed.contributor is not None:
            self.known(file, (*path, "contributor"), feed.contributor, names, f"champ de l'export {export.id}")
        for column in feed.where:
            self.known(file, (*path, "where", column), column, names, f"champ de l'export {export.id}")
        used = {("inputs", key): column for key, column in feed.inputs.items()}
        for place, column in {**used, **{("where", column): column for column in feed.where}}.items():
            field = export.field(column)
            if field is not None and field.personal:
                message = f"« {column} » est déclaré personnel dans {export.id} : il ne peut nourrir aucun résultat"
                self.say(file, (*path, *place), message)

    def feed_values(self, file: str, path: Path, indicator: Indicator, feed: Feed, export: Export) -> None:
        """Compare the values that the YAML expects in a column with the type and the list of values of its field."""
        for column, values in feed.where.items():
            self.values_fit(file, (*path, "where", column), export, column, values)
        answer = feed.inputs.get("answer")
        if answer:
            self.values_fit(file, (*path, "inputs", "answer"), export, answer, indicator.estimator.answers())
            self.answers_known(file, (*path, "inputs", "answer"), indicator, export, answer)

    def answers_known(self, file: str, path: Path, indicator: Indicator, export: Export, column: str) -> None:
        """Refuse an answer of the field that is neither in the base nor declared out of it: no silent exclusion."""
        field = export.field(column)
        named = {str(answer) for answer in (*indicator.estimator.answers(), *(indicator.estimator.set_aside() or ()))}
        for value in field.constraints.enum or () if field else ():
            if str(value) not in named:
                self.say(file, path, f"la réponse « {value} » n'est ni dans la base ni dans « excluded »")

    def values_fit(self, file: str, path: Path, export: Export, column: str, values: Iterable[Scalar]) -> None:
        field = export.field(column)
        if field is None:
            return
        allowed = [str(value) for value in field.constraints.enum or ()]
        for value in values:
            if not fits(value, field):
                self.say(file, path, f"« {value} » n'est pas du type du champ {column} ({field.type})")
            elif allowed and str(value) not in allowed:
                hint = close_to(str(value), allowed)
                self.say(
                    file,
                    path,
                    f"« {value} » n'est pas une valeur du champ {column}{hint} ; valeurs : {', '.join(allowed)}",
                )

    def feed_frequency(self, file: str, path: Path, indicator: Indicator, feed: Feed, export: Export) -> None:
        """Refuse a published frequency finer than the rows, or that typed values can't be brought to."""
        finest = export.period.frequency
        if feed.frequency is None or feed.frequency in (finest, "year"):
            return
        finer = MONTHS_PER_PERIOD[feed.frequency] < MONTHS_PER_PERIOD[finest]
        if finer or indicator.estimator.family == "typed":
            message = f"« {feed.frequency} » impossible pour l'export {export.id} ; permis : {finest}, year"
            self.say(file, (*path, "frequency"), message)

    def feed_exports_alike(self, file: str, path: Path, indicator: Indicator, feed: Feed, network: Network) -> None:
        """Refuse exports of different levels for a computed indicator: their rows would be counted twice."""
        found = [export for name in feed.export if (export := network.export(name))]
        finest = {min((LEVELS.index(level) for level in _row_levels(export)), default=0) for export in found}
        if indicator.estimator.family not in ("typed", "networks") and len(finest) > 1:
            self.say(
                file,
                (*path, "export"),
                "ces exports n'ont pas la même maille fine : leurs lignes compteraient deux fois",
            )

    def feed_levels(self, file: str, path: Path, indicator: Indicator, feed: Feed, export: Export) -> None:
        if indicator.estimator.family == "typed":
            return
        finest = min((LEVELS.index(level) for level in _row_levels(export)), default=0)
        for level in feed.levels or indicator.levels:
            if LEVELS.index(level) < finest:
                message = f"la maille {level} est plus fine que les lignes de l'export {export.id} ({LEVELS[finest]})"
                self.say(file, (*path, "levels") if feed.levels else ("levels", level), message)

    # What is published

    def table(self, name: str) -> None:
        file, table = f"tables/{name}.yml", self.catalogue.tables[name]
        self.no_twins(file, ("columns",), table.names, "colonne")
        for index, column in enumerate(table.key):
            self.known(file, ("key", index), column, table.names, "colonne")
        for index, key in enumerate(table.foreign_keys):
            path: Path = ("foreignKeys", index)
            for column in key.fields:
                self.known(file, (*path, "fields"), column, table.names, "colonne")
            if f"tables/{key.table}.yml" not in self.broken and self.known(
                file, (*path, "table"), key.table, self.catalogue.tables, "table"
            ):
                for column in key.references:
                    self.known(file, (*path, "references"), column, self.catalogue.tables[key.table].names, "colonne")

    def dataset(self, name: str) -> None:
        file, dataset = f"datasets/{name}.yml", self.catalogue.datasets[name]
        for index, table in enumerate(dataset.tables):
            if f"tables/{table}.yml" not in self.broken:
                self.known(file, ("tables", index), table, self.catalogue.tables, "table")
        self.known(file, ("main_table",), dataset.main_table, dataset.tables, "table")
        for table, layout in dataset.layout.items():
            for index, part in enumerate(layout.parts):
                if not part.name.startswith(table):
                    told = f"« {part.name} » : le nom d'une partie commence par celui de sa table, {table}"
                    self.say(file, ("layout", table, "parts", index, "name"), told)
        parts = [part.name for layout in dataset.layout.values() for part in layout.parts]
        self.no_twins(file, ("layout",), [*parts, *(set(dataset.tables) - dataset.layout.keys())], "fichier")
        for path, word, allowed, what in names_used(self.catalogue, dataset):
            self.known(file, path, word, allowed, what)

    def corrections(self, name: str) -> None:
        file = f"corrections/{name}.yml"
        broken = {f"networks/{name}.yml", f"experiences/{name}.yml"} & self.broken
        if broken or not self.known(file, (), name, self.catalogue.networks, "réseau"):
            return
        network = self.catalogue.networks[name]
        for index, correction in enumerate(self.catalogue.corrections[name]):
            path: Path = ("corrections", index)
            if not self.known(file, (*path, "export"), correction.export, (e.id for e in network.exports), "export"):
                continue
            export = network.export(correction.export)
            assert export is not None  # just checked
            names = [field.name for field in export.fields]
            for column in (correction.field, *correction.where):
                self.known(file, path, column, names, f"champ de l'export {export.id}")
            layout = export.layout(correction.year)
            if layout and not layout.one_file_per_year and export.period.field not in correction.where:
                message = f"ce fichier porte plusieurs années : ajouter « {export.period.field} » à where"
                self.say(file, (*path, "where"), message)
            if correction.year not in network.years:
                self.say(file, (*path, "year"), f"{correction.year} n'est pas attendue de ce réseau ({network.years})")

    def signal_notes(self, name: str) -> None:
        file, notes = f"signals/{name}.yml", self.catalogue.signal_notes[name]
        if self.catalogue.signals is None:
            self.say(file, (), "aucun jeu de données de signaux n'est déclaré : ces notes ne vont nulle part")
        for index, note in enumerate(notes):
            if not note.signal.startswith(f"{name}-"):
                message = f"ce signal n'est pas du réseau {name} : l'écrire dans le fichier de son réseau"
                self.say(file, ("notes", index, "signal"), message)
        for (signal, day), count in Counter((note.signal, note.date) for note in notes).items():
            if count > 1:
                self.say(file, ("notes",), f"le signal « {signal} » a {count} notes du {day:%d/%m/%Y} : en garder une")

    def territories(self) -> None:
        file = "references/territoires.yml"
        states: dict[tuple[str, str], list[range]] = {}
        for index, territory in enumerate(self.catalogue.territories.territories):
            years = range(territory.since or 0, (territory.until or _ENDLESS) + 1)
            others = states.setdefault((territory.level, territory.code), [])
            if any(years.start < other.stop and other.start < years.stop for other in others):
                told = f"territoire « {territory.level} {territory.code} » déclaré 2 fois pour les mêmes années"
                self.say(file, ("territories", index), told)
            others.append(years)
        for index, territory in enumerate(self.catalogue.territories.territories):
            known = states.get(("region", territory.region or ""), [])
            ends = (territory.since or 0, territory.until or _ENDLESS)
            if territory.region and not all(any(year in years for years in known) for year in ends):
                self.say(
                    file, ("territories", index), f"région « {territory.region} » absente de la liste ces années-là"
                )

    def reasons(self) -> None:
        for reason in REASONS_GIVEN:
            self.known("references/motifs.yml", ("reasons",), reason, self.catalogue.reasons, "motif d'absence")


def _labels(export: Export, layout: Layout) -> list[str]:
    changed = {name: override.label for name, override in layout.fields.items() if override.label}
    return [changed.get(field.name) or field.label or field.name for field in export.fields]


def _unfit_forms(export: Export, layout: Layout) -> Iterator[tuple[str, str]]:
    """Yield the durations that a layout writes in a form that can't be read, with that form."""
    for name, override in layout.fields.items():
        field = export.field(name)
        if field and field.type == "duration" and override.format and override.format not in DURATION_FORMS:
            yield name, override.format


def _row_levels(export: Export) -> set[str]:
    levels: set[str] = set(export.level.values.values())
    return levels | {export.level.otherwise} if export.level.otherwise else levels
