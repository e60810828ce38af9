"""What of a cross-table is hidden: groups of too few people, and those that the total would give back.

A cut is one level of a tree: everybody above, its groups below. The rule is that of ``disclosure`` there: the hidden
groups of a cut are none, or at least two, and without the largest the others still have the threshold. A question asked
of fewer people is a base of its own, so the rule is applied to the base of each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.barometers.crosstabs import ALL, ROW, Nest
from pipelines.compute.intervals import Floats

Flags = NDArray[np.bool_]

THRESHOLD = 11  # people: that of surveys of users, everywhere in the product


def hidden(results: pd.DataFrame, nests: Sequence[Nest] = ()) -> Flags:
    """Return which lines (of one wave) are hidden: ``n`` people answered, by question, base, cut and group.

    Where no group may be added, or where the total itself is too small, the whole cut is hidden. Where a cut splits the
    groups of another, a group whose only hidden parts its shown ones would give back is hidden too, and with it every
    group that has hidden parts.
    """
    people, cuts = results["n"].to_numpy(np.float64), results["coupe"].to_numpy()
    out: Flags = np.zeros(len(results), dtype=bool)
    for lines in results.groupby(ROW, sort=False).indices.values():
        whole = cuts[lines[0]] == ALL
        few = (people[lines] < THRESHOLD) & (people[lines] > 0)
        out[lines] = few if whole else hidden_groups(people[lines])
    out = _alike(results, out)
    for nest in nests:
        _hide_sums(results, people, nest, out)
    return _alike(results, out)


def _hide_sums(results: pd.DataFrame, people: Floats, nest: Nest, out: Flags) -> None:
    """Hide the groups of a cut that are the sum of shown parts and of hidden ones too few to hide one another."""
    cuts, groups = results["coupe"].to_numpy(), results["groupe"].to_numpy()
    for lines in results.groupby(ROW[:-1], sort=False).indices.values():
        fine, coarse = (lines[cuts[lines] == name] for name in (nest.fine, nest.coarse))
        parents = np.array([nest.parents.get(group, "") for group in groups[fine]], dtype=object)
        hidden_parts = {code: people[fine[(parents == code) & out[fine]]] for code in groups[coarse]}
        if any(len(parts) and not _company(parts) for parts in hidden_parts.values()):
            forced = np.array([len(hidden_parts[code]) > 0 for code in groups[coarse]])
            out[coarse] = hidden_groups(people[coarse], out[coarse] | forced)


def hidden_groups(people: Floats, forced: Flags | None = None) -> Flags:
    """Return which groups of a cut are hidden, of how many people each is; a group of nobody hides nothing.

    ``forced``: those that are hidden whatever they hold.
    """
    out: Flags = (people < THRESHOLD) & (people > 0) | (False if forced is None else forced)
    while out.any() and not _company(people[out]):
        shown = np.flatnonzero(~out & (people > 0))
        if not len(shown):
            return np.ones(len(people), dtype=bool)
        out[shown[np.argmin(people[shown])]] = True
    return out


def _company(people: Floats) -> bool:
    """Whether hidden groups hide one another: without any one of them, the others have the threshold."""
    return len(people) > 1 and people.sum() - people.max() >= THRESHOLD


def _alike(results: pd.DataFrame, out: Flags) -> Flags:
    """Hide a group for all measures of a question where it is for one: their bases differ by a few people at most."""
    keys = ["question", "coupe", "groupe"]
    return np.array(results.assign(cache=out).groupby(keys, sort=False)["cache"].transform("any"), dtype=bool)
