"""What must hold within a part of the declarations: sampling, experiences, what a dataset names, roles of columns.

Each fault is a key and its words, in French; names that should exist are given back to be looked for.
"""

from __future__ import annotations

import datetime
from collections import Counter
from typing import TYPE_CHECKING

from pipelines.declarations.network import DURATION_UNITS
from pipelines.declarations.problems import close_to
from pipelines.mechanics.spelling import plain_form

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pipelines.declarations.catalogue import Catalogue
    from pipelines.declarations.datasets import Dataset
    from pipelines.declarations.experiences import Experiences, ThemeFamily, Typology
    from pipelines.declarations.indicator import Feed, Indicator
    from pipelines.declarations.network import Export, ExportField
    from pipelines.declarations.release_settings import HistoricalColumn
    from pipelines.declarations.strict_model import Scalar
    from pipelines.declarations.yaml_source import Path


def sampling_faults(export: Export) -> Iterator[tuple[Path, str]]:
    """Yield the faults of a design or a calibration: of a census, of a column that may be blank, of a disputed year."""
    if not export.sampled:
        for key in ("design", "calibration"):
            if getattr(export, key):
                yield (key,), "n'a de sens que pour un échantillon (kind: survey, ou collection: sample)"
    for column in export.design.columns if export.design else ():
        field = export.field(column)
        if field and not field.constraints.required:
            yield ("design",), f"le champ {column} du plan de sondage doit être « required »"
    claimed = Counter(year for item in export.calibration for year in item.years)
    for year, count in sorted(claimed.items()):
        if count > 1:
            yield ("calibration",), f"{count} calages se disputent l'année {year}"
    yield from _margin_faults(export)


def _margin_faults(export: Export) -> Iterator[tuple[Path, str]]:
    """Yield the categories that a margin and the list of values of its field do not share."""
    for index, item in enumerate(export.calibration):
        for rank, margin in enumerate(item.margins):
            field = export.field(margin.field)
            allowed = {str(value) for value in (field.constraints.enum or ()) if field} if field else set()
            for word in sorted(set(margin.fractions) ^ allowed) if allowed else ():
                side = "n'a pas de marge" if word in allowed else f"n'est pas une valeur du champ {margin.field}"
                yield ("calibration", index, "margins", rank), f"la catégorie « {word} » {side}"


# What must hold of users' experiences, the services that they name and themes: each fault is a key and its words.

Fault = tuple["Path", str]


def experience_faults(source: Experiences) -> Iterator[Fault]:
    """Yield what doesn't hold inside a source: fields that aren't declared, or that can't be what they are used for."""
    fields = {field.name: field for field in source.fields}
    for place, names in source.columns.named.items():
        for name in names:
            if name not in fields:
                yield ("columns", place), f"champ « {name} » inconnu{close_to(name, list(fields))}"
            elif place in ("published", "written") and fields[name].type != "date":
                yield ("columns", place), f"le champ {name} doit être de type date"
            elif fields[name].personal and name not in source.columns.private:
                yield ("columns", place), f"« {name} » est déclaré personnel : aucune voix n'en est faite"


def typology_faults(typologies: Mapping[str, Typology], networks: Collection[str]) -> Iterator[Fault]:
    """Yield the networks that aren't declared, and the labels that name two services."""
    known: dict[str, str] = {}
    for name, typology in typologies.items():
        if typology.network and typology.network not in networks:
            told = f"réseau « {typology.network} » inconnu{close_to(typology.network, list(networks))}"
            yield ("typologies", name, "network"), told
        for label in typology.labels:
            other = known.setdefault(plain_form(label), name)
            if other != name:
                yield ("typologies", name, "labels"), f"« {label} » est déjà un intitulé de « {other} »"


def theme_faults(name: str, families: Mapping[str, ThemeFamily]) -> Iterator[Fault]:
    """Yield the themes of a family whose identifier another one has too."""
    for theme in families[name].themes:
        others = [other for other, family in families.items() if other < name and theme in family.themes]
        if others:
            yield ("themes", theme), f"thème « {theme} » déjà déclaré dans themes/{others[0]}.yml"


# What must hold between a dataset's explanations or historical rendition and the rest: names that exist. No models.

Named = tuple["Path", str, "Iterable[str]", str]


def names_used(catalogue: Catalogue, dataset: Dataset) -> Iterator[Named]:
    """Yield every name that the dataset takes from elsewhere: its place, itself, those that exist, and what it is."""
    for index, item in enumerate(dataset.explanations):
        lists: tuple[tuple[str, Iterable[str], Iterable[str], str], ...] = (
            ("networks", item.networks, catalogue.networks, "réseau"),
            ("indicators", item.indicators, catalogue.indicators, "indicateur"),
            ("tables", item.tables, dataset.tables, "table"),
        )
        for key, names, allowed, what in lists:
            yield from ((("explanations", index, key, rank), name, allowed, what) for rank, name in enumerate(names))
    for name in ("resultats", "indicateurs", "reseaux") if dataset.workbook else ():
        yield ("workbook",), name, dataset.tables, "table"
    for name, layout in dataset.layout.items():
        yield ("layout", name), name, dataset.tables, "table"
        columns = catalogue.tables[name].names if name in catalogue.tables else []
        for index, part in enumerate(layout.parts if columns else ()):
            yield from (
                (("layout", name, "parts", index, "where"), column, columns, "colonne") for column in part.where
            )
    if dataset.historical and dataset.main_table in catalogue.tables:
        main = catalogue.tables[dataset.main_table].names
        for index, column in enumerate(dataset.historical.columns):
            yield from _sources(catalogue, dataset, ("historical", "columns", index), column, main)


def _sources(
    catalogue: Catalogue, dataset: Dataset, place: Path, column: HistoricalColumn, main: list[str]
) -> Iterator[Named]:
    for key in ("first", "join"):
        yield from (((*place, key, rank), name, main, "colonne") for rank, name in enumerate(getattr(column, key)))
    if column.first_day_of:
        yield (*place, "first_day_of"), column.first_day_of, main, "colonne"
    if lookup := column.lookup:
        yield (*place, "lookup", "table"), lookup.table, dataset.tables, "table"
        companion = catalogue.tables.get(lookup.table)
        if companion:  # a table that isn't there, or is broken, is told by itself
            names = companion.names
            both = [name for name in names if name in main]
            yield from (((*place, "lookup", "on", rank), name, both, "colonne") for rank, name in enumerate(lookup.on))
            yield (*place, "lookup", "column"), lookup.column, names, "colonne"


# What must hold of the columns that a role names: a weight and a note are numbers, a start is a date.

NUMERIC = ("integer", "number", "year", "duration")
_NUMBERS = (
    "rating", "numerator", "denominator", "delay", "value", "base", "current", "initial", "target", "published",
    "sites",
)  # fmt: skip
_DATES = ("start", "end")
# Estimators whose result is in the unit of the column that they read.
_AS_THEY_ARE = ("declared", "mean", "median", "quantile", "sum")


def weight_faults(export: Export) -> Iterator[tuple[Path, str]]:
    """Yield the fault of a weight that is no number."""
    field = export.field(export.weight) if export.weight else None
    if field and field.type not in ("integer", "number"):
        yield ("weight",), f"le poids « {field.name} » doit être un nombre (type: number), pas {field.type}"


def input_faults(indicator: Indicator, feed: Feed, export: Export) -> Iterator[tuple[Path, str]]:
    """Yield the inputs whose column is not of the type that the estimator computes with."""
    if indicator.estimator.name == "count":
        return
    for name, column in feed.inputs.items():
        field = export.field(column)
        if field is None:
            continue
        if name in _NUMBERS and field.type not in (*NUMERIC, "boolean"):
            yield ("inputs", name), f"l'entrée {name} demande un nombre, et {column} est du type {field.type}"
        if name in _DATES and field.type != "date":
            yield ("inputs", name), f"l'entrée {name} demande une date, et {column} est du type {field.type}"


def unit_faults(indicator: Indicator, feed: Feed, export: Export) -> Iterator[tuple[Path, str]]:
    """Yield the value whose column is counted in another unit than the indicator: shares of 1 for %, hours for days."""
    field = export.field(feed.inputs.get("value", ""))
    if field is None or indicator.estimator.name not in _AS_THEY_ARE:
        return
    if field.is_share and indicator.unit.startswith("%"):
        words = (
            f"{field.name} est une part de 1 (unit: part, ou maximum: 1) : publiée en %, elle serait cent fois trop "
            'petite ; déclarer unit: "%", et des valeurs de 0 à 100'
        )
        yield ("inputs", "value"), words
    known = [unit for unit in DURATION_UNITS if indicator.unit in (unit, unit.removesuffix("s"))]
    if field.type == "duration" and known and field.unit not in known:
        yield ("inputs", "value"), f"{field.name} est compté en {field.unit}, et l'indicateur en {known[0]}"


def fits(value: Scalar, field: ExportField) -> bool:
    """Tell whether a value that the YAML expects in a column is one that its type can hold."""
    if field.type in NUMERIC:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if field.type == "boolean":
        return isinstance(value, bool)
    if field.type == "date":
        return isinstance(value, str) and _is_day(value)
    return isinstance(value, str)


def _is_day(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
