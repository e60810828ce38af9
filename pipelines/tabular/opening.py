"""Opens a table with frictionless itself: dialect, labels, header errors, expected fields, lookups of foreign keys.

Only what the first records of a file decide belongs here; reading the rest of it does not.
"""

from __future__ import annotations

import copy
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from frictionless import Dialect, FrictionlessException, Package, Resource, Schema, errors
from frictionless.formats.csv import CsvControl
from frictionless.resources import TableResource
from frictionless.table.row import Row, create_cell_handlers

from pipelines.tabular.cell_reader import MACHINE_ERRORS
from pipelines.tabular.linear_patterns import judged_in_linear_time
from pipelines.tabular.sniffing import sniffed_in_linear_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from frictionless import Error, Field


class FedDialect(Dialect):
    """A dialect whose records come from a queue, under the numbers that they have in the file.

    frictionless numbers the records that it reads; a resource that sees only doubtful ones must be told their places.
    """

    def read_enumerated_content_stream(self, cell_stream: Iterable[list[Any]]) -> Iterator[tuple[int, list[Any]]]:
        """Yield from the queue. The sample (a list) is read as usual: it decides the header."""
        if isinstance(cell_stream, list):
            yield from super().read_enumerated_content_stream(cell_stream)
            return
        while self.queue:
            yield self.queue.popleft()

    @property
    def queue(self) -> deque[tuple[int, list[Any]]]:
        """Return the records that wait to be read."""
        waiting: deque[tuple[int, list[Any]]] = self.__dict__.setdefault("_waiting", deque())
        return waiting


_V2 = re.compile(r"https?://datapackage\.org/profiles/2\.\d+/")
_V2_RESOURCE = "https://datapackage.org/profiles/2.0/dataresource.json"


@dataclass
class Source:
    """What frictionless is given to open a table; ``data`` is bytes, a path, or rows with their header."""

    data: Any
    schema: dict[str, Any]
    dialect: dict[str, Any]
    encoding: str | None = None
    references: Mapping[str, Any] | None = None

    @property
    def delimited(self) -> bool:
        """Whether the data is delimited text, not rows."""
        return not isinstance(self.data, list)

    def resource(self, *, fed: bool = False, schema: dict[str, Any] | None = None, data: Any = None) -> TableResource:
        """Make the resource, not opened. A fed one reads only the records of its dialect's queue."""
        options: dict[str, Any] = {
            "schema": Schema.from_descriptor(copy.deepcopy(self.schema if schema is None else schema)),
            "dialect": (FedDialect if fed else Dialect).from_descriptor(copy.deepcopy(self.dialect)),
        }
        if _V2.match(str(self.schema.get("$schema", ""))):  # a resource imposes its version on its schema, 1 by default
            options["schema_profile"] = _V2_RESOURCE
        content = self.data if data is None else data
        if isinstance(content, (bytes, list)):
            options["data"] = content
        else:  # frictionless distrusts absolute paths, a folder apart it accepts
            options |= {"path": content.name, "basepath": str(content.absolute().parent)}
        if self.delimited:
            options |= {"format": "csv", "encoding": self.encoding}
        resource = TableResource(**options)
        if self.references:
            tables = [_reference(name, table) for name, table in self.references.items()]
            Package(resources=[resource, *tables])
        return resource


def _reference(name: str, table: Any) -> Resource:
    resource = table.to_copy() if isinstance(table, Resource) else TableResource(data=table)
    resource.name = name
    return resource


def open_resource(resource: TableResource) -> None:
    """Open the resource, its dialect sniffed and its patterns judged in linear time."""
    with judged_in_linear_time(), sniffed_in_linear_time():
        resource.open()  # type: ignore[no-untyped-call]


def opening_errors(resource: TableResource) -> list[Error]:
    """Open the resource; return the errors that stop its reading, as frictionless's ``validate`` tells them."""
    try:
        resource.to_descriptor(validate=True)
        open_resource(resource)
    except FrictionlessException as exception:
        resource.close()
        raise_machine_error(exception)
        return list(exception.to_errors())
    return []


def raise_machine_error(exception: FrictionlessException) -> None:
    """Raise what frictionless hides in an error of the source when it tells of this machine: memory, disk."""
    if isinstance(exception.__cause__, MACHINE_ERRORS):
        raise exception.__cause__


def leading_errors(resource: TableResource) -> list[Error]:
    """Return the errors of an opened resource that come before those of its header."""
    empty = not (resource.labels or resource.fragment)
    return [errors.SourceError(note="the source is empty")] if empty else []


def expected_fields(resource: TableResource) -> list[Field]:
    """Return the fields of the table's columns, in the order of the columns."""
    return list(resource.header.get_expected_fields())


def reader_options(resource: TableResource) -> Any:
    """Return the dialect that Python's csv reader is given, what was not declared being sniffed by frictionless."""
    return CsvControl.from_dialect(resource.dialect).to_python()


def key_fields(resource: TableResource) -> list[str]:
    """Return the names of the primary key's columns, as frictionless finds them in a row; none when one is absent."""
    key, fields = set(resource.schema.primary_key), expected_fields(resource)
    if not key or not key <= {field.name for field in fields}:
        return []
    row = Row([], handlers=create_cell_handlers(fields), row_number=0)
    return list(resource.primary_key_labels(row, resource.dialect.header_case))


def refers_to_itself(schema: dict[str, Any]) -> bool:
    """Tell whether a foreign key of the schema looks into the table itself."""
    references = (key.get("reference", {}) for key in schema.get("foreignKeys", []) if isinstance(key, dict))
    return any(not (isinstance(item, dict) and item.get("resource")) for item in references)


def without_keys(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without what relates rows to one another."""
    bare = {name: value for name, value in schema.items() if name not in {"primaryKey", "foreignKeys"}}
    bare["fields"] = [
        {**field, "constraints": {name: value for name, value in field["constraints"].items() if name != "unique"}}
        if isinstance(field.get("constraints"), dict)
        else field
        for field in schema["fields"]
    ]
    return bare
