"""What must hold between an indicator and the exports that feed it: inputs, values, units, levels, frequency.

Each fault is a key of the indicator's file and its words, in French.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.declarations.export_checks import row_levels
from pipelines.declarations.network import DURATION_UNITS, NUMERIC
from pipelines.declarations.periods import MONTHS_PER_PERIOD, is_day
from pipelines.declarations.problems import below, close_to, unknown
from pipelines.declarations.strict_model import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.declarations.indicator import Feed, Indicator
    from pipelines.declarations.network import Export, ExportField, Network
    from pipelines.declarations.problems import Fault
    from pipelines.declarations.strict_model import Scalar
    from pipelines.declarations.yaml_source import Path


def feed_faults(path: Path, indicator: Indicator, feed: Feed, network: Network) -> Iterator[Fault]:
    """Yield what doesn't hold of what feeds an indicator in a network, declared at ``path`` of the indicator's file."""
    yield from below((*path, "inputs"), _input_set_faults(indicator, feed))
    declared = {export.id: export for export in network.exports}
    for name in feed.export:
        yield from unknown((*path, "export"), name, declared, "export")
        if name in declared:
            yield from below(path, _export_faults(indicator, feed, declared[name]))
            yield from _level_faults(path, indicator, feed, declared[name])
    exports = [declared[name] for name in feed.export if name in declared]
    if indicator.estimator.family not in ("typed", "networks") and len({_finest(export) for export in exports}) > 1:
        yield (*path, "export"), "ces exports n'ont pas la même maille fine : leurs lignes compteraient deux fois"
    named = [(("breaks", index), item.year) for index, item in enumerate(feed.breaks)]
    for place, year in [*named, *((("years",), year) for year in feed.years or ())]:
        if year not in network.years:
            yield (*path, *place), f"{year} n'est pas attendue de ce réseau ({network.years})"


def _input_set_faults(indicator: Indicator, feed: Feed) -> Iterator[Fault]:
    estimator = indicator.estimator
    for given in feed.inputs:
        yield from unknown((given,), given, estimator.input_names(), "entrée")
    for needed in estimator.missing_inputs(set(feed.inputs)):
        yield (), f"l'estimateur {estimator.name} demande l'entrée « {needed} »"
    sets = (estimator.inputs, *estimator.alternatives)
    if sum(bool(set(names) & set(feed.inputs)) for names in sets) > 1:
        yield (), f"donner {' ou '.join(' et '.join(names) for names in sets)}, pas les deux"


def _export_faults(indicator: Indicator, feed: Feed, export: Export) -> Iterator[Fault]:
    names = [field.name for field in export.fields]
    used: dict[Path, str] = {("inputs", key): column for key, column in feed.inputs.items()}
    used |= {("where", column): column for column in feed.where}
    contributor: dict[Path, str] = {("contributor",): feed.contributor} if feed.contributor else {}
    for place, column in (used | contributor).items():
        yield from unknown(place, column, names, f"champ de l'export {export.id}")
    for place, column in used.items():
        field = export.field(column)
        if field is not None and field.personal:
            yield place, f"« {column} » est déclaré personnel dans {export.id} : il ne peut nourrir aucun résultat"
    for column, values in feed.where.items():
        yield from below(("where", column), _value_faults(export.field(column), values))
    yield from below(("inputs", "answer"), _answer_faults(indicator, export.field(feed.inputs.get("answer", ""))))
    yield from below(("inputs",), _type_faults(indicator, feed, export))
    yield from below(("inputs", "value"), _unit_faults(indicator, export.field(feed.inputs.get("value", ""))))
    yield from _frequency_faults(indicator, feed, export)


def _answer_faults(indicator: Indicator, field: ExportField | None) -> Iterator[Fault]:
    """Yield the answers that aren't the field's, and those of the field that are neither in the base nor set aside."""
    estimator = indicator.estimator
    yield from _value_faults(field, estimator.answers())
    named = {str(answer) for answer in (*estimator.answers(), *estimator.set_aside())}
    for value in field.constraints.enum or () if field else ():
        if str(value) not in named:
            yield (), f"la réponse « {value} » n'est ni dans la base ni dans « excluded »"


def _value_faults(field: ExportField | None, values: Iterable[Scalar]) -> Iterator[Fault]:
    """Yield the values that the YAML expects in a column and that its type or its list of values excludes."""
    if field is None:
        return
    allowed = [str(value) for value in field.constraints.enum or ()]
    for value in values:
        if not _fits(value, field):
            yield (), f"« {value} » n'est pas du type du champ {field.name} ({field.type})"
        elif allowed and str(value) not in allowed:
            hint = close_to(str(value), allowed)
            yield (), f"« {value} » n'est pas une valeur du champ {field.name}{hint} ; valeurs : {', '.join(allowed)}"


def _fits(value: Scalar, field: ExportField) -> bool:
    if field.type in NUMERIC:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if field.type == "boolean":
        return isinstance(value, bool)
    return isinstance(value, str) and (field.type != "date" or is_day(value))


def _type_faults(indicator: Indicator, feed: Feed, export: Export) -> Iterator[Fault]:
    """Yield the inputs whose column is not of the type that the estimator computes with."""
    for name, column in feed.inputs.items():
        field, wanted = export.field(column), indicator.estimator.input_type(name)
        if field is None or name not in indicator.estimator.input_names():
            continue
        if wanted == "number" and field.type not in (*NUMERIC, "boolean"):
            yield (name,), f"l'entrée {name} demande un nombre, et {column} est du type {field.type}"
        if wanted == "date" and field.type != "date":
            yield (name,), f"l'entrée {name} demande une date, et {column} est du type {field.type}"


def _unit_faults(indicator: Indicator, field: ExportField | None) -> Iterator[Fault]:
    """Yield the value whose column is counted in another unit than the indicator: shares of 1 for %, hours for days."""
    if field is None or not indicator.estimator.in_unit_of_value:
        return
    if field.is_share and indicator.unit.startswith("%"):
        message = (
            f"{field.name} est une part de 1 (unit: part, ou maximum: 1) : publiée en %, elle serait cent fois trop "
            'petite ; déclarer unit: "%", et des valeurs de 0 à 100'
        )
        yield (), message
    units = [unit for unit in DURATION_UNITS if indicator.unit in (unit, unit.removesuffix("s"))]
    if field.type == "duration" and units and field.unit not in units:
        yield (), f"{field.name} est compté en {field.unit}, et l'indicateur en {units[0]}"


def _frequency_faults(indicator: Indicator, feed: Feed, export: Export) -> Iterator[Fault]:
    """Yield a published frequency finer than the rows, or that typed values can't be brought to."""
    finest = export.period.frequency
    if feed.frequency is None or feed.frequency in (finest, "year"):
        return
    finer = MONTHS_PER_PERIOD[feed.frequency] < MONTHS_PER_PERIOD[finest]
    if finer or indicator.estimator.family == "typed":
        message = f"« {feed.frequency} » impossible pour l'export {export.id} ; permis : {finest}, year"
        yield ("frequency",), message


def _level_faults(path: Path, indicator: Indicator, feed: Feed, export: Export) -> Iterator[Fault]:
    finest = _finest(export)
    for level in feed.levels or indicator.levels:
        if indicator.estimator.family != "typed" and LEVELS.index(level) < finest:
            message = f"la maille {level} est plus fine que les lignes de l'export {export.id} ({LEVELS[finest]})"
            yield (*path, "levels") if feed.levels else ("levels", level), message


def _finest(export: Export) -> int:
    return min((LEVELS.index(level) for level in row_levels(export)), default=0)
