"""Declared table → Arrow schema, in types that data.gouv.fr reads in Parquet. No data is cast to it here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pipelines.declarations import Column, Table

TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}


def arrow_field(column: Column) -> pa.Field:
    """Return the Arrow field of a column: declared type whatever the data holds, texts as metadata."""
    metadata = {"title": column.title, "description": column.description}
    return pa.field(column.name, TYPES[column.type], nullable=not column.constraints.required, metadata=metadata)


def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a table, with its title and description as metadata."""
    metadata = {"title": table.title, "description": table.description}
    return pa.schema([arrow_field(column) for column in table.columns], metadata=metadata)
