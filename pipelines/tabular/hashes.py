"""64-bit hashes of key values: equal values have equal hashes, whatever their writing.

Hashes only raise doubts; frictionless tells which values are really the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.tabular.tokens import cell_bytes, offsets

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

NULL = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(32)
_WORD = 8
_ALL = 0xFFFFFFFFFFFFFFFF


def mix(words: Hashes) -> Hashes:
    """Scatter 64-bit words."""
    words = words ^ (words >> _SHIFT)
    words *= _FIRST
    words ^= words >> _SHIFT
    words *= _SECOND
    words ^= words >> _SHIFT
    return words


def combine(parts: list[Hashes]) -> Hashes:
    """Hash tuples whose items have these hashes."""
    result = parts[0]
    for part in parts[1:]:
        result = mix(result ^ _SECOND) + part
    return result


def hash_texts(column: pa.Array) -> Hashes:
    """Hash the bytes of each cell, eight at a time."""
    places = offsets(column).astype(np.int64)
    signs = np.append(cell_bytes(column), np.zeros(_WORD, np.uint8))
    words = np.ndarray((len(signs) - _WORD + 1,), np.dtype("<u8"), signs, strides=(1,))
    starts, left = places[:-1] - places[0], np.diff(places)
    if len(column) and (size := int(left[0])) and (left == size).all():
        return _hash_fixed(words, starts, size)
    result = mix(left.astype(np.uint64))
    rows: Any = slice(None)
    while len(left):
        used = np.minimum(left, _WORD)
        mask = np.uint64(_ALL) >> ((_WORD - used) * 8).clip(0, 63).astype(np.uint64)
        word = np.where(used > 0, words[starts] & mask, np.uint64(0))
        result[rows] = mix(result[rows] ^ word)
        more = left > _WORD
        if not more.any():
            break
        rows = np.flatnonzero(more) if isinstance(rows, slice) else rows[more]
        starts, left = starts[more] + _WORD, left[more] - _WORD
    return result


def _hash_fixed(words: Hashes, starts: NDArray[np.int64], size: int) -> Hashes:
    """Hash cells of one size, as ``hash_texts`` does."""
    result = np.full(len(starts), mix(np.array([size], np.uint64))[0])
    for place in range(0, size, _WORD):
        word = words[starts + place]
        if size - place < _WORD:
            word &= np.uint64(_ALL >> (8 * (_WORD - size + place)))
        result = mix(word ^ result)
    return result


def hash_floats(values: NDArray[np.float64]) -> Hashes:
    """Hash numbers by the nearest double."""
    return mix((values + 0.0).view(np.uint64))


def hash_integers(values: NDArray[np.int64]) -> Hashes:
    """Hash integers of 64 bits."""
    return mix(values.view(np.uint64))


def apart_from_null(hashes: Hashes) -> Hashes:
    """Return the hashes, none of them being the mark of a missing value."""
    same = hashes == NULL
    if same.any():
        hashes[same] += np.uint64(1)
    return hashes


def hash_values(values: list[Any], family: str) -> Hashes:
    """Hash Python values of one field, None among them, as the vectorised functions do for its family of types."""
    if family == "number":
        hashed = hash_floats(np.array([0.0 if value is None else _double(value) for value in values], np.float64))
    elif family == "integer":
        hashed = hash_integers(np.array([_word(value or 0) for value in values], np.int64))
    else:
        hashed = mix(np.array([hash(value) & _ALL for value in values], np.uint64))
    nulls = np.array([value is None for value in values], np.bool_)
    return np.where(nulls, NULL, apart_from_null(hashed))


def _word(value: int) -> int:
    return value if -(2**63) <= value < 2**63 else hash(value)


def _double(value: Any) -> float:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return 0.0
    return 0.0 if math.isnan(number) else number
