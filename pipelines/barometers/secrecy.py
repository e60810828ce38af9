"""What of a cross-table is hidden: groups of too few people, and those that the total would give back.

A cut is one level of a tree: everybody above, its groups below. The rule is that of ``disclosure`` there: the hidden
groups of a cut are none, or at least two, and without the largest the others still have the threshold. A question asked
of fewer people is a base of its own, so the rule is applied to the base of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.barometers.crosstabs import ALL, ROW

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]

THRESHOLD = 11  # people: that of surveys of users, everywhere in the product


def hidden(found: pd.DataFrame) -> Flags:
    """Return which lines (of one wave) are hidden: ``n`` people answered, by question, base, cut and group.

    Where no group may be added, or where the total itself is too small, the whole cut is hidden.
    """
    people, cuts = found["n"].to_numpy(np.float64), found["coupe"].to_numpy()
    out: Flags = np.zeros(len(found), dtype=bool)
    for lines in found.groupby(ROW, sort=False).indices.values():
        whole = cuts[lines[0]] == ALL
        out[lines] = people[lines] < THRESHOLD if whole else hidden_groups(people[lines])
    return _alike(found, out)


def hidden_groups(people: Floats) -> Flags:
    """Return which groups of a cut are hidden, of how many people each is; a group of nobody hides nothing."""
    out: Flags = (people < THRESHOLD) & (people > 0)
    while out.any() and not _company(people[out]):
        shown = np.flatnonzero(~out & (people > 0))
        if not len(shown):
            return np.ones(len(people), dtype=bool)
        out[shown[np.argmin(people[shown])]] = True
    return out


def _company(people: Floats) -> bool:
    """Whether hidden groups hide one another: without any one of them, the others have the threshold."""
    return len(people) > 1 and people.sum() - people.max() >= THRESHOLD


def _alike(found: pd.DataFrame, out: Flags) -> Flags:
    """Hide a group for all measures of a question where it is for one: their bases differ by a few people at most."""
    keys = ["question", "coupe", "groupe"]
    return np.asarray(found.assign(cache=out).groupby(keys, sort=False)["cache"].transform("any"), dtype=bool)
