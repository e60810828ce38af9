"""Declared table → pandera schema, for the check before writing. What to do about a failure is not here.

Values are tested one by one with the meaning that frictionless gives to the same constraint (``pattern`` matches the
whole text), on a frame with Arrow dtypes: a column that is all empty keeps its declared type.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
import pandera.pandas as pandera

from pipelines.compile.table_schema import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from pipelines.declarations import Column, Table
    from pipelines.declarations.strict_model import Scalar

Test = tuple[str, "Callable[[Any], bool]"]


def frame(table: pa.Table) -> pd.DataFrame:
    """Return the pandas frame of an Arrow table with every dtype kept (no float for a missing integer)."""
    result: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return result


def contract(table: Table) -> pandera.DataFrameSchema:
    """Return the pandera schema of a table: exact columns and order, types, empty cells, constraints, unique key."""
    return pandera.DataFrameSchema(
        columns={column.name: _column(column) for column in table.columns},
        strict=True,
        ordered=True,
        unique=list(table.key),
    )


def constraint_tests(column: Column) -> list[Test]:
    """Return the tests that a non-empty value of the column must pass, each with its French wording."""
    limits = column.constraints
    tests: list[Test] = []
    if limits.minimum is not None:
        tests.append((f"au moins {limits.minimum}", _at_least(_typed(column, limits.minimum))))
    if limits.maximum is not None:
        tests.append((f"au plus {limits.maximum}", _at_most(_typed(column, limits.maximum))))
    if limits.enum is not None:
        allowed = tuple(_typed(column, item) for item in limits.enum)
        tests.append((f"parmi {', '.join(str(item) for item in limits.enum)}", allowed.__contains__))
    if limits.pattern is not None:
        tests.append((f"de la forme {limits.pattern}", _matches(limits.pattern)))
    if limits.min_length is not None:
        tests.append((f"au moins {limits.min_length} caractères", _at_least_long(limits.min_length)))
    if limits.max_length is not None:
        tests.append((f"au plus {limits.max_length} caractères", _at_most_long(limits.max_length)))
    return tests


def _typed(column: Column, value: Scalar) -> Scalar | date:
    """Return a value of the YAML (limit, enum item) in the type of the column."""
    if column.type == "date":
        return date.fromisoformat(str(value))
    return str(value) if column.type == "string" else value


def _column(column: Column) -> pandera.Column:
    checks = [_check(column, wording, test) for wording, test in constraint_tests(column)]
    return pandera.Column(
        pd.ArrowDtype(TYPES[column.type]),
        checks=checks,
        nullable=not column.constraints.required,
        unique=column.constraints.unique,
    )


def _check(column: Column, wording: str, test: Callable[[Any], bool]) -> pandera.Check:
    def holds(series: pd.Series[Any]) -> pd.Series[bool]:
        refused = [value for value in series.dropna().unique() if not test(value)]
        if not refused:
            return pd.Series(True, index=series.index)
        return ~series.isin(refused)

    return pandera.Check(holds, name=f"{column.name} : {wording}", error=wording)


def _at_least(limit: object) -> Callable[[Any], bool]:
    return lambda value: bool(value >= limit)


def _at_most(limit: object) -> Callable[[Any], bool]:
    return lambda value: bool(value <= limit)


def _matches(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def _at_least_long(limit: int) -> Callable[[Any], bool]:
    return lambda value: len(value) >= limit


def _at_most_long(limit: int) -> Callable[[Any], bool]:
    return lambda value: len(value) <= limit
