"""Is a difference more than chance? Of a group with the rest, of a wave with an earlier one, of groups between them.

The tests are those of ``compute.significance``; which are corrected together is decided here. What is hidden, or rests
on too few answers, is in no test.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.barometers.crosstabs import ALL, ROW
from pipelines.compute.intervals import Floats
from pipelines.compute.significance import LEVEL, SMALLEST, benjamini_hochberg, changes, holm

TABLE = ["question", "coupe"]  # the tests of one cross-table are corrected together
_TESTED = ("valeur", "erreur_type", "base_efficace")


def against_rest(lines: pd.DataFrame) -> pd.DataFrame:
    """Return ``lines`` (the lines of a wave, ``fiable`` where they may be tested) with ecart_reste, p_reste, corrected.

    The rest, not the whole: a group is a part of the whole, which would hide half of its own difference.
    """
    few = lines["n_reste"].to_numpy() < lines["seuil_fiable"].to_numpy()
    tested = lines["fiable"].to_numpy() & (lines["coupe"] != ALL).to_numpy() & ~few
    return _compared(lines, lines[[f"{name}_reste" for name in _TESTED]], tested, "reste")


def against_wave(lines: pd.DataFrame, earlier: pd.DataFrame, comparable: pd.Series[bool]) -> pd.DataFrame:
    """Return ``lines`` with ecart_vague, p_vague and corrected p: the same lines of an ``earlier`` wave, if any.

    ``comparable``: of each line, whether its question was put in the same words. Two waves are two samples drawn apart.
    """
    key = [*ROW, "groupe"]
    then = lines[key].merge(earlier[[*key, *_TESTED, "fiable"]], on=key, how="left")
    tested = lines["fiable"].to_numpy() & (then["fiable"].to_numpy() == True) & comparable.to_numpy()  # noqa: E712 (NaN)
    return _compared(lines, then[list(_TESTED)], tested, "vague")


def _compared(lines: pd.DataFrame, other: pd.DataFrame, tested: NDArray[np.bool_], what: str) -> pd.DataFrame:
    now = [lines[name].to_numpy(np.float64) for name in _TESTED]
    then = [column.to_numpy(np.float64) for _, column in other.items()]
    raw = np.where(tested, p_values(lines["estimateur"].to_numpy(), now, then), np.nan)
    tables = np.asarray(lines.groupby(TABLE, sort=False).ngroup(), dtype=np.int64)
    corrected = benjamini_hochberg(raw, tables)
    lines = lines.assign(**{f"ecart_{what}": np.where(tested, now[0] - then[0], np.nan)})
    return lines.assign(
        **{f"p_{what}": np.maximum(raw, SMALLEST), f"p_{what}_corrigee": np.maximum(corrected, SMALLEST)}
    )


def p_values(kinds: NDArray[np.object_], now: list[Floats], then: list[Floats]) -> Floats:
    """Return the p-values (two-sided) of now = then, each (value, standard error, effective size), by estimator."""
    scale = np.where(kinds == "mean", 1.0, 100.0)
    first, second = ([side[0] / scale, side[1] / scale, side[2]] for side in (now, then))
    return changes(kinds, first, second)


def with_letters(results: pd.DataFrame) -> pd.DataFrame:
    """Return ``results`` with ``lettre``, that of the group in its cut, and ``superieur_a``: those it is surely above.

    Every pair of groups of a row is tested, Holm's correction made within the row; a pair that differs gives the letter
    of the lower group to the higher one.
    """
    letters, above = np.full(len(results), "", dtype=object), np.full(len(results), "", dtype=object)
    for cut, lines in results.groupby("coupe", sort=False).indices.items():
        if cut == ALL:
            continue
        size = results["groupe"].iloc[lines].nunique()
        names = np.array([chr(ord("A") + rank) for rank in range(size)], dtype=object)
        letters[lines] = np.tile(names, len(lines) // size)
        above[lines] = _letters_above(results.iloc[lines], size, names)
    return results.assign(lettre=letters, superieur_a=above)


def _letters_above(lines: pd.DataFrame, size: int, names: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the letters of the groups that each is above; ``lines``: whole rows of ``size`` groups, in order."""
    kinds = lines["estimateur"].to_numpy()[::size]
    grid = [lines[name].to_numpy(np.float64).reshape(-1, size) for name in _TESTED]
    reliable = lines["fiable"].to_numpy().reshape(-1, size)
    pairs, columns = list(combinations(range(size), 2)), []
    for a, b in pairs:
        p = p_values(kinds, [x[:, a] for x in grid], [x[:, b] for x in grid])
        columns.append(np.where(reliable[:, a] & reliable[:, b], p, np.nan))
    differs = holm(np.column_stack(columns)) <= LEVEL
    above = np.full(reliable.shape, "", dtype=object)
    for index, (a, b) in enumerate(pairs):
        higher = grid[0][:, a] > grid[0][:, b]
        above[differs[:, index] & higher, a] += names[b]
        above[differs[:, index] & ~higher, b] += names[a]
    return above.ravel()
