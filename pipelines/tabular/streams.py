"""Streams of records to streams of judged blocks: by columns with an opened table for what is doubtful, or row by row.

Opening tables and choosing the way they are judged belongs to the engine's door.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from frictionless import FrictionlessException

from pipelines.tabular.blocks import BlockJudge, Content, JudgedBlock, Judgement
from pipelines.tabular.columns import Column
from pipelines.tabular.doubts import MACHINE_ERRORS, Cells, JudgedRow, Judges, RowJudge, UnjudgeableCellError
from pipelines.tabular.keys import ForeignKey, Keys
from pipelines.tabular.opening import expected_fields, key_fields, open_resource, raise_machine_error, without_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from frictionless import Field, Row
    from frictionless.resources import TableResource

    from pipelines.tabular.opening import Source
    from pipelines.tabular.record_pieces import Text
    from pipelines.tabular.tokens import Tokens

_UNHASHABLE = {"list", "array", "object", "geojson"}


def uncovered(resource: TableResource) -> str:
    """Return why the vectorised way can't judge a table, or nothing when it can."""
    fields = {field.name: field for field in expected_fields(resource)}
    if not fields:
        return "no field"
    keyed = {name for name, field in fields.items() if field.constraints.get("unique")}
    keyed |= {*key_fields(resource), *(name for key in resource.schema.foreign_keys for name in key["fields"])}
    kinds = {fields[name].type for name in keyed if name in fields} & _UNHASHABLE
    return f"a key on values of type {', '.join(sorted(kinds))}" if kinds else ""


def judged(
    judgement: Judgement,
    resource: TableResource,
    source: Source,
    stream: Iterator[Tokens],
    fetch: Callable[[int], Cells],
    progress: Callable[[int], None] | None = None,
    text: Text | None = None,
) -> Iterator[JudgedBlock]:
    """Judge the blocks of a stream by columns; of delimited text, the dialect tells which records are content."""
    judge = _block_judge(resource, source, fetch)
    judgement.fetch = fetch
    content = None if isinstance(source.data, list) else Content(resource.dialect)
    with resource:
        for index, tokens in enumerate(stream):
            if index == 1 and text is not None:
                judge.keys.reserve(text.expected())
            last = tokens.first + tokens.count - 1
            if content is not None:
                content.filter(tokens)
            yield judge.judge(tokens)
            if progress:
                progress(last)


def _block_judge(resource: TableResource, source: Source, fetch: Callable[[int], Cells]) -> BlockJudge:
    """Make the judge of blocks; the opened resource remembers keys, a second one judges cells alone."""
    columns = [Column(field) for field in expected_fields(resource)]
    places = {column.field.name: place for place, column in enumerate(columns)}
    unique = [place for place, column in enumerate(columns) if column.field.constraints.get("unique")]
    primary = [places[name] for name in key_fields(resource)]
    foreign, referring = [], list[str]()
    for key in resource.schema.foreign_keys:
        if set(key["fields"]) <= set(places):
            values = resource.lookup[key["reference"]["resource"]][tuple(key["reference"]["fields"])]
            referring += key["fields"]
            foreign.append(ForeignKey({places[name]: columns[places[name]].oracle for name in key["fields"]}, values))
    judges = Judges(resource, None)
    if unique or primary or foreign:
        cells = source.resource(fed=True, schema=without_keys(source.schema), data=resource.data)
        open_resource(cells)
        read_first = [columns[place].field.name for place in [*unique, *primary]]
        judges = Judges(cells, resource, [*read_first, *referring])
    return BlockJudge(columns, Keys(unique, primary), foreign, judges, fetch)


# Row by row


def fed_rows(resource: TableResource, stream: Iterator[Tokens], content: Content | None = None) -> Iterator[Row]:
    """Let frictionless judge every record of a stream that is content."""
    judge = RowJudge(resource)
    for tokens in stream:
        if content is not None:
            content.filter(tokens)
        rows = tokens.rows(np.arange(len(tokens.numbers))) | tokens.ragged
        for number in sorted(rows):
            yield judge.judge(number, rows[number])


def read_rows(resource: TableResource, judgement: Judgement) -> Iterator[Row]:
    """Let frictionless read and judge; an error that ends the reading is noted, as its ``validate`` does."""
    with resource:
        while True:
            try:
                row = next(resource.row_stream)
                _ = row.errors
            except FrictionlessException as exception:
                raise_machine_error(exception)
                judgement.end_errors.append(exception.error)
            except StopIteration:
                return
            except MACHINE_ERRORS:
                raise
            except Exception as error:
                raise UnjudgeableCellError(repr(error)) from error
            else:
                yield row


def row_blocks(rows: Iterable[Row], fields: list[Field], size: int) -> Iterator[JudgedBlock]:
    """Group judged rows in blocks."""
    columns = [Column(field) for field in fields]
    stream = iter(rows)
    while group := list(islice(stream, size)):
        yield _block(group, columns)


def _block(group: list[Row], columns: list[Column]) -> JudgedBlock:
    good = [row for row in group if not row.errors]
    names = [column.field.name for column in columns]

    def values() -> tuple[list[pa.Array], list[tuple[int, int]]]:
        arrays, unheld = list[Any](), list[tuple[int, int]]()
        for index, (name, column) in enumerate(zip(names, columns, strict=True)):
            array, places = column.to_arrow([row[name] for row in good])
            arrays.append(array)
            unheld += [(place, index) for place in places]
        return arrays, unheld

    return JudgedBlock(
        np.array([row.row_number for row in good], np.int64),
        [JudgedRow.of(row) for row in group if row.errors],
        names,
        lambda: [pa.array([_text(row.cells[place]) for row in good], pa.string()) for place in range(len(columns))],
        values,
    )


def _text(cell: Any) -> str | None:
    """Return a cell, which may be native, as text."""
    return cell if cell is None or isinstance(cell, str) else str(cell)
