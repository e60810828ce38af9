"""Tables that the vectorised way does not cover, judged row by row by frictionless's own row stream.

Which tables those are is decided at the engine's door.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from frictionless import FrictionlessException

from pipelines.tabular.blocks import JudgedBlock, Judgement
from pipelines.tabular.cell_reader import MACHINE_ERRORS, Reading, UnjudgeableCellError
from pipelines.tabular.columns import Column
from pipelines.tabular.opening import raise_machine_error
from pipelines.tabular.rows import JudgedRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from frictionless import Field, Row
    from frictionless.resources import TableResource


def row_stream(resource: TableResource, judgement: Judgement) -> Iterator[Row]:
    """Yield frictionless's rows; an error that ends the reading is noted, as frictionless's ``validate`` does."""
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


def plain_blocks(rows: Iterable[Row], fields: list[Field], size: int) -> Iterator[JudgedBlock]:
    """Group rows in blocks."""
    columns = [Column(field) for field in fields]
    stream = iter(rows)
    while group := list(islice(stream, size)):
        yield _block(group, columns)


def _block(group: list[Row], columns: list[Column]) -> JudgedBlock:
    good = [row for row in group if not row.errors]
    names = [column.oracle.field.name for column in columns]

    def values() -> tuple[list[pa.Array], list[tuple[int, int]]]:
        arrays, unheld = list[Any](), list[tuple[int, int]]()
        for index, (name, column) in enumerate(zip(names, columns, strict=True)):
            array, places = column.to_arrow([Reading(row[name], True) for row in good])
            arrays.append(array)
            unheld += [(place, index) for place in places]
        return arrays, unheld

    return JudgedBlock(
        group[0].row_number,
        np.array([row.row_number for row in good], np.int64),
        [JudgedRow.of(row) for row in group if row.errors],
        names,
        lambda: [pa.array([_text(row.cells[place]) for row in good], pa.string()) for place in range(len(columns))],
        values,
    )


def _text(cell: Any) -> str | None:
    """Return a cell, which may be native, as text."""
    return cell if cell is None or isinstance(cell, str) else str(cell)
