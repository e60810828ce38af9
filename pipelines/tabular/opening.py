"""Opens a table with frictionless itself: dialect, labels, header errors, expected fields, lookups of foreign keys.

Only what the first records of a file decide belongs here; reading the rest of it does not.

frictionless sniffs the first lines of every delimited text, and the quotes with patterns that try each of them against
all the text that follows: minutes for one cell of 100 kB. What ``csv.Sniffer`` guesses is guessed here in linear time;
only the way there is other.
"""

from __future__ import annotations

import copy
import csv
import re
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from frictionless import Dialect, FrictionlessException, Package, Resource, Schema, errors
from frictionless.formats.csv import CsvControl
from frictionless.formats.csv import parser as frictionless_parser
from frictionless.resources import TableResource
from frictionless.table.row import Row, create_cell_handlers

from pipelines.tabular.cell_reader import MACHINE_ERRORS
from pipelines.tabular.linear_patterns import judged_in_linear_time
from pipelines.tabular.remembered_fields import remember_valid_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from frictionless import Error, Field

remember_valid_fields()

_DELIMITER = r"[^\w\n\"']"
_AFTER_DELIMITER = re.compile(rf"(?P<delimiter>{_DELIMITER})(?P<space> ?)(?P<quote>[\"'])")
_AT_LINE_START = re.compile(r"(?:^|\n)(?P<quote>[\"'])", re.MULTILINE)
_CLOSING = {quote: re.compile(rf"{quote}(?P<delimiter>{_DELIMITER})(?P<space> ?)") for quote in "\"'"}
_LAST = {quote: re.compile(rf"{quote}$", re.MULTILINE) for quote in "\"'"}


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
        described = self.schema if schema is None else schema
        options: dict[str, Any] = {
            "schema": Schema.from_descriptor(copy.deepcopy(described)),
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
        if self.references and described.get("foreignKeys"):
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


class _Quoted(NamedTuple):
    quote: str
    delimiter: str | None = None
    space: str | None = None


class LinearSniffer(csv.Sniffer):
    """Guesses what ``csv.Sniffer`` does, but for the doubling of quotes, which frictionless does not use."""

    def _guess_quote_and_delimiter(self, data: str, delimiters: str | None) -> tuple[str, bool, str | None, int | bool]:
        found = next(filter(None, map(list, _ways(data))), [])
        if not found:
            return "", False, None, 0
        quotes = Counter(item.quote for item in found)
        known = Counter(
            item.delimiter for item in found if item.delimiter and (delimiters is None or item.delimiter in delimiters)
        )
        # Counter.most_common, like max, keeps the first of equals.
        quote = quotes.most_common(1)[0][0]
        if not known:
            return quote, False, "", 0
        delimiter, count = known.most_common(1)[0]
        return quote, False, delimiter, count == sum(bool(item.space) for item in found)


def _ways(data: str) -> Iterator[Iterator[_Quoted]]:
    """Yield the quoted texts between delimiters, then those that start a line, that end one, that are one."""
    yield _between(data)
    yield _closed(data, _AT_LINE_START, _CLOSING)
    yield _closed(data, _AFTER_DELIMITER, _LAST)
    yield _closed(data, _AT_LINE_START, _LAST)


def _between(data: str) -> Iterator[_Quoted]:
    """Yield the texts in quotes that have the same delimiter on both sides."""
    place, absent = 0, set[str]()
    while opening := _AFTER_DELIMITER.search(data, place):
        closing = opening["quote"] + opening["delimiter"]
        end = -1 if closing in absent else data.find(closing, opening.end())
        if end < 0:
            absent.add(closing)
            place = opening.start() + 1
            continue
        yield _Quoted(opening["quote"], opening["delimiter"], opening["space"])
        place = end + len(closing)


def _closed(data: str, opens: re.Pattern[str], closes: dict[str, re.Pattern[str]]) -> Iterator[_Quoted]:
    """Yield the texts in quotes that are opened and closed so."""
    place, absent = 0, set[str]()
    while opening := opens.search(data, place):
        quote = opening["quote"]
        closing = None if quote in absent else closes[quote].search(data, opening.end())
        if closing is None:
            absent.add(quote)
            place = opening.start() + 1
            continue
        told = {**opening.groupdict(), **closing.groupdict()}
        yield _Quoted(quote, told.get("delimiter"), told.get("space"))
        place = closing.end()


@contextmanager
def sniffed_in_linear_time() -> Iterator[None]:
    """Let frictionless sniff delimited texts in linear time meanwhile."""
    module: Any = frictionless_parser
    module.csv = SimpleNamespace(Sniffer=LinearSniffer, excel=csv.excel, reader=csv.reader, Error=csv.Error)
    try:
        yield
    finally:
        module.csv = csv
