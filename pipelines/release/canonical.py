"""A frame brought to the one canonical form of its declared table: types, order of columns and rows, unique key.

Everything written to disk starts from here; the file formats are in ``tabular`` and ``spreadsheet``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.compile.arrow import arrow_schema
from pipelines.mechanics.french import counted
from pipelines.release.cells import reader, text
from pipelines.release.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from pipelines.declarations import Column, Table

SHOWN = 5  # findings told per column; the rest is counted


def canonical_table(name: str, table: Table, frame: pd.DataFrame) -> pa.Table:
    """Return ``frame`` as an Arrow table of the declared schema, sorted by key; TableError names what doesn't fit."""
    if findings := _columns_that_differ(name, table, frame):
        raise TableError(f"La table {name} ne peut pas être publiée :", findings)
    values = {}
    for column in table.columns:
        values[column.name], wrong = _column_values(name, column, frame[column.name].tolist())
        findings += wrong
    if findings:
        raise TableError(f"La table {name} ne peut pas être publiée :", findings)
    order = _order(name, table, [values[key] for key in table.key], len(frame))
    schema = arrow_schema(table)
    arrays = [pa.array([values[field.name][row] for row in order], type=field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def text_rows(table: pa.Table) -> Iterator[tuple[str, ...]]:
    """Yield the canonical text of every row, which releases are compared by; the CSV writes numbers with decimals."""
    columns = [[text(value) for value in column.to_pylist()] for column in table.columns]
    return zip(*columns, strict=True)


def _columns_that_differ(name: str, table: Table, frame: pd.DataFrame) -> list[str]:
    found = [str(column) for column in frame.columns]
    missing = [
        f"{name}.{column} : colonne déclarée, absente des données" for column in table.names if column not in found
    ]
    extra = [f"{name}.{column} : colonne non déclarée" for column in found if column not in table.names]
    twins = [f"{name}.{column} : colonne présente plusieurs fois" for column in table.names if found.count(column) > 1]
    return [*missing, *extra, *twins]


def _column_values(name: str, column: Column, cells: Sequence[Any]) -> tuple[list[Any], list[str]]:
    read, values, wrong = reader(column), [], []
    for number, cell in enumerate(cells, start=1):
        try:
            value = read(cell)
        except ValueError as error:
            wrong.append(f"{name}.{column.name}, ligne {number} : {error}, trouvé « {cell} »")
            continue
        if value is None and column.constraints.required:
            wrong.append(f"{name}.{column.name}, ligne {number} : valeur obligatoire absente")
        values.append(value)
    if len(wrong) > SHOWN:
        wrong = [*wrong[:SHOWN], f"{name}.{column.name} : et {counted(len(wrong) - SHOWN, 'autre cellule fausse')}"]
    return values, wrong


def _order(name: str, table: Table, key_columns: list[list[Any]], count: int) -> list[int]:
    """Return the rows in the total order of the key, empty cells first; a key found twice is refused."""
    keys = [tuple((value is not None, value) for value in row) for row in zip(*key_columns, strict=True)]
    order = sorted(range(count), key=keys.__getitem__)
    twins = [row for previous, row in pairwise(order) if keys[previous] == keys[row]]
    if twins:
        shown = [
            ", ".join(f"{key}={text(keys[row][at][1])}" for at, key in enumerate(table.key)) for row in twins[:SHOWN]
        ]
        findings = [f"{name} : clé présente plusieurs fois ({key})" for key in shown]
        if len(twins) > SHOWN:
            findings.append(f"{name} : et {counted(len(twins) - SHOWN, 'autre ligne')} de clé déjà vue")
        raise TableError(f"La table {name} ne peut pas être publiée :", findings)
    return order
