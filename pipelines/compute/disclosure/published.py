"""Disclosure control of the table of results: secondary suppression, blanking, and what was hidden and why.

The computation of a network-year keeps what it computed, marked A; only what went through ``protected`` may be shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.compute.disclosure.cells import KEY, NUMBERS, UNPUBLISHED, cells_of
from pipelines.compute.disclosure.rules import PRIMARY, SECONDARY
from pipelines.compute.disclosure.suppression import secondary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipelines.declarations import Catalogue


_CAUTION = 0.9  # what is learnt from fewer bases may be a little finer


def protected(results: pd.DataFrame, catalogue: Catalogue, earlier: Sequence[pd.DataFrame] = ()) -> pd.DataFrame:
    """Return all results with the secret ones blank: those marked A, and those that would tell them (marked D).

    ``results``: the rows of every network-year together (secondary suppression needs all that is linked), in any
    order. ``earlier``: the tables ``resultats`` of earlier releases; what they published can't be hidden any more, so
    other cells are chosen.
    """
    found = results.reset_index(drop=True)
    public = already_public(found, earlier)
    cells = cells_of(found, catalogue, public, caution=_CAUTION) if len(found) else None
    if cells is None:
        return without_secrets(found)
    tied = found.index[cells.tied_rows()]  # marked alike: nobody may tell which of the bases is the one too small
    found.loc[tied, "statut_confidentialite"] = "A"
    found.loc[tied, "motif"] = PRIMARY
    start = _hidden_before(found, public, earlier[-1]) if earlier else np.zeros(len(found), dtype=bool)
    beside = _beside(found, catalogue, public, start) & found["statut_confidentialite"].ne("A").to_numpy()
    found.loc[beside, "statut_confidentialite"] = "D"
    found.loc[beside, "motif"] = SECONDARY
    return without_secrets(found)


def _hidden_before(results: pd.DataFrame, public: NDArray[np.bool_], latest: pd.DataFrame) -> NDArray[np.bool_]:
    """Return the rows that the latest release hid beside others, in networks of which nothing that it showed changed.

    The same figures are hidden the same way again: the search alone would choose otherwise, since what is published
    by now can't be hidden any more.
    """
    keys, names = row_keys(results), row_keys(latest)
    told = latest["statut_confidentialite"].eq("F") & latest[["effectif", "valeur"]].notna().any(axis=1)
    moved = set(latest["reseau"][told & ~names.isin(keys[public])]) | set(results["reseau"][~keys.isin(names)])
    moved |= set(latest["reseau"][~names.isin(keys) & latest["statut_confidentialite"].isin(["A", "D"])])
    hidden = names[latest["statut_confidentialite"].eq("D")]
    return np.asarray(keys.isin(hidden) & ~results["reseau"].isin(moved).to_numpy(), dtype=bool)


def _beside(
    results: pd.DataFrame, catalogue: Catalogue, public: NDArray[np.bool_], start: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which rows to hide, with those marked A; ``start``: rows to hide in any case.

    How nearly equal two bases are is learnt from what is published: once more is hidden, readers learn a little
    otherwise, so that what they then learn is looked at again, until nothing has to be added (seldom, with caution).
    """
    beside = start
    while True:
        cells = cells_of(results, catalogue, public, beside=beside, caution=1.0 if beside.any() else _CAUTION)
        if cells is None:
            return beside
        kept = np.zeros(cells.problem.units, dtype=bool)
        kept[cells.rows.loc[beside[cells.rows["row"]], "unit"]] = True
        found = np.zeros(len(results), dtype=bool)
        found[cells.rows_of(secondary(cells.problem, kept) | cells.problem.primary_units())] = True
        if (found == beside).all():
            return beside
        beside = found


def without_secrets(results: pd.DataFrame) -> pd.DataFrame:
    """Return the results with every figure of the rows marked A or D blank, in whichever state they are."""
    if results.empty:
        return results
    found = results.copy()
    concealed = found["statut_confidentialite"].isin(["A", "D"])
    found.loc[concealed, [*NUMBERS, *(name for name in UNPUBLISHED if name in found)]] = np.nan
    return found


# Extreme weights tell the sizes of their categories; with one decimal, no longer exactly.
EXTREMES = dict.fromkeys(("rapport_minimal", "rapport_maximal", "poids_minimal", "poids_maximal"), 1)


def coarsened(results: pd.DataFrame) -> pd.DataFrame:
    """Publish of weighted values their weighted base in whole units, and neither numerator nor denominator.

    Few different weights make a lattice: with six decimals, a numerator told how many of each category had answered
    what, down to one person.
    """
    weighted = results["effectif_pondere"].notna()
    found = results.assign(effectif_pondere=results["effectif_pondere"].astype("float64").round(0))
    found.loc[weighted, ["numerateur", "denominateur"]] = np.nan
    return found


def row_keys(frame: pd.DataFrame) -> pd.MultiIndex:
    """Return the key of each row of ``resultats`` as text, with "" where a part is absent."""
    text = frame[KEY].astype("object")
    return pd.MultiIndex.from_frame(text.where(text.notna(), "").astype(str))


def already_public(results: pd.DataFrame, earlier: Sequence[pd.DataFrame]) -> NDArray[np.bool_]:
    """Return which rows an earlier release has published with the base, or value, that they have now."""
    public = np.zeros(len(results), dtype=bool)
    keys = row_keys(results)
    for release in earlier:
        told = release[["effectif", "valeur"]].astype("float64").set_index(row_keys(release)).reindex(keys)
        for name in ("effectif", "valeur"):
            now = results[name].to_numpy(dtype=float)
            public |= np.isclose(told[name].to_numpy(), now, rtol=0, atol=1e-9)
    return public


def disclosure_summary(results: pd.DataFrame) -> pd.DataFrame:
    """Return, per network, indicator, frequency and level: rows, values, values hidden (A, D), their shares (%).

    ``results``: the table ``resultats`` or the frame that ``protected`` returns. Only where something is hidden.
    """
    groups = ["reseau", "indicateur", "frequence", "maille"]
    status = results["statut_confidentialite"]
    counted = results.assign(
        valeurs=results["valeur"].notna(), secret_primaire=status.eq("A"), secret_secondaire=status.eq("D")
    )
    found = counted.groupby(groups, sort=True)[["valeurs", "secret_primaire", "secret_secondaire"]].sum().reset_index()
    total = found[["valeurs", "secret_primaire", "secret_secondaire"]].sum(axis=1)
    for kind in ("primaire", "secondaire"):
        found[f"part_{kind}"] = (100 * found[f"secret_{kind}"] / total.where(total > 0)).round(1)
    return found[(found["secret_primaire"] + found["secret_secondaire"]) > 0].reset_index(drop=True)


def without_secret_parts(discrepancies: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Return the discrepancies but those of an indicator and period with a hidden row: they tell totals and sums."""
    if discrepancies.empty or results.empty:
        return discrepancies
    places = ["reseau", "indicateur", "periode"]
    secret = pd.MultiIndex.from_frame(results.loc[results["statut_confidentialite"].isin(["A", "D"]), places])
    return discrepancies[~pd.MultiIndex.from_frame(discrepancies[places]).isin(secret)].reset_index(drop=True)
