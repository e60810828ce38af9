"""The audit of a release: what an attacker finds in its figures and in those of earlier releases.

It reads published tables only. It refuses nothing itself: ``refusals`` says which findings must stop a release.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.compute.disclosure.attack import Intervals, attack
from pipelines.compute.disclosure.cells import KEY, NUMBERS, Cells, cells_of
from pipelines.compute.disclosure.published import already_public, row_keys
from pipelines.compute.disclosure.system import EPSILON, components, tightened
from pipelines.compute.disclosure.totals import secret_totals, told_counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipelines.compute.disclosure.system import System
    from pipelines.declarations import Catalogue

UNMASKED = "ligne secrète non vidée"
PREVIOUS = "valeur secrète donnée comme valeur précédente"
TIGHT = "borné de trop près"
TIGHT_EARLIER = "borné de trop près avec une version antérieure"
ALREADY = "déjà publié"
GUESSED = "deviné de près par une autre question"  # a guess, of several persons: all that could help is hidden
COUNTED = "nombre de lignes d'un export dont le total est secret"
_REFUSED = (UNMASKED, PREVIOUS, TIGHT, TIGHT_EARLIER, COUNTED)
_COLUMNS = ["constat", "statut_confidentialite", *KEY, "grandeur", "borne_basse", "borne_haute"]
_SHIFTED = ["reseau", "indicateur", "frequence", "maille", "territoire_code", "structure_code"]


def audit(
    results: pd.DataFrame,
    catalogue: Catalogue,
    earlier: Sequence[pd.DataFrame] = (),
    others: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Return what the figures tell of hidden rows, one line per finding, in the order of the key; none is best.

    ``results``: the table ``resultats`` about to be released; ``earlier``: those of earlier releases, oldest first;
    ``others``: the tables released with it, by name, which count the rows of exports (``totals.COUNTS``).
    ``constat`` says what was found, ``grandeur`` of what (base, or a part of the numerator), and the bounds say how
    closely it is known (they are secret themselves). A row hidden now that an earlier release published can't be
    taken back: it is found, and counted, as already published.
    """
    results = results.reset_index(drop=True)
    found = [_unmasked(results), _previous(results), _counted(results, catalogue, others or {})]
    cells = cells_of(results, catalogue, already_public(results, earlier))
    if cells is not None:
        hidden = np.bincount(cells.problem.unit, cells.hidden_cells(), cells.problem.units) > 0
        system = cells.problem.seen(hidden)
        public = cells.figures["public"].to_numpy(dtype=bool)
        now = attack(_without_kin(system, cells, public))
        sure = attack(_without_kin(system, cells, np.ones(len(public), dtype=bool)))
        tight = sure.exposed | (now.exposed & (now.high - now.low < 1))
        found.append(_lines(results, cells, now, tight, TIGHT))
        found.append(_lines(results, cells, now, now.exposed & ~tight, GUESSED))
        late = attack(system) if public.any() else now  # with bases that are public for good
        known = (late.exposed | cells.kin.told) & ~now.exposed
        found.append(_lines(results, cells, late, known, ALREADY))
        if earlier:
            found += _with_earlier(results, cells, system, now, earlier, catalogue)
    told = pd.concat(found, ignore_index=True)
    return told.sort_values(["constat", *KEY, "grandeur"], kind="stable", na_position="first").reset_index(drop=True)


def refusals(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that a release must not be made with; what is already public can only be reported."""
    refused: pd.DataFrame = findings[findings["constat"].isin(_REFUSED)]
    return refused


def _unmasked(results: pd.DataFrame) -> pd.DataFrame:
    concealed = results["statut_confidentialite"].isin(["A", "D"])
    told = [*NUMBERS, *(name for name in ("evolution",) if name in results)]
    leaking = concealed & results[told].notna().any(axis=1)
    return _told(results, np.flatnonzero(leaking), UNMASKED)


def _previous(results: pd.DataFrame) -> pd.DataFrame:
    """Find rows whose previous value is a hidden one: the next year's row would publish it."""
    if "valeur_precedente" not in results:
        return _told(results, np.zeros(0, dtype=np.int64), PREVIOUS)
    places = results[_SHIFTED].assign(rang=results["periode"].str[4:])
    group = places.groupby(list(places.columns), dropna=False, sort=False).ngroup()
    concealed = results["statut_confidentialite"].isin(["A", "D"])
    secret = pd.MultiIndex.from_arrays([group[concealed], results["annee"][concealed] + 1])
    telling = pd.MultiIndex.from_arrays([group, results["annee"]]).isin(secret)
    return _told(results, np.flatnonzero(results["valeur_precedente"].notna() & telling), PREVIOUS)


def _counted(results: pd.DataFrame, catalogue: Catalogue, others: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Find, in other tables, the number of rows of an export of which a total is hidden."""
    told = told_counts(others, secret_totals(results, catalogue))
    lines = told.rename(columns={"table": "grandeur"}).assign(constat=COUNTED, periode=told["annee"].astype(str))
    return lines.reindex(columns=_COLUMNS)


def _with_earlier(
    results: pd.DataFrame,
    cells: Cells,
    system: System,
    now: Intervals,
    earlier: Sequence[pd.DataFrame],
    catalogue: Catalogue,
) -> list[pd.DataFrame]:
    """Attack again with what earlier releases told of the rows hidden now, where it suits today's figures."""
    known = _known_before(results, cells, earlier, catalogue)
    known[~system.unknown] = np.nan
    fits = (known >= system.low - EPSILON) & (known <= system.high + EPSILON)
    known[~fits] = np.nan
    for label in _contradicted(system, known):
        known[components(system) == label] = np.nan  # revised since: the old figures say nothing of the new ones
    public = ~np.isnan(known)
    bases = public & cells.figures["kind"].eq("base").to_numpy() & (system.width > 0)
    lines = [_lines(results, cells, Intervals(known, known, bases), bases, ALREADY)]
    if public.any():
        told = replace(
            _without_kin(system, cells, public | cells.figures["public"].to_numpy(dtype=bool)),
            low=np.where(public, known, system.low),
            high=np.where(public, known, system.high),
            width=np.where(public, 0.0, system.width),
            unknown=system.unknown & ~public,
        )
        again = attack(told)
        lines.append(_lines(results, cells, again, again.exposed & ~now.exposed, TIGHT_EARLIER))
        lines.append(_lines(results, cells, Intervals(known, known, beside := _told_by_kin(cells, system, public)),
                            beside & ~bases, ALREADY))  # fmt: skip
    return lines


def _without_kin(system: System, cells: Cells, public: NDArray[np.bool_]) -> System:
    """Return the system without what an earlier release told of a base by another question: it is public for good."""
    kin = cells.kin
    gone = np.zeros(system.links.shape[0], dtype=bool)
    gone[len(gone) - len(kin.small) :] = public[kin.small] | public[kin.large]
    return replace(system, links=system.links[~gone], tolerance=system.tolerance[~gone])


def _told_by_kin(cells: Cells, system: System, public: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the hidden cells of which an earlier release published a nearly equal base."""
    kin, found = cells.kin, np.zeros(len(public), dtype=bool)
    for one, other in ((kin.small, kin.large), (kin.large, kin.small)):
        found[one[public[other]]] = True
    return found & system.unknown & (system.width > 0)


def _known_before(
    results: pd.DataFrame, cells: Cells, earlier: Sequence[pd.DataFrame], catalogue: Catalogue
) -> NDArray[np.float64]:
    """Return, per cell, the figure that the latest earlier release that published the row gave; NaN for none."""
    known = np.full(len(cells.figures), np.nan)
    keys = row_keys(results)[cells.figures["row"].to_numpy()]
    for release in earlier:
        old = cells_of(release.reset_index(drop=True), catalogue, every=set(cells.rows["table"]))
        if old is None:
            continue
        names = row_keys(release)[old.figures["row"].to_numpy()]
        told = pd.Series(old.problem.quantity, index=pd.MultiIndex.from_arrays([names, old.figures["kind"]]))
        told = told[~told.index.duplicated()]
        found = told.reindex(pd.MultiIndex.from_arrays([keys, cells.figures["kind"]])).to_numpy()
        known = np.where(np.isnan(found), known, found)
    return known


def _contradicted(system: System, known: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the components in which the old figures break a link that held without them."""
    public = ~np.isnan(known)
    told = replace(system, low=np.where(public, known, system.low), high=np.where(public, known, system.high))
    broken = tightened(told)[2] & ~tightened(system)[2]
    rows = np.repeat(np.arange(system.links.shape[0]), np.diff(system.links.indptr))
    labels = components(system)[system.links.indices[broken[rows]]]
    return np.unique(labels[labels >= 0])


def _lines(
    results: pd.DataFrame, cells: Cells, intervals: Intervals, which: NDArray[np.bool_], finding: str
) -> pd.DataFrame:
    at = np.flatnonzero(which)
    return _told(results, cells.figures["row"].to_numpy()[at], finding).assign(
        grandeur=cells.figures["kind"].to_numpy()[at], borne_basse=intervals.low[at], borne_haute=intervals.high[at]
    )


def _told(results: pd.DataFrame, rows: NDArray[np.int64], finding: str) -> pd.DataFrame:
    found = results.iloc[rows][["statut_confidentialite", *KEY]].assign(constat=finding)
    return found.assign(grandeur="ligne", borne_basse=np.nan, borne_haute=np.nan)[_COLUMNS]
