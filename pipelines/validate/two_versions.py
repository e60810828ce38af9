"""Whether two files of an export without a key are parts of it, or an earlier and a corrected version."""

from __future__ import annotations

import math
import re
from itertools import combinations
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from pipelines.mechanics.spelling import unaccented
from pipelines.validate.distinct_rows import hash_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

MOST_FILES = 40  # compared two by two: more are parts
_ALIKE = 0.5  # of the rows of the smaller file
_SURE = math.log(1e7)  # one chance out of ten million that two parts look like versions
_SINGLE_BY_CHANCE = 0.37  # of the rows that are the only ones of their kind, at most (Poisson: x·exp(-x))
_VERSION = re.compile(
    r"[\s_.-]*\(?\b(corrig\w*|correction\w*|rectif\w*|version|definiti\w*|final\w*|nouve\w*|new|old|ancien\w*|copie|copy"
    r"|modifi\w*|maj|mis a jour|v\d+)\b\)?"
)


def versions(names: Sequence[str], tables: Sequence[pa.Table]) -> str:
    """Return the question that two versions side by side raise, in French, or nothing.

    ``tables`` have the row number in the file (``_ligne``) and the fields.
    """
    if len(names) > MOST_FILES:
        return ""
    hashes = [hash_rows(table.drop_columns("_ligne").columns) for table in tables]
    for first, second in combinations(range(len(names)), 2):
        same = _alike(hashes[first], hashes[second])
        if same is None and not _are_versions(names[first], names[second]):
            continue
        told = ""
        if same is not None and len(same[0]):
            one, other = (_span(tables[file], places) for file, places in zip((first, second), same, strict=True))
            told = f" : {len(same[0])} lignes y sont les mêmes (lignes {one} du premier, {other} du second)"
        return (
            f"« {names[first]} » et « {names[second]} » semblent être deux versions du même export{told}. Retirez du "
            "dossier le fichier qui n'est plus le bon, ou donnez à l'un un nom qui dit que c'en est une partie."
        )
    return ""


def _span(table: pa.Table, places: NDArray[np.int64]) -> str:
    ends = pc.min_max(table.column("_ligne").take(places)).as_py()
    return f"{ends['min']} à {ends['max']}"


def _alike(one: Hashes, other: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the places of the rows that two files share when they share too many for parts, else None.

    Rows at the same place, or rows that are the only ones of their kind in both files; each beyond what chance gives
    where the answers to choose from are few.
    """
    size = min(len(one), len(other))
    at_same = np.flatnonzero(one[:size] == other[:size])
    if len(at_same) >= _ALIKE * size and _is_no_chance(len(at_same), size, _chance(one, other)):
        return at_same, at_same
    kinds, firsts = _single(one)
    others, seconds = _single(other)
    shared, left, right = np.intersect1d(kinds, others, assume_unique=True, return_indices=True)
    if len(shared) >= _ALIKE * size and _is_no_chance(len(shared), min(len(kinds), len(others)), _SINGLE_BY_CHANCE):
        return firsts[left], seconds[right]
    return None


def _is_no_chance(found: int, size: int, chance: float) -> bool:
    """Tell whether so many of ``size`` are more than chance gives (Chernoff's bound of the binomial tail)."""
    if not size or found <= chance * size:
        return False
    share = found / size
    rest = (1 - share) * math.log((1 - share) / (1 - chance)) if share < 1 else 0.0
    return size * (share * math.log(share / max(chance, 1e-12)) + rest) >= _SURE


def _chance(one: Hashes, other: Hashes) -> float:
    """Return the probability that two rows taken by chance, one of each file, are the same."""
    if not len(one) or not len(other):
        return 0.0
    (kinds, counts), (others, more) = np.unique(one, return_counts=True), np.unique(other, return_counts=True)
    _, left, right = np.intersect1d(kinds, others, assume_unique=True, return_indices=True)
    return float((counts[left] / len(one) * (more[right] / len(other))).sum())


def _single(hashes: Hashes) -> tuple[Hashes, NDArray[np.int64]]:
    kinds, places, counts = np.unique(hashes, return_index=True, return_counts=True)
    return kinds[counts == 1], places[counts == 1]


def _are_versions(one: str, other: str) -> bool:
    """Tell whether two names say so: the same one, but for « corrigé », « v2 », « ancien »… in one of them."""
    plain = [_plain(PurePosixPath(name).stem) for name in (one, other)]
    return plain[0] != plain[1] and _VERSION.sub("", plain[0]) == _VERSION.sub("", plain[1])


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", unaccented(text))
