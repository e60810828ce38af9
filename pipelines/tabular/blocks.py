"""Judges blocks of text cells: valid rows apart, with their values; rows with errors with frictionless's errors.

Where the blocks come from belongs to the tokenisers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from pipelines.tabular.columns import Column
from pipelines.tabular.doubts import Cells, JudgedRow, Judges, UnjudgeableCellError
from pipelines.tabular.fast_checks import as_mask, marks_missing
from pipelines.tabular.keys import ForeignKey, Keys
from pipelines.tabular.tokens import Tokens

if TYPE_CHECKING:
    from frictionless import Error
    from numpy.typing import NDArray

    from pipelines.tabular.columns import ColumnVerdict
    from pipelines.tabular.encoding import EncodingError

    Mask = NDArray[np.bool_]
    Values = tuple[list[pa.Array], list[tuple[int, int]]]  # with the places of what Arrow can't hold


@dataclass(frozen=True)
class Unheld:
    """A valid value that the column's Arrow type can't hold: it is null in the table."""

    number: int
    field: str
    text: str | None


@dataclass(frozen=True)
class JudgedBlock:
    """Consecutive records: the accepted ones in tables, made when first asked for; the refused ones apart."""

    numbers: NDArray[np.int64]
    refused: list[JudgedRow]
    _names: list[str]
    _texts: Callable[[], list[pa.Array]]
    _values: Callable[[], Values]

    @cached_property
    def texts(self) -> pa.Table:
        """The texts of the accepted rows, columns in the order of the file."""
        return pa.Table.from_arrays(self._texts(), names=self._names)

    @cached_property
    def accepted(self) -> pa.Table:
        """The values of the accepted rows, as frictionless reads them."""
        return pa.Table.from_arrays(self._converted[0], names=self._names)

    @cached_property
    def unheld(self) -> list[Unheld]:
        """Valid values that could not be held, in the order of the columns."""
        return [
            Unheld(int(self.numbers[row]), self._names[column], self.texts.column(column)[row].as_py())
            for row, column in self._converted[1]
        ]

    @cached_property
    def _converted(self) -> Values:
        return self._values()


@dataclass
class Judgement:
    """Blocks to iterate once, and what is known of the table: while iterating, the counts grow.

    ``opened`` is false when frictionless can't open the table at all; ``declared`` is the number of declared fields.
    Errors come in the order: ``source_errors``, ``header_errors``, those of the rows, ``end_errors``. ``fetch`` gives
    the cells of a row that was read (nothing when frictionless read alone).
    """

    path: Literal["vectorised", "frictionless"] = "vectorised"
    why: str = ""
    opened: bool = True
    header: list[str] = field(default_factory=list)
    declared: int = 0
    names: list[str] = field(default_factory=list)
    source_errors: list[Error] = field(default_factory=list)
    header_errors: list[Error] = field(default_factory=list)
    end_errors: list[Error] = field(default_factory=list)
    encoding_errors: list[EncodingError] = field(default_factory=list)
    rows: int = 0
    accepted: int = 0
    refused: int = 0
    errors: int = 0
    blocks: Iterator[JudgedBlock] = field(default_factory=lambda: iter(()))
    fetch: Callable[[int], Cells] = field(default=lambda _number: [])

    @property
    def valid(self) -> bool:
        """Whether no error was found (complete once the blocks were iterated)."""
        return not (self.errors or self.source_errors or self.header_errors or self.end_errors)

    def __iter__(self) -> Iterator[JudgedBlock]:
        for block in self.blocks:
            self.accepted += len(block.numbers)
            self.refused += len(block.refused)
            self.rows = self.accepted + self.refused
            self.errors += sum(len(row.found) for row in block.refused)
            yield block


class Content:
    """Which records are content, by the dialect: not those of the header, comments, or skipped blank rows."""

    def __init__(self, dialect: Any) -> None:
        self._first: int = dialect.create_first_content_row()
        self._comment = dialect.create_comment_filter()
        self._blank = dialect.create_blank_filter()
        self._dialect = dialect

    def filter(self, tokens: Tokens) -> None:
        """Drop from a block what is no content."""
        tokens.ragged = {number: cells for number, cells in tokens.ragged.items() if self._is_content(number, cells)}
        mask = tokens.numbers >= self._first
        if self._comment:
            mask &= ~np.isin(tokens.numbers, self._dialect.comment_rows)
            if self._dialect.comment_char and len(mask):
                starts = pa.compute.starts_with(tokens.columns[0], self._dialect.comment_char).fill_null(False)
                mask &= ~as_mask(starts)
        if self._blank and len(mask):
            empty = tokens.empty()
            rows = zip(empty.tolist(), tokens.rows(empty).values(), strict=True)
            mask[[place for place, cells in rows if not self._blank(cells)]] = False
        if not mask.all():
            tokens.keep(mask)

    def _is_content(self, number: int, cells: Cells) -> bool:
        if number < self._first or (self._comment and not self._comment(number, cells)):
            return False
        return not self._blank or bool(self._blank(cells))


class BlockJudge:
    """Judges block after block, in order."""

    def __init__(
        self,
        columns: list[Column],
        keys: Keys,
        foreign: list[ForeignKey],
        judges: Judges,
        fetch: Callable[[int], Cells],
    ) -> None:
        self.keys, self.judges = keys, judges
        self._columns, self._foreign, self._fetch = columns, foreign, fetch
        self._names = [column.field.name for column in columns]
        self._missing = [marks_missing(column.field) for column in columns]

    def judge(self, tokens: Tokens) -> JudgedBlock:
        """Judge one block."""
        verdicts = [_judged(column, place, tokens) for place, column in enumerate(self._columns)]
        suspect = np.zeros(len(tokens.numbers), np.bool_)
        for verdict in verdicts:
            if verdict.valid is not None:
                suspect |= ~verdict.valid
        suspect[self._blank(tokens, verdicts)] = True
        keyed = self._keyed(tokens, verdicts, suspect)
        if tokens.alive is not None:
            suspect &= tokens.alive
        refused = self._refuse(tokens, suspect, keyed)
        mask = tokens.alive
        if refused:
            good = ~np.isin(tokens.numbers, [row.number for row in refused])
            mask = good if mask is None else mask & good
        return JudgedBlock(
            tokens.numbers if mask is None else tokens.numbers[mask],
            refused,
            self._names,
            lambda: _chosen(tokens.columns, mask),
            lambda: self._values(verdicts, mask),
        )

    def _keyed(self, tokens: Tokens, verdicts: list[ColumnVerdict], suspect: Mask) -> set[int]:
        """Return the numbers of the rows whose keys are doubtful, having recalled the earlier rows that they repeat."""
        doubtful, earlier = self.keys.doubts(tokens, verdicts, self._columns)
        for key in self._foreign:
            good = key.good(tokens)
            if good is not None:
                doubtful.update(tokens.numbers[~good].tolist())
            doubtful.update(tokens.ragged)
        for number in sorted(earlier):
            self.judges.recall(number, self._fetch)
        if doubtful:
            suspect |= np.isin(tokens.numbers, sorted(doubtful))
        return doubtful

    def _refuse(self, tokens: Tokens, suspect: Mask, keyed: set[int]) -> list[JudgedRow]:
        """Let frictionless judge the suspect rows, in the order of the file."""
        rows = tokens.rows(np.flatnonzero(suspect)) | tokens.ragged
        judged = (self.judges.judge(number, rows[number], keyed=number in keyed) for number in sorted(rows))
        return [row for row in judged if row.found]

    def _blank(self, tokens: Tokens, verdicts: list[ColumnVerdict]) -> NDArray[np.int64]:
        """Return the places of the rows whose every cell is missing."""
        places = np.arange(len(tokens.numbers))
        for column, is_missing, verdict in zip(tokens.columns, self._missing, verdicts, strict=True):
            if not pa.types.is_string(column.type):  # native cells: what has no value may be missing
                places = places[as_mask(verdict.values()[0].is_null())[places]]
                continue
            cells = column if len(places) == len(column) else column.take(pa.array(places))
            missing = is_missing(cells)
            if cells.null_count:
                nulls = as_mask(cells.is_null())
                missing = nulls if missing is None else missing | nulls
            places = places[:0] if missing is None else places[missing]
            if not len(places):
                break
        return places

    @staticmethod
    def _values(verdicts: list[ColumnVerdict], mask: Mask | None) -> Values:
        arrays, unheld = [], []
        for index, verdict in enumerate(verdicts):
            values, places = verdict.values()
            arrays.append(values)
            kept = [place for place in places if mask is None or mask[place]]
            unheld += [(place if mask is None else int(mask[:place].sum()), index) for place in kept]
        return _chosen(arrays, mask), unheld


def _judged(column: Column, place: int, tokens: Tokens) -> ColumnVerdict:
    try:
        return column.judge(tokens.columns[place])
    except UnjudgeableCellError as error:
        row = pa.compute.index(tokens.columns[place], error.cell).as_py() if isinstance(error.cell, str) else -1
        error.row = int(tokens.numbers[row]) if row >= 0 else None
        raise


def _chosen(arrays: list[pa.Array], mask: Mask | None) -> list[pa.Array]:
    if mask is None:
        return arrays
    chosen = pa.array(mask)
    return [array.filter(chosen) for array in arrays]
