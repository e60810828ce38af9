"""Two files of an export without a key: parts of it, or an earlier and a corrected version? By their rows and names."""

from __future__ import annotations

import math
import re
from itertools import combinations
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.mechanics.spelling import unaccented

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_FILES = 40  # compared two by two: more are parts
_ALIKE = 0.5  # of the rows of the smaller file
_SURE = math.log(1e7)  # one chance out of ten million that two parts look like versions
_SINGLE_BY_CHANCE = 0.37  # of the rows that are the only ones of their kind, at most (Poisson: x·exp(-x))
_VERSION = re.compile(
    r"[\s_.-]*\(?\b(corrig\w*|correction\w*|rectif\w*|version|definiti\w*|final\w*|nouve\w*|new|old|ancien\w*|copie|copy"
    r"|modifi\w*|maj|mis a jour|v\d+)\b\)?"
)


def versions(names: Sequence[str], frames: Sequence[pd.DataFrame]) -> str:
    """Return the question that two versions side by side raise, in French, or nothing.

    ``frames`` have the row number in the file (``_ligne``) and the fields.
    """
    if len(names) > MOST_FILES:
        return ""
    hashed = [_hashes(frame) for frame in frames]
    for first, second in combinations(range(len(names)), 2):
        same = _alike(hashed[first], hashed[second])
        if same is None and not _are_versions(names[first], names[second]):
            continue
        told = ""
        if same is not None and len(same):
            one, other = frames[first]["_ligne"].iloc[same[:, 0]], frames[second]["_ligne"].iloc[same[:, 1]]
            told = (
                f" : {len(same)} lignes y sont les mêmes (lignes {one.min()} à {one.max()} du premier, {other.min()} à "
                f"{other.max()} du second)"
            )
        return (
            f"« {names[first]} » et « {names[second]} » semblent être deux versions du même export{told}. Retirez du "
            "dossier le fichier qui n'est plus le bon, ou donnez à l'un un nom qui dit que c'en est une partie."
        )
    return ""


def _hashes(frame: pd.DataFrame) -> NDArray[np.uint64]:
    fields = frame.drop(columns="_ligne").astype("string").fillna("\0")
    return np.asarray(pd.util.hash_pandas_object(fields, index=False), np.uint64)


def _alike(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int64] | None:
    """Return the places of the rows that two files share when they share too many for parts, else None.

    Rows at the same place, or rows that are the only ones of their kind in both files; each beyond what chance gives
    where the answers to choose from are few.
    """
    size = min(len(one), len(other))
    at_same = np.flatnonzero(one[:size] == other[:size])
    if len(at_same) >= _ALIKE * size and _is_no_chance(len(at_same), size, _chance(one, other)):
        return np.stack([at_same, at_same], axis=1)
    kinds, firsts = _single(one)
    others, seconds = _single(other)
    shared, left, right = np.intersect1d(kinds, others, assume_unique=True, return_indices=True)
    if len(shared) >= _ALIKE * size and _is_no_chance(len(shared), min(len(kinds), len(others)), _SINGLE_BY_CHANCE):
        return np.stack([firsts[left], seconds[right]], axis=1)
    return None


def _is_no_chance(found: int, size: int, chance: float) -> bool:
    """Tell whether so many of ``size`` are more than chance gives (Chernoff's bound of the binomial tail)."""
    if not size or found <= chance * size:
        return False
    share = found / size
    rest = (1 - share) * math.log((1 - share) / (1 - chance)) if share < 1 else 0.0
    return size * (share * math.log(share / max(chance, 1e-12)) + rest) >= _SURE


def _chance(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """Return the probability that two rows taken by chance, one of each file, are the same."""
    if not len(one) or not len(other):
        return 0.0
    (kinds, counts), (others, more) = np.unique(one, return_counts=True), np.unique(other, return_counts=True)
    _, left, right = np.intersect1d(kinds, others, assume_unique=True, return_indices=True)
    return float((counts[left] / len(one) * (more[right] / len(other))).sum())


def _single(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    kinds, places, counts = np.unique(hashes, return_index=True, return_counts=True)
    return kinds[counts == 1], places[counts == 1]


def _are_versions(one: str, other: str) -> bool:
    """Tell whether two names say so: the same one, but for « corrigé », « v2 », « ancien »… in one of them."""
    plain = [_plain(PurePosixPath(name).stem) for name in (one, other)]
    return plain[0] != plain[1] and _VERSION.sub("", plain[0]) == _VERSION.sub("", plain[1])


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", unaccented(text))
