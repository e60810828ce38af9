"""Export + layout → Table Schema of the file as it should be.

Only the compilation: matching it to a file is validation's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipelines.declarations.network import DURATION_FORMS, WORKBOOKS
from pipelines.mechanics.durations import DURATION_PATTERNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.declarations import Export, ExportField, Layout

# How cells are written, with the key that frictionless knows it by.
_WRITING = {
    "missing_values": "missingValues",
    "decimal_char": "decimalChar",
    "group_char": "groupChar",
    "true_values": "trueValues",
    "false_values": "falseValues",
}
_ENDING = re.compile(r"\.(csv|txt|tsv|parquet|xlsx|ods)(\.(gz|zip))?\Z|\.(zip|gz)\Z", re.IGNORECASE)


def label_of(field: ExportField, layout: Layout) -> str:
    """Return the header that the field has in the files of that layout."""
    override = layout.fields.get(field.name)
    return (override.label if override else None) or field.label or field.name


def label_named(export: Export, layout: Layout, name: str | None) -> str:
    """Return the header of a field by its name; the name itself where the export declares no such field."""
    field = export.field(name) if name else None
    return label_of(field, layout) if field else name or ""


def is_optional(field: ExportField, layout: Layout) -> bool:
    """Tell whether the column may be missing from the files of that layout."""
    override = layout.fields.get(field.name)
    return field.optional if override is None or override.optional is None else override.optional


def field_descriptor(field: ExportField, layout: Layout) -> dict[str, Any]:
    """Return the Table Schema v1 field (frictionless 5) that judges the cells of ``field`` in that layout."""
    descriptor: dict[str, Any] = {"name": field.name, "type": field.type}
    override = layout.fields.get(field.name)
    if written := (override and override.format) or field.format:
        descriptor["format"] = written
    for attribute, key in _WRITING.items():
        value = getattr(field, attribute)
        if value is not None:
            descriptor[key] = list(value) if isinstance(value, tuple) else value
    if field.is_share or field.unit is not None:
        descriptor["unit"] = "part" if field.is_share else field.unit
    if field.type == "number":
        descriptor["floatNumber"] = True
        descriptor.setdefault("decimalChar", layout.decimal_char)
    constraints = field.constraints.descriptor()
    if constraints:
        descriptor["constraints"] = constraints
    return _as_text(descriptor) if field.type == "duration" else descriptor


def date_pattern(descriptor: Mapping[str, Any]) -> str:
    """Return how the dates of a described field are written, by strptime's codes."""
    pattern = str(descriptor.get("format", "default"))
    return "%Y-%m-%d" if pattern == "default" else pattern


def export_schema(export: Export, layout: Layout) -> dict[str, Any]:
    """Return the whole Table Schema of the export in that layout, fields in declared order."""
    schema: dict[str, Any] = {"fields": [field_descriptor(field, layout) for field in export.fields]}
    if export.key:
        schema["primaryKey"] = list(export.key)
    return schema


def workbooks_for(pattern: str) -> list[str]:
    """Return the patterns of the workbooks that may stand for the files of a declared one: the same, but its ending."""
    if not _ENDING.search(pattern):
        return []
    patterns = [_ENDING.sub(f".{kind}", pattern) for kind in WORKBOOKS]
    return [item for item in patterns if item.casefold() != pattern.casefold()]


def _as_text(descriptor: dict[str, Any]) -> dict[str, Any]:
    """Return the field of a duration: a text in the form that ``duration`` says.

    frictionless knows durations in ISO 8601 only, which no spreadsheet writes; bounds are checked on the values.
    """
    form = descriptor.pop("format", DURATION_FORMS[0])
    told = {key: value for key, value in descriptor.get("constraints", {}).items() if key in ("required", "unique")}
    constraints = {**told, "pattern": DURATION_PATTERNS[form]}
    return {**descriptor, "type": "string", "duration": form, "constraints": constraints}
