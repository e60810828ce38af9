"""Which rows are the same, of one table or several: keys of text as whole numbers, compared at the speed of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

Codes = NDArray[np.int64]


def codes_of(frames: Sequence[pd.DataFrame], name: str) -> tuple[list[Codes], list[str]]:
    """Return a column's texts as numbers, the same in all frames, and what they stand for, sorted; absent is ""."""
    encoded = [_encoded(frame[name]) for frame in frames]
    texts = sorted({text for _, texts_there in encoded for text in texts_there})
    ranks = {text: number for number, text in enumerate(texts)}
    return [np.array([ranks[text] for text in texts_there], dtype=np.int64)[at] for at, texts_there in encoded], texts


def _encoded(column: pd.Series[Any]) -> tuple[Codes, list[str]]:
    values = pa.array(column, from_pandas=True)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    encoded = values.dictionary_encode()
    texts = [text or "" for text in encoded.dictionary.cast(pa.string()).to_pylist()]  # one of nothing at all has None
    if not encoded.null_count:
        return np.asarray(encoded.indices, dtype=np.int64), texts
    return np.asarray(encoded.indices.fill_null(len(texts)), dtype=np.int64), [*texts, ""]


def compacted(numbers: Codes, count: int) -> tuple[Codes, Codes]:
    """Return which of the numbers 0 … ``count`` - 1 are there, in order, and the position of each number among them."""
    there = np.bincount(numbers, minlength=count) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[numbers]


def distinct(numbers: Codes) -> tuple[Codes, Codes]:
    """Return where each number is first, smallest number first, and which of them each one is: by hash, not by sort."""
    at, numbers_once = pd.factorize(numbers, sort=True)
    first = np.empty(len(numbers_once), dtype=np.int64)
    first[at[::-1]] = np.arange(len(numbers) - 1, -1, -1)
    return first, at


def row_numbers(names: Sequence[str], *frames: pd.DataFrame) -> list[Codes]:
    """Return a number per row of each frame: two rows have the same if their columns ``names`` do."""
    numbers = [np.zeros(len(frame), dtype=np.int64) for frame in frames]
    for name in names:
        codes, texts = codes_of(frames, name)
        numbers = [number * len(texts) + code for number, code in zip(numbers, codes, strict=True)]
    return numbers


def positions(wanted: Codes, among: Codes) -> Codes:
    """Return where each number is among others, each there once; -1 for those that aren't."""
    if not len(among):
        return np.full(len(wanted), -1, dtype=np.int64)
    order = np.argsort(among, kind="stable")
    at = np.searchsorted(among[order], wanted).clip(max=len(among) - 1)
    places = order[at]
    return np.where(among[places] == wanted, places, -1)


def blocks(frame: pd.DataFrame, names: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Give the rows of each combination of ``names``, in the order of their first rows: views if they are together."""
    (numbers,) = row_numbers(names, frame)
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1))
    first, at = distinct(numbers)
    if len(starts) == len(first):
        for start, end in pairwise([*starts.tolist(), len(frame)]):
            yield frame.iloc[start:end]
        return
    order, ends = np.argsort(at, kind="stable"), np.cumsum(np.bincount(at))
    for number in np.argsort(first):
        yield frame.iloc[order[ends[number - 1] if number else 0 : ends[number]]]


def network_year(rows: pd.DataFrame) -> tuple[str, int]:
    """Return the network and year that all rows are of."""
    return str(rows["reseau"].iat[0]), int(str(rows["annee"].iat[0]))


Told = TypeVar("Told")


def each_once(
    rows: pd.DataFrame, names: Sequence[str], told: Callable[..., Told]
) -> tuple[list[Told], NDArray[np.int64]]:
    """Return what ``told`` says of the cells ``names`` of rows, once for those alike, and which of it is of each row.

    Cells are given as Python values, None where they are empty.
    """
    (numbers,) = row_numbers(names, rows)
    first, at = distinct(numbers)
    cells = [_plain(rows[name].take(first)) for name in names]
    return [told(*place) for place in zip(*cells, strict=True)], at


def of_each(rows: pd.DataFrame, names: Sequence[str], told: Callable[..., str | None]) -> pd.Series[Any]:
    """Return, for each row, the text that ``told`` says of its cells ``names``."""
    texts, at = each_once(rows, names, told)
    return pd.Series(texts, dtype="str").take(at).set_axis(rows.index)


def _plain(cells: pd.Series[Any]) -> list[Any]:
    return cells.astype("object").where(cells.notna(), None).tolist()
