"""Texts that are nearly the same: MinHash signatures of their 5-grams, bands that they share, then the exact measure.

Broder 1997 for signatures; Leskovec, Rajaraman and Ullman, *Mining of Massive Datasets*, chapter 3, for bands. Two
texts are near when the 5-grams of signs that they share are at least ALIKE of all those that either has (Jaccard).
From one month to the next, texts aren't kept: a byte of each value of their signatures is, which measures it to 0.05.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.mechanics.spelling import unaccented

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint32]
    Ranks = NDArray[np.int64]
    Bytes = NDArray[np.uint8]

ALIKE = 0.8
WIDTH = 5  # signs of a shingle
ROWS, BANDS = 4, 16  # a pair at 0.8 shares a band 9 998 times of 10 000, one at 0.3 once in 8
MARK = ROWS * BANDS  # bytes kept of a text
_LIKELY = 0.6  # of the signature in common: below, two texts are surely not near (4 standard errors under 0.8)
_TOGETHER = 2_000  # texts signed at once
_MOST_OF_A_BAND = 200  # texts of one band compared with each other; beyond, with the first of them alone
_SOURCE = np.random.default_rng(18)
_FACTORS = _SOURCE.integers(1, 2**32, MARK, dtype=np.uint32) | np.uint32(1)
_SHIFTS = _SOURCE.integers(0, 2**32, MARK, dtype=np.uint32)


def grouped(texts: Sequence[str]) -> tuple[Ranks, Bytes]:
    """Return the rank of the first text of each one's group, and the marks of each: MARK bytes, a row a text.

    A group is of texts near one another, by steps; case, accents, signs, spaces and the order of texts don't count.
    By its marks a text is compared with those of other months (``copied``).
    """
    plain = [_letters(text) for text in texts]
    distinct = {text: rank for rank, text in reversed(list(enumerate(plain)))}
    firsts = np.array([distinct[text] for text in plain], dtype=np.int64)
    ranks = np.unique(firsts)
    shingles = [_shingles(plain[rank]) for rank in ranks]
    signed = _signatures(shingles)
    pairs = _near_pairs(shingles, signed) if len(ranks) > 1 else []
    parents, places = _joined(len(ranks), pairs), np.searchsorted(ranks, firsts)
    marks = (signed & np.uint32(0xFF)).astype(np.uint8)  # the last bits: the least values all begin alike
    return ranks[parents][places], marks[places]


def copied(marks: Bytes, earlier: Bytes) -> NDArray[np.bool_]:
    """Tell which texts are near one of ``earlier``, by their marks."""
    found = np.zeros(len(marks), dtype=np.bool_)
    for band in range(BANDS if len(earlier) else 0):
        part = slice(band * ROWS, (band + 1) * ROWS)
        keys, known = (np.ascontiguousarray(held[:, part]).view(np.uint32).ravel() for held in (marks, earlier))
        for rank in np.flatnonzero(np.isin(keys, known) & ~found):
            there = np.flatnonzero(known == keys[rank])[:_MOST_OF_A_BAND]
            found[rank] = (earlier[there] == marks[rank]).mean(axis=1).max() >= ALIKE
    return found


def _letters(text: str) -> str:
    return "".join(sign if sign.isalnum() else " " for sign in unaccented(text)).strip() if text else ""


def _shingles(text: str) -> Hashes:
    """Return the distinct hashes of the 5-grams of a text, in order; of the whole text when it is shorter."""
    points = np.frombuffer(" ".join(text.split()).encode("utf-32-le"), dtype=np.uint32)
    if len(points) < WIDTH:
        points = np.concatenate([points, np.zeros(WIDTH - len(points), np.uint32)])
    hashed = np.zeros(len(points) - WIDTH + 1, np.uint32)
    for place in range(WIDTH):
        hashed = hashed * np.uint32(0x01000193) ^ points[place : len(hashed) + place]
    hashed ^= hashed >> np.uint32(15)
    hashed *= np.uint32(0x2C1B3C6D)
    return np.unique(hashed ^ (hashed >> np.uint32(12)))


def _signatures(shingles: Sequence[Hashes]) -> Hashes:
    """Return the smallest value of each permutation over the shingles of each text, a row a text."""
    signed = np.empty((len(shingles), MARK), np.uint32)
    for start in range(0, len(shingles), _TOGETHER):
        some = shingles[start : start + _TOGETHER]
        held = np.concatenate(some)
        places = np.cumsum([0, *(len(one) for one in some[:-1])])
        for rank, (factor, shift) in enumerate(zip(_FACTORS, _SHIFTS, strict=True)):
            signed[start : start + len(some), rank] = np.minimum.reduceat(held * factor + shift, places)
    return signed


def _near_pairs(shingles: Sequence[Hashes], signed: Hashes) -> list[tuple[int, int]]:
    pairs = _candidates(signed)
    if not len(pairs):
        return []
    common = np.concatenate(
        [
            (signed[part[:, 0]] == signed[part[:, 1]]).mean(axis=1)
            for part in np.array_split(pairs, len(pairs) // 100_000 + 1)
        ]
    )
    return [(one, other) for one, other in pairs[common >= _LIKELY].tolist() if _near(shingles[one], shingles[other])]


def _candidates(signed: Hashes) -> Ranks:
    """Return the pairs of texts that share a band of their signatures, each once."""
    found: list[Any] = [np.empty((0, 2), np.int64)]
    for band in range(BANDS):
        part = np.ascontiguousarray(signed[:, band * ROWS : (band + 1) * ROWS]).view(f"V{4 * ROWS}").ravel()
        _, inverse, counts = np.unique(part, return_inverse=True, return_counts=True)
        order = np.argsort(inverse, kind="stable")
        ends = np.cumsum(counts)
        for end, count in zip(ends[counts > 1], counts[counts > 1], strict=True):
            found.append(_pairs_of(order[end - count : end]))
    return np.unique(np.concatenate(found), axis=0)


def _pairs_of(members: Ranks) -> Ranks:
    if len(members) > _MOST_OF_A_BAND:
        return np.column_stack([np.full(len(members) - 1, members[0]), members[1:]])
    first, second = np.triu_indices(len(members), 1)
    return np.column_stack([members[first], members[second]])


def _near(one: Hashes, other: Hashes) -> bool:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared >= ALIKE * (len(one) + len(other) - shared)


def _joined(count: int, pairs: list[tuple[int, int]]) -> Ranks:
    """Return the least rank of each one's group, pairs being of one group."""
    parents = list(range(count))

    def first_of(one: int) -> int:
        while parents[one] != one:
            parents[one] = parents[parents[one]]
            one = parents[one]
        return one

    for one, other in pairs:
        low, high = sorted((first_of(one), first_of(other)))
        parents[high] = low
    return np.array([first_of(one) for one in range(count)], dtype=np.int64)
