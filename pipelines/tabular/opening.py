"""Opens a table with frictionless itself: dialect, labels, header errors, expected fields, lookups of foreign keys.

Only what the first records of a file decide belongs here; reading the rest of it does not.

Two of its ways are replaced by quicker ones with the same outcome: the sniffing of quotes, whose patterns try each one
against all the text that follows (minutes for one cell of 100 kB), and the validation of a field's descriptor, a dozen
times for each table (half of the time that a small one takes).
"""

from __future__ import annotations

import copy
import csv
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from frictionless import Dialect, Field, FrictionlessException, Package, Resource, Schema, errors
from frictionless.formats.csv import CsvControl
from frictionless.formats.csv import parser as frictionless_parser
from frictionless.resources import TableResource
from frictionless.table.row import Row, create_cell_handlers
from frictionless.vendors import stringcase

from pipelines.tabular.doubts import MACHINE_ERRORS, FedDialect
from pipelines.tabular.linear_patterns import judged_in_linear_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from frictionless import Error

_V2 = re.compile(r"https?://datapackage\.org/profiles/2\.\d+/")
_V2_RESOURCE = "https://datapackage.org/profiles/2.0/dataresource.json"
_MANY = 10_000  # descriptors, some hundred signs each


@dataclass
class Source:
    """What frictionless is given to open a table; ``data`` is bytes, a path, or rows with their header."""

    data: Any
    schema: dict[str, Any]
    dialect: dict[str, Any]
    encoding: str | None = None
    references: Mapping[str, Any] | None = None

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
        if not isinstance(self.data, list):
            options |= {"format": "csv", "encoding": self.encoding}
        resource = TableResource(**options)
        if self.references and described.get("foreignKeys"):
            package = Package(resources=[resource])
            for name, table in self.references.items():
                reference = table.to_copy() if isinstance(table, Resource) else TableResource(data=table)
                reference.name = name
                package.add_resource(reference)
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
    return any(not (isinstance(table, dict) and table.get("resource")) for table in references)


def without_keys(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without what relates rows to one another."""
    bare = {name: value for name, value in schema.items() if name not in {"primaryKey", "foreignKeys"}}
    bare["fields"] = copy.deepcopy(schema["fields"])
    for field in bare["fields"]:
        if isinstance(field.get("constraints"), dict):
            field["constraints"].pop("unique", None)
    return bare


def _remembering(validate: Callable[..., Iterator[Error]]) -> Callable[..., Iterator[Error]]:
    """Make a validation of descriptors remember those that it found valid; the others are judged each time."""
    valid: set[tuple[type, str | None, str]] = set()

    def validated(kind: type, descriptor: dict[str, Any], *, context: Any = None) -> Iterator[Error]:
        version = context.datapackage_version if context else None  # of the standard, which a table imposes on it
        key = kind, version, repr(descriptor)
        if key in valid:
            return
        faults = list(validate(kind, descriptor, context=context))
        if not faults and len(valid) < _MANY:
            valid.add(key)
        yield from faults

    return validated


Field.metadata_validate = classmethod(_remembering(vars(Field)["metadata_validate"].__func__))  # type: ignore[assignment]
stringcase.snakecase = cache(vars(stringcase)["snakecase"])

# The sniffing of quotes, in linear time

_DELIMITER = r"[^\w\n\"']"
_AFTER_DELIMITER = re.compile(rf"(?P<delimiter>{_DELIMITER})(?P<space> ?)(?P<quote>[\"'])")
_AT_LINE_START = re.compile(r"(?:^|\n)(?P<quote>[\"'])", re.MULTILINE)
_CLOSING = {quote: re.compile(rf"{quote}(?P<delimiter>{_DELIMITER})(?P<space> ?)") for quote in "\"'"}
_LAST = {quote: re.compile(rf"{quote}$", re.MULTILINE) for quote in "\"'"}


class _Quoted(NamedTuple):
    quote: str
    delimiter: str | None = None
    space: str | None = None


class LinearSniffer(csv.Sniffer):
    """Guesses what ``csv.Sniffer`` does, but for the doubling of quotes, which frictionless does not use."""

    def _guess_quote_and_delimiter(self, data: str, delimiters: str | None) -> tuple[str, bool, str | None, int | bool]:
        texts = next(filter(None, map(list, _ways(data))), [])
        if not texts:
            return "", False, None, 0
        allowed = (text.delimiter for text in texts if text.delimiter)
        known = Counter(delimiter for delimiter in allowed if delimiters is None or delimiter in delimiters)
        # Counter.most_common, like max, keeps the first of equals.
        quote = Counter(text.quote for text in texts).most_common(1)[0][0]
        if not known:
            return quote, False, "", 0
        delimiter, count = known.most_common(1)[0]
        return quote, False, delimiter, count == sum(bool(text.space) for text in texts)


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
        around = {**opening.groupdict(), **closing.groupdict()}
        yield _Quoted(quote, around.get("delimiter"), around.get("space"))
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
