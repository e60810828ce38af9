"""Declared table → Table Schema v1 descriptor, that frictionless and schema.data.gouv.fr read, and Arrow schema.

Arrow types are those that data.gouv.fr reads in Parquet. No data is cast to them here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def field_descriptor(column: Column) -> dict[str, Any]:
    """Return the Table Schema field of a column, with its French texts."""
    descriptor: dict[str, Any] = {
        "name": column.name,
        "title": column.title,
        "description": column.description,
        "type": column.type,
    }
    if column.example is not None:
        descriptor["example"] = column.example
    if constraints := column.constraints.descriptor():
        descriptor["constraints"] = constraints
    return descriptor


def table_schema(table: Table) -> dict[str, Any]:
    """Return the Table Schema of a table; foreign keys name tables as resources of the same package."""
    descriptor: dict[str, Any] = {
        "fields": [field_descriptor(column) for column in table.columns],
        "primaryKey": list(table.key),
        "missingValues": [""],
    }
    if table.foreign_keys:
        descriptor["foreignKeys"] = [
            {"fields": list(key.fields), "reference": {"resource": key.table, "fields": list(key.references)}}
            for key in table.foreign_keys
        ]
    return descriptor


def arrow_field(column: Column) -> pa.Field:
    """Return the Arrow field of a column: declared type whatever the data holds, texts as metadata."""
    metadata = {"title": column.title, "description": column.description}
    return pa.field(column.name, TYPES[column.type], nullable=not column.constraints.required, metadata=metadata)


def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a table, with its title and description as metadata."""
    metadata = {"title": table.title, "description": table.description}
    return pa.schema([arrow_field(column) for column in table.columns], metadata=metadata)
