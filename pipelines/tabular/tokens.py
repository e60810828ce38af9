"""Delimited text to blocks of text cells, tokenised by Arrow exactly as Python's csv reader would.

Judging the cells belongs to the screens; dialects that Arrow does not read alike are read by ``batches``.
"""

from __future__ import annotations

import codecs
import csv
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from pipelines.tabular.doubts import AbsurdRecordError, Cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pipelines.tabular.record_pieces import Text

MOST_EXTRA = 1 << 10  # cells of a record beyond its columns: each is an error, that holds all the cells
_AHEAD = 2


@dataclass
class Tokens:
    """Consecutive records: those with as many cells as columns, in columns; the others, by their number.

    ``alive`` marks the records of the columns that are really theirs (None: all): a blank line stays in the columns,
    because filtering them costs more than judging it for nothing, but counts among the others.
    """

    first: int
    count: int
    numbers: NDArray[np.int64]
    columns: list[pa.Array]
    ragged: dict[int, Cells] = field(default_factory=dict)
    alive: NDArray[np.bool_] | None = None

    def rows(self, places: NDArray[np.int64]) -> dict[int, Cells]:
        """Return the cells of some records of the columns, by their numbers."""
        if not self.columns:
            return {number: [] for number in self.numbers[places].tolist()}
        chosen = pa.array(places)
        cells = zip(*(column.take(chosen).to_pylist() for column in self.columns), strict=True)
        return dict(zip(self.numbers[places].tolist(), map(list, cells), strict=True))

    def shift(self, by: int) -> None:
        """Add to the numbers of the records."""
        self.first += by
        self.numbers = self.numbers + by
        self.ragged = {number + by: cells for number, cells in self.ragged.items()}

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Keep only some records of the columns."""
        chosen = pa.array(mask)
        self.columns = [column.filter(chosen) for column in self.columns]
        self.numbers = self.numbers[mask]
        self.alive = None if self.alive is None else self.alive[mask]

    def empty(self) -> NDArray[np.int64]:
        """Return the places of the records of the columns whose every cell is an empty text, or nothing."""
        places = np.arange(len(self.numbers) if self.columns else 0)
        for column in self.columns:
            if not len(places):
                break
            texts = column.fill_null("") if column.null_count else column
            places = places[lengths(texts)[places] == 0]
        return places


def arrow_reads_alike(options: Any) -> str:
    """Return why Arrow can't be the tokeniser of a dialect, or nothing when it can."""
    if options.escapechar:
        return "an escape character"
    if options.skipinitialspace:
        return "spaces skipped after the delimiter"
    marks = (options.delimiter, options.quotechar if options.quoting != csv.QUOTE_NONE else '"')
    if any(len(mark) != 1 or ord(mark) > 127 or mark in "\r\n" for mark in marks):
        return "a delimiter or a quote beyond ASCII"
    return ""


def tokenised(text: Text, size: int, width: int) -> Iterator[Tokens]:
    """Yield the blocks of a text, numbered from 1; the next ones are tokenised meanwhile, by another thread."""
    ranges = text.ranges(size)
    base = 1
    with ThreadPoolExecutor(1) as pool:
        waiting = deque((place, pool.submit(tokenise, text, *place, width)) for place in islice(ranges, _AHEAD))
        while waiting:
            (start, stop), future = waiting.popleft()
            tokens = future.result()
            waiting.extend((place, pool.submit(tokenise, text, *place, width)) for place in islice(ranges, 1))
            tokens.shift(base - 1)
            text.remember(base, start, stop)
            base += tokens.count
            yield tokens


def tokenise(text: Text, start: int, stop: int, width: int) -> Tokens:
    """Tokenise one piece; its records are numbered from 1."""
    ragged: list[arrow_csv.InvalidRow] = []
    table = _read(text, text.piece(start, stop), width, text.has_quotes(start, stop), ragged.append)
    count = table.num_rows + len(ragged)
    numbers = np.arange(1, count + 1)
    if ragged:
        numbers = np.delete(numbers, [row.number - 1 for row in ragged])
    tokens = Tokens(1, count, numbers, [column.combine_chunks() for column in table.columns])
    tokens.ragged = {row.number: text.split(row.text) for row in ragged}
    for number, cells in tokens.ragged.items():
        check_width(cells, width, number, text.line_of(start, number))
    if count in tokens.ragged:  # Arrow drops the line ends of an unclosed quote that the file ends in
        tokens.ragged[count] = text.records(start, stop, [count - 1])[0]
    _take_blank_lines_out(tokens, text, start, stop)
    return tokens


def check_width(cells: Cells, width: int, number: int, line: int | None = None) -> None:
    """Raise AbsurdRecordError on record ``number`` (at that line) if it has far more cells than there are columns."""
    if len(cells) > width + MOST_EXTRA:
        raise AbsurdRecordError(number if line is None else line, f"{len(cells)} cells")


def offsets(column: pa.Array) -> NDArray[np.int32]:
    """Return where each cell of a column of texts starts in its bytes, and where the last one ends."""
    return np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4)


def lengths(column: pa.Array) -> NDArray[np.int32]:
    """Return the number of bytes of each cell."""
    return np.diff(offsets(column))


def cell_bytes(column: pa.Array) -> NDArray[np.uint8]:
    """Return the bytes of all cells, one after the other."""
    low, high = offsets(column)[[0, -1]].tolist()
    return np.frombuffer(column.buffers()[2], np.uint8, high - low, low) if high > low else np.empty(0, np.uint8)


def _read(
    text: Text, piece: Any, width: int, quoted: bool, on_ragged: Callable[[arrow_csv.InvalidRow], None]
) -> pa.Table:
    names = [str(index) for index in range(width)]
    if piece[:3] == codecs.BOM_UTF8:  # Arrow drops one mark at the start of what it reads, here a character of a cell
        piece = codecs.BOM_UTF8 + bytes(piece)

    def skip(row: arrow_csv.InvalidRow) -> str:
        on_ragged(row)
        return "skip"

    return arrow_csv.read_csv(
        pa.BufferReader(pa.py_buffer(piece)),
        read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(piece) + 1),
        parse_options=arrow_csv.ParseOptions(
            delimiter=text.options.delimiter,
            quote_char=text.options.quotechar if quoted else False,  # without quotes, Arrow is faster
            double_quote=True,
            newlines_in_values=False,  # of use to Arrow's own cutting only: a piece is one block, quotes and all
            ignore_empty_lines=False,
            invalid_row_handler=skip,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
            check_utf8=False,  # the whole content was checked at the door
        ),
    )


def _take_blank_lines_out(tokens: Tokens, text: Text, start: int, stop: int) -> None:
    """Turn blank lines, which Arrow reads as rows of empty cells, into the records without cells that they are."""
    empty = tokens.empty()
    if not len(empty):
        return
    blank = empty.tolist()
    if text.may_write_empty_cells(start, stop, len(tokens.columns)):
        records = text.records(start, stop, [int(tokens.numbers[place]) - 1 for place in empty])
        blank = [place for place, cells in zip(blank, records, strict=True) if not cells]
    if blank:
        tokens.ragged |= {int(tokens.numbers[place]): [] for place in blank}
        tokens.alive = np.ones(len(tokens.numbers), np.bool_)
        tokens.alive[blank] = False
