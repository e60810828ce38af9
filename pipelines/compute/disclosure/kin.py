"""Bases of different questions on the same rows: how nearly equal a reader may take them to be.

Which figures are cells is in ``cells``; here only the bases of two layers are compared, by what is published of both.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from pipelines.compute.disclosure.system import Flags, Numbers

NEARLY = 0.9  # of those who answered one question, how many answered the other; under it, neither tells the other
_HOLDS = 0.9  # share of the units where a reader's guess holds; one in ten may be anything (a form without a question)
_OTHER = {"small": "large", "large": "small"}
_NORMAL = 1.645  # as many standard deviations, for the least that chance alone gives


@dataclass(frozen=True)
class Guess:
    """What a reader makes of two layers: ``small`` is ``ratio`` × ``large``, give or take ``spread`` × √``large``.

    The ratio is the median of those of the units where both bases are published, weighted by base; the spread is what
    nine of these units out of ten don't exceed, and at least what independent refusals to answer give (binomial).
    """

    ratio: float
    spread: float

    @classmethod
    def of(cls, small: Numbers, large: Numbers) -> Guess:
        """Learn from the published bases of both layers, unit by unit."""
        ratio = _weighted_median(small / large, large)
        misses = np.abs(small - ratio * large) / np.sqrt(large)
        chance = _NORMAL * float(np.sqrt(max(ratio * (1 - ratio), 0.0)))
        return cls(ratio, max(float(np.quantile(misses, _HOLDS, method="higher")), chance))

    @property
    def close(self) -> bool:
        """Whether nearly all who answered one answered the other."""
        return NEARLY <= self.ratio <= 1 / NEARLY

    def room(self, small: Numbers, large: Numbers) -> Numbers:
        """Return the tolerance of each unit; where nobody knows either base, only equality can be told.

        A base of 0 tells nothing of the other: the question was not on the form, or its column was lost.
        """
        size = np.where(np.isnan(large), small / self.ratio, large)
        spread = self.spread * np.sqrt(np.where(np.isnan(size), 0.0 if self.spread == 0 else np.inf, size))
        return np.where((small == 0) | (large == 0), np.inf, spread)

    def ceilings(self, least_small: Numbers, least_large: Numbers) -> tuple[Numbers, Numbers]:
        """Return how large each base may be and still be hidden as too small, because the other is (see ``_near``)."""

        def largest(other: Numbers, ratio: float) -> Numbers:  # where ratio·b - 2·spread·√b is other + 1
            root = (self.spread + np.sqrt(self.spread**2 + ratio * (other + 1))) / ratio
            return np.asarray(root**2, dtype=float)

        small = self.ratio * largest(self.ratio * least_large, self.ratio)
        return np.maximum(small, least_small), np.maximum(largest(least_small, self.ratio), least_large)


@dataclass(frozen=True)
class Kin:
    """Pairs of cells, by position: ``small`` - ``ratio`` × ``large`` is 0, ± ``tolerance``.

    ``tied``: cells that are not too small, and whose publication would tell a base that is. ``ceiling``: of each cell,
    how large it may be when it is marked A; 0 where it has no kin that is. ``told``: cells that are too small and that
    an earlier release tells, by its kin: nothing can take that back.
    """

    small: NDArray[np.int64]
    large: NDArray[np.int64]
    ratio: Numbers
    tolerance: Numbers
    tied: Flags
    ceiling: Numbers
    told: Flags

    def links(self) -> csr_array:
        """Return a row per pair."""
        count = len(self.small)
        rows, columns = np.tile(np.arange(count), 2), np.concatenate([self.small, self.large])
        return coo_array(
            (np.concatenate([np.ones(count), -self.ratio]), (rows, columns)), shape=(count, len(self.tied))
        ).tocsr()


def kin_of(cells: pd.DataFrame, caution: float = 1.0) -> Kin:
    """Return the pairs of bases that tell each other more closely than they may be known.

    ``cells``: figures with ``kin`` (the rows they count), ``spot`` (place and period), ``layer``, ``table``, ``kind``,
    ``quantity`` (NaN when unknown), ``visible``, ``public`` (in an earlier release), ``secret``, ``shown``, ``minimum``
    and ``width`` (0: no rule).
    ``caution``: what tolerances are multiplied by, under 1 for a reader who guesses better than this one.
    """
    bases = cells[cells["kin"].ne("") & cells["kind"].eq("base") & ~cells["shown"]].reset_index(names="cell")
    bases["quantity"] = bases["quantity"].where(bases["visible"])
    tied, told, ceiling = np.zeros(len(cells), dtype=bool), np.zeros(len(cells), dtype=bool), np.zeros(len(cells))
    pairs = [
        pd.DataFrame({"small": [], "large": [], "ratio": [], "tolerance": []}).astype({"small": int, "large": int})
    ]
    for _, kin in bases.groupby("kin", sort=True):
        for both, guess in _guesses(kin):
            room = caution * guess.room(both["quantity_small"].to_numpy(float), both["quantity_large"].to_numpy(float))
            near, gap = _near(both, guess, room)
            fine = (2 * room < both[["width_small", "width_large"]].max(axis=1).to_numpy()) & (gap == 0)
            kept = both[["cell_small", "cell_large"]].set_axis(["small", "large"], axis=1)
            late = near & (both["public_small"] | both["public_large"]).to_numpy(bool)
            pairs.append(kept.assign(ratio=guess.ratio, tolerance=room + gap)[(near | fine) & ~late])
            for one, other in (("small", "large"), ("large", "small")):
                tied[both.loc[near & ~late & both[f"secret_{other}"], f"cell_{one}"]] = True
                told[both.loc[late & both[f"secret_{other}"], f"cell_{other}"]] = True
            hidden = both[both["secret_small"] & both["secret_large"]]
            tops = guess.ceilings(*(hidden[f"minimum_{name}"].to_numpy(float) - 1 for name in ("small", "large")))
            for name, top in zip(("small", "large"), tops, strict=True):
                np.maximum.at(ceiling, hidden[f"cell_{name}"].to_numpy(), top)
    found = pd.concat(pairs, ignore_index=True)
    columns = {name: found[name].to_numpy() for name in ("small", "large", "ratio", "tolerance")}
    return Kin(**columns, tied=tied, ceiling=ceiling, told=told)


def _guesses(kin: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, Guess]]:
    """Give each two layers, side by side, of which something close can be guessed; ``small`` is the smaller in all."""
    layers = [layer for _, layer in kin.groupby("layer", sort=True)]
    for one, other in itertools.combinations(layers, 2):
        if str(one["table"].iat[0]) == str(other["table"].iat[0]):
            continue  # one base, or figures of one base
        sides = one.merge(other, on="spot", suffixes=("_small", "_large")).sort_values("spot", kind="stable")
        known = sides[sides["visible_small"] & sides["visible_large"]]
        known = known[known["quantity_small"].gt(0) & known["quantity_large"].gt(0)]
        if known.empty:
            continue
        small, large = (known[f"quantity_{name}"].to_numpy(float) for name in ("small", "large"))
        if small.sum() > large.sum():
            sides = sides.rename(
                columns=lambda name: f"{name[:-5]}{_OTHER[name[-5:]]}" if name[-5:] in _OTHER else name
            )
            small, large = large, small
        guess = Guess.of(small, large)
        if guess.close:
            yield sides.reset_index(drop=True), guess


def _near(both: pd.DataFrame, guess: Guess, room: Numbers) -> tuple[Flags, Numbers]:
    """Return the units where a known base tells too closely one that is too small; and how far the guess is off.

    A guess above what the rule leaves is off; up to twice its room and one person, a reader takes the largest base
    that the rule leaves. Beyond, the guess is of no use there.
    """
    near, gap = np.zeros(len(both), dtype=bool), np.zeros(len(both))
    small, large = (both[f"quantity_{name}"].to_numpy(float) for name in ("small", "large"))
    for name, centre, reach in (
        ("small", guess.ratio * large, room),
        ("large", small / guess.ratio, room / guess.ratio),
    ):
        secret = both[f"secret_{name}"].to_numpy(bool) & ~np.isnan(centre) & both[f"minimum_{name}"].gt(0).to_numpy()
        most = both[f"minimum_{name}"].to_numpy(float) - 1
        off = np.where(secret, np.maximum(centre - reach - most, 0.0), 0.0)
        left = np.minimum(centre + reach, most) - np.maximum(centre - reach, 1.0)
        near |= secret & (off <= reach + 1) & (left < both[f"width_{name}"].to_numpy(float))
        gap = np.maximum(gap, off * (guess.ratio if name == "large" else 1.0))
    return near, gap


def _weighted_median(values: Numbers, weights: Numbers) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
