"""The order in which rows are written, for readers that guess types from the first ones: by key, but for a few.

Polars guesses from 100 rows, readr and readxl from 1 000: a column empty over these was read as another type, or lost.
Rows that tell the type of a column and come too late for that are written first; nothing else moves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SOON = 50  # rows: with those written first (one a column at most), under the hundred that the hastiest reader looks at
# From the narrowest to the widest: what is of one kind can be read as any after it.
_KINDS = tuple(map(re.compile, (r"", r"T|F|TRUE|FALSE|[Tt]rue|[Ff]alse", r"-?\d+", r"-?\d+\.\d+", r"\d{4}-\d\d-\d\d")))


def reading_order(columns: Sequence[Sequence[str]]) -> list[int]:
    """Return the positions of the rows of a table of texts, by column, in the order in which they are written."""
    count = len(columns[0]) if columns else 0
    if count <= SOON:
        return list(range(count))
    first: dict[int, None] = {}
    for cells in columns:
        kinds = {cell: _kind(cell) for cell in set(cells)}
        widest = max(kinds.values())
        if any(kinds[cells[row]] == widest for row in (*range(SOON), *first)):
            continue
        first[next(row for row, cell in enumerate(cells) if kinds[cell] == widest)] = None
    return [*first, *(row for row in range(count) if row not in first)]


def _kind(cell: str) -> int:
    return next((rank for rank, kind in enumerate(_KINDS) if kind.fullmatch(cell)), len(_KINDS))
