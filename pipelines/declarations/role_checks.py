"""What must hold of the columns that a role names: a weight and a note are numbers, a start is a date.

Each fault is a key of the export or of the feed and its words, in French. What the roles imply of rows is in
``validate.role_rules``.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from pipelines.declarations.network import DURATION_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.declarations.indicator import Feed, Indicator
    from pipelines.declarations.network import Export, ExportField
    from pipelines.declarations.strict_model import Scalar
    from pipelines.declarations.yaml_source import Path

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
