"""Columns by their distinct values, and rows by what they have in common: each value is looked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from pipelines.tabular.hashes import NULL, apart_from_null, combine, hash_floats, hash_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from pipelines.tabular.hashes import Hashes

    Column: TypeAlias = "pa.Array | pa.ChunkedArray"


def one_piece(column: Column) -> pa.Array:
    """Return a column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def distinct(column: Column) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the distinct values of a column, None among them, and the place there of the value of each row."""
    encoded = one_piece(column).dictionary_encode("encode")
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def numbered(columns: Iterable[Column], rows: int) -> NDArray[np.int64]:
    """Return a number for each row: the same for rows that hold the same values, from 0, in the order they come."""
    codes = np.zeros(rows, np.int64)
    for column in columns:
        encoded = one_piece(column).dictionary_encode("encode")
        codes = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
        codes = pa.array(codes).dictionary_encode().indices.to_numpy().astype(np.int64)
    return codes


def repeated(numbers: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the places of the rows of each number that several have, in order."""
    ordered = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[ordered])) + 1
    for places in np.split(ordered, starts):
        if len(places) > 1:
            yield places


def hash_rows(columns: Sequence[Column]) -> Hashes:
    """Hash rows by the values of these columns: equal ones have equal hashes, whatever the table."""
    return combine([_hashed(one_piece(column)) for column in columns]) if columns else np.empty(0, np.uint64)


def places_of(mask: Column | NDArray[np.bool_]) -> list[int]:
    """Return the places of the rows that a mask tells; what is unknown is not."""
    told = mask if isinstance(mask, np.ndarray) else one_piece(mask).fill_null(False).to_numpy(zero_copy_only=False)
    found: list[int] = np.flatnonzero(told).tolist()
    return found


def _hashed(column: pa.Array) -> Hashes:
    if pa.types.is_floating(column.type):
        found = hash_floats(column.fill_null(0).to_numpy(zero_copy_only=False))
    else:
        found = hash_texts(column.cast(pa.string()).fill_null(""))
    return np.where(column.is_null().to_numpy(zero_copy_only=False), NULL, apart_from_null(found))
