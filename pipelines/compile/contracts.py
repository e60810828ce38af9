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


def _column(column: Column) -> pandera.Column:
    return pandera.Column(
        pd.ArrowDtype(TYPES[column.type]),
        checks=[_check(column, wording, test) for wording, test in _tests(column)],
        nullable=not column.constraints.required,
        unique=column.constraints.unique,
    )


def _tests(column: Column) -> list[tuple[str, Callable[[Any], bool]]]:
    """Return the tests that a non-empty value of the column must pass, each with its French wording."""
    limits = column.constraints
    tests: list[tuple[str, Callable[[Any], bool]]] = []
    if limits.minimum is not None:
        least: Any = _typed(column, limits.minimum)
        tests.append((f"au moins {limits.minimum}", lambda value: value >= least))
    if limits.maximum is not None:
        most: Any = _typed(column, limits.maximum)
        tests.append((f"au plus {limits.maximum}", lambda value: value <= most))
    if limits.enum is not None:
        allowed = tuple(_typed(column, item) for item in limits.enum)
        tests.append((f"parmi {', '.join(map(str, limits.enum))}", allowed.__contains__))
    if limits.pattern is not None:
        match = re.compile(limits.pattern).fullmatch
        tests.append((f"de la forme {limits.pattern}", lambda text: match(text) is not None))
    if (shortest := limits.min_length) is not None:
        tests.append((f"au moins {shortest} caractères", lambda text: len(text) >= shortest))
    if (longest := limits.max_length) is not None:
        tests.append((f"au plus {longest} caractères", lambda text: len(text) <= longest))
    return tests


def _typed(column: Column, value: Scalar) -> Scalar | date:
    """Return a value of the YAML (limit, enum item) in the type of the column."""
    if column.type == "date":
        return date.fromisoformat(str(value))
    return str(value) if column.type == "string" else value


def _check(column: Column, wording: str, test: Callable[[Any], bool]) -> pandera.Check:
    def holds(series: pd.Series[Any]) -> pd.Series[bool]:
        refused = [value for value in series.dropna().unique() if not test(value)]
        if not refused:
            return pd.Series(True, index=series.index)
        return ~series.isin(refused)

    return pandera.Check(holds, name=f"{column.name} : {wording}", error=wording)
