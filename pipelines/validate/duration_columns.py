"""Columns of durations: texts that have the declared form become numbers of the declared unit, and bounds are checked.

Whether a text has the form was judged by frictionless, as a pattern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.compile.exports import field_descriptor
from pipelines.mechanics.durations import duration_value
from pipelines.validate.distinct_rows import distinct, places_of
from pipelines.validate.findings import Finding
from pipelines.validate.messages import sentence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pipelines.declarations import ExportField
    from pipelines.validate.file_context import FileContext


class Durations:
    """The durations of a file, among its ``present`` columns."""

    def __init__(self, context: FileContext, present: Collection[str]) -> None:
        fields = context.export.fields
        self._fields = {item.name: item for item in fields if item.type == "duration" and item.name in present}
        self._forms = {name: field_descriptor(item, context.layout)["duration"] for name, item in self._fields.items()}
        self._labels = context.labels

    def form(self, name: str) -> str:
        """Return the form of a field, or nothing if it is no duration."""
        return str(self._forms.get(name, ""))

    def typed(self, table: pa.Table) -> pa.Table:
        """Return the table with numbers in place of the texts of durations."""
        for name in self._fields:
            texts, places = distinct(table.column(name))
            values = pa.array([self._value(name, text) for text in texts], pa.float64())
            table = table.set_column(table.column_names.index(name), name, values.take(places))
        return table

    def values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of one row, likewise; a text that has not the form has none."""
        found = dict(row)
        for name in self._fields:
            try:
                found[name] = self._value(name, row.get(name))
            except ValueError:
                found[name] = None
        return found

    def beyond(self, table: pa.Table) -> Iterator[tuple[int, Finding]]:
        """Yield what is out of its bounds in a typed table, with the place of the row."""
        for name, item in self._fields.items():
            for kind, limit, test in _bounds(item):
                note = f'constraint "{kind}" is "{limit:g} {item.unit}"'
                told = Finding("constraint-error", sentence("constraint-error", note), column=self._labels[name])
                for place in places_of(test(table.column(name), limit)):
                    yield place, told

    def _value(self, name: str, text: str | None) -> float | None:
        return None if text is None else duration_value(text, self._forms[name], str(self._fields[name].unit))


def _bounds(item: ExportField) -> Iterator[tuple[str, float, Any]]:
    limits = item.constraints
    if isinstance(limits.minimum, int | float):
        yield "minimum", limits.minimum, pc.less
    if isinstance(limits.maximum, int | float):
        yield "maximum", limits.maximum, pc.greater
