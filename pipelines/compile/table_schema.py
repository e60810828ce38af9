"""Declared table → Table Schema v1 descriptor, that frictionless and schema.data.gouv.fr read. Nothing else here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.declarations import Column, Table


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
