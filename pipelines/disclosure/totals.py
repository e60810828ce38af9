"""Counts of rows that other tables than ``resultats`` publish: withheld where they would tell a hidden total.

A question that all answered has as many answers as its export has rows; what ``resultats`` hides is decided elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.disclosure.row_keys import row_numbers
from pipelines.disclosure.surveys import FREE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipelines.declarations import Catalogue

# Columns that count rows, or say that there are as many, by table; ``qualite`` adds what ``receptions`` says.
COUNTS = {
    "anomalies": ["premiere_ligne", "derniere_ligne"],
    "receptions": ["lignes_lues", "lignes_acceptees"],
    "couverture": ["lignes_lues", "lignes_acceptees"],
    "calages": ["effectif", "effectif_efficace", "effet_de_plan"],
}
WARNING = "avertissement"  # severity of a finding that puts no row aside


def secret_totals(results: pd.DataFrame, catalogue: Catalogue) -> set[tuple[str, int, str]]:
    """Return the (network, year, export) whose number of rows is no public knowledge.

    These feed an indicator of which something is hidden, without any published base of the country and year.
    ``results``: after disclosure control. Where that base is published, the number of rows adds little to it.
    """
    if results.empty:
        return set()
    keys = ["reseau", "annee", "indicateur"]
    (numbers,) = row_numbers(keys, results)
    hidden = results["statut_confidentialite"].ne(FREE).to_numpy()
    told = results["maille"].eq("national").to_numpy() & results["effectif"].notna().to_numpy()
    told &= results["periode"].eq(results["annee"].astype("Int64").astype(str)).to_numpy() if told.any() else False
    concealed, first = np.unique(numbers[hidden], return_index=True)
    rows = np.flatnonzero(hidden)[first[~np.isin(concealed, numbers[told])]]
    return {
        (str(network), int(year), export)
        for network, year, indicator in results[keys].take(rows).itertuples(index=False, name=None)
        for export in catalogue.indicators[indicator].networks[network].export
    }


def without_counts(table: pd.DataFrame, name: str, secret: set[tuple[str, int, str]]) -> pd.DataFrame:
    """Return the table ``name`` (``reseau``, ``annee``, ``export``) with its counts blank for those exports."""
    at = _counting(table, secret)
    if not at.any():
        return table
    found = table.astype(dict.fromkeys(COUNTS[name], "object"))
    found.loc[at, COUNTS[name]] = None
    return found


def without_bounds(findings: pd.DataFrame, secret: set[tuple[str, int, str]]) -> pd.DataFrame:
    """Return what was found in files without what bounds the number of rows of those exports, from below.

    Neither line numbers nor warnings: these count rows that stay in the results, errors count rows that don't.
    """
    if findings.empty:
        return findings
    kept = findings[~(_counting(findings, secret) & findings["severite"].eq(WARNING).to_numpy())]
    return without_counts(kept, "anomalies", secret)


def told_counts(tables: Mapping[str, pd.DataFrame], secret: set[tuple[str, int, str]]) -> pd.DataFrame:
    """Return ``reseau``, ``annee`` and ``table`` of every published count of an export whose total is secret."""
    found = []
    for name, columns in COUNTS.items():
        table = tables.get(name)
        if table is not None and len(table):
            told = table[_counting(table, secret) & table[columns].notna().any(axis=1).to_numpy()]
            found.append(told[["reseau", "annee"]].assign(table=name))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["reseau", "annee", "table"])


def _counting(table: pd.DataFrame, secret: set[tuple[str, int, str]]) -> NDArray[np.bool_]:
    if table.empty:
        return np.zeros(0, dtype=bool)
    exports = table["export"] if "export" in table else table["exports"]
    rows = zip(table["reseau"], table["annee"], exports, strict=True)
    return np.array([any((n, int(y), name) in secret for name in str(names).split(", ")) for n, y, names in rows])
