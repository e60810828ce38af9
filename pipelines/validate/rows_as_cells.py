"""Typed rows that are set aside once accepted, written again as the cells of their file."""

from __future__ import annotations

import contextlib
import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import frictionless
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.compile.exports import field_descriptor
from pipelines.mechanics.spelling import one_writing
from pipelines.tabular.linear_patterns import judged_in_linear_time
from pipelines.validate.header import fields_by_label

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pipelines.declarations import Export, ExportField, Layout
    from pipelines.validate.export_parts import Part


def written_rows(
    part: Part, numbers: Collection[int], export: Export, layout: Layout
) -> Iterator[tuple[int, int, list[str]]]:
    """Yield number, year and cells of accepted rows of a file, in its columns.

    Personal columns were dropped when the rows were accepted: their cells are empty.
    """
    columns = _columns(part, export, layout)
    rows = part.rows(["_ligne", "_annee", *(item.name for item in columns if item)])
    wanted = pc.is_in(rows.column("_ligne"), pa.array(numbers, pa.int64()))
    for row in rows.filter(wanted).to_pylist():
        cells = [written(row[item.name], field_descriptor(item, layout)) if item else "" for item in columns]
        yield row["_ligne"], row["_annee"], cells


def rewritten(cells: Sequence[str], part: Part, export: Export, layout: Layout) -> list[str]:
    """Return the cells of a refused row as ``written_rows`` would write them: 3 824 and 3824 are one value."""
    columns = _columns(part, export, layout)
    return [_reread(cell, item, layout) if item else "" for cell, item in zip(cells, columns, strict=False)]


def written(value: Any, descriptor: Mapping[str, Any]) -> str:
    """Write a typed value as the descriptor of its field says; plainly, by an empty one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        words = descriptor.get("trueValues" if value else "falseValues") or [str(value).lower()]
        return str(words[0])
    if isinstance(value, datetime.date):
        form = descriptor.get("format", "default")
        return value.isoformat() if form == "default" else value.strftime(form)
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() else repr(value)
        return text.replace(".", descriptor.get("decimalChar", "."))
    return str(value)


def _columns(part: Part, export: Export, layout: Layout) -> list[ExportField | None]:
    """Return the field of each column of a file, but of those that were dropped or that nothing declares."""
    held = set(part.table.schema.names)
    fields = {label: item for label, item in fields_by_label(export, layout).items() if item.name in held}
    return [fields.get(one_writing(label)) for label in part.header]


def _reread(cell: str, item: ExportField, layout: Layout) -> str:
    descriptor = field_descriptor(item, layout)
    with judged_in_linear_time():
        value, notes = frictionless.Field.from_descriptor(descriptor).read_cell(cell)
    if notes and item.type == "date":  # a native date of a spreadsheet, whatever the declared form
        with contextlib.suppress(ValueError):
            value, notes = datetime.date.fromisoformat(cell), {}
    if notes:
        return cell
    return written(float(value) if isinstance(value, Decimal) else value, descriptor)
