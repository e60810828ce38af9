"""What the role of a column implies of its rows, by construction from the declarations: nobody writes a constraint.

A weight is never negative, a note of a closed scale is whole, an answer is in a class of its indicator… Each rule
refuses a row, or only tells of it. How rows are judged by these rules is validation's affair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pipelines.declarations import estimators as declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.declarations.catalogue import Catalogue
    from pipelines.declarations.indicator import Feed, Indicator
    from pipelines.declarations.network import Export, ExportField
    from pipelines.declarations.strict_model import Scalar

Check = Literal[
    "filled",  # the first column is not blank
    "paired",  # the first column is not blank where the second is filled
    "ordered",  # the first column is not above the second (dates: not after)
    "between",  # the first column is within ``low`` and ``high``
    "whole",  # the first column holds whole numbers, or one of ``values``
    "listed",  # the first column holds one of ``values``
    "named",  # the first column holds one of ``values``, in any spelling
    "spelled",  # the first column holds no other spelling of one of ``values``
    "real",  # the first column holds no code (99, 999, -1…) that stands among amounts
    "percent",  # the first column holds percentages, not shares of 1
]
Where = tuple[tuple[str, tuple["Scalar", ...]], ...]


@dataclass(frozen=True)
class RowRule:
    """One rule of the rows of an export.

    ``rule``: its name in the messages. ``refuses``: whether a row that breaks it is set aside, or only told.
    ``weighted``: the weight's column, where rows without a weight are free of it. ``where``: the rows it holds for.
    ``uses``: what the column serves, in French. ``years``: reference years.
    """

    rule: str
    check: Check
    columns: tuple[str, ...]
    refuses: bool = True
    values: tuple[Scalar, ...] = ()
    low: float | None = None
    high: float | None = None
    where: Where = ()
    weighted: str | None = None
    uses: tuple[str, ...] = ()
    years: tuple[int, ...] = ()


def row_rules(catalogue: Catalogue, network: str, export: Export, years: Iterable[int]) -> tuple[RowRule, ...]:
    """Return what the roles of the columns of ``export`` imply in those years, each rule once."""
    merged: dict[RowRule, tuple[list[str], list[int]]] = {}
    for year in years:
        feeds = {key: feed for key, feed in catalogue.expected(network, year).items() if export.id in feed.export}
        rules = [*_export_rules(export, year), *_service_rules(catalogue, network)]
        for identifier, feed in feeds.items():
            rules += _feed_rules(catalogue.indicators[identifier], feed, export)
        rules += _condition_rules(feeds, export)
        for rule in rules:
            uses, within = merged.setdefault(replace(rule, uses=()), ([], []))
            uses += [use for use in rule.uses if use not in uses]
            within += [year] if year not in within else []
    return tuple(replace(rule, uses=tuple(uses), years=tuple(within)) for rule, (uses, within) in merged.items())


def _export_rules(export: Export, year: int) -> Iterator[RowRule]:
    """Yield the rules of the weight and of the margins to which the weights of the year are brought."""
    if export.weight:
        weight = (export.weight,)
        yield RowRule("poids-negatif", "between", weight, low=0.0, uses=("poids",))
        field = export.field(export.weight)
        if not (field and field.absences):  # an absence with a declared reason is allowed
            yield RowRule("poids-absent", "filled", weight, refuses=False, uses=("poids",))
    calibration = export.calibration_of(year)
    for margin in calibration.margins if calibration else ():
        categories = tuple(name for name, share in margin.fractions.items() if share > 0)
        rule = RowRule("hors-marges", "filled", (margin.field,), weighted=export.weight, uses=("marge du calage",))
        yield rule
        yield replace(rule, check="listed", values=categories)
    yield from _stratum_rules(export, year)


def _service_rules(catalogue: Catalogue, network: str) -> Iterator[RowRule]:
    """Yield that each service that users' texts name is declared: another is counted with the others, and told."""
    source = catalogue.experiences.get(network)
    names = tuple(name for one in catalogue.typologies.values() for name in (*one.labels, one.service))
    for column in source.columns.services if source else ():
        yield RowRule("service-inconnu", "named", (column,), refuses=False, values=names, uses=("service",))


def _stratum_rules(export: Export, year: int) -> Iterator[RowRule]:
    """Yield that each row is of a stratum whose population is declared: without it no interval can be computed."""
    design = export.design
    population = design.population_of(year) if design else None
    field = export.field(design.strata) if design and design.strata else None
    if population and field and field.type == "string":
        yield RowRule("strate-inconnue", "listed", (field.name,), values=tuple(population))


def _feed_rules(indicator: Indicator, feed: Feed, export: Export) -> Iterator[RowRule]:
    where: Where = tuple((name, tuple(values)) for name, values in feed.where.items())
    for rule in _input_rules(indicator, feed.inputs, export):
        yield replace(rule, where=where, uses=(f"« {indicator.title} »",))


def _input_rules(indicator: Indicator, inputs: Mapping[str, str], export: Export) -> Iterator[RowRule]:
    estimator = indicator.estimator
    if scale := estimator.note_scale:
        yield RowRule("note-decimale", "whole", (inputs["rating"],))
        yield RowRule("hors-echelle", "between", (inputs["rating"],), refuses=False, low=scale[0], high=scale[1])
        return
    match estimator:
        case declared.AnswerModel():
            known = (*estimator.answers(), *estimator.excluded)
            yield from _answer_rules(export.field(inputs["answer"]), inputs["answer"], known)
        case declared.Ratio():
            yield from _ratio_rules(indicator, inputs["numerator"], inputs["denominator"], estimator.factor)
            yield from _pair_rules(export, inputs["numerator"], inputs["denominator"])
            yield from _pair_rules(export, inputs["denominator"], inputs["numerator"])
        case declared.WithinDeadline():
            yield from _delay_rules(inputs)
        case declared.TransparencyRate():
            yield from _site_rules(inputs)
        case declared.ProgressRate():
            yield from (_real(column) for column in inputs.values())
        case declared.Count():
            return
        case _:
            yield from _amount_rules(indicator, inputs)
            methods = {indicator.year, *(rule.obtained for _, rule in indicator.level_rules)}
            if "base" in inputs and "weighted_mean" in methods:
                yield from _pair_rules(export, inputs["base"], inputs["value"])


def _pair_rules(export: Export, column: str, other: str) -> Iterator[RowRule]:
    """Yield that a number is given where the one that goes with it is, unless its absence has a declared reason."""
    field = export.field(column)
    if not (field and field.absences):
        yield RowRule("couple-incomplet", "paired", (column, other), refuses=False)


def _answer_rules(field: ExportField | None, column: str, known: tuple[Scalar, ...]) -> Iterator[RowRule]:
    """Yield what holds of answers: in words, those of the classes and no other; as numbers, a closed list of notes."""
    if field is not None and field.type in ("integer", "number", "year"):
        yield RowRule("note-decimale", "whole", (column,), values=known)
        yield RowRule("hors-echelle", "listed", (column,), refuses=False, values=known)
    else:
        yield RowRule("reponse-hors-liste", "listed", (column,), values=known)


def _ratio_rules(indicator: Indicator, above: str, below: str, factor: float) -> Iterator[RowRule]:
    """Yield what holds of two sums: the denominator counts events; a numerator of a rate is a part of them."""
    yield RowRule("compte-negatif", "between", (below,), low=0.0)
    if indicator.range is None or indicator.range[0] >= 0:
        yield RowRule("compte-negatif", "between", (above,), low=0.0)
    if factor == 100 and indicator.unit.startswith("%") and (indicator.range or (0, 100))[1] <= 100:
        yield RowRule("numerateur-superieur", "ordered", (above, below), refuses=False)
    yield _real(above)
    yield _real(below)


def _delay_rules(inputs: Mapping[str, str]) -> Iterator[RowRule]:
    if "delay" in inputs:
        yield RowRule("delai-negatif", "between", (inputs["delay"],), refuses=False, low=0.0)
        yield _real(inputs["delay"], low=0.0)
    else:
        yield RowRule("delai-negatif", "ordered", (inputs["start"], inputs["end"]), refuses=False)


def _site_rules(inputs: Mapping[str, str]) -> Iterator[RowRule]:
    yield RowRule("compte-negatif", "between", (inputs["published"],), low=0.0)
    if "sites" in inputs:
        yield RowRule("compte-negatif", "between", (inputs["sites"],), low=0.0)
        yield RowRule("numerateur-superieur", "ordered", (inputs["published"], inputs["sites"]), refuses=False)


def _amount_rules(indicator: Indicator, inputs: Mapping[str, str]) -> Iterator[RowRule]:
    """Yield what holds of a value: no code among it, and what the range or the unit of the indicator says of it.

    The range is of results: a typed value is one; of the rows behind a mean or a sum, only its sign is known.
    """
    value, typed = inputs["value"], indicator.estimator.family == "typed"
    counts = indicator.estimator.family == "total" and indicator.unit_family in ("nombre", "durée")
    low, high = indicator.range or (None, None)
    if not typed:
        low, high = (0.0 if counts or (low is not None and low >= 0) else None), None
    yield _real(value, low)
    if low is not None:
        yield RowRule("hors-etendue", "between", (value,), refuses=False, low=low, high=high)
    whole = indicator.unit.startswith("%") and (indicator.range or (0, 100))[1] >= 100
    if whole and indicator.direction == "higher":  # a good rate is far above 1 %
        yield RowRule("fraction-suspecte", "percent", (value,), refuses=False)
    if "base" in inputs:
        yield RowRule("compte-negatif", "between", (inputs["base"],), low=0.0)


def _real(column: str, low: float | None = None) -> RowRule:
    """Return that no code is among amounts; under ``low``, another rule says what is wrong."""
    return RowRule("code-suspect", "real", (column,), refuses=False, low=low)


def _condition_rules(feeds: Mapping[str, Feed], export: Export) -> Iterator[RowRule]:
    """Yield, for each column that chooses the rows of indicators, that no value is a known one written otherwise."""
    known: dict[str, dict[Any, None]] = {}
    for feed in feeds.values():
        for column, values in feed.where.items():
            known.setdefault(column, {}).update(dict.fromkeys(values))
    for column, words in known.items():
        field = export.field(column)
        if field is None or field.type != "string":
            continue
        every = dict.fromkeys([*words, *(field.constraints.enum or ())])
        yield RowRule("valeur-ecrite-autrement", "spelled", (column,), values=tuple(every), uses=("lignes retenues",))
