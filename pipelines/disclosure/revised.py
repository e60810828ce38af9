"""What moved since the latest release, and whether it tells of a few people: then the earlier figures stay.

The latest release less the one before is a table like any other: its figures are those of the people who came, left or
were put right in between. A survey and year is published anew as a whole or kept as a whole, so that what is published
always adds up, and always was true at one time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from pipelines.declarations import Catalogue
from pipelines.disclosure.earlier_marks import Earlier, rows_of
from pipelines.disclosure.row_keys import blocks, network_year, positions, row_numbers
from pipelines.disclosure.rules import SECRET, Rule, additive, counted, rules, shared_rules, survey_names
from pipelines.disclosure.series import EPSILON, Flags, Numbers, Places, Tree
from pipelines.disclosure.surveys import FREE, PLACE, YEAR, parents_of, periods_of, places_of

PROVISIONAL = "P"  # SDMX OBS_STATUS of a figure that waits for its next revision
KEPT_FROM = "version_conservee"  # column of ``resultats``: the release whose figure a row keeps; none of the others
_CELL = ["indicateur", "frequence", "periode", *PLACE]
_FIGURES = ["valeur", "effectif", "numerateur", "denominateur"]
_MOVED = ["statut_confidentialite", *_FIGURES]
_UNPUBLISHED = ("numerateur", "denominateur")  # of weighted values, see ``coarsened``


class _Moves:
    """How much a question moved: ``base`` and ``above`` (numerators), places × columns; ``told``: who can subtract.

    ``span``: what one person adds to ``above`` at most; 0 where no numerator is published (then ``other`` tells which
    values moved). ``whole``: cells that are new, or gone: they move by all that they hold.
    """

    def __init__(self, shape: tuple[int, int], rule: Rule, span: float) -> None:
        self.base, self.above = np.zeros(shape), np.zeros(shape)
        self.told, self.whole = np.ones(shape, dtype=bool), np.ones(shape, dtype=bool)
        self.other = np.zeros(shape, dtype=bool)
        self.minimum, self.enterprises, self.span = rule.minimum, rule.margin > 0, span

    def few(self, base: Numbers, above: Numbers, told: Flags) -> bool:
        """Whether sums that anybody can subtract moved by fewer people than the threshold."""
        people = np.abs(above) / self.span if self.span else np.zeros(above.shape)
        came = (np.abs(base) > EPSILON) & (np.abs(base) < self.minimum)
        righted = (np.abs(base) <= EPSILON) & (people > EPSILON) & (people < self.minimum)
        return bool((told & (came | righted)).any())

    def tell(self, tree: Tree, periods: Tree | None) -> bool:
        """Whether a figure, or what the figures below it leave of it, moved by fewer people than the threshold."""
        rests = [_rest(tree, self.base, self.above, self.told)]
        if periods:
            base, above, told = _rest(periods, self.base.T, self.above.T, self.told.T)
            rests.append((base.T, above.T, told.T))
        if self.enterprises and not self.minimum:
            return self.unexplained(rests)
        alone = self.told & self.other & (np.abs(self.base) <= EPSILON)
        cells = (self.base, self.above, self.told)
        return bool(alone.any()) or any(self.few(*one) for one in (cells, *rests))

    def unexplained(self, rests: list[tuple[Numbers, Numbers, Flags]]) -> bool:
        """Whether an amount moved that is no sum of others told: nobody knows how many enterprises it is made of.

        What is whole (a new period, a place that is gone) is an amount like those of any release, hidden by their rule.
        """
        moved = (np.abs(self.base) > EPSILON) | (np.abs(self.above) > EPSILON) | self.other
        explained = np.zeros(moved.shape, dtype=bool)
        for base, above, told in rests:
            left = told & ((np.abs(base) > EPSILON) | (np.abs(above) > EPSILON))
            explained |= told & ~left
            moved |= left
        return bool((self.told & ~self.whole & moved & ~explained).any())


def _rest(tree: Tree, base: Numbers, above: Numbers, shown: Flags) -> tuple[Numbers, Numbers, Flags]:
    """Return what the figures told below each told place leave of its own."""
    below = [np.where(shown, values, 0.0) for values in (base, above)]
    for one in tree.generations:
        open_ = ~shown[one.parents]
        for values in below:
            sums = np.add.reduceat(values[one.children], one.starts, axis=0)
            values[one.parents] = np.where(open_, sums, values[one.parents])
    rests = [values - tree.sums(one) for values, one in zip((base, above), below, strict=True)]
    return rests[0], rests[1], shown & tree.any(np.ones(len(shown), dtype=bool))[:, None]


def unless_few(
    results: pd.DataFrame, catalogue: Catalogue, earlier: Earlier, accepted: Collection[tuple[str, int]] = ()
) -> pd.DataFrame:
    """Return the results, with the earlier figures of each survey whose new ones tell what a few people answered.

    ``results``: as ``protected`` returns them; ``earlier``: the tables of earlier releases, files or frames, oldest
    first. Figures that are kept are provisional, and all rows of their survey name the release they are kept from
    (``KEPT_FROM``), hidden ones too: it tells nothing of any. Those of the network-years ``accepted`` are never kept.
    """
    results = results.assign(**{KEPT_FROM: None})
    if results.empty or not len(earlier):
        return results
    years = []
    for rows in blocks(results, YEAR):
        network, year = network_year(rows)
        waits = (network, year) not in accepted
        latest = latest_rows(earlier, network, year) if waits else results.iloc[:0]
        years.append(_settled(rows, latest, catalogue, network) if len(latest) else rows)
    return pd.concat(years, ignore_index=True)


def _settled(rows: pd.DataFrame, latest: pd.DataFrame, catalogue: Catalogue, network: str) -> pd.DataFrame:
    """Return the rows of a network and year, or of ``latest`` for the surveys that must wait."""
    pairs = ((network, str(name)) for name in rows["indicateur"].unique())
    together: dict[str, list[str]] = {}
    for (_, name), survey in survey_names(pairs, catalogue, rules(catalogue, network)).items():
        together.setdefault(survey, []).append(name)
    for names in together.values():
        mine, old = rows["indicateur"].isin(names), latest[latest["indicateur"].isin(names)]
        if len(old) and tells_of_few(rows[mine], old, catalogue):
            rows = pd.concat([rows[~mine], kept(old, list(rows.columns), catalogue)], ignore_index=True)
    return rows


def tells_of_few(now: pd.DataFrame, latest: pd.DataFrame, catalogue: Catalogue) -> bool:
    """Whether publishing ``now`` beside ``latest`` would tell what fewer people than the threshold answered.

    Both: rows of ``resultats`` of one survey and year, with their figures and ``statut_confidentialite``. Questions
    with the same inputs are subtracted from one another too: one may be asked of a part of the other's people.
    """
    both = _side_by_side(now, latest)
    network, year = network_year(now)
    place, places = places_of(both)
    (periods, column), above = periods_of(both), Tree.of(parents_of(places, year, catalogue))
    ruled = shared_rules(rules(catalogue, network), catalogue)
    wider = Tree.of(_wider(periods))
    moves: dict[str, _Moves] = {}
    for name, rows in both.groupby(both["indicateur"].to_numpy(), sort=True):
        at = both.index.get_indexer(rows.index)
        shape = (len(places), len(periods))
        moved = _moves(rows, (place[at], column[at]), shape, catalogue, str(name), ruled[network, str(name)])
        if moved.tell(above, wider if additive(catalogue.indicators[str(name)]) else None):
            return True
        moves[str(name)] = moved
    return any(_apart(moves, catalogue, network))


def _side_by_side(now: pd.DataFrame, latest: pd.DataFrame) -> pd.DataFrame:
    """Return a row per cell of either release, with the figures of both: none where a release has no such row."""
    mine, theirs = row_numbers(_CELL, now, latest)
    gone = ~np.isin(theirs, mine)
    cells = pd.concat([now[_CELL], latest.loc[gone, _CELL]], ignore_index=True)
    numbers = np.concatenate([mine, theirs[gone]])
    sides = (_figures_at(frame, positions(numbers, its)) for frame, its in ((now, mine), (latest, theirs)))
    return pd.concat([cells, next(sides), next(sides).add_suffix("_avant")], axis=1)


def _figures_at(rows: pd.DataFrame, at: Places) -> pd.DataFrame:
    if rows.empty:
        return pd.DataFrame(index=range(len(at)), columns=[*_MOVED, "pondere"])
    there, weighted = at >= 0, rows["effectif_pondere"].notna().to_numpy()
    states = rows["statut_confidentialite"].astype("object").take(at).reset_index(drop=True)
    figures_of_rows: dict[str, object] = {"statut_confidentialite": states.where(there, None)}
    for name in _FIGURES:
        figures = rows[name].to_numpy(dtype=float, na_value=np.nan)
        never = weighted if name in _UNPUBLISHED else False
        figures_of_rows[name] = np.where(there, np.where(never, np.nan, figures)[at], np.nan)
    return pd.DataFrame(figures_of_rows | {"pondere": there & weighted[at]})


def _moves(
    rows: pd.DataFrame, at: tuple[Places, Places], shape: tuple[int, int], catalogue: Catalogue, name: str, rule: Rule
) -> _Moves:
    indicator = catalogue.indicators[name]
    limits = indicator.estimator.unit_bounds(indicator.range)
    published = rows["numerateur"].notna().any() or rows["numerateur_avant"].notna().any()
    moves = _Moves(shape, rule, limits[1] - limits[0] if published and limits and limits[1] is not None else 0.0)
    before = rows[[f"{one}_avant" for one in _MOVED]].set_axis(_MOVED, axis=1)
    bases = counted(rows, indicator), counted(before, indicator)
    moves.base[at] = _less(*bases)
    moves.whole[at] = ~np.all(np.nan_to_num(bases), axis=0)
    moves.above[at] = _less(rows["numerateur"].to_numpy(float), before["numerateur"].to_numpy(float))
    states = rows["statut_confidentialite"], before["statut_confidentialite"]
    moves.told[at] = np.logical_and(*[(state.isna() | state.eq(FREE)).to_numpy() for state in states])
    if not moves.span:
        weighted = (rows["pondere"] | rows["pondere_avant"]).to_numpy(dtype=bool)  # others move its weights
        changed = np.abs(_less(rows["valeur"].to_numpy(float), before["valeur"].to_numpy(float))) > EPSILON
        moves.other[at] = changed & ~weighted
    return moves


def _less(now: Numbers, before: Numbers) -> Numbers:
    return np.asarray(np.nan_to_num(now) - np.nan_to_num(before))


def _wider(periods: pd.DataFrame) -> Places:
    """Return, per period, the nearest coarser one that it is in; -1 for none."""
    nearest = np.full(len(periods), -1, dtype=np.int64)
    first, last = periods["first"].to_numpy(), periods["last"].to_numpy()
    for number in range(len(periods)):
        around = (first <= first[number]) & (last >= last[number]) & (last - first > last[number] - first[number])
        if around.any():
            nearest[number] = np.flatnonzero(around)[-1]  # finest last
    return nearest


def _apart(moves: dict[str, _Moves], catalogue: Catalogue, network: str) -> Iterator[bool]:
    """Say of each pair of questions that read the same fields whether one less the other moved by few people."""
    inputs = {name: sorted(catalogue.indicators[name].networks[network].inputs.items()) for name in moves}
    for first, second in combinations(sorted(moves), 2):
        one, other = moves[first], moves[second]
        if inputs[first] == inputs[second]:
            yield one.few(one.base - other.base, np.zeros(one.base.shape), one.told & other.told)


def latest_rows(releases: Earlier, network: str, year: int) -> pd.DataFrame:
    """Return the rows of a network and year in the latest release that has some; ``releases``: oldest first."""
    for release in reversed(releases):
        if len(rows := rows_of(release, network, year)):
            return rows.reset_index(drop=True)
    return pd.DataFrame()


def kept(latest: pd.DataFrame, columns: Sequence[str], catalogue: Catalogue) -> pd.DataFrame:
    """Return the rows of an earlier release as computed rows are, marked provisional where they have a figure."""
    secret = latest["statut_confidentialite"].ne(FREE)
    if "motif" in latest:
        reason = latest["motif"]
    else:
        ids = {reason_declared.label: key for key, reason_declared in catalogue.reasons.items()}
        reason = latest["motif_absence"].map(ids).astype("object").where(latest["motif_absence"].notna(), None)
    reason = reason.mask(secret, SECRET)
    shown = ~secret & latest["valeur"].notna()
    observed = latest["statut_observation"].mask(shown, PROVISIONAL)
    rows = latest.assign(motif=reason, statut_observation=observed, **{KEPT_FROM: _release_of(latest)})
    return rows.reindex(columns=list(columns))


def _release_of(rows: pd.DataFrame) -> str:
    """Return the release that rows of one survey are kept from: the first in which all of them stood as they are."""
    if KEPT_FROM in rows and rows[KEPT_FROM].notna().any():
        return str(rows[KEPT_FROM].dropna().iloc[0])
    versions = set(rows["version_publication"].dropna()) if "version_publication" in rows else set()
    return max(map(str, versions), key=lambda version: [int(part) for part in version.split(".")], default="")


def same_figures(rows: pd.DataFrame, latest: pd.DataFrame) -> bool:
    """Whether rows show and hide what the latest release did, to the figure: then they tell nothing new."""
    if len(rows) != len(latest):
        return False
    both = _side_by_side(rows, latest)
    same = both["statut_confidentialite"].eq(both["statut_confidentialite_avant"])
    for name in _FIGURES:
        same &= both[name].eq(both[f"{name}_avant"]) | (both[name].isna() & both[f"{name}_avant"].isna())
    return len(both) == len(rows) and bool(same.all())
